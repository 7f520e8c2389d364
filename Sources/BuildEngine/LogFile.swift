// What a stage printed, kept whole on disk and its end in memory.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Used by one thread at a time.
final class LogFile {
  private let path: String
  private var descriptor: Int32 = -1
  /// Whether anything was printed: nothing makes no file.
  private(set) var isEmpty = true
  private var recent: [UInt8] = []
  private static let kept = 16 << 10

  init(path: String) {
    self.path = path
  }

  func append(_ bytes: UnsafeRawBufferPointer) {
    if isEmpty { descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666) }
    isEmpty = false
    var written = 0
    while descriptor >= 0, written < bytes.count {
      let count = write(descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
      if count < 0, errno != EINTR { break }
      written += max(count, 0)
    }
    recent.append(contentsOf: bytes.suffix(Self.kept))
    if recent.count > 2 * Self.kept { recent.removeFirst(recent.count - Self.kept) }
  }

  func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
  }

  /// The last 20 lines.
  var tail: [String] {
    String(decoding: recent, as: UTF8.self).split(separator: "\n").suffix(20).map(String.init)
  }
}
