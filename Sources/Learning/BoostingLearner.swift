// Gradient boosting with early stopping: rounds of trees for as long as unseen rows get better predictions.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// A trained model, as bytes and facts.
package struct BoostedModel: Sendable, Equatable {
  /// XGBoost's JSON with only the kept rounds; the same bytes for the same data and parameters.
  package var json: [UInt8]
  /// Index of the last round that was kept, from 0.
  package var bestIteration: Int
  /// Rounds that were tried.
  package var rounds: Int
  /// Mean absolute error with the kept rounds; the valid one is `nil` without a valid split.
  package var trainMAE: Double
  package var validMAE: Double?
  /// The valid split's error after every round tried.
  package var history: [Double]
  /// The loss that splits on each feature took away.
  package var totalGain: [Double]
}

/// Trains on one split and watches another.
package struct BoostingLearner: Sendable {
  package let parameters: BoostingParameters

  package init(_ parameters: BoostingParameters) { self.parameters = parameters }

  /// Trains a model.
  ///
  /// - Parameters:
  ///   - train: at least one row, labels finite.
  ///   - valid: rows that decide when to stop; without them all rounds are kept.
  ///   - featureNames: written into the model.
  /// - Throws: an `input` diagnostic for empty splits, a `work` diagnostic for what XGBoost refuses.
  package func fit(
    train: SampleMatrix, valid: SampleMatrix?, featureNames: [String]
  ) throws(Diagnostic) -> BoostedModel {
    guard train.rowCount > 0 else { throw Diagnostic(.input, "the train split has no rows") }
    if let valid, valid.rowCount == 0 { throw Diagnostic(.input, "the valid split has no rows") }
    let trainMatrix = try BoosterMatrix(train)
    var validMatrix: BoosterMatrix?
    if let valid { validMatrix = try BoosterMatrix(valid) }
    let booster = try Booster(
      parameters: parameters.boosterParameters + [("base_score", "\(startingPoint(train.labels))")],
      matrices: [trainMatrix] + (validMatrix.map { [$0] } ?? []))

    var stop = EarlyStop(patience: parameters.earlyStoppingRounds)
    var tried = 0
    while tried < parameters.rounds {
      try booster.update(round: tried, with: trainMatrix)
      tried += 1
      guard let valid, let validMatrix else { continue }
      stop.note(meanAbsoluteError(try booster.predict(validMatrix), valid.labels))
      if stop.isReached { break }
    }
    let kept = validMatrix == nil ? tried : stop.bestRound + 1
    let best = try booster.prefix(rounds: kept)
    let gains = try best.totalGain(featureCount: train.width)
    let trainMAE = meanAbsoluteError(try best.predict(trainMatrix), train.labels)
    try best.name(features: featureNames)
    return BoostedModel(
      json: try best.json(), bestIteration: kept - 1, rounds: tried, trainMAE: trainMAE,
      validMAE: validMatrix == nil ? nil : stop.bestError, history: stop.history, totalGain: gains)
  }
}

extension BoostingLearner {
  /// What the sum begins with: the best constant, from where the first trees need not walk far.
  ///
  /// It matters most for pseudo-Huber, whose second derivative all but vanishes far from the truth.
  private func startingPoint(_ labels: [Float]) -> Float {
    switch parameters.objective {
    case .squaredError: Float(labels.reduce(0.0) { $0 + Double($1) } / Double(labels.count))
    case .absoluteError, .pseudoHuber: labels.sorted()[labels.count / 2]
    }
  }
}

/// Remembers the best round and how long ago it was.
struct EarlyStop {
  /// Rounds without an improvement that are still accepted; 0 is any number.
  let patience: Int
  private(set) var history: [Double] = []
  private(set) var bestRound = 0
  private(set) var bestError = Double.infinity

  init(patience: Int) { self.patience = patience }

  mutating func note(_ error: Double) {
    if error < bestError { (bestRound, bestError) = (history.count, error) }
    history.append(error)
  }

  var isReached: Bool { patience > 0 && history.count - 1 - bestRound >= patience }
}

/// In double precision, in row order.
func meanAbsoluteError(_ predictions: [Float], _ labels: [Float]) -> Double {
  precondition(predictions.count == labels.count, "each prediction has its label")
  var sum = 0.0
  for index in predictions.indices { sum += abs(Double(predictions[index]) - Double(labels[index])) }
  return sum / Double(predictions.count)
}
