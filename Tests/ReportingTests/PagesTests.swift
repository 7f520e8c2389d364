// The pages as files, for golden comparison and for a look with a browser.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Reporting
import TestSupport
import Testing

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
  @Test func `pages for a look`() throws {
    guard let folder = ProcessInfo.processInfo.environment["PIPE_REPORT_PAGES"] else { return }
    let url = URL(fileURLWithPath: folder)
    for page in Self.pages + [("missed", Sample.missedInput)] {
      let report = RunReport.document(page.input)
      try url.write(HTMLText.render(report), to: page.name + ".html")
      try url.write(MarkdownText.render(report), to: page.name + ".md")
    }
  }
}
