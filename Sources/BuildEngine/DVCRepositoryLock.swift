// DVC's own lock of a repository, so that `pipe` and `dvc` never change one project at once.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
internal import Glibc
internal import Synchronization

/// Held from `init` to `release` or the end of its life, but for the time of `released`.
///
/// The usual kind is an advisory lock of the file, which the kernel drops with the process. With `core.hardlink_lock` it is
/// a hard link, for file systems without such locks; that one stays when the process is killed, as DVC's does.
package final class DVCRepositoryLock: Sendable {
  private struct State {
    var descriptor: Int32?
    var claim: String?
    /// Calls of `released` that have not ended.
    var pauses = 0
  }

  private let file: String
  private let usesHardLink: Bool
  private let state = Mutex(State())

  /// DVC itself tries for so long before it gives up.
  package static let patienceMilliseconds = 3000

  /// Takes the lock.
  ///
  /// - Parameters:
  ///   - file: `.dvc/tmp/lock`, absolute; its folder is there.
  ///   - patienceMilliseconds: how long to try; `nil` is until it is free.
  /// - Throws: `StoreError.locked` with the holder, `system`.
  package init(file: String, usesHardLink: Bool = false, patienceMilliseconds: Int? = DVCRepositoryLock.patienceMilliseconds)
    throws(StoreError)
  {
    self.file = file
    self.usesHardLink = usesHardLink
    try take(patienceMilliseconds)
  }

  deinit { release() }

  package func release() { state.withLock { Self.free(&$0, file) } }

  /// Lets go of the lock while `body` works, so that it may call `dvc`. Several may do so at once; the last one back takes
  /// the lock again, however long that takes.
  package func released<Result>(_ body: () -> Result) -> Result {
    state.withLock { state in
      state.pauses += 1
      Self.free(&state, file)
    }
    let result = body()
    let isLast = state.withLock { state in
      state.pauses -= 1
      return state.pauses == 0
    }
    if isLast { try? take(nil) }
    return result
  }

  private func take(_ patience: Int?) throws(StoreError) {
    var waited = 0
    while true {
      // A stage that began meanwhile needs the lock to be free.
      let isDone = try attempt()
      if isDone { return }
      if let patience, waited >= patience { throw .locked(holder: Self.holder(of: file)) }
      usleep(20_000)
      waited += 20
    }
  }

  private func attempt() throws(StoreError) -> Bool {
    let outcome = state.withLock { state -> Result<Bool, StoreError> in
      if state.pauses > 0 || state.descriptor != nil || state.claim != nil { return .success(true) }
      return usesHardLink ? claim(&state) : seize(&state)
    }
    return try outcome.get()
  }

  private func seize(_ state: inout State) -> Result<Bool, StoreError> {
    // A link planted here would have its target written over.
    let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
    guard descriptor >= 0 else { return .failure(.system("open", path: file, code: errno)) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      return code == EWOULDBLOCK || code == EINTR ? .success(false) : .failure(.system("lock", path: file, code: code))
    }
    // As DVC names the holder.
    let text = Array(" \(getpid())\n".utf8)
    _ = pwrite(descriptor, text, text.count, 0)
    ftruncate(descriptor, off_t(text.count))
    state.descriptor = descriptor
    return .success(true)
  }

  /// A file of this process's own gets the lock's name as a second one; of two that try, one does.
  private func claim(_ state: inout State) -> Result<Bool, StoreError> {
    let claim = "\(file).\(getpid())-\(UInt32.random(in: 0 ... .max)).lock"
    do throws(StoreError) {
      try AtomicFile.write(Array(claim.utf8), to: claim)
    } catch {
      return .failure(error)
    }
    // The time of the file is when the lock ends: in a year.
    var times = [timespec(), timespec()]
    times[0].tv_sec = time(nil) + 365 * 86_400
    times[1].tv_sec = times[0].tv_sec
    utimensat(AT_FDCWD, claim, times, 0)
    if link(claim, file) == 0 {
      state.claim = claim
      return .success(true)
    }
    let code = errno
    unlink(claim)
    if code == EEXIST {
      // One whose time is over belongs to nobody.
      if let info = FileStat(file), info.modified / 1_000_000_000 < Int64(time(nil)) { unlink(file) }
      return .success(false)
    }
    return .failure(.system("lock", path: file, code: code))
  }

  private static func free(_ state: inout State, _ file: String) {
    if let descriptor = state.descriptor { close(descriptor) }
    if let claim = state.claim {
      unlink(file)
      unlink(claim)
    }
    state.descriptor = nil
    state.claim = nil
  }

  /// What the lock's file says of its holder.
  private static func holder(of file: String) -> String {
    let text = ((try? AtomicFile.readText(file)) ?? nil) ?? ""
    guard let pid = Int32(text.drop { $0 == " " }.prefix { $0.isNumber }) else { return "a `dvc` that left no name" }
    return processText(pid)
  }
}

/// `process 12 runs `dvc repro``.
func processText(_ pid: Int32) -> String {
  let bytes = ((try? AtomicFile.read("/proc/\(pid)/cmdline")) ?? nil) ?? []
  let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  // An interpreter's own name tells little.
  let shown = words.count > 1 && words[0].contains("python") ? Array(words.dropFirst()) : words
  guard let program = shown.first else { return "process \(pid)" }
  let name = program.split(separator: "/").last.map(String.init) ?? program
  return "process \(pid) runs `\(([name] + shown.dropFirst()).joined(separator: " "))`"
}
