// Text of unknown origin.
// SPDX-License-Identifier: Apache-2.0
import Reporting
import Testing

@Suite struct PlainTextTests {
  @Test func `markup and control characters do not get through`() {
    #expect(
      PlainText.escaped("<a href=\"x\" b='y'>&\u{0}\u{202E}\u{7F}\n") == "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;\n")
  }

  @Test func `quotation marks stand for themselves in an element, not in an attribute`() {
    #expect(PlainText.content("<a href=\"x\" b='y'>&\u{0}") == "&lt;a href=\"x\" b='y'&gt;&amp;")
  }

  @Test func `terminal codes leave what a terminal would show`() {
    #expect(PlainText.withoutTerminalCodes("\u{1B}[1;32mok\u{1B}[0m done") == "ok done")
    #expect(PlainText.withoutTerminalCodes("10%\r50%\r100%\nend\r\n") == "100%\nend\n")
    #expect(PlainText.withoutTerminalCodes("\u{1B}]8;;https://e.org\u{1B}\\link\u{1B}]8;;\u{7}!") == "link!")
    #expect(PlainText.withoutTerminalCodes("ab\u{8}c\u{1B}") == "ac")
  }

  @Test func `long text keeps its ends`() {
    let text = (1...10).map(String.init).joined(separator: "\n")
    #expect(PlainText.shortened(text, lines: 4) == "1\n2\n… 6 lines left out …\n9\n10")
    #expect(PlainText.shortened("a\n\n", lines: 4) == "a")
    #expect(PlainText.shortened("abcdef", lineLength: 3) == "abc … (6 characters)")
  }

  @Test func `a slug is fit for an id`() {
    #expect(PlainText.slug("train@fold 3/é") == "train-fold-3")
    #expect(PlainText.slug("///") == "x")
  }
}
