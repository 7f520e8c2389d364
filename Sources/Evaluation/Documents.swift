// The JSON documents that the learning stages write and the report reads.
// SPDX-License-Identifier: Apache-2.0

/// How good a model is on a held-out table: `evaluation.json`.
package struct EvaluationDocument: Codable, Sendable, Equatable {
  package static let schema = "pipe.evaluation/1"

  package var schema: String = Self.schema
  /// `regression`, `binary`, `multiclass`, `ranking` or `backtest`.
  package var task: String
  /// Name of the model, as the registry knows it.
  package var model: String
  /// Unit of the target, e.g. `min`.
  package var unit: String
  /// Rows of the evaluated table.
  package var rows: Int
  /// In the order in which a reader should see them.
  package var metrics: [MetricEstimate]
  /// The reference that the model has to beat, on the same rows.
  package var baseline: Baseline?
  /// The smallest error anyone could reach, where the data's law is known.
  package var irreducible: MetricEstimate?
  /// Metric per value of a slice column.
  package var slices: [SliceEstimate]
  /// The verdict on each gate; `nil` where `gates.json` has it.
  package var gates: GatesDocument?
  /// Queries of a ranking; `nil` elsewhere.
  package var groups: Int?

  package struct Baseline: Codable, Sendable, Equatable {
    package var name: String
    package var metrics: [MetricEstimate]
    package init(name: String, metrics: [MetricEstimate]) {
      self.name = name
      self.metrics = metrics
    }
  }

  package init(
    task: String, model: String, unit: String, rows: Int, metrics: [MetricEstimate], baseline: Baseline? = nil,
    irreducible: MetricEstimate? = nil, slices: [SliceEstimate] = [], gates: GatesDocument? = nil, groups: Int? = nil
  ) {
    self.task = task
    self.model = model
    self.unit = unit
    self.rows = rows
    self.metrics = metrics
    self.baseline = baseline
    self.irreducible = irreducible
    self.slices = slices
    self.gates = gates
    self.groups = groups
  }
}

/// One metric with its confidence interval.
package struct MetricEstimate: Codable, Sendable, Equatable {
  /// Key in metrics files: `mae`, `rmse`, `r2`, `mape`, `within_5`, `coverage_90`, …
  package var name: String
  /// What a reader sees: `MAE`, `within 5 min`.
  package var label: String
  package var value: Double
  /// Bounds of the confidence interval; `nil` where none was computed.
  package var low: Double?
  package var high: Double?
  /// Confidence level of the interval, in 0...1.
  package var level: Double?
  /// How the interval was made, in words.
  package var method: String?
  /// `lower`, `higher`, or `target` for a metric that should hit a value (coverage).
  package var better: String
  /// `min`, `%`, or empty. Shares are kept in 0...1 and have the unit `share`.
  package var unit: String
  /// Rows behind the value, or groups for a ranking; `nil` when the document's rows are.
  package var rows: Int?

  package init(
    name: String, label: String, value: Double, low: Double? = nil, high: Double? = nil, level: Double? = nil,
    method: String? = nil, better: String, unit: String, rows: Int? = nil
  ) {
    self.name = name
    self.label = label
    self.value = value
    self.low = low
    self.high = high
    self.level = level
    self.method = method
    self.better = better
    self.unit = unit
    self.rows = rows
  }
}

/// One metric on the rows that have one value of a slice column.
package struct SliceEstimate: Codable, Sendable, Equatable {
  package var column: String
  package var value: String
  package var rows: Int
  package var metric: MetricEstimate
  package init(column: String, value: String, rows: Int, metric: MetricEstimate) {
    self.column = column
    self.value = value
    self.rows = rows
    self.metric = metric
  }
}

/// The conditions a model has to meet before it is registered: `gates.json`.
package struct GatesDocument: Codable, Sendable, Equatable {
  package static let schema = "pipe.gates/1"

  package struct Gate: Codable, Sendable, Equatable {
    package var name: String
    /// A sentence: `MAE is under 3 min`.
    package var label: String
    package var value: Double
    /// Bounds that the value must keep; `nil` is unbounded.
    package var atLeast: Double?
    package var atMost: Double?
    package var unit: String
    package var passed: Bool
    package init(
      name: String, label: String, value: Double, atLeast: Double?, atMost: Double?, unit: String, passed: Bool
    ) {
      self.name = name
      self.label = label
      self.value = value
      self.atLeast = atLeast
      self.atMost = atMost
      self.unit = unit
      self.passed = passed
    }
  }

  package var schema: String = Self.schema
  package var passed: Bool
  package var gates: [Gate]
  package init(gates: [Gate]) {
    self.gates = gates
    self.passed = gates.allSatisfy(\.passed)
  }
}

/// What was wrong with the raw data and what was done about it: `data_quality.json`.
package struct QualityDocument: Codable, Sendable, Equatable {
  package static let schema = "pipe.quality/1"

  package struct Check: Codable, Sendable, Equatable {
    package var name: String
    /// A sentence: `rows with the same order_id`.
    package var label: String
    /// Rows that the check found.
    package var count: Int
    /// `count` over the rows looked at, in 0...1.
    package var share: Double
    /// The share that is still acceptable, in 0...1.
    package var limit: Double?
    package var passed: Bool
    /// `dropped`, `imputed`, `quarantined`, `kept`.
    package var action: String
    package init(
      name: String, label: String, count: Int, share: Double, limit: Double?, passed: Bool, action: String
    ) {
      self.name = name
      self.label = label
      self.count = count
      self.share = share
      self.limit = limit
      self.passed = passed
      self.action = action
    }
  }

  package struct ColumnSummary: Codable, Sendable, Equatable {
    package var name: String
    /// `number`, `text`, `time`.
    package var kind: String
    package var missing: Int
    package var distinct: Int
    package var min: String?
    package var max: String?
    package var mean: Double?
    package var standardDeviation: Double?
    package init(
      name: String, kind: String, missing: Int, distinct: Int, min: String?, max: String?, mean: Double?,
      standardDeviation: Double?
    ) {
      self.name = name
      self.kind = kind
      self.missing = missing
      self.distinct = distinct
      self.min = min
      self.max = max
      self.mean = mean
      self.standardDeviation = standardDeviation
    }
  }

  package struct Split: Codable, Sendable, Equatable {
    package var name: String
    package var rows: Int
    package var from: String?
    package var to: String?
    package init(name: String, rows: Int, from: String?, to: String?) {
      self.name = name
      self.rows = rows
      self.from = from
      self.to = to
    }
  }

  package var schema: String = Self.schema
  package var rowsIn: Int
  package var rowsOut: Int
  /// 0...100; the formula stands in docs/kit.md.
  package var score: Double
  package var checks: [Check]
  package var columns: [ColumnSummary]
  package var splits: [Split]
  package init(
    rowsIn: Int, rowsOut: Int, score: Double, checks: [Check], columns: [ColumnSummary], splits: [Split]
  ) {
    self.rowsIn = rowsIn
    self.rowsOut = rowsOut
    self.score = score
    self.checks = checks
    self.columns = columns
    self.splits = splits
  }
}

/// Walk-forward windows: `backtest.json`.
package struct BacktestDocument: Codable, Sendable, Equatable {
  package static let schema = "pipe.backtest/1"

  package struct Window: Codable, Sendable, Equatable {
    /// `2026-03`.
    package var label: String
    package var trainRows: Int
    package var testRows: Int
    package var trainFrom: String
    package var trainTo: String
    package var testFrom: String
    package var testTo: String
    package var metrics: [MetricEstimate]
    package init(
      label: String, trainRows: Int, testRows: Int, trainFrom: String, trainTo: String, testFrom: String,
      testTo: String, metrics: [MetricEstimate]
    ) {
      self.label = label
      self.trainRows = trainRows
      self.testRows = testRows
      self.trainFrom = trainFrom
      self.trainTo = trainTo
      self.testFrom = testFrom
      self.testTo = testTo
      self.metrics = metrics
    }
  }

  package var schema: String = Self.schema
  package var unit: String
  package var windows: [Window]
  package init(unit: String, windows: [Window]) {
    self.unit = unit
    self.windows = windows
  }
}
