// Where columns go that are too large for memory: files without a name.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
import Glibc
import Synchronization

/// A folder for large columns, and what one may have in memory.
package final class Scratch: Sendable {
  /// Everything in memory.
  package static let memory = Scratch(nil, Int.max)

  let folder: String?
  /// Bytes that one column may have in memory.
  let limit: Int
  private let failure = Mutex<Diagnostic?>(nil)

  private init(_ folder: String?, _ limit: Int) { (self.folder, self.limit) = (folder, limit) }

  /// - Parameters:
  ///   - folder: one that is there, on a disk: in a `tmpfs` the columns would be in memory all the same.
  ///   - limit: bytes of a column.
  package convenience init(folder: String, keepingInMemory limit: Int = 4 << 20) { self.init(folder, limit) }

  /// Columns have to be where nobody can throw. One that found no room on the disk was put into memory instead; this says so.
  ///
  /// - Throws: a `storage` diagnostic, for the first column that found no room.
  package func check() throws(Diagnostic) {
    if let failure = failure.withLock({ $0 }) { throw failure }
  }

  /// Bytes of a new file, mapped; `nil` for columns that have to be in memory.
  ///
  /// The file has all its blocks from the beginning: a page that finds none later would end the process.
  func map(_ bytes: Int) -> UnsafeMutableRawPointer? {
    guard let folder, failure.withLock({ $0 == nil }) else { return nil }
    var name = Array("\(folder)/columns-XXXXXX".utf8CString)
    let file = mkstemp(&name)
    guard file >= 0 else { return failed(errno, bytes) }
    defer { close(file) }
    _ = fcntl(file, F_SETFD, FD_CLOEXEC)
    unlink(name)
    var code = EINTR
    while code == EINTR { code = posix_fallocate(file, 0, bytes) }
    guard code == 0 else { return failed(code, bytes) }
    let start = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    return start == MAP_FAILED ? failed(errno, bytes) : start
  }

  private func failed(_ code: Int32, _ bytes: Int) -> UnsafeMutableRawPointer? {
    let diagnostic = Diagnostic(
      .storage, "a column of \((bytes + 999_999) / 1_000_000) MB finds no room in the folder for scratch files",
      causes: [String(cString: strerror(code)).lowercased()],
      hints: ["an evaluation of many rows keeps its columns on the disk while it works: about 100 bytes for each row"])
    failure.withLock { $0 = $0 ?? diagnostic }
    return nil
  }
}
