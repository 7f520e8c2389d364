// A directory store's folder held open, for many objects at once and from several threads.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

/// Reads and writes objects relative to one open folder. An object is written beside its name and renamed, so a name
/// that is there has all its bytes; a writer that fails takes its part away, one that is killed leaves a `.tmp` file.
final class OpenStore: Sendable {
  let root: String
  let layout: StoreLayout
  private let descriptor: Int32
  private let serial = Atomic(UInt64.random(in: 0 ... .max))

  /// - Parameter makes: whether to make the folder when it is not there.
  init(_ root: String, _ layout: StoreLayout, makes: Bool) throws(StoreError) {
    var descriptor = Glibc.open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if descriptor < 0, errno == ENOENT, makes {
      try Self.makeFolder(AT_FDCWD, root, layout)
      descriptor = Glibc.open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    // A store that is not there has no objects: every look at it says ENOENT.
    guard descriptor >= 0 || errno == ENOENT || errno == ENOTDIR else { throw .system("open", path: root, code: errno) }
    self.root = root
    self.layout = layout
    self.descriptor = descriptor
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  private func fail(_ call: String, _ name: String, _ code: Int32 = errno) -> StoreError {
    .system(call, path: "\(root)/\(name)", code: code)
  }

  // MARK: Looking

  private func stat(_ name: String) throws(StoreError) -> Glibc.stat? {
    guard descriptor >= 0 else { return nil }
    var info = Glibc.stat()
    if fstatat(descriptor, name, &info, AT_SYMLINK_NOFOLLOW) == 0 { return info }
    if errno == ENOENT || errno == ENOTDIR { return nil }
    throw fail("look at", name)
  }

  /// Whether the object is there and may be believed; one of DVC's layout that may not is hashed first.
  func contains(_ digest: Digest, _ room: Workers.Room) throws(StoreError) -> Bool {
    let name = layout.name(of: digest)
    guard let info = try stat(name), info.st_mode & S_IFMT == S_IFREG else { return false }
    if layout.kind == .native || layout.trusts(mode: info.st_mode) { return true }
    return try check(digest, name, room)
  }

  /// Hashes an object and sets it to read-only, or removes it when its bytes are others.
  private func check(_ digest: Digest, _ name: String, _ room: Workers.Room) throws(StoreError) -> Bool {
    let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else {
      if errno == ENOENT { return false }
      throw fail("open", name)
    }
    defer { close(file) }
    let (found, _) = try Digest.ofOpenFile(file, path: "\(root)/\(name)", digest.algorithm, room)
    if found.words == digest.words {
      // A folder of somebody else, or one that cannot be written, is fine: the object is hashed again next time.
      fchmod(file, 0o444)
      return true
    }
    guard unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else { throw fail("remove", name) }
    return false
  }

  /// Opens an object for reading.
  ///
  /// - Returns: the descriptor, which the caller closes, its size, and whether its bytes must be hashed on the way.
  /// - Throws: `missingObject`, `system`.
  func open(_ digest: Digest) throws(StoreError) -> (file: Int32, size: Int, mustHash: Bool) {
    let name = layout.name(of: digest)
    let file = descriptor < 0 ? -1 : openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else {
      if descriptor < 0 || errno == ENOENT || errno == ENOTDIR { throw .missingObject(digest) }
      throw fail("open", name)
    }
    var info = Glibc.stat()
    guard fstat(file, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
      close(file)
      throw .missingObject(digest)
    }
    return (file, Int(info.st_size), layout.kind == .native || !layout.trusts(mode: info.st_mode))
  }

  /// Makes a second name of an object, or a link to it.
  ///
  /// - Returns: 0 or `errno`.
  func link(_ digest: Digest, _ kind: LinkKind, in folder: Int32, as name: String) -> Int32 {
    let object = layout.name(of: digest)
    if kind == .symlink { return symlinkat("\(root)/\(object)", folder, name) == 0 ? 0 : errno }
    return linkat(descriptor, object, folder, name, 0) == 0 ? 0 : errno
  }

  // MARK: Keeping

  /// Keeps bytes whose digest the caller computed, unless the object is there.
  ///
  /// - Returns: whether it was written.
  @discardableResult
  func insert(_ bytes: UnsafeRawBufferPointer, as digest: Digest, _ room: Workers.Room) throws(StoreError) -> Bool {
    if try contains(digest, room) { return false }
    try write(digest) { (file, path) throws(StoreError) in
      try FileCopy.writeAll(bytes, to: file, path: path)
    }
    return true
  }

  /// Keeps a copy of an open file under a digest, unless the object is there.
  ///
  /// - Parameter hashes: whether the bytes are hashed on the way, and refused when they have another digest.
  /// - Throws: `corruptObject` with the source's path, `system`.
  @discardableResult
  func insert(_ source: Int32, _ path: String, as digest: Digest, hashes: Bool, sharing: Bool, _ room: Workers.Room)
    throws(StoreError) -> Bool
  {
    if try contains(digest, room) { return false }
    try write(digest) { (file, name) throws(StoreError) in
      let found = try FileCopy.copy(
        source, to: file, hashing: hashes ? digest.algorithm : nil, sharing: sharing, paths: (path, name), room)
      if let found, found.words != digest.words { throw .corruptObject(digest, path: path) }
    }
    return true
  }

  /// Keeps a copy of an open file under the digest that its bytes turn out to have.
  func insert(_ source: Int32, _ path: String, _ algorithm: Digest.Algorithm, _ room: Workers.Room) throws(StoreError) -> Digest {
    // Beside any object, where the same people look for leftovers.
    let place = layout.name(of: Digest(algorithm, (0, 0, 0, 0), isTree: false))
    var digest: Digest?
    try write(beside: place) { (file, name) throws(StoreError) -> String? in
      let found = try FileCopy.copy(source, to: file, hashing: algorithm, sharing: true, paths: (path, name), room)
      digest = found
      guard let found, try !self.contains(found, room) else { return nil }
      return self.layout.name(of: found)
    }
    guard let digest else { preconditionFailure("a copy that is hashed has a digest") }
    return digest
  }

  /// Makes an open file the object: one more name of it, and read-only.
  ///
  /// - Returns: 0, or `errno` where that cannot be; then nothing is left of it.
  func adopt(_ file: Int32, _ path: String, as digest: Digest) throws(StoreError) -> Int32 {
    let object = layout.name(of: digest)
    var code = linkat(AT_FDCWD, path, descriptor, object, 0) == 0 ? 0 : errno
    if code == ENOENT {
      try makeParent(of: object)
      code = linkat(AT_FDCWD, path, descriptor, object, 0) == 0 ? 0 : errno
    }
    guard code == 0 else { return code }
    if fchmod(file, 0o444) == 0, let linked = try stat(object), UInt64(linked.st_ino) == FileStat(file)?.inode { return 0 }
    let reason = errno == 0 ? EPERM : errno
    unlinkat(descriptor, object, 0)
    return reason
  }

  /// Writes an object beside its name and renames it.
  private func write(_ digest: Digest, _ body: (Int32, String) throws(StoreError) -> Void) throws(StoreError) {
    let name = layout.name(of: digest)
    try write(beside: name) { (file, path) throws(StoreError) -> String? in
      try body(file, path)
      return name
    }
  }

  /// - Parameter body: writes the file and says its name; `nil` throws it away.
  private func write(beside place: String, _ body: (Int32, String) throws(StoreError) -> String?) throws(StoreError) {
    let temporary = "\(place).\(getpid())-\(serial.add(1, ordering: .relaxed).newValue).tmp"
    var file = openat(descriptor, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o444)
    if file < 0, errno == ENOENT {
      try makeParent(of: place)
      file = openat(descriptor, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o444)
    }
    guard file >= 0 else { throw fail("write", place) }
    do throws(StoreError) {
      let name: String?
      do throws(StoreError) {
        name = try body(file, "\(root)/\(place)")
        if umaskBits & 0o444 != 0, fchmod(file, 0o444) != 0 { throw fail("write", place) }
      } catch {
        close(file)
        throw error
      }
      guard close(file) == 0 else { throw fail("write", place) }
      if let name { try rename(temporary, to: name) } else { unlinkat(descriptor, temporary, 0) }
    } catch {
      unlinkat(descriptor, temporary, 0)
      throw error
    }
  }

  private func rename(_ temporary: String, to name: String) throws(StoreError) {
    if renameat(descriptor, temporary, descriptor, name) == 0 { return }
    guard errno == ENOENT else { throw fail("write", name) }
    try makeParent(of: name)
    guard renameat(descriptor, temporary, descriptor, name) == 0 else { throw fail("write", name) }
  }

  private func makeParent(of name: String) throws(StoreError) {
    guard let slash = name.utf8.lastIndex(of: UInt8(ascii: "/")) else { return }
    guard let code = Self.make(descriptor, String(name[..<slash]), layout) else { return }
    throw fail("make the folder", name, code)
  }

  private static func makeFolder(_ folder: Int32, _ path: String, _ layout: StoreLayout) throws(StoreError) {
    if let code = make(folder, path, layout) { throw .system("make the folder", path: path, code: code) }
  }

  /// Makes a folder and those above it.
  ///
  /// - Returns: `nil`, or `errno`.
  private static func make(_ folder: Int32, _ path: String, _ layout: StoreLayout) -> Int32? {
    if mkdirat(folder, path, 0o777) == 0 {
      if layout.isShared { fchmodat(folder, path, 0o2775, 0) }
      return nil
    }
    if errno == EEXIST { return nil }
    guard errno == ENOENT, let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex else { return errno }
    if let code = make(folder, String(path[..<slash]), layout) { return code }
    if mkdirat(folder, path, 0o777) == 0 {
      if layout.isShared { fchmodat(folder, path, 0o2775, 0) }
      return nil
    }
    return errno == EEXIST ? nil : errno
  }
}
