// What the charts of an evaluation are drawn from: thinned curves and counts, never rows.
// SPDX-License-Identifier: Apache-2.0

/// The data of every chart that a task has; what it has not is `nil` or empty.
package struct EvaluationFigures: Codable, Sendable, Equatable {
  /// A curve has no more points than this.
  package static let curvePoints = 400
  /// Points of a plot of quantiles: they lie along a smooth line.
  package static let quantilePoints = 240
  /// Cells of a grid along either side.
  package static let gridCells = 40
  /// Classes that a confusion matrix shows before it merges the rest.
  package static let shownClasses = 20
  /// Classes that have curves of their own.
  package static let curveClasses = 10

  /// One curve; a multi-class task has one per class, one against the rest, the most frequent first.
  package struct Curve: Codable, Sendable, Equatable {
    package struct Point: Codable, Sendable, Equatable {
      package var x: Double
      package var y: Double
      /// The score from which on rows are called positive; `nil` at an end where none are.
      package var threshold: Double?
      package init(x: Double, y: Double, threshold: Double? = nil) {
        self.x = x
        self.y = y
        self.threshold = threshold
      }
    }

    /// The class; empty for the positive one of a binary task.
    package var name: String
    package var points: [Point]
    /// Points before thinning.
    package var pointsInAll: Int
    package var rows: Int
    /// Rows of the class.
    package var positives: Int
    /// Area under the curve: AUC, or average precision; `nil` above a million rows, where the curve goes through 65,536 scores and
    /// the metric says it.
    package var area: Double?
    package init(name: String, points: [Point], pointsInAll: Int, rows: Int, positives: Int, area: Double? = nil) {
      self.name = name
      self.points = points
      self.pointsInAll = pointsInAll
      self.rows = rows
      self.positives = positives
      self.area = area
    }
  }

  /// Mean score against the share that came true; bins without rows are left out.
  package struct Calibration: Codable, Sendable, Equatable {
    package struct Bin: Codable, Sendable, Equatable {
      /// Scores in `from...to`.
      package var from: Double
      package var to: Double
      package var rows: Int
      package var meanScore: Double
      /// In 0...1, with Wilson's interval.
      package var share: Double
      package var low: Double
      package var high: Double
      package init(from: Double, to: Double, rows: Int, meanScore: Double, share: Double, low: Double, high: Double) {
        self.from = from
        self.to = to
        self.rows = rows
        self.meanScore = meanScore
        self.share = share
        self.low = low
        self.high = high
      }
    }
    package var name: String
    package var bins: [Bin]
    package var rows: Int
    /// Expected calibration error over the bins.
    package var error: Double
    package init(name: String, bins: [Bin], rows: Int, error: Double) {
      self.name = name
      self.bins = bins
      self.rows = rows
      self.error = error
    }
  }

  /// Counts over bins of one axis.
  package struct Histogram: Codable, Sendable, Equatable {
    package struct Series: Codable, Sendable, Equatable {
      /// The class; empty where there is one series.
      package var name: String
      /// One fewer than there are edges.
      package var counts: [Int]
      package init(name: String, counts: [Int]) {
        self.name = name
        self.counts = counts
      }
    }
    /// Rising; a bin holds its lower edge, the last one both.
    package var edges: [Double]
    package var series: [Series]
    package var rows: Int
    /// Rows outside of the edges.
    package var below: Int
    package var above: Int
    /// Mean of all rows, also of those outside.
    package var mean: Double
    package init(edges: [Double], series: [Series], rows: Int, below: Int = 0, above: Int = 0, mean: Double) {
      self.edges = edges
      self.series = series
      self.rows = rows
      self.below = below
      self.above = above
      self.mean = mean
    }
  }

  /// What calling rows positive from a score on would mean.
  package struct ThresholdSweep: Codable, Sendable, Equatable {
    package struct Point: Codable, Sendable, Equatable {
      package var threshold: Double
      /// `nil` where no row is called positive.
      package var precision: Double?
      package var recall: Double
      package var specificity: Double
      package var f1: Double
      package var accuracy: Double
      /// Share of rows called positive.
      package var flagged: Double
      package init(
        threshold: Double, precision: Double?, recall: Double, specificity: Double, f1: Double, accuracy: Double,
        flagged: Double
      ) {
        self.threshold = threshold
        self.precision = precision
        self.recall = recall
        self.specificity = specificity
        self.f1 = f1
        self.accuracy = accuracy
        self.flagged = flagged
      }
    }
    /// By rising threshold, from 0 to 1.
    package var points: [Point]
    /// The one in use; `nil` when `y_pred` decides.
    package var chosen: Double?
    package var rows: Int
    package init(points: [Point], chosen: Double?, rows: Int) {
      self.points = points
      self.chosen = chosen
      self.rows = rows
    }
  }

  /// Counts of truth against prediction.
  package struct ConfusionMatrix: Codable, Sendable, Equatable {
    /// By name; with more than `shownClasses` the most frequent, and `(other)` last.
    package var classes: [String]
    /// `counts[truth][prediction]`.
    package var counts: [[Int]]
    /// Classes that stand together in `(other)`.
    package var merged: Int
    package var rows: Int
    package init(classes: [String], counts: [[Int]], merged: Int, rows: Int) {
      self.classes = classes
      self.counts = counts
      self.merged = merged
      self.rows = rows
    }
  }

  /// What is found by looking at the highest scores first.
  package struct Gain: Codable, Sendable, Equatable {
    package struct Point: Codable, Sendable, Equatable {
      /// Share of rows looked at.
      package var looked: Double
      /// Share of positive rows found among them.
      package var found: Double
      /// `found / looked`.
      package var lift: Double
      package init(looked: Double, found: Double, lift: Double) {
        self.looked = looked
        self.found = found
        self.lift = lift
      }
    }
    package var name: String
    /// By rising `looked`; the first is (0, 0).
    package var points: [Point]
    package var pointsInAll: Int
    package var rows: Int
    package var positives: Int
    package init(name: String, points: [Point], pointsInAll: Int, rows: Int, positives: Int) {
      self.name = name
      self.points = points
      self.pointsInAll = pointsInAll
      self.rows = rows
      self.positives = positives
    }
  }

  /// A point cloud as counts.
  package struct Grid: Codable, Sendable, Equatable {
    /// Rising, one more than there are columns and rows.
    package var xEdges: [Double]
    package var yEdges: [Double]
    /// Row by row from the lowest y.
    package var counts: [Int]
    package var rows: Int
    /// Rows outside of the edges.
    package var outside: Int
    package init(xEdges: [Double], yEdges: [Double], counts: [Int], rows: Int, outside: Int) {
      self.xEdges = xEdges
      self.yEdges = yEdges
      self.counts = counts
      self.rows = rows
      self.outside = outside
    }
  }

  /// Sorted residuals against the normal law's quantiles.
  package struct QuantilePlot: Codable, Sendable, Equatable {
    package struct Point: Codable, Sendable, Equatable {
      /// Standard normal quantile.
      package var normal: Double
      package var residual: Double
      package init(normal: Double, residual: Double) {
        self.normal = normal
        self.residual = residual
      }
    }
    package var points: [Point]
    package var pointsInAll: Int
    package var rows: Int
    /// Of the residuals: the line that normal ones would lie on.
    package var mean: Double
    package var deviation: Double
    package init(points: [Point], pointsInAll: Int, rows: Int, mean: Double, deviation: Double) {
      self.points = points
      self.pointsInAll = pointsInAll
      self.rows = rows
      self.mean = mean
      self.deviation = deviation
    }
  }

  /// How often the truth lies in its interval, in parts of the rows.
  package struct Coverage: Codable, Sendable, Equatable {
    package struct Part: Codable, Sendable, Equatable {
      /// `12.5 to 14.25`, or a day.
      package var label: String
      /// Mean prediction of the rows.
      package var prediction: Double
      package var rows: Int
      package var covered: Int
      /// Wilson's interval of the share.
      package var low: Double
      package var high: Double
      package init(label: String, prediction: Double, rows: Int, covered: Int, low: Double, high: Double) {
        self.label = label
        self.prediction = prediction
        self.rows = rows
        self.covered = covered
        self.low = low
        self.high = high
      }
    }
    /// By tenths of the predictions, rising; fewer where predictions are alike.
    package var byPrediction: [Part]
    /// By rising time; empty without times of a calendar.
    package var byTime: [Part]
    /// `day`, `week`, `month`, `year`.
    package var unit: String
    /// What the interval promises, in 0...1.
    package var nominal: Double
    /// Of the parts' intervals.
    package var level: Double
    package init(byPrediction: [Part], byTime: [Part], unit: String, nominal: Double, level: Double) {
      self.byPrediction = byPrediction
      self.byTime = byTime
      self.unit = unit
      self.nominal = nominal
      self.level = level
    }
  }

  /// Truth, prediction and band along time, in at most `curvePoints` buckets.
  package struct Timeline: Codable, Sendable, Equatable {
    package struct Bucket: Codable, Sendable, Equatable {
      /// Seconds since 1970 for a calendar, the table's own number otherwise.
      package var start: Double
      package var label: String
      package var rows: Int
      /// Means over the rows of the bucket.
      package var truth: Double
      package var prediction: Double
      package var low: Double?
      package var high: Double?
      package var absoluteError: Double
      /// Rows of the bucket whose truth lies in their interval.
      package var covered: Int?
      package init(
        start: Double, label: String, rows: Int, truth: Double, prediction: Double, low: Double?, high: Double?,
        absoluteError: Double, covered: Int?
      ) {
        self.start = start
        self.label = label
        self.rows = rows
        self.truth = truth
        self.prediction = prediction
        self.low = low
        self.high = high
        self.absoluteError = absoluteError
        self.covered = covered
      }
    }
    /// `row`, `minute`, `hour`, `day`, `week`, `month`, `year`, or `step` for times that are numbers.
    package var bucket: String
    package var buckets: [Bucket]
    package var isCalendar: Bool
    package var rows: Int
    package init(bucket: String, buckets: [Bucket], isCalendar: Bool, rows: Int) {
      self.bucket = bucket
      self.buckets = buckets
      self.isCalendar = isCalendar
      self.rows = rows
    }
  }

  /// A metric's difference to the reference, as a row of a forest plot.
  package struct ForestRow: Codable, Sendable, Equatable {
    package var metric: String
    package var label: String
    package var unit: String
    /// `lower`, `higher` or `target`.
    package var better: String
    package var difference: Double
    package var low: Double
    package var high: Double
    /// The three as a share of the reference's value, so that metrics share an axis; `nil` when that is 0.
    package var relative: Double?
    package var relativeLow: Double?
    package var relativeHigh: Double?
    package var reading: ChangeReading?
    package init(
      metric: String, label: String, unit: String, better: String, difference: Double, low: Double, high: Double,
      relative: Double? = nil, relativeLow: Double? = nil, relativeHigh: Double? = nil, reading: ChangeReading? = nil
    ) {
      self.metric = metric
      self.label = label
      self.unit = unit
      self.better = better
      self.difference = difference
      self.low = low
      self.high = high
      self.relative = relative
      self.relativeLow = relativeLow
      self.relativeHigh = relativeHigh
      self.reading = reading
    }
  }

  /// x: share of negatives called positive; y: share of positives called so.
  package var roc: [Curve] = []
  /// x: recall; y: precision.
  package var precisionRecall: [Curve] = []
  package var calibration: [Calibration] = []
  /// Scores 0...1, one series per true class.
  package var scores: Histogram?
  package var thresholds: ThresholdSweep?
  package var confusion: ConfusionMatrix?
  package var gain: [Gain] = []
  /// x: prediction; y: truth. The same edges on both axes.
  package var predictedActual: Grid?
  /// x: prediction; y: truth - prediction.
  package var residualFitted: Grid?
  /// truth - prediction.
  package var residualQuantiles: QuantilePlot?
  /// prediction - truth.
  package var errors: Histogram?
  package var timeline: Timeline?
  /// Of predictions with an interval.
  package var coverage: Coverage?
  /// NDCG of each group at the first cut-off, 0...1.
  package var groups: Histogram?
  /// Only beside a reference.
  package var forest: [ForestRow] = []

  package init() {}
}
