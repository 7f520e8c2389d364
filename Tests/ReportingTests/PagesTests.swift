// The pages as files, for golden comparison and for a look with a browser.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import Reporting

@Suite struct PagesTests {
  static let pages: [(name: String, input: RunReport.Input)] = [
    ("passed", Sample.input), ("evaluated", Sample.evaluatedInput), ("failed", Sample.failedInput), ("plain", Sample.plainInput),
  ]

  @Test(arguments: pages.map(\.name)) func `pages are as expected`(name: String) throws {
    let page = try #require(Self.pages.first { $0.name == name })
    let report = RunReport.document(page.input)
    for (text, file) in [(HTMLText.render(report), name + ".html"), (MarkdownText.render(report), name + ".md")] {
      let problem = goldenMismatch(text, file)
      #expect(problem == nil, "\(problem ?? "")")
    }
  }

  /// Set PIPE_REPORT_PAGES to a folder to get the pages there.
  @Test func `pages keep the contract and have every section in both forms`() throws {
    for page in Self.pages + [("missed", Sample.missedInput)] {
      let report = RunReport.document(page.input)
      let (html, markdown) = (HTMLText.render(report), MarkdownText.render(report))
      #expect(ReportContract.findings(in: html).map { "\(page.name):\($0.line): \($0.rule): \($0.message)" } == [])
      #expect(!report.sections.isEmpty)
      for section in report.sections {
        #expect(html.contains("id=\(section.id)") || html.contains("id=\"\(section.id)\""), "\(page.name): \(section.id)")
        #expect(markdown.contains(section.title), "\(page.name): \(section.title)")
      }
      guard let folder = ProcessInfo.processInfo.environment["PIPE_REPORT_PAGES"] else { continue }
      let url = URL(fileURLWithPath: folder)
      try url.write(html, to: page.name + ".html")
      try url.write(markdown, to: page.name + ".md")
    }
  }
}
