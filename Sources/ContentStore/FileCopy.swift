// Bringing a file's bytes from one place to another.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc

enum FileCopy {
  /// Copies a file into a new one and hashes what was read.
  ///
  /// - Throws: `StoreError.system`; a part that was written stays for the caller to remove.
  static func copyHashing(from source: String, to destination: String, mode: mode_t, _ algorithm: Digest.Algorithm)
    throws(StoreError) -> Digest
  {
    let input = open(source, O_RDONLY | O_CLOEXEC)
    guard input >= 0 else { throw .system("open", path: source, code: errno) }
    defer { close(input) }
    let output = open(destination, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard output >= 0 else { throw .system("write", path: destination, code: errno) }
    let digest: Digest
    do {
      digest = try copyHashing(input, output, source, destination, algorithm)
    } catch {
      close(output)
      throw error
    }
    guard close(output) == 0 else { throw .system("write", path: destination, code: errno) }
    return digest
  }

  private static func copyHashing(
    _ input: Int32, _ output: Int32, _ source: String, _ destination: String, _ algorithm: Digest.Algorithm
  ) throws(StoreError) -> Digest {
    // A reflink shares the blocks where the file system can; the hash is still of what was read.
    if ioctl(output, UInt(0x4004_9409), input) == 0 {
      return try Digest.ofOpenFile(input, path: source, algorithm).0
    }
    var hasher = ContentHasher(algorithm)
    let capacity = 1 << 20
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let count = read(input, buffer.baseAddress, capacity)
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("read", path: source, code: errno)
      }
      if count == 0 { return hasher.finish() }
      hasher.update(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
      var written = 0
      while written < count {
        let n = write(output, buffer.baseAddress! + written, count - written)
        if n < 0 {
          if errno == EINTR { continue }
          throw .system("write", path: destination, code: errno)
        }
        written += n
      }
    }
  }
}
