// The JSON of a prediction: the fields that the seed's clients read, in their order.
// SPDX-License-Identifier: Apache-2.0
import Scoring

extension ServedModel {
  /// `{order_id, predicted_eta_minutes, confidence_score, explanation, model_version, processing_time_ms, is_ood}`, with
  /// the bundle's names for the first two.
  ///
  /// - Parameter elapsedMilliseconds: written to a thousandth.
  func body(of answer: Answer, id: String, elapsedMilliseconds: Double) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.text(facts.idField, id)
    json.integer(predictionField, Self.wholeNumber(answer.prediction.value))
    json.number("confidence_score", answer.prediction.confidence)
    explain(answer, in: &json)
    json.text("model_version", facts.version)
    json.number("processing_time_ms", (elapsedMilliseconds * 1000).rounded() / 1000)
    json.boolean("is_ood", answer.prediction.isOutOfDistribution)
    json.endObject()
    return json.bytes
  }

  private func explain(_ answer: Answer, in json: inout JSONWriter) {
    json.beginObject("explanation")
    json.beginObject("contributions")
    for contribution in answer.prediction.contributions { json.number(contribution.feature, contribution.value) }
    json.endObject()
    json.number("prediction", answer.prediction.value)
    json.beginObject("interval")
    json.number("level", facts.intervalLevel)
    json.number("low", answer.prediction.low)
    json.number("high", answer.prediction.high)
    json.endObject()
    json.number("feature_age_hours", answer.featureAgeHours)
    json.beginList("missing_lookups")
    for lookup in answer.missingLookups { json.text(nil, lookup) }
    json.endList()
    json.endObject()
  }

  /// The nearest integer, halves away from zero; values beyond `Int` stay at its ends.
  static func wholeNumber(_ value: Double) -> Int {
    let rounded = value.rounded(.toNearestOrAwayFromZero)
    return Int(exactly: rounded) ?? (rounded < 0 ? .min : .max)
  }
}
