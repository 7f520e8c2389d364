// Decides whether a stage is up to date, can be restored, or has to run. Pure.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import PipelineModel

/// A constructive-trace rebuilder: a result is reused when everything that decides it is the same, wherever and
/// whenever it was made.
///
/// Source: Mokhov, Mitchell, Peyton Jones, "Build systems à la carte", 2018, section 4.
package struct Rebuilder: Sendable {
  /// What counts as a change.
  package struct Rules: Sendable {
    /// A dependency or output that is no longer declared.
    package var countsRemovals: Bool
    /// An output's executable bit.
    package var countsExecutableBits: Bool
    /// Whether a frozen stage's changed outputs become its result.
    package var recordsFrozen: Bool
    /// Whether data that is gone, or a frozen stage's output, is brought back; else that is a mistake.
    package var restoresIdle: Bool
    /// Whether the store has to have what Git keeps, too.
    package var storesUncached: Bool
    package var areEqual: @Sendable (ParameterValue, ParameterValue) -> Bool

    package static let native = Rules(
      countsRemovals: true, countsExecutableBits: true, recordsFrozen: false, restoresIdle: true, storesUncached: true,
      areEqual: { $0 == $1 })
    package static let dvc = Rules(
      countsRemovals: false, countsExecutableBits: false, recordsFrozen: true, restoresIdle: false, storesUncached: false,
      areEqual: { $0.isEqualInPython(to: $1) })

    package static func of(_ dialect: Dialect) -> Rules { dialect.isNative ? native : dvc }
  }

  /// What is known of a stage at the moment of the decision.
  package struct Situation {
    package var recipe: Recipe
    /// Runs nothing: data under `add`, or frozen.
    package var isIdle: Bool
    package var isFrozen: Bool
    package var alwaysChanged: Bool
    package var locked: LockEntry?
    /// Traces with the recipe's fingerprint, the newest first. Asked for only when the lock file does not answer.
    package var traces: () -> [Trace]
    /// Digest and executable bit of what is at an output's path; `nil` when nothing is.
    package var onDisk: (String) -> (digest: Digest, isExecutable: Bool)?
    /// Whether the store can give an output back.
    package var isKept: (Trace.Result) -> Bool
    /// Whether the store has the object of an output that is in place. Cheap: asked of every stage.
    package var isInStore: (Trace.Result) -> Bool

    package init(
      recipe: Recipe, isIdle: Bool = false, isFrozen: Bool = false, alwaysChanged: Bool, locked: LockEntry?,
      traces: @escaping () -> [Trace], onDisk: @escaping (String) -> (digest: Digest, isExecutable: Bool)?,
      isKept: @escaping (Trace.Result) -> Bool, isInStore: @escaping (Trace.Result) -> Bool = { _ in true }
    ) {
      self.recipe = recipe
      self.isIdle = isIdle
      self.isFrozen = isFrozen
      self.alwaysChanged = alwaysChanged
      self.locked = locked
      self.traces = traces
      self.onDisk = onDisk
      self.isKept = isKept
      self.isInStore = isInStore
    }
  }

  /// Run whatever is known.
  package var force: Bool
  package var rules: Rules

  package init(force: Bool = false, rules: Rules = .native) {
    self.force = force
    self.rules = rules
  }

  package func decide(_ situation: Situation) -> Decision {
    if situation.isIdle { return decideIdle(situation) }
    if force { return .run([.forced]) }
    if situation.alwaysChanged { return .run([.alwaysChanged]) }
    let recipe = situation.recipe
    var reasons = situation.locked.map { differences(from: $0.recipe, to: recipe) } ?? [.neverRun]
    if reasons.isEmpty, let locked = situation.locked {
      reasons = differences(onDisk: situation.onDisk, from: locked.outputs)
      if reasons.isEmpty { return whole(locked, situation) }
      if let known = Self.restorable(locked.outputs, Fingerprint(of: recipe), situation) { return .restore(known, reasons) }
    }
    // A stage whose output stays in place does not start from nothing, so no earlier result stands for it.
    guard !recipe.targets.contains(where: \.isPersistent) else { return .run(reasons) }
    for trace in situation.traces() where differences(from: trace.recipe, to: recipe).isEmpty {
      if let known = Self.restorable(trace.outputs, trace.fingerprint, situation) { return .restore(known, reasons) }
    }
    return .run(reasons + Self.lost(situation))
  }

  /// Everything is in place; only the store may lack something.
  private func whole(_ locked: LockEntry, _ situation: Situation) -> Decision {
    let lost = locked.outputs.filter { output in
      let target = situation.recipe.targets.first { $0.path == output.path }
      return target.map { $0.isCached || (rules.storesUncached && $0.kind != .data) } == true && !situation.isInStore(output)
    }
    return lost.isEmpty ? .upToDate : .record(lost.map { .objectMissing(path: $0.path) })
  }

  private func decideIdle(_ situation: Situation) -> Decision {
    guard let locked = situation.locked else {
      return situation.isFrozen && !rules.recordsFrozen ? .upToDate : .record([.neverRun])
    }
    var reasons = differences(onDisk: situation.onDisk, from: locked.outputs)
    if situation.isFrozen, rules.recordsFrozen, Self.commandsDiffer(locked.recipe, situation.recipe) {
      reasons.insert(.commandChanged, at: 0)
    }
    if reasons.isEmpty { return whole(locked, situation) }
    let isOnlyMissing = reasons.allSatisfy { if case .outputMissing = $0 { true } else { false } }
    if isOnlyMissing, rules.restoresIdle,
      let known = Self.restorable(locked.outputs, Fingerprint(of: situation.recipe), situation)
    {
      return .restore(known, reasons)
    }
    return situation.isFrozen && !rules.recordsFrozen ? .upToDate : .record(reasons)
  }

  private static func commandsDiffer(_ old: Recipe, _ new: Recipe) -> Bool {
    old.commands != new.commands || old.isCommandList != new.isCommandList || (old.notebook == nil) != (new.notebook == nil)
  }

  private static func restorable(_ outputs: [Trace.Result], _ fingerprint: Fingerprint, _ situation: Situation) -> Trace.Known? {
    let isWhole = outputs.allSatisfy { output in
      if let disk = situation.onDisk(output.path), disk == (output.digest, output.isExecutable) { return true }
      return situation.isKept(output)
    }
    guard isWhole else { return nil }
    return Trace.Known(outputs: outputs, id: TraceID(fingerprint: fingerprint, outputs: Trace.digest(of: outputs)))
  }

  private static func lost(_ situation: Situation) -> [Reason] {
    guard let locked = situation.locked, locked.recipe == situation.recipe else { return [] }
    return locked.outputs.filter { output in situation.onDisk(output.path).map { $0.digest != output.digest } ?? true }
      .filter { !situation.isKept($0) && situation.recipe.isStored($0.path) }.map { .objectMissing(path: $0.path) }
  }

  /// Differences between two recipes, in the order in which a person wants to hear them.
  package func differences(from old: Recipe, to new: Recipe) -> [Reason] {
    var reasons: [Reason] = []
    if Self.commandsDiffer(old, new) { reasons.append(.commandChanged) }
    if let before = old.notebook, let now = new.notebook, before.code != now.code {
      reasons.append(.notebookChanged(path: now.path))
    }
    if old.workingDirectory != new.workingDirectory { reasons.append(.workingDirectoryChanged) }
    Self.changes(old.tools, new.tools, by: \.name) { name, before, now in
      .toolChanged(name: name, from: before?.version, to: now?.version)
    }.forEach { reasons.append($0) }
    Self.changes(
      old.inputs.map { KeyedDigest($0.path, $0.digest) }, new.inputs.map { KeyedDigest($0.path, $0.digest) }, by: \.key
    ) { path, before, now in
      before == nil ? .inputAdded(path: path) : now == nil ? .inputRemoved(path: path) : .inputChanged(path: path)
    }.forEach { reasons.append($0) }
    Self.changes(old.parameters, new.parameters, by: \.label, areEqual: { rules.areEqual($0.value, $1.value) }) {
      key, before, now in
      guard let before else { return .parameterAdded(key: key) }
      guard let now else { return .parameterRemoved(key: key) }
      return Self.parameterReason(key, before.value, now.value)
    }.forEach { reasons.append($0) }
    Self.changes(old.environment, new.environment, by: \.name) { name, _, _ in .environmentChanged(name: name) }
      .forEach { reasons.append($0) }
    let before = Set(old.targets.map(\.path))
    let now = Set(new.targets.map(\.path))
    reasons += now.subtracting(before).sorted().map { .outputAdded(path: $0) }
    reasons += before.subtracting(now).sorted().map { .outputRemoved(path: $0) }
    guard !rules.countsRemovals else { return reasons }
    // A key that is gone from within a parameter is a change of that parameter.
    let named = Set(old.parameters.map(\.label))
    return reasons.filter { reason in
      switch reason {
      case .inputRemoved, .outputRemoved: false
      case .parameterRemoved(let key): !named.contains(key)
      default: true
      }
    }
  }

  private struct KeyedDigest: Equatable {
    var key: String
    var digest: Digest
    init(_ key: String, _ digest: Digest) {
      self.key = key
      self.digest = digest
    }
  }

  /// A changed subtree is told by its first changed leaf.
  private static func parameterReason(_ key: String, _ old: ParameterValue, _ new: ParameterValue) -> Reason {
    let before = old.leaves
    for (path, value) in new.leaves {
      let earlier = before.first { $0.path == path }?.value
      if earlier != value {
        return .parameterChanged(key: "\(key).\(path)", from: earlier?.display ?? "none", to: value.display)
      }
    }
    if let gone = before.first(where: { leaf in !new.leaves.contains { $0.path == leaf.path } }) {
      return .parameterRemoved(key: "\(key).\(gone.path)")
    }
    return .parameterChanged(key: key, from: old.display, to: new.display)
  }

  private static func changes<Item: Equatable>(
    _ old: [Item], _ new: [Item], by key: (Item) -> String, areEqual: (Item, Item) -> Bool = { $0 == $1 },
    _ reason: (String, Item?, Item?) -> Reason
  ) -> [Reason] {
    // Nearly always the same things in the same order.
    if old.count == new.count, zip(old, new).allSatisfy({ key($0) == key($1) && areEqual($0, $1) }) { return [] }
    let before = Dictionary(old.map { (key($0), $0) }, uniquingKeysWith: { first, _ in first })
    let now = Dictionary(new.map { (key($0), $0) }, uniquingKeysWith: { first, _ in first })
    return Set(before.keys).union(now.keys).sorted().compactMap { name in
      if let a = before[name], let b = now[name], areEqual(a, b) { return nil }
      return reason(name, before[name], now[name])
    }
  }

  private func differences(
    onDisk: (String) -> (digest: Digest, isExecutable: Bool)?, from outputs: [Trace.Result]
  ) -> [Reason] {
    outputs.compactMap { output in
      guard let disk = onDisk(output.path) else { return .outputMissing(path: output.path) }
      let isSame = disk.digest == output.digest && (!rules.countsExecutableBits || disk.isExecutable == output.isExecutable)
      return isSame ? nil : .outputChanged(path: output.path)
    }
  }
}

extension Parameter {
  /// `train.lr`, or `other.yaml: train.lr` when it is not of `params.yaml`.
  package var label: String {
    let name = key ?? "all of it"
    return file.name == "params.yaml" ? name : "\(file): \(name)"
  }
}

extension Recipe {
  /// Whether the store keeps an output.
  package func isStored(_ path: String) -> Bool {
    targets.first { $0.path == path }.map { $0.isCached || $0.kind != .data } ?? false
  }
}

extension DirectoryObjectStore {
  /// As `contains`, of which nearly always one look is enough: an object that nobody may write is as it was put there.
  func hasWhole(_ digest: Digest) -> Bool {
    let isBelieved = { (mode: UInt32) in layout.kind == .native || (!layout.verifies && mode & 0o7777 == 0o444) }
    if let info = FileStat(path(of: digest), followingLinks: false), info.kind == .file, isBelieved(info.mode) { return true }
    return (try? contains(digest)) ?? false
  }
}
