// `pipe watch`: whenever a file is saved, do what `repro` does.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import Diagnostics
import Glibc
import PipelineModel

struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Bring stages up to date now, and again whenever a file that they follow from is saved.",
    discussion: """
      Dependencies, parameters, notebooks, manifests and pointer files are watched; what stages make and what \
      .pipeignore names is not. A build that goes on is left to end, and edits made meanwhile start one more. A \
      stage that fails ends nothing. Ctrl-C does.

      Examples:
        pipe watch                 the stages of the nearest manifest and all they need
        pipe watch train -j 2      train and all it needs, two stages at a time
        pipe watch --json          one line of JSON an event, for editors
      """)

  @OptionGroup var selection: ReproSelection
  @Option(name: [.customShort("j", allowingJoined: true), .long], help: "Stages that may run at once.")
  var jobs = 1
  @Flag(name: .shortAndLong, help: "After a failure, go on with what does not need the failed stage.")
  var keepGoing = false
  @Flag(name: .shortAndLong, help: "Print only problems.")
  var quiet = false
  @Flag(help: "Print one line of JSON an event: watching, changed, built.")
  var json = false
  @Flag(name: .long, inversion: .prefixedNo, help: "Write reports/index.html and reports/index.md after a run.")
  var report = true

  func validate() throws {
    if jobs < 1 { throw ValidationError("--jobs has to be 1 or more") }
  }

  func run() async throws {
    Interruption.shared.rest { Glibc.exit(0) }
    let project = try Project.find()
    // A name that is none of a stage's is a mistake in the arguments, not in a file that is about to be edited.
    if let loaded = try? project.load(), let graph = try? loaded.graph() { _ = try selection.order(project, graph) }
    var sights = ProjectSights(of: project, selection)
    tellOfLimits(sights)
    while true {
      try await build()
      try await followUp(&sights)
      tell("watching for changes; Ctrl-C ends", WatchEvent.watching(folders: sights.folderCount))
      tell(sights.wait())
    }
  }

  /// A stage that changes its own inputs would go round for ever.
  private static let mostFollowUps = 5

  /// Builds again for what was edited while a build went on.
  private func followUp(_ sights: inout ProjectSights) async throws {
    var changes = sights.changesAfterBuild()
    for _ in 0..<Self.mostFollowUps where !changes.isEmpty {
      tell(changes)
      try await build()
      changes = sights.changesAfterBuild()
    }
    guard let first = changes.first else { return }
    Terminal.standard.say(
      Diagnostic(
        .warning, "`\(first)` changes with every build, so it starts no more of them",
        hints: ["a file that a stage writes belongs to its `outs`"]))
  }

  // MARK: Building

  /// Never throws but for an interruption: what fails is told, and the next edit may mend it.
  private func build() async throws {
    let end: WatchEvent
    do {
      var repro = try ReproCommand.parse([])
      repro.selection = selection
      repro.jobs = jobs
      repro.keepGoing = keepGoing
      repro.quiet = quiet
      repro.report = report
      repro.wait = true
      let (outcome, missed) = try await repro.build(try Project.find(), seals: false)
      if outcome.isInterrupted { throw ExitCode(Interruption.shared.exitCode) }
      if let failure = outcome.storageFailure { Terminal.standard.say(failure) }
      if let missed { Terminal.standard.say(missed) }
      let code = ReproCommand.code(of: outcome)
      end = .built(exit: code == 0 && missed != nil ? 1 : code, outcome.stages)
    } catch let code as ExitCode {
      throw code
    } catch {
      guard let code = Exit.code(saying: error) else { throw error }
      end = .built(exit: code, [])
    }
    Interruption.shared.rest { Glibc.exit(0) }
    if Interruption.shared.isRaised { throw ExitCode(Interruption.shared.exitCode) }
    tell(nil, end)
  }

  // MARK: Telling

  private func tellOfLimits(_ sights: borrowing ProjectSights) {
    guard !sights.isComplete else { return }
    Terminal.standard.say(
      Diagnostic(
        .warning, "the kernel watches no more folders, so all files are looked at every two seconds",
        hints: ["`sysctl fs.inotify.max_user_watches` and `max_user_instances` say how many there may be"]))
  }

  private func tell(_ changes: [String]) {
    let names = changes.prefix(3).map(\.shownName).joined(separator: ", ")
    tell("changed: \(names)\(changes.count > 3 ? " and \(changes.count - 3) more" : "")", WatchEvent.changed(changes))
  }

  private func tell(_ note: String?, _ event: WatchEvent) {
    if let note, !quiet { Terminal.standard.note(note) }
    if json { Terminal.standard.out(event.json) }
  }
}
