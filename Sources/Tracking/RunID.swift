// The name of a run: its start, then chance.
// SPDX-License-Identifier: Apache-2.0

/// `20261121T093012.345Z-3f9a1c`: start in UTC to the millisecond, then 24 random bits. Names sort by time.
package struct RunID: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let text: String

  /// - Parameter random: chance from outside; its low 24 bits are used.
  package init(at start: Timestamp, random: UInt32) {
    let digits = String(random & 0xFF_FFFF, radix: 16)
    text = "\(start.compactText)-\(String(repeating: "0", count: 6 - digits.count))\(digits)"
  }

  package init(at start: Timestamp, using generator: inout some RandomNumberGenerator) {
    self.init(at: start, random: UInt32(truncatingIfNeeded: generator.next()))
  }

  package var description: String { text }

  package static func < (a: RunID, b: RunID) -> Bool { precedes(a.text, b.text) }

  /// Whether a text may name a run's file: letters, digits, `.`, `-`, `_`, not beginning with a dot, at most 100 bytes.
  static func isUsable(_ text: String) -> Bool {
    let bytes = text.utf8
    let isPlain = bytes.allSatisfy { byte in
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || [45, 46, 95].contains(byte)
    }
    return isPlain && (1...100).contains(bytes.count) && bytes.first != 46
  }
}

/// Order by bytes, the same on every machine.
func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
