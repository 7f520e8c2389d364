// All that is said of a table of predictions, alone and beside another: of bounded size, whatever the table's.
// SPDX-License-Identifier: Apache-2.0

/// A part of a backtest with its own metrics.
package struct EvaluationWindow: Codable, Sendable, Equatable {
  /// `2026-03`, or what the table's `window` column says.
  package var label: String
  package var rows: Int
  /// First and last time, RFC 3339 or a number as the table has it.
  package var from: String
  package var to: String
  package var metrics: [MetricEstimate]
  package init(label: String, rows: Int, from: String, to: String, metrics: [MetricEstimate]) {
    self.label = label
    self.rows = rows
    self.from = from
    self.to = to
    self.metrics = metrics
  }
}

/// How the rows of two tables found one another.
package struct Pairing: Codable, Sendable, Equatable {
  /// Rows with an id that both tables have.
  package var shared: Int
  package var onlyCurrent: Int
  package var onlyReference: Int
  /// Why nothing was compared row by row, e.g. `unpaired, no test: the tables share no id`.
  package var refusal: String?
  package init(shared: Int, onlyCurrent: Int, onlyReference: Int, refusal: String? = nil) {
    self.shared = shared
    self.onlyCurrent = onlyCurrent
    self.onlyReference = onlyReference
    self.refusal = refusal
  }
}

/// What `Evaluator` makes of a request and its tables.
package struct EvaluationResult: Codable, Sendable, Equatable {
  /// Metrics, slices and gates of this run's table, and the reference's metrics as `baseline`.
  package var document: EvaluationDocument
  /// In the order of the document's metrics; empty without a reference or without shared ids.
  package var paired: [PairedDifference]
  /// `nil` without a reference.
  package var pairing: Pairing?
  /// Of a backtest, in order of time.
  package var windows: [EvaluationWindow]
  package var figures: EvaluationFigures
  /// The reference's figures, of all of its rows.
  package var referenceFigures: EvaluationFigures?
  /// What a reader has to know before the numbers: rows left out, methods changed for size.
  package var notes: [String]

  package init(
    document: EvaluationDocument, paired: [PairedDifference] = [], pairing: Pairing? = nil, windows: [EvaluationWindow] = [],
    figures: EvaluationFigures = EvaluationFigures(), referenceFigures: EvaluationFigures? = nil, notes: [String] = []
  ) {
    self.document = document
    self.paired = paired
    self.pairing = pairing
    self.windows = windows
    self.figures = figures
    self.referenceFigures = referenceFigures
    self.notes = notes
  }
}

extension EvaluationResult {
  /// The results with Holm's correction over the tests of all of them: for those that are read side by side.
  ///
  /// A correction for more tests only takes evidence away.
  package static func correctedTogether(_ results: [EvaluationResult]) -> [EvaluationResult] {
    var adjusted = PairedTests.holm(results.flatMap { $0.paired.compactMap(\.p) })[...]
    return results.map { result in
      var result = result
      for place in result.paired.indices where result.paired[place].p != nil {
        result.paired[place].adjusted = adjusted.popFirst()
        guard result.paired[place].isHeldByHolm, let reading = result.paired[place].reading,
          [.better, .worse, .moved].contains(reading)
        else { continue }
        (result.paired[place].reading, result.paired[place].reason) = (.noEvidence, PairedDifference.heldByHolm)
      }
      for row in result.figures.forest.indices {
        let name = result.figures.forest[row].metric
        result.figures.forest[row].reading = result.paired.first { $0.metric == name }?.reading
      }
      return result
    }
  }
}
