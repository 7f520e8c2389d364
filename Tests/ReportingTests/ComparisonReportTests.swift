// A run beside others: what is said of the differences.
// SPDX-License-Identifier: Apache-2.0
import Evaluation
import TestSupport
import Testing
import Tracking

@testable import Reporting

@Suite struct ComparisonReportTests {
  private func paired(_ metric: String, p: Double, reading: ChangeReading) -> PairedDifference {
    var paired = PairedDifference(
      metric: metric, difference: -0.1, low: -0.2, high: -0.01, level: 0.95, rows: 100, method: "paired percentile bootstrap")
    (paired.test, paired.p, paired.adjusted, paired.reading) = ("paired bootstrap", p, p, reading)
    return paired
  }

  private func evaluated(_ side: Int, p: Double, slice: Double = 2) -> ComparisonReport.Evaluated {
    var document = EvaluationDocument(
      task: "regression", model: "eta", unit: "min", rows: 100, metrics: [Sample.metric("mae", "MAE", 2.0, 1.9, 2.1)],
      baseline: .init(name: "main", metrics: [Sample.metric("mae", "MAE", 2.1, 2.0, 2.2)]))
    func estimate(_ value: String, _ mae: Double) -> SliceEstimate {
      SliceEstimate(column: "weather", value: value, rows: 50, metric: Sample.metric("mae", "MAE", mae, mae - 0.1, mae + 0.1))
    }
    document.slices = [estimate("clear", 2), estimate("rain", slice), estimate("new", 1)]
    var result = EvaluationResult(document: document, paired: [paired("mae", p: p, reading: .better)])
    result.pairing = Pairing(shared: 100, onlyCurrent: 0, onlyReference: 0)
    return .init(
      side: side, model: .init(name: "eta", result: result, reference: side == 0 ? "main" : "v1"),
      referenceSlices: [estimate("clear", 2.05), estimate("rain", 2)])
  }

  private func input(_ evaluations: [ComparisonReport.Evaluated]) -> ComparisonReport.Input {
    var input = ComparisonReport.Input(
      title: "Delivery ETA", current: .init(name: "this run", run: Sample.run, metrics: ["m.json": ["mae": 2, "rows": 9]]),
      others: [
        .init(name: "main", run: Sample.previous, metrics: ["m.json": ["mae": 2.5, "rows": 9]]),
        .init(name: "v1", run: Sample.run, metrics: ["m.json": ["mae": 2, "rows": 9]]),
      ])
    input.evaluations = evaluations
    return input
  }

  @Test func `parameters, data and figures stand side by side`() throws {
    let report = ComparisonReport.document(input([]))
    #expect(report.verdict.headline == "1 parameter differs")
    let text = MarkdownText.render(report, for: .plain)
    #expect(text.contains("| `train.max_depth` | `8` | `6` | `8` |"), "\(text)")
    #expect(text.contains("| this run | main | v1 |") && !text.contains("| `rows`"))
    #expect(text.contains("Outputs that differ from main: `data/train`."))
  }

  @Test func `what is the same is counted in words that fit`() {
    func said(_ now: [String: String], _ then: [String: String]) -> String {
      var (run, other) = (Sample.run, Sample.run)
      for place in run.stages.indices { (run.stages[place].parameters, other.stages[place].parameters) = ([:], [:]) }
      (run.stages[0].parameters, other.stages[0].parameters) = (now, then)
      let input = ComparisonReport.Input(
        title: "T", current: .init(name: "this run", run: run, metrics: [:]),
        others: [.init(name: "main", run: other, metrics: [:])])
      return MarkdownText.render(ComparisonReport.document(input), for: .plain)
    }
    #expect(said(["a": "1"], ["a": "1"]).contains("The only parameter is the same."))
    #expect(said(["a": "1", "b": "1"], ["a": "1", "b": "1"]).contains("All 2 parameters are the same."))
    #expect(said(["a": "1", "b": "1"], ["a": "2", "b": "1"]).contains("The only other is the same."))
    #expect(!said(["a": "1"], ["a": "2"]).contains("other"))
    #expect(said(["a": "1", "b": "1"], ["a": "2", "b": "2"]).contains("2 parameters differ"))
  }

  @Test func `tests of all sides are corrected together`() {
    // 0.03 alone is evidence; of two such tests Holm asks for 0.025.
    #expect(
      ComparisonReport.document(input([evaluated(0, p: 0.03)])).verdict.headline == "Better in 1 of 1 comparison, worse in none")
    let both = ComparisonReport.document(input([evaluated(0, p: 0.03), evaluated(1, p: 0.03)]))
    #expect(both.verdict.headline == "No evidence of a difference in 2 comparisons" && both.verdict.tone == .neutral)
    let one = ComparisonReport.document(input([evaluated(0, p: 0.03), evaluated(1, p: 0.02)]))
    #expect(one.verdict.headline == "Better in 2 of 2 comparisons, worse in none")
  }

  @Test func `slices with evidence come first, and those that only one side has are left out`() {
    let changes = ComparisonReport.sliceChanges(evaluated(0, p: 0.01, slice: 3))
    #expect(changes.map(\.slice.value) == ["rain", "clear"])
    #expect(changes.map(\.change.reading) == [.worse, .noEvidence])
  }

  @Test func `the page keeps the contract`() {
    let page = HTMLText.render(ComparisonReport.document(input([evaluated(0, p: 0.01), evaluated(1, p: 0.5)])))
    #expect(ReportContract.findings(in: page) == [])
  }
}
