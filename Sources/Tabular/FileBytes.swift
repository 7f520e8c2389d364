// Whole files in and out; a file is written under a temporary name and then renamed, so that no reader sees half of it.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
import Glibc

/// Reads and replaces whole files.
package enum FileBytes {
  /// The bytes of a file.
  package static func read(_ path: String) throws(Diagnostic) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("`\(path)` cannot be read", at: path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("`\(path)` cannot be read", at: path) }
    if status.st_mode & S_IFMT == S_IFDIR {
      throw Diagnostic(.input, "`\(path)` is a folder, a file is wanted", at: SourceLocation(file: path))
    }
    var bytes = [UInt8]()
    var chunk = max(Int(status.st_size) + 1, 65_536)
    while true {
      let old = bytes.count
      var count = 0
      let more = [UInt8](unsafeUninitializedCapacity: chunk) { buffer, initialized in
        count = Glibc.read(descriptor, buffer.baseAddress, chunk)
        initialized = max(count, 0)
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw failure("`\(path)` cannot be read", at: path)
      }
      if count == 0 { return bytes }
      if old == 0 { bytes = more } else { bytes.append(contentsOf: more) }
      chunk = 65_536
      if Int(status.st_size) > bytes.count { chunk = Int(status.st_size) - bytes.count + 1 }
    }
  }

  /// The text of a file.
  package static func text(_ path: String) throws(Diagnostic) -> String {
    guard let text = String(validating: try read(path), as: UTF8.self) else {
      throw Diagnostic(.input, "`\(path)` is not UTF-8", at: SourceLocation(file: path))
    }
    return text
  }

  /// Puts bytes in the place of a file, making the folders above it.
  ///
  /// An interrupted call leaves the old file, and a `.part` beside it that the next call takes over.
  package static func write(_ bytes: [UInt8], to path: String) throws(Diagnostic) {
    try makeFolders(above: path)
    let temporary = "\(path).part"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw failure("`\(path)` cannot be written", at: path) }
    var start = 0
    while start < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + start, bytes.count - start) }
      if count < 0 {
        if errno == EINTR { continue }
        let error = failure("`\(path)` cannot be written", at: path)
        close(descriptor)
        unlink(temporary)
        throw error
      }
      start += count
    }
    guard close(descriptor) == 0, rename(temporary, path) == 0 else {
      let error = failure("`\(path)` cannot be written", at: path)
      unlink(temporary)
      throw error
    }
  }

  package static func write(_ text: String, to path: String) throws(Diagnostic) { try write(Array(text.utf8), to: path) }

  private static func makeFolders(above path: String) throws(Diagnostic) {
    for (index, character) in zip(path.indices, path) where character == "/" && index > path.startIndex {
      let folder = String(path[..<index])
      guard mkdir(folder, 0o777) == 0 || errno == EEXIST else { throw failure("`\(folder)` cannot be made", at: folder) }
    }
  }

  private static func failure(_ message: String, at path: String) -> Diagnostic {
    let code = errno
    return Diagnostic(
      code == ENOENT || code == ENOTDIR || code == EISDIR || code == EACCES ? .input : .storage, message,
      at: SourceLocation(file: path), causes: [String(cString: strerror(code)).lowercased()])
  }
}
