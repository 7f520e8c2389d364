// A comparison for programs: what its page says, as values.
// SPDX-License-Identifier: Apache-2.0
package import Evaluation
import Tracking

extension ComparisonReport {
  /// What the page says, as values that can be encoded.
  package struct Facts: Codable, Sendable {
    package struct Value: Codable, Sendable {
      package var key: String
      /// JSON text; absent where a side has none.
      package var current: String?
      package var other: String?
    }
    package struct Evaluation: Codable, Sendable {
      package var name: String
      package var rows: Int
      package var metrics: [MetricEstimate]
      package var reference: [MetricEstimate]
      /// Corrected for all tests of the comparison.
      package var paired: [PairedDifference]
      package var pairing: Pairing?
      package var slices: [Slice]
    }
    package struct Slice: Codable, Sendable {
      package var column: String
      package var value: String
      package var metric: String
      package var current: Double
      package var reference: Double
      package var low: Double?
      package var high: Double?
      package var reading: ChangeReading?
    }
    package struct Other: Codable, Sendable {
      package var name: String
      package var run: String
      package var parameters: [Value]
      /// Digests.
      package var inputs: [Value]
      package var outputs: [String]
      package var commands: [String]
      package var added: [String]
      package var removed: [String]
      package var evaluations: [Evaluation]
    }
    package var schema = "pipe.comparison/1"
    package var run: String
    package var others: [Other]
    package var omissions: [String]
  }

  package static func facts(_ input: Input) -> Facts {
    let corrected = EvaluationResult.correctedTogether(input.evaluations.map(\.model.result))
    let others = input.others.enumerated().map { place, side -> Facts.Other in
      let changes = RunChanges(now: input.current.run, then: side.run)
      return Facts.Other(
        name: side.name, run: side.run.id,
        parameters: changes.parameters.map { .init(key: $0.key, current: $0.now, other: $0.then) },
        inputs: changes.inputs.map { .init(key: $0.path, current: $0.now?.digest, other: $0.then?.digest) },
        outputs: changes.outputs, commands: changes.commands, added: changes.added, removed: changes.removed,
        evaluations: zip(input.evaluations, corrected).filter { $0.0.side == place }.map { evaluation($0.0, $0.1) })
    }
    return Facts(run: input.current.run.id, others: others, omissions: input.omissions)
  }

  private static func evaluation(_ evaluated: Evaluated, _ result: EvaluationResult) -> Facts.Evaluation {
    let slices = sliceChanges(evaluated).map {
      Facts.Slice(
        column: $0.slice.column, value: $0.slice.value, metric: $0.slice.metric.name, current: $0.slice.metric.value,
        reference: $0.reference.metric.value, low: $0.change.low, high: $0.change.high, reading: $0.change.reading)
    }
    return Facts.Evaluation(
      name: evaluated.model.name, rows: result.document.rows, metrics: result.document.metrics,
      reference: result.document.baseline?.metrics ?? [], paired: result.paired, pairing: result.pairing, slices: slices)
  }
}
