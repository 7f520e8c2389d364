// Training through XGBoost: the same bytes each time, and our scorer equal to XGBoost's own.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Scoring
import TestSupport
import Testing

@testable import Learning

/// Rows of four features with a known law, a tenth of the values missing.
private func sample(rows: Int, seed: UInt64) -> SampleMatrix {
  var random = SeededGenerator(seed: seed)
  var features: [Float] = []
  var labels: [Float] = []
  for _ in 0..<rows {
    let x = (0..<4).map { _ in Float.random(in: -2...2, using: &random) }
    labels.append(10 + 3 * x[0] + (x[1] > 0.5 ? 4 : 0) + x[2] * x[2] + Float.random(in: -0.5...0.5, using: &random))
    features += x.map { Int.random(in: 0..<10, using: &random) == 0 ? Float.nan : $0 }
  }
  return SampleMatrix(width: 4, features: features, labels: labels)
}

private let names = ["distance", "rain", "hour", "noise"]

private func parameters(_ objective: BoostingParameters.Objective = .absoluteError) -> BoostingParameters {
  var parameters = BoostingParameters()
  parameters.objective = objective
  parameters.rounds = 60
  parameters.earlyStoppingRounds = 10
  parameters.learningRate = 0.2
  parameters.maxDepth = 5
  parameters.subsample = 0.8
  parameters.columnSample = 0.75
  return parameters
}

@Suite struct BoostingLearnerTests {
  @Test(arguments: BoostingParameters.Objective.allCases)
  func `the scorer equals XGBoost to the last bit, one row or many`(objective: BoostingParameters.Objective) throws {
    let (train, valid, fresh) = (sample(rows: 3000, seed: 1), sample(rows: 500, seed: 2), sample(rows: 1000, seed: 3))
    let trainMatrix = try BoosterMatrix(train)
    let booster = try Booster(parameters: parameters(objective).boosterParameters, matrices: [trainMatrix])
    for round in 0..<40 { try booster.update(round: round, with: trainMatrix) }
    let expected = try booster.predict(BoosterMatrix(fresh))

    let ensemble = try XGBoostModelText.read(booster.json(), file: "model.json")
    #expect(ensemble.treeCount == 40)
    #expect(ensemble.predict(rows: fresh.features).map(\.bitPattern) == expected.map(\.bitPattern))
    for row in 0..<fresh.rowCount {
      let one = Array(fresh.features[row * 4..<row * 4 + 4])
      #expect(ensemble.predict(one).bitPattern == expected[row].bitPattern)
    }
    _ = valid
  }

  @Test func `contributions equal those of XGBoost's approximate method and add up to the prediction`() throws {
    let (train, fresh) = (sample(rows: 2000, seed: 4), sample(rows: 300, seed: 5))
    let matrix = try BoosterMatrix(train)
    let booster = try Booster(parameters: parameters(.squaredError).boosterParameters, matrices: [matrix])
    for round in 0..<30 { try booster.update(round: round, with: matrix) }
    let expected = try booster.approximateContributions(BoosterMatrix(fresh))
    let ensemble = try XGBoostModelText.read(booster.json(), file: "model.json")
    for row in 0..<fresh.rowCount {
      let features = Array(fresh.features[row * 4..<row * 4 + 4])
      let found = ensemble.attribution(of: features)
      for index in 0..<4 { #expect(abs(found.contributions[index] - Double(expected[row * 5 + index])) < 1e-4) }
      #expect(abs(found.bias - Double(expected[row * 5 + 4])) < 1e-4)
      let sum = found.bias + found.contributions.reduce(0, +)
      #expect(abs(sum - Double(ensemble.predict(features))) < 1e-4)
    }
  }

  @Test func `training twice gives the same bytes, and another thread count too`() throws {
    let (train, valid) = (sample(rows: 3000, seed: 6), sample(rows: 600, seed: 7))
    var two = parameters()
    two.threads = 2
    let first = try BoostingLearner(parameters()).fit(train: train, valid: valid, featureNames: names)
    let again = try BoostingLearner(parameters()).fit(train: train, valid: valid, featureNames: names)
    let threaded = try BoostingLearner(two).fit(train: train, valid: valid, featureNames: names)
    #expect(first == again)
    #expect(first.json == threaded.json)
  }

  @Test func `the model keeps the best round and nothing after it`() throws {
    // Labels without any law: more rounds can only fit noise, so the best round comes early.
    var random = SeededGenerator(seed: 8)
    func noise(_ rows: Int) -> SampleMatrix {
      SampleMatrix(
        width: 4, features: (0..<rows * 4).map { _ in Float.random(in: 0...1, using: &random) },
        labels: (0..<rows).map { _ in Float.random(in: 0...1, using: &random) })
    }
    let (train, valid) = (noise(300), noise(300))
    let model = try BoostingLearner(parameters()).fit(train: train, valid: valid, featureNames: names)
    #expect(model.rounds == model.bestIteration + 1 + 10)
    #expect(model.validMAE == model.history.min())
    let ensemble = try XGBoostModelText.read(model.json, file: "model.json")
    #expect(ensemble.treeCount == model.bestIteration + 1)
    #expect(meanAbsoluteError(ensemble.predict(rows: valid.features), valid.labels) == model.validMAE)
  }

  @Test func `gain goes to the features of the law`() throws {
    let model = try BoostingLearner(parameters(.squaredError)).fit(
      train: sample(rows: 3000, seed: 9), valid: sample(rows: 500, seed: 10), featureNames: names)
    let order = model.totalGain.indices.sorted { model.totalGain[$0] > model.totalGain[$1] }
    #expect(order.first == 0)
    #expect(order.last == 3)
  }

  @Test func `a parameter that XGBoost refuses is a diagnostic with its reason`() throws {
    var wrong = parameters()
    wrong.maxBins = 1
    let error = #expect(throws: Diagnostic.self) {
      try BoostingLearner(wrong).fit(train: sample(rows: 50, seed: 11), valid: nil, featureNames: names)
    }
    #expect(error?.category == .work)
    #expect(error?.causes.first?.contains("max_bin") == true)
  }

  @Test func `early stopping counts rounds since the best one`() {
    var stop = EarlyStop(patience: 2)
    for error in [3.0, 2, 2, 1.5, 1.6] { stop.note(error) }
    #expect(!stop.isReached)
    #expect(stop.bestRound == 3)
    stop.note(1.5)
    #expect(stop.isReached)
  }
}
