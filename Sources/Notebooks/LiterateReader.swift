// Literate Markdown (`.qmd`, `.md`, `.Rmd`) as a document.
// SPDX-License-Identifier: Apache-2.0

/// Reads prose and fenced cells. Between two blocks stands one empty line; all others belong to the prose.
///
/// `<!-- cell -->` on a line of its own begins a cell of prose, `#| tags:` and `#| metadata:` in a fence are the cell's
/// metadata: how the form keeps what Markdown has no words for (docs/notebooks.md, "Converting").
struct LiterateReader {
  private let lines: [String]
  private var next = 0
  private var cells: [DocumentCell] = []
  private var note: NotebookNote?
  private var read = ReadDocument(document: NotebookDocument(metadata: [:], cells: []))
  /// Whether the prose to come stands below a block, with an empty line between.
  private var isBelowBlock = false

  static func read(_ lines: [String]) -> ReadDocument {
    var reader = LiterateReader(lines: lines)
    reader.readFrontMatter()
    reader.readBody()
    return reader.finished()
  }

  private init(lines: [String]) { self.lines = lines.last?.isEmpty == true ? lines.dropLast() : lines }

  private func finished() -> ReadDocument {
    var result = read
    let metadata = note?.metadata ?? NotebookDocument.usualMetadata(NotebookDocument.inferredLanguage(cells))
    result.document = NotebookDocument(metadata: metadata, minorVersion: note?.minorVersion ?? 5, cells: cells)
    return result
  }

  // MARK: Front matter

  private mutating func readFrontMatter() {
    guard lines.first == "---" else { return }
    guard let end = lines.indices.dropFirst().first(where: { lines[$0] == "---" || lines[$0] == "..." }) else {
      read.problems.append(
        StructureProblem(
          line: 1, column: 1, message: "the front matter that opens here is never closed",
          hint: "put `---` on a line of its own below its last key"))
      next = 1
      return
    }
    let (frontMatter, note) = NotebookNote.split(Array(lines[1..<end]))
    self.note = note
    read.frontMatter = (Array(lines[1..<end]), 2)
    if note == nil || !frontMatter.isEmpty {
      cells.append(DocumentCell(.raw, (["---"] + frontMatter + ["---"]).joined(separator: "\n")))
    }
    next = end + 1
    isBelowBlock = true
  }

  // MARK: Body

  private mutating func readBody() {
    var prose = Prose(firstLine: next + 1)
    while next < lines.count {
      if let marker = ProseMarker(lines[next]) {
        end(prose, isAtEnd: false)
        next += 1
        prose = Prose(marker: marker, firstLine: next + 1)
        isBelowBlock = false
      } else if let fence = Fence(lines[next]) {
        if fence.meaning == .shown {
          readShown(fence, &prose)
        } else {
          end(prose, isAtEnd: false)
          readBlock(fence)
          prose = Prose(firstLine: next + 1)
          isBelowBlock = true
        }
      } else {
        prose.lines.append(lines[next])
        next += 1
      }
    }
    end(prose, isAtEnd: true)
  }

  private struct Prose {
    var marker: ProseMarker?
    var lines: [String] = []
    var firstLine: Int
  }

  private mutating func end(_ prose: Prose, isAtEnd: Bool) {
    var (lines, firstLine) = (prose.lines, prose.firstLine)
    guard prose.marker != nil || lines.contains(where: { !$0.trimmingSpaces.isEmpty }) else { return }
    if isBelowBlock, prose.marker == nil, lines.first?.isEmpty == true {
      lines.removeFirst()
      firstLine += 1
    }
    if !isAtEnd, lines.last?.isEmpty == true { lines.removeLast() }
    var cell = DocumentCell(.markdown, lines.joined(separator: "\n"))
    cell.firstLine = firstLine
    cell.metadata = prose.marker?.metadata ?? [:]
    cell.attachments = prose.marker?.attachments
    cells.append(cell)
  }

  /// A fenced block that is only shown: part of the prose, whatever stands in it.
  private mutating func readShown(_ fence: Fence, _ prose: inout Prose) {
    let end = closing(of: fence)
    prose.lines += lines[next...min(end ?? lines.count, lines.count - 1)]
    next = (end ?? lines.count) + 1
  }

  private mutating func readBlock(_ fence: Fence) {
    let opening = next + 1
    let stop = closing(of: fence) ?? lines.count
    next += 1
    let header = CellHeader(lines[next..<stop])
    next += header.lineCount
    let kinds: [Fence.Meaning: DocumentCell.Kind] = [.raw: .raw, .markdown: .markdown]
    var cell = DocumentCell(
      kinds[fence.meaning] ?? .code, language: fence.meaning == .code ? fence.language : "",
      lines[next..<stop].joined(separator: "\n"), metadata: header.metadata, attachments: header.attachments)
    cell.firstLine = next + 1
    if fence.meaning == .code {
      cell.fence = FenceNote(
        line: opening, column: fence.indent + fence.marks.count + 2, rest: fence.rest, restColumn: fence.restColumn)
      if !fence.rest.isEmpty { cell.metadata[CellHeader.fenceKey] = .text(fence.rest) }
    }
    cells.append(cell)
    next = stop + 1
  }

  private mutating func closing(of fence: Fence) -> Int? {
    let end = lines.indices[(next + 1)...].first { fence.isClosed(by: lines[$0]) }
    if end == nil {
      read.problems.append(
        StructureProblem(
          line: next + 1, column: fence.indent + 1,
          message: "the fence `\(fence.marks)\(fence.info)` that opens here is never closed",
          hint: "put `\(fence.marks)` on a line of its own below its last line"))
    }
    return end
  }
}

/// `<!-- cell -->` or `<!-- cell {"metadata":{…}} -->`.
struct ProseMarker {
  var metadata: [String: JSONTree] = [:]
  var attachments: JSONTree?

  init(metadata: [String: JSONTree], attachments: JSONTree?) {
    self.metadata = metadata
    self.attachments = attachments
  }

  init?(_ line: String) {
    if line == "<!-- cell -->" { return }
    guard line.begins(with: "<!-- cell {"), line.hasSuffix("} -->"),
      let value = try? JSONTree(parsing: Array(line.utf8.dropFirst("<!-- cell ".utf8.count).dropLast(" -->".utf8.count))),
      let object = value.asObject
    else { return nil }
    metadata = object["metadata"]?.asObject ?? [:]
    attachments = object["attachments"]
  }

  var line: String {
    var object: [String: JSONTree] = [:]
    if !metadata.isEmpty { object["metadata"] = .object(metadata) }
    object["attachments"] = attachments
    // `-->` would end the comment.
    return object.isEmpty ? "<!-- cell -->" : "<!-- cell \(JSONTree.object(object).line.replacing(">", with: "\\u003e")) -->"
  }
}

/// The first lines of a fenced cell that are its metadata and not its source.
struct CellHeader {
  /// Metadata under this key is what an R Markdown fence says after the language.
  static let fenceKey = "fence"

  var metadata: [String: JSONTree] = [:]
  var attachments: JSONTree?
  var lineCount = 0

  /// `#| tags: [a, b]`, then `#| attachments: {…}`, then `#| metadata: {…}`; each may be left out.
  init(_ lines: ArraySlice<String>) {
    var rest = lines
    if let line = rest.first, let tags = Self.tags(line) {
      metadata["tags"] = tags
      rest.removeFirst()
    }
    if let line = rest.first, let value = Self.object(line, "#| attachments: ") {
      attachments = .object(value)
      rest.removeFirst()
    }
    if let line = rest.first, let value = Self.object(line, "#| metadata: ") {
      metadata.merge(value) { $1 }
      rest.removeFirst()
    }
    lineCount = lines.count - rest.count
  }

  /// The lines before a cell's source. Where the source itself begins like such a line, `#| metadata:` ends them.
  static func lines(for cell: DocumentCell) -> [String] {
    var metadata = cell.metadata
    var lines: [String] = []
    if cell.kind == .code { metadata[fenceKey] = cell.fenceRest == nil ? metadata[fenceKey] : nil }
    if let tags = metadata["tags"], let line = tagLine(tags) {
      lines.append(line)
      metadata["tags"] = nil
    }
    if let attachments = cell.attachments { lines.append("#| attachments: \(attachments.line)") }
    let source = cellLines(cell.source)
    let isAmbiguous = CellHeader((lines + source)[...]).lineCount != lines.count
    if !metadata.isEmpty || isAmbiguous { lines.append("#| metadata: \(JSONTree.object(metadata).line)") }
    return lines
  }

  private static func object(_ line: String, _ start: String) -> [String: JSONTree]? {
    guard line.begins(with: start + "{") else { return nil }
    return (try? JSONTree(parsing: Array(line.utf8.dropFirst(start.utf8.count))))?.asObject
  }

  /// A list in brackets, of words or of JSON.
  private static func tags(_ line: String) -> JSONTree? {
    let start = "#| tags: ["
    guard line.begins(with: start), line.utf8.last == 0x5D else { return nil }
    if let value = try? JSONTree(parsing: Array(line.utf8.dropFirst(start.utf8.count - 1))) { return value }
    let words = line.dropping(start.utf8.count).dropLast().split(separator: ",", omittingEmptySubsequences: false)
      .map { String($0).trimmingSpaces }
    guard words.allSatisfy(isWord) else { return nil }
    return .list(words.map { .text($0) })
  }

  private static func tagLine(_ tags: JSONTree) -> String? {
    guard let list = tags.asList, !list.isEmpty else { return nil }
    let texts = list.compactMap(\.asText)
    guard texts.count == list.count else { return nil }
    return texts.allSatisfy(isWord) ? "#| tags: [\(texts.joined(separator: ", "))]" : "#| tags: \(tags.line)"
  }

  /// What YAML, too, reads as a text: not `true`, `null` or a number.
  private static func isWord(_ text: String) -> Bool {
    guard let first = text.utf8.first, UnicodeScalar(first).properties.isAlphabetic else { return false }
    return !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
      && text.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_.".unicodeScalars.contains($0))
      }
  }
}

extension DocumentCell {
  /// What stands in the fence after the language, where it can.
  var fenceRest: String? {
    guard kind == .code, let rest = metadata[CellHeader.fenceKey]?.asText, !rest.isEmpty, rest == rest.trimmingSpaces,
      rest.unicodeScalars.allSatisfy({ $0 != "`" && $0 != "}" && $0 != "\n" && $0 != "\r" }), rest.utf8.first != 0x2C
    else { return nil }
    return rest
  }
}

/// `pipe-notebook: {…}` in the front matter: the metadata of a notebook where it is not the usual one.
struct NotebookNote {
  static let key = "pipe-notebook: "

  var metadata: [String: JSONTree]?
  var minorVersion: Int

  /// The front matter without the note, and the note.
  static func split(_ lines: [String]) -> ([String], NotebookNote?) {
    for (index, line) in lines.enumerated() where line.begins(with: key + "{") {
      guard let object = (try? JSONTree(parsing: Array(line.utf8.dropFirst(key.utf8.count))))?.asObject else { continue }
      var rest = lines
      rest.remove(at: index)
      var minorVersion = 5
      if case .number(let text)? = object["nbformat_minor"], let number = Int(text) { minorVersion = number }
      return (rest, NotebookNote(metadata: object["metadata"]?.asObject, minorVersion: minorVersion))
    }
    return (lines, nil)
  }

  /// The front matter of a text form and how many cells it stands for: one when the first cell is front matter already.
  static func frontMatter(of document: NotebookDocument) -> (lines: [String], cells: Int) {
    var note: [String: JSONTree] = [:]
    if document.metadata != NotebookDocument.usualMetadata(NotebookDocument.inferredLanguage(document.cells)) {
      note["metadata"] = .object(document.metadata)
    }
    if document.minorVersion != 5 { note["nbformat_minor"] = .number("\(document.minorVersion)") }
    let noteLines = note.isEmpty ? [] : [key + JSONTree.object(note).line]
    guard let own = inner(of: document.cells.first) else {
      return (noteLines.isEmpty ? [] : ["---"] + noteLines + ["---"], 0)
    }
    return (["---"] + own + noteLines + ["---"], 1)
  }

  /// The lines between `---` and `---` of a raw cell that is nothing but front matter.
  private static func inner(of cell: DocumentCell?) -> [String]? {
    guard let cell, cell.kind == .raw, cell.metadata.isEmpty, cell.attachments == nil else { return nil }
    let lines = cellLines(cell.source)
    guard lines.count > 2, lines.first == "---", lines.last == "---" else { return nil }
    let inner = Array(lines.dropFirst().dropLast())
    guard !inner.contains(where: { $0 == "---" || $0 == "..." || $0.begins(with: key) || $0.utf8.contains(0x0D) }) else {
      return nil
    }
    return inner
  }
}
