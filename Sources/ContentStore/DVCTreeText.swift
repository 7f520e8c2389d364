// DVC's `.dir` object: a directory's list as JSON.
// SPDX-License-Identifier: Apache-2.0

/// `[{"md5": "…", "relpath": "a/b"}, …]` as Python's `json.dumps` writes it: `, ` and `: ` between things, everything but
/// printable ASCII as `\u` with four digits. The reader takes any JSON spacing, key order and unknown keys.
enum DVCTreeText {
  static func encode(_ entries: [FileTree.Entry]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(entries.count * 96 + 2)
    out.append(UInt8(ascii: "["))
    for (index, entry) in entries.enumerated() {
      out.append(contentsOf: index == 0 ? firstRow : nextRow)
      entry.digest.appendDigits(to: &out)
      out.append(contentsOf: middle)
      appendEscaped(entry.path, to: &out)
      out.append(UInt8(ascii: "\""))
      out.append(UInt8(ascii: "}"))
    }
    out.append(UInt8(ascii: "]"))
    return out
  }

  private static let firstRow = Array("{\"md5\": \"".utf8)
  private static let nextRow = Array(", {\"md5\": \"".utf8)
  private static let middle = Array("\", \"relpath\": \"".utf8)

  private static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
  }

  private static func appendEscaped(_ text: String, to out: inout [UInt8]) {
    let isDone = withBytes(text) { bytes in
      guard bytes.allSatisfy(isPlain) else { return false }
      out.append(contentsOf: bytes)
      return true
    }
    if isDone { return }
    for unit in text.utf16 {
      switch unit {
      case 0x22, 0x5C: out.append(contentsOf: [UInt8(ascii: "\\"), UInt8(unit)])
      case 0x0A: out.append(contentsOf: "\\n".utf8)
      case 0x0D: out.append(contentsOf: "\\r".utf8)
      case 0x09: out.append(contentsOf: "\\t".utf8)
      case 0x08: out.append(contentsOf: "\\b".utf8)
      case 0x0C: out.append(contentsOf: "\\f".utf8)
      case 0x20..<0x7F: out.append(UInt8(unit))
      default:
        out.append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] as [UInt16] { out.append(hexDigit(UInt8((unit >> shift) & 15))) }
      }
    }
  }

  /// Rows in the order of the text; order and nesting are for the caller to check.
  static func decode(_ bytes: [UInt8], _ algorithm: Digest.Algorithm) throws(FileTree.Flaw) -> [FileTree.Entry] {
    // A closure cannot throw typed through `withUnsafeBufferPointer` and keep its result, so the outcome is a value.
    let outcome = bytes.withUnsafeBufferPointer { text -> Result<[FileTree.Entry], FileTree.Flaw> in
      var reader = JSONRows(text, algorithm)
      do throws(FileTree.Flaw) {
        return .success(try reader.rows())
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }
}

/// Reads the rows of a `.dir` object in one pass. What it allocates is bounded by the text.
private struct JSONRows {
  private let text: UnsafeBufferPointer<UInt8>
  private let algorithm: Digest.Algorithm
  private var position = 0
  private var row = 0
  /// A value that nobody reads may nest this deep.
  private static let deepest = 64
  private var scratch: [UInt8] = []

  init(_ text: UnsafeBufferPointer<UInt8>, _ algorithm: Digest.Algorithm) {
    self.text = text
    self.algorithm = algorithm
  }

  mutating func rows() throws(FileTree.Flaw) -> [FileTree.Entry] {
    var entries: [FileTree.Entry] = []
    guard take("[") else { throw FileTree.Flaw(why: "it is not a list") }
    if !take("]") {
      repeat {
        row += 1
        entries.append(try entry())
      } while take(",")
      guard take("]") else { throw FileTree.Flaw(why: "the list is cut off after row \(row)") }
    }
    skipSpace()
    guard position == text.count else { throw FileTree.Flaw(why: "there is more behind the list") }
    return entries
  }

  private mutating func entry() throws(FileTree.Flaw) -> FileTree.Entry {
    guard take("{") else { throw flaw("is not an object") }
    var digest: Digest?
    var path: String?
    var size: Int?
    var isExecutable = false
    if !take("}") {
      repeat {
        let key = try string()
        guard take(":") else { throw flaw("has a key without a value") }
        if equals(key, "md5") {
          // In a line of its own: the receiver is read before the arguments, and reading the string changes it.
          let digits = try string()
          digest = hex(digits)
          guard digest != nil else { throw flaw("has no MD5 of a file") }
        } else if equals(key, "relpath") {
          let span = try string()
          if let complaint = with(span, FileTree.complaint) { throw flaw("has a path that \(complaint)") }
          path = with(span) { String(validating: $0, as: UTF8.self) }
          guard path != nil else { throw flaw("has a path that is not UTF-8") }
        } else if equals(key, "size") {
          size = try number()
        } else if equals(key, "isexec") {
          isExecutable = try truth()
        } else {
          try skipValue(depth: 0)
        }
      } while take(",")
      guard take("}") else { throw flaw("is cut off") }
    }
    guard let digest, let path else { throw flaw("has no `md5` or no `relpath`") }
    return FileTree.Entry(path: path, digest: digest, size: size, isExecutable: isExecutable)
  }

  private func flaw(_ what: String) -> FileTree.Flaw { FileTree.Flaw(why: "row \(row) \(what)") }

  // MARK: Values

  /// Where the bytes of a string are: in the text, or in `scratch` when it has escapes.
  private enum Span { case plain(Range<Int>), unescaped }

  private func with<T>(_ span: Span, _ body: (UnsafeBufferPointer<UInt8>) -> T) -> T {
    switch span {
    case .plain(let range): body(UnsafeBufferPointer(rebasing: text[range]))
    case .unescaped: scratch.withUnsafeBufferPointer(body)
    }
  }

  private func equals(_ span: Span, _ name: StaticString) -> Bool {
    with(span) { bytes in
      bytes.count == name.utf8CodeUnitCount && bytes.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: bytes.count))
    }
  }

  private func hex(_ span: Span) -> Digest? { with(span) { Digest(algorithm, digits: $0) } }

  private mutating func string() throws(FileTree.Flaw) -> Span {
    guard take("\"") else { throw flaw("has no text where one belongs") }
    let start = position
    while position < text.count {
      switch text[position] {
      case UInt8(ascii: "\""):
        position += 1
        return .plain(start..<(position - 1))
      case UInt8(ascii: "\\"): return try escapedString(from: start)
      case 0..<0x20: throw flaw("has a control character in a text")
      default: position += 1
      }
    }
    throw flaw("is cut off in a text")
  }

  private mutating func escapedString(from start: Int) throws(FileTree.Flaw) -> Span {
    scratch.removeAll(keepingCapacity: true)
    scratch.append(contentsOf: text[start..<position])
    while position < text.count {
      let byte = text[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return .unescaped
      case UInt8(ascii: "\\"): try appendEscape()
      case 0..<0x20: throw flaw("has a control character in a text")
      default: scratch.append(byte)
      }
    }
    throw flaw("is cut off in a text")
  }

  private mutating func appendEscape() throws(FileTree.Flaw) {
    guard position < text.count else { throw flaw("is cut off in a text") }
    let byte = text[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scratch.append(byte)
    case UInt8(ascii: "n"): scratch.append(0x0A)
    case UInt8(ascii: "r"): scratch.append(0x0D)
    case UInt8(ascii: "t"): scratch.append(0x09)
    case UInt8(ascii: "b"): scratch.append(0x08)
    case UInt8(ascii: "f"): scratch.append(0x0C)
    case UInt8(ascii: "u"): try appendCodePoint()
    default: throw flaw("has an escape that JSON does not know")
    }
  }

  private mutating func appendCodePoint() throws(FileTree.Flaw) {
    var value = try codeUnit()
    if value >= 0xD800, value < 0xDC00, position + 1 < text.count, text[position] == UInt8(ascii: "\\"),
      text[position + 1] == UInt8(ascii: "u")
    {
      position += 2
      let low = try codeUnit()
      guard low >= 0xDC00, low < 0xE000 else { throw flaw("has half a surrogate pair") }
      value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(value) else { throw flaw("has half a surrogate pair") }
    scratch.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
  }

  private mutating func codeUnit() throws(FileTree.Flaw) -> UInt32 {
    guard text.count - position >= 4 else { throw flaw("is cut off in a text") }
    var value: UInt32 = 0
    for _ in 0..<4 {
      // Lower or upper case: 0x20 is the difference.
      let byte = text[position]
      guard let digit = hexValue(byte >= 65 && byte <= 70 ? byte | 0x20 : byte) else {
        throw flaw("has an escape that JSON does not know")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  /// A whole number that is not negative; `null` is `nil`.
  private mutating func number() throws(FileTree.Flaw) -> Int? {
    if takeWord("null") { return nil }
    skipSpace()
    let start = position
    while position < text.count, case 48...57 = text[position] { position += 1 }
    guard position > start, position - start <= 19, let value = Int(String(decoding: text[start..<position], as: UTF8.self))
    else {
      throw flaw("has a size that is no number of bytes")
    }
    return value
  }

  private mutating func truth() throws(FileTree.Flaw) -> Bool {
    if takeWord("true") { return true }
    if takeWord("false") || takeWord("null") { return false }
    throw flaw("has an `isexec` that is neither true nor false")
  }

  private mutating func skipValue(depth: Int) throws(FileTree.Flaw) {
    guard depth < Self.deepest else { throw flaw("nests too deep") }
    skipSpace()
    guard position < text.count else { throw flaw("is cut off") }
    switch text[position] {
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "{"): try skipList("{", "}", hasKeys: true, depth)
    case UInt8(ascii: "["): try skipList("[", "]", hasKeys: false, depth)
    default:
      let start = position
      while position < text.count, isWordByte(text[position]) { position += 1 }
      guard position > start else { throw flaw("has something that is no JSON value") }
    }
  }

  private mutating func skipList(_ opening: Unicode.Scalar, _ closing: Unicode.Scalar, hasKeys: Bool, _ depth: Int)
    throws(FileTree.Flaw)
  {
    _ = take(opening)
    if take(closing) { return }
    repeat {
      if hasKeys {
        _ = try string()
        guard take(":") else { throw flaw("has a key without a value") }
      }
      try skipValue(depth: depth + 1)
    } while take(",")
    guard take(closing) else { throw flaw("is cut off") }
  }

  private func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."): true
    default: false
    }
  }

  // MARK: Tokens

  private mutating func skipSpace() {
    while position < text.count {
      switch text[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < text.count, text[position] == UInt8(ascii: scalar) else { return false }
    position += 1
    return true
  }

  private mutating func takeWord(_ word: StaticString) -> Bool {
    skipSpace()
    let length = word.utf8CodeUnitCount
    guard text.count - position >= length else { return false }
    for index in 0..<length where text[position + index] != word.utf8Start[index] { return false }
    position += length
    return true
  }
}
