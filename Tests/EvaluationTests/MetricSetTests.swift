// Metrics of every task against scikit-learn 1.9, with and without weights.
// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Evaluation

private func close(_ a: Double?, _ b: Double) -> Bool { abs((a ?? .nan) - b) <= 1e-12 }

private func metrics(_ csv: String, _ task: EvaluationTask, _ change: (inout EvaluationRequest) -> Void = { _ in }) throws
  -> [String: Double]
{
  var request = EvaluationRequest(name: "e", task: task)
  change(&request)
  let table = try PredictionReader.table(bytes: Array(csv.utf8), named: "p.csv", for: request)
  let set = request.metricSet(table, wanted: Set(request.knownMetrics(table)), isResampled: false)
  return Dictionary(uniqueKeysWithValues: zip(set.words.map(\.name), set.values(nil)))
}

private func csv(_ columns: [(String, [String])], weights: [Double]?) -> String {
  let all = columns + (weights.map { [("weight", $0.map { "\($0)" })] } ?? [])
  var text = all.map(\.0).joined(separator: ",") + "\n"
  for row in all[0].1.indices { text += all.map { $0.1[row] }.joined(separator: ",") + "\n" }
  return text
}

private func texts(_ values: [Double]) -> [String] { values.map { "\($0)" } }

private let truths: [Double] = [12.5, 30, 0, 18.25, 44, 25.5, 9, 61.75]
private let predictions: [Double] = [14, 27.5, 1.5, 18, 51, 25.25, 7.75, 55]
private let regression: [(String, [String])] = [
  ("y_true", texts(truths)), ("y_pred", texts(predictions)), ("y_low", texts(predictions.map { $0 - 4 })),
  ("y_high", texts(predictions.map { $0 + 3.5 })),
]

private let labels = ["0", "1", "0", "1", "1", "0", "0", "1", "0", "0", "1", "0"]
private let scores = [0.1, 0.9, 0.4, 0.4, 0.75, 0.3, 0.4, 0.35, 0.05, 0.6, 0.8, 0.2]
private let binaryWeights = [1, 2, 1, 0.5, 1, 3, 1, 1, 2, 1, 1.5, 1]
private let binary: [(String, [String])] = [("y_true", labels), ("y_score", texts(scores))]

private let classes = "aabbbccaabc".map(String.init)
private let guesses = "abbbccaaabc".map(String.init)
private let classScores: [[Double]] = [
  [0.6, 0.2, 0.1, 0.3, 0.2, 0.1, 0.5, 0.7, 0.4, 0.25, 0.3], [0.3, 0.5, 0.8, 0.4, 0.3, 0.1, 0.2, 0.2, 0.3, 0.5, 0.1],
  [0.1, 0.3, 0.1, 0.3, 0.5, 0.8, 0.3, 0.1, 0.3, 0.25, 0.6],
]
private let classWeights = [1, 2, 0.5, 1, 1, 3, 1, 1, 2, 1, 1]
private let multiclass: [(String, [String])] = [
  ("y_true", classes), ("y_pred", guesses), ("y_score_a", texts(classScores[0])), ("y_score_b", texts(classScores[1])),
  ("y_score_c", texts(classScores[2])),
]

@Suite struct MetricSetTests {
  @Test(
    arguments: [
      (
        nil,
        [
          "mae": 2.625, "rmse": 3.6571847095819483, "r2": 0.9620500088668203, "explained_variance": 0.9620943429686114,
          "median_ae": 1.5, "rmsle": 0.3372140663239478, "pinball_5": 0.58125, "pinball_95": 0.575, "coverage_90": 0.75,
          "interval_width": 7.5, "within_5": 0.75, "bias": -0.125,
        ]
      ),
      (
        [1, 2, 0, 1, 0.5, 1, 3, 1],
        [
          "mae": 2.210526315789474, "rmse": 3.0715159980563, "r2": 0.9647078938982971, "explained_variance": 0.9697233469859355,
          "median_ae": 1.25, "rmsle": 0.10382032924617286, "pinball_5": 0.41578947368421054, "pinball_95": 0.45921052631578957,
        ]
      ),
    ] as [([Double]?, [String: Double])])
  func `regression metrics are scikit-learn's`(weights: [Double]?, expected: [String: Double]) throws {
    let found = try metrics(csv(regression, weights: weights), .regression) { $0.within = 5 }
    for (name, value) in expected { #expect(close(found[name], value), "\(name): \(found[name] ?? .nan)") }
  }

  @Test(
    arguments: [
      (
        nil,
        [
          "auc": 0.8571428571428571, "average_precision": 0.8392857142857142, "log_loss": 0.4380594400417588,
          "brier": 0.14312500000000003, "accuracy": 0.75, "balanced_accuracy": 0.7285714285714285, "precision": 0.75,
          "recall": 0.6,
          "specificity": 0.8571428571428571, "f1": 0.6666666666666666, "mcc": 0.47809144373375745,
        ]
      ),
      (
        binaryWeights,
        [
          "auc": 0.9333333333333333, "average_precision": 0.9131944444444444, "log_loss": 0.36125896175899835, "brier": 0.109375,
          "accuracy": 0.84375, "balanced_accuracy": 0.825, "precision": 0.8181818181818182, "recall": 0.75, "specificity": 0.9,
          "f1": 0.782608695652174, "mcc": 0.6625413488689132,
        ]
      ),
    ] as [([Double]?, [String: Double])])
  func `binary metrics are scikit-learn's`(weights: [Double]?, expected: [String: Double]) throws {
    let found = try metrics(csv(binary, weights: weights), .binary)
    for (name, value) in expected { #expect(close(found[name], value), "\(name): \(found[name] ?? .nan)") }
  }

  /// Three rows of five lie in the last of ten bins and two of them came true; two rows lie in the second, and one came true.
  @Test func `the calibration error is the mean gap of its bins`() throws {
    let found = try metrics("y_true,y_score\n1,0.95\n1,0.95\n0,0.95\n0,0.12\n1,0.18\n", .binary)
    #expect(close(found["ece"], 0.6 * (0.95 - 2.0 / 3) + 0.4 * (0.5 - 0.15)))
  }

  @Test(
    arguments: [
      (
        nil,
        [
          "accuracy": 0.7272727272727273, "balanced_accuracy": 0.7222222222222222, "kappa": 0.5875, "mcc": 0.5875,
          "log_loss": 0.7607023144993966, "auc_ovr": 0.8581349206349206, "top_2": 0.9090909090909091,
          "precision_macro": 0.7222222222222222, "f1_micro": 0.7272727272727273, "recall_weighted": 0.7272727272727273,
        ]
      ),
      (
        classWeights,
        [
          "accuracy": 0.7241379310344828, "balanced_accuracy": 0.7269841269841271, "kappa": 0.5842293906810035,
          "mcc": 0.5884821677255563, "log_loss": 0.7743565124670987, "auc_ovr": 0.8472661153775705, "top_2": 0.8620689655172413,
          "precision_macro": 0.7185185185185187, "recall_macro": 0.7269841269841271, "f1_macro": 0.7174242424242424,
          "precision_micro": 0.7241379310344828, "precision_weighted": 0.7409961685823755, "recall_weighted": 0.7241379310344828,
          "f1_weighted": 0.7276645768025078,
        ]
      ),
    ] as [([Double]?, [String: Double])])
  func `metrics of several classes are scikit-learn's`(weights: [Double]?, expected: [String: Double]) throws {
    let found = try metrics(csv(multiclass, weights: weights), .multiclass)
    for (name, value) in expected { #expect(close(found[name], value), "\(name): \(found[name] ?? .nan)") }
  }

  /// NDCG is scikit-learn's ndcg_score of each query, then the mean; the others are counted by hand.
  /// Orders: q1 3 2 0 0 1 (two scores tie), q2 0 0 1, q3 nothing relevant.
  @Test func `ranking metrics are means over queries`() throws {
    let found = try metrics(
      """
      group,y_true,y_pred
      q1,3,0.9
      q1,2,0.8
      q2,0,3
      q1,0,0.8
      q1,1,0.1
      q2,0,2
      q1,0,0.5
      q2,1,2
      q3,0,1
      q3,0,2

      """, .ranking
    ) { $0.cutoffs = [2, 3] }
    #expect(close(found["ndcg_2"], (0.8519590445170674 + 0.31546487678572865) / 3))
    #expect(close(found["ndcg_3"], (0.8675034925694373 + 0.5654648767857287) / 3))
    #expect(close(found["mrr"], (1 + 1.0 / 3 + 0) / 3))
    #expect(close(found["map_2"], (1 + 0 + 0) / 3.0))
    #expect(close(found["map_3"], (2.0 / 3 + 1.0 / 3) / 3))
    #expect(close(found["precision_3"], (2.0 / 3 + 1.0 / 3) / 3))
    #expect(close(found["recall_3"], (2.0 / 3 + 1) / 3))
    #expect(close(found["hit_2"], 1.0 / 3))
  }

  /// Steps of one season are 2, 2, 5 of series a and 1 of b: their mean is 2.5.
  @Test func `MASE measures errors in steps of the season, series by series`() throws {
    let found = try metrics(
      "time,group,y_true,y_pred\n1,a,1,2\n1,b,7,7\n2,a,4,4\n3,a,3,5\n4,a,6,6\n4,b,8,9\n5,b,8,8\n6,a,8,8\n", .backtest
    ) { $0.seasonality = 2 }
    #expect(close(found["mase"], (4.0 / 8) / 2.5))
  }

  // MARK: Laws that hold for any rows

  private static let tasks: [(EvaluationTask, [(String, [String])])] = [
    (.regression, regression), (.binary, binary), (.multiclass, multiclass),
  ]

  @Test(arguments: [0, 1, 2])
  func `a weight is a number of repetitions`(place: Int) throws {
    let (task, columns) = Self.tasks[place]
    let weights = columns[0].1.indices.map { [1.0, 3, 0, 2][$0 % 4] }
    let repeated = columns.map { name, values in
      (name, values.indices.flatMap { Array(repeating: values[$0], count: Int(weights[$0])) })
    }
    let (a, b) = (try metrics(csv(columns, weights: weights), task), try metrics(csv(repeated, weights: nil), task))
    for (name, value) in a { #expect(close(b[name], value) || (value.isNaN && b[name]?.isNaN == true), "\(name)") }
  }

  @Test(arguments: [0, 1, 2])
  func `the order of rows is no matter`(place: Int) throws {
    let seed = UInt64.random(in: 0...99_999)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    let (task, columns) = Self.tasks[place]
    let order = columns[0].1.indices.shuffled(using: &random)
    let shuffled = columns.map { name, values in (name, order.map { values[$0] }) }
    let (a, b) = (try metrics(csv(columns, weights: nil), task), try metrics(csv(shuffled, weights: nil), task))
    for (name, value) in a { #expect(close(b[name], value) || (value.isNaN && b[name]?.isNaN == true), "\(name)") }
  }

  @Test(arguments: [0, 1, 2])
  func `a resample's values are those of the table with each row as often as it was drawn`(place: Int) throws {
    let (task, columns) = Self.tasks[place]
    let drawn = columns[0].1.indices.map { UInt32([1, 0, 2, 1, 3][$0 % 5]) }
    let request = EvaluationRequest(name: "e", task: task)
    let table = try PredictionReader.table(bytes: Array(csv(columns, weights: nil).utf8), named: "p.csv", for: request)
    let rows = drawn.indices.flatMap { [UInt32](repeating: UInt32($0), count: Int(drawn[$0])) }
    let wanted = Set(request.knownMetrics(table))
    let set = request.metricSet(table, wanted: wanted, isResampled: true)
    let values = drawn.withUnsafeBufferPointer { set.values($0) }
    let expected = request.metricSet(table.selecting(RowValues(rows)), wanted: wanted, isResampled: false).values(nil)
    for (place, word) in set.words.enumerated() where !["auc", "auc_ovr"].contains(word.name) {
      #expect(close(values[place], expected[place]) || (values[place].isNaN && expected[place].isNaN), "\(word.name)")
    }
  }
}
