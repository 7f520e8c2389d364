// Hashing bytes and files through libcrypto.
// SPDX-License-Identifier: Apache-2.0
internal import CCrypto
internal import Glibc

/// A running hash. Not copyable: it owns libcrypto's context.
package struct ContentHasher: ~Copyable {
  private let context: OpaquePointer
  private let algorithm: Digest.Algorithm

  package init(_ algorithm: Digest.Algorithm = .sha256) {
    guard let context = EVP_MD_CTX_new() else { preconditionFailure("libcrypto has no memory for a digest") }
    let method = algorithm == .sha256 ? EVP_sha256() : EVP_md5()
    precondition(EVP_DigestInit_ex(context, method, nil) == 1, "libcrypto has no \(algorithm.name)")
    self.context = context
    self.algorithm = algorithm
  }

  deinit { EVP_MD_CTX_free(context) }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    _ = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  package mutating func update(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { update($0) }
  }

  package mutating func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }

  package consuming func finish(isTree: Bool = false) -> Digest {
    var bytes = [UInt8](repeating: 0, count: 64)
    var length: UInt32 = 0
    _ = EVP_DigestFinal_ex(context, &bytes, &length)
    return Digest(algorithm, bytes: bytes.prefix(algorithm.length), isTree: isTree)
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
