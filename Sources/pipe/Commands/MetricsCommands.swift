// `pipe params diff`, `pipe metrics show` and `pipe metrics diff`.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import Foundation
import PipelineModel
import SourceControl
import Tracking

struct ParamsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "params", abstract: "Compare parameters.", subcommands: [Diff.self])

  struct Diff: ParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(
      commandName: "diff",
      abstract: "Compare parameters between two revisions, or a revision and the workspace.",
      discussion: """
        Examples:
          pipe params diff                the last commit and the workspace
          pipe params diff v1 v2 --json
          pipe params diff --targets other.yaml
        """)

    @OptionGroup var options: DiffOptions
    @Flag(help: "Only parameters that stages name.") var deps = false
    @OptionGroup var volume: Volume

    func run() throws {
      let project = try Project.find()
      let targets = try project.paths(options.targets)
      try options.compare(project, unit: "parameter", precision: nil) {
        try $0.parameters(targets: targets, ofStagesOnly: deps)
      }
    }
  }
}

struct MetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "Show and compare metrics.", subcommands: [Show.self, Diff.self])

  struct Show: ParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(
      commandName: "show",
      abstract: "Print the metrics in the workspace, or also of other revisions.",
      discussion: """
        Examples:
          pipe metrics show --json
          pipe metrics show --all-branches
        """)

    @Argument(help: "Metrics files. Default: all that are declared.", completion: .file()) var targets: [String] = []
    @OptionGroup var revisions: AllRevisions
    @OptionGroup var table: TableOptions
    @OptionGroup var rounding: Rounding
    @Flag(name: [.customShort("R"), .long], help: "Look into folders among the targets; it is done in any case.") var recursive =
      false
    @OptionGroup var volume: Volume

    func run() throws {
      let project = try Project.find()
      let paths = try project.paths(targets)
      let views = try revisions.views(of: project)
      let found = try views.map { view in (name: view.name, readings: try view.metrics(targets: paths)) }
      for (name, readings) in found { tellFailures(readings, at: name) }
      // What the workspace has is told once when the branch one is on has the same.
      let shown = hidingWorkspace(found, branch: revisions.isEmpty ? nil : try project.branch())
      if table.json { return Terminal.standard.out(json(shown).pythonJSON(sortKeys: false)) }
      let rows = shown.flatMap { name, readings in
        readings.flatMap { path, reading in
          (reading.value?.comparedLeaves ?? []).map { [name, path, $0.key, rounding.text($0.value)] }
        }
      }
      let cells = revisions.isEmpty ? rows.map { Array($0.dropFirst()) } : rows
      let header = (revisions.isEmpty ? [] : ["revision"]) + ["file", "metric", "value"]
      table.print(header, cells, whenEmpty: "no metrics yet: `pipe repro` makes them")
    }

    private func json(_ shown: [(name: String, readings: DocumentReadings)]) -> ParameterValue {
      .mapping(
        shown.map { name, readings in
          let data = ParameterValue.mapping(readings.map { ($0.path, $0.reading.json) })
          return (revisions.isEmpty ? "" : name, .mapping([("data", data)]))
        })
    }

    private func hidingWorkspace(
      _ found: [(name: String, readings: DocumentReadings)], branch: String?
    ) -> [(name: String, readings: DocumentReadings)] {
      func text(_ readings: DocumentReadings) -> String {
        ParameterValue.mapping(readings.map { ($0.path, $0.reading.json) }).pythonJSON(sortKeys: true)
      }
      guard let branch, let first = found.first, first.name == RevisionView.workspaceName,
        let own = found.first(where: { $0.name == branch }), text(own.readings) == text(first.readings)
      else { return found }
      return Array(found.dropFirst())
    }
  }

  struct Diff: ParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(
      commandName: "diff",
      abstract: "Compare metrics between two revisions, or a revision and the workspace.",
      discussion: """
        Examples:
          pipe metrics diff               the last commit and the workspace
          pipe metrics diff main --json
        """)

    @OptionGroup var options: DiffOptions
    @OptionGroup var rounding: Rounding
    @Flag(name: [.customShort("R"), .long], help: "Look into folders among the targets; it is done in any case.") var recursive =
      false
    @OptionGroup var volume: Volume

    func run() throws {
      let project = try Project.find()
      let targets = try project.paths(options.targets)
      try options.compare(project, unit: "metric", precision: rounding) { try $0.metrics(targets: targets) }
    }
  }
}

/// What could not be read is told beside the result.
private func tellFailures(_ readings: DocumentReadings, at revision: String) {
  for (path, reading) in readings {
    guard case .failure(let kind, let message) = reading else { continue }
    let why = kind == "FileNotFoundError" ? "it is not there" : message
    Terminal.standard.say(Diagnostic(.warning, "`\(path)` cannot be read in \(revision)", causes: [why]))
  }
}

struct DiffOptions: ParsableArguments {
  @Argument(help: "The older revision. Default: HEAD.") var old = "HEAD"
  @Argument(help: "The newer revision. Default: the workspace.") var new = RevisionView.workspaceName
  @Option(parsing: .upToNextOption, help: "Only these files, declared or not.", completion: .file()) var targets: [String] = []
  @Flag(help: "Also what is equal.") var all = false
  @Flag(help: "Leave the file's name out.") var noPath = false
  @OptionGroup var table: TableOptions

  /// Reads both sides and prints what differs.
  func compare(
    _ project: Project, unit: String, precision: Rounding?, _ read: (RevisionView) throws -> DocumentReadings
  ) throws {
    let comparison = try hasCommits(project) ? comparison(project, read) : DocumentComparison(old: [], new: [])
    if table.json { return Terminal.standard.out(comparison.json.pythonJSON(sortKeys: false)) }
    func text(_ value: ParameterValue?) -> String {
      guard let value, value != .null else { return "-" }
      return precision?.text(value) ?? value.display
    }
    let rows = comparison.files.flatMap { path, changes in
      changes.map { [path, $0.key, text($0.old), text($0.new), text($0.difference)] }
    }
    let header = ["file", unit, "old", "new", "change"]
    table.print(
      noPath ? Array(header.dropFirst()) : header, noPath ? rows.map { Array($0.dropFirst()) } : rows,
      whenEmpty: "no \(unit) differs")
  }

  private func comparison(
    _ project: Project, _ read: (RevisionView) throws -> DocumentReadings
  ) throws -> DocumentComparison {
    let before = try read(RevisionView(project, revision: old))
    let after = try read(RevisionView(project, revision: new))
    tellFailures(before, at: old)
    tellFailures(after, at: new)
    return DocumentComparison(old: before, new: after, includingUnchanged: all)
  }

  /// Before the first commit there is nothing to compare with.
  private func hasCommits(_ project: Project) throws -> Bool {
    guard let repository = try GitRepository.open(at: project.root) else {
      throw Diagnostic(
        .input, "`\(old)` cannot be looked up: the project is not in a Git repository", hints: ["`git init` makes one"])
    }
    return try repository.headCommit() != nil
  }
}

/// Tables, Markdown or JSON.
struct TableOptions: ParsableArguments {
  @Flag(help: "Print JSON in DVC's shape.") var json = false
  @Flag(help: "Print a Markdown table.") var md = false

  func print(_ header: [String], _ rows: [[String]], whenEmpty: String) {
    if md { return Terminal.standard.out(Self.markdown(header, rows)) }
    Terminal.standard.out(rows.isEmpty ? whenEmpty : columns([header] + rows))
  }

  static func markdown(_ header: [String], _ rows: [[String]]) -> String {
    let cells = ([header] + rows).map {
      $0.map { $0.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|") }
    }
    let widths = header.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    func line(_ row: [String]) -> String {
      "| " + zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: " | ") + " |\n"
    }
    let rule = "|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|\n"
    return line(cells[0]) + rule + cells.dropFirst().map(line).joined()
  }
}

/// How many digits metrics are shown with.
struct Rounding: ParsableArguments {
  @Option(help: ArgumentHelp("Digits after the decimal point in tables.", valueName: "n")) var precision = 5

  func validate() throws {
    if !(0...17).contains(precision) { throw ValidationError("--precision is a whole number from 0 to 17") }
  }

  func text(_ value: ParameterValue) -> String {
    guard case .double(let number) = value, number.isFinite else { return value.display }
    // Through decimal digits, as Python rounds: scaling would lose digits of large numbers.
    let rounded = Double(String(format: "%.\(precision)f", number)) ?? number
    return rounded.pythonRepr
  }
}

/// Revisions beside the workspace.
struct AllRevisions: ParsableArguments {
  @Flag(name: [.customShort("a"), .long], help: "Also every branch.") var allBranches = false
  @Flag(name: [.customShort("T"), .long], help: "Also every tag.") var allTags = false
  @Flag(name: [.customShort("A"), .long], help: "Also every commit.") var allCommits = false

  var isEmpty: Bool { choice.isEmpty }
  private var choice: RevisionChoice { RevisionChoice(allBranches: allBranches, allTags: allTags, allCommits: allCommits) }

  /// The workspace, then each commit once with all its names.
  func views(of project: Project) throws -> [RevisionView] {
    let workspace = try RevisionView(project, revision: nil)
    guard !isEmpty else { return [workspace] }
    guard let repository = try GitRepository.open(at: project.root) else {
      throw Diagnostic(.input, "there are no branches, tags and commits: the project is not in a Git repository")
    }
    return try [workspace]
      + repository.commits(choice).map {
        try RevisionView(project, revision: $0.commit.hex, name: $0.names.joined(separator: ","))
      }
  }
}

extension Project {
  /// Paths from the command line.
  ///
  /// - Throws: a `Diagnostic` for one outside the project.
  func paths(_ typed: [String]) throws -> [WorkspacePath] {
    try typed.map { text in
      guard let path = path(text) else { throw Diagnostic(.input, "`\(text)` is not a path inside the project") }
      return path
    }
  }

  /// The branch one is on; `nil` when there is none.
  func branch() throws -> String? { try GitRepository.open(at: root)?.branch() }
}

extension JSONValue {
  /// Text without quotes, all else as JSON.
  var plainText: String { stringValue ?? canonicalText }
}
