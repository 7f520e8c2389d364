// Has a table moved away from the one that a model was made from?
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
import Glibc
package import Tabular

/// How far one column has moved.
package struct ColumnDrift: Codable, Sendable, Equatable {
  /// By the population stability index.
  package enum Size: String, Codable, Sendable {
    case small, moderate, large

    /// Below 0.1, below 0.25, from there on.
    ///
    /// Source: Siddiqi, "Credit Risk Scorecards", 2006.
    package init(psi: Double) { self = psi < 0.1 ? .small : psi < 0.25 ? .moderate : .large }
  }

  /// One bin with the share of either side's values, in 0...1.
  package struct Bin: Codable, Sendable, Equatable {
    package var label: String
    package var reference: Double
    package var current: Double
    package init(label: String, reference: Double, current: Double) {
      self.label = label
      self.reference = reference
      self.current = current
    }
  }

  package var name: String
  /// `number` or `text`.
  package var kind: String
  /// Share of rows without a value, in 0...1.
  package var missingBefore: Double
  package var missingNow: Double
  /// Population stability index over the bins, at least 0.
  package var psi: Double
  /// Jensen–Shannon divergence over the bins, in bits, 0...1.
  package var divergence: Double
  /// `Kolmogorov–Smirnov` or `χ²`.
  package var test: String
  /// D in 0...1, or χ².
  package var statistic: Double
  /// Chance of such a statistic if both sides followed one law. With many rows it is small for any difference.
  package var p: Double
  package var bins: [Bin]
  /// Rising edges of equal bins for a drawing, of numbers; empty for text, whose counts are those of `bins`.
  package var edges: [Double] = []
  /// One fewer than there are edges; values beyond the edges are in the outer bins.
  package var referenceCounts: [Int] = []
  package var currentCounts: [Int] = []

  package var size: Size { Size(psi: psi) }
  /// Population stability index over two bins: rows with a value, and rows without.
  package var missingIndex: Double {
    Drift.stabilityIndex([1 - missingBefore, missingBefore], [1 - missingNow, missingNow])
  }
  /// The larger of both indices: how far the column has moved, its values or their absence.
  package var distance: Double { max(psi, missingIndex) }
}

/// How far a table has moved.
package struct TableDrift: Codable, Sendable, Equatable {
  package var referenceRows: Int
  package var currentRows: Int
  /// Those that moved furthest first.
  package var columns: [ColumnDrift]
  /// Columns of only one side.
  package var gone: [String]
  package var new: [String]
  /// Columns whose kind differs, e.g. numbers before and text now.
  package var changedKind: [String]
  /// Rows of the current table of which an equal one is in the reference: a leak, where one is to be tested by the other.
  package var sharedRows: Int
}

package enum Drift {
  /// Bins of a column of numbers.
  package static let numberBins = 10
  /// Bins of a drawing.
  package static let drawnBins = 20
  /// Values of a column of text with a bin of their own; the rest share one.
  package static let textBins = 20
  /// What a bin without values counts for in the index, as a share.
  static let floor = 1e-4

  /// Compares each column that both tables have.
  ///
  /// - Parameters:
  ///   - columns: only these; `nil` is all.
  ///   - ignored: not these: identifiers always drift.
  /// - Throws: an `input` diagnostic for a column that neither table has, or a table without rows.
  package static func compare(
    reference: Table, current: Table, columns wanted: [String]? = nil, ignoring ignored: [String] = []
  ) throws(Diagnostic) -> TableDrift {
    for table in [reference, current] where table.rowCount == 0 {
      throw Diagnostic(.input, "there are no rows to compare", at: table.source.map { SourceLocation(file: $0) })
    }
    for name in (wanted ?? []) + ignored where !reference.contains(name) && !current.contains(name) {
      throw Diagnostic(
        .input, "neither table has a column `\(name)`",
        hints: closestMatch(to: name, among: current.names).map { ["did you mean `\($0)`?"] } ?? [])
    }
    let isWanted = { (name: String) in (wanted?.contains(name) ?? true) && !ignored.contains(name) }
    var drift = TableDrift(
      referenceRows: reference.rowCount, currentRows: current.rowCount, columns: [],
      gone: reference.names.filter { isWanted($0) && !current.contains($0) },
      new: current.names.filter { isWanted($0) && !reference.contains($0) }, changedKind: [],
      sharedRows: sharedRows(reference, current, reference.names.filter { isWanted($0) && current.contains($0) }))
    for name in reference.names where isWanted(name) && current.contains(name) {
      let (before, now) = (try reference.column(name), try current.column(name))
      switch (before.storage, now.storage) {
      case (.number(let a), .number(let b)): drift.columns.append(numbers(name, a, b))
      case (.text(let a), .text(let b)): drift.columns.append(texts(name, a, b))
      // A column without any value is taken for numbers.
      case (.number(let a), .text(let b)) where a.allSatisfy(\.isNaN):
        drift.columns.append(texts(name, a.map { _ in nil }, b))
      case (.text(let a), .number(let b)) where b.allSatisfy(\.isNaN):
        drift.columns.append(texts(name, a, b.map { _ in nil }))
      default: drift.changedKind.append(name)
      }
    }
    drift.columns.sort { ($1.distance, $0.name) < ($0.distance, $1.name) }
    return drift
  }

  // MARK: Numbers

  private static func numbers(_ name: String, _ before: [Double], _ now: [Double]) -> ColumnDrift {
    let (a, b) = (before.filter(\.isFinite).sorted(), now.filter(\.isFinite).sorted())
    let edges = Self.edges(of: a.isEmpty ? b : a)
    let labels = Self.labels(edges)
    let (x, y) = (counts(a, edges), counts(b, edges))
    let statistic = distance(a, b)
    let effective = a.isEmpty || b.isEmpty ? 0 : Double(a.count) * Double(b.count) / Double(a.count + b.count)
    var drift = column(
      name, kind: "number", missing: (before.count - a.count, before.count, now.count - b.count, now.count), labels: labels,
      counts: (x, y), test: "Kolmogorov–Smirnov", statistic: statistic, p: KolmogorovLaw.above(effective.squareRoot() * statistic)
    )
    drift.edges = drawnEdges(a, b)
    (drift.referenceCounts, drift.currentCounts) = (counts(drawn: a, drift.edges), counts(drawn: b, drift.edges))
    return drift
  }

  /// Twenty equal bins from the 0.5th to the 99.5th percentile of both sides together: a few far values squeeze no drawing.
  /// None where they are farther apart than numbers go.
  private static func drawnEdges(_ a: [Double], _ b: [Double]) -> [Double] {
    let sides = [a, b].filter { !$0.isEmpty }
    guard let low = sides.map({ $0[($0.count - 1) / 200] }).min(),
      let high = sides.map({ $0[$0.count - 1 - ($0.count - 1) / 200] }).max(), low < high, (high - low).isFinite
    else { return [] }
    return (0...drawnBins).map { low + (high - low) * Double($0) / Double(drawnBins) }
  }

  private static func counts(drawn values: [Double], _ edges: [Double]) -> [Int] {
    guard let low = edges.first, let high = edges.last else { return [] }
    var counts = [Int](repeating: 0, count: drawnBins)
    for value in values {
      counts[max(0, min(drawnBins - 1, Int((min(max(value, low), high) - low) / (high - low) * Double(drawnBins))))] += 1
    }
    return counts
  }

  /// Deciles of the reference, each once; n edges make n + 1 bins, open at both ends.
  static func edges(of sorted: [Double]) -> [Double] {
    guard let first = sorted.first, let last = sorted.last, first < last else { return sorted.first.map { [$0] } ?? [] }
    var edges: [Double] = []
    for part in 1..<numberBins {
      let edge = sorted[min(sorted.count - 1, sorted.count * part / numberBins)]
      if edge > first, edges.last != edge { edges.append(edge) }
    }
    return edges
  }

  private static func labels(_ edges: [Double]) -> [String] {
    guard let first = edges.first, let last = edges.last else { return ["all"] }
    let texts = edges.map { NumberText.text(of: ($0 * 1e6).rounded() / 1e6) }
    let middle = zip(texts, texts.dropFirst()).map { "\($0) to \($1)" }
    return first == last
      ? ["below \(texts[0])", "from \(texts[0])"] : ["below \(texts[0])"] + middle + ["from \(texts[texts.count - 1])"]
  }

  /// Values below the first edge, from each edge to the next, and from the last on.
  private static func counts(_ sorted: [Double], _ edges: [Double]) -> [Int] {
    var counts = [Int](repeating: 0, count: edges.count + 1)
    var bin = 0
    for value in sorted {
      while bin < edges.count, value >= edges[bin] { bin += 1 }
      counts[bin] += 1
    }
    return counts
  }

  /// The largest distance of the two empirical distribution functions.
  static func distance(_ a: [Double], _ b: [Double]) -> Double {
    guard !a.isEmpty, !b.isEmpty else { return 0 }
    var (i, j) = (0, 0)
    var largest = 0.0
    while i < a.count, j < b.count {
      let value = min(a[i], b[j])
      while i < a.count, a[i] == value { i += 1 }
      while j < b.count, b[j] == value { j += 1 }
      largest = max(largest, abs(Double(i) / Double(a.count) - Double(j) / Double(b.count)))
    }
    return largest
  }

  // MARK: Text

  private static func texts(_ name: String, _ before: [String?], _ now: [String?]) -> ColumnDrift {
    var counted: [String: (before: Int, now: Int)] = [:]
    for case let value? in before { counted[value, default: (0, 0)].before += 1 }
    for case let value? in now { counted[value, default: (0, 0)].now += 1 }
    let order = counted.sorted { a, b in
      let (x, y) = (a.value.before + a.value.now, b.value.before + b.value.now)
      return x != y ? x > y : a.key.utf8.lexicographicallyPrecedes(b.key.utf8)
    }
    let isMany = order.count > textBins
    let shown = order.prefix(isMany ? textBins - 1 : textBins)
    let rest = order.dropFirst(shown.count)
    var labels = shown.map(\.key)
    var counts = (before: shown.map(\.value.before), now: shown.map(\.value.now))
    if isMany {
      labels.append("(\(rest.count) other values)")
      counts.before.append(rest.reduce(0) { $0 + $1.value.before })
      counts.now.append(rest.reduce(0) { $0 + $1.value.now })
    }
    let (a, b) = (counts.before.reduce(0, +), counts.now.reduce(0, +))
    let statistic = chiSquare(counts.before, counts.now)
    let p = labels.count > 1 && a > 0 && b > 0 ? ChiSquareLaw.above(statistic, freedom: labels.count - 1) : 1
    var drift = column(
      name, kind: "text", missing: (before.count - a, before.count, now.count - b, now.count), labels: labels,
      counts: (counts.before, counts.now), test: "χ²", statistic: statistic, p: p)
    (drift.referenceCounts, drift.currentCounts) = (counts.before, counts.now)
    return drift
  }

  /// Pearson's statistic of a table of two rows, without a correction for continuity.
  static func chiSquare(_ a: [Int], _ b: [Int]) -> Double {
    let (sumA, sumB) = (Double(a.reduce(0, +)), Double(b.reduce(0, +)))
    guard sumA > 0, sumB > 0 else { return 0 }
    return zip(a, b).reduce(0) { total, pair in
      let both = Double(pair.0 + pair.1)
      guard both > 0 else { return total }
      let (expectedA, expectedB) = (both * sumA / (sumA + sumB), both * sumB / (sumA + sumB))
      let (x, y) = (Double(pair.0) - expectedA, Double(pair.1) - expectedB)
      return total + x * x / expectedA + y * y / expectedB
    }
  }

  // MARK: Both

  private static func column(
    _ name: String, kind: String, missing: (before: Int, ofBefore: Int, now: Int, ofNow: Int), labels: [String],
    counts: (before: [Int], now: [Int]), test: String, statistic: Double, p: Double
  ) -> ColumnDrift {
    let (a, b) = (shares(counts.before), shares(counts.now))
    return ColumnDrift(
      name: name, kind: kind, missingBefore: Double(missing.before) / Double(missing.ofBefore),
      missingNow: Double(missing.now) / Double(missing.ofNow), psi: stabilityIndex(a, b), divergence: divergence(a, b),
      test: test,
      statistic: statistic, p: p, bins: zip(labels, zip(a, b)).map { .init(label: $0, reference: $1.0, current: $1.1) })
  }

  private static func shares(_ counts: [Int]) -> [Double] {
    let sum = counts.reduce(0, +)
    return counts.map { sum == 0 ? 0 : Double($0) / Double(sum) }
  }

  /// Σ (b − a) ln(b / a), with empty bins raised to `floor`; 0 when one side has no values.
  static func stabilityIndex(_ a: [Double], _ b: [Double]) -> Double {
    guard a.contains(where: { $0 > 0 }), b.contains(where: { $0 > 0 }) else { return 0 }
    return zip(a, b).reduce(0) { total, pair in
      guard pair.0 > 0 || pair.1 > 0 else { return total }
      let (x, y) = (max(pair.0, floor), max(pair.1, floor))
      return total + (y - x) * log(y / x)
    }
  }

  /// Source: Lin, "Divergence measures based on the Shannon entropy", 1991.
  static func divergence(_ a: [Double], _ b: [Double]) -> Double {
    guard a.contains(where: { $0 > 0 }), b.contains(where: { $0 > 0 }) else { return 0 }
    func part(_ share: Double, _ middle: Double) -> Double { share > 0 ? share * log2(share / middle) : 0 }
    let sum = zip(a, b).reduce(0.0) { total, pair in
      let middle = (pair.0 + pair.1) / 2
      return total + part(pair.0, middle) + part(pair.1, middle)
    }
    return min(1, max(0, sum / 2))
  }

  /// Rows of the current table of which an equal one, in these columns, is in the reference.
  private static func sharedRows(_ reference: Table, _ current: Table, _ names: [String]) -> Int {
    guard !names.isEmpty else { return 0 }
    let known = Set(rowHashes(reference, names))
    return rowHashes(current, names).count { known.contains($0) }
  }

  /// FNV-1a of 64 bits over the fields' texts, each with its length before it.
  private static func rowHashes(_ table: Table, _ names: [String]) -> [UInt64] {
    var hashes = [UInt64](repeating: 0xCBF2_9CE4_8422_2325, count: table.rowCount)
    for name in names {
      guard let texts = try? table.texts(name) else { continue }
      for (row, text) in texts.enumerated() {
        var hash = hashes[row]
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        let bytes = (text ?? "").utf8
        mix(text == nil ? 0 : 1)
        mix(UInt8(truncatingIfNeeded: bytes.count))
        for byte in bytes { mix(byte) }
        hashes[row] = hash
      }
    }
    return hashes
  }
}
