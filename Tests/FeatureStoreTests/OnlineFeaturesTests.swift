// One request, one vector: types, times, categories, entities nobody has heard of.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import FeatureStore
@testable import Tabular

private let document = """
  {"schema": "pipe.features/1", "name": "t", "id": "id", "time": "at", "target": {"column": "y", "unit": "min"}, "slices": [],
   "request": [{"name": "km", "kind": "number"}, {"name": "sky", "kind": "text"}, {"name": "when", "kind": "time"},
               {"name": "driver_id", "kind": "text"}],
   "entities": [{"name": "driver", "key": "driver_id"}, {"name": "zone", "key": "home", "via": "driver"}],
   "holidays": ["2026-03-01"], "asOf": "2026-03-01T00:00:00Z",
   "features": [
     {"name": "km", "kind": "number", "source": "request", "field": "km"},
     {"name": "sky", "kind": "category", "source": "request", "field": "sky", "categories": ["clear", "rain"]},
     {"name": "hour", "kind": "number", "source": "calendar", "part": "hour"},
     {"name": "holiday", "kind": "number", "source": "calendar", "part": "is_holiday"},
     {"name": "pace", "kind": "number", "source": "lookup", "entity": "driver", "field": "pace", "aggregate": "mean", "days": 7},
     {"name": "prep", "kind": "number", "source": "lookup", "entity": "zone", "field": "prep", "aggregate": "mean", "days": 7}]}
  """

private func withFeatures(_ body: (OnlineFeatures) throws -> Void) throws {
  try withTemporaryDirectory { folder in
    try folder.write(document, to: "features.json")
    try folder.write(
      "driver_id,home,pace,as_of\nD1,007,1.1,2026-03-01T00:00:00Z\nD2,Z9,,2026-03-01T00:00:00Z\n", to: "snapshot-driver.csv")
    try folder.write("home,prep,as_of\n007,8.25,2026-03-01T00:00:00Z\n", to: "snapshot-zone.csv")
    try body(OnlineFeatures.load(directory: folder.path))
  }
}

private let now: Int64 = 1_772_352_900  // 2026-03-01T08:15:00Z
private let request: [String: RequestValue] = [
  "km": .number(2.5), "sky": .text("rain"), "when": .text("23:30"), "driver_id": .text("D1"),
]

@Suite struct OnlineFeaturesTests {
  @Test func `a request becomes the vector in the order of the feature set`() throws {
    try withFeatures { features in
      let vector = try features.vector(request: request, at: now)
      #expect(features.names == ["km", "sky", "hour", "holiday", "pace", "prep"])
      #expect(vector == FeatureVector(values: [2.5, 1, 23, 1, 1.1, 8.25], ageHours: 8.25, missing: []))
    }
  }

  @Test(arguments: [("06:05:59", 6), ("2026-03-02T17:00:00Z", 17), ("2026-03-02T01:00:00+02:00", 23)])
  func `a time is a time of day or a full time`(text: String, hour: Float) throws {
    try withFeatures { features in
      let vector = try features.vector(request: request.merging(["when": .text(text)]) { $1 }, at: now)
      #expect(vector.values[2] == hour)
    }
  }

  @Test func `a driver nobody has heard of leaves the lookups missing`() throws {
    try withFeatures { features in
      let vector = try features.vector(request: request.merging(["driver_id": .text("D404")]) { $1 }, at: now)
      #expect(vector.missing == ["pace", "prep"])
      #expect(vector.ageHours == nil)
    }
  }

  @Test func `a driver without a past and a zone without a row leave what they lack missing`() throws {
    try withFeatures { features in
      let vector = try features.vector(request: request.merging(["driver_id": .text("D2")]) { $1 }, at: now)
      #expect(vector.missing == ["pace", "prep"])
      #expect(vector.ageHours == 8.25)
    }
  }

  @Test(
    arguments: [
      ("km", nil, FeatureError.missingField("km")), ("km", .text("2"), .wrongType(field: "km", expected: "a number")),
      ("km", .number(.infinity), .wrongType(field: "km", expected: "a number")),
      ("driver_id", .number(1), .wrongType(field: "driver_id", expected: "a text")),
      ("when", .number(8), .wrongType(field: "when", expected: "a time")),
      ("when", .text("8 o'clock"), .badTime(field: "when", value: "8 o'clock")),
      ("sky", .text("hail"), .unknownCategory(field: "sky", value: "hail", known: ["clear", "rain"])),
    ] as [(String, RequestValue?, FeatureError)])
  func `a wrong field is named`(field: String, value: RequestValue?, error: FeatureError) throws {
    var request = request
    request[field] = value
    try withFeatures { features in
      #expect(throws: error) { try features.vector(request: request, at: now) }
      #expect(error.field == field)
      #expect(error.message.contains("`\(field)`"))
    }
  }

  @Test func `many threads at once get the same answer`() async throws {
    let features = try withTemporaryDirectory { folder in
      try folder.write(document, to: "features.json")
      try folder.write("driver_id,home,pace,as_of\nD1,Z1,1.1,\n", to: "snapshot-driver.csv")
      try folder.write("home,prep,as_of\nZ1,8.25,\n", to: "snapshot-zone.csv")
      return try OnlineFeatures.load(directory: folder.path)
    }
    let answers = try await withThrowingTaskGroup(of: FeatureVector.self) { group in
      for _ in 0..<64 { group.addTask { try features.vector(request: request, at: now) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers.count == 64)
    #expect(answers.allSatisfy { $0.values == [2.5, 1, 23, 1, 1.1, 8.25] })
  }

  @Test func `a folder that is no feature set says what is wrong with it`() throws {
    func mistake(_ files: [String: String]) throws -> String {
      try withTemporaryDirectory { folder in
        for (name, text) in files { try folder.write(text, to: name) }
        do {
          _ = try OnlineFeatures.load(directory: folder.path)
          return "no mistake"
        } catch let diagnostic as Diagnostic {
          return diagnostic.message.replacingOccurrences(of: folder.path, with: "…")
        }
      }
    }
    let newer = document.replacingOccurrences(of: "pipe.features/1", with: "pipe.features/9")
    let drivers = "driver_id,home,pace,as_of\nD1,Z1,1.1,\n"
    #expect(try mistake([:]) == "`…/features.json` cannot be read")
    #expect(try mistake(["features.json": "{}"]) == "the file is no feature set")
    #expect(
      try mistake(["features.json": newer])
        == "the feature set has the schema `pipe.features/9`, this build reads `pipe.features/1`")
    #expect(try mistake(["features.json": document, "snapshot-driver.csv": drivers]) == "`…/snapshot-zone.csv` cannot be read")
    #expect(
      try mistake(["features.json": document, "snapshot-driver.csv": drivers, "snapshot-zone.csv": "home,as_of\nZ1,\n"])
        == "the table has no column `prep`")
  }
}
