// What is wanted of a table of predictions: the task, where its columns are, and what counts as good.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// The kind of question that the predictions answer.
package enum EvaluationTask: String, Sendable, Codable, CaseIterable {
  /// A number per row.
  case regression
  /// One of two classes per row, with the score of the positive one.
  case binary
  /// One of several classes per row, with a score per class.
  case multiclass
  /// Rows of a query, to be put in order; `y_true` is the relevance, `y_pred` the score that sorts.
  case ranking
  /// A number per row and a time: rows are in order, and neighbours are alike.
  case backtest
}

/// The names that a table of predictions gives its columns.
package struct PredictionColumnNames: Sendable, Equatable {
  package var id = "id"
  package var truth = "y_true"
  package var prediction = "y_pred"
  /// The positive class's score, and the beginning of the names of one score per class (`y_score_cash`).
  package var score = "y_score"
  /// Class → column, where the names do not begin with `score` and `_`; empty otherwise.
  package var scores: [String: String] = [:]
  package var low = "y_low"
  package var high = "y_high"
  package var weight = "weight"
  /// The query of a ranking, or the series of a backtest.
  package var group = "group"
  package var time = "time"
  /// The window of a backtest; by calendar without one.
  package var window = "window"
  /// How the names of slice columns begin.
  package var slicePrefix = "slice_"
  /// Roles that were mapped by name: a column that is not there is a mistake even where its role is optional.
  package var named: Set<String> = []

  package init() {}
}

/// A difference that nobody cares about: the larger of the two bounds holds.
package struct MetricTolerance: Sendable, Equatable {
  /// In the metric's unit, at least 0.
  package var absolute: Double
  /// Share of the reference's value, at least 0.
  package var relative: Double

  package init(absolute: Double = 0, relative: Double = 0) {
    self.absolute = absolute
    self.relative = relative
  }

  package func holds(_ difference: Double, reference: Double) -> Bool {
    let bound = max(absolute, relative * abs(reference))
    return bound > 0 && abs(difference) < bound
  }
}

/// What to compute of a table of predictions.
package struct EvaluationRequest: Sendable, Equatable {
  /// The key below `evaluations:`.
  package var name: String
  package var task: EvaluationTask
  /// What a reader calls the model; `name` unless it is said.
  package var model: String
  /// Of the target, e.g. `min`; empty for none.
  package var unit = ""
  package var columns = PredictionColumnNames()
  /// The positive class of a binary task; `nil` takes `1`, `true` or `yes` of a pair that says so.
  package var positive: String?
  /// The score from which on a row is called positive. `nil` takes `y_pred`, or 0.5 where there is none.
  package var threshold: Double?
  /// Names of metrics, in the order to show; `nil` is the task's own list.
  package var metrics: [String]?
  /// The metric that slices are told by and a verdict names; shown first. `nil` is the first of the list.
  package var primary: String?
  /// Slice columns, without their prefix; `nil` is all that the table has.
  package var slices: [String]?
  /// Metrics per slice; `nil` is the primary one alone.
  package var sliceMetrics: [String]?
  /// An error that still counts as good, in the target's unit; adds `within_…`.
  package var within: Double?
  /// Nominal coverage of `y_low`…`y_high`, in 0..<1; names `coverage_90` and the quantiles of the pinball losses.
  package var intervalLevel = 0.9
  /// Cut-offs k of ranking metrics and of top-k accuracy, each at least 1; empty is the task's own.
  package var cutoffs: [Int] = []
  /// A relevance from which on a row of a ranking is relevant, for the metrics that know only yes and no.
  package var relevantFrom = 1.0
  /// By metric: smaller differences are no evidence of change.
  package var tolerance: [String: MetricTolerance] = [:]
  package var gates: [GateRule] = []
  package var bootstrap = Bootstrap()
  /// Rows after which a series repeats itself (7 for days of the week); adds `mase`.
  package var seasonality: Int?
  /// Steps ahead that a backtest's predictions look: errors that far apart may be correlated.
  package var horizon = 1
  /// Rows of a block of the moving block bootstrap; `nil` is the cube root of the number of rows, at least the horizon.
  package var blockLength: Int?
  /// Where the request stands, for messages.
  package var location: SourceLocation?

  package init(name: String, task: EvaluationTask, model: String? = nil) {
    self.name = name
    self.task = task
    self.model = model ?? name
  }
}
