// A person's Markdown as harmless HTML.
// SPDX-License-Identifier: Apache-2.0
import Reporting
import Testing

@Suite struct ProseTextTests {
  @Test func `headings go below the section's level`() {
    #expect(
      ProseText.html("# One\n## Two\n#### Four #\n#no", topLevel: 4) == "<h4>One</h4>\n<h5>Two</h5>\n<h6>Four</h6>\n<p>#no</p>\n")
    #expect(ProseText.html("# Data\n\n## Rows {#sec-rows}\n") == "<h4>Data</h4>\n<h5>Rows</h5>\n")
    #expect(ProseText.html("## Data {#sec-data}") == "<h4>Data</h4>\n")
    #expect(ProseText.html("## A\n#### B\n## C\n") == "<h4>A</h4>\n<h5>B</h5>\n<h4>C</h4>\n")
  }

  @Test func `paragraphs keep emphasis, code and breaks`() {
    #expect(
      ProseText.html("A *b* **c** ***d*** `e < f` _g_ snake_case_name 2 * 3 * 4")
        == "<p>A <em>b</em> <strong>c</strong> <strong><em>d</em></strong> <code>e &lt; f</code> <em>g</em> snake_case_name 2 * 3 * 4</p>\n"
    )
    #expect(ProseText.html("one  \ntwo\nthree") == "<p>one<br>two\nthree</p>\n")
    #expect(ProseText.html("**bold with *nested* text**") == "<p><strong>bold with <em>nested</em> text</strong></p>\n")
    #expect(ProseText.html("``a ` b`` and \\*plain\\* ~~gone~~") == "<p><code>a ` b</code> and *plain* <del>gone</del></p>\n")
  }

  @Test func `lists nest and count on`() {
    #expect(
      ProseText.html("- a\n- b\n  - c\n  - d\n\n3. x\n4. y")
        == "<ul>\n<li>a</li>\n<li><p>b</p>\n<ul>\n<li>c</li>\n<li>d</li>\n</ul>\n</li>\n</ul>\n<ol start=\"3\">\n<li>x</li>\n<li>y</li>\n</ol>\n"
    )
  }

  @Test func `a year at the start of a line is no list`() {
    #expect(ProseText.html("It was in\n2019. Then came\nthe rest") == "<p>It was in\n2019. Then came\nthe rest</p>\n")
  }

  @Test func `fenced code is text`() {
    #expect(
      ProseText.html("```sql\nselect '<b>'\n\n*x*\n```\nafter")
        == "<pre tabindex=0><code>select '&lt;b&gt;'\n\n*x*</code></pre>\n<p>after</p>\n")
    #expect(ProseText.html("```\nopen") == "<pre tabindex=0><code>open</code></pre>\n")
  }

  @Test func `tables have headers with scope`() {
    #expect(
      ProseText.html("| a | b |\n|:--|--:|\n| `x\\|y` | 2 |\n| only |") == """
        <div class=scroll role=region tabindex=0 aria-label=Table><table>
        <thead><tr><th scope=col>a</th><th scope=col class=num>b</th></tr></thead>
        <tbody>
        <tr><td><code>x|y</code></td><td class=num>2</td></tr>
        <tr><td>only</td><td class=num></td></tr>
        </tbody></table></div>

        """)
  }

  @Test func `quotes hold blocks`() {
    #expect(
      ProseText.html("> # Note\n> text\nmore\n\nout")
        == "<blockquote>\n<h4>Note</h4>\n<p>text\nmore</p>\n</blockquote>\n<p>out</p>\n")
  }

  @Test func `links lead to the web, to mail or beside the page`() {
    #expect(
      ProseText.html("[a](https://example.org/x?y=1&z=2)")
        == "<p><a href=\"https://example.org/x?y=1&amp;z=2\" rel=\"noreferrer\">a</a></p>\n")
    #expect(ProseText.html("[a](../docs/kit.md \"title\")") == "<p><a href=\"../docs/kit.md\" rel=\"noreferrer\">a</a></p>\n")
    #expect(
      ProseText.html("<mailto:a@example.org>")
        == "<p><a href=\"mailto:a@example.org\" rel=\"noreferrer\">mailto:a@example.org</a></p>\n")
  }

  @Test(arguments: [
    "javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "vbscript:x", "//evil.example", "/\\evil.example",
    "java\tscript:x",
    "file:///etc/passwd", " javascript:x", "\u{1}javascript:x", "", "a b",
  ])
  func `other addresses are dropped`(address: String) {
    #expect(!ProseText.html("[a](\(address))").contains("<a "))
  }

  @Test func `images and raw HTML become text`() {
    #expect(ProseText.html("![a plot](https://example.org/x.png)") == "<p><span class=\"muted\">[image: a plot]</span></p>\n")
    #expect(
      ProseText.html("<script>alert(1)</script> <b onclick=x>")
        == "<p>&lt;script&gt;alert(1)&lt;/script&gt; &lt;b onclick=x&gt;</p>\n")
  }

  @Test func `attributes cannot be broken out of`() {
    let html = ProseText.html("[a](https://e.org/\"onmouseover=alert(1)) `\"><script>` *\"><img src=x>*")
    #expect(!html.contains("<script") && !html.contains("<img") && !html.contains("\"onmouseover"))
  }

  @Test(arguments: ["[", "*", "`", "> ", "- ", "<", "**a ", "_a ", "![", "1. ", "|-"])
  func `hostile repetition ends soon`(piece: String) {
    let clock = ContinuousClock()
    let time = clock.measure { _ = ProseText.html(String(repeating: piece, count: 2_000)) }
    #expect(time < .seconds(60))
  }
}
