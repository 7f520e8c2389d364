// The name of a byte string: a hash over its content.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A hash with its algorithm, and whether it names a directory's tree.
///
/// Kept inline (no heap), since a project has as many of these as files.
package struct Digest: Sendable, Hashable {
  package enum Algorithm: UInt8, Sendable, Hashable {
    case sha256 = 1
    case md5 = 2
    /// MD5 of DVC 2: line ends of what looks like text are `\n` before hashing. Read, never written.
    case md5dos2unix = 3

    package var name: String {
      switch self {
      case .sha256: "sha256"
      case .md5: "md5"
      case .md5dos2unix: "md5-dos2unix"
      }
    }
    /// Bytes of a digest.
    package var length: Int { self == .sha256 ? 32 : 16 }
  }

  package let algorithm: Algorithm
  /// Whether the bytes hashed are the canonical list of a directory.
  package let isTree: Bool
  /// The bytes in the order of memory; those behind the algorithm's length are zero.
  let words: (UInt64, UInt64, UInt64, UInt64)

  /// - Precondition: `bytes` has the length of the algorithm's digests.
  package init(_ algorithm: Algorithm, bytes: some Collection<UInt8>, isTree: Bool = false) {
    precondition(bytes.count == algorithm.length, "a \(algorithm.name) digest has \(algorithm.length) bytes")
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    withUnsafeMutableBytes(of: &words) { raw in
      for (index, byte) in bytes.enumerated() { raw[index] = byte }
    }
    self.algorithm = algorithm
    self.isTree = isTree
    self.words = words
  }

  /// Reads hexadecimal digits, with `.dir` at the end for a tree; `nil` when they are not a digest.
  package init?(_ algorithm: Algorithm, hex: some StringProtocol) {
    var digits = Substring(hex)
    let isTree = digits.hasSuffix(".dir")
    if isTree { digits = digits.dropLast(4) }
    guard digits.utf8.count == algorithm.length * 2 else { return nil }
    let text = String(digits)
    guard let digest = withBytes(text, { Digest(algorithm, digits: $0, isTree: isTree) }) else { return nil }
    self = digest
  }

  /// Reads lower-case hexadecimal digits; `nil` when they are not a digest.
  package init?(_ algorithm: Algorithm, digits: UnsafeBufferPointer<UInt8>, isTree: Bool = false) {
    let length = algorithm.length
    guard digits.count == length * 2 else { return nil }
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    let isRead = withUnsafeMutableBytes(of: &words) { raw in
      for index in 0..<length {
        guard let high = hexValue(digits[2 * index]), let low = hexValue(digits[2 * index + 1]) else { return false }
        raw[index] = high << 4 | low
      }
      return true
    }
    guard isRead else { return nil }
    self.init(algorithm, words, isTree: isTree)
  }

  init(_ algorithm: Algorithm, _ words: (UInt64, UInt64, UInt64, UInt64), isTree: Bool) {
    self.algorithm = algorithm
    self.isTree = isTree
    self.words = words
  }

  /// Reads `sha256:<hex>` or `md5:<hex>`, as `description` writes it.
  package init?(_ text: some StringProtocol) {
    if text.hasPrefix("sha256:") {
      self.init(.sha256, hex: text.dropFirst(7))
    } else if text.hasPrefix("md5:") {
      self.init(.md5, hex: text.dropFirst(4))
    } else if text.hasPrefix("md5-dos2unix:") {
      self.init(.md5dos2unix, hex: text.dropFirst(13))
    } else {
      return nil
    }
  }

  package static func == (a: Digest, b: Digest) -> Bool {
    a.words == b.words && a.algorithm == b.algorithm && a.isTree == b.isTree
  }

  /// All of it: a list from anybody may name digests that begin alike, and a set of those would take forever.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }

  package var bytes: [UInt8] {
    withUnsafeBytes(of: words) { Array($0.prefix(algorithm.length)) }
  }

  /// Lower-case hexadecimal digits, without `.dir`.
  package var digits: String {
    String(unsafeUninitializedCapacity: algorithm.length * 2) { buffer in
      withUnsafeBytes(of: words) { raw in
        for index in 0..<algorithm.length {
          buffer[index * 2] = hexDigit(raw[index] >> 4)
          buffer[index * 2 + 1] = hexDigit(raw[index] & 15)
        }
      }
      return algorithm.length * 2
    }
  }

  /// Writes the lower-case hexadecimal digits of some of the bytes to memory that has room for them.
  func write(digits range: Range<Int>, to out: UnsafeMutablePointer<UInt8>) {
    withUnsafeBytes(of: words) { raw in
      var out = out
      for index in range {
        out[0] = hexDigit(raw[index] >> 4)
        out[1] = hexDigit(raw[index] & 15)
        out += 2
      }
    }
  }

  /// Appends the lower-case hexadecimal digits, without `.dir`.
  func appendDigits(to out: inout [UInt8]) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { digits in
      write(digits: 0..<algorithm.length, to: digits.baseAddress!)
      out.append(contentsOf: digits[..<(2 * algorithm.length)])
    }
  }

  /// Hexadecimal digits, with `.dir` at the end for a tree.
  package var hex: String { isTree ? digits + ".dir" : digits }

  /// The first 12 digits, for messages.
  package var short: String { String(digits.prefix(12)) }

  /// The same digest read as that of a tree.
  package func asTree() -> Digest { Digest(algorithm, words, isTree: true) }
}

extension Digest: CustomStringConvertible {
  package var description: String { "\(algorithm.name):\(hex)" }
}

extension Digest: Comparable {
  /// By digits; a tree comes after the file with the same digits, a longer digest after the shorter that begins it.
  package static func < (a: Digest, b: Digest) -> Bool {
    let order = withUnsafeBytes(of: a.words) { a in
      withUnsafeBytes(of: b.words) { b in memcmp(a.baseAddress!, b.baseAddress!, 32) }
    }
    if order != 0 { return order < 0 }
    return (a.algorithm.length, a.isTree ? 1 : 0) < (b.algorithm.length, b.isTree ? 1 : 0)
  }
}

func hexValue(_ character: UInt8) -> UInt8? {
  switch character {
  case 48...57: character - 48
  case 97...102: character - 87
  default: nil
  }
}

func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
