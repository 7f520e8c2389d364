// A report as Markdown that fits a comment on a pull request.
// SPDX-License-Identifier: Apache-2.0

/// Report to Markdown without images. Sections that do not fit are dropped whole, and that is said.
package enum MarkdownText {
  /// Where the text will be shown.
  package enum Target: String, Sendable, CaseIterable {
    /// A comment on a pull request.
    case github
    /// A note on a merge request.
    case gitlab
    /// The summary of a job of GitHub Actions.
    case stepSummary = "step-summary"
    /// Any reader of Markdown: no HTML, no Mermaid, no limit.
    case plain

    /// What a text may hold there, in what `size` counts; `nil` is no limit.
    ///
    /// Sources: GitHub's API takes 65,536 characters a comment; GitLab 1,000,000 a note; a step's summary is dropped without a
    /// word from two bytes below 1 MiB on (actions/runner, issue 4337).
    package var limit: Int? {
      switch self {
      case .github: 65_536
      case .gitlab: 1_000_000
      case .stepSummary: (1 << 20) - 4
      case .plain: nil
      }
    }

    /// Characters of Unicode, or bytes where those are counted.
    func size(_ text: String) -> Int { self == .stepSummary ? text.utf8.count : text.unicodeScalars.count }
  }

  package static func render(_ report: Report, for target: Target = .github) -> String {
    render(report, for: target, limit: target.limit)
  }

  static func render(_ report: Report, for target: Target, limit: Int?) -> String {
    let head = head(report, target, factsLimit: limit.map { $0 / 4 })
    let sections = report.sections
    guard let limit else { return head + sections.compactMap { section($0, target, room: .max) }.joined() }
    // Room for the sentence that names what was left out.
    let reserve = 80 + sections.reduce(0) { $0 + target.size($1.title) * 2 + 4 }
    // Run facts have a room of their own: which sections fit must not hang on them.
    var room = limit - limit / 4 - target.size(RunReport.withoutRunFacts(head)) - reserve
    var texts = [String?](repeating: nil, count: sections.count)
    for index in sections.indices.sorted(by: { (-sections[$0].priority, $0) < (-sections[$1].priority, $1) }) {
      guard let text = section(sections[index], target, room: room) else { continue }
      room -= target.size(text)
      texts[index] = text
    }
    var text = head + texts.compactMap { $0 }.joined()
    let dropped = sections.indices.filter { texts[$0] == nil }.map { MarkdownWriter.escaped(sections[$0].title) }
    if !dropped.isEmpty {
      text += "> Left out for length: \(dropped.joined(separator: ", ")). The HTML report has them.\n"
    }
    return text
  }

  /// A section; `nil` when it is larger than there is room for, which is known without writing all of it.
  private static func section(_ section: Report.Section, _ target: Target, room: Int) -> String? {
    var writer = MarkdownWriter(target, room: room)
    writer.text = "## \(MarkdownWriter.escaped(section.title))\n\n"
    for block in section.blocks where !writer.isFull() { writer.write(block, level: 2) }
    return target.size(writer.text) <= room ? writer.text : nil
  }

  /// Title, verdict and run facts; of thousands of stages the facts give way before the verdict does.
  private static func head(_ report: Report, _ target: Target, factsLimit: Int?) -> String {
    var writer = MarkdownWriter(target)
    if barSize(report.runFacts.blocks) <= factsLimit ?? .max {
      writer.writeHead(report)
      guard let factsLimit, target.size(writer.text) - target.size(RunReport.withoutRunFacts(writer.text)) > factsLimit else {
        return writer.text
      }
    }
    var short = report
    short.runFacts.blocks = [.paragraph([.text("Left out for length. The HTML report has them.")])]
    writer = MarkdownWriter(target)
    writer.writeHead(short)
    return writer.text
  }
}

extension MarkdownText {
  /// What the tables have between and around their cells: they are longer than that.
  fileprivate static func barSize(_ blocks: [Report.Block]) -> Int {
    blocks.reduce(0) { sum, block in
      guard case .table(let table) = block else { return sum }
      return table.rows.reduce(sum) { $0 + 3 * $1.count + 2 }
    }
  }
}

struct MarkdownWriter {
  var text = ""
  private let target: MarkdownText.Target
  /// The size beyond which the text is of no use.
  private let room: Int
  /// The size of the text's first bytes.
  private var measured = (bytes: 0, size: 0)

  init(_ target: MarkdownText.Target = .github, room: Int = .max) {
    self.target = target
    self.room = room
  }

  /// Whether the text is larger than there is room for.
  mutating func isFull() -> Bool {
    // Measuring takes as long as writing: it is done in large pieces.
    guard room < .max, text.utf8.count - measured.bytes > min(room, 1 << 13) else { return measured.size > room }
    let rest = text[text.utf8.index(text.startIndex, offsetBy: measured.bytes)...]
    measured = (text.utf8.count, measured.size + target.size(String(rest)))
    return measured.size > room
  }

  mutating func writeHead(_ report: Report) {
    let marker = report.title.filter { $0 != "-" && $0 != ">" && $0 != "<" && $0 != "\n" }
    text += "<!-- pipe:report \(marker) -->\n"
    text += "# \(Self.escaped(report.title))\n\n"
    if let summary = report.summary, !summary.isEmpty { text += Self.escaped(summary) + "\n\n" }
    text += "**\(report.verdict.tone.mark) \(Self.escaped(report.verdict.headline))**\n\n"
    for block in report.verdict.blocks { write(block, level: 2) }
    text += RunReport.factsBegin + "\n" + inline(report.runFacts.line) + "\n\n"
    writeDetails("Run facts: when, where, how long") { writer in
      for block in report.runFacts.blocks { writer.write(block, level: 2) }
    }
    text.removeLast()
    text += RunReport.factsEnd + "\n\n"
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
      writeDetails(summary.plainText, isOpen: isOpen) { writer in
        for block in blocks where !writer.isFull() { writer.write(block, level: level) }
      }
    }
  }

  /// What unfolds, or stands below a line of its own where nothing unfolds.
  private mutating func writeDetails(_ title: String, isOpen: Bool = false, _ body: (inout MarkdownWriter) -> Void) {
    guard target != .plain else {
      text += "**\(Self.escaped(title))**\n\n"
      return body(&self)
    }
    text += "<details\(isOpen ? " open" : "")><summary>\(PlainText.escaped(title))</summary>\n\n"
    body(&self)
    text += "</details>\n\n"
  }

  private mutating func write(_ table: Report.Table) {
    text += "_\(Self.escaped(table.caption))_\n\n"
    text += "| " + table.columns.map { Self.escaped($0.title) }.joined(separator: " | ") + " |\n"
    text += "|" + table.columns.map { $0.alignment == .end ? " ---: |" : " --- |" }.joined() + "\n"
    for row in table.rows where !isFull() {
      text += "| " + row.map { inline($0, inTable: true) }.joined(separator: " | ") + " |\n"
    }
    text += "\n"
  }

  /// Renderers refuse large graphs; the text form has no such limit.
  private mutating func write(_ graph: GraphDescription) {
    if target != .plain, graph.nodes.count <= 60 {
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
      case .lineBreak: inTable && target != .plain ? "<br>" : " – "
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
    if text.utf8.allSatisfy({ isWord($0) || $0 == UInt8(ascii: " ") }) { return text }
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

  /// Whether a byte means nothing but itself, wherever it stands.
  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122: true
    case UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: ","): true
    default: false
    }
  }

  private static func codeSpan(_ text: String, inTable: Bool) -> String {
    if !text.isEmpty, text.utf8.allSatisfy({ isWord($0) || $0 == UInt8(ascii: "_") }) { return "`\(text)`" }
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
