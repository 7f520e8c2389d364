// What `pipe watch --json` prints: one line of JSON an event.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import PipelineModel

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
