// A configuration file as text: sections of `key = value`, in the dialect of ini that DVC writes.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// The sections of a configuration file in their order, with the comments that stand before or beside them.
///
/// Without comments, `text` is what DVC leaves after an edit: four spaces before a key, no empty sections, named sections
/// (`remote "x"`) last. DVC drops comments; they are kept here.
package struct ConfigText: Sendable, Equatable {
  package enum Value: Sendable, Equatable {
    case text(String)
    /// `a, b`: a comma outside quotes makes a list.
    case list([String])
  }

  package struct Entry: Sendable, Equatable {
    /// In lower case.
    package var key: String
    package var value: Value
    /// Comment and empty lines above it, without indentation.
    package var comments: [String] = []
    /// With its `#`; empty when there is none.
    package var inlineComment = ""

    package init(key: String, value: Value) {
      self.key = key
      self.value = value
    }
  }

  package struct Section: Sendable, Equatable {
    /// In lower case: `core`, `remote "store"`.
    package var name: String
    package var entries: [Entry] = []
    package var comments: [String] = []
    package var inlineComment = ""

    package init(name: String) { self.name = name }

    /// `remote` and `store` of `remote "store"`; the kind is `nil` for a plain section.
    package var parts: (kind: String?, name: String) {
      for kind in ConfigText.namedKinds {
        guard name.hasPrefix(kind) else { continue }
        let rest = name.unicodeScalars.dropFirst(kind.count).droppingBlanks()
        if rest.count >= 2, rest.first == "\"", rest.last == "\"" { return (kind, String(rest.dropFirst().dropLast())) }
      }
      return (nil, name)
    }
  }

  package var sections: [Section] = []
  /// Lines after the last key.
  package var finalComments: [String] = []

  /// Kinds of sections that have a name of their own, in the order in which they are written.
  package static let namedKinds = ["remote", "machine", "db"]

  package init() {}

  /// The section `core`, or `remote "store"` with a kind.
  package func section(_ name: String, kind: String? = nil) -> Section? {
    sections.first { $0.parts == (kind, name) }
  }

  package func value(_ key: String, in name: String, kind: String? = nil) -> Value? {
    section(name, kind: kind)?.entries.first { $0.key == key }?.value
  }

  /// Names of all sections of a kind, in order.
  package func names(of kind: String) -> [String] {
    sections.compactMap { $0.parts.kind == kind ? $0.parts.name : nil }
  }

  /// Sets a value in its place, or as the last of its section, or in a new section.
  package mutating func set(_ value: Value, for key: String, in name: String, kind: String? = nil) {
    let index = makeSection(name, kind: kind)
    if let place = sections[index].entries.firstIndex(where: { $0.key == key }) {
      sections[index].entries[place].value = value
    } else {
      sections[index].entries.append(Entry(key: key, value: value))
    }
  }

  /// - Returns: the section's place; a new one is the last.
  @discardableResult
  package mutating func makeSection(_ name: String, kind: String? = nil) -> Int {
    if let index = sections.firstIndex(where: { $0.parts == (kind, name) }) { return index }
    sections.append(Section(name: kind.map { "\($0) \"\(name)\"" } ?? name))
    return sections.count - 1
  }

  /// - Returns: whether there was such a key.
  @discardableResult
  package mutating func remove(_ key: String, in name: String, kind: String? = nil) -> Bool {
    guard let index = sections.firstIndex(where: { $0.parts == (kind, name) }),
      let place = sections[index].entries.firstIndex(where: { $0.key == key })
    else { return false }
    sections[index].entries.remove(at: place)
    return true
  }

  package mutating func removeSection(_ name: String, kind: String? = nil) {
    sections.removeAll { $0.parts == (kind, name) }
  }
}

// MARK: Reading

extension ConfigText {
  /// Reads a file; section names and keys become lower case.
  ///
  /// - Throws: a `Diagnostic` at the first line that is neither section, `key = value`, comment nor empty.
  package static func read(_ text: String, file: String) throws(Diagnostic) -> ConfigText {
    var reading = ConfigReading(file: file, lines: text.lines)
    return try reading.read()
  }
}

/// A piece of the file, scalar by scalar: as a `Character`, a blank or a quote would be one with a combining mark behind it.
private typealias Piece = Substring.UnicodeScalarView

extension String {
  /// Without line ends; nothing follows the last one.
  fileprivate var lines: [Piece] {
    var lines = split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map(\.unicodeScalars)
  }

  fileprivate init(_ piece: Piece) { self.init(Substring(piece)) }

  /// No line can quote it then.
  fileprivate var hasBothQuotes: Bool { unicodeScalars.contains("'") && unicodeScalars.contains("\"") }
}

extension Piece {
  fileprivate func hasPrefix(_ text: String) -> Bool { starts(with: text.unicodeScalars) }

  fileprivate func droppingBlanks() -> Piece { drop { $0 == " " || $0 == "\t" } }

  fileprivate func trimmed() -> Piece {
    var piece = droppingBlanks()
    while let last = piece.last, last == " " || last == "\t" { piece.removeLast() }
    return piece
  }
}

private struct ConfigReading {
  let file: String
  let lines: [Piece]
  var index = 0
  var config = ConfigText()

  init(file: String, lines: [Piece]) {
    self.file = file
    self.lines = lines
  }

  mutating func read() throws(Diagnostic) -> ConfigText {
    var comments: [String] = []
    while index < lines.count {
      let line = lines[index].trimmed()
      if line.isEmpty || line.hasPrefix("#") {
        comments.append(String(line))
      } else if line.hasPrefix("[") {
        try section(line, comments)
        comments = []
      } else {
        try entry(line, comments)
        comments = []
      }
      index += 1
    }
    config.finalComments = comments
    return config
  }

  private mutating func section(_ line: Piece, _ comments: [String]) throws(Diagnostic) {
    let rest = line.dropFirst().droppingBlanks()
    let quote = rest.first.flatMap { $0 == "'" || $0 == "\"" ? $0 : nil }
    guard let (name, comment) = Self.name(in: quote == nil ? rest : rest.dropFirst(), quote) else {
      throw mistake(why(rest, quote))
    }
    guard !name.isEmpty, !name.hasPrefix("[") else { throw mistake("a section is `[name]` or `['remote \"name\"']`") }
    var section = ConfigText.Section(name: String(name).lowercased())
    guard config.sections.allSatisfy({ $0.name != section.name }) else {
      throw mistake("section `\(String(name))` is there twice")
    }
    section.comments = comments
    section.inlineComment = String(comment)
    config.sections.append(section)
  }

  /// The name up to the first `]`, or quote and `]`, behind which a comment stands or nothing: names hold brackets and quotes
  /// too (`"remote "x""`).
  private static func name(in text: Piece, _ quote: Unicode.Scalar?) -> (name: Piece, comment: Piece)? {
    for end in text.indices where text[end] == quote ?? "]" {
      let behind = quote == nil ? text[end...] : text[end...].dropFirst().droppingBlanks()
      guard behind.hasPrefix("]") else { continue }
      let comment = behind.dropFirst().trimmed()
      if comment.isEmpty || comment.hasPrefix("#") { return (quote == nil ? text[..<end].trimmed() : text[..<end], comment) }
    }
    return nil
  }

  /// What is wrong with the line of a section whose name has no end.
  private func why(_ rest: Piece, _ quote: Unicode.Scalar?) -> String {
    if let quote, !rest.dropFirst().contains(quote) { return "the section's name has no closing \(quote)" }
    guard let end = rest.firstIndex(of: "]") else { return "the section has no `]`" }
    return "`\(String(rest[end...].dropFirst().trimmed()))` stands after the section's name"
  }

  private mutating func entry(_ line: Piece, _ comments: [String]) throws(Diagnostic) {
    guard let equals = equals(in: line) else { throw mistake("a line is `key = value`, `[section]` or `# comment`") }
    let key = String(unquoted(line[..<equals].trimmed())).lowercased()
    guard !key.isEmpty else { throw mistake("the key is empty") }
    guard !key.hasBothQuotes else { throw mistake("no key has both kinds of quotes, which no line can quote") }
    guard !config.sections.isEmpty else { throw mistake("`\(key)` stands before any section") }
    let last = config.sections.count - 1
    guard config.sections[last].entries.allSatisfy({ $0.key != key }) else {
      throw mistake("`\(key)` is there twice in section `\(config.sections[last].name)`")
    }
    let (value, comment) = try value(line[line.index(after: equals)...].trimmed())
    var entry = ConfigText.Entry(key: key, value: value)
    entry.comments = comments
    entry.inlineComment = comment
    config.sections[last].entries.append(entry)
  }

  /// The first `=` outside a quoted key.
  private func equals(in line: Piece) -> Piece.Index? {
    guard let quote = line.first, quote == "\"" || quote == "'",
      let close = line.dropFirst().firstIndex(of: quote)
    else { return line.firstIndex(of: "=") }
    return line[close...].firstIndex(of: "=")
  }

  private mutating func value(_ text: Piece) throws(Diagnostic) -> (ConfigText.Value, comment: String) {
    for quote in ["\"\"\"", "'''"] where text.hasPrefix(quote) { return try multiline(text.dropFirst(3), quote) }
    if text.elementsEqual(",".unicodeScalars) { return (.list([]), "") }
    var rest = text
    var items: [String] = []
    var isList = false
    while true {
      let (item, after) = try item(rest)
      if let item { items.append(item) }
      rest = after
      if rest.hasPrefix(",") {
        isList = true
        guard item != nil else { throw mistake("a value is missing before `,`") }
        rest = rest.dropFirst().droppingBlanks()
        continue
      }
      break
    }
    guard isList else { return (.text(items.first ?? ""), String(rest)) }
    guard !items.contains(where: \.hasBothQuotes) else {
      throw mistake("no item of a list has both kinds of quotes, which no line can quote")
    }
    return (.list(items), String(rest))
  }

  /// One item, without quotes; what follows begins with `,` or `#` or is empty. `nil` when there is none.
  private func item(_ text: Piece) throws(Diagnostic) -> (item: String?, rest: Piece) {
    guard let first = text.first, first != "#" else { return (nil, text) }
    if first == "\"" || first == "'" {
      var close = text.dropFirst().firstIndex(of: first)
      while let end = close {
        let rest = text[text.index(after: end)...].droppingBlanks()
        if rest.isEmpty || rest.hasPrefix(",") || rest.hasPrefix("#") {
          return (String(text[text.index(after: text.startIndex)..<end]), rest)
        }
        close = text[text.index(after: end)...].firstIndex(of: first)
      }
      throw mistake("the value has no closing \(first)")
    }
    let end = text.firstIndex { $0 == "," || $0 == "#" } ?? text.endIndex
    let item = text[..<end].trimmed()
    return (item.isEmpty ? nil : String(item), text[end...])
  }

  private mutating func multiline(_ text: Piece, _ quote: String) throws(Diagnostic) -> (ConfigText.Value, comment: String) {
    var collected = ""
    var rest = text
    while true {
      if let (end, comment) = Self.closing(quote, in: rest) { return (.text(collected + String(rest[..<end])), String(comment)) }
      collected += String(rest) + "\n"
      guard index + 1 < lines.count else { throw mistake("the value has no closing \(quote)") }
      index += 1
      rest = lines[index]
    }
  }

  /// The first three quotes that nothing follows but a comment: a value may end in a quote of its own.
  private static func closing(_ quote: String, in text: Piece) -> (end: Piece.Index, comment: Piece)? {
    var start = text.startIndex
    while let range = text[start...].firstRange(of: quote.unicodeScalars) {
      let rest = text[range.upperBound...].trimmed()
      if rest.isEmpty || rest.hasPrefix("#") { return (range.lowerBound, rest) }
      start = text.index(after: range.lowerBound)
    }
    return nil
  }

  private func unquoted(_ text: Piece) -> Piece {
    guard text.count >= 2, let first = text.first, first == "\"" || first == "'", text.last == first else { return text }
    return text.dropFirst().dropLast()
  }

  private func mistake(_ message: String) -> Diagnostic {
    Diagnostic(.input, message, at: SourceLocation(file: file, line: index + 1))
  }
}

// MARK: Writing

extension ConfigText {
  /// The bytes of the file; a file without sections is one newline, as DVC leaves it.
  package var text: String {
    var out = ""
    for section in writtenOrder {
      for line in section.comments { out += line + "\n" }
      out += "[\(Self.quoted(section.name, isKey: true))]" + Self.beside(section.inlineComment) + "\n"
      for entry in section.entries {
        for line in entry.comments { out += (line.isEmpty ? "" : "    " + line) + "\n" }
        out += "    \(Self.quoted(entry.key, isKey: true)) = \(Self.written(entry.value))\(Self.beside(entry.inlineComment))\n"
      }
    }
    for line in finalComments { out += line + "\n" }
    return out.isEmpty ? "\n" : out
  }

  /// Plain sections that are not empty, then named ones by kind.
  private var writtenOrder: [Section] {
    sections.filter { $0.parts.kind == nil && !$0.entries.isEmpty }
      + Self.namedKinds.flatMap { kind in sections.filter { $0.parts.kind == kind } }
  }

  private static func beside(_ comment: String) -> String { comment.isEmpty ? "" : "    " + comment }

  private static func written(_ value: Value) -> String {
    switch value {
    case .text(let text): return quoted(text, isKey: false)
    case .list(let items):
      if items.isEmpty { return "," }
      if items.count == 1 { return quoted(items[0], isKey: true) + "," }
      return items.map { quoted($0, isKey: true) }.joined(separator: ", ")
    }
  }

  /// Quotes only what needs it.
  ///
  /// - Parameter isKey: keys, names and items of lists stay on one line; of both quotes in one, `"` is taken and `'` kept.
  static func quoted(_ text: String, isKey: Bool) -> String {
    let scalars = text.unicodeScalars
    guard let first = scalars.first, let last = scalars.last else { return "\"\"" }
    if !isKey, text.hasBothQuotes || scalars.contains("\n") {
      return scalars.contains("\"\"\"".unicodeScalars) ? "'''\(text)'''" : "\"\"\"\(text)\"\"\""
    }
    let special: Set<Unicode.Scalar> = [" ", "\r", "\n", "\u{0B}", "\t", "'", "\""]
    guard special.contains(first) || special.contains(last) || scalars.contains(",") || scalars.contains("#") else { return text }
    return scalars.contains("\"") ? "'\(text)'" : "\"\(text)\""
  }
}
