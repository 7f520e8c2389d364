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
  /// - Throws: `missingObject`, `corruptObject`, `system`; then nothing is left of the file.
  func place(
    _ digest: Digest, in folder: Int32, as name: String, path: String, isExecutable: Bool, _ room: Workers.Room
  ) throws(StoreError) {
    var index = current.load(ordering: .relaxed)
    while index < kinds.count {
      let kind = kinds[index]
      let isAlone = kind.sharesBytes && isExecutable
      let code = try make(digest, isAlone ? .copy : kind, folder, name, path, isExecutable, room)
      if code == 0 { return }
      if code == EMLINK {
        _ = try make(digest, .copy, folder, name, path, isExecutable, room)
        return
      }
      guard Self.refusals.contains(code) else {
        if code == ENOENT, try !store.contains(digest, room) { throw .missingObject(digest) }
        throw .system("write", path: path, code: code)
      }
      current.max(index + 1, ordering: .relaxed)
      index += 1
    }
    throw .system("link", path: path, code: ENOTSUP)
  }

  /// - Returns: 0 or `errno`.
  private func make(
    _ digest: Digest, _ kind: LinkKind, _ folder: Int32, _ name: String, _ path: String, _ isExecutable: Bool,
    _ room: Workers.Room
  ) throws(StoreError) -> Int32 {
    guard kind.sharesBytes else { return try copy(digest, kind, folder, name, path, isExecutable, room) }
    // Also finds an object that may not be believed, and one that is not there.
    guard try store.contains(digest, room) else { throw .missingObject(digest) }
    if kind == .symlink { return store.link(digest, kind, in: folder, as: name) }
    let (object, size, _) = try store.open(digest)
    defer { close(object) }
    if size == 0 { return try copy(digest, .copy, folder, name, path, isExecutable, room) }
    // A file under two names must not be writable through one of them.
    fchmod(object, 0o444)
    return store.link(digest, kind, in: folder, as: name)
  }

  private func copy(
    _ digest: Digest, _ kind: LinkKind, _ folder: Int32, _ name: String, _ path: String, _ isExecutable: Bool,
    _ room: Workers.Room
  ) throws(StoreError) -> Int32 {
    let (object, _, mustHash) = try store.open(digest)
    defer { close(object) }
    let mode: mode_t = isExecutable ? 0o777 : 0o666
    let file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
    guard file >= 0 else { return errno }
    var code: Int32 = 0
    do throws(StoreError) {
      defer { if close(file) != 0 { code = errno } }
      let found: Digest?
      let source = "\(store.root)/\(store.layout.name(of: digest))"
      if kind == .reflink {
        guard FileCopy.share(object, file) else {
          code = errno
          unlinkat(folder, name, 0)
          return code
        }
        found = mustHash ? try Digest.ofOpenFile(object, path: source, digest.algorithm, room).0 : nil
      } else {
        found = try FileCopy.copy(
          object, to: file, hashing: mustHash ? digest.algorithm : nil, sharing: false, paths: (source, path), room)
      }
      if let found, found.words != digest.words { throw .corruptObject(digest, path: source) }
    } catch {
      unlinkat(folder, name, 0)
      throw error
    }
    if code != 0 { unlinkat(folder, name, 0) }
    return code
  }
}
