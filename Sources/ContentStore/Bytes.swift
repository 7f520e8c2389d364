// Length-prefixed binary encoding: for fingerprints and for the caches that only `pipe` reads.
// SPDX-License-Identifier: Apache-2.0

/// Writes values one after the other: integers as 8 bytes little-endian, texts and digests behind their length.
///
/// Two different sequences of calls never give the same bytes when the reader knows the kinds in advance.
package struct ByteWriter: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func byte(_ value: UInt8) { bytes.append(value) }

  package mutating func integer(_ value: Int64) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  package mutating func text(_ value: String) {
    integer(Int64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  package mutating func texts(_ values: [String]) {
    integer(Int64(values.count))
    for value in values { text(value) }
  }

  package mutating func digest(_ value: Digest) {
    byte(value.algorithm.rawValue)
    byte(value.isTree ? 1 : 0)
    bytes.append(contentsOf: value.bytes)
  }
}

/// Reads what `ByteWriter` wrote; every method gives `nil` at the first byte that does not fit.
package struct ByteReader: Sendable {
  private let bytes: [UInt8]
  private var position = 0

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package var isAtEnd: Bool { position == bytes.count }

  package mutating func byte() -> UInt8? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  package mutating func integer() -> Int64? {
    guard bytes.count - position >= 8 else { return nil }
    defer { position += 8 }
    return bytes.withUnsafeBytes { Int64(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: Int64.self)) }
  }

  package mutating func text() -> String? {
    guard let length = integer(), length >= 0, length <= bytes.count - position else { return nil }
    defer { position += Int(length) }
    return String(validating: bytes[position..<(position + Int(length))], as: UTF8.self)
  }

  package mutating func texts() -> [String]? {
    guard let count = integer(), count >= 0, count <= (bytes.count - position) / 8 else { return nil }
    var values: [String] = []
    for _ in 0..<count {
      guard let value = text() else { return nil }
      values.append(value)
    }
    return values
  }

  package mutating func digest() -> Digest? {
    guard let kind = byte(), let algorithm = Digest.Algorithm(rawValue: kind), let isTree = byte(), isTree < 2,
      bytes.count - position >= algorithm.length
    else { return nil }
    defer { position += algorithm.length }
    return Digest(algorithm, bytes: bytes[position..<(position + algorithm.length)], isTree: isTree == 1)
  }
}
