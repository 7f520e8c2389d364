// Hashing bytes and files to digests.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Hashing

/// A running hash that ends in a digest.
package struct ContentHasher: ~Copyable {
  private var hash: RunningHash
  private let algorithm: Digest.Algorithm

  package init(_ algorithm: Digest.Algorithm = .sha256) {
    hash = RunningHash(algorithm == .sha256 ? .sha256 : .md5)
    self.algorithm = algorithm
  }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bytes) }
  package mutating func update(_ bytes: [UInt8]) { hash.update(bytes) }
  package mutating func update(_ text: String) { hash.update(text) }

  package consuming func finish(isTree: Bool = false) -> Digest { Digest(algorithm, bytes: hash.finish(), isTree: isTree) }
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

  /// The digest of an open file from its current position to its end, read in pieces of 1 MiB.
  ///
  /// - Throws: `StoreError.system` when a read fails.
  static func ofOpenFile(_ descriptor: Int32, path: String, _ algorithm: Algorithm) throws(StoreError) -> (Digest, size: Int) {
    var hasher = ContentHasher(algorithm)
    let capacity = 1 << 20
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 64)
    defer { buffer.deallocate() }
    var size = 0
    while true {
      let count = read(descriptor, buffer.baseAddress, capacity)
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("read", path: path, code: errno)
      }
      if count == 0 { break }
      hasher.update(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
      size += count
    }
    return (hasher.finish(), size)
  }

  /// The digest of a file's content.
  package static func ofFile(_ path: String, _ algorithm: Algorithm = .sha256) throws(StoreError) -> (Digest, size: Int) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", path: path, code: errno) }
    defer { close(descriptor) }
    return try ofOpenFile(descriptor, path: path, algorithm)
  }
}
