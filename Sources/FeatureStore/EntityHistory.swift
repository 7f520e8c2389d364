// What was known of each entity at a midnight: windowed aggregates over the rows whose outcome was in by then.
// SPDX-License-Identifier: Apache-2.0
import Tabular

/// The dated values of one column, by entity.
///
/// A row counts from the moment its outcome is known (for a delivery: delivered), not from when it began. The state *as of* a
/// midnight m over d days is made of the rows known in `m - d days ..< m`. It depends on those rows and their order alone, so the
/// state of a midnight is the same whatever came later; that is what makes a snapshot equal to the training table.
struct EntityHistory: Sendable {
  /// Per entity, ascending by time, rows of the same second in the order of the table; times in seconds since 1970.
  private var times: [[Int64]]
  private var values: [[Double]]

  /// - Parameters:
  ///   - entities: index of each row's entity, `nil` when it has none.
  ///   - knownAt: when each row's outcome was known, `nil` when never.
  ///   - values: the column, NaN where missing; `nil` counts every row.
  init(entityCount: Int, entities: [Int?], knownAt: [Int64?], values column: [Double]?) {
    times = Array(repeating: [], count: entityCount)
    values = Array(repeating: [], count: entityCount)
    let rows = knownAt.indices.filter { knownAt[$0] != nil && entities[$0] != nil }
      .sorted { (knownAt[$0] ?? 0, $0) < (knownAt[$1] ?? 0, $1) }
    for row in rows {
      guard let entity = entities[row], let time = knownAt[row] else { continue }
      let value = column?[row] ?? 1
      if value.isNaN { continue }
      times[entity].append(time)
      values[entity].append(value)
    }
  }

  /// The aggregate over the days before a midnight.
  func value(of aggregate: Aggregate, entity: Int, days: Int, asOf midnight: Int64) -> Double {
    let times = times[entity]
    let start = Self.firstIndex(in: times, atOrAfter: midnight - Int64(days) * Timestamp.secondsPerDay)
    let end = Self.firstIndex(in: times, atOrAfter: midnight)
    return aggregate.value(of: values[entity][start..<end])
  }

  private static func firstIndex(in times: [Int64], atOrAfter limit: Int64) -> Int {
    var low = 0
    var high = times.count
    while low < high {
      let middle = (low + high) / 2
      if times[middle] < limit { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
