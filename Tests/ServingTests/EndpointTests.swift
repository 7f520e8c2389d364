// The endpoints, asked at two depths: the responder alone, and over a socket.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Serving

/// Both ways of asking.
enum Depth: String, CaseIterable, Sendable {
  case responder, socket
  var setup: TestingSetup { self == .responder ? .router : .live }
}

@Suite struct EndpointTests {
  private func object(_ response: TestResponse) throws -> [String: Any] {
    let parsed = try JSONSerialization.jsonObject(with: Data(response.body.readableBytesView))
    return try #require(parsed as? [String: Any])
  }

  @Test(arguments: Depth.allCases)
  func `a prediction has the seed's fields in the seed's order`(depth: Depth) async throws {
    try await standInApplication().test(depth.setup) { client in
      let response = try await client.execute(
        uri: "/predictions/eta", method: .post, headers: jsonHeaders, body: ByteBuffer(string: goodBody))
      #expect(response.status == .ok)
      #expect(response.headers[.contentType] == "application/json")
      let text = String(buffer: response.body)
      let time = try #require(text.firstMatch(of: /"processing_time_ms":([0-9.]+),/))
      // 10 + 2 * 12.4 + 0.1 * 4 = 35.2
      #expect(
        text.replacing(time.0, with: "")
          == #"{"order_id":"A-1","predicted_eta_minutes":35,"confidence_score":0.75,"explanation":{"#
          + #""contributions":{"distance_km":24.8,"driver_speed":-3.0,"traffic":0.4},"prediction":35.199999999999996,"#
          + #""interval":{"level":0.9,"low":33.699999999999996,"high":37.699999999999996},"feature_age_hours":1.5,"#
          + #""missing_lookups":[]},"model_version":"7","is_ood":false}"#)
      #expect(try #require(Double(time.1)) < 1000)
    }
  }

  @Test(arguments: Depth.allCases)
  func `model info has the seed's six fields`(depth: Depth) async throws {
    try await standInApplication().test(depth.setup) { client in
      let response = try await client.execute(uri: "/predictions/models/info", method: .get)
      #expect(response.status == .ok)
      #expect(
        String(buffer: response.body)
          == #"{"model_name":"eta","version":"7","training_metadata":{"rows":120000,"best_iteration":310},"#
          + #""feature_list":["distance_km","traffic","driver_speed","zone_load"],"#
          + #""last_training_date":"2026-05-31T23:59:12Z","artifact_checksum":"sha256:ab12"}"#)
    }
  }

  @Test(arguments: Depth.allCases)
  func `health says which model answers`(depth: Depth) async throws {
    try await standInApplication().test(depth.setup) { client in
      let response = try await client.execute(uri: "/health", method: .get)
      #expect(String(buffer: response.body) == #"{"status":"ok","model_name":"eta","model_version":"7"}"#)
      let head = try await client.execute(uri: "/health", method: .head)
      #expect(head.status == .ok)
      #expect(head.body.readableBytes == 0)
    }
  }

  /// A request that must be refused: what is wrong, the body, the status, the field to be named.
  struct Bad: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var body: String
    var status: Int
    var field: String?
    init(_ name: String, _ body: String, _ status: Int, _ field: String?) {
      (testDescription, self.body, self.status, self.field) = (name, body, status, field)
    }
  }

  static let bad: [Bad] = [
    Bad("empty", "", 400, nil),
    Bad("truncated", #"{"order_id":"A-1","distance_km":12."#, 400, "distance_km"),
    Bad("a list", "[]", 400, nil),
    Bad("NaN", #"{"order_id":"A-1","distance_km":NaN,"traffic":"high"}"#, 400, "distance_km"),
    Bad("infinite", #"{"order_id":"A-1","distance_km":1e999,"traffic":"high"}"#, 422, "distance_km"),
    Bad("nested", #"{"order_id":"A-1","distance_km":{"km":1},"traffic":"high"}"#, 422, "distance_km"),
    Bad("twice", #"{"order_id":"A-1","distance_km":1,"distance_km":2}"#, 422, "distance_km"),
    Bad("no id", #"{"distance_km":12.4,"traffic":"high"}"#, 422, "order_id"),
    Bad("null id", #"{"order_id":null,"distance_km":12.4,"traffic":"high"}"#, 422, "order_id"),
    Bad("a number as id", #"{"order_id":5,"distance_km":12.4,"traffic":"high"}"#, 422, "order_id"),
    Bad("missing field", #"{"order_id":"A-1","distance_km":12.4}"#, 422, "traffic"),
    Bad("wrong type", #"{"order_id":"A-1","distance_km":"12.4","traffic":"high"}"#, 422, "distance_km"),
  ]

  @Test(arguments: Depth.allCases, bad)
  func `a request that is wrong is refused and its field named`(depth: Depth, bad: Bad) async throws {
    try await standInApplication().test(depth.setup) { client in
      let response = try await client.execute(
        uri: "/predictions/eta", method: .post, headers: jsonHeaders, body: ByteBuffer(string: bad.body))
      #expect(response.status.code == bad.status)
      let said = try object(response)
      #expect(said["field"] as? String == bad.field)
      #expect(said.keys.sorted() == ["detail", "field"])
      if let field = bad.field { #expect((said["detail"] as? String)?.contains("`\(field)`") == true) }
    }
  }

  @Test(arguments: Depth.allCases)
  func `a body over the limit is refused with 413 and the connection goes on`(depth: Depth) async throws {
    try await standInApplication().test(depth.setup) { client in
      let long = #"{"order_id":""# + String(repeating: "x", count: 70_000) + #""}"#
      let response = try await client.execute(
        uri: "/predictions/eta", method: .post, headers: jsonHeaders, body: ByteBuffer(string: long))
      #expect(response.status.code == 413)
      #expect(try object(response)["detail"] as? String == "the body is longer than 65536 bytes")
      let next = try await client.execute(
        uri: "/predictions/eta", method: .post, headers: jsonHeaders, body: ByteBuffer(string: goodBody))
      #expect(next.status == .ok)
    }
  }

  @Test(arguments: Depth.allCases)
  func `type, method and path are checked`(depth: Depth) async throws {
    try await standInApplication().test(depth.setup) { client in
      let form: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
      let body = ByteBuffer(string: goodBody)
      let typed = try await client.execute(uri: "/predictions/eta", method: .post, headers: form, body: body)
      #expect(typed.status.code == 415)
      let charset: HTTPFields = [.contentType: "Application/JSON; charset=utf-8"]
      let named = try await client.execute(uri: "/predictions/eta", method: .post, headers: charset, body: body)
      #expect(named.status == .ok)
      let got = try await client.execute(uri: "/predictions/eta", method: .get)
      #expect(got.status.code == 405)
      #expect(got.headers[.allow] == "POST")
      let posted = try await client.execute(uri: "/metrics", method: .post, body: body)
      #expect(posted.status.code == 405)
      #expect(posted.headers[.allow] == "GET, HEAD")
      for path in ["/", "/predictions/other", "/predictions/eta/", "/predictions/models", "/..%2f", "/health/x?y"] {
        let missing = try await client.execute(uri: path, method: .get)
        #expect(missing.status.code == 404, "\(path)")
        #expect(try object(missing)["field"] is NSNull)
      }
      let query = try await client.execute(uri: "/health?verbose=1", method: .get)
      #expect(query.status == .ok)
    }
  }

  @Test(arguments: Depth.allCases)
  func `metrics count what was asked`(depth: Depth) async throws {
    try await standInApplication().test(depth.setup) { client in
      for body in [goodBody, #"{"order_id":"A-2","distance_km":60,"traffic":"low"}"#, "no"] {
        _ = try await client.execute(
          uri: "/predictions/eta", method: .post, headers: jsonHeaders, body: ByteBuffer(string: body))
      }
      let page = try await client.execute(uri: "/metrics", method: .get)
      #expect(page.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
      let lines = String(buffer: page.body).split(separator: "\n").map(String.init)
      let bounds = lines.filter { $0.hasPrefix("prediction_latency_ms_bucket") }.compactMap { line in
        line.firstMatch(of: /le="(.+)"/).map { String($0.1) }
      }
      #expect(bounds == ["10.0", "25.0", "50.0", "100.0", "250.0", "500.0", "+Inf"])
      for line in [
        "# TYPE prediction_latency_ms histogram", "prediction_latency_ms_count 2", "feature_age_hours_bucket{le=\"1.0\"} 0",
        "feature_age_hours_bucket{le=\"3.0\"} 2", "feature_age_hours_sum 3.0",
        #"http_requests_total{endpoint="predict",code="200"} 2"#, #"http_requests_total{endpoint="predict",code="400"} 1"#,
        "prediction_errors_total 1", "predictions_out_of_distribution_total 1", "feature_lookups_missing_total 1",
        #"model_info{name="eta",version="7"} 1"#,
      ] {
        #expect(lines.contains(line), "\(line)")
      }
    }
  }
}
