// One writer at a time in a workspace.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Held from `init` to the end of its life; the kernel lets go when the process dies in whatever way.
package struct WorkspaceLock: ~Copyable {
  private let descriptor: Int32

  /// Takes the lock. Nothing is written to the file, so that a build that finds nothing to do leaves no mark.
  ///
  /// - Parameters:
  ///   - file: the lock file; it stays when the lock is let go.
  ///   - waits: whether to wait for another holder instead of throwing.
  /// - Throws: `StoreError.locked` with what the holder wrote.
  package init(file: String, waits: Bool = false) throws(StoreError) {
    // A link planted here would have its target emptied.
    let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
    guard descriptor >= 0 else { throw .system("open", path: file, code: errno) }
    while flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      let code = errno
      close(descriptor)
      guard code == EWOULDBLOCK else { throw .system("lock", path: file, code: code) }
      let text = (try? AtomicFile.readText(file)) ?? nil
      throw .locked(holder: text.flatMap { $0.isEmpty ? nil : $0 } ?? "its holder left no name")
    }
    self.descriptor = descriptor
  }

  /// Tells others who holds the workspace: pid and command. For the holder, once there is work to do.
  ///
  /// - Parameter file: the lock file, which keeps its inode: the lock hangs on it.
  package static func announce(_ holder: String, in file: String) throws(StoreError) {
    let descriptor = open(file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system("open", path: file, code: errno) }
    defer { close(descriptor) }
    ftruncate(descriptor, 0)
    try AtomicFile.writeAll(Array(holder.utf8), to: descriptor, path: file)
  }

  deinit {
    var info = stat()
    if fstat(descriptor, &info) == 0, info.st_size > 0 { ftruncate(descriptor, 0) }
    close(descriptor)
  }
}
