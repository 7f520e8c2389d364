// HTML from cells, made harmless.
// SPDX-License-Identifier: Apache-2.0
import Reporting
import Testing

@Suite struct ForeignHTMLTests {
  private func inner(_ html: String) -> String {
    let text = ForeignHTML.sanitised(html)
    let opening = "<div class=scroll role=region tabindex=0 aria-label=Output>"
    return String(text.dropFirst(opening.count).dropLast("</div>".count))
  }

  @Test func `a data frame keeps its table and loses its attributes`() {
    #expect(
      inner(
        "<style scoped>.dataframe{color:red}</style><table border=\"1\" class=\"dataframe\"><tr style='x'><th colspan=\"2\">a</th></tr><tr><td>1 &lt; 2</td></tr></table>"
      ) == "<table><tr><th colspan=\"2\">a</th></tr><tr><td>1 &lt; 2</td></tr></table>")
  }

  @Test(arguments: [
    ("<script>alert(1)</script>x", "x"), ("<img src=x onerror=alert(1)>x", "x"), ("<b onclick='a>b'>x</b>", "<b>x</b>"),
    ("<SCRIPT >alert(1)</SCRIPT >x", "x"), ("<a href=javascript:x>y</a>", "y"), ("<!-- <b> -->x", "x"),
    ("<iframe srcdoc='<b>'></iframe>x", "x"),
    ("<svg><script>1</script></svg>x", "x"), ("a < b > c", "a &lt; b &gt; c"), ("<b", "&lt;b"), ("<p>x", "<p>x</p>"),
    ("</div></div>x", "x"),
    ("<td rowspan=99999999>x</td>", "<td>x</td>"), ("<b>x</i></b>", "<b>x</b>"), ("<script>never closed", ""),
    ("<%00b>x", "&lt;%00b&gt;x"),
  ])
  func `only harmless elements stay, in balance`(html: String, expected: String) { #expect(inner(html) == expected) }

  @Test func `a page of openings ends soon`() {
    let clock = ContinuousClock()
    let time = clock.measure { _ = ForeignHTML.sanitised(String(repeating: "<a \"", count: 60_001)) }
    #expect(time < .seconds(60))
  }
}
