// How wide text is, on the broad side, since fonts differ from machine to machine.
// SPDX-License-Identifier: Apache-2.0

/// Widths of characters of a broad sans-serif face.
enum TextWidth {
  /// Size of the charts' labels.
  static let size = 12.5

  /// Hundredths of an em, from the space to the tilde.
  private static let ascii: [Int] = [
    32, 40, 46, 84, 64, 95, 78, 28, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84,
    53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 30, 30, 66, 56, 86, 75, 79, 60, 79, 70, 63, 61, 73, 68, 99, 69, 61, 69, 39, 34, 39,
    84, 50, 50, 61, 64, 55, 64, 62, 35, 64, 63, 28, 28, 58, 28, 97, 63, 61, 64, 64, 41, 52, 39, 63, 59, 82, 59, 59, 53, 64, 34,
    64, 84,
  ]

  /// - Returns: units of the drawing.
  static func of(_ text: String, size: Double = size) -> Double {
    Double(text.unicodeScalars.reduce(0) { $0 + hundredths($1) }) * size / 100
  }

  private static func hundredths(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0x20...0x7E: ascii[Int(scalar.value) - 0x20]
    case 0x300...0x36F, 0x200B...0x200F, 0xFE00...0xFE0F: 0
    case 0xB7: 32
    case 0xC0...0x24F, 0x370...0x3FF: 70
    case 0x2010...0x2013: 50
    case 0x2070...0x209F: 41
    case 0x400...0x4FF: 80
    case 0x1100...0x11FF, 0x2E80...0xD7FF, 0xF900...0xFAFF, 0xFF00...0xFF60, 0x1F000...0x3FFFF: 105
    default: 100
    }
  }

  /// The text in one line, or in two of words where it is too long and they make it shorter.
  static func lines(_ text: String, to width: Double) -> [String] {
    guard of(text) > width else { return [text] }
    let words = text.split(separator: " ")
    let halves = (1..<max(1, words.count)).map { [words[..<$0].joined(separator: " "), words[$0...].joined(separator: " ")] }
    func widest(_ lines: [String]) -> Double { lines.map { of($0) }.max() ?? 0 }
    return halves.min { widest($0) < widest($1) } ?? [text]
  }

  /// The text, or its beginning and end: names of features often differ at their end.
  static func shortened(_ text: String, to width: Double, size: Double = size) -> String {
    guard of(text, size: size) > width else { return text }
    let characters = Array(text)
    var kept = characters.count - 1
    while kept > 2 {
      let tail = (kept - 1) / 2
      let candidate = String(characters.prefix(kept - tail)) + "…" + String(characters.suffix(tail))
      if of(candidate, size: size) <= width { return candidate }
      kept -= 1
    }
    return String(characters.prefix(1)) + "…"
  }
}
