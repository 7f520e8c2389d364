// Which units are drawn together, and how an interval comes of it.
// SPDX-License-Identifier: Apache-2.0

/// A way to draw units again.
struct Resampling {
  enum Draw {
    /// Each unit by itself.
    case units
    /// Each class by itself, so that every resample has as many rows of each.
    case strata([RowValues<UInt32>])
    /// Runs of neighbours in time.
    case blocks(length: Int)
  }

  /// Draws that are worth it: about two seconds on one core. Above, intervals come from batches.
  static let maximumDraws = 400_000_000
  static let batches = 100

  var bootstrap: Bootstrap
  var draw: Draw
  var units: Int
  /// For what is as long as there are units.
  var scratch = Scratch.memory

  /// Whether the table is too large to be drawn again thousands of times.
  var isLarge: Bool {
    units.multipliedReportingOverflow(by: bootstrap.resamples).overflow || units * bootstrap.resamples > Self.maximumDraws
  }

  /// What the interval is called.
  var method: String {
    switch draw {
    case .units: "percentile bootstrap, \(bootstrap.resamples) resamples"
    case .strata: "stratified percentile bootstrap, \(bootstrap.resamples) resamples"
    case .blocks(let length): "moving block bootstrap, \(bootstrap.resamples) resamples of blocks of \(length) rows"
    }
  }

  /// Calls `body` once a resample, with how often each unit was drawn. Draw i of resample r is a function of (seed, r, i) alone.
  func forEach(_ body: (DrawnCounts) -> Void) {
    var counts = RowValues<UInt32>(repeating: 0, count: units, in: scratch)
    for resample in 0..<bootstrap.resamples {
      counts.withUnsafeMutableBufferPointer { counts in
        counts.update(repeating: 0)
        var state = Bootstrap.mix(bootstrap.seed &+ Bootstrap.mix(UInt64(resample) &+ 1))
        fill(counts, &state)
        body(DrawnCounts(counts))
      }
    }
  }

  /// A set's values in every resample.
  func values(of set: any MetricSet) -> [[Double]] {
    var values: [[Double]] = []
    values.reserveCapacity(bootstrap.resamples)
    forEach { values.append(set.values($0)) }
    return values
  }

  /// Resampled values less what they are off by on average.
  ///
  /// Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 10.
  static func withoutBias(_ values: [Double], value: Double) -> [Double] {
    let bias = values.reduce(0, +) / Double(values.count) - value
    return values.map { $0 - bias }
  }

  /// What the interval of a biased metric is called.
  var unbiasedMethod: String { "\(method), less their bias" }

  private func fill(_ counts: UnsafeMutableBufferPointer<UInt32>, _ state: inout UInt64) {
    switch draw {
    case .units:
      for _ in 0..<units { counts[Self.next(&state, below: units)] += 1 }
    case .strata(let strata):
      for rows in strata {
        rows.withUnsafeBufferPointer { rows in
          for _ in 0..<rows.count { counts[Int(rows[Self.next(&state, below: rows.count)])] += 1 }
        }
      }
    case .blocks(let length):
      var drawn = 0
      while drawn < units {
        let start = Self.next(&state, below: units - length + 1)
        // The last block is cut, so that a resample has as many rows as the table.
        let end = start + min(length, units - drawn)
        for row in start..<end { counts[row] += 1 }
        drawn += end - start
      }
    }
  }

  /// SplitMix64 in its counter form: a Weyl sequence, mixed.
  @inline(__always)
  private static func next(_ state: inout UInt64, below bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Int(Bootstrap.mix(state).multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// The batch of each unit: neighbours for series, else by chance.
  func batchParts() -> RowParts {
    let numbers = RowValues(count: units, in: scratch) { unit in
      if case .blocks = draw { return UInt32(unit * Self.batches / units) }
      let chance = Bootstrap.mix(bootstrap.seed ^ Bootstrap.mix(UInt64(unit)))
      return UInt32(chance.multipliedFullWidth(by: UInt64(Self.batches)).high)
    }
    return RowParts(numbers, parts: Self.batches)
  }

  var batchMethod: String { "batch means, \(Self.batches) batches of about \(units / Self.batches) rows" }

  /// The interval round a value whose variance shows in the same figure of parts of the table.
  ///
  /// Source: Schmeiser, "Batch size effects in the analysis of simulation output", 1982: the spread of a figure over batches, over
  /// the root of their number, is the figure's own.
  static func batchError(_ values: [Double]) -> Double? {
    guard values.count > 1, values.allSatisfy(\.isFinite) else { return nil }
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / (count - 1) / count).squareRoot()
  }
}
