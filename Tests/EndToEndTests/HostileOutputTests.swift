// What cells put out that means harm: to the reader of the page, to the terminal, to memory.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

struct `Output of cells that means harm` {
  private static let show = """
    class H:
        def __init__(self, kind, text): self.b = {kind: text}
        def _repr_mimebundle_(self, include=None, exclude=None): return self.b
    def show(kind, text): display(H(kind, text))

    """

  private static let html = [
    #"<script>alert("html")</script><p onclick="alert(3)">para</p>"#,
    #"<a href="javascript:alert(4)">link</a><a href=" &#106;avascript:alert(4)">link</a>"#,
    #"<iframe src="http://evil.example/f"></iframe><iframe srcdoc="<script>alert(5)</script>"></iframe>"#,
    #"<meta http-equiv="refresh" content="0;url=http://evil.example/m"><base href="http://evil.example/">"#,
    #"<style>body{background:url(http://evil.example/css)}@import "http://evil.example/i";</style>"#,
    #"<div style="background:url(http://evil.example/inline)">styled</div><link rel=stylesheet href="http://evil.example/l">"#,
    #"<object data="http://evil.example/o"></object><embed src="http://evil.example/e">"#,
    #"<form action="http://evil.example/form"><input autofocus onfocus=alert(6)><button formaction=javascript:alert(7)>"#,
    #"<svg onload=alert(8)><script>alert(9)</script><animate onbegin=alert(10)></svg><math><mtext><script>alert(11)</script>"#,
    #"<details open ontoggle=alert(12)>d</details><video><source onerror=alert(13)></video><img src=x onerror=alert(14)>"#,
    #"<table background="http://evil.example/td"><tr><td onmouseover=alert(15)>cell</td></tr></table></div></main></body>"#,
    #"<scr<script>ipt>alert(16)</scr</script>ipt><<script>alert(17)//<</script><p/onclick=alert(18)><a\nhref=javascript:alert(19)>x"#,
    #"<noscript><p title="</noscript><img src=x onerror=alert(20)>"></noscript><!--><img src=x onerror=alert(21)>-->"#,
    #"<textarea></textarea><title></title><script>alert(22)</script><xmp><script>alert(23)</script></xmp><plaintext>"#,
  ]
  private static let svg = """
    <svg xmlns="http://www.w3.org/2000/svg" onload="alert(30)"><script>alert(31)</script>\
    <image href="http://evil.example/svg.png"/><a href="javascript:alert(32)"><text>x</text></a>\
    <style>@import url(http://evil.example/svg.css);</style><foreignObject><iframe src="http://evil.example/fo"/></foreignObject></svg>
    """

  /// As Python reads it.
  private static func literal(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return String(decoding: (try? encoder.encode(text)) ?? Data(), as: UTF8.self)
  }

  private static var notebook: String {
    """
    ---
    title: <script>alert("title")</script>
    ---
    <script>alert("prose")</script> [click](javascript:alert(40)) ![x](http://evil.example/x.png) <img src=x onerror=alert(41)>
    [a](data:text/html,x) [b]( JaVaScRiPt:alert(42)) [c](java&#115;cript:alert(43)) [d](//evil.example/x) [e](vbscript:x)

    ```{python}
    #| echo: false
    #| fig-cap: <script>alert(44)</script>
    #| fig-alt: '" onerror="alert(45)'
    \(show)
    \(html.map { "show('text/html', \(literal($0)))" }.joined(separator: "\n"))
    show('image/svg+xml', \(literal(svg)))
    show('text/markdown', '<script>alert(46)</script> [x](javascript:alert(47)) ![y](http://evil.example/md.png)')
    show('image/png', '" onerror="alert(48)')
    show('application/javascript', 'alert(49)')
    show('application/vnd.pipe.table+json', '{"columns": ["<script>alert(50)</script>"], "rows": [["<img src=x onerror=alert(51)>"]], "totalRows": 1}')
    show('text/plain', '</pre><script>alert(52)</script>')
    ```

    ```{bash}
    #| label: <b>x</b>
    printf '</pre></main><script>alert(53)</script>\\n```\\n<script>alert(54)</script>\\n'
    printf '\\033[31mred\\033[0m \\033]0;title\\007 \\033]8;;http://evil.example/osc\\033\\\\link\\033]8;;\\033\\\\ \\033[2J\\xc2\\x9b31m \\xe2\\x80\\xae end\\n' >&2
    ```

    """
  }

  /// Every tag of a page with its attributes, as a strict reader finds them.
  private func tags(_ page: String) -> [String] {
    page.matches(of: /<[A-Za-z\/!][^>]*>/).map { String($0.output) }
  }

  /// Nothing on the page runs, loads, or leads where a script could be.
  private func expectHarmless(_ page: String, _ name: String) {
    let body = page.range(of: "<body>").map { String(page[$0.lowerBound...]) } ?? page
    for tag in tags(body) {
      let element = tag.dropFirst().drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber }.lowercased()
      #expect(!Self.never.contains(element), "\(name): \(tag.prefix(200))")
      // Values in quotes taken away, what is left are names.
      let names = tag.replacing(/"[^"]*"/, with: "").lowercased()
      #expect(!names.contains(/\son[a-z]+\s*=/), "\(name): \(tag.prefix(200))")
      if names.contains("style=") { #expect(!tag.lowercased().contains("url("), "\(name): \(tag.prefix(200))") }
      for match in tag.matches(of: /\s(?:href|src|action|formaction|data|background|poster|xlink:href)="([^"]*)"/) {
        let value = String(match.output.1)
        let isOwn =
          value.hasPrefix("#") || value.hasPrefix("data:image/") || value.hasPrefix("http://") || value.hasPrefix("https://")
          || value.hasPrefix("java&amp;#115;cript:")  // A relative address: its ampersand is one.
        #expect(isOwn, "\(name): \(tag.prefix(200))")
        if element != "a" { #expect(!value.hasPrefix("http"), "\(name): \(tag.prefix(200))") }
      }
    }
    #expect(
      !page.contains("evil.example/x.png\"") && !page.contains("\u{1B}") && !page.contains("\u{9B}") && !page.contains("\u{202E}")
    )
  }
  private static let never: Set<String> = [
    "script", "iframe", "object", "embed", "link", "meta", "base", "style", "form", "input", "button", "textarea", "video",
    "audio", "source", "math", "foreignobject", "animate", "noscript", "template", "plaintext", "xmp", "frame", "applet",
  ]

  @Test func `nothing of it is live in the report, in the pages of a notebook, or in a message of failure`() throws {
    try withSite { site in
      try site.write("stages:\n  evil:\n    notebook: evil.qmd\n    deps: [stop.txt]\n", to: "pipeline.yaml")
      try site.write("0\n", to: "stop.txt")
      try site.write(
        Self.notebook.replacing(
          "#| label: <b>x</b>",
          with:
            "#| label: <b>x</b>\n[ \"$(cat stop.txt)\" = 0 ] || { printf '\\033[2J</pre><script>alert(60)</script>\\n'; false; }"),
        to: "evil.qmd")
      let ran = try site.pipe("repro")
      #expect(ran.status == 0, "\(ran.err)")
      let page = try #require(site.text("reports/index.html"))
      expectHarmless(page, "report")
      // What was harmless of it is there.
      #expect(page.contains("<p>para</p>") && page.contains("<td>cell</td>") && page.contains("styled"))
      #expect(page.contains("&lt;/pre&gt;&lt;script&gt;alert(52)&lt;/script&gt;"))
      #expect(try site.pipe("report", "--check").status == 0)
      let html = try site.pipe("notebook", "export", "evil", "--to", "html")
      expectHarmless(html.out, "export")
      // In Markdown code and output stand in fences that what they hold cannot end.
      let markdown = try #require(site.text("reports/index.md"))
      var fence: Substring?
      for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
        let ticks = line.prefix { $0 == "`" }
        if ticks.count >= 3 { fence = fence == nil ? ticks : line == fence! ? nil : fence }
        if fence == nil { #expect(!line.contains("<script"), "\(line)") }
      }

      try site.write("1\n", to: "stop.txt")
      let failed = try site.pipe("repro")
      #expect(failed.status == 1)
      #expect(
        !failed.err.unicodeScalars.contains {
          $0.value < 32 && $0 != "\n" || (0x7F..<0xA0).contains($0.value) || $0.value == 0x202E
        })
      expectHarmless(try #require(site.text("reports/index.html")), "failed report")
      expectHarmless(try #require(site.text(".pipe/failed/evil.html")), "failed page")
    }
  }

  @Test func `the terminal is told in plain words what a cell raised and printed`() throws {
    try withSite { site in
      try site.write("stages:\n  evil:\n    notebook: evil.qmd\n", to: "pipeline.yaml")
      try site.write(
        """
        ```{python}
        print("\\x1b[31mred\\x1b[0m \\x9b2J c1 \\u202e rtl \\x07bell")
        print("p" * 300_000)
        raise ValueError("\\x1b[2J\\x1b[H cleared \\x9b31m \\u202e \\x1b]8;;http://evil.example\\x07link")
        ```

        """, to: "evil.qmd")
      let ran = try site.pipe("repro")
      #expect(ran.status == 1)
      #expect(ran.err.contains(#"failed: ValueError: \u{1b}[2J\u{1b}[H cleared \u{9b}31m \u{202e} "#))
      #expect(ran.err.contains(#"  red \u{9b}2J c1 \u{202e} rtl bell"#))
      #expect(
        !ran.err.unicodeScalars.contains { $0.value < 32 && $0 != "\n" || (0x7F..<0xA0).contains($0.value) || $0.value == 0x202E }
      )
      // A line without end is cut.
      #expect(ran.err.utf8.count < 20_000)
      try site.write(
        "```{python}\nprint('\\x9b2J')\n'\\x1b[2J'\nclass E:\n  def __repr__(self): return '\\x1b[2J'\nE()\n```\n", to: "b.qmd")
      let alone = try site.pipe("notebook", "run", "b.qmd")
      #expect(alone.status == 0 && alone.out == "\\u{9b}2J\n\\u{1b}[2J\n")
    }
  }

  @Test func `50 MB of text, many displays and large ones cost little memory and little page`() throws {
    try withSite { site in
      try site.write("stages:\n  loud:\n    notebook: loud.qmd\n", to: "pipeline.yaml")
      try site.write(
        """
        ```{bash}
        head -c 25000000 /dev/zero | tr '\\0' 'x'
        set +o pipefail
        yes 'a line of words' | head -c 15000000
        yes 'an error' | head -c 10000000 >&2
        ```
        ```{python}
        \(Self.show)
        for i in range(20_000): display(i)
        ```
        ```{python}
        show("text/html", "<table>" + "<tr><td>row</td></tr>" * 500_000 + "</table>")
        show("text/plain", "p" * 20_000_000)
        show("text/html", "<b>" * 300_000)
        show("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'>" + "<g/>" * 1_000_000 + "</svg>")
        for i in range(300): show("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'>" + "<g/>" * 10_000 + "</svg>")
        ```

        """, to: "loud.qmd")
      let ran = try site.pipe("repro")
      #expect(ran.status == 0, "\(ran.err)")
      let page = try #require(site.text("reports/index.html"))
      print("hostile volume: page of \(page.utf8.count) bytes")
      #expect(page.utf8.count < 8_000_000)
      let notes = page.components(separatedBy: "displays are left out of this page").count - 1
      #expect(notes == 2)
      let record = try #require(FileManager.default.contentsOfDirectory(atPath: "\(site.root)/.pipe/runs").first)
      let text = try #require(site.text(".pipe/runs/\(record)"))
      let peak = try #require(text.firstMatch(of: /"peakMemoryBytes"\s*:\s*([0-9]+)/)).output.1
      print("hostile volume: peak memory \(peak) bytes")
      #expect(try #require(Int(peak)) < 900_000_000)
    }
  }
}
