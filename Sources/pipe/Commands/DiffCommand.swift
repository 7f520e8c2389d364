// `pipe diff`: data that differs between two commits, or a commit and the workspace.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import PipelineModel
import SourceControl

struct DiffCommand: ParsableCommand, HasVolume {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Show data that differs between two revisions, or a revision and the workspace.",
    discussion: """
      Examples:
        pipe diff                     the last commit and the workspace
        pipe diff v1 v2 --json
        pipe diff main --targets data/images --show-hash
      """)

  @Argument(help: "The older revision. Default: HEAD.") var old: String?
  @Argument(help: "The newer revision. Default: the workspace.") var new: String?
  @Option(parsing: .upToNextOption, help: "Only these tracked paths and what lies below them.") var targets: [String] = []
  @Flag(help: "Print JSON in DVC's shape.") var json = false
  @Flag(help: "Also the digests.") var showHash = false
  @Flag(name: .customLong("md"), help: "Print a Markdown table.") var markdown = false
  @Flag(help: "Leave out what the store lacks.") var hideMissing = false
  @OptionGroup var volume: Volume

  func run() throws {
    let project = try Project.find()
    guard let repository = try GitRepository.open(at: project.root) else {
      throw Diagnostic(.input, "`diff` compares with a commit, and the project is in no Git repository")
    }
    guard try repository.headCommit() != nil else { return try say(DataDiff()) }
    let wanted = try targets.map { target -> String in
      guard let path = project.path(target) else { throw Diagnostic(.input, "`\(target)` lies outside the project") }
      return path.text
    }
    let before = try project.load(at: old ?? "HEAD")
    let after = try new.map { try project.load(at: $0) } ?? project.load()
    let isSame = try new.map { try repository.resolve($0) == repository.resolve(old ?? "HEAD") } ?? false
    if isSame { return try say(DataDiff()) }
    let store = project.store
    let first = DataIndex(agreed: before, store: store, listing: true)
    let second: DataIndex
    if new == nil {
      let workspace = project.workspace()
      second = try DataIndex(workspace: workspace, of: after, listing: true)
      try project.saveStats(of: workspace)
    } else {
      second = DataIndex(agreed: after, store: store, listing: true)
    }
    let changes = DataChange.all(from: first, to: second, granular: true, targets: wanted)
    for (target, path) in zip(targets, wanted) {
      let isKnown = changes.contains {
        ($0.old ?? $0.new)?.path == path || ($0.old ?? $0.new)?.path.hasPrefix(path + "/") == true
      }
      if !isKnown { throw Diagnostic(.input, "`\(target)` is no data of the project at either side") }
    }
    try say(DataDiff(changes, missingIn: new == nil ? store : nil))
  }

  private func say(_ diff: DataDiff) throws {
    var diff = diff
    if new != nil || hideMissing { diff.missing = nil }
    if json { return Terminal.standard.out(diff.json(showHash: showHash)) }
    let text = markdown ? diff.markdown(showHash: showHash) : diff.text(showHash: showHash)
    if !text.isEmpty { Terminal.standard.out(text) }
  }
}

extension Project {
  /// Keeps what was hashed, so that the next look is fast; a project that cannot be written is looked at all the same.
  func saveStats(of workspace: Workspace) throws {
    do { try makeStateFolders() } catch { return }
    try? workspace.saveStatCache()
  }
}

/// Differences by kind, each list sorted by path.
struct DataDiff {
  struct Row {
    var path: String
    /// The new path of what was renamed.
    var newPath: String?
    var hash: String
    /// The new digest of what was modified.
    var newHash: String?

    var shown: String { newPath.map { "\(path) -> \($0)" } ?? path }
    var shortHash: String { newHash.map { "\(hash.prefix(8))..\($0.prefix(8))" } ?? String(hash.prefix(8)) }
  }

  private var groups: [(name: String, rows: [Row])] = []
  /// What the store lacks of the older side; `nil` when that was not asked.
  var missing: [Row]? = []

  init() {}

  /// - Parameter store: where the older side's objects are looked for; `nil` does not look.
  init(_ changes: [DataChange], missingIn store: DirectoryObjectStore?) throws {
    var rows: [DataChange.Kind: [Row]] = [:]
    for change in DataChange.joiningRenames(changes) {
      let old = change.old?.digest?.hex ?? ""
      switch change.kind {
      case .added: rows[.added, default: []].append(Row(path: change.new?.shown ?? "", hash: change.new?.digest?.hex ?? ""))
      case .deleted: rows[.deleted, default: []].append(Row(path: change.old?.shown ?? "", hash: old))
      case .modified:
        rows[.modified, default: []].append(Row(path: change.old?.shown ?? "", hash: old, newHash: change.new?.digest?.hex ?? ""))
      case .renamed:
        rows[.renamed, default: []].append(Row(path: change.old?.shown ?? "", newPath: change.new?.shown, hash: old))
      case .unchanged, .unknown: break
      }
    }
    let order: [(String, DataChange.Kind)] = [
      ("added", .added), ("deleted", .deleted), ("modified", .modified), ("renamed", .renamed),
    ]
    groups = order.map { ($0.0, Self.sorted(rows[$0.1] ?? [])) }
    guard let store else {
      missing = nil
      if groups.allSatisfy(\.rows.isEmpty) { groups = [] }
      return
    }
    let olds = changes.compactMap { change in change.old?.digest.map { ($0, change.old?.shown ?? "") } }
    let lost = Set(try store.missing(among: Array(Set(olds.map(\.0)))))
    missing = Self.sorted(olds.filter { lost.contains($0.0) }.map { Row(path: $0.1, hash: $0.0.hex) })
    if groups.allSatisfy(\.rows.isEmpty), missing?.isEmpty ?? true { groups = [] }
  }

  private static func sorted(_ rows: [Row]) -> [Row] { rows.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) } }

  func json(showHash: Bool) -> String {
    guard !groups.isEmpty else { return "{}" }
    let all = groups + (missing.map { [("not in cache", $0)] } ?? [])
    return ParameterValue.mapping(
      all.map { name, rows in
        (name, .list(rows.map { Self.value($0, showHash) }))
      }
    ).json
  }

  private static func value(_ row: Row, _ showHash: Bool) -> ParameterValue {
    var pairs: [(String, ParameterValue)] = [
      ("path", row.newPath.map { .mapping([("old", .text(row.path)), ("new", .text($0))]) } ?? .text(row.path))
    ]
    if showHash {
      pairs.append(("hash", row.newHash.map { .mapping([("old", .text(row.hash)), ("new", .text($0))]) } ?? .text(row.hash)))
    }
    return .mapping(pairs)
  }

  /// In the order that people read.
  private var shown: [(name: String, rows: [Row])] {
    let order = ["added", "deleted", "renamed", "modified"]
    return order.compactMap { name in groups.first { $0.name == name } } + (missing.map { [("not in cache", $0)] } ?? [])
  }

  func text(showHash: Bool) -> String {
    var lines: [String] = []
    for (name, rows) in shown where !rows.isEmpty {
      lines.append("\(name.prefix(1).uppercased())\(name.dropFirst()):")
      lines += rows.map { "    " + (showHash && !$0.hash.isEmpty ? "\($0.shortHash)  " : "") + $0.shown }
      lines.append("")
    }
    let counts = shown.map { ($0.name, $0.rows.count { !$0.shown.hasSuffix("/") }) }.filter { $0.1 > 0 }
    if !counts.isEmpty { lines.append("files summary: " + counts.map { "\($0.1) \($0.0)" }.joined(separator: ", ")) }
    return lines.joined(separator: "\n")
  }

  func markdown(showHash: Bool) -> String {
    let rows = shown.flatMap { name, rows in rows.map { showHash ? [name, $0.shortHash, $0.shown] : [name, $0.shown] } }
    let table = [showHash ? ["Status", "Hash", "Path"] : ["Status", "Path"]] + rows
    // A heading's column is two wider than its word, as DVC has it.
    let widths = table[0].indices.map { column in rows.map { $0[column].count }.reduce(table[0][column].count + 2, max) }
    func line(_ cells: [String]) -> String {
      "| " + zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: " | ") + " |"
    }
    let rule = "|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|"
    return ([line(table[0]), rule] + table.dropFirst().map(line)).joined(separator: "\n")
  }
}
