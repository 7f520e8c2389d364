// A model that is ready to answer: its facts, and the function from a request's fields to a prediction.
// SPDX-License-Identifier: Apache-2.0
package import Scoring

/// A prediction with what was known of its inputs, before it becomes an HTTP response.
package struct Answer: Sendable, Equatable {
  package var prediction: Prediction
  /// Age of the looked-up features; `nil` when nothing was looked up.
  package var featureAgeHours: Double?
  /// Features that the snapshot has no value for.
  package var missingLookups: [String]

  package init(_ prediction: Prediction, featureAgeHours: Double?, missingLookups: [String]) {
    self.prediction = prediction
    self.featureAgeHours = featureAgeHours
    self.missingLookups = missingLookups
  }
}

/// A loaded bundle as the HTTP side sees it. It never changes; a new bundle is a new value.
package final class ServedModel: Sendable {
  /// A request's fields and the moment that it is for, in seconds since 1970, to a prediction.
  package typealias Predict = @Sendable (_ fields: [String: JSONScalar], _ epochSeconds: Int64) throws(Refusal) -> Answer

  /// Facts about the bundle that responses repeat.
  package struct Facts: Sendable {
    /// Name of the model; a path component of its endpoint.
    package var name: String
    package var version: String
    /// Name of the request's field that names the thing predicted for, e.g. `order_id`.
    package var idField: String
    /// Unit of the target as features.json has it, e.g. `min`.
    package var unit: String
    /// In the order of the model's input vector.
    package var features: [String]
    /// Nominal coverage of the interval, in 0...1.
    package var intervalLevel: Double
    /// JSON text.
    package var trainingMetadata: [UInt8]
    /// End of the data that the model was trained on, RFC 3339.
    package var lastTrainingDate: String?
    /// SHA-256 of the model's file, in hexadecimal digits.
    package var checksum: String

    package init(
      name: String, version: String, idField: String, unit: String, features: [String], intervalLevel: Double,
      trainingMetadata: [UInt8], lastTrainingDate: String?, checksum: String
    ) {
      self.name = name
      self.version = version
      self.idField = idField
      self.unit = unit
      self.features = features
      self.intervalLevel = intervalLevel
      self.trainingMetadata = trainingMetadata
      self.lastTrainingDate = lastTrainingDate
      self.checksum = checksum
    }
  }

  package let facts: Facts
  package let predict: Predict
  /// `/predictions/` and the model's name.
  let path: String
  /// `predicted_`, the model's name, and its unit as a word: `predicted_eta_minutes`.
  let predictionField: String
  /// Body of `GET /predictions/models/info`.
  let infoBody: [UInt8]

  package init(_ facts: Facts, predict: @escaping Predict) {
    self.facts = facts
    self.predict = predict
    path = "/predictions/\(facts.name)"
    predictionField = "predicted_\(facts.name)" + (facts.unit.isEmpty ? "" : "_\(Self.word(forUnit: facts.unit))")
    infoBody = Self.infoBody(facts)
  }

  /// A unit's symbol as the plural word that names of JSON fields use; the symbol itself where no word is known.
  static func word(forUnit unit: String) -> String {
    switch unit {
    case "s": "seconds"
    case "min": "minutes"
    case "h": "hours"
    case "d": "days"
    case "m": "metres"
    case "km": "kilometres"
    default: unit
    }
  }

  private static func infoBody(_ facts: Facts) -> [UInt8] {
    var json = JSONWriter(reserving: 2048)
    json.beginObject()
    json.text("model_name", facts.name)
    json.text("version", facts.version)
    json.raw("training_metadata", facts.trainingMetadata)
    json.beginList("feature_list")
    for feature in facts.features { json.text(nil, feature) }
    json.endList()
    if let date = facts.lastTrainingDate { json.text("last_training_date", date) } else { json.null("last_training_date") }
    json.text("artifact_checksum", facts.checksum)
    json.endObject()
    return json.bytes
  }
}
