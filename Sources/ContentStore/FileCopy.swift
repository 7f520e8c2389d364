// Bringing a file's bytes from one place to another.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc

enum FileCopy {
  /// Copies an open file into another, hashing what was read if an algorithm is given.
  ///
  /// - Parameters:
  ///   - sharing: whether to try to share the blocks first, as some file systems can.
  ///   - paths: of source and destination, for messages.
  /// - Throws: `StoreError.system`.
  static func copy(
    _ input: Int32, to output: Int32, hashing algorithm: Digest.Algorithm?, sharing: Bool, paths: (String, String),
    _ room: Workers.Room
  ) throws(StoreError) -> Digest? {
    if sharing, share(input, output) {
      guard let algorithm else { return nil }
      return try Digest.ofOpenFile(input, path: paths.0, algorithm, room).0
    }
    guard let algorithm else {
      while try copyPiece(input, output, paths, room) > 0 {}
      return nil
    }
    var hasher = ContentHasher(algorithm)
    while true {
      let count = try copyPiece(input, output, paths, room)
      if count == 0 { return hasher.finish() }
      hasher.update(UnsafeRawBufferPointer(rebasing: room.buffer[0..<count]))
    }
  }

  /// A reflink; false where the file system cannot.
  static func share(_ input: Int32, _ output: Int32) -> Bool { ioctl(output, UInt(0x4004_9409), input) == 0 }

  private static func copyPiece(_ input: Int32, _ output: Int32, _ paths: (String, String), _ room: Workers.Room)
    throws(StoreError) -> Int
  {
    let count = try readPiece(input, into: room.buffer, path: paths.0)
    try writeAll(UnsafeRawBufferPointer(rebasing: room.buffer[0..<count]), to: output, path: paths.1)
    return count
  }

  static func readPiece(_ input: Int32, into buffer: UnsafeMutableRawBufferPointer, path: String) throws(StoreError) -> Int {
    while true {
      let count = read(input, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      guard errno == EINTR else { throw .system("read", path: path, code: errno) }
    }
  }

  static func writeAll(_ bytes: UnsafeRawBufferPointer, to output: Int32, path: String) throws(StoreError) {
    var written = 0
    while written < bytes.count {
      let count = write(output, bytes.baseAddress! + written, bytes.count - written)
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("write", path: path, code: errno)
      }
      written += count
    }
  }
}

/// What the process takes from the permission bits of new files.
let umaskBits: UInt32 = {
  let bits = umask(0)
  umask(bits)
  return bits
}()
