// Intervals from calibration rows, and bundles that do not fit together.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Testing

@testable import Scoring

@Suite struct IntervalCalibrationTests {
  @Test func `the ranks of the bounds follow from the number of rows`() throws {
    let truths = (0..<19).map { Double($0) - 9 }
    let fitted = try IntervalCalibration.fit(
      predictions: [Double](repeating: 0, count: 20), truths: truths + [100], level: 0.9, tolerance: 5, binCount: 1)
    // With 20 rows: ranks ⌊1.05⌋ = 1 and ⌈19.95⌉ = 20.
    #expect(fitted.bins == [.init(from: nil, rows: 20, low: -9, high: 100, confidence: 12.0 / 22)])
    let exact = try IntervalCalibration.fit(
      predictions: [Double](repeating: 0, count: 39), truths: (0..<39).map { Double($0) }, level: 0.9, tolerance: 5,
      binCount: 1)
    // (39 + 1) · 0.05 = 2 and 38: the second and the second to last.
    #expect(exact.bins[0].low == 1)
    #expect(exact.bins[0].high == 37)
  }

  @Test func `bins part the rows by prediction and keep equal predictions together`() throws {
    let predictions = (0..<400).map { Double($0 / 100) }
    let fitted = try IntervalCalibration.fit(
      predictions: predictions, truths: predictions.map { $0 * 2 }, level: 0.8, tolerance: 1, binCount: 4, minimumRows: 50)
    #expect(fitted.bins.map(\.from) == [nil, 1, 2, 3])
    #expect(fitted.bins.map(\.rows) == [100, 100, 100, 100])
    #expect(fitted.bins.map(\.high) == [0, 1, 2, 3])
    #expect(fitted.bin(of: -7).from == nil)
    #expect(fitted.bin(of: 0.999).from == nil)
    #expect(fitted.bin(of: 1).from == 1)
    #expect(fitted.bin(of: 1e9).from == 3)
  }

  @Test func `a short rest joins the last bin`() throws {
    // 30 rows of one prediction, then 5 of another; a bin of level 0.9 needs 20.
    let predictions = [Double](repeating: 1, count: 30) + [Double](repeating: 2, count: 5)
    let fitted = try IntervalCalibration.fit(
      predictions: predictions, truths: predictions, level: 0.9, tolerance: 1, binCount: 5, minimumRows: 1)
    #expect(fitted.bins.map(\.rows).reduce(0, +) == 35)
    #expect(fitted.bins.allSatisfy { $0.rows >= 20 })
  }

  @Test func `too few rows for the level are refused`() {
    let error = #expect(throws: Diagnostic.self) {
      try IntervalCalibration.fit(
        predictions: [1, 2, 3], truths: [1, 2, 3], level: 0.9, tolerance: 1, binCount: 1)
    }
    #expect(error?.message == "the calibrate split has 3 rows, an interval of level 0.9 needs at least 20")
  }
}

private func bundle(
  features: [BundleManifest.Feature] = [.init(name: "distance", low: 1, high: 9), .init(name: "rain", low: nil, high: nil)],
  trees: Int = 1, bins: [IntervalCalibration.Bin] = [.init(from: nil, rows: 20, low: -2, high: 3, confidence: 0.75)],
  file: String = "model.json"
) throws -> ModelBundle {
  let ensemble = TreeEnsemble(
    featureCount: 2, baseScore: 10, trees: [.init(root: 0, depth: 1)],
    nodes: [
      .init(threshold: 5, leftChild: 1, feature: 0, flags: TreeEnsemble.Node.inner),
      .init(threshold: 0, leftChild: 1, feature: 0, flags: 0), .init(threshold: 0, leftChild: 2, feature: 0, flags: 0),
    ], leafValues: [0, 1, 2], expectations: [1.5, 1, 2])
  let manifest = BundleManifest(
    name: "eta", model: .init(kind: "xgboost", file: file, sha256: String(repeating: "a", count: 64), trees: trees),
    target: .init(name: "minutes", unit: "min"), features: features, hyperparameters: ["seed": .number(42)],
    training: TrainingFacts(
      trainRows: 1, validRows: 1, calibrateRows: 20, from: nil, to: nil, bestIteration: 0, rounds: 1, trainMAE: 1,
      validMAE: 1), interval: IntervalCalibration(level: 0.9, tolerance: 5, bins: bins))
  return try ModelBundle(manifest: manifest, ensemble: ensemble)
}

@Suite struct ModelBundleTests {
  @Test func `a prediction carries its interval, its confidence and its strongest features`() throws {
    let prediction = try bundle().predict([6, .nan])
    #expect(
      prediction
        == Prediction(
          value: 12, low: 10, high: 15, confidence: 0.75, isOutOfDistribution: false,
          contributions: [.init(feature: "distance", value: 0.5)]))
  }

  @Test(
    arguments: [([0.5, 0], true), ([9.5, 0], true), ([1, 0], false), ([9, 99], false), ([.nan, .nan], false)] as [([Float], Bool)]
  )
  func `outside of the range seen in training is out of distribution, missing is not`(row: [Float], expected: Bool) throws {
    #expect(try bundle().predictWithoutContributions(row).isOutOfDistribution == expected)
    #expect(try bundle().predict(rows: [1, 0] + row).map(\.isOutOfDistribution) == [false, expected])
  }

  @Test func `a manifest that does not fit its model is refused`() {
    func message(_ body: () throws -> ModelBundle) -> String? { #expect(throws: Diagnostic.self) { _ = try body() }?.message }
    let one = BundleManifest.Feature(name: "distance", low: 1, high: 9)
    #expect(message { try bundle(features: [one]) } == "the bundle names 1 features, its model has 2")
    #expect(message { try bundle(features: [one, one]) } == "the bundle names a feature twice")
    #expect(message { try bundle(trees: 2) } == "the bundle says 2 trees, its model has 1")
    #expect(
      message { try bundle(features: [one, .init(name: "rain", low: 2, high: 1)]) }
        == "the bundle's bounds of feature `rain` are not a range")
    #expect(message { try bundle(bins: []) } == "the bundle's interval calibration has no bins")
    #expect(message { try bundle(file: "../model.json") } == "the bundle's model file `../model.json` is not a plain file name")
  }
}
