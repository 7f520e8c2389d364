// Looked-up features hold what was known at the midnight before, and nothing else.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import TestSupport
import Testing

@testable import FeatureStore
@testable import Tabular

private let midnight: Int64 = 1_772_323_200  // 2026-03-01T00:00:00Z

private func lookup(_ name: String, _ aggregate: Aggregate, of column: String?, days: Int, entity: String = "driver")
  -> FeatureSet.Feature
{
  .init(name: name, kind: .number, source: .lookup, field: column, entity: entity, aggregate: aggregate, days: days)
}

private func set(_ features: [FeatureSet.Feature], entities: [FeatureSet.Entity] = [.init(name: "driver", key: "driver_id")])
  -> FeatureSet
{
  FeatureSet(
    name: "t", id: "id", time: "at", target: .init(column: "y", unit: "min"), slices: [],
    request: [.init(name: "driver_id", kind: .text), .init(name: "at", kind: .time)], entities: entities, holidays: [],
    features: features)
}

@Suite struct PointInTimeTests {
  @Test func `a row counts from the midnight after its outcome, for as many days as the window has`() throws {
    // One outcome, at 2026-03-01T10:00. The driver is asked for on the days around it.
    let asked = (0..<5).map { midnight + Int64($0) * 86_400 + 3600 }
    let rows = Table([
      Column("id", texts: ["o"] + asked.indices.map { "q\($0)" }),
      Column("at", texts: ([midnight + 9 * 3600] + asked).map { Timestamp.text($0) }),
      Column("done", texts: [Timestamp.text(midnight + 10 * 3600)] + asked.map { _ in nil }),
      Column("y", numbers: [7] + asked.map { _ in .nan }),
      Column("driver_id", texts: Array(repeating: "D", count: 6)),
    ])
    let tables = try FeatureTables(
      set([lookup("mean2", .mean, of: "y", days: 2), lookup("count2", .count, of: nil, days: 2)]), history: rows, knownAt: "done")
    let table = try tables.table(rows)
    #expect(try table.column("mean2") == Column("mean2", numbers: [.nan, .nan, 7, 7, .nan, .nan]))
    #expect(try table.column("count2") == Column("count2", numbers: [0, 0, 1, 1, 0, 0]))
  }

  @Test func `an outcome at midnight itself is known the day after`() throws {
    let rows = Table([
      Column("id", texts: ["a", "b", "c"]),
      Column("at", texts: [midnight - 60, midnight + 60, midnight + 86_460].map { Timestamp.text($0) }),
      Column("done", texts: [Timestamp.text(midnight), nil, nil]), Column("y", numbers: [7, .nan, .nan]),
      Column("driver_id", texts: ["D", "D", "D"]),
    ])
    let tables = try FeatureTables(set([lookup("n", .count, of: nil, days: 9)]), history: rows, knownAt: "done")
    #expect(try tables.table(rows).numbers("n") == [0, 0, 1])
    #expect(tables.featureSet.asOf == "2026-03-03T00:00:00Z")
  }

  @Test(arguments: [UInt64(1), 2, 3])
  func `every lookup equals a slow count over all rows`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    func below(_ count: UInt64) -> Int64 { Int64(generator.next() % count) }
    let count = 300
    let at = (0..<count).map { _ in midnight + below(12 * 86_400) }
    let done: [Int64?] = at.map { below(10) == 0 ? nil : $0 + below(2 * 86_400) / 7 * 7 }
    let values = at.map { _ in below(8) == 0 ? Double.nan : Double(below(100)) }
    let drivers: [String?] = at.map { _ in below(20) == 0 ? nil : "D\(below(4))" }
    let homes = ["D0": "Z0", "D1": "Z1", "D2": "Z0"]
    let rows = Table([
      Column("id", texts: at.indices.map { "r\($0)" }), Column("at", texts: at.map { Timestamp.text($0) }),
      Column("done", texts: done.map { $0.map { Timestamp.text($0) } }), Column("y", numbers: values),
      Column("driver_id", texts: drivers),
    ])
    let features = [
      lookup("mean", .mean, of: "y", days: 3), lookup("median", .median, of: "y", days: 5),
      lookup("last", .last, of: "y", days: 2),
      lookup("count", .count, of: "y", days: 3), lookup("zone", .count, of: nil, days: 4, entity: "zone"),
    ]
    let tables = try FeatureTables(
      set(features, entities: [.init(name: "driver", key: "driver_id"), .init(name: "zone", key: "home", via: "driver")]),
      history: rows, knownAt: "done",
      entityTables: [
        "driver": Table([Column("driver_id", texts: ["D0", "D1", "D2", "D9"]), Column("home", texts: ["Z0", "Z1", "Z0", "Z1"])])
      ])
    let table = try tables.table(rows)
    for row in at.indices {
      let asOf = at[row] - at[row] % 86_400
      func known(_ days: Int64, _ isSame: (Int) -> Bool) -> [Int] {
        at.indices.filter { other in
          guard let time = done[other] else { return false }
          return isSame(other) && time < asOf && time >= asOf - days * 86_400
        }
      }
      func numbers(_ days: Int64) -> [Double] {
        known(days) { drivers[$0] == drivers[row] }.sorted { (done[$0]!, $0) < (done[$1]!, $1) }.map { values[$0] }
          .filter { !$0.isNaN }
      }
      func check(_ name: String, _ expected: Double) throws {
        let actual = try table.numbers(name)[row]
        let isEqual = actual.isNaN && expected.isNaN || abs(actual - expected) < 1e-6
        #expect(isEqual, "seed \(seed), row \(row), \(name): \(actual), expected \(expected)")
      }
      guard let driver = drivers[row] else {
        for feature in features { try check(feature.name, .nan) }
        continue
      }
      let three = numbers(3)
      try check("count", Double(three.count))
      try check("mean", three.isEmpty ? .nan : three.reduce(0, +) / Double(three.count))
      let five = numbers(5).sorted()
      try check("median", five.isEmpty ? .nan : (five[(five.count - 1) / 2] + five[five.count / 2]) / 2)
      try check("last", numbers(2).last ?? .nan)
      let home = homes[driver]
      try check("zone", home == nil ? .nan : Double(known(4) { drivers[$0].flatMap { homes[$0] } == home }.count))
    }
  }

  @Test func `lookups without a time of knowing are refused`() throws {
    let rows = Table([Column("id", texts: ["a"]), Column("driver_id", texts: ["D"])])
    #expect(throws: Diagnostic.self) {
      try FeatureTables(set([lookup("n", .count, of: nil, days: 9)]), history: rows, knownAt: nil)
    }
  }
}
