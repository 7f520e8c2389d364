// A report as one page that needs nothing else: no network, no script.
// SPDX-License-Identifier: Apache-2.0

/// Report to HTML. The same report gives the same bytes.
package enum HTMLText {
  /// Above this many bytes a page is slow to open on a phone.
  package static let softLimitBytes = 2_000_000

  package static func render(_ report: Report) -> String {
    var page = HTMLPage()
    page.text = "<body>\n<a class=\"skip\" href=\"#content\">Skip to the content</a>\n<header>\n"
    page.text += "<h1>\(PlainText.content(report.title))</h1>\n"
    if let summary = report.summary, !summary.isEmpty { page.text += "<p class=\"lead\">\(PlainText.content(summary))</p>\n" }
    page.text += "</header>\n<main id=\"content\">\n"
    page.write(report.verdict)
    page.write(report.runFacts)
    page.writeContents(report.sections)
    for section in report.sections {
      page.text +=
        "<section aria-labelledby=\"\(section.id)\">\n<h2 id=\"\(section.id)\">\(PlainText.content(section.title))</h2>\n"
      for block in section.blocks { page.write(block, level: 2) }
      page.text += "</section>\n"
    }
    page.text +=
      "</main>\n<footer><p>Made by pipe from the run’s records. This page loads nothing and runs no script.</p></footer>\n"
    page.text += "</body>\n</html>\n"
    return head(title: report.title, styles: HTMLStyle.sheet(for: page.text)) + page.text
  }

  /// A warning for a page that has grown beyond comfort, `nil` for one that has not.
  package static func sizeWarning(bytes: Int) -> String? {
    guard bytes > softLimitBytes else { return nil }
    return "the report has \(NumberText.bytes(bytes)), more than \(NumberText.bytes(softLimitBytes)): "
      + "large figures in notebooks are the usual cause; save them smaller or as declared outputs"
  }

  private static func head(title: String, styles: String) -> String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="referrer" content="no-referrer">
    <title>\(PlainText.content(title))</title>
    <style>
    \(styles)
    </style>
    </head>

    """
  }
}

/// The page as it grows.
struct HTMLPage {
  var text = ""
  private var tables = 0
  private var figures = 0
  private var graphs = 0
  /// Begins the ids of what the run facts hold, so that no id elsewhere hangs on them.
  private var part = ""

  mutating func write(_ verdict: Report.Verdict) {
    text += "<section class=\"verdict tone-\(verdict.tone.rawValue)\" aria-labelledby=\"verdict\">\n"
    text +=
      "<h2 id=\"verdict\"><span aria-hidden=\"true\">\(verdict.tone.mark)</span> \(PlainText.content(verdict.headline))</h2>\n"
    for block in verdict.blocks { write(block, level: 2) }
    text += "</section>\n"
  }

  /// Everything that may differ between two runs of the same inputs, between the two marks.
  mutating func write(_ facts: Report.RunFacts) {
    let before = (tables, figures, graphs)
    part = "r"
    text += RunReport.factsBegin + "\n<section class=\"facts\" aria-label=\"Run facts\">\n"
    text += "<p>\(inline(facts.line))</p>\n"
    if !facts.blocks.isEmpty {
      text += "<details><summary>Run facts: when, where, how long</summary>\n"
      for block in facts.blocks { write(block, level: 2) }
      text += "</details>\n"
    }
    text += "</section>\n" + RunReport.factsEnd + "\n"
    part = ""
    (tables, figures, graphs) = before
  }

  mutating func writeContents(_ sections: [Report.Section]) {
    guard sections.count > 1 else { return }
    text += "<nav aria-label=\"Contents\"><ul>"
    for section in sections { text += "<li><a href=\"#\(section.id)\">\(PlainText.content(section.title))</a></li>" }
    text += "</ul></nav>\n"
  }

  /// - Parameter level: heading level of what the block stands in.
  mutating func write(_ block: Report.Block, level: Int) {
    switch block {
    case .paragraph(let content):
      text += "<p>"
      add(content)
      text += "</p>\n"
    case .heading(let depth, let title, let id):
      let tag = "h\(min(6, level + depth))"
      text += "<\(tag)\(id.map { " id=\"\($0)\"" } ?? "")>\(PlainText.content(title))</\(tag)>\n"
    case .list(let items):
      text += "<ul>\n"
      for item in items {
        text += "<li>"
        add(item)
        text += "</li>\n"
      }
      text += "</ul>\n"
    case .table(let table): write(table)
    case .figures(let figures):
      text += "<div class=\"figures\">\n"
      for figure in figures { write(figure) }
      text += "</div>\n"
    case .code(let code, _):
      text += "<pre tabindex=0><code>\(PlainText.content(code))</code></pre>\n"
    case .log(let log, let label, let tone):
      if !label.isEmpty { text += "<p class=\"label\">\(PlainText.content(label))</p>\n" }
      text += "<pre class=\"output tone-\(tone.rawValue)\" tabindex=0>\(PlainText.content(log))</pre>\n"
    // A cell's headings stand right below the section's.
    case .prose(let markdown): text += ProseText.html(markdown, topLevel: min(6, level + 1))
    case .foreignHTML(let html): text += ForeignHTML.sanitised(html) + "\n"
    case .image(let image): write(image)
    case .images(let images):
      text += "<div class=\"figures\">\n"
      for image in images { write(image) }
      text += "</div>\n"
    case .note(let tone, let content):
      text += "<p class=\"note tone-\(tone.rawValue)\">\(inline(content))</p>\n"
    case .graph(let graph): write(graph)
    case .details(let summary, let id, let isOpen, let blocks):
      let dress = id == nil ? "" : " class=\"stage\""
      text += "<details\(dress)\(isOpen ? " open" : "")><summary>\(inline(summary))</summary>\n"
      // The place is inside, since a browser unfolds what a link leads into.
      if let id { text += "<div class=\"inside\" id=\"\(id)\">\n" }
      for block in blocks { write(block, level: level) }
      text += id == nil ? "</details>\n" : "</div>\n</details>\n"
    }
  }

  /// Ends of cells and rows are left out, as HTML allows: they are a quarter of a table. What all cells of a column have in common is
  /// said once; the first cell of a row heads it, as HTML has it of a column that holds only heads.
  private mutating func write(_ table: Report.Table) {
    tables += 1
    let id = "\(part)t\(tables)"
    let named = table.columns.indices.prefix(HTMLStyle.namedColumns)
    let literal = Set(named.filter { table.isCode($0) })
    let dated = Set(named.filter { table.isDated($0) })
    let classes =
      named.filter { table.columns[$0].alignment == .end }.map { "n\($0 + 1)" } + literal.sorted().map { "c\($0 + 1)" }
      + dated.sorted().map { "w\($0 + 1)" }
    // What never scrolls needs no stop of the keyboard.
    let scrolls = table.leastWidth(literal) > HTMLStyle.phoneWidth
    text += scrolls ? "<div class=table role=region tabindex=0 aria-labelledby=\(id)>" : ""
    text +=
      "<table\(Self.classed(classes))>\n<caption\(scrolls ? " id=\(id)" : "")>\(PlainText.content(table.caption))</caption>\n"
    text += "<thead><tr>"
    for (index, column) in table.columns.enumerated() {
      text += "<th scope=col\(Self.dress(column, index))>\(PlainText.content(column.title))"
    }
    text += "\n<tbody>\n"
    for row in table.rows {
      text += "<tr>"
      for (index, cell) in row.enumerated() where index < table.columns.count {
        text += index == 0 ? "<th" : "<td"
        text += Self.dress(table.columns[index], index)
        text += ">"
        if literal.contains(index) || dated.contains(index) { text += PlainText.content(cell.plainText) } else { add(cell) }
      }
      text += "\n"
    }
    text += scrolls ? "</table></div>\n" : "</table>\n"
  }

  private static func classed(_ names: [String]) -> String {
    names.isEmpty ? "" : names.count == 1 ? " class=\(names[0])" : " class=\"\(names.joined(separator: " "))\""
  }

  /// What the table's own classes do not say.
  private static func dress(_ column: Report.Table.Column, _ index: Int) -> String {
    column.alignment == .end && index >= HTMLStyle.namedColumns ? " class=num" : ""
  }

  private mutating func write(_ figure: Report.Figure) {
    figures += 1
    text += "<figure>\n\(figure.chart.svg(id: "\(part)f\(figures)"))<figcaption>\(inline(figure.caption))</figcaption>\n"
    text += "<details><summary>Numbers</summary>\n"
    write(figure.data)
    text += "</details>\n</figure>\n"
  }

  private mutating func write(_ image: Report.Image) {
    let data = image.format == .svg ? Base64.encoded(image.data) : Base64.cleaned(image.data)
    guard let data else {
      text += "<p class=\"note tone-caution\">An image that is not valid base64 is left out.</p>\n"
      return
    }
    text += "<figure><img src=\"data:\(image.format.rawValue);base64,\(data)\" alt=\"\(PlainText.escaped(image.alternative))\">"
    if let caption = image.caption { text += "<figcaption>\(PlainText.content(caption))</figcaption>" }
    text += "</figure>\n"
  }

  private mutating func write(_ graph: GraphDescription) {
    graphs += 1
    guard graph.nodes.count <= GraphDrawing.mostNodes else {
      text += "<p>\(NumberText.count(graph.nodes.count)) stages are too many for a drawing; here they are as text.</p>\n"
      text += "<pre tabindex=0>\(PlainText.content(PlainText.shortened(GraphText.plain(graph), lines: 400)))</pre>\n"
      return
    }
    let targets = StageAnchors(graph.nodes.map(\.name))
    text += "<div class=scroll role=region tabindex=0 aria-label=\"Graph of the stages\">\n"
    text += GraphDrawing.svg(graph, id: "\(part)g\(graphs)") { targets[$0] } + "</div>\n"
  }

  private func inline(_ content: [Report.Inline]) -> String {
    var page = HTMLPage()
    page.add(content)
    return page.text
  }

  private mutating func add(_ content: [Report.Inline]) {
    for (index, piece) in content.enumerated() {
      switch piece {
      case .text(let words) where Self.isDated(words): add("<span class=whole>", words, "</span>")
      case .muted(let words) where Self.isDated(words): add("<span class=\"muted whole\">", words, "</span>")
      case .text(let words): text += PlainText.content(words)
      case .strong(let words): add("<strong>", words, "</strong>")
      case .muted(let words):
        // One element around neighbours that are alike, and around the line break between them.
        let before = content[..<index].last { $0 != .lineBreak }
        let after = content[(index + 1)...].first { $0 != .lineBreak }
        add(before.map(Self.isSmall) == true ? "" : "<small>", words, after.map(Self.isSmall) == true ? "" : "</small>")
      case .code(let words): add("<code>", words, "</code>")
      case .link(let words, let id): add("<a href=\"#\(id)\">", words, "</a>")
      case .badge(let tone, let words):
        add("<b class=\(tone == .neutral ? "muted" : tone.rawValue)>\(tone.mark) ", words, "</b>")
      case .lineBreak: text += "<br>"
      }
    }
  }

  private static func isSmall(_ piece: Report.Inline) -> Bool {
    if case .muted(let words) = piece { !isDated(words) } else { false }
  }

  /// A date with a time or a span of dates: a browser would break it behind a hyphen. A date alone has room in the first column.
  fileprivate static func isDated(_ words: String) -> Bool {
    guard (11...24).contains(words.utf8.count) else { return false }
    let head = Array(words.utf8.prefix(7))
    let digits = 0x30...0x39 as ClosedRange<UInt8>
    return head.count == 7 && head[4] == UInt8(ascii: "-") && head[..<4].allSatisfy(digits.contains)
      && head[5...].allSatisfy(digits.contains)
  }

  private mutating func add(_ begin: String, _ words: String, _ end: String) {
    text += begin
    text += PlainText.content(words)
    text += end
  }
}

extension Report.Table {
  /// Whether each of several cells is a literal and nothing else.
  fileprivate func isCode(_ column: Int) -> Bool {
    rows.count > 2
      && rows.allSatisfy { row in
        guard column < row.count, row[column].count == 1, case .code = row[column][0] else { return false }
        return true
      }
  }
}

extension Report.Table {
  /// Whether all cells are dates that would break.
  fileprivate func isDated(_ column: Int) -> Bool {
    rows.count > 2
      && rows.allSatisfy { row in
        guard column < row.count, row[column].count == 1, case .text(let words) = row[column][0] else { return false }
        return HTMLPage.isDated(words)
      }
  }

  /// Pixels that the columns need at least, in a broad face: a number and a date stand in one piece, other texts break between
  /// words.
  fileprivate func leastWidth(_ literal: Set<Int>) -> Double {
    let size = 14.4
    return columns.indices.reduce(0) { sum, column in
      let isWhole = columns[column].alignment == .end || isDated(column)
      func width(_ text: String) -> Double { TextWidth.of(text, size: literal.contains(column) ? size * 1.1 : size) }
      func widestWord(_ text: some StringProtocol) -> Double { text.split(separator: " ").map { width(String($0)) }.max() ?? 0 }
      var widest = max(column == 0 ? 106 : 0, widestWord(columns[column].title))
      for row in rows where column < row.count {
        let hasLines = row[column].contains(.lineBreak)
        let text = row[column].map { $0 == .lineBreak ? " " : $0.plainText }.joined()
        widest = max(widest, isWhole && !hasLines ? width(text) : hasLines ? max(112, width(text)) : widestWord(text))
      }
      return sum + widest + 18
    }
  }
}

/// Unique places on the page for names that may be alike once they are made fit for an id.
struct StageAnchors {
  private var anchors: [String: String] = [:]

  init(_ names: [String], prefix: String = "stage-") {
    var taken: Set<String> = []
    for name in names where anchors[name] == nil {
      let base = prefix + PlainText.slug(name)
      var anchor = base
      var number = 2
      while !taken.insert(anchor).inserted {
        anchor = "\(base)-\(number)"
        number += 1
      }
      anchors[name] = anchor
    }
  }

  subscript(name: String) -> String? { anchors[name] }
}

/// Base64 without padding doubts.
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encoded(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let left = bytes.count - start
      let group =
        Int(bytes[start]) << 16 | (left > 1 ? Int(bytes[start + 1]) << 8 : 0) | (left > 2 ? Int(bytes[start + 2]) : 0)
      out.append(alphabet[group >> 18 & 63])
      out.append(alphabet[group >> 12 & 63])
      out.append(left > 1 ? alphabet[group >> 6 & 63] : UInt8(ascii: "="))
      out.append(left > 2 ? alphabet[group & 63] : UInt8(ascii: "="))
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The text without white space; `nil` when anything else than base64 is in it.
  static func cleaned(_ text: String) -> String? {
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      switch byte {
      case 0x20, 0x0A, 0x0D, 0x09: continue
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2F, 0x3D: out.append(byte)
      default: return nil
      }
    }
    return out.isEmpty ? nil : String(decoding: out, as: UTF8.self)
  }
}
