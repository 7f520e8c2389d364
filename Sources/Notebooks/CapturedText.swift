// What a cell prints, as plain text in bounded memory.
// SPDX-License-Identifier: Apache-2.0

/// Collects the bytes of a stream as a terminal would leave them: escape sequences gone, a line rewritten with `\r`
/// kept in its last form. Of a long text the head and the tail are kept.
///
/// The result depends on the bytes alone, not on how they were cut into reads.
struct CapturedText {
  /// Bytes kept at the beginning, and as many at the end.
  private let half: Int
  private var head: [UInt8] = []
  private var tail: [UInt8] = []
  /// Where the kept part of `tail` begins: bytes before it are cut already.
  private var tailStart = 0
  private var cutBytes = 0
  private var line: [UInt8] = []
  private var sawReturn = false
  private var escape = Escape.none

  /// Where in an escape sequence the stream is (ECMA-48).
  private enum Escape { case none, started, control, string, stringEnd }

  /// A line longer than this is passed on in pieces.
  private static let longestLine = 65_536

  init(keeping bytes: Int = 1 << 20) { half = bytes / 2 }

  mutating func append(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { append(byte) }
  }

  mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    var index = 0
    while index < bytes.count {
      let start = index
      if escape == .none, !sawReturn {
        while index < bytes.count, bytes[index] >= 0x20, bytes[index] != 0x7F { index += 1 }
        if index > start { appendPlain(bytes[start..<index]) }
      }
      if index < bytes.count {
        append(bytes[index])
        index += 1
      }
    }
  }

  private mutating func appendPlain(_ run: Slice<UnsafeBufferPointer<UInt8>>) {
    var rest = run
    while !rest.isEmpty {
      let piece = rest.prefix(max(1, Self.longestLine - line.count))
      line.append(contentsOf: piece)
      rest = rest.dropFirst(piece.count)
      if line.count >= Self.longestLine { commitLongLine() }
    }
  }

  private mutating func append(_ byte: UInt8) {
    switch escape {
    case .none: break
    case .started:
      return escape =
        byte == 0x5B ? .control : [0x5D, 0x50, 0x5E, 0x5F, 0x58].contains(byte) ? .string : byte >= 0x30 ? .none : .started
    case .control:
      if byte >= 0x40, byte <= 0x7E { escape = .none }
      return
    case .string:
      if byte == 0x07 { escape = .none } else if byte == 0x1B { escape = .stringEnd }
      return
    case .stringEnd: return escape = byte == 0x5C ? .none : .string
    }
    appendText(byte)
  }

  private mutating func appendText(_ byte: UInt8) {
    switch byte {
    case 0x0A:
      line.append(byte)
      commit(line)
      line.removeAll(keepingCapacity: true)
      sawReturn = false
    case 0x0D: sawReturn = true
    case 0x1B: escape = .started
    case 0x08: if !line.isEmpty { line.removeLast() }
    case 0x09, 0x20...0x7E, 0x80...0xFF:
      if sawReturn {
        line.removeAll(keepingCapacity: true)
        sawReturn = false
      }
      line.append(byte)
      if line.count >= Self.longestLine { commitLongLine() }
    default: break
    }
  }

  /// Passes on all of a long line but the bytes of an unfinished UTF-8 character.
  private mutating func commitLongLine() {
    var end = line.count
    while end > 0, end > line.count - 4, line[end - 1] & 0xC0 == 0x80 { end -= 1 }
    if end > 0, line[end - 1] >= 0xC0 { end -= 1 } else { end = line.count }
    commit(line[..<end])
    line.removeFirst(end)
  }

  private mutating func commit(_ bytes: some Collection<UInt8>) {
    if cutBytes == 0, tail.isEmpty, head.count + bytes.count <= half {
      head.append(contentsOf: bytes)
      return
    }
    tail.append(contentsOf: bytes)
    guard tail.count - tailStart > half else { return }
    // Cut whole lines off the tail's front where there are any.
    var start = tail.count - half
    if let newline = tail[start...].firstIndex(of: 0x0A), newline + 1 < tail.count { start = newline + 1 }
    while start < tail.count, tail[start] & 0xC0 == 0x80 { start += 1 }
    cutBytes += start - tailStart
    tailStart = start
    if tailStart > half {
      tail.removeFirst(tailStart)
      tailStart = 0
    }
  }

  /// The text so far; the last line may be without its newline.
  var text: String {
    var copy = self
    copy.commit(line)
    let head = String(decoding: copy.head, as: UTF8.self)
    let tail = String(decoding: copy.tail[copy.tailStart...], as: UTF8.self)
    return copy.cutBytes == 0 ? head + tail : head + "[… \(copy.cutBytes) bytes cut out here …]\n" + tail
  }
}
