// What happens during a build, for whoever listens: the terminal, a log.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import Diagnostics
package import PipelineModel

package enum BuildEvent: Sendable {
  case started(stage: String, reasons: [Reason], position: Int, total: Int)
  /// What the stage wrote to standard output or error, as it came.
  case output(stage: String, bytes: [UInt8])
  case finished(StageOutcome, position: Int, total: Int)
}

/// How a stage ended.
package struct StageOutcome: Sendable {
  package enum Result: Sendable {
    case upToDate
    case frozen
    case restored
    /// What the workspace had became the agreed result; nothing ran.
    case recorded
    case ran
    case failed(Diagnostic)
    case skipped(after: String)
    case interrupted
  }

  package var stage: Stage
  package var result: Result
  package var reasons: [Reason]
  /// `nil` when the inputs could not be looked at.
  package var recipe: Recipe?
  /// The agreed result; `nil` after a failure.
  package var known: Trace.Known?
  package var seconds: Double
  package var peakMemoryBytes: Int
  package var log: Digest?
  package var woven: Digest?

  package init(
    stage: Stage, result: Result, reasons: [Reason] = [], recipe: Recipe? = nil, known: Trace.Known? = nil,
    seconds: Double = 0, peakMemoryBytes: Int = 0, log: Digest? = nil, woven: Digest? = nil
  ) {
    self.stage = stage
    self.result = result
    self.reasons = reasons
    self.recipe = recipe
    self.known = known
    self.seconds = seconds
    self.peakMemoryBytes = peakMemoryBytes
    self.log = log
    self.woven = woven
  }

  /// Whether the stage has a result that the lock file or the workspace did not have before.
  package var madeResult: Bool {
    switch result {
    case .ran, .restored, .recorded: true
    default: false
    }
  }

  /// Whether stages after it can go on.
  package var isGood: Bool {
    switch result {
    case .upToDate, .frozen, .restored, .recorded, .ran: true
    case .failed, .skipped, .interrupted: false
    }
  }
}
