import Testing

// Predictions folded into bins.
// SPDX-License-Identifier: Apache-2.0
@testable import Reporting

@Suite struct PredictionSummaryTests {
  @Test func `every row is counted once`() throws {
    let summary = try #require(PredictionSummary(Sample.predictions(10_000)))
    #expect(summary.rows == 10_000)
    #expect(summary.predictedActual.counts.reduce(0, +) + summary.predictedActual.outside == 10_000)
    #expect(summary.residualPredicted.counts.reduce(0, +) + summary.residualPredicted.outside == 10_000)
    #expect(summary.residualCounts.reduce(0, +) + summary.residualsOutside == 10_000)
    #expect(summary.tenths.map(\.rows).reduce(0, +) == 10_000)
    #expect(summary.tenths.count == 10)
    #expect(summary.tenths.allSatisfy { (999...1_001).contains($0.rows) })
    #expect(summary.periods.count == 27)
    #expect(summary.periods.map(\.rows).reduce(0, +) == 10_000)
  }

  @Test func `the size does not hang on the number of rows`() throws {
    // Enough rows that quantiles are looked for in every second one only.
    let values = (0..<200_000).map { Double(($0 * 7_919) % 10_007) }
    let small = try #require(PredictionSummary(Sample.predictions(200)))
    let large = try #require(PredictionSummary(.init(yTrue: values, yPred: values)))
    #expect(small.predictedActual.counts.count == large.predictedActual.counts.count)
    #expect(small.residualCounts.count == large.residualCounts.count)
    #expect(large.rows == 200_000)
    #expect(large.tenths.map { $0.rows / 1_000 }.allSatisfy { (19...20).contains($0) })
  }

  @Test func `a row without a value is left out and counted`() throws {
    let summary = try #require(PredictionSummary(.init(yTrue: [1, .nan, 3, 4], yPred: [1.5, 2, .infinity, 3.5])))
    #expect(summary.rows == 2)
    #expect(summary.leftOut == 2)
    // (1 − 1.5) and (4 − 3.5)
    #expect(summary.meanResidual == 0)
  }

  @Test func `coverage counts both ends as inside`() throws {
    let summary = try #require(
      PredictionSummary(
        .init(
          yTrue: [1, 2, 3, 4], yPred: [1, 2, 3, 4], yLow: [1, 2.1, 2, .nan], yHigh: [2, 3, 3, 5],
          time: ["2026-01-31T23:00:00Z", "2026-02-01T00:00:00Z", "2026-02-01T10:00:00Z", "2026-02-01T11:00:00Z"])))
    #expect(summary.withInterval == 3)
    #expect(summary.covered == 2)
    #expect(
      summary.periods == [
        .init(label: "2026-01-31", rows: 1, covered: 1), .init(label: "2026-02-01", rows: 2, covered: 1),
      ])
  }

  @Test func `many days become months`() throws {
    var columns = PredictionColumns(yTrue: [], yPred: [])
    for month in 1...3 {
      for day in 1...28 {
        columns.yTrue.append(1)
        columns.yPred.append(1)
        columns.yLow.append(0)
        columns.yHigh.append(day == 1 ? 0.5 : 2)
        columns.time.append("2026-0\(month)-\(day < 10 ? "0" : "")\(day)T00:00:00Z")
      }
    }
    let summary = try #require(PredictionSummary(columns))
    #expect(
      summary.periods == [
        .init(label: "2026-01", rows: 28, covered: 27), .init(label: "2026-02", rows: 28, covered: 27),
        .init(label: "2026-03", rows: 28, covered: 27),
      ])
  }

  @Test func `nothing gives nothing, and one value is borne`() throws {
    #expect(PredictionSummary(.init(yTrue: [], yPred: [])) == nil)
    #expect(PredictionSummary(.init(yTrue: [.nan], yPred: [1])) == nil)
    let one = try #require(PredictionSummary(.init(yTrue: [3], yPred: [3])))
    #expect(one.rows == 1)
    #expect(one.tenths.count == 1)
  }
}
