// A bundle written by training is the one that scoring reads.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import Scoring
import TestSupport
import Testing

@testable import Learning

private func line(rows: Int, seed: UInt64) -> SampleMatrix {
  var random = SeededGenerator(seed: seed)
  let x = (0..<rows).map { _ in Float.random(in: 0...10, using: &random) }
  return SampleMatrix(width: 1, features: x, labels: x.map { 2 * $0 + Float.random(in: -1...1, using: &random) })
}

private func makeBundle() throws -> (ModelBundle, BoostedModel) {
  var parameters = BoostingParameters()
  parameters.rounds = 50
  let (train, valid) = (line(rows: 2000, seed: 1), line(rows: 300, seed: 2))
  let model = try BoostingLearner(parameters).fit(train: train, valid: valid, featureNames: ["distance_km"])
  let writer = BundleWriter(name: "eta", target: .init(name: "minutes", unit: "min"), featureNames: ["distance_km"])
  let bundle = try writer.bundle(
    model: model, parameters: parameters, train: train, validRows: 300, calibrate: line(rows: 1000, seed: 3),
    times: ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"), interval: .init(level: 0.9, tolerance: 0.5, bins: 4))
  return (bundle, model)
}

@Suite struct BundleWriterTests {
  @Test func `a written bundle loads as the same bundle`() throws {
    try withTemporaryDirectory { folder in
      let (bundle, model) = try makeBundle()
      try folder.write("{}", to: "features.json")
      let place = folder.appendingPathComponent("models/eta")
      try BundleWriter.write(
        bundle, model: model.json, copying: [folder.appendingPathComponent("features.json")], to: place)
      let loaded = try ModelBundle.load(directory: place)
      #expect(loaded.manifest == bundle.manifest)
      #expect(loaded.ensemble == bundle.ensemble)
      #expect(loaded.lastTrainingDate == "2026-02-01T00:00:00Z")
      #expect(try place.text(of: "features.json") == "{}")
    }
  }

  @Test func `a flipped byte in the model is refused`() throws {
    try withTemporaryDirectory { folder in
      let (bundle, model) = try makeBundle()
      let place = folder.appendingPathComponent("eta")
      var damaged = model.json
      damaged[damaged.count / 2] ^= 1
      try BundleWriter.write(bundle, model: damaged, copying: [], to: place)
      let error = #expect(throws: Diagnostic.self) { try ModelBundle.load(directory: place) }
      #expect(error?.category == .storage)
      #expect(error?.message.hasSuffix("is not the model that the bundle was made with") == true)
    }
  }

  @Test func `intervals of fresh rows cover about what they promise`() throws {
    let (bundle, _) = try makeBundle()
    let fresh = line(rows: 4000, seed: 4)
    let hits = bundle.predict(rows: fresh.features).enumerated().count { index, prediction in
      (prediction.low...prediction.high).contains(Double(fresh.labels[index]))
    }
    // Binomial with n = 4000 and 1,000 calibration rows: 0.90 ± 0.03 is over three standard deviations.
    #expect(abs(Double(hits) / 4000 - 0.9) < 0.03)
  }
}
