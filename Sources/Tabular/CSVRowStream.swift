// A CSV file row by row: memory for one row, however long the file.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
import Glibc

/// Reads RFC 4180 CSV in UTF-8 as a stream of rows, by the rules of `CSVReader`; the header is the first row.
///
/// The bytes of a row are valid until `next()` is called again.
package struct CSVRowStream: ~Copyable {
  /// Bytes asked of the file at once; the buffer grows when a row is longer.
  private static let chunk = 1 << 20

  private struct Field {
    var start: Int
    var end: Int
    var hasDoubledQuotes: Bool
  }

  /// What messages call the file.
  package let name: String
  /// Line of the row's first byte, from 1.
  package private(set) var line = 0
  /// Fields of the row.
  package private(set) var count = 0

  private let descriptor: Int32
  private var buffer: UnsafeMutableBufferPointer<UInt8>
  private var filled = 0
  private var isAtEnd: Bool
  private var rowStart = 0
  private var position = 0
  private var nextLine = 1
  private var fields: [Field] = []

  /// - Throws: a diagnostic when the file cannot be read.
  package init(file path: String, named name: String? = nil) throws(Diagnostic) {
    self.name = name ?? path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    buffer = .allocate(capacity: Self.chunk)
    isAtEnd = false
    guard descriptor >= 0 else { throw Self.failure(self.name) }
    var status = stat()
    if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      throw Diagnostic(.input, "`\(self.name)` is a folder, a file is wanted", at: SourceLocation(file: self.name))
    }
    try begin()
  }

  package init(bytes: [UInt8], named name: String) throws(Diagnostic) {
    self.name = name
    descriptor = -1
    buffer = .allocate(capacity: max(bytes.count, 1))
    _ = buffer.update(fromContentsOf: bytes)
    filled = bytes.count
    isAtEnd = true
    try begin()
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    buffer.deallocate()
  }

  /// Goes over a byte order mark; an empty file is a mistake.
  private mutating func begin() throws(Diagnostic) {
    while !isAtEnd, filled < 3 { try refill() }
    if filled >= 3, buffer[0] == 0xEF, buffer[1] == 0xBB, buffer[2] == 0xBF { position = 3 }
    if position == filled, isAtEnd {
      throw Diagnostic(
        .input, "the file is empty, a header line is wanted", at: SourceLocation(file: name),
        hints: ["name the columns in line 1"])
    }
  }

  // MARK: Rows

  /// Goes to the next row; false at the end of the file.
  package mutating func next() throws(Diagnostic) -> Bool {
    while true {
      rowStart = position
      if position == filled {
        if isAtEnd { return false }
      } else if let (end, lines) = try scan() {
        position = end
        line = nextLine
        nextLine += lines
        count = fields.count
        return true
      }
      try refill()
    }
  }

  /// Finds the fields of the row at `rowStart`; `nil` when the buffer ends before it.
  private mutating func scan() throws(Diagnostic) -> (end: Int, lines: Int)? {
    fields.removeAll(keepingCapacity: true)
    var at = rowStart
    var lines = 1
    while true {
      var field = Field(start: at, end: at, hasDoubledQuotes: false)
      if at < filled, buffer[at] == UInt8(ascii: "\"") {
        guard let end = try quoted(from: at, &field, &lines) else { return nil }
        at = end
      } else {
        at = try plain(from: at)
        field.end = at
      }
      // A carriage return needs the byte after it to be understood.
      if at >= filled - 1, !isAtEnd { return nil }
      fields.append(field)
      guard at < filled else { return (at, lines) }
      let byte = buffer[at]
      at += byte == UInt8(ascii: "\r") ? 2 : 1
      if byte != UInt8(ascii: ",") { return (at, lines) }
    }
  }

  @inline(__always)
  private func plain(from start: Int) throws(Diagnostic) -> Int {
    var at = start
    while at < filled {
      let byte = buffer[at]
      if byte > UInt8(ascii: ",") {
        at += 1
        continue
      }
      if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") { break }
      if byte == UInt8(ascii: "\r"), at + 1 < filled, buffer[at + 1] == UInt8(ascii: "\n") { break }
      if byte == UInt8(ascii: "\"") {
        throw Diagnostic(
          .input, "a double quote stands inside a field that does not begin with one", at: location(of: at, line: nextLine),
          hints: ["put the whole field in double quotes and write each quote in it twice"])
      }
      at += 1
    }
    return at
  }

  private func quoted(from start: Int, _ field: inout Field, _ lines: inout Int) throws(Diagnostic) -> Int? {
    var at = start + 1
    while true {
      while at < filled, buffer[at] != UInt8(ascii: "\"") {
        if buffer[at] == UInt8(ascii: "\n") { lines += 1 }
        at += 1
      }
      if at == filled {
        guard isAtEnd else { return nil }
        throw Diagnostic(
          .input, "the double quote that opens here is never closed", at: location(of: start, line: nextLine))
      }
      at += 1
      guard at < filled, buffer[at] == UInt8(ascii: "\"") else { break }
      field.hasDoubledQuotes = true
      at += 1
    }
    field.start = start + 1
    field.end = at - 1
    // The bytes after the quote decide; `scan` asks for more of them.
    if at >= filled - 1, !isAtEnd { return at }
    let next = at < filled ? buffer[at] : UInt8(ascii: "\n")
    let isCRLF = next == UInt8(ascii: "\r") && at + 1 < filled && buffer[at + 1] == UInt8(ascii: "\n")
    guard next == UInt8(ascii: ",") || next == UInt8(ascii: "\n") || isCRLF else {
      throw Diagnostic(
        .input, "a comma or the end of the line is wanted after the closing double quote", at: location(of: at, line: nextLine))
    }
    return at
  }

  // MARK: Fields

  /// The bytes between the quotes, or between the commas; doubled quotes are still doubled.
  @inline(__always)
  package func bytes(_ index: Int) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(rebasing: buffer[fields[index].start..<fields[index].end])
  }

  @inline(__always)
  package func isEmpty(_ index: Int) -> Bool { fields[index].start == fields[index].end }

  @inline(__always)
  package func hasDoubledQuotes(_ index: Int) -> Bool { fields[index].hasDoubledQuotes }

  package func text(_ index: Int) throws(Diagnostic) -> String {
    guard let text = String(validating: bytes(index), as: UTF8.self) else {
      throw Diagnostic(
        .input, "the field is not UTF-8", at: location(index), hints: ["`iconv -f latin1 -t utf-8` may mend the file"])
    }
    return fields[index].hasDoubledQuotes ? text.replacingDoubledQuotes() : text
  }

  /// Where a field of the row begins.
  package func location(_ index: Int) -> SourceLocation { location(of: fields[index].start, line: line) }

  /// Where the row begins.
  package var location: SourceLocation { location(of: rowStart, line: line) }

  private func location(of place: Int, line: Int) -> SourceLocation {
    var line = line
    var column = 1
    for at in rowStart..<place {
      if buffer[at] == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if buffer[at] & 0xC0 != 0x80 {
        column += 1
      }
    }
    return SourceLocation(file: name, line: line, column: column)
  }

  // MARK: Bytes

  /// Keeps the row that was begun, and reads on behind it.
  private mutating func refill() throws(Diagnostic) {
    let kept = filled - rowStart
    if rowStart > 0 {
      if kept > 0, let first = buffer.baseAddress { memmove(first, first + rowStart, kept) }
      filled = kept
      rowStart = 0
      position = 0
    } else if filled == buffer.count {
      let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: buffer.count * 2)
      _ = larger.update(fromContentsOf: buffer[..<filled])
      buffer.deallocate()
      buffer = larger
    }
    while true {
      let got = read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
      if got < 0 {
        if errno == EINTR { continue }
        throw Self.failure(name)
      }
      filled += got
      isAtEnd = got == 0
      return
    }
  }

  private static func failure(_ name: String) -> Diagnostic {
    let code = errno
    let isTheirs = [ENOENT, ENOTDIR, EISDIR, EACCES].contains(code)
    return Diagnostic(
      isTheirs ? .input : .storage, "`\(name)` cannot be read", at: SourceLocation(file: name),
      causes: [String(cString: strerror(code)).lowercased()])
  }

  /// Line ends in a file: rows it can have at most, the header among them. `nil` for what is no regular file.
  package static func lineCount(file path: String) -> Int? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 64) { block in
      var lines = 1
      while true {
        let got = read(descriptor, block.baseAddress, block.count)
        if got <= 0 { return got == 0 ? lines : nil }
        lines += block[..<got].reduce(0) { $0 &+ ($1 == UInt8(ascii: "\n") ? 1 : 0) }
      }
    }
  }
}
