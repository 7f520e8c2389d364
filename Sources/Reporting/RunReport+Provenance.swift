// What changed since the previous run, and what each result was made from.
// SPDX-License-Identifier: Apache-2.0
import Tracking

extension RunReport {
  // MARK: Changes

  static func changesSection(_ input: Input) -> Report.Section? {
    guard let previous = input.previous else { return nil }
    let changes = RunChanges(now: input.run, then: previous)
    var blocks: [Report.Block] = []
    if !changes.parameters.isEmpty {
      blocks.append(.table(parameterTable(changes.parameters, caption: "Parameters that changed")))
    }
    if !changes.inputs.isEmpty {
      blocks.append(
        .table(
          Report.Table(
            caption: "Inputs that changed", columns: [.init("Path"), .init("Previous run"), .init("This run")],
            rows: changes.inputs.map { [[.code($0.path)], fileCell($0.then), fileCell($0.now)] })))
    }
    if !changes.commands.isEmpty { blocks.append(.paragraph(names("Stages whose command changed", changes.commands))) }
    if !changes.added.isEmpty { blocks.append(.paragraph(names("New stages", changes.added))) }
    if !changes.removed.isEmpty { blocks.append(.paragraph(names("Stages that are gone", changes.removed))) }
    if !changes.outputs.isEmpty { blocks.append(.paragraph(names("Outputs that came out different", changes.outputs))) }
    if blocks.isEmpty { blocks.append(.paragraph([.text("Neither parameters nor inputs, commands or outputs changed.")])) }
    return Report.Section(id: "changes", title: "Changes since the previous run", priority: 90, blocks: blocks)
  }

  static func names(_ title: String, _ names: [String]) -> [Report.Inline] {
    var line: [Report.Inline] = [.text(title + ": ")]
    for (index, name) in names.prefix(30).enumerated() {
      if index > 0 { line.append(.text(", ")) }
      line.append(.code(name))
    }
    if names.count > 30 { line.append(.text(" and \(names.count - 30) more")) }
    return line + [.text(".")]
  }

  private static func parameterTable(_ changes: [RunChanges.Parameter], caption: String) -> Report.Table {
    Report.Table(
      caption: caption, columns: [.init("Parameter"), .init("Previous run"), .init("This run")],
      rows: changes.map { [[.code($0.key)], valueCell($0.then), valueCell($0.now)] })
  }

  static func valueCell(_ value: String?) -> [Report.Inline] {
    guard let value else { return [.muted("not there")] }
    return [.code(value.count <= 120 ? value : value.prefix(119) + "…")]
  }

  static func fileCell(_ file: FileRecord?) -> [Report.Inline] {
    guard let file else { return [.muted("not there")] }
    return [.code(shortDigest(file.digest)), .text(" "), .muted(NumberText.bytes(file.size))]
  }

  // MARK: Provenance

  static func provenanceSection(_ input: Input) -> Report.Section? {
    var blocks: [Report.Block] = []
    let changes = input.previous.map { RunChanges(now: input.run, then: $0) }
    let parameters = RunChanges.parameters(of: input.run)
    if !parameters.isEmpty { blocks.append(.table(allParameters(parameters, changes))) }
    let files = fileRows(input.run, previous: input.previous)
    if !files.isEmpty {
      blocks.append(
        .table(
          Report.Table(
            caption: "Files by content",
            columns: [.init("Path"), .init("Made by"), .init("Size", .end), .init("Digest")], rows: files)))
    }
    let keyed = input.run.stages.filter { $0.fingerprint != nil }
    if !keyed.isEmpty {
      blocks.append(
        .details(
          summary: [.text("Fingerprints of the stages")], id: nil, open: false,
          [
            .table(
              Report.Table(
                caption: "What decided each result, as one digest", columns: [.init("Stage"), .init("Fingerprint")],
                rows: keyed.map { [[.code($0.name)], [.code($0.fingerprint ?? "")]] }))
          ]))
    }
    guard !blocks.isEmpty else { return nil }
    blocks.append(
      .paragraph([.muted("Commit, machine, times and how to make this run again stand in the run facts at the top of the page.")])
    )
    return Report.Section(id: "provenance", title: "Provenance", priority: 30, blocks: blocks)
  }

  private static func allParameters(_ parameters: [String: String], _ changes: RunChanges?) -> Report.Table {
    let changed = Dictionary((changes?.parameters ?? []).map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    let keys = parameters.keys.sorted { (changed[$0] == nil ? 1 : 0, $0) < (changed[$1] == nil ? 1 : 0, $1) }
    var columns: [Report.Table.Column] = [.init("Parameter"), .init("Value")]
    // The section on changes says that none changed.
    let hasChanged = !changed.isEmpty
    if hasChanged { columns.append(.init("Previous run")) }
    return Report.Table(
      caption: hasChanged ? "Parameters; those that changed first, with what they were" : "Parameters", columns: columns,
      rows: keys.map { key in
        let row = [[Report.Inline.code(key)], valueCell(parameters[key])]
        guard hasChanged else { return row }
        return row + [changed[key].map { valueCell($0.then) } ?? []]
      })
  }

  /// Inputs from outside first, then outputs in the order of the stages.
  private static func fileRows(_ run: RunRecord, previous: RunRecord?) -> [[[Report.Inline]]] {
    let made = Set((run.stages + (previous?.stages ?? [])).flatMap { $0.outputs.map(\.path) })
    // A stage may need a folder in which others leave their outputs.
    let folders = Set(made.flatMap { ancestors(of: $0) })
    var seen: Set<String> = []
    var rows: [[[Report.Inline]]] = []
    func add(_ file: FileRecord, by maker: [Report.Inline]) {
      guard seen.insert(file.path).inserted else { return }
      let size = NumberText.bytes(file.size) + (file.files.map { " in \(NumberText.count($0)) file\($0 == 1 ? "" : "s")" } ?? "")
      rows.append([[.code(file.path)], maker, [.text(size)], [.code(shortDigest(file.digest))]])
    }
    for stage in run.stages {
      for file in stage.dependencies
      where !made.contains(file.path) && !folders.contains(file.path) && made.isDisjoint(with: ancestors(of: file.path)) {
        add(file, by: [.muted("input")])
      }
    }
    for stage in run.stages { for file in stage.outputs { add(file, by: [.text(stage.name)]) } }
    return rows
  }

  /// `a/b/c` → `a`, `a/b`.
  private static func ancestors(of path: String) -> [String] {
    path.utf8.indices.filter { path.utf8[$0] == UInt8(ascii: "/") }.map { String(path[..<$0]) }
  }

  /// `sha256:3f2c1a9b04de`: enough to compare by eye.
  static func shortDigest(_ digest: String) -> String {
    let parts = digest.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 1).map(Substring.init)
    guard parts.count == 2 else { return String(digest.prefix(16)) }
    let isTree = parts[1].hasSuffix(".dir")
    return "\(parts[0]):\(parts[1].prefix(12))" + (isTree ? ".dir" : "")
  }
}

/// What differs between two runs, by what they recorded.
struct RunChanges: Equatable {
  struct Parameter: Equatable {
    var key: String
    /// JSON text.
    var then: String?
    var now: String?
  }

  struct Input: Equatable {
    var path: String
    var then: FileRecord?
    var now: FileRecord?
  }

  var parameters: [Parameter]
  /// Files that no stage makes.
  var inputs: [Input]
  var commands: [String]
  var added: [String]
  var removed: [String]
  /// Paths of outputs that both runs have.
  var outputs: [String]

  init(now: RunRecord, then: RunRecord) {
    let (new, old) = (Self.parameters(of: now), Self.parameters(of: then))
    parameters = Set(new.keys).union(old.keys).sorted().filter { new[$0] != old[$0] }
      .map { Parameter(key: $0, then: old[$0], now: new[$0]) }
    // A stage that failed has no outputs on record; the other run knows them.
    let made = Set((now.stages + then.stages).flatMap { $0.outputs.map(\.path) })
    let (inputsNow, inputsThen) = (Self.inputs(of: now, without: made), Self.inputs(of: then, without: made))
    inputs = Set(inputsNow.keys).union(inputsThen.keys).sorted()
      .filter { inputsNow[$0]?.digest != inputsThen[$0]?.digest }
      .map { Input(path: $0, then: inputsThen[$0], now: inputsNow[$0]) }
    let stagesThen = Dictionary(then.stages.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let namesNow = Set(now.stages.map(\.name))
    commands = now.stages.filter { stage in stagesThen[stage.name].map { $0.command != stage.command } ?? false }.map(\.name)
    added = now.stages.map(\.name).filter { stagesThen[$0] == nil }
    removed = then.stages.map(\.name).filter { !namesNow.contains($0) }
    let outputsThen = Self.outputs(of: then)
    outputs = Self.outputs(of: now).filter { path, digest in outputsThen[path].map { $0 != digest } ?? false }.keys.sorted()
  }

  static func parameters(of run: RunRecord) -> [String: String] {
    run.stages.reduce(into: [:]) { $0.merge($1.parameters, uniquingKeysWith: { first, _ in first }) }
  }

  private static func inputs(of run: RunRecord, without made: Set<String>) -> [String: FileRecord] {
    let files = run.stages.flatMap(\.dependencies).filter { !made.contains($0.path) }
    return Dictionary(files.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
  }

  private static func outputs(of run: RunRecord) -> [String: String] {
    Dictionary(run.stages.flatMap(\.outputs).map { ($0.path, $0.digest) }, uniquingKeysWith: { first, _ in first })
  }
}
