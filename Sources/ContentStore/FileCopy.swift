// Bringing a file's bytes from one place to another.
// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

enum FileCopy {
  /// From this size on a file is hashed by a thread of its own while it is copied.
  private static let large: Int64 = 8 << 20

  /// Copies an open file into another, hashing what was read if an algorithm is given.
  ///
  /// - Parameters:
  ///   - sharing: whether to try to share the blocks first, as some file systems can.
  ///   - paths: of source and destination, for messages.
  /// - Throws: `StoreError.system`.
  static func copy(
    _ input: Int32, to output: Int32, hashing algorithm: Digest.Algorithm?, sharing: Bool,
    paths: @autoclosure () -> (String, String), _ room: Workers.Room
  ) throws(StoreError) -> Digest? {
    if sharing, share(input, output) {
      guard let algorithm else { return nil }
      return try Digest.ofOpenFile(input, path: paths().0, algorithm, room).0
    }
    guard let algorithm else {
      try copyRange(input, output)
      while try copyPiece(input, output, paths(), room) > 0 {}
      return nil
    }
    let first = try copyPiece(input, output, paths(), room)
    let piece = UnsafeRawBufferPointer(rebasing: room.buffer[0..<first])
    if first < room.buffer.count, try copyIsAtEnd(input) { return room.digest(of: piece, algorithm) }
    if let size = FileStat(input)?.size, size >= large, first > 0, let thread = HashingThread(algorithm, startingWith: piece) {
      return try copy(input, output, paths(), by: thread)
    }
    var hasher = ContentHasher(algorithm)
    hasher.update(piece)
    while true {
      let count = try copyPiece(input, output, paths(), room)
      if count == 0 { return hasher.finish() }
      hasher.update(UnsafeRawBufferPointer(rebasing: room.buffer[0..<count]))
    }
  }

  /// Whether a file that gave fewer bytes than it was asked for stands at its end; else the rest is still to be read.
  private static func copyIsAtEnd(_ input: Int32) throws(StoreError) -> Bool {
    guard let info = FileStat(input), info.kind == .file else { return false }
    return lseek(input, 0, SEEK_CUR) >= info.size
  }

  /// Reads and writes here while another thread hashes the same bytes.
  private static func copy(_ input: Int32, _ output: Int32, _ paths: (String, String), by thread: HashingThread)
    throws(StoreError) -> Digest
  {
    do throws(StoreError) {
      while true {
        let buffer = thread.free()
        let count = try readPiece(input, into: buffer, path: paths.0)
        thread.hash(count)
        if count == 0 { return thread.finish() }
        try writeAll(UnsafeRawBufferPointer(rebasing: buffer[0..<count]), to: output, path: paths.1)
      }
    } catch {
      thread.cancel()
      throw error
    }
  }

  /// A reflink; false where the file system cannot.
  static func share(_ input: Int32, _ output: Int32) -> Bool { ioctl(output, UInt(0x4004_9409), input) == 0 }

  /// Copies what the kernel can copy by itself; the rest is left to be read.
  private static func copyRange(_ input: Int32, _ output: Int32) throws(StoreError) {
    guard let info = FileStat(input), info.kind == .file, info.size > 1 << 17 else { return }
    while true {
      let count = clinux_copy_file_range(input, output, 1 << 30)
      // Whatever is wrong shows again, with its place, when the rest is read and written.
      if count == -Int(EINTR) { continue }
      if count <= 0 { return }
    }
  }

  private static func copyPiece(
    _ input: Int32, _ output: Int32, _ paths: @autoclosure () -> (String, String), _ room: Workers.Room
  ) throws(StoreError) -> Int {
    let count = try readPiece(input, into: room.buffer, path: paths().0)
    try writeAll(UnsafeRawBufferPointer(rebasing: room.buffer[0..<count]), to: output, path: paths().1)
    return count
  }

  static func readPiece(_ input: Int32, into buffer: UnsafeMutableRawBufferPointer, path: @autoclosure () -> String)
    throws(StoreError) -> Int
  {
    while true {
      let count = read(input, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      guard errno == EINTR else { throw .system("read", path: path(), code: errno) }
    }
  }

  static func writeAll(_ bytes: UnsafeRawBufferPointer, to output: Int32, path: @autoclosure () -> String) throws(StoreError) {
    var written = 0
    while written < bytes.count {
      let count = write(output, bytes.baseAddress! + written, bytes.count - written)
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("write", path: path(), code: errno)
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
