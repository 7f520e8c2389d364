// A report as Markdown that fits a comment on a pull request.
// SPDX-License-Identifier: Apache-2.0

/// Report to GitHub-flavoured Markdown without images. Sections that do not fit are dropped whole, and that is said.
package enum MarkdownText {
  /// What a comment on GitHub may hold, in characters.
  package static let commentLimit = 65_536

  package static func render(_ report: Report, limit: Int = commentLimit) -> String {
    let head = head(report, factsLimit: limit / 4)
    let sections = report.sections.map { section in
      var writer = MarkdownWriter()
      writer.text = "## \(MarkdownWriter.escaped(section.title))\n\n"
      for block in section.blocks { writer.write(block, level: 2) }
      return (section: section, text: writer.text)
    }
    // Room for the sentence that names what was left out.
    let reserve = 80 + sections.reduce(0) { $0 + $1.section.title.count + 4 }
    // Run facts have a room of their own: which sections fit must not hang on them.
    var room = limit - limit / 4 - RunReport.withoutRunFacts(head).count - reserve
    var kept: Set<String> = []
    let order = sections.indices.sorted { (-sections[$0].section.priority, $0) < (-sections[$1].section.priority, $1) }
    for index in order where sections[index].text.count <= room {
      room -= sections[index].text.count
      kept.insert(sections[index].section.id)
    }
    var text = head + sections.filter { kept.contains($0.section.id) }.map(\.text).joined()
    let dropped = sections.filter { !kept.contains($0.section.id) }.map { MarkdownWriter.escaped($0.section.title) }
    if !dropped.isEmpty {
      text += "> Left out for length: \(dropped.joined(separator: ", ")). The HTML report has them.\n"
    }
    return text
  }

  /// Title, verdict and run facts; of thousands of stages the facts give way before the verdict does.
  private static func head(_ report: Report, factsLimit: Int) -> String {
    var writer = MarkdownWriter()
    writer.writeHead(report)
    guard writer.text.count - RunReport.withoutRunFacts(writer.text).count > factsLimit else { return writer.text }
    var short = report
    short.runFacts.blocks = [.paragraph([.text("Left out for length. The HTML report has them.")])]
    writer = MarkdownWriter()
    writer.writeHead(short)
    return writer.text
  }
}

struct MarkdownWriter {
  var text = ""

  mutating func writeHead(_ report: Report) {
    let marker = report.title.filter { $0 != "-" && $0 != ">" && $0 != "<" && $0 != "\n" }
    text += "<!-- pipe:report \(marker) -->\n"
    text += "# \(Self.escaped(report.title))\n\n"
    if let summary = report.summary, !summary.isEmpty { text += Self.escaped(summary) + "\n\n" }
    text += "**\(report.verdict.tone.mark) \(Self.escaped(report.verdict.headline))**\n\n"
    for block in report.verdict.blocks { write(block, level: 2) }
    text += RunReport.factsBegin + "\n" + inline(report.runFacts.line) + "\n\n"
    text += "<details><summary>Run facts: when, where, how long</summary>\n\n"
    for block in report.runFacts.blocks { write(block, level: 2) }
    text += "</details>\n" + RunReport.factsEnd + "\n\n"
  }

  mutating func write(_ block: Report.Block, level: Int) {
    switch block {
    case .paragraph(let content) where content.allSatisfy(\.isLink): break  // There is no page to lead to.
    case .paragraph(let content): text += inline(content) + "\n\n"
    case .heading(let depth, let title, _):
      text += String(repeating: "#", count: min(6, level + depth)) + " " + Self.escaped(title) + "\n\n"
    case .list(let items): text += items.map { "- " + inline($0) + "\n" }.joined() + "\n"
    case .table(let table): write(table)
    case .figures(let figures):
      for figure in figures {
        text += inline(figure.caption) + "\n\n"
        writeDetails("Numbers") { $0.write(figure.data) }
      }
    case .code(let code, let language): fenced(code, language ?? "")
    case .log(let log, let label, _):
      if !label.isEmpty { text += "_\(Self.escaped(label))_\n\n" }
      fenced(log, "text")
    case .prose(let markdown): text += Self.quieted(markdown) + "\n\n"
    case .images(let images): for image in images { write(.image(image), level: level) }
    case .foreignHTML(let html): fenced(PlainText.shortened(html, lines: 60), "html")
    case .image(let image):
      text += "_[figure: \(Self.escaped(image.caption ?? image.alternative)) – see the HTML report]_\n\n"
    case .note(_, let content): text += "> " + inline(content) + "\n\n"
    case .graph(let graph): write(graph)
    case .details(let summary, _, let isOpen, let blocks):
      let title = PlainText.escaped(summary.plainText)
      text += "<details\(isOpen ? " open" : "")><summary>\(title)</summary>\n\n"
      for block in blocks { write(block, level: level) }
      text += "</details>\n\n"
    }
  }

  private mutating func writeDetails(_ title: String, _ body: (inout MarkdownWriter) -> Void) {
    text += "<details><summary>\(title)</summary>\n\n"
    body(&self)
    text += "</details>\n\n"
  }

  private mutating func write(_ table: Report.Table) {
    text += "_\(Self.escaped(table.caption))_\n\n"
    text += "| " + table.columns.map { Self.escaped($0.title) }.joined(separator: " | ") + " |\n"
    text += "|" + table.columns.map { $0.alignment == .end ? " ---: |" : " --- |" }.joined() + "\n"
    for row in table.rows {
      text += "| " + row.map { inline($0, inTable: true) }.joined(separator: " | ") + " |\n"
    }
    text += "\n"
  }

  /// Renderers refuse large graphs; the text form has no such limit.
  private mutating func write(_ graph: GraphDescription) {
    if graph.nodes.count <= 60 {
      fenced(GraphText.mermaid(graph, marked: true), "mermaid")
    } else {
      fenced(PlainText.shortened(GraphText.plain(graph), lines: 200), "text")
    }
  }

  /// A fence longer than any inside.
  private mutating func fenced(_ code: String, _ language: String) {
    var longest = 0
    var run = 0
    for character in code {
      run = character == "`" ? run + 1 : 0
      longest = max(longest, run)
    }
    let fence = String(repeating: "`", count: max(3, longest + 1))
    let safe = language.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    let code = Self.withoutMarks(code)
    text += "\(fence)\(safe)\n\(code)\(code.hasSuffix("\n") ? "" : "\n")\(fence)\n\n"
  }

  private func inline(_ content: [Report.Inline], inTable: Bool = false) -> String {
    content.map { piece -> String in
      switch piece {
      case .text(let text): Self.escaped(text)
      case .muted(let text): Self.escaped(text)
      case .strong(let text): Self.strong(text)
      case .code(let text): Self.codeSpan(text, inTable: inTable)
      case .link(let text, _): Self.escaped(text)
      case .badge(let tone, let text): "\(tone.mark) \(Self.escaped(text))"
      case .lineBreak: inTable ? "<br>" : " – "
      }
    }.joined()
  }

  /// Marks of emphasis do not work beside a space.
  private static func strong(_ text: String) -> String {
    let core = text.reversed().drop { $0 == " " }.reversed()
    return "**\(escaped(String(core)))**" + String(repeating: " ", count: text.count - core.count)
  }

  /// Text that means itself: no emphasis, no HTML, no mention of people or issues, one line.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\", "`", "*", "_", "[", "]", "|", "#", "~", "!": result += "\\\(scalar)"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      case "@": result += "@\u{2060}"
      case "\n", "\t", "\r": result += " "
      default: if scalar.value >= 0x20 { result.unicodeScalars.append(scalar) }
      }
    }
    return result
  }

  /// Code that spells our own marks must not be taken for them.
  private static func withoutMarks(_ code: String) -> String {
    guard code.contains("<!-- run-facts") else { return code }
    return code.split(separator: "<!-- run-facts", omittingEmptySubsequences: false).joined(separator: "<!\u{2060}-- run-facts")
  }

  private static func codeSpan(_ text: String, inTable: Bool) -> String {
    var content = withoutMarks(String(text.map { $0 == "\n" || $0 == "\t" || $0 == "\r\n" ? " " : $0 }))
    if inTable { content = content.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|") }
    guard !content.isEmpty else { return "" }
    guard content.contains("`") else { return "`\(content)`" }
    var longest = 0
    var run = 0
    for character in content {
      run = character == "`" ? run + 1 : 0
      longest = max(longest, run)
    }
    let ticks = String(repeating: "`", count: longest + 1)
    return "\(ticks) \(content) \(ticks)"
  }

  /// Prose is a person's Markdown and stays so, but it may neither end a block of ours, open a comment,
  /// fetch an image nor stand above our headings.
  static func quieted(_ markdown: String) -> String {
    var fence: String?
    let lines = markdown.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
      let trimmed = line.drop { $0 == " " }
      if let open = fence {
        if trimmed.hasPrefix(open), trimmed.allSatisfy({ $0 == open.first }) { fence = nil }
        return String(line)
      }
      if trimmed.hasPrefix("```") || trimmed.hasPrefix("~~~") {
        let mark = trimmed.first ?? "`"
        fence = String(trimmed.prefix { $0 == mark })
        return String(line)
      }
      var result = ""
      var previous: Character?
      for character in line {
        switch character {
        case "<": result += "&lt;"
        case "[" where previous == "!": result += "\u{2060}["
        default: result.append(character)
        }
        previous = character
      }
      if trimmed.hasPrefix("#") { result = "###" + result.drop { $0 == " " } }
      return result
    }
    return (lines + (fence.map { [$0] } ?? [])).joined(separator: "\n")
  }
}
