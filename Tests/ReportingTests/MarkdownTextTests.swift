// The report as a comment.
// SPDX-License-Identifier: Apache-2.0
import SourceControl
import TestSupport
import Testing
import Tracking

@testable import Reporting

@Suite struct MarkdownTextTests {
  private static let page = MarkdownText.render(RunReport.document(Sample.input))
  private var text: String { Self.page }

  @Test func `it begins with its mark, then title and verdict`() {
    #expect(text.hasPrefix("<!-- pipe:report Delivery ETA -->\n# Delivery ETA\n"))
    #expect(text.contains("**✓ All 4 gates hold**"))
    #expect(text.contains("| MAE is under 3 min | 2.10\u{A0}min | ≤ 3\u{A0}min | ✓ holds |"))
  }

  @Test func `the graph is a mermaid chart with marks`() {
    #expect(text.contains("```mermaid\nflowchart TD\n\tnode1[\"✓ simulate\"]\n"))
    #expect(text.contains("\tnode1-->node2\n"))
  }

  @Test func `it has no image and no drawing`() {
    #expect(!text.contains("!["))
    #expect(!text.contains("<svg") && !text.contains("<img"))
  }

  @Test func `sections that do not fit are left out whole and named`() {
    let report = RunReport.document(Sample.input)
    let short = MarkdownText.render(report, for: .github, limit: 9_000)
    #expect(short.count <= 9_000)
    #expect(short.contains("## Metrics"))
    #expect(!short.contains("## Stages"))
    #expect(short.contains("> Left out for length: "))
    #expect(short.split(separator: "\n").last?.contains("Stages") == true)
    #expect(text.count <= 65_536)
    #expect(!text.contains("Left out for length"))
  }

  @Test func `a very large pipeline keeps within the limit`() {
    var input = Sample.input
    input.run.stages = (0..<2_000).map { number in
      var stage = Sample.stage("train", 3, parameters: ["p\(number)": "1"])
      stage.name = "stage_\(number)"
      return stage
    }
    input.run.git?.dirtyPaths = (0..<5_000).map { "file_\($0)" }
    let text = MarkdownText.render(RunReport.document(input))
    #expect(text.count <= 65_536)
    #expect(text.contains("All 4 gates hold"))
  }

  @Test func `a section of many lines is kept up to the last character that there is room for`() throws {
    func report(rows: Int, last: String) -> Report {
      let cells = (0..<rows).map { [[Report.Inline.text("row \($0)")], [.code("a|b é")]] } + [[[.text(last)], [.text("")]]]
      return Report(
        title: "T", summary: nil, verdict: .init(tone: .good, headline: "H", blocks: []), runFacts: .init(line: [], blocks: []),
        sections: [
          .init(
            id: "a", title: "A", priority: 1,
            blocks: [.table(Report.Table(caption: "C", columns: [.init("X"), .init("Y")], rows: cells))])
        ])
    }
    let limit = 20_000
    func isKept(_ last: Int) -> Bool {
      MarkdownText.render(report(rows: 600, last: String(repeating: "x", count: last)), for: .github, limit: limit).contains(
        "## A\n")
    }
    // Three quarters of the limit, less the head and what is kept for naming what is left out.
    let whole = MarkdownText.render(report(rows: 600, last: ""), for: .github, limit: nil)
    let head = whole.prefix(upTo: try #require(whole.firstRange(of: "## A")).lowerBound)
    let room =
      15_000 - RunReport.withoutRunFacts(String(head)).unicodeScalars.count - 86
      - (whole.unicodeScalars.count - head.unicodeScalars.count)
    #expect(room > 0)
    #expect(isKept(room))
    #expect(!isKept(room + 1))
  }

  @Test(arguments: MarkdownText.Target.allCases) func `every target begins with the mark and keeps its limit`(
    target: MarkdownText.Target
  ) {
    var input = Sample.input
    input.run.stages = (0..<4_000).map { number in
      var stage = Sample.stage("train", 3, parameters: ["ä\(number)": "1"])
      stage.name = "stage_\(number)"
      return stage
    }
    let text = MarkdownText.render(RunReport.document(input), for: target)
    #expect(text.hasPrefix("<!-- pipe:report Delivery ETA -->\n"))
    switch target {
    case .github: #expect(text.unicodeScalars.count <= 65_536 && text.contains("> Left out for length: "))
    case .gitlab: #expect(text.unicodeScalars.count <= 1_000_000 && text.unicodeScalars.count > 65_536)
    case .stepSummary: #expect(text.utf8.count < 1_048_574 && text.utf8.count > 65_536)
    case .plain: #expect(!text.contains("Left out for length"))
    }
  }

  @Test func `plain Markdown has no HTML and no Mermaid`() {
    let text = MarkdownText.render(RunReport.document(Sample.input), for: .plain)
    #expect(!text.contains("<details") && !text.contains("<br>") && !text.contains("```mermaid"))
    #expect(text.contains("**Run facts: when, where, how long**"))
    #expect(text.contains("simulate\n"))
  }

  @Test func `text means itself`() {
    #expect(MarkdownWriter.escaped("a*b_c|d <e> #1 @team\nf") == "a\\*b\\_c\\|d &lt;e&gt; \\#1 @\u{2060}team f")
  }

  @Test func `a fence is longer than those inside`() {
    var writer = MarkdownWriter()
    writer.write(.code("a\n````\nb", language: "x y"), level: 1)
    #expect(writer.text == "`````xy\na\n````\nb\n`````\n\n")
  }

  @Test func `prose keeps its form and loses its power`() {
    #expect(MarkdownWriter.quieted("# Top\n<details>\n![x](y)\n**b**") == "#### Top\n&lt;details>\n!\u{2060}[x](y)\n**b**")
    #expect(MarkdownWriter.quieted("```\n<b>") == "```\n<b>\n```")
  }

  @Test func `emphasis leaves the space outside`() {
    var writer = MarkdownWriter()
    writer.write(.paragraph([.strong("A. "), .text("b")]), level: 1)
    #expect(writer.text == "**A.** b\n\n")
  }

  @Test func `literals of a message are code`() {
    #expect([Report.Inline].message("`a` changed, `b`") == [.code("a"), .text(" changed, "), .code("b")])
    #expect([Report.Inline].message("a ` alone") == [.text("a ` alone")])
  }

  @Test func `a code span holds bars and ticks`() {
    var writer = MarkdownWriter()
    writer.write(.table(.init(caption: "c", columns: [.init("a")], rows: [[[.code("x|y")]], [[.code("`")]]])), level: 1)
    #expect(writer.text.contains("| `x\\|y` |\n| `` ` `` |\n"))
  }
}
