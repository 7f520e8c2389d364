// Reads a CSV file into a typed table; every mistake has its file, line and column.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// Reads RFC 4180 CSV in UTF-8 with one header line. LF and CRLF end a line, an empty field is missing.
package enum CSVReader {
  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: the file; `-` has no special meaning.
  ///   - kinds: kinds that are declared. Other columns are numbers when every field that is not empty is one and would keep its
  ///     meaning as one (`NumberText.Parsed.isFaithful`), text otherwise.
  ///   - names: the columns to keep, in the order of the file; `nil` keeps all. A name that the file lacks is an error.
  /// - Throws: a `Diagnostic` at file:line:column.
  /// - Complexity: one pass over the bytes; a second when a column that began with numbers turns out to be text.
  package static func table(
    file path: String, kinds: [String: Column.Kind] = [:], only names: Set<String>? = nil
  ) throws(Diagnostic) -> Table {
    try table(bytes: FileBytes.read(path), named: path, kinds: kinds, only: names)
  }

  /// The same for bytes in memory; `name` stands for the file in messages.
  package static func table(
    bytes: [UInt8], named name: String, kinds: [String: Column.Kind] = [:], only names: Set<String>? = nil
  ) throws(Diagnostic) -> Table {
    let outcome = bytes.withUnsafeBufferPointer { buffer -> Result<Table, Diagnostic> in
      let bytes = UnsafeBufferPointer(rebasing: buffer.starts(with: [0xEF, 0xBB, 0xBF]) ? buffer[3...] : buffer[...])
      return Result { () throws(Diagnostic) -> Table in
        try CSVPass(bytes: bytes, file: name).table(kinds: kinds, only: names)
      }
    }
    return try outcome.get()
  }
}

/// One walk over the bytes of a file.
private struct CSVPass {
  let bytes: UnsafeBufferPointer<UInt8>
  let file: String

  func table(kinds: [String: Column.Kind], only names: Set<String>?) throws(Diagnostic) -> Table {
    if bytes.isEmpty {
      throw Diagnostic(
        .input, "the file is empty, a header line is wanted", at: SourceLocation(file: file),
        hints: ["name the columns in line 1"])
    }
    var position = 0
    let header = try header(&position)
    if let names {
      for name in names.sorted() where !header.contains(name) {
        throw Diagnostic(
          .input, "the file has no column `\(name)`", at: SourceLocation(file: file, line: 1),
          hints: closestMatch(to: name, among: header).map { ["did you mean `\($0)`?"] } ?? [])
      }
    }
    var builders = header.map { name in
      ColumnBuilder(name: name, declared: kinds[name], isKept: names?.contains(name) ?? true)
    }
    let body = position
    try rows(from: body, into: &builders)
    if builders.contains(where: \.turnedOutText) {
      for index in builders.indices { builders[index].startAgain() }
      try rows(from: body, into: &builders)
    }
    return Table(builders.filter(\.isKept).map(\.column), source: file)
  }

  private func header(_ position: inout Int) throws(Diagnostic) -> [String] {
    var names = [String]()
    var isLast = false
    while !isLast {
      let field = try field(&position)
      isLast = field.endsRow
      let name = try text(field)
      if name.isEmpty { throw mistake("column \(names.count + 1) of the header has no name", at: field.start) }
      if names.contains(name) { throw mistake("the header names `\(name)` twice", at: field.start) }
      names.append(name)
    }
    return names
  }

  private func rows(from start: Int, into builders: inout [ColumnBuilder]) throws(Diagnostic) {
    var position = start
    let width = builders.count
    while position < bytes.count {
      let rowStart = position
      var column = 0
      var endsRow = false
      while !endsRow {
        let field = try field(&position)
        endsRow = field.endsRow
        if column < width { try add(field, to: &builders[column]) }
        column += 1
      }
      if column != width {
        throw Diagnostic(
          .input, "the row has \(column) \(column == 1 ? "field" : "fields"), the header names \(width) columns",
          at: location(of: rowStart), hints: ["a comma or line break within a field needs double quotes round the field"])
      }
    }
  }

  private func add(_ field: Field, to builder: inout ColumnBuilder) throws(Diagnostic) {
    guard builder.isKept, !builder.turnedOutText else { return }
    if builder.kind == .text {
      builder.texts.append(field.start == field.end ? nil : try text(field))
    } else if field.start == field.end {
      builder.numbers.append(.nan)
    } else if let parsed = NumberText.parse(content(field)), parsed.isFaithful || builder.declared == .number {
      builder.numbers.append(parsed.value)
    } else if builder.declared == .number {
      throw Diagnostic(
        .input, "`\(try text(field))` is not a number; column `\(builder.name)` is declared one", at: location(of: field.start))
    } else {
      builder.turnedOutText = true
    }
  }

  /// One field: the range of its content without the quotes.
  private struct Field {
    var start: Int
    var end: Int
    var hasDoubledQuotes = false
    var endsRow: Bool
  }

  @inline(__always)
  private func field(_ position: inout Int) throws(Diagnostic) -> Field {
    if position < bytes.count, bytes[position] == UInt8(ascii: "\"") { return try quotedField(&position) }
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte > UInt8(ascii: ",") {
        position += 1
        continue
      }
      if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") { break }
      if byte == UInt8(ascii: "\r"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "\n") { break }
      if byte == UInt8(ascii: "\"") {
        throw Diagnostic(
          .input, "a double quote stands inside a field that does not begin with one", at: location(of: position),
          hints: ["put the whole field in double quotes and write each quote in it twice"])
      }
      position += 1
    }
    let end = position
    return Field(start: start, end: end, endsRow: skipSeparator(&position))
  }

  private func quotedField(_ position: inout Int) throws(Diagnostic) -> Field {
    let opening = position
    var hasDoubledQuotes = false
    position += 1
    while true {
      while position < bytes.count, bytes[position] != UInt8(ascii: "\"") { position += 1 }
      if position == bytes.count { throw mistake("the double quote that opens here is never closed", at: opening) }
      position += 1
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { break }
      hasDoubledQuotes = true
      position += 1
    }
    let end = position - 1
    let next = position < bytes.count ? bytes[position] : UInt8(ascii: "\n")
    let isCRLF = next == UInt8(ascii: "\r") && position + 1 < bytes.count && bytes[position + 1] == UInt8(ascii: "\n")
    guard next == UInt8(ascii: ",") || next == UInt8(ascii: "\n") || isCRLF else {
      throw mistake("a comma or the end of the line is wanted after the closing double quote", at: position)
    }
    return Field(
      start: opening + 1, end: end, hasDoubledQuotes: hasDoubledQuotes, endsRow: skipSeparator(&position))
  }

  /// Goes over the comma or line end at the position; true when the row ends here.
  @inline(__always)
  private func skipSeparator(_ position: inout Int) -> Bool {
    guard position < bytes.count else { return true }
    let byte = bytes[position]
    position += byte == UInt8(ascii: "\r") ? 2 : 1
    return byte != UInt8(ascii: ",")
  }

  private func content(_ field: Field) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(rebasing: bytes[field.start..<field.end])
  }

  private func text(_ field: Field) throws(Diagnostic) -> String {
    guard var text = String(validating: content(field), as: UTF8.self) else {
      throw Diagnostic(
        .input, "the field is not UTF-8", at: location(of: field.start), hints: ["`iconv -f latin1 -t utf-8` may mend the file"])
    }
    if field.hasDoubledQuotes { text = text.replacingDoubledQuotes() }
    return text
  }

  private func mistake(_ message: String, at position: Int) -> Diagnostic {
    Diagnostic(.input, message, at: location(of: position))
  }

  /// Line and column are counted only when something is wrong.
  private func location(of position: Int) -> SourceLocation {
    var line = 1
    var lineStart = 0
    for index in 0..<min(position, bytes.count) where bytes[index] == UInt8(ascii: "\n") {
      line += 1
      lineStart = index + 1
    }
    let column = bytes[lineStart..<min(position, bytes.count)].reduce(1) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
    return SourceLocation(file: file, line: line, column: column)
  }
}

/// The values of one column while the file is read. A column whose kind is not declared begins as numbers.
private struct ColumnBuilder {
  let name: String
  let declared: Column.Kind?
  let isKept: Bool
  var kind: Column.Kind
  var numbers: [Double] = []
  var texts: [String?] = []
  /// A field was no number: the next pass reads the column as text.
  var turnedOutText = false

  init(name: String, declared: Column.Kind?, isKept: Bool) {
    self.name = name
    self.declared = declared
    self.isKept = isKept
    kind = declared ?? .number
  }

  mutating func startAgain() {
    if turnedOutText { kind = .text }
    turnedOutText = false
    numbers.removeAll(keepingCapacity: true)
    texts.removeAll(keepingCapacity: true)
  }

  var column: Column { kind == .number ? Column(name, numbers: numbers) : Column(name, texts: texts) }
}

extension String {
  func replacingDoubledQuotes() -> String {
    var bytes = [UInt8]()
    var isSecond = false
    for byte in utf8 {
      isSecond = byte == UInt8(ascii: "\"") && !isSecond
      if byte != UInt8(ascii: "\"") || isSecond { bytes.append(byte) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
