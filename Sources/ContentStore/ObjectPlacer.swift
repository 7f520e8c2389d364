// Objects of a directory store laid out as files, by the first kind of link that works.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

/// Makes files from objects in an order of kinds. A kind that the file systems cannot is tried once and passed over from
/// then on. Used from several threads.
final class ObjectPlacer: Sendable {
  private let store: OpenStore
  private let kinds: [LinkKind]
  /// Index of the first kind that has not failed yet.
  private let current = Atomic(0)

  init(_ store: OpenStore, _ kinds: [LinkKind]) {
    self.store = store
    self.kinds = kinds
  }

  /// What says that a kind of link does not work here, rather than that something is wrong.
  private static let refusals: Set<Int32> = [EPERM, ENOTSUP, EXDEV, ENOTTY, ENOSYS, EINVAL, EAGAIN, EOPNOTSUPP, EBADF]

  /// Makes a new file.
  ///
  /// An executable file is always one of its own, since the bit would otherwise be the object's; so is an empty one, of
  /// which a file system allows only so many names.
  /// - Parameters:
  ///   - path: the file's, for messages.
  /// - Returns: the file's stat.
  /// - Throws: `missingObject`, `corruptObject`, `system`; then nothing is left of the file.
  @discardableResult
  func place(
    _ digest: Digest, in folder: Int32, as name: UnsafePointer<CChar>, path: @autoclosure () -> String, isExecutable: Bool,
    _ room: Workers.Room
  ) throws(StoreError) -> FileStat? {
    var index = current.load(ordering: .relaxed)
    while index < kinds.count {
      let kind = kinds[index]
      let isAlone = kind.sharesBytes && isExecutable
      var stat: FileStat?
      let code = try make(digest, isAlone ? .copy : kind, folder, name, path, isExecutable, &stat, room)
      if code == 0 { return stat }
      if code == EMLINK {
        _ = try make(digest, .copy, folder, name, path, isExecutable, &stat, room)
        return stat
      }
      guard Self.refusals.contains(code) else {
        if code == ENOENT, try !store.contains(digest, room) { throw .missingObject(digest) }
        throw .system("write", path: path(), code: code)
      }
      current.max(index + 1, ordering: .relaxed)
      index += 1
    }
    throw .system("link", path: path(), code: ENOTSUP)
  }

  /// - Returns: 0 or `errno`.
  private func make(
    _ digest: Digest, _ kind: LinkKind, _ folder: Int32, _ name: UnsafePointer<CChar>, _ path: () -> String,
    _ isExecutable: Bool, _ stat: inout FileStat?, _ room: Workers.Room
  ) throws(StoreError) -> Int32 {
    guard kind.sharesBytes else { return try copy(digest, kind, folder, name, path, isExecutable, &stat, room) }
    if kind == .hardlink { return try hardlink(digest, folder, name, path, &stat, room) }
    // Also finds an object that may not be believed, and one that is not there.
    guard try store.contains(digest, room) else { throw .missingObject(digest) }
    let code = store.link(digest, kind, in: folder, as: name)
    if code == 0 { stat = FileStat(name, in: folder) }
    return code
  }

  /// Links first and looks then: what the name leads to is what the object was.
  private func hardlink(
    _ digest: Digest, _ folder: Int32, _ name: UnsafePointer<CChar>, _ path: () -> String, _ stat: inout FileStat?,
    _ room: Workers.Room
  ) throws(StoreError) -> Int32 {
    let code = store.link(digest, .hardlink, in: folder, as: name)
    if code == ENOENT || code == ENOTDIR { throw .missingObject(digest) }
    guard code == 0 else { return code }
    let linked = FileStat(name, in: folder, followingLinks: false)
    if let linked, linked.kind == .file, linked.size > 0, store.canLink(mode: linked.mode) {
      stat = linked
      return 0
    }
    unlinkat(folder, name, 0)
    guard try store.contains(digest, room) else { throw .missingObject(digest) }
    let (object, size, _) = try store.open(digest)
    defer { close(object) }
    if size == 0 { return try copy(digest, .copy, folder, name, path, false, &stat, room) }
    // A file under two names must not be writable through one of them.
    fchmod(object, 0o444)
    let again = store.link(digest, .hardlink, in: folder, as: name)
    if again == 0 { stat = FileStat(name, in: folder, followingLinks: false) }
    return again
  }

  private func copy(
    _ digest: Digest, _ kind: LinkKind, _ folder: Int32, _ name: UnsafePointer<CChar>, _ path: () -> String,
    _ isExecutable: Bool, _ stat: inout FileStat?, _ room: Workers.Room
  ) throws(StoreError) -> Int32 {
    let (object, _, mustHash) = try store.open(digest)
    defer { close(object) }
    let mode: mode_t = isExecutable ? 0o777 : 0o666
    let file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
    guard file >= 0 else { return errno }
    var code: Int32 = 0
    do throws(StoreError) {
      defer {
        stat = FileStat(file)
        if close(file) != 0 { code = errno }
      }
      let found: Digest?
      if kind == .reflink {
        guard FileCopy.share(object, file) else {
          code = errno
          unlinkat(folder, name, 0)
          return code
        }
        found = mustHash ? try Digest.ofOpenFile(object, path: store.path(of: digest), digest.algorithm, room).0 : nil
      } else {
        found = try FileCopy.copy(
          object, to: file, hashing: mustHash ? digest.algorithm : nil, sharing: false,
          paths: (store.path(of: digest), path()), room)
      }
      if let found, found.words != digest.words { throw .corruptObject(digest, path: store.path(of: digest)) }
    } catch {
      unlinkat(folder, name, 0)
      throw error
    }
    if code != 0 { unlinkat(folder, name, 0) }
    return code
  }
}

/// A text as the kernel takes it, without its first bytes.
@inline(__always)
func withKernelText<Result>(
  _ text: String, skipping count: Int = 0, _ body: (UnsafePointer<CChar>) throws(StoreError) -> Result
) throws(StoreError) -> Result {
  let outcome = text.withCString { pointer -> Swift.Result<Result, StoreError> in
    do throws(StoreError) {
      return .success(try body(pointer + count))
    } catch {
      return .failure(error)
    }
  }
  return try outcome.get()
}
