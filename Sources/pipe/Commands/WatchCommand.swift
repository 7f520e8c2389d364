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
    if selection.singleItem, selection.targets.isEmpty { throw ValidationError("--single-item needs the name of a stage") }
  }

  func run() async throws {
    Interruption.shared.rest { Glibc.exit(0) }
    let project = try Project.find()
    // A name that is none of a stage's is a mistake in the arguments, not in a file that is about to be edited.
    if let loaded = try? project.load(), let graph = try? loaded.graph() { _ = try selection.order(project, graph) }
    var watch = FolderWatch(root: project.root)
    var known = sight(nil, &watch)
    tellOfLimits(watch)
    while true {
      try await build()
      known = try await followUp(known, &watch)
      tell("watching for changes; Ctrl-C ends", WatchEvent.watching(folders: known.look.folders.count))
      known = wait(known, &watch)
    }
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

  // MARK: Looking

  private struct Known {
    var files: WatchedFiles
    var look: WatchedFiles.Look
  }

  /// What is to be watched, by the manifests as they read now, and how it looks.
  private func sight(_ before: Known?, _ watch: inout FolderWatch) -> Known {
    let files = watchedFiles(before)
    var look = files.look()
    // What came to be before its folder was watched is found by looking again.
    for _ in 0..<10 {
      let watched = look.folders
      watch.watch(watched)
      look = files.look()
      if look.folders == watched { break }
    }
    return Known(files: files, look: look)
  }

  private func watchedFiles(_ before: Known?) -> WatchedFiles {
    if let project = try? Project.find(), let loaded = try? project.load(), let graph = try? loaded.graph(),
      let order = try? selection.order(project, graph)
    {
      return WatchedFiles(loaded, graph, order)
    }
    if let project = try? Project.find() { return WatchedFiles(unread: project, made: before?.files.made ?? []) }
    guard let before else { preconditionFailure("the project was found at the start") }
    return before.files
  }

  // MARK: Waiting

  /// As long as a save may take in several steps.
  private static let debounceMilliseconds: Int32 = 150
  /// A writer that never pauses does not put a build off for longer.
  private static let longestDebounce = Duration.seconds(3)
  /// Without the kernel's help.
  private static let lookEveryMilliseconds: Int32 = 2_000
  /// A stage that changes its own inputs would go round for ever.
  private static let mostFollowUps = 5

  /// Waits until something differs from what the last build found.
  private func wait(_ built: Known, _ watch: inout FolderWatch) -> Known {
    var known = built
    while true {
      _ = watch.wait(milliseconds: watch.isComplete ? nil : Self.lookEveryMilliseconds)
      guard isHint(watch.read(), known) || !watch.isComplete else { continue }
      debounce(&watch)
      let now = sight(known, &watch)
      let changes = now.look.changes(since: known.look)
      if !changes.isEmpty {
        tell(changes, known, now)
        return now
      }
      // A new folder may be watched now; what was built is still what is there.
      known = now
    }
  }

  private func isHint(_ hints: FolderWatch.Hints, _ known: Known) -> Bool {
    hints.isAnything || hints.paths.contains { known.files.concerns($0) }
  }

  private func debounce(_ watch: inout FolderWatch) {
    let end = ContinuousClock.now + Self.longestDebounce
    while ContinuousClock.now < end {
      guard watch.wait(milliseconds: Self.debounceMilliseconds) else { return }
      _ = watch.read()
    }
  }

  /// Builds again for what was edited while a build went on.
  ///
  /// - Parameter before: how things looked when the build began.
  private func followUp(_ before: Known, _ watch: inout FolderWatch) async throws -> Known {
    var before = before
    for _ in 0..<Self.mostFollowUps {
      if isHint(watch.read(), before) { debounce(&watch) }
      let now = sight(before, &watch)
      before.look.accept(before.files.written.union(now.files.written), from: now.look)
      let changes = now.look.changes(since: before.look)
      guard !changes.isEmpty else { return now }
      tell(changes, before, now)
      before = now
      try await build()
    }
    let now = sight(before, &watch)
    let changes = now.look.changes(since: before.look)
    if let first = changes.first {
      Terminal.standard.say(
        Diagnostic(
          .warning, "`\(first)` changes with every build, so it starts no more of them",
          hints: ["a file that a stage writes belongs to its `outs`"]))
    }
    return now
  }

  // MARK: Telling

  private func tellOfLimits(_ watch: borrowing FolderWatch) {
    guard !watch.isComplete else { return }
    Terminal.standard.say(
      Diagnostic(
        .warning, "the kernel watches no more folders, so all files are looked at every two seconds",
        hints: ["`sysctl fs.inotify.max_user_watches` and `max_user_instances` say how many there may be"]))
  }

  private func tell(_ all: [String], _ before: Known, _ now: Known) {
    var changes = all
    if before.files.isUnread != now.files.isUnread {
      // Other files count now: what is new to the look need not be new.
      let edited = all.filter { before.look.files[$0] != nil && now.look.files[$0] != nil }
      if !edited.isEmpty { changes = edited }
    }
    let names = changes.prefix(3).map(\.shownName).joined(separator: ", ")
    tell("changed: \(names)\(changes.count > 3 ? " and \(changes.count - 3) more" : "")", WatchEvent.changed(changes))
  }

  private func tell(_ note: String?, _ event: WatchEvent) {
    if let note, !quiet { Terminal.standard.note(note) }
    if json { Terminal.standard.out(event.json) }
  }
}

/// What a program that started `pipe watch --json` is told.
enum WatchEvent {
  case watching(folders: Int)
  case changed([String])
  /// With the code that `repro` would have ended with.
  case built(exit: Int32, [StageOutcome])

  /// One line.
  var json: String {
    switch self {
    case .watching(let folders): return #"{"event": "watching", "folders": \#(folders)}"#
    case .changed(let paths): return #"{"event": "changed", "paths": \#(Self.list(paths))}"#
    case .built(let exit, let stages):
      var line = #"{"event": "built", "exit": \#(exit)"#
      for word in ["ran", "restored", "failed", "skipped"] {
        line += #", "\#(word)": \#(Self.list(stages.filter { Self.word($0.result) == word }.map(\.stage.name)))"#
      }
      return line + "}"
    }
  }

  private static func word(_ result: StageOutcome.Result) -> String? {
    switch result {
    case .ran: "ran"
    case .restored, .recorded: "restored"
    case .failed: "failed"
    case .skipped: "skipped"
    case .upToDate, .frozen, .interrupted: nil
    }
  }

  private static func list(_ texts: [String]) -> String { "[\(texts.map(jsonQuoted).joined(separator: ", "))]" }
}
