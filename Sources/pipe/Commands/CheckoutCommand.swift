// `pipe checkout`: make the workspace hold what lock files and pointer files say.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import PipelineModel

struct CheckoutCommand: ParsableCommand, HasVolume {
  static let configuration = CommandConfiguration(
    commandName: "checkout",
    abstract: "Bring the data that lock files and pointer files name from the store into the workspace.",
    discussion: """
      Data that differs is replaced, file by file; what the store has no copy of is kept unless --force is given.
      Without targets, data that `pipe` placed and that nothing names any more is taken away.

      Examples:
        git switch other-branch && pipe checkout
        pipe checkout images/dogs train
      """)

  @Argument(
    help: "Stages, pointer files, or tracked paths and parts of them. Default: all.", completion: .custom(completeStages))
  var targets: [String] = []
  @Flag(name: .shortAndLong, help: "Replace data even if the store has no copy of what is there.") var force = false
  @Flag(help: "Print one line of numbers instead of a line for each output.") var summary = false
  @Flag(name: [.customShort("d"), .long], help: "Also what the named stages need.") var withDeps = false
  @Flag(name: [.customShort("R"), .long], help: "A folder stands for all that is declared below it.") var recursive = false
  @Flag(help: "Make all files anew, as links or copies, whatever the configuration says now.") var relink = false
  @Flag(help: "Do without what the store lacks.") var allowMissing = false
  @Flag(help: "Print JSON.") var json = false
  @OptionGroup var volume: Volume

  func run() throws {
    let project = try Project.find()
    try project.holdingWorkspace { loaded, workspace in
      var selection = OutputSelection(loaded, try loaded.graph())
      selection.withDependencies = withDeps
      selection.isRecursive = recursive
      let items = try Self.items(selection.outputs(of: targets), project)
      var checkout = Checkout(project, workspace)
      checkout.force = force
      checkout.relinks = relink
      var placed = try PlacedData(of: project)
      var removal = CheckoutOutcome()
      if targets.isEmpty {
        let named = loaded.pipeline.stages.flatMap(\.outputs).map(\.path)
        try checkout.removeUnnamed(&placed, named: named, &removal)
      }
      var outcome = try checkout.run(items)
      for (path, digest) in outcome.placed { placed.add(path, digest) }
      try placed.save()
      outcome.changes += removal.changes
      outcome.counts.merge(removal.counts, uniquingKeysWith: +)
      print(outcome, project)
      if !allowMissing { try Self.throwIfFailed(outcome) }
    }
  }

  /// Outputs that the store has to do with; in a native project, those that something is agreed on.
  private static func items(_ selected: [SelectedOutput], _ project: Project) -> [CheckoutItem] {
    selected.filter { project.dialect.isNative ? $0.agreed != nil : $0.output.isCached }.map(CheckoutItem.init)
  }

  private static func throwIfFailed(_ outcome: CheckoutOutcome) throws {
    var mistakes = DiagnosticList()
    for (_, why) in outcome.failed { mistakes.add(why) }
    try mistakes.throwIfErrors()
  }

  private func print(_ outcome: CheckoutOutcome, _ project: Project) {
    let terminal = Terminal.standard
    if json { return terminal.out(CheckoutText.json(outcome, project)) }
    if volume.quiet { return }
    if summary {
      terminal.out(CheckoutText.summary(outcome))
    } else {
      let lines = CheckoutText.lines(outcome, project)
      if !lines.isEmpty { terminal.out(lines) }
    }
    if relink, outcome.failed.isEmpty { terminal.out("Relinked successfully") }
    let count = outcome.changes.count { $0.kind != .deleted }
    if count == 0, !outcome.failed.isEmpty { return }
    terminal.note(count == 0 ? "nothing to bring back" : "brought back \(count) \(count == 1 ? "output" : "outputs")")
  }
}

enum CheckoutText {
  /// `2 files modified and 1 file added`.
  static func summary(_ outcome: CheckoutOutcome) -> String {
    let parts = CheckoutOutcome.Kind.allCases.compactMap { kind -> String? in
      guard let count = outcome.counts[kind], count > 0 else { return nil }
      return "\(count) file\(count > 1 ? "s" : "") \(kind.rawValue)"
    }
    guard let last = parts.last else { return "No changes." }
    return parts.count == 1 ? last : parts.dropLast().joined(separator: ", ") + " and " + last
  }

  /// `M`, `A` or `D` and the path from the ninth column, folders first.
  static func lines(_ outcome: CheckoutOutcome, _ project: Project) -> String {
    CheckoutOutcome.Kind.allCases.flatMap { kind in
      paths(kind, outcome, project).map { "\(kind.rawValue.prefix(1).uppercased())       \($0)\n" }
    }.joined()
  }

  static func json(_ outcome: CheckoutOutcome, _ project: Project) -> String {
    var pairs: [(String, ParameterValue)] = CheckoutOutcome.Kind.allCases.map { kind in
      (kind.rawValue, .list(paths(kind, outcome, project).map { .text($0) }))
    }
    pairs.append(("failed", .list(outcome.failed.map { .text(project.display($0.path)) })))
    let counts = CheckoutOutcome.Kind.allCases.map { ($0.rawValue, ParameterValue.integer(Int64(outcome.counts[$0] ?? 0))) }
    pairs.append(("stats", .mapping(counts)))
    return ParameterValue.mapping(pairs).json
  }

  private static func paths(_ kind: CheckoutOutcome.Kind, _ outcome: CheckoutOutcome, _ project: Project) -> [String] {
    let changes = outcome.changes.filter { $0.kind == kind }
    func shown(_ folders: Bool) -> [String] {
      changes.filter { $0.isFolder == folders }.map { project.display($0.path) + (folders ? "/" : "") }.sorted()
    }
    return shown(true) + shown(false)
  }
}
