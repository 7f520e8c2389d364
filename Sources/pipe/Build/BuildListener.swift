// A build as it shows on the terminal: one line when a stage starts, its output, one line when it ends.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import Diagnostics
import Glibc
import PipelineModel
import Synchronization

final class BuildListener: Sendable {
  private struct State {
    /// Stage → the beginning of a line whose end has not come yet.
    var partial: [String: [UInt8]] = [:]
    var running: Set<String> = []
  }

  private let isQuiet: Bool
  private let state = Mutex(State())
  private var terminal: Terminal { .standard }

  init(isQuiet: Bool) { self.isQuiet = isQuiet || Terminal.standard.isSilenced }

  var handle: @Sendable (BuildEvent) -> Void { { [self] in receive($0) } }

  private func receive(_ event: BuildEvent) {
    switch event {
    case .started(let stage, let reasons, let position, let total):
      state.withLock { _ = $0.running.insert(stage) }
      guard !isQuiet else { return }
      let why = reasons.map(\.description).joined(separator: "; ")
      terminal.note("\(terminal.bold("[\(position)/\(total)] \(stage)")) runs: \(why)")
    case .output(let stage, let bytes):
      if !isQuiet { output(bytes, of: stage) }
    case .finished(let outcome, let position, let total):
      flush(outcome.stage.name)
      finished(outcome, position, total)
    }
  }

  /// Whole lines, each behind its stage's name, so that two stages at once stay readable.
  private func output(_ bytes: [UInt8], of stage: String) {
    let lines = state.withLock { state -> [UInt8] in
      var pending = (state.partial[stage] ?? []) + bytes
      guard let end = pending.lastIndex(of: UInt8(ascii: "\n")) else {
        state.partial[stage] = pending.suffix(1 << 16)
        return []
      }
      state.partial[stage] = Array(pending[(end + 1)...])
      pending.removeSubrange((end + 1)...)
      return pending
    }
    write(lines, of: stage)
  }

  private func flush(_ stage: String) {
    let rest = state.withLock { state in
      state.running.remove(stage)
      return state.partial.removeValue(forKey: stage) ?? []
    }
    if !rest.isEmpty, !isQuiet { write(rest + [UInt8(ascii: "\n")], of: stage) }
  }

  private func write(_ lines: [UInt8], of stage: String) {
    guard !lines.isEmpty else { return }
    let prefix = Array(terminal.dim("\(stage) | ").utf8)
    var out: [UInt8] = []
    for line in lines.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
      out += prefix + line + [UInt8(ascii: "\n")]
    }
    terminal.write(out, to: STDERR_FILENO)
  }

  private func finished(_ outcome: StageOutcome, _ position: Int, _ total: Int) {
    let head = terminal.bold("[\(position)/\(total)] \(outcome.stage.name)")
    switch outcome.result {
    case .upToDate, .frozen, .skipped: break
    case .restored:
      if !isQuiet { terminal.note("\(head) restored: \(outcome.reasons.map(\.description).joined(separator: "; "))") }
    case .recorded:
      if !isQuiet { terminal.note("\(head) recorded: \(outcome.reasons.map(\.description).joined(separator: "; "))") }
    case .ran: if !isQuiet { terminal.note("\(head) done in \(durationText(outcome.seconds))") }
    case .failed(var diagnostic):
      // The end of the stage's output is a cause with several lines; it has just been shown.
      if !isQuiet { diagnostic.causes.removeAll { $0.contains("\n") } }
      terminal.say(diagnostic)
    case .interrupted: terminal.note("\(head) interrupted; nothing of it is recorded")
    }
  }

  func summary(_ outcome: BuildOutcome) {
    guard !isQuiet else { return }
    terminal.note(Self.summaryText(outcome))
  }

  static func summaryText(_ outcome: BuildOutcome) -> String {
    var counts: [(String, Int)] = []
    func count(_ word: String, _ matches: (StageOutcome.Result) -> Bool) {
      let number = outcome.stages.count { matches($0.result) }
      if number > 0 { counts.append((word, number)) }
    }
    count("ran") { if case .ran = $0 { true } else { false } }
    count("restored") { if case .restored = $0 { true } else { false } }
    count("recorded") { if case .recorded = $0 { true } else { false } }
    count("up to date") { if case .upToDate = $0 { true } else { false } }
    count("frozen") { if case .frozen = $0 { true } else { false } }
    count("failed") { if case .failed = $0 { true } else { false } }
    count("skipped") { if case .skipped = $0 { true } else { false } }
    count("interrupted") { if case .interrupted = $0 { true } else { false } }
    let text = counts.map { "\($0.1) \($0.0)" }.joined(separator: ", ")
    return outcome.didWork ? text : "nothing to do: \(text.isEmpty ? "no stages" : text)"
  }
}
