// What the static check of a page finds, and that our own pages have nothing to find.
// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reporting

@Suite struct ReportContractTests {
  @Test(arguments: ReportRulesTests.pages.map(\.0)) func `our own pages keep the contract`(name: String) throws {
    let page = try #require(ReportRulesTests.pages.first { $0.0 == name }).1
    #expect(ReportContract.findings(in: page).map { "\($0.line): \($0.rule): \($0.message)" } == [])
  }

  static let small = """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
    <title>T</title>
    <style>p{color:red}</style>
    </head>
    <body>
    <a href="#content">Skip</a>
    <header><h1>T</h1></header>
    <main id="content"><h2>A</h2><p>text</p></main>
    <footer>F</footer>
    </body>
    </html>
    """

  @Test func `a small page may be enough`() {
    #expect(ReportContract.findings(in: Self.small) == [])
  }

  @Test(arguments: [
    ("<p>text</p>", "<img src=\"https://a.example/x.png\" alt=\"x\">", "network", 11),
    ("<p>text</p>", "<svg role=\"img\" aria-label=\"x\"><use xlink:href=\"//a.example/x\"/></svg>", "network", 11),
    ("<p>text</p>", "<p style=\"background:url(https://a.example/x)\">t</p>", "network", 11),
    ("p{color:red}", "@import 'https://a.example/x.css';", "network", 6),
    ("<title>T</title>", "<title>T</title><link rel=\"icon\" href=\"favicon.ico\">", "network", 5),
    ("<title>T</title>", "<title>T</title><meta http-equiv=\"refresh\" content=\"0;url=x\">", "network", 5),
    ("<p>text</p>", "<script>1</script>", "script", 11),
    ("<p>text</p>", "<p onclick=\"x()\">text</p>", "script", 11),
    ("<p>text</p>", "<a href=\" java&#10;script:\">x</a><a href=\"JavaScript:x()\">y</a>", "script", 11),
    ("<p>text</p>", "<iframe srcdoc=\"x\"></iframe>", "script", 11),
    ("default-src 'none'; ", "default-src 'none'; connect-src https://a.example; ", "policy", 4),
    ("default-src 'none'; ", "default-src 'self'; ", "policy", 4),
    ("http-equiv=\"Content-Security-Policy\"", "name=\"x\"", "policy", 1),
    (" lang=\"en\"", "", "language", 1),
    ("<h2>A</h2>", "<h3>A</h3>", "headings", 11),
    ("<h2>A</h2>", "<h1>A</h1>", "landmarks", 11),
    ("<main id=\"content\">", "<main id=\"other\">", "skip-link", 9),
    ("<p>text</p>", "<p id=\"content\">text</p>", "ids", 11),
    ("<p>text</p>", "<a href=\"#nowhere\">x</a>", "ids", 11),
    ("<p>text</p>", "<img src=\"data:image/png;base64,AA==\">", "text", 11),
    ("<p>text</p>", "<svg viewBox=\"0 0 1 1\"></svg>", "text", 11),
    ("<p>text</p>", "<table><tr><th scope=\"col\">x</th></tr></table>", "tables", 11),
    ("<p>text</p>", "<table><caption>c</caption><tr><th>x</th></tr></table>", "tables", 11),
    ("<p>text</p>", "<pre>x</pre>", "keyboard", 11),
    ("<p>text</p>", "<div class=\"scroll\">x</div>", "keyboard", 11),
    ("<p>text</p>", "1 < 2", "markup", 11),
  ])
  func `what breaks the contract is found where it stands`(old: String, new: String, rule: String, line: Int) {
    let page = Self.small.replacing(old, with: new)
    #expect(page != Self.small)
    #expect(
      ReportContract.findings(in: page).contains { $0.rule == rule && $0.line == line }, "\(ReportContract.findings(in: page))")
  }

  @Test func `a page that is cut off within a tag is read to its end`() {
    for length in stride(from: 0, to: Self.small.utf8.count, by: 7) {
      let cut = String(decoding: Self.small.utf8.prefix(length), as: UTF8.self)
      #expect(!ReportContract.findings(in: cut).isEmpty)
    }
  }
}
