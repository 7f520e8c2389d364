// What a report says, in which order.
// SPDX-License-Identifier: Apache-2.0
import Evaluation
import Foundation
import TestSupport
import Testing
import Tracking

@testable import Reporting

@Suite struct RunReportTests {
  private func sections(_ input: RunReport.Input) -> [String] { RunReport.document(input).sections.map(\.title) }

  @Test func `gates that hold are the verdict`() {
    let verdict = RunReport.document(Sample.input).verdict
    #expect(verdict.tone == .good)
    #expect(verdict.headline == "All 4 gates hold")
    guard case .paragraph(let line)? = verdict.blocks.first else {
      Issue.record("no line on the model")
      return
    }
    #expect(
      line.plainText.replacing("\u{A0}", with: " ")
        == "eta, registered as version 4: MAE 2.104 min (95% CI 2.081–2.127) on 29,874 rows; against the previous run "
        + "−0.085 min [−0.119, −0.052], ✓ better.")
  }

  @Test func `a missed gate is the verdict, even where a stage failed because of it`() {
    let report = RunReport.document(Sample.missedInput)
    #expect(report.verdict.tone == .bad)
    #expect(report.verdict.headline == "1 of 5 gates is missed")
    let tables = report.verdict.blocks.compactMap { if case .table(let table) = $0 { table } else { nil } }
    // The missed one first, with decimals that show that it is past its bound.
    #expect(tables.first?.rows.first?.map(\.plainText) == ["MAE is under 2 min", "2.0004\u{A0}min", "≤ 2\u{A0}min", "✗ missed"])
    #expect(report.sections.first?.title == "What failed")
  }

  @Test func `a failed stage comes first, with its cell and what was not run`() {
    let report = RunReport.document(Sample.failedInput)
    #expect(report.verdict.headline == "Stage train failed")
    #expect(report.verdict.tone == .bad)
    let markdown = MarkdownText.render(report)
    #expect(markdown.contains("cell 2 (stages/train.qmd:18) ended with exit status 1"))
    #expect(markdown.contains("pipe kit: error: `rounds` is 0; at least 1 is needed"))
    #expect(markdown.contains("Not run because of that: `evaluate`, `register`, `backtest`."))
    #expect(
      sections(Sample.failedInput) == [
        "What failed", "Changes since the previous run", "Data quality", "Pipeline", "Stages", "Provenance",
      ])
  }

  @Test func `a failed command shows the end of its log`() {
    var input = Sample.plainInput
    input.run.outcome = .failed
    input.run.stages[0].outcome = .failed
    input.run.stages[0].failure = "exit status 3"
    input.run.stages[1].outcome = .skipped
    input.contents["simulate"] = .init(logTail: (1...100).map { "line \($0)" }.joined(separator: "\n") + "\n\n")
    guard let first = RunReport.document(input).sections.first else { return }
    #expect(first.title == "What failed")
    let logs = first.blocks.compactMap { if case .log(let text, _, _) = $0 { text } else { nil } }
    #expect(logs.first?.hasPrefix("line 61\n") == true)
    #expect(logs.first?.hasSuffix("line 100") == true)
  }

  @Test func `all sections stand in a reviewer's order`() {
    #expect(
      sections(Sample.input) == [
        "Metrics", "Changes since the previous run", "Slices", "Importance", "Backtest", "Data quality",
        "Pipeline",
        "Stages", "Provenance",
      ])
  }

  @Test func `what was evaluated is not told again from the stage's document`() throws {
    let report = RunReport.document(Sample.evaluatedInput)
    #expect(
      report.sections.map(\.title) == [
        "Evaluation", "Metrics", "Changes since the previous run", "Importance", "Data quality", "Pipeline", "Stages",
        "Provenance",
      ])
    // The document's baseline is told: nobody else knows it. So is the smallest error, but no metric of this run again.
    let metrics = try #require(report.sections.first { $0.id == "metrics" })
    let captions = metrics.blocks.compactMap { if case .table(let table) = $0 { table.caption } else { nil } }
    #expect(captions == ["Against the baseline: median of the zone pair"])
    let lines = report.verdict.blocks.compactMap { if case .paragraph(let line) = $0 { line.plainText } else { nil } }
    #expect(lines.count == 1 && lines[0].hasPrefix("eta, registered as version 4: MAE "), "\(lines)")
  }

  @Test func `a page draws each thing once`() {
    let page = HTMLText.render(RunReport.document(Sample.evaluatedInput))
    for title in ["Predicted and actual", "Residuals over predicted", "Coverage of the interval by prediction", "MAE by weather"]
    {
      #expect(page.components(separatedBy: ">\(title)</title>").count == 2, "\(title)")
    }
  }

  @Test func `without learning there is still a report`() {
    let report = RunReport.document(Sample.plainInput)
    #expect(report.verdict.headline == "All 2 stages are done")
    #expect(sections(Sample.plainInput) == ["Pipeline", "Stages", "Provenance"])
  }

  @Test(arguments: [
    (RunRecord.Outcome.interrupted, StageRecord.Outcome.interrupted, "The run was interrupted", Report.Tone.caution),
    (.finished, .upToDate, "All 2 stages are done", .good), (.failed, .failed, "Stage simulate failed", .bad),
    (.failed, .ran, "The run failed", .bad), (.finished, .skipped, "1 of 2 stages have no result", .caution),
  ])
  func `the verdict follows the outcome`(
    run: RunRecord.Outcome, stage: StageRecord.Outcome, headline: String, tone: Report.Tone
  ) {
    var input = Sample.plainInput
    input.run.outcome = run
    input.run.stages[0].outcome = stage
    let verdict = RunReport.document(input).verdict
    #expect(verdict.headline == headline)
    #expect(verdict.tone == tone)
  }

  @Test func `changes name parameters, inputs, commands and stages`() {
    var now = Sample.run
    var then = Sample.previous
    then.stages[0].dependencies[0].digest = "sha256:1111"
    now.stages[1].command = ["stages/clean.qmd"]
    then.stages[6].name = "walk"
    let changes = RunChanges(now: now, then: then)
    #expect(changes.parameters == [.init(key: "train.max_depth", then: "6", now: "8")])
    #expect(changes.inputs.map(\.path) == ["data/zones.csv"])
    #expect(changes.commands == ["prepare"])
    #expect(changes.added == ["backtest"])
    #expect(changes.removed == ["walk"])
    #expect(changes.outputs == ["data/train"])
  }

  @Test func `a failed run does not take unmade outputs for inputs`() {
    #expect(RunChanges(now: Sample.failedInput.run, then: Sample.previous).inputs == [])
  }

  @Test func `a difference without evidence is grey and unpaired`() throws {
    let metrics = try #require(RunReport.document(Sample.input).sections.first { $0.id == "metrics" })
    guard case .table(let table)? = metrics.blocks.first else {
      Issue.record("no table")
      return
    }
    #expect(table.columns.map(\.title) == ["Metric", "This run", "Difference", "Previous run"])
    let rmse = table.rows[1][2]
    #expect(rmse.plainText.replacing("\u{A0}", with: " ") == "−0.028 min [−0.089, +0.032] no evidence of change (unpaired)")
    #expect(rmse.allSatisfy { if case .muted = $0 { true } else { $0 == .lineBreak } })
    #expect(table.rows[3][2].plainText == "no difference")
    #expect(table.rows[5][2].plainText == "–")
  }

  @Test func `a paired difference is used where there is one`() throws {
    var input = Sample.input
    input.pairedWithPrevious = [
      .init(
        metric: "rmse", difference: -0.0284, low: -0.0301, high: -0.0267, level: 0.95, rows: 29_874, method: "paired bootstrap")
    ]
    let markdown = MarkdownText.render(RunReport.document(input)).replacing("\u{A0}", with: " ")
    #expect(markdown.contains("−0.028 min<br>\\[−0.030, −0.027\\]<br>✓ better"))
    #expect(markdown.contains("Paired differences: paired bootstrap, 29,874 rows."))
  }

  @Test func `of many slices the surely bad ones are drawn`() throws {
    var input = Sample.input
    input.evaluation?.slices = (0..<60).map { number in
      // The last has the worst value and the widest interval.
      let value = number == 59 ? 9 : 2 + Double(number) / 100
      let half = number == 59 ? 8.5 : 0.1
      return SliceEstimate(
        column: "zone", value: "Z\(number)", rows: number == 59 ? 2 : 500,
        metric: Sample.metric("mae", "MAE", value, value - half, value + half))
    }
    let section = try #require(RunReport.document(input).sections.first { $0.id == "slices" })
    guard case .figures(let figures)? = section.blocks.first, case .bands(let names)? = figures.first?.chart.panels[0].y.scale
    else {
      Issue.record("no figure")
      return
    }
    #expect(names.count == 12)
    #expect(names.first == "Z58 (500)")
    #expect(!names.contains { $0.hasPrefix("Z59") })
    #expect(figures[0].data.rows.count == 60)
  }

  @Test func `a failure of many lines is not run together`() throws {
    var input = Sample.failedInput
    input.run.stages[3].failure = "stage `train` failed: exit status 1\ncause: line one\n  line two"
    func blocks(_ input: RunReport.Input) -> [Report.Block] { RunReport.document(input).sections.first?.blocks ?? [] }
    let note = Report.Block.note(.bad, [.text("stage "), .code("train"), .text(" failed: exit status 1")])
    #expect(blocks(input).contains(note))
    #expect(!MarkdownText.render(RunReport.document(input)).contains("line two"))
    input.contents["train"] = nil
    #expect(blocks(input).contains(note))
    #expect(blocks(input).contains(.log("cause: line one\n  line two", label: "", tone: .bad)))
  }

  @Test func `a comparison across different data says so`() {
    func notes(_ input: RunReport.Input) -> [String] {
      RunReport.document(input).sections.first { $0.id == "metrics" }?.blocks.compactMap {
        if case .note(.caution, let text) = $0 { text.plainText } else { nil }
      } ?? []
    }
    var input = Sample.input
    #expect(notes(input) == [])
    input.previous?.stages[0].dependencies[0].digest = "sha256:1111"
    #expect(
      notes(input) == ["Input data changed since the previous run: the differences may be those of model and data together."])
    input.previousEvaluation?.rows = 28_114
    #expect(
      notes(input) == [
        "The previous run was evaluated on 28,114 rows, this one on 29,874: the differences are those of model and data together."
      ])
  }

  @Test func `stages that differ only in signs have places of their own`() {
    let anchors = StageAnchors(["a_b", "a-b", "a b"])
    #expect(["a_b", "a-b", "a b"].map { anchors[$0] } == ["stage-a-b", "stage-a-b-2", "stage-a-b-3"])
  }

  @Test func `a bar counts in eighths`() {
    #expect(RunReport.bar(10, of: 10) == "██████████")
    #expect(RunReport.bar(0.001, of: 10) == "▏")
    #expect(RunReport.bar(5.5, of: 10) == "█████▌")
    #expect(RunReport.bar(0, of: 10) == "")
  }
}
