// Scripts whose cells begin with `# %%`, as documents and back.
// SPDX-License-Identifier: Apache-2.0

/// The percent form of one language, as jupytext, VS Code and Spyder write it.
///
/// A cell is its header, its lines, and one empty line before the next header. Prose, raw cells and code of another
/// language are commented. A line of code that reads like a header has one comment mark more.
struct PercentScript {
  /// Of cells that name no other.
  var language: String
  /// What begins a comment: `#`, `--` or `//`.
  var mark: String

  // MARK: Reading

  func read(_ fileLines: [String]) -> ReadDocument {
    var lines = fileLines.last?.isEmpty == true ? fileLines.dropLast()[...] : fileLines[...]
    var result = ReadDocument(document: NotebookDocument(metadata: [:], cells: []))
    var note: NotebookNote?
    if let (front, count) = frontMatter(lines) {
      let split = NotebookNote.split(front)
      note = split.1
      result.frontMatter = (front, 2)
      if split.1 == nil || !split.0.isEmpty {
        result.document.cells.append(DocumentCell(.raw, (["---"] + split.0 + ["---"]).joined(separator: "\n")))
      }
      lines.removeFirst(count)
      if lines.first?.isEmpty == true { lines.removeFirst() }
    }
    result.document.cells += cells(lines)
    result.document.minorVersion = note?.minorVersion ?? 5
    let inferred =
      result.document.cells.contains { $0.kind == .code } ? NotebookDocument.inferredLanguage(result.document.cells) : language
    result.document.metadata = note?.metadata ?? NotebookDocument.usualMetadata(inferred)
    return result
  }

  /// Commented `---` to commented `---` at the very beginning.
  private func frontMatter(_ lines: ArraySlice<String>) -> ([String], count: Int)? {
    guard lines.first == "\(mark) ---", let end = lines.dropFirst().firstIndex(of: "\(mark) ---") else { return nil }
    let inner = lines[(lines.startIndex + 1)..<end]
    guard inner.allSatisfy({ $0.begins(with: mark) }) else { return nil }
    return (inner.map(uncommented), end + 1 - lines.startIndex)
  }

  private func cells(_ lines: ArraySlice<String>) -> [DocumentCell] {
    var cells: [DocumentCell] = []
    let starts = lines.indices.filter { PercentHeader(lines[$0], mark: mark) != nil }
    // Code above the first header is a cell as well.
    let above = lines[lines.startIndex..<(starts.first ?? lines.endIndex)]
    if above.contains(where: { !$0.trimmingSpaces.isEmpty }) {
      cells.append(cell(PercentHeader(), above, isLast: starts.isEmpty))
    }
    for (position, start) in starts.enumerated() {
      guard let header = PercentHeader(lines[start], mark: mark) else { continue }
      let end = position + 1 < starts.count ? starts[position + 1] : lines.endIndex
      cells.append(cell(header, lines[(start + 1)..<end], isLast: end == lines.endIndex))
    }
    return cells
  }

  private func cell(_ header: PercentHeader, _ body: ArraySlice<String>, isLast: Bool) -> DocumentCell {
    var lines = body
    if !isLast, lines.last?.isEmpty == true { lines.removeLast() }
    let firstLine = lines.startIndex + 1
    let isComment = header.kind != .code || header.language != nil
    let source: [String] = isComment ? commentBody(lines) : lines.map(unescaped)
    var cell = DocumentCell(
      header.kind, language: header.kind == .code ? header.language ?? language : "", source.joined(separator: "\n"),
      metadata: header.metadata, attachments: header.attachments)
    cell.firstLine = firstLine
    return cell
  }

  /// Prose may also stand in a string of three quotes, as jupytext writes it when asked.
  private func commentBody(_ lines: ArraySlice<String>) -> [String] {
    if mark == "#", let first = lines.first, first == "\"\"\"" || first == "r\"\"\"", lines.count > 1, lines.last == "\"\"\"" {
      return Array(lines.dropFirst().dropLast())
    }
    return lines.map(uncommented)
  }

  private func uncommented(_ line: String) -> String {
    if line.begins(with: mark + " ") { return line.dropping(mark.utf8.count + 1) }
    return line.begins(with: mark) ? line.dropping(mark.utf8.count) : line
  }

  // MARK: Escapes

  private func unescaped(_ line: String) -> String {
    let shorter = line.begins(with: mark + " ") ? line.dropping(mark.utf8.count + 1) : line
    return shorter.utf8.count < line.utf8.count && readsLikeHeader(shorter) ? shorter : line
  }

  /// A header, or a header behind comment marks.
  private func readsLikeHeader(_ line: String) -> Bool {
    var rest = line
    while rest.begins(with: mark + " ") {
      if PercentHeader(rest, mark: mark) != nil { return true }
      rest = rest.dropping(mark.utf8.count + 1)
    }
    return PercentHeader(rest, mark: mark) != nil
  }

  // MARK: Writing

  func text(of document: NotebookDocument) -> String {
    let (frontMatter, taken) = frontMatter(of: document)
    var blocks: [[String]] = frontMatter.isEmpty ? [] : [frontMatter.map(commented)]
    for cell in document.cells.dropFirst(taken) {
      let isOwn = cell.kind == .code && cell.language == language
      let header = PercentHeader(
        kind: cell.kind, language: cell.kind == .code && !isOwn ? cell.language : nil, metadata: cell.metadata,
        attachments: cell.attachments)
      let lines = cellLines(cell.source)
      let body = isOwn ? lines.map { readsLikeHeader($0) ? "\(mark) \($0)" : $0 } : lines.map(commented)
      blocks.append([header.line(mark: mark)] + body)
    }
    return blocks.isEmpty ? "" : blocks.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  /// A script without code means its own language.
  private func frontMatter(of document: NotebookDocument) -> ([String], Int) {
    guard !document.cells.contains(where: { $0.kind == .code }) else { return NotebookNote.frontMatter(of: document) }
    var standIn = document
    standIn.cells.append(DocumentCell(.code, language: language, ""))
    return NotebookNote.frontMatter(of: standIn)
  }

  private func commented(_ line: String) -> String { line.isEmpty ? mark : "\(mark) \(line)" }
}

/// `# %% a title [markdown] tags=["a"]`.
struct PercentHeader: Equatable {
  var kind = DocumentCell.Kind.code
  /// Of a code cell in another language than the script's.
  var language: String?
  var metadata: [String: JSONTree] = [:]
  var attachments: JSONTree?

  private static let kinds: [(word: String, kind: DocumentCell.Kind)] = [
    ("[markdown]", .markdown), ("[md]", .markdown), ("[raw]", .raw),
  ]
  private static let reserved: Set<String> = ["attachments", "language", "metadata"]

  init(
    kind: DocumentCell.Kind = .code, language: String? = nil, metadata: [String: JSONTree] = [:], attachments: JSONTree? = nil
  ) {
    self.kind = kind
    self.language = language
    self.metadata = metadata
    self.attachments = attachments
  }

  init?(_ line: String, mark: String) {
    guard line.begins(with: mark) else { return nil }
    var text = line.dropping(mark.utf8.count)
    if text.begins(with: " ") { text = text.dropping(1) }
    guard text.begins(with: "%%") else { return nil }
    let marks = text.utf8.prefix { $0 == 0x25 }.count
    text = text.dropping(marks)
    // `#%%time` is a magic.
    guard text.isEmpty || text.begins(with: " ") else { return nil }
    if marks > 2 { metadata["cell_depth"] = .number("\(marks - 2)") }
    read(text)
  }

  /// A title, the kind in brackets, then `key=value`s or one JSON object; what cannot be read as that is title.
  private mutating func read(_ text: String) {
    var words = text.trimmingSpaces
    let start = Self.valueStart(in: words)
    if let start {
      readValues(words.dropping(start))
      words = String(Substring(words.utf8.prefix(start))).trimmingSpaces
    }
    for (word, kind) in Self.kinds where words.hasSuffix(word) {
      self.kind = kind
      words = String(Substring(words.utf8.dropLast(word.utf8.count))).trimmingSpaces
      break
    }
    if !words.isEmpty { metadata["title"] = metadata["title"] ?? .text(words) }
  }

  /// Where `key=value …` or `{…}` begins that reaches to the end of the text.
  private static func valueStart(in text: String) -> Int? {
    let bytes = Array(text.utf8)
    for start in bytes.indices where start == 0 || bytes[start - 1] == 0x20 {
      if values(bytes[start...]) != nil { return start }
    }
    return nil
  }

  private static func values(_ bytes: ArraySlice<UInt8>) -> [String: JSONTree]? {
    if bytes.first == 0x7B {
      guard let (value, rest) = JSONTree.prefix(of: Array(bytes)), rest.isEmpty else { return nil }
      return value.asObject
    }
    var rest = bytes
    var found: [String: JSONTree] = [:]
    while !rest.isEmpty {
      let key = rest.prefix { isKeyByte($0) }
      guard !key.isEmpty, rest.dropFirst(key.count).first == 0x3D else { return nil }
      guard let (value, after) = JSONTree.prefix(of: Array(rest.dropFirst(key.count + 1))) else { return nil }
      found[String(decoding: key, as: UTF8.self)] = value
      guard after.isEmpty || after.first == 0x20 else { return nil }
      rest = after.drop { $0 == 0x20 }
    }
    return found.isEmpty ? nil : found
  }

  private static func isKeyByte(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
      || [0x2D, 0x2E, 0x5F].contains(byte)
  }

  private mutating func readValues(_ text: String) {
    guard var found = Self.values(Array(text.utf8)[...]) else { return }
    if kind == .code, let name = found["language"]?.asText {
      language = name
      found["language"] = nil
    }
    attachments = found.removeValue(forKey: "attachments")
    if let whole = found["metadata"]?.asObject {
      found["metadata"] = nil
      metadata.merge(whole) { $1 }
    }
    metadata.merge(found) { $1 }
  }

  // MARK: Writing

  func line(mark: String) -> String {
    for isPlain in [true, false] {
      let line = line(mark: mark, withTitle: isPlain)
      if PercentHeader(line, mark: mark) == self { return line }
    }
    // Any metadata survives behind its own key.
    var values: [String] = []
    if let attachments { values.append("attachments=\(attachments.line)") }
    if let language { values.append("language=\(JSONTree.text(language).line)") }
    values.append("metadata=\(JSONTree.object(metadata).line)")
    return ([start(mark)] + values).joined(separator: " ")
  }

  private func start(_ mark: String) -> String {
    let words: [DocumentCell.Kind: String] = [.markdown: " [markdown]", .raw: " [raw]"]
    return "\(mark) %%\(words[kind] ?? "")"
  }

  private func line(mark: String, withTitle: Bool) -> String {
    var values = metadata
    var title: String?
    if withTitle { title = values.removeValue(forKey: "title")?.asText }
    if Self.reserved.contains(where: { values[$0] != nil })
      || !values.keys.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isKeyByte) })
    {
      values = ["metadata": .object(values)]
    }
    if let language { values["language"] = .text(language) }
    values["attachments"] = attachments
    let pairs = values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { "\($0.key)=\($0.value.line)" }
    let kindWord = start("").dropping(3)
    return (["\(mark) %%"] + [title, kindWord.isEmpty ? nil : kindWord.trimmingSpaces].compactMap { $0 } + pairs).joined(
      separator: " ")
  }
}
