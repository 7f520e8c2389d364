// Hashing bytes and files to digests.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Hashing

/// A running hash that ends in a digest.
package struct ContentHasher: ~Copyable {
  private var hash: RunningHash
  private let algorithm: Digest.Algorithm
  /// Only of `md5dos2unix`: the piece that is not yet full.
  private var pending: [UInt8] = []

  package init(_ algorithm: Digest.Algorithm = .sha256) {
    hash = RunningHash(algorithm == .sha256 ? .sha256 : .md5)
    self.algorithm = algorithm
  }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard algorithm == .md5dos2unix else { return hash.update(bytes) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = rest.prefix(LineEnds.piece - pending.count)
      pending.append(contentsOf: part)
      rest = rest[part.endIndex...]
      if pending.count == LineEnds.piece { hashPending() }
    }
  }

  package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  package mutating func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }

  package consuming func finish(isTree: Bool = false) -> Digest {
    if !pending.isEmpty { hashPending() }
    return Digest(algorithm, bytes: hash.finish(), isTree: isTree)
  }

  private mutating func hashPending() {
    LineEnds.unify(&pending)
    hash.update(pending)
    pending.removeAll(keepingCapacity: true)
  }
}

/// What DVC 2 did to a file before it hashed it. Each piece of 1 MiB is looked at by itself, so an end of line that lies
/// across two pieces stays as it is.
private enum LineEnds {
  static let piece = 1 << 20
  private static let sample = 512

  /// Writes `\n` for `\r\n` in a piece that looks like text.
  static func unify(_ bytes: inout [UInt8]) {
    guard looksLikeText(bytes.prefix(sample)) else { return }
    let count = bytes.withUnsafeMutableBufferPointer { bytes -> Int in
      var kept = 0
      for index in bytes.indices {
        if bytes[index] == 13, index + 1 < bytes.count, bytes[index + 1] == 10 { continue }
        bytes[kept] = bytes[index]
        kept += 1
      }
      return kept
    }
    bytes.removeLast(bytes.count - count)
  }

  /// No NUL, and at most 30 % that is neither printable ASCII nor one of `\n`, `\r`, `\t`, `\f`, `\b`.
  private static func looksLikeText(_ bytes: ArraySlice<UInt8>) -> Bool {
    var others = 0
    for byte in bytes {
      switch byte {
      case 0: return false
      case 8, 9, 10, 12, 13, 32..<127: break
      default: others += 1
      }
    }
    return Double(others) / Double(bytes.count) <= 0.30
  }
}

extension Digest {
  /// The digest of bytes in memory.
  package static func of(_ bytes: [UInt8], _ algorithm: Algorithm = .sha256) -> Digest {
    var hasher = ContentHasher(algorithm)
    hasher.update(bytes)
    return hasher.finish()
  }

  /// The digest of a text's UTF-8.
  package static func of(_ text: String, _ algorithm: Algorithm = .sha256) -> Digest {
    var hasher = ContentHasher(algorithm)
    hasher.update(text)
    return hasher.finish()
  }

  /// The digest of an open file from its current position to its end, read in large pieces.
  ///
  /// - Throws: `StoreError.system` when a read fails.
  static func ofOpenFile(_ descriptor: Int32, path: String, _ algorithm: Algorithm, _ room: Workers.Room) throws(StoreError) -> (
    Digest, size: Int
  ) {
    var hasher = ContentHasher(algorithm)
    var size = 0
    while true {
      let count = try FileCopy.readPiece(descriptor, into: room.buffer, path: path)
      if count == 0 { return (hasher.finish(), size) }
      hasher.update(UnsafeRawBufferPointer(rebasing: room.buffer[0..<count]))
      size += count
    }
  }

  /// The digest of a file's content.
  package static func ofFile(_ path: String, _ algorithm: Algorithm = .sha256) throws(StoreError) -> (Digest, size: Int) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system("open", path: path, code: errno) }
    defer { close(descriptor) }
    return try ofOpenFile(descriptor, path: path, algorithm, Workers.Room())
  }
}
