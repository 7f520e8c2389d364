// `pipe-tree 1`: a directory's list as lines.
// SPDX-License-Identifier: Apache-2.0

/// The line `pipe-tree 1`, then a line a file: `<hex> <size> <x or -> <path>`; in the path a backslash and a line feed
/// are written `\\` and `\n`.
enum NativeTreeText {
  private static let header = Array("pipe-tree 1\n".utf8)
  private static let lineFeed = UInt8(ascii: "\n")
  private static let backslash = UInt8(ascii: "\\")
  private static let space = UInt8(ascii: " ")

  static func encode(_ entries: [FileTree.Entry]) -> [UInt8] {
    var out = header
    out.reserveCapacity(entries.count * 100)
    for entry in entries {
      entry.digest.appendDigits(to: &out)
      out.append(space)
      appendDecimal(entry.size, to: &out)
      out.append(space)
      out.append(entry.isExecutable ? UInt8(ascii: "x") : UInt8(ascii: "-"))
      out.append(space)
      withBytes(entry.path) { path in
        if !path.contains(where: { $0 == backslash || $0 == lineFeed }) { return out.append(contentsOf: path) }
        for byte in path {
          if byte == backslash || byte == lineFeed { out.append(backslash) }
          out.append(byte == lineFeed ? UInt8(ascii: "n") : byte)
        }
      }
      out.append(lineFeed)
    }
    return out
  }

  private static func appendDecimal(_ value: Int, to out: inout [UInt8]) {
    if value >= 10 { appendDecimal(value / 10, to: &out) }
    out.append(48 + UInt8(value % 10))
  }

  /// Rows in the order of the text; order and nesting are for the caller to check.
  static func decode(_ bytes: [UInt8]) throws(FileTree.Flaw) -> [FileTree.Entry] {
    guard bytes.starts(with: header), bytes.last == lineFeed else {
      throw FileTree.Flaw(why: "it does not begin with `pipe-tree 1`, or its last line is cut off")
    }
    var entries: [FileTree.Entry] = []
    var wrong: Int?
    bytes.withUnsafeBufferPointer { text in
      var position = header.count
      while position < text.count {
        var end = position
        while text[end] != lineFeed { end += 1 }
        guard let entry = entry(UnsafeBufferPointer(rebasing: text[position..<end])) else {
          wrong = entries.count + 2
          return
        }
        entries.append(entry)
        position = end + 1
      }
    }
    if let wrong { throw FileTree.Flaw(why: "line \(wrong) is not a safe file entry") }
    return entries
  }

  private static func entry(_ line: UnsafeBufferPointer<UInt8>) -> FileTree.Entry? {
    let length = Digest.Algorithm.sha256.length * 2
    guard line.count > length + 5, line[length] == space,
      let digest = Digest(.sha256, digits: UnsafeBufferPointer(rebasing: line[..<length]))
    else { return nil }
    var position = length + 1
    guard let size = decimal(line, &position), line.count - position > 3, line[position] == space, line[position + 2] == space
    else { return nil }
    let mode = line[position + 1]
    guard mode == UInt8(ascii: "x") || mode == UInt8(ascii: "-"),
      let path = path(UnsafeBufferPointer(rebasing: line[(position + 3)...]))
    else { return nil }
    return FileTree.Entry(path: path, digest: digest, size: size, isExecutable: mode == UInt8(ascii: "x"))
  }

  /// A whole number as it is written: no sign, no zero in front.
  private static func decimal(_ line: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> Int? {
    let start = position
    var value = 0
    while position < line.count, case 48...57 = line[position] {
      let (product, isLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, isLarger) = product.addingReportingOverflow(Int(line[position] - 48))
      if isLarge || isLarger { return nil }
      value = sum
      position += 1
    }
    let digits = position - start
    return digits == 0 || (digits > 1 && line[start] == 48) ? nil : value
  }

  private static func path(_ text: UnsafeBufferPointer<UInt8>) -> String? {
    if !text.contains(backslash) { return FileTree.complaint(about: text) == nil ? String(validating: text, as: UTF8.self) : nil }
    var path: [UInt8] = []
    path.reserveCapacity(text.count)
    var isEscaped = false
    for byte in text {
      if isEscaped {
        guard byte == backslash || byte == UInt8(ascii: "n") else { return nil }
        path.append(byte == UInt8(ascii: "n") ? lineFeed : byte)
        isEscaped = false
      } else if byte == backslash {
        isEscaped = true
      } else {
        path.append(byte)
      }
    }
    guard !isEscaped, path.withUnsafeBufferPointer(FileTree.complaint) == nil else { return nil }
    return String(validating: path, as: UTF8.self)
  }
}
