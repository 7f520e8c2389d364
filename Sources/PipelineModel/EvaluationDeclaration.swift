// What `evaluations:` says of one table of predictions, as plain values.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import Diagnostics

/// An entry of `evaluations:`. What is `nil` or empty was not said.
package struct EvaluationDeclaration: Sendable, Equatable {
  package struct Tolerance: Sendable, Equatable {
    package var absolute: Double?
    package var relative: Double?
    package init(absolute: Double? = nil, relative: Double? = nil) {
      self.absolute = absolute
      self.relative = relative
    }
  }

  package struct Gate: Sendable, Equatable {
    package var metric: String
    package var label: String?
    package var atLeast: Double?
    package var atMost: Double?
    package init(metric: String, label: String? = nil, atLeast: Double? = nil, atMost: Double? = nil) {
      self.metric = metric
      self.label = label
      self.atLeast = atLeast
      self.atMost = atMost
    }
  }

  package static let tasks = ["regression", "binary", "multiclass", "ranking", "backtest"]
  /// Parts of a table that `columns:` may name.
  package static let columnRoles = [
    "id", "y_true", "y_pred", "y_score", "y_low", "y_high", "weight", "group", "time", "window", "slices",
  ]

  package var name: String
  package var predictions: WorkspacePath
  /// One of `tasks`.
  package var task: String
  package var model: String?
  package var unit: String?
  /// Role → column; `slices` is how the names of slice columns begin.
  package var columns: [String: String] = [:]
  /// Class → column, where `y_score` is a mapping.
  package var scoreColumns: [String: String] = [:]
  package var positive: String?
  /// In 0...1.
  package var threshold: Double?
  package var metrics: [String]?
  package var primary: String?
  package var slices: [String]?
  package var sliceMetrics: [String]?
  /// Above 0.
  package var within: Double?
  /// Above 0 and below 1.
  package var interval: Double?
  /// Each at least 1.
  package var cutoffs: [Int] = []
  package var relevantFrom: Double?
  /// A revision, an alias or a run; above `report.baseline`.
  package var baseline: String?
  /// By metric.
  package var tolerance: [String: Tolerance] = [:]
  package var gates: [Gate] = []
  package var resamples: Int?
  package var seed: Int?
  package var level: Double?
  package var seasonality: Int?
  package var horizon: Int?
  package var blockLength: Int?
  package var location: SourceLocation

  package init(name: String, predictions: WorkspacePath, task: String, location: SourceLocation) {
    self.name = name
    self.predictions = predictions
    self.task = task
    self.location = location
  }
}
