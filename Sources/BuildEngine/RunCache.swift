// DVC's run cache: results found again by what they were made from, in DVC's own files.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
internal import Glibc
package import PipelineModel
internal import Synchronization

/// `<root>/<two digits of key>/<key>/<value>`, each file the lock entry of one result.
///
/// DVC leaves parameters named `size` or `nfiles` out of the key. An entry counts only if all that it records of its
/// inputs is what the stage has now, so such a parameter's old result is never taken for a new one's.
package struct RunCache: TraceStore {
  package let root: String
  /// Traces with their facts, which DVC's files have no place for. Never looked in for results: whether a result is kept is DVC's rule.
  private let facts: any TraceStore
  private let stages: StageIndex

  /// - Parameter stages: those of the pipeline, since DVC's files speak from a stage's folder.
  package init(root: String, facts: any TraceStore, stages: [Stage]) {
    self.root = root
    self.facts = facts
    self.stages = StageIndex(stages)
  }

  package func traces(of recipe: Recipe, stage name: String) throws(StoreError) -> [Trace] {
    guard let stage = stages[name], stage.hasRunCache || stage.mayReadRunCache else { return [] }
    let key = RunCacheText.key(of: Self.entry(recipe, outputs: [], of: stage))
    let folder = "\(root)/\(key.prefix(2))/\(key)"
    var found: [(trace: Trace, modified: Int64)] = []
    for value in try AtomicFile.list(folder) where value.utf8.count == 64 {
      let file = "\(folder)/\(value)"
      guard let info = FileStat(file), info.kind == .file, let bytes = try AtomicFile.read(file, limit: 16 << 20),
        let text = String(validating: bytes, as: UTF8.self), let entry = try? RunCacheText.read(text, file: file)
      else { continue }
      let known = LockEntry(entry, of: stage)
      found.append((Trace(stage: name, recipe: known.recipe, outputs: known.outputs, facts: .unknown), info.modified))
    }
    return found.sorted { $0.modified > $1.modified }.map(\.trace)
  }

  @discardableResult
  package func insert(_ trace: Trace) throws(StoreError) -> Trace.Facts {
    let known = try facts.insert(trace)
    try keep(trace)
    return known
  }

  /// Writes DVC's entry, where DVC keeps one.
  private func keep(_ trace: Trace) throws(StoreError) {
    guard let stage = stages[trace.stage], stage.hasRunCache else { return }
    let entry = Self.entry(trace.recipe, outputs: trace.outputs, of: stage)
    let key = RunCacheText.key(of: entry)
    let folder = "\(root)/\(key.prefix(2))/\(key)"
    let file = "\(folder)/\(RunCacheText.value(of: entry))"
    if FileStat(file) != nil { return }
    try AtomicFile.makeFolder(folder)
    try AtomicFile.write(RunCacheText.write(entry), to: file)
  }

  package func flush() throws(StoreError) { try facts.flush() }

  /// All entries of a run cache, as `<key>/<value>`, sorted by key.
  package static func entries(in root: String) throws(StoreError) -> [String] {
    var found: [String] = []
    for fan in try AtomicFile.list(root) where fan.utf8.count == 2 {
      for key in try AtomicFile.list("\(root)/\(fan)") where key.utf8.count == 64 && key.hasPrefix(fan) {
        for value in try AtomicFile.list("\(root)/\(fan)/\(key)") where value.utf8.count == 64 { found.append("\(key)/\(value)") }
      }
    }
    return found
  }

  package func trace(_ id: String) throws(StoreError) -> Trace? { try facts.trace(id) }

  package func list() throws(StoreError) -> [String] { try facts.list() }

  private static func entry(_ recipe: Recipe, outputs: [Trace.Result], of stage: Stage) -> DVCLockEntry {
    var results = outputs
    if results.isEmpty {
      // The key knows outputs by their paths alone.
      results = recipe.targets.map {
        Trace.Result(path: $0.path, digest: Digest.of("", .md5), size: 0, files: nil, isExecutable: false, kind: $0.kind)
      }
    }
    return DVCLockEntry(LockEntry(recipe: recipe, outputs: results), of: stage)
  }
}

/// Stages by name, put in order when the first is asked for: most builds have nothing to do.
private final class StageIndex: Sendable {
  private let stages: [Stage]
  private let places = Mutex<[String: Int]?>(nil)

  init(_ stages: [Stage]) { self.stages = stages }

  subscript(name: String) -> Stage? {
    places.withLock { known in
      let places =
        known ?? Dictionary(stages.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
      known = places
      return places[name].map { stages[$0] }
    }
  }
}

extension Stage {
  /// DVC looks for results of any stage whose outputs it could have kept, and keeps those of `hasRunCache`.
  fileprivate var mayReadRunCache: Bool {
    !isIdle && !runsAlways && !outputs.isEmpty && !dependencies.isEmpty && outputs.allSatisfy { !$0.isPersistent }
  }
}

extension Trace.Facts {
  fileprivate static let unknown = Trace.Facts(
    run: "", finishedAt: "", durationSeconds: 0, peakMemoryBytes: 0, host: "", commit: nil, isDirty: false, log: nil, woven: nil)
}
