// One block holds all that differs between two runs of the same inputs.
// SPDX-License-Identifier: Apache-2.0
import SourceControl
import TestSupport
import Testing
import Tracking

@testable import Reporting

@Suite struct RunFactsTests {
  /// The same inputs in another clone, on another day and machine, from the cache.
  private var elsewhere: RunReport.Input {
    var input = Sample.input
    input.run.id = "20270101T000000Z-ffffff"
    input.run.startedAt = "2027-01-01T00:00:00.000Z"
    input.run.finishedAt = "2027-01-01T00:10:00.000Z"
    input.run.durationSeconds = 600
    input.run.command = ["pipe", "repro"]
    input.run.pipeVersion = "0.2.0"
    input.run.host = .init(name: "other", system: "another", processor: "aarch64", cores: 64)
    input.run.git = GitSnapshot(commit: nil, branch: nil, remote: nil, dirtyPaths: ["a", "b"], diffDigest: "sha256:bb")
    input.previous?.id = "20270101T000000Z-000000"
    input.previous?.git = nil
    for index in input.run.stages.indices {
      input.run.stages[index].outcome = index == 0 ? .frozen : .restored
      input.run.stages[index].reasons = ["outputs were missing"]
      input.run.stages[index].durationSeconds = 1.5
      input.run.stages[index].peakMemoryBytes = nil
      input.run.stages[index].trace = "sha256:77"
    }
    input.reproduce = ["pipe verify --elsewhere"]
    for index in input.graph.nodes.indices { input.graph.nodes[index].status = index % 2 == 0 ? .cached : .ran }
    return input
  }

  @Test func `pages of the same inputs are equal without their run facts`() {
    let (a, b) = (RunReport.document(Sample.input), RunReport.document(elsewhere))
    #expect(HTMLText.render(a) != HTMLText.render(b))
    #expect(RunReport.withoutRunFacts(HTMLText.render(a)) == RunReport.withoutRunFacts(HTMLText.render(b)))
    #expect(MarkdownText.render(a) != MarkdownText.render(b))
    #expect(RunReport.withoutRunFacts(MarkdownText.render(a)) == RunReport.withoutRunFacts(MarkdownText.render(b)))
  }

  @Test func `stages that were executed stand along the clock, those of older records do not`() throws {
    var input = Sample.plainInput
    #expect(!HTMLText.render(RunReport.document(input)).contains("Stages over time"))
    for index in 0..<2 {
      input.run.stages[index].outcome = .ran
      input.run.stages[index].startedAfter = Double(index) * 3.5
    }
    let page = HTMLText.render(RunReport.document(input))
    #expect(page.contains("Stages over time") && !RunReport.withoutRunFacts(page).contains("Stages over time"))
    // 3.5 s after the run began, and 5.04 s long: 8.54 in all.
    #expect(page.contains("8.5 s in all; stages took 8.3 s together."), "\(page.prefix(12_000))")
  }

  @Test func `nothing of time and place is left`() {
    for text in [HTMLText.render(RunReport.document(Sample.input)), MarkdownText.render(RunReport.document(Sample.input))] {
      let rest = RunReport.withoutRunFacts(text)
      for fact in [
        "3f2c1a9b04", "2026-11-21", "workbench", "20261121T093012Z", "20261120T181502Z", "38.2 s", "notes.md", "91be2",
      ] {
        #expect(text.contains(fact))
        #expect(!rest.contains(fact), "\(fact)")
      }
    }
  }

  @Test func `the block is one, also when a title tries to make another`() {
    let html = HTMLText.render(RunReport.document(ReportRulesTests.hostile))
    #expect(html.split(separator: RunReport.factsBegin).count == 2)
    #expect(html.split(separator: RunReport.factsEnd).count == 2)
    let markdown = MarkdownText.render(RunReport.document(ReportRulesTests.hostile))
    let begin = markdown.firstRange(of: RunReport.factsBegin)
    let end = markdown.firstRange(of: RunReport.factsEnd)
    #expect(begin != nil && end != nil && begin!.upperBound < end!.lowerBound)
    #expect(markdown[begin!.upperBound..<end!.lowerBound].contains("</details>"))
  }

  @Test func `a text without the block stays as it is`() {
    #expect(RunReport.withoutRunFacts("abc") == "abc")
    #expect(RunReport.withoutRunFacts("a" + RunReport.factsBegin + "b") == "a" + RunReport.factsBegin + "b")
  }
}
