// A whole bundle, small enough to work out by hand, opened and asked.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import TestSupport
import Testing

@testable import Serving

/// Half a minute, and four trees of one split each.
///
/// | split | left | right | cover | mean of the leaves |
/// |---|---|---|---|---|
/// | distance_km < 5 | 10 | 20 | 60, 40 | 14 |
/// | traffic < 0.5 (`low` is 0) | -1 | 4 | 50, 50 | 1.5 |
/// | driver_speed < 20, missing goes left | 2 | -2 | 50, 50 | 0 |
/// | hour < 12 | 0 | 0.5 | 75, 25 | 0.125 |
private enum SmallBundle {
  static let model = """
    {"learner":{"attributes":{},"gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"4"},"trees":[
    {"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_indices":[0,0,0],"split_conditions":[5,10,20],"default_left":[0,0,0],"sum_hessian":[100,60,40],"split_type":[0,0,0]},
    {"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_indices":[1,0,0],"split_conditions":[0.5,-1,4],"default_left":[0,0,0],"sum_hessian":[100,50,50],"split_type":[0,0,0]},
    {"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_indices":[3,0,0],"split_conditions":[20,2,-2],"default_left":[1,0,0],"sum_hessian":[100,50,50],"split_type":[0,0,0]},
    {"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_indices":[2,0,0],"split_conditions":[12,0,0.5],"default_left":[0,0,0],"sum_hessian":[100,75,25],"split_type":[0,0,0]}
    ]},"name":"gbtree"},"learner_model_param":{"base_score":"5E-1","num_class":"0","num_feature":"4"},"objective":{"name":"reg:squarederror"}},"version":[1,7,4]}

    """
  /// Of the text above, by `sha256sum`.
  static let modelDigest = "2819f7f2ac81d623a6ae49fef18b0221f27612a19f3c60ab9dc350e10761c2f8"

  static let bundle = """
    {"schema":"pipe.bundle/1","name":"eta","model":{"kind":"xgboost","file":"model.json","sha256":"\(modelDigest)","trees":4},
     "target":{"name":"minutes","unit":"min"},
     "features":[{"name":"distance_km","low":0.5,"high":15},{"name":"traffic","low":0,"high":1},{"name":"hour","low":0,"high":23},{"name":"driver_speed","low":5,"high":60}],
     "hyperparameters":{"eta":0.1},
     "training":{"train_samples":100,"val_samples":20,"calibrate_samples":20,"data_from":"2026-01-01T00:00:00Z","data_to":"2026-05-31T23:59:00Z","best_iteration":3,"rounds":4,"train_mae":1.5,"val_mae":1.75},
     "interval":{"level":0.9,"tolerance":5,"bins":[{"rows":20,"low":-2,"high":3,"confidence":0.8}]}}
    """

  static let features = """
    {"schema":"pipe.features/1","name":"eta","id":"order_id","time":"ordered_at","target":{"column":"minutes","unit":"min"},"slices":[],
     "request":[{"name":"distance_km","kind":"number"},{"name":"traffic_condition","kind":"text"},{"name":"time_of_day","kind":"time"},{"name":"driver_id","kind":"text"}],
     "entities":[{"name":"driver","key":"driver_id"}],"holidays":[],"asOf":"2026-06-29T00:00:00Z",
     "features":[{"name":"distance_km","kind":"number","source":"request","field":"distance_km"},
      {"name":"traffic","kind":"category","source":"request","field":"traffic_condition","categories":["low","high"]},
      {"name":"hour","kind":"number","source":"calendar","part":"hour"},
      {"name":"driver_speed","kind":"number","source":"lookup","entity":"driver","field":"speed","aggregate":"mean","days":7}]}
    """

  static let drivers = "driver_id,driver_speed,as_of\nd1,25,2026-06-29T00:00:00Z\nd2,12.5,2026-06-29T00:00:00Z\n"

  static func write(to folder: URL) throws {
    try folder.write(model, to: "bundle/model.json")
    try folder.write(bundle, to: "bundle/bundle.json")
    try folder.write(features, to: "bundle/features.json")
    try folder.write(drivers, to: "bundle/snapshot-driver.csv")
  }

  static func open(in folder: URL) throws(Diagnostic) -> ServedModel {
    try ServedModel.open(bundle: folder.appendingPathComponent("bundle"), manifest: nil)
  }
}

@Suite struct BundleOpeningTests {
  /// 2026-06-30T12:00:00Z, 36 hours after the snapshot.
  private let noon: Int64 = 1_782_820_800

  private func ask(_ body: String, depth: Depth = .responder) async throws -> (status: Int, text: String) {
    try await withTemporaryDirectory { folder in
      try SmallBundle.write(to: folder)
      var logger = Logger(label: "test")
      logger.logLevel = .critical
      let server = InferenceServer(host: ModelHost(try SmallBundle.open(in: folder)), clock: .fixed(noon))
      let application = server.application(address: .hostname("127.0.0.1", port: 0), logger: logger)
      return try await application.test(depth.setup) { client in
        let response = try await client.execute(
          uri: "/predictions/eta", method: .post, headers: jsonHeaders, body: ByteBuffer(string: body))
        let text = String(buffer: response.body).replacing(/"processing_time_ms":[0-9.e-]+,/, with: "")
        return (response.status.code, text)
      }
    }
  }

  @Test(arguments: Depth.allCases)
  func `a request is joined with the snapshot and scored`(depth: Depth) async throws {
    // 0.5 + 20 + 4 - 2 + 0.5 = 23; contributions 20 - 14, 4 - 1.5, -2 - 0, 0.5 - 0.125.
    let answer = try await ask(
      #"{"order_id":"A-1","distance_km":12.4,"traffic_condition":"high","time_of_day":"18:30","driver_id":"d1"}"#, depth: depth)
    #expect(answer.status == 200)
    #expect(
      answer.text
        == #"{"order_id":"A-1","predicted_eta_minutes":23,"confidence_score":0.8,"explanation":{"contributions":"#
        + #"{"distance_km":6.0,"traffic":2.5,"driver_speed":-2.0},"prediction":23.0,"#
        + #""interval":{"level":0.9,"low":21.0,"high":26.0},"feature_age_hours":36.0,"missing_lookups":[]},"#
        + #""model_version":"v_2819f7f2ac81","is_ood":false}"#)
  }

  @Test func `an unknown driver is missing, not an error, and a far order is out of distribution`() async throws {
    // 0.5 + 20 - 1 + 2 + 0 = 21.5; contributions 6, -2.5, 2, -0.125.
    let answer = try await ask(
      #"{"order_id":"A-2","distance_km":16,"traffic_condition":"low","time_of_day":"2026-06-30T08:15:00Z","driver_id":"d9"}"#)
    #expect(
      answer.text
        == #"{"order_id":"A-2","predicted_eta_minutes":22,"confidence_score":0.8,"explanation":{"contributions":"#
        + #"{"distance_km":6.0,"traffic":-2.5,"driver_speed":2.0},"prediction":21.5,"#
        + #""interval":{"level":0.9,"low":19.5,"high":24.5},"feature_age_hours":null,"missing_lookups":["driver_speed"]},"#
        + #""model_version":"v_2819f7f2ac81","is_ood":true}"#)
  }

  @Test(arguments: [
    (#""distance_km":12.4,"traffic_condition":"high","time_of_day":"18:30""#, "driver_id", "field `driver_id` is missing"),
    (
      #""distance_km":"12","traffic_condition":"high","time_of_day":"18:30","driver_id":"d1""#, "distance_km",
      "field `distance_km` must be a number"
    ),
    (
      #""distance_km":true,"traffic_condition":"high","time_of_day":"18:30","driver_id":"d1""#, "distance_km",
      "field `distance_km` must be a number"
    ),
    (
      #""distance_km":null,"traffic_condition":"high","time_of_day":"18:30","driver_id":"d1""#, "distance_km",
      "field `distance_km` is missing"
    ),
    (
      #""distance_km":1,"traffic_condition":"jam","time_of_day":"18:30","driver_id":"d1""#, "traffic_condition",
      "field `traffic_condition` is `jam`, known are `low`, `high`"
    ),
    (
      #""distance_km":1,"traffic_condition":5,"time_of_day":"18:30","driver_id":"d1""#, "traffic_condition",
      "field `traffic_condition` must be a text"
    ),
    (
      #""distance_km":1,"traffic_condition":"low","time_of_day":"25:00","driver_id":"d1""#, "time_of_day",
      "field `time_of_day` is `25:00`, a time as `08:15`, `08:15:00` or `2026-03-01T08:15:00Z` is wanted"
    ),
  ])
  func `what the feature set does not take is refused by field`(fields: String, field: String, detail: String) async throws {
    let answer = try await ask(#"{"order_id":"A-1","# + fields + "}")
    #expect(answer.status == 422)
    #expect(answer.text == #"{"detail":"\#(detail)","field":"\#(field)"}"#)
  }

  @Test func `facts come from the bundle`() throws {
    try withTemporaryDirectory { folder in
      try SmallBundle.write(to: folder)
      let model = try SmallBundle.open(in: folder)
      #expect(model.path == "/predictions/eta")
      #expect(
        String(decoding: model.infoBody, as: UTF8.self)
          == #"{"model_name":"eta","version":"v_2819f7f2ac81","training_metadata":{"best_iteration":3,"#
          + #""calibrate_samples":20,"data_from":"2026-01-01T00:00:00Z","data_to":"2026-05-31T23:59:00Z","rounds":4,"#
          + #""train_mae":1.5,"train_samples":100,"val_mae":1.75,"val_samples":20},"#
          + #""feature_list":["distance_km","traffic","hour","driver_speed"],"#
          + #""last_training_date":"2026-05-31T23:59:00Z","artifact_checksum":"\#(SmallBundle.modelDigest)"}"#)
    }
  }

  @Test func `the manifest's version is served, and a bundle that was changed is not`() throws {
    try withTemporaryDirectory { folder in
      try SmallBundle.write(to: folder)
      let bundle = folder.appendingPathComponent("bundle")
      let manifest = folder.appendingPathComponent("manifest.json")
      let files = try BundleFiles(in: bundle).files.map { #""bundle/\#($0.path)":{"sha256":"\#($0.sha256)"}"# }
      try folder.write(
        #"{"schema":"pipe.export/1","model":"eta","version":"12","files":{\#(files.joined(separator: ","))}}"#,
        to: "manifest.json")
      #expect(try ServedModel.open(bundle: bundle, manifest: manifest).facts.version == "12")

      try folder.write(SmallBundle.drivers.replacing("25", with: "26"), to: "bundle/snapshot-driver.csv")
      let diagnostic = try #require(throws: Diagnostic.self) { try ServedModel.open(bundle: bundle, manifest: manifest) }
      #expect(diagnostic.exitCode == 4)
      #expect(diagnostic.causes.count == 1 && diagnostic.causes[0].hasPrefix("`snapshot-driver.csv` has the digest "))
    }
  }

  @Test(arguments: [
    (
      "features.json", #""name":"hour""#, #""name":"minute""#,
      "`bundle.json` and `features.json` of model `eta` name different features"
    ),
    ("bundle.json", #""name":"eta""#, #""name":"a/b""#, "the model's name `a/b` cannot stand in a path of the server"),
  ])
  func `parts that do not fit together are refused`(file: String, part: String, instead: String, message: String) throws {
    try withTemporaryDirectory { folder in
      try SmallBundle.write(to: folder)
      try folder.write(try folder.text(of: "bundle/\(file)").replacing(part, with: instead), to: "bundle/\(file)")
      let diagnostic = try #require(throws: Diagnostic.self) { try SmallBundle.open(in: folder) }
      #expect(diagnostic.message == message)
    }
  }
}
