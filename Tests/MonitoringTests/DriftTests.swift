// Drift of tables: statistics against SciPy's, and what is told of a table that moved.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Tabular
import Testing

@testable import Monitoring

@Suite struct DriftTests {
  // Expected: scipy.stats.kstwobign.sf of SciPy 1.17.
  @Test(arguments: [
    (0.3, 0.9999906941986655), (0.7, 0.7112351950296893), (1.0, 0.26999967167735456), (1.36, 0.049485876755377876),
    (2.5, 7.453306344157342e-06),
  ])
  func `Kolmogorov's law is SciPy's`(x: Double, expected: Double) {
    #expect(abs(KolmogorovLaw.above(x) - expected) < 1e-12)
  }

  // Expected: scipy.stats.chi2.sf of SciPy 1.17.
  @Test(arguments: [
    (0.5, 1, 0.47950012218695337), (3.84, 1, 0.05004352124870519), (10, 3, 0.01856613546304325), (2, 9, 0.9914676066288135),
    (60, 20, 7.121750862815593e-06), (150, 100, 0.0009039320423540184),
  ])
  func `the χ² law is SciPy's`(x: Double, freedom: Int, expected: Double) {
    #expect(abs(ChiSquareLaw.above(x, freedom: freedom) - expected) < 1e-12)
  }

  @Test func `statistics are SciPy's`() {
    // ks_2samp, chi2_contingency(correction=False), jensenshannon(base=2)²; the index by its formula in NumPy.
    #expect(
      abs(Drift.distance(Array(stride(from: 1, through: 10, by: 1)), Array(stride(from: 3, through: 14, by: 1))) - 1.0 / 3)
        < 1e-15)
    #expect(abs(Drift.chiSquare([30, 20, 50], [10, 40, 50]) - 16.666666666666668) < 1e-12)
    #expect(abs(Drift.divergence([0.3, 0.2, 0.5], [0.1, 0.4, 0.5]) - 0.06225562489182653) < 1e-12)
    #expect(abs(Drift.stabilityIndex([0.3, 0.2, 0.5], [0.1, 0.4, 0.5]) - 0.35835189384561095) < 1e-12)
  }

  private static func table(shift: Double = 0, rows: Int = 1_000) -> Table {
    Table([
      Column("id", numbers: (0..<rows).map { Double($0) + shift * 1e6 }),
      Column("x", numbers: (0..<rows).map { $0 % 10 == 0 ? .nan : Double(($0 * 37) % 101) + shift }),
      Column("zone", texts: (0..<rows).map { $0 % 4 == 0 ? "a" : $0 % 7 == 0 ? nil : "b" }),
    ])
  }

  @Test func `a table has not moved away from itself`() throws {
    let drift = try Drift.compare(reference: Self.table(), current: Self.table())
    #expect(drift.columns.map(\.psi) == [0, 0, 0])
    #expect(drift.columns.map(\.p) == [1, 1, 1])
    #expect(drift.columns.map(\.size) == [.small, .small, .small])
    #expect(drift.sharedRows == 1_000)
  }

  @Test func `a column of numbers has twenty equal bins to draw, far values in the outer ones`() throws {
    // 0, 1, … 999 and, on the other side, the same with one value far away.
    let numbers = (0..<1_000).map(Double.init)
    let drift = try Drift.compare(
      reference: Table([Column("x", numbers: numbers)]), current: Table([Column("x", numbers: Array(numbers.dropLast()) + [1e9])])
    )
    let column = try #require(drift.columns.first)
    #expect(column.edges.count == 21 && column.edges.first == 4 && column.edges.last == 995)
    #expect(column.referenceCounts.reduce(0, +) == 1_000 && column.currentCounts == column.referenceCounts)
    let zone = try #require(try Drift.compare(reference: Self.table(), current: Self.table(), columns: ["zone"]).columns.first)
    #expect(zone.edges.isEmpty && zone.bins.map(\.label) == ["b", "a"])
    #expect(zone.currentCounts == zone.referenceCounts && zone.currentCounts.count == 2)
  }

  @Test func `numbers as far apart as they go are compared, and not drawn`() throws {
    let far = Table([Column("x", numbers: (0..<100).map { $0 % 2 == 0 ? 1.7e308 : -1.7e308 })])
    let column = try #require(try Drift.compare(reference: far, current: far).columns.first)
    #expect(column.psi == 0 && column.edges.isEmpty && column.referenceCounts.isEmpty)
  }

  @Test func `a column that moved stands first, and rows that differ only in it are no leak`() throws {
    let drift = try Drift.compare(reference: Self.table(), current: Self.table(shift: 30), ignoring: ["id"])
    #expect(drift.columns.map(\.name) == ["x", "zone"])
    #expect(drift.columns[0].size == .large)
    #expect(drift.columns[0].p < 1e-12)
    #expect(drift.columns[0].missingBefore == 0.1 && drift.columns[0].missingNow == 0.1)
    #expect(abs(drift.columns[0].bins.reduce(0) { $0 + $1.current } - 1) < 1e-12)
    #expect(drift.columns[1].psi == 0)
    #expect(drift.sharedRows < 1_000)
  }

  @Test func `rows of the reference are found again when identifiers are left out`() throws {
    let drift = try Drift.compare(reference: Self.table(), current: Self.table(rows: 10), ignoring: ["id"])
    #expect(drift.sharedRows == 10)
  }

  @Test func `columns that came, went or changed their kind are named`() throws {
    let before = Table([Column("a", numbers: [1, 2]), Column("b", numbers: [1, 2]), Column("c", numbers: [1, 2])])
    let now = Table([Column("b", texts: ["x", "y"]), Column("c", numbers: [1, 2]), Column("d", numbers: [1, 2])])
    let drift = try Drift.compare(reference: before, current: now)
    #expect(drift.gone == ["a"])
    #expect(drift.new == ["d"])
    #expect(drift.changedKind == ["b"])
    #expect(drift.columns.map(\.name) == ["c"])
  }

  @Test func `a column that lost its values has moved, although those that are left have not`() throws {
    // Before, one of ten is missing; now nine of ten. Both tables have as many zeros as ones among the values that are there.
    let before = Table([
      Column("a", numbers: (0..<200).map { _ in 1 }),
      Column("x", numbers: (0..<200).map { $0 % 10 == 9 ? .nan : Double($0 / 10 % 2) }),
    ])
    let now = Table([
      Column("a", numbers: (0..<200).map { _ in 1 }),
      Column("x", numbers: (0..<200).map { $0 % 10 < 9 ? .nan : Double($0 / 10 % 2) }),
    ])
    let drift = try Drift.compare(reference: before, current: now)
    #expect(drift.columns.map(\.name) == ["x", "a"])
    let x = drift.columns[0]
    #expect(x.psi == 0 && x.missingBefore == 0.1 && x.missingNow == 0.9)
    // 2 · 0.8 · ln 9
    #expect(abs(x.missingIndex - 3.5155593237379) < 1e-12)
    #expect(x.distance == x.missingIndex)
    #expect(drift.columns[1].missingIndex == 0)
    // All of them gone leaves no values to compare, and is the largest move there is.
    let none = Table([
      Column("a", numbers: Array(repeating: 1, count: 200)), Column("x", numbers: Array(repeating: .nan, count: 200)),
    ])
    #expect(try Drift.compare(reference: before, current: none).columns[0].distance > 1)
  }

  @Test func `many values share the last bin`() throws {
    let values = (0..<100).map { "v\($0)" as String? }
    let drift = try Drift.compare(reference: Table([Column("t", texts: values)]), current: Table([Column("t", texts: values)]))
    #expect(drift.columns[0].bins.count == Drift.textBins)
    #expect(drift.columns[0].bins.last?.label == "(81 other values)")
  }

  @Test func `constant columns, empty columns and new values are no trouble`() throws {
    let before = Table([
      Column("k", numbers: [5, 5, 5]), Column("e", numbers: [.nan, .nan, .nan]), Column("t", texts: ["a", "a", "a"]),
    ])
    let now = Table([
      Column("k", numbers: [5, 6, 5]), Column("e", texts: ["x", "y", nil]), Column("t", texts: ["b", "b", "b"]),
    ])
    let drift = try Drift.compare(reference: before, current: now)
    #expect(drift.columns.first { $0.name == "t" }?.size == .large)
    #expect(drift.columns.first { $0.name == "e" }?.missingBefore == 1)
    #expect(drift.columns.allSatisfy { $0.psi.isFinite && $0.p.isFinite && $0.divergence.isFinite })
  }

  @Test func `a name that is nowhere is a mistake with a hint`() {
    let error = #expect(throws: Diagnostic.self) {
      try Drift.compare(reference: Self.table(), current: Self.table(), columns: ["zome"])
    }
    #expect(error?.message == "neither table has a column `zome`")
    #expect(error?.hints == ["did you mean `zone`?"])
  }
}
