// A model whose answers a test can work out by hand.
// SPDX-License-Identifier: Apache-2.0
import Hummingbird
import HummingbirdTesting
import Logging
import Scoring

@testable import Serving

/// Adds two minutes a kilometre to ten, and a tenth of a minute for the letter count of `traffic`.
func standInModel(name: String = "eta", version: String = "7") -> ServedModel {
  let facts = ServedModel.Facts(
    name: name, version: version, idField: "order_id", unit: "min",
    features: ["distance_km", "traffic", "driver_speed", "zone_load"], intervalLevel: 0.9,
    trainingMetadata: Array(#"{"rows":120000,"best_iteration":310}"#.utf8), lastTrainingDate: "2026-05-31T23:59:12Z",
    checksum: "sha256:ab12")
  return ServedModel(facts) { (fields, epochSeconds) throws(Refusal) in
    guard case .number(let distance)? = fields["distance_km"] else {
      throw Refusal(422, "`distance_km` must be a number", field: "distance_km")
    }
    guard case .text(let traffic)? = fields["traffic"] else {
      throw Refusal(422, "`traffic` is missing", field: "traffic")
    }
    let value = 10 + 2 * distance + 0.1 * Double(traffic.count)
    let prediction = Prediction(
      value: value, low: value - 1.5, high: value + 2.5, confidence: 0.75, isOutOfDistribution: distance > 50,
      contributions: [
        .init(feature: "distance_km", value: 2 * distance), .init(feature: "driver_speed", value: -3),
        .init(feature: "traffic", value: 0.1 * Double(traffic.count)),
      ])
    return Answer(
      prediction, featureAgeHours: Double(epochSeconds) / 3600,
      missingLookups: fields["driver_id"] == nil ? ["driver_speed"] : [])
  }
}

/// The application around the stand-in, its clock standing at one and a half hours after 1970.
func standInApplication(
  limits: ServingLimits = ServingLimits(), onReady: @escaping @Sendable (Int) -> Void = { _ in }
) -> Application<InferenceResponder> {
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  let server = InferenceServer(host: ModelHost(standInModel()), clock: .fixed(5400), limits: limits)
  return server.application(address: .hostname("127.0.0.1", port: 0), logger: logger, onReady: onReady)
}

let jsonHeaders: HTTPFields = [.contentType: "application/json"]
let goodBody = #"{"order_id":"A-1","distance_km":12.4,"traffic":"high","driver_id":"d1"}"#
