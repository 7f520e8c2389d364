// A person's Markdown to HTML that can do no harm.
// SPDX-License-Identifier: Apache-2.0

/// The Markdown that notebooks are written in: headings, paragraphs, lists, tables, quotes, code, emphasis, links.
///
/// HTML inside the Markdown is shown as text. Links keep their address only if it is `https:`, `http:`, `mailto:` or
/// relative; images become their alternative text, since a page carries nothing that it would have to fetch.
package enum ProseText {
  /// - Parameter topLevel: the heading level that the first becomes; deeper ones follow, none skipped, down to 6.
  package static func html(_ markdown: String, topLevel: Int = 4) -> String {
    let lines = markdown.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      String(line.hasSuffix("\r") ? line.dropLast() : line).replacingTabs()
    }
    var parser = ProseBlocks(topLevel: topLevel)
    parser.write(lines[...], depth: 0)
    return parser.html
  }
}

/// Block structure, line by line.
private struct ProseBlocks {
  let topLevel: Int
  /// Of the first heading, or of one above it.
  private var firstMarks: Int?
  private var lastLevel: Int
  var html = ""

  init(topLevel: Int) {
    self.topLevel = topLevel
    lastLevel = topLevel - 1
  }

  /// Lists and quotes deeper than this are paragraphs, so that no text can exhaust the stack.
  private static let deepest = 16

  mutating func write(_ lines: ArraySlice<String>, depth: Int) {
    var rest = lines
    while let line = rest.first {
      if line.isBlank {
        rest.removeFirst()
      } else if let fence = Fence(line) {
        rest = code(rest, fence)
      } else if let heading = heading(line) {
        html += heading
        rest.removeFirst()
      } else if line.isRule {
        html += "<hr>\n"
        rest.removeFirst()
      } else if line.trimmed.hasPrefix(":::") {
        rest.removeFirst()  // Quarto's divisions: their content stays.
      } else if depth < Self.deepest, line.trimmed.hasPrefix(">"), line.indentation < 4 {
        rest = quote(rest, depth)
      } else if depth < Self.deepest, let item = ListItem(line) {
        rest = list(rest, item, depth)
      } else if line.contains("|"), rest.dropFirst().first?.tableAlignments != nil {
        rest = table(rest)
      } else if line.indentation >= 4 {
        rest = indentedCode(rest)
      } else {
        rest = paragraph(rest)
      }
    }
  }

  private mutating func heading(_ line: String) -> String? {
    let text = line.trimmed
    let marks = text.prefix { $0 == "#" }.count
    guard (1...6).contains(marks), line.indentation < 4 else { return nil }
    let after = text.dropFirst(marks)
    guard after.isEmpty || after.first == " " else { return nil }
    var title = after.trimmed
    // Quarto's attributes and closing marks.
    if title.hasSuffix("}"), let brace = title.lastIndex(of: "{") { title = title[..<brace].trimmed }
    while title.hasSuffix("#") { title.removeLast() }
    // No level is skipped: text that begins with `##` begins one below what it stands in.
    firstMarks = min(marks, firstMarks ?? marks)
    let level = min(6, topLevel + marks - (firstMarks ?? 1), lastLevel + 1)
    lastLevel = level
    return "<h\(level)>\(ProseInline.html(title.trimmed))</h\(level)>\n"
  }

  private mutating func code(_ lines: ArraySlice<String>, _ fence: Fence) -> ArraySlice<String> {
    var rest = lines.dropFirst()
    var body: [String] = []
    while let line = rest.first {
      rest.removeFirst()
      if fence.isClosed(by: line) { break }
      body.append(line.withoutIndentation(fence.indentation))
    }
    html += "<pre tabindex=0><code>\(PlainText.content(body.joined(separator: "\n")))</code></pre>\n"
    return rest
  }

  private mutating func indentedCode(_ lines: ArraySlice<String>) -> ArraySlice<String> {
    let body = lines.prefix { $0.indentation >= 4 || $0.isBlank }
    var text = body.map { $0.withoutIndentation(4) }
    while text.last?.isBlank == true { text.removeLast() }
    html += "<pre tabindex=0><code>\(PlainText.content(text.joined(separator: "\n")))</code></pre>\n"
    return lines.dropFirst(body.count)
  }

  private mutating func quote(_ lines: ArraySlice<String>, _ depth: Int) -> ArraySlice<String> {
    let body = lines.prefix { !$0.isBlank && ($0.trimmed.hasPrefix(">") || !$0.startsBlock) }
    let inner = body.map { line -> String in
      guard line.trimmed.hasPrefix(">") else { return line }
      let text = line.trimmed.dropFirst()
      return String(text.hasPrefix(" ") ? text.dropFirst() : text)
    }
    html += "<blockquote>\n"
    write(inner[...], depth: depth + 1)
    html += "</blockquote>\n"
    return lines.dropFirst(body.count)
  }

  private mutating func list(_ lines: ArraySlice<String>, _ first: ListItem, _ depth: Int) -> ArraySlice<String> {
    let tag = first.isOrdered ? "ol" : "ul"
    let start = first.isOrdered && first.number != 1 ? " start=\"\(first.number)\"" : ""
    html += "<\(tag)\(start)>\n"
    var rest = lines
    while let line = rest.first, let item = ListItem(line), item.isOrdered == first.isOrdered, !line.isRule,
      item.indentation <= first.indentation + 1
    {
      var body = [String(line.dropFirst(item.content))]
      rest.removeFirst()
      while let next = rest.first {
        let belongs =
          next.isBlank
          ? rest.dropFirst().first.map { !$0.isBlank && $0.indentation >= item.content } == true
          : next.indentation >= item.content || (!next.startsBlock && ListItem(next) == nil && body.last?.isBlank == false)
        guard belongs else { break }
        body.append(next.withoutIndentation(item.content))
        rest.removeFirst()
      }
      let isLoose = body.contains(where: \.isBlank) || body.dropFirst().contains { $0.startsBlock }
      if isLoose {
        html += "<li>"
        write(body[...], depth: depth + 1)
        html += "</li>\n"
      } else {
        html += "<li>\(ProseInline.html(body.map(\.trimmed).joined(separator: "\n")))</li>\n"
      }
      // One empty line between items is still the same list.
      if rest.first?.isBlank == true, let next = rest.dropFirst().first, ListItem(next)?.isOrdered == first.isOrdered {
        rest.removeFirst()
      }
    }
    html += "</\(tag)>\n"
    return rest
  }

  private mutating func table(_ lines: ArraySlice<String>) -> ArraySlice<String> {
    let header = lines.first?.tableCells ?? []
    let alignments = lines.dropFirst().first?.tableAlignments ?? []
    let body = lines.dropFirst(2).prefix { !$0.isBlank && $0.contains("|") }
    func style(_ column: Int) -> String {
      column < alignments.count && alignments[column] ? " class=num" : ""
    }
    html += "<div class=scroll role=region tabindex=0 aria-label=Table><table>\n<thead><tr>"
    for (column, cell) in header.enumerated() { html += "<th scope=col\(style(column))>\(ProseInline.html(cell))</th>" }
    html += "</tr></thead>\n<tbody>\n"
    for line in body {
      let cells = line.tableCells
      html += "<tr>"
      for column in header.indices {
        html += "<td\(style(column))>\(column < cells.count ? ProseInline.html(cells[column]) : "")</td>"
      }
      html += "</tr>\n"
    }
    html += "</tbody></table></div>\n"
    return lines.dropFirst(2 + body.count)
  }

  private mutating func paragraph(_ lines: ArraySlice<String>) -> ArraySlice<String> {
    var body = [lines.first ?? ""]
    body += lines.dropFirst().prefix { !$0.isBlank && !$0.startsBlock }
    let text = body.enumerated().map { index, line in
      // Two spaces at the end of a line break it.
      index < body.count - 1 && line.hasSuffix("  ") ? line.trimmed + "\\" : line.trimmed
    }
    html += "<p>\(ProseInline.html(text.joined(separator: "\n")))</p>\n"
    return lines.dropFirst(body.count)
  }
}

private struct Fence {
  let mark: Character
  let length: Int
  let indentation: Int

  init?(_ line: String) {
    let text = line.trimmed
    guard let mark = text.first, mark == "`" || mark == "~", line.indentation < 4 else { return nil }
    length = text.prefix { $0 == mark }.count
    guard length >= 3, mark == "~" || !text.dropFirst(length).contains("`") else { return nil }
    self.mark = mark
    indentation = line.indentation
  }

  func isClosed(by line: String) -> Bool {
    let text = line.trimmed
    return text.count >= length && text.allSatisfy { $0 == mark } && line.indentation < 4
  }
}

private struct ListItem {
  var isOrdered: Bool
  var number: Int
  var indentation: Int
  /// Column at which the item's own text begins.
  var content: Int

  init?(_ line: String) {
    indentation = line.indentation
    guard indentation < 12 else { return nil }
    let text = line.dropFirst(indentation)
    var marker = 1
    if let bullet = text.first, "-*+".contains(bullet) {
      isOrdered = false
      number = 0
    } else {
      let digits = text.prefix { ("0"..."9").contains($0) }
      guard (1...9).contains(digits.count), let value = Int(digits) else { return nil }
      let after = text.dropFirst(digits.count).first
      guard after == "." || after == ")" else { return nil }
      isOrdered = true
      number = value
      marker = digits.count + 1
    }
    let rest = text.dropFirst(marker)
    guard rest.isEmpty || rest.first == " " else { return nil }
    let spaces = rest.prefix { $0 == " " }.count
    content = indentation + marker + (spaces > 4 || rest.allSatisfy { $0 == " " } ? min(1, spaces) : spaces)
  }
}

extension StringProtocol {
  fileprivate var isBlank: Bool { allSatisfy { $0 == " " } }
  fileprivate var indentation: Int { prefix { $0 == " " }.count }
  fileprivate var trimmed: String {
    var view = self[...]
    while view.first == " " { view.removeFirst() }
    while view.last == " " { view.removeLast() }
    return String(view)
  }
}

extension String {
  fileprivate func replacingTabs() -> String {
    contains("\t") ? split(separator: "\t", omittingEmptySubsequences: false).joined(separator: "    ") : self
  }

  fileprivate func withoutIndentation(_ count: Int) -> String { String(dropFirst(Swift.min(count, indentation))) }

  fileprivate var isRule: Bool {
    let marks = filter { $0 != " " }
    guard indentation < 4, marks.count >= 3, let mark = marks.first, "-*_".contains(mark) else { return false }
    return marks.allSatisfy { $0 == mark }
  }

  /// Does this line end a paragraph above it?
  fileprivate var startsBlock: Bool {
    let text = trimmed
    if indentation < 4, Fence(self) != nil || isRule || text.hasPrefix(">") || text.hasPrefix(":::") { return true }
    if indentation < 4, text.hasPrefix("#"), let after = text.first(where: { $0 != "#" }), after == " " { return true }
    // A number other than 1 does not begin a list in the middle of a paragraph: a year may start a line.
    return ListItem(self).map { !$0.isOrdered || $0.number == 1 } ?? false
  }

  /// Cells between unescaped bars.
  fileprivate var tableCells: [String] {
    var cells: [String] = []
    var cell = ""
    var isEscaped = false
    for character in trimmed {
      if isEscaped {
        cell += character == "|" ? "|" : "\\\(character)"
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "|" {
        cells.append(cell.trimmed)
        cell = ""
      } else {
        cell.append(character)
      }
    }
    if isEscaped { cell.append("\\") }
    cells.append(cell.trimmed)
    if cells.first == "", cells.count > 1 { cells.removeFirst() }
    if cells.last == "", cells.count > 1 { cells.removeLast() }
    return cells
  }

  /// For `|:--|--:|`: is each column set to the right? `nil` when this is not such a line.
  fileprivate var tableAlignments: [Bool]? {
    guard contains("-"), contains("|") else { return nil }
    let cells = tableCells
    guard cells.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0 == "-" || $0 == ":" } && $0.contains("-") }) else { return nil }
    return cells.map { $0.hasSuffix(":") && !$0.hasPrefix(":") }
  }
}
