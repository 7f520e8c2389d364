// What every page keeps: no network, no script, nothing unescaped, the same bytes, readable by everyone.
// SPDX-License-Identifier: Apache-2.0
import Evaluation
import Notebooks
import SourceControl
import TestSupport
import Testing
import Tracking

@testable import Reporting

@Suite struct ReportRulesTests {
  static let pages = [
    ("passed", HTMLText.render(RunReport.document(Sample.input))),
    ("failed", HTMLText.render(RunReport.document(Sample.failedInput))),
    ("plain", HTMLText.render(RunReport.document(Sample.plainInput))),
    ("hostile", HTMLText.render(RunReport.document(hostile))),
  ]

  /// Every text that can come from outside tries to get out of its place.
  static var hostile: RunReport.Input {
    let evil = "\"'><script>alert(1)</script><img src=https://evil.example/x onerror=alert(1)>--><!-- run-facts:end -->"
    var input = Sample.input
    input.title = evil
    input.description = evil
    input.run.git?.branch = evil
    input.run.git?.dirtyPaths = [evil]
    input.run.host.name = evil
    input.run.stages[3].name = evil
    input.run.stages[3].command = [evil]
    input.run.stages[3].reasons = [evil]
    input.run.stages[3].parameters = [evil: evil]
    input.run.stages[3].outputs[0].path = evil
    input.run.stages[3].failure = evil
    input.graph.nodes[3].name = evil
    input.graph.edges = input.graph.edges.map {
      .init(from: $0.from == "train" ? evil : $0.from, to: $0.to == "train" ? evil : $0.to)
    }
    input.evaluation?.model = evil
    input.evaluation?.unit = evil
    input.evaluation?.metrics[0].label = evil
    input.evaluation?.metrics[0].unit = evil
    input.evaluation?.baseline?.name = evil
    input.evaluation?.slices[0].value = evil
    input.evaluation?.slices[0].column = evil
    // Names that are alike once they are fit for an id.
    input.evaluation?.slices[1].column = "a b"
    input.evaluation?.slices[2].column = "a-b"
    for index in 0..<2 {
      for window in 0..<5 { input.backtest?.windows[window].metrics[index].name = "m\(index == 0 ? "_" : "-")x" }
    }
    input.gates?.gates[0].label = evil
    input.quality?.checks[0].label = evil
    input.backtest?.windows[0].label = evil
    input.importance[0].feature = evil
    input.metrics[0].path = evil
    input.reproduce = [evil]
    var woven = Sample.woven
    woven.file = evil
    woven.cells[0].source = evil + "\n\n# " + evil + "\n\n[x](" + evil + ")\n\n![x](https://evil.example/x.png)"
    woven.cells[1].language = evil
    woven.cells[1].source = evil
    woven.cells[1].options = ["fig-cap": evil, "fig-alt": evil]
    woven.cells[1].outputs =
      [.init(kind: .standardOutput, data: ["text/plain": evil])]
      + ["text/html", "text/markdown", "image/svg+xml", "image/png", "application/x", "text/plain"].map {
        CellOutput(kind: .display, data: [$0: evil])
      }
    input.contents[evil] = .init(woven: woven)
    return input
  }

  @Test(arguments: pages) func `no page loads anything`(name: String, html: String) throws {
    #expect(html.contains("content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\""))
    for tag in tags(html) {
      for attribute in ["src", "srcset", "poster", "data", "xlink:href", "action"] {
        if let value = tag.attributes[attribute] { #expect(value.hasPrefix("data:image/"), "\(tag.name) \(attribute)=\(value)") }
      }
      if let address = tag.attributes["href"] {
        #expect(tag.name == "a", "\(tag.name) has an address")
        #expect(address.hasPrefix("#") || ProseInline.isSafe(address: address))
      }
    }
    #expect(!html.contains("url("))
    #expect(!html.contains("@import"))
  }

  @Test(arguments: pages) func `no page has a script or a handler`(name: String, html: String) {
    let forbidden: Set<String> = [
      "script", "iframe", "object", "embed", "link", "form", "input", "base", "foreignObject", "use", "image",
    ]
    for tag in tags(html) {
      #expect(!forbidden.contains(tag.name), "\(tag.name)")
      #expect(!tag.attributes.keys.contains { $0.hasPrefix("on") }, "\(tag.name) \(tag.attributes)")
    }
  }

  @Test(arguments: pages) func `every element is closed, every id is its own`(name: String, html: String) {
    var open: [String] = []
    let empty: Set<String> = ["meta", "br", "hr", "img"]
    var ids: Set<String> = []
    for tag in tags(html) {
      if let id = tag.attributes["id"] { #expect(ids.insert(id).inserted, "id \(id) stands twice") }
      if empty.contains(tag.name) || tag.isSelfClosing { continue }
      // HTML closes these by itself: cells before a cell or row, rows before a row or group, all of them before `</table>`.
      let ended: [String]? =
        switch (tag.name, tag.isClosing) {
        case ("td", false), ("th", false): ["td", "th"]
        case ("tr", false): ["td", "th", "tr"]
        case ("tbody", false): ["td", "th", "tr", "thead", "tbody"]
        case ("table", true): ["td", "th", "tr", "thead", "tbody"]
        default: nil
        }
      while let last = open.last, ended?.contains(last) == true { open.removeLast() }
      if tag.isClosing { #expect(open.popLast() == tag.name) } else { open.append(tag.name) }
    }
    #expect(open.isEmpty)
    for tag in tags(html) {
      if let address = tag.attributes["href"], address.hasPrefix("#") {
        #expect(ids.contains(String(address.dropFirst())), "\(address) leads nowhere")
      }
      for id in (tag.attributes["aria-labelledby"] ?? "").split(separator: " ") { #expect(ids.contains(String(id))) }
    }
  }

  @Test(arguments: pages) func `a page can be walked by ear`(name: String, html: String) {
    let all = tags(html).filter { !$0.isClosing }
    #expect(all.filter { $0.name == "h1" }.count == 1)
    for landmark in ["header", "main", "footer"] { #expect(all.filter { $0.name == landmark }.count == 1) }
    #expect(all.first { $0.name == "a" }?.attributes["href"] == "#content")
    #expect(all.first { $0.name == "html" }?.attributes["lang"] == "en")
    var level = 1
    for tag in all where tag.name.count == 2 && tag.name.hasPrefix("h") {
      guard let next = Int(tag.name.dropFirst()) else { continue }
      #expect(next <= level + 1 || name == "hostile", "h\(next) after h\(level)")
      level = next
    }
    // In a table's body a head cell without a scope is that of its row, as long as it comes first in it.
    var isInBody = false
    for (tag, before) in zip(all, [nil] + all.map(Optional.some)) {
      if tag.name == "thead" || tag.name == "tbody" { isInBody = tag.name == "tbody" }
      if tag.name == "th" { #expect(tag.attributes["scope"] != nil || isInBody && before?.name == "tr") }
      if tag.name == "img" { #expect(!(tag.attributes["alt"] ?? "").isEmpty) }
      if tag.name == "svg" { #expect(tag.attributes["role"] != nil && tag.attributes["aria-labelledby"] != nil) }
      if ["scroll", "table"].contains(tag.attributes["class"]) {
        let name = tag.attributes["aria-label"] ?? tag.attributes["aria-labelledby"]
        #expect(tag.attributes["tabindex"] == "0" && name != nil && tag.attributes["role"] == "region")
      }
      if tag.name == "pre" { #expect(tag.attributes["tabindex"] == "0") }
    }
  }

  @Test func `every drawing of data has its numbers beside it`() {
    let html = Self.pages[0].1
    let charts = html.split(separator: "<svg class=chart").dropFirst()
    #expect(charts.count == 4)
    for chart in charts { #expect(chart.contains("<details><summary>Numbers</summary>")) }
  }

  @Test func `the same input gives the same bytes`() {
    for input in [Sample.input, Sample.failedInput, Self.hostile] {
      #expect(HTMLText.render(RunReport.document(input)) == HTMLText.render(RunReport.document(input)))
      #expect(MarkdownText.render(RunReport.document(input)) == MarkdownText.render(RunReport.document(input)))
    }
  }

  @Test func `the page is small`() {
    #expect(Self.pages[0].1.utf8.count < 150_000)
    #expect(HTMLText.sizeWarning(bytes: 150_000) == nil)
    #expect(HTMLText.sizeWarning(bytes: 2_500_000)?.contains("2.5 MB") == true)
  }

  @Test func `a figure of a cell is an image, where no script runs`() {
    var input = Sample.input
    input.contents["train"]?.woven?.cells[3].outputs[0].data = [
      "image/svg+xml": "<svg onload='alert(1)'><script>alert(2)</script></svg>"
    ]
    let html = HTMLText.render(RunReport.document(input))
    // Base64 of the text above, by coreutils.
    #expect(
      html.contains(
        "<img src=\"data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9J2FsZXJ0KDEpJz48c2NyaXB0PmFsZXJ0KDIpPC9zY3JpcHQ+PC9zdmc+\" alt=\"Error over rounds\">"
      ))
  }

  @Test(arguments: ["light", "dark"]) func `text and lines stand out from the ground`(theme: String) throws {
    func colour(_ name: String) throws -> String {
      let row = try #require(HTMLStyle.colours.first { $0.name == name })
      return theme == "light" ? row.light : row.dark
    }
    for ground in ["ground", "raised"] {
      for text in ["text", "muted", "link", "good", "bad", "caution"] {
        #expect(try contrast(colour(text), colour(ground)) >= 4.5, "\(text) on \(ground)")
      }
      for line in (0...8).map({ "s\($0)" }) { #expect(try contrast(colour(line), colour(ground)) >= 3, "\(line) on \(ground)") }
    }
  }

  @Test(arguments: ["light", "dark"]) func `text in cells stands out from its cell`(theme: String) throws {
    func colour(_ name: String) throws -> String {
      let row = try #require(HTMLStyle.colours.first { $0.name == name })
      return theme == "light" ? row.light : row.dark
    }
    for level in 1...Chart.Cell.levels {
      let text = level >= Chart.Cell.darkFrom ? "ground" : "text"
      #expect(try contrast(colour(text), colour("c\(level)")) >= 4.5, "\(text) on c\(level)")
    }
    #expect(HTMLStyle.sheet().contains("svg .c7{fill:var(--c7)}"))
  }

  @Test func `contrast is measured as WCAG does`() {
    #expect(abs(contrast("#000000", "#ffffff") - 21) < 1e-9)
    // By the reference formula in Python: 4.5422.
    #expect(abs(contrast("#767676", "#ffffff") - 4.5422) < 1e-4)
  }

  @Test func `the style knows dark, paper, phone and calm`() {
    for query in ["@media screen and (prefers-color-scheme:dark)", "@media print", "max-width:40rem", "prefers-reduced-motion"] {
      #expect(HTMLStyle.sheet().contains(query))
    }
  }

  @Test func `a page has the styles of what is on it, and no others`() {
    let sheet = HTMLStyle.sheet(
      for: "<p class=lead>a</p><svg class=chart><path class=\"line s2\" d=\"M0 0\"/></svg><table class=\"n2 w10\">")
    let wanted = [
      ".lead{", "svg .s2{color", "svg .line.s2{", ".n2 tr>:nth-child(2)", ".w10 tr>:nth-child(10)", "--s2:#b84f00", "h1{",
    ]
    for kept in wanted { #expect(sheet.contains(kept), "\(kept)") }
    for left in [".verdict h2{border", "svg .s3{", "svg .line.s3{", ".n3 ", ".n1 ", ".cloud", "--c3:", "details.stage>"] {
      #expect(!sheet.contains(left), "\(left)")
    }
  }

  @Test func `a table that fits a phone is no region that scrolls`() {
    func html(_ rows: [[[Report.Inline]]]) -> String {
      var page = HTMLPage()
      page.write(.table(Report.Table(caption: "T", columns: [.init("A"), .init("B", .end)], rows: rows)), level: 2)
      return page.text
    }
    #expect(html([[[.text("x")], [.text("1,234")]]]).hasPrefix("<table class=n2>\n<caption>T</caption>"))
    #expect(
      html([[[.text("x")], [.text(String(repeating: "9", count: 40))]]])
        .hasPrefix("<div class=table role=region tabindex=0 aria-labelledby=t1><table class=n2>\n<caption id=t1>T</caption>"))
  }

  @Test func `paper is light whatever the reader's theme`() {
    #expect(!HTMLStyle.sheet().contains("@media (prefers-color-scheme:dark)"))
  }

  @Test func `a date in a cell stays in one piece, a text that begins with one does not`() {
    let table = Report.Table(
      caption: "Windows", columns: [.init("Window"), .init("Note")],
      rows: [
        [[.text("2026-01"), .lineBreak, .muted("2026-01-01 to 2026-01-31")], [.text("2026-01-01 was a holiday in all of them")]]
      ])
    let section = Report.Section(id: "w", title: "W", priority: 1, blocks: [.table(table)])
    var report = RunReport.document(Sample.plainInput)
    report.sections = [section]
    let html = HTMLText.render(report)
    #expect(html.contains("2026-01<br><span class=\"muted whole\">2026-01-01 to 2026-01-31</span>"))
    #expect(html.contains("<td>2026-01-01 was a holiday in all of them"))
  }

  // MARK: Reading HTML

  struct Tag {
    var name: String
    var isClosing: Bool
    var isSelfClosing: Bool
    var attributes: [String: String]
  }

  /// Tags as a browser would find them; comments and the style sheet are passed over.
  private func tags(_ html: String) -> [Tag] {
    let bytes = Array(html.utf8)
    var tags: [Tag] = []
    var i = 0
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    while i < bytes.count {
      guard bytes[i] == UInt8(ascii: "<"), i + 1 < bytes.count else {
        i += 1
        continue
      }
      if bytes[i...].starts(with: "<!--".utf8) {
        while i < bytes.count, !bytes[i...].starts(with: "-->".utf8) { i += 1 }
        continue
      }
      var j = i + 1
      let isClosing = bytes[j] == UInt8(ascii: "/")
      if isClosing { j += 1 }
      let start = j
      while j < bytes.count, (bytes[j] | 0x20) >= 0x61 && (bytes[j] | 0x20) <= 0x7A || (0x30...0x39).contains(bytes[j]) { j += 1 }
      guard j > start else {
        i += 1
        continue
      }
      let name = text(start..<j)
      var attributes: [String: String] = [:]
      while j < bytes.count, bytes[j] != UInt8(ascii: ">") {
        if bytes[j] == 0x20 || bytes[j] == 0x0A || bytes[j] == UInt8(ascii: "/") {
          j += 1
          continue
        }
        let nameStart = j
        while j < bytes.count, ![0x20, 0x0A, UInt8(ascii: "="), UInt8(ascii: ">")].contains(bytes[j]) { j += 1 }
        let key = text(nameStart..<j)
        guard j + 1 < bytes.count, bytes[j] == UInt8(ascii: "=") else {
          attributes[key] = ""
          continue
        }
        guard bytes[j + 1] == UInt8(ascii: "\"") else {
          let valueStart = j + 1
          j = valueStart
          while j < bytes.count, ![0x20, 0x0A, UInt8(ascii: ">")].contains(bytes[j]) { j += 1 }
          attributes[key] = text(valueStart..<j)
          continue
        }
        let valueStart = j + 2
        j = valueStart
        while j < bytes.count, bytes[j] != UInt8(ascii: "\"") { j += 1 }
        attributes[key] = text(valueStart..<j)
        j += 1
      }
      let isSelfClosing = bytes[j - 1] == UInt8(ascii: "/")
      tags.append(Tag(name: name, isClosing: isClosing, isSelfClosing: isSelfClosing, attributes: attributes))
      i = j + 1
      if name == "style", !isClosing {
        while i < bytes.count, !bytes[i...].starts(with: "</style".utf8) { i += 1 }
      }
    }
    return tags
  }

  /// Source: WCAG 2.2, relative luminance and contrast ratio.
  private func contrast(_ a: String, _ b: String) -> Double {
    func luminance(_ colour: String) -> Double {
      let value = Int(colour.dropFirst(), radix: 16) ?? 0
      let parts = [value >> 16 & 255, value >> 8 & 255, value & 255].map { part -> Double in
        let share = Double(part) / 255
        return share <= 0.04045 ? share / 12.92 : power((share + 0.055) / 1.055)
      }
      return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }
    let (x, y) = (luminance(a), luminance(b))
    return (max(x, y) + 0.05) / (min(x, y) + 0.05)
  }

  /// x to the 2.4: x² times the fifth root of x², by Newton.
  private func power(_ x: Double) -> Double {
    let square = x * x
    var root = 1.0
    for _ in 0..<60 { root -= (root * root * root * root * root - square) / (5 * root * root * root * root) }
    return square * root
  }
}
