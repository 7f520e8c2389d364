// A directory store's folder held open, for many objects at once and from several threads.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

/// Reads and writes objects relative to an open folder. An object is written as a file without a name and linked when it
/// has all its bytes, so a writer that fails or is killed leaves nothing. Where the file system knows no such files it is
/// written beside its name and renamed; a killed writer then leaves a `.tmp` file.
final class OpenStore: Sendable {
  let root: String
  let layout: StoreLayout
  private let descriptor: Int32
  /// The folder of DVC's MD5 objects, which nearly all are; -1 when it is not held open.
  private let main: Int32
  private let serial = Atomic(UInt64.random(in: 0 ... .max))
  private let naming = Atomic(Naming.descriptor.rawValue)

  /// How a file without a name gets one.
  private enum Naming: UInt8 {
    /// By its descriptor, which not every kernel allows everybody.
    case descriptor
    /// By what `/proc` shows of its descriptor.
    case process
    /// Not at all: files have a name from their beginning.
    case never
  }

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
    guard descriptor >= 0, layout.kind == .dvc else {
      main = -1
      return
    }
    let folder = String(StoreLayout.mainFolder.dropLast())
    let open = { openat(descriptor, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    var main = open()
    if main < 0, makes {
      if let code = Self.make(descriptor, folder, layout) {
        close(descriptor)
        throw .system("make the folder", path: "\(root)/\(folder)", code: code)
      }
      main = open()
    }
    self.main = main
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if main >= 0 { close(main) }
  }

  private func fail(_ call: String, _ digest: Digest, _ code: Int32 = errno) -> StoreError {
    .system(call, path: path(of: digest), code: code)
  }

  func path(of digest: Digest) -> String { "\(root)/\(layout.name(of: digest))" }

  // MARK: Names

  private func isInMain(_ digest: Digest) -> Bool { main >= 0 && digest.algorithm == .md5 }

  /// The open folder that names of a digest's kind are relative to.
  private func folder(of digest: Digest) -> Int32 { isInMain(digest) ? main : descriptor }

  /// An object's name as the kernel takes it, in memory of the stack.
  @inline(__always)
  private func withName<Result>(_ digest: Digest, _ body: (_ folder: Int32, _ name: UnsafePointer<CChar>) -> Result) -> Result {
    withUnsafeTemporaryAllocation(byteCount: StoreLayout.longestName + 1, alignment: 1) { buffer in
      let bytes = buffer.bindMemory(to: UInt8.self)
      let length = layout.write(nameOf: digest, isWhole: !isInMain(digest), to: bytes.baseAddress!)
      bytes[length] = 0
      return body(folder(of: digest), UnsafeRawPointer(bytes.baseAddress!).assumingMemoryBound(to: CChar.self))
    }
  }

  /// The same name as text.
  private func name(of digest: Digest) -> String {
    let name = layout.name(of: digest)
    return isInMain(digest) ? String(name.dropFirst(StoreLayout.mainFolder.utf8.count)) : name
  }

  // MARK: Looking

  private func stat(_ digest: Digest) throws(StoreError) -> Glibc.stat? {
    guard descriptor >= 0 else { return nil }
    var info = Glibc.stat()
    let code = withName(digest) { fstatat($0, $1, &info, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno }
    if code == 0 { return info }
    if code == ENOENT || code == ENOTDIR { return nil }
    throw fail("look at", digest, code)
  }

  /// Whether the object is there and may be believed; one of DVC's layout that may not is hashed first.
  func contains(_ digest: Digest, _ room: Workers.Room) throws(StoreError) -> Bool {
    guard let info = try stat(digest), info.st_mode & S_IFMT == S_IFREG else { return false }
    if layout.kind == .native || layout.trusts(mode: info.st_mode) { return true }
    return try check(digest, room)
  }

  /// - Returns: a descriptor, or -1 with `errno`.
  private func openObject(_ digest: Digest) -> Int32 {
    withName(digest) { openat($0, $1, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
  }

  /// Hashes an object and sets it to read-only, or removes it when its bytes are others.
  private func check(_ digest: Digest, _ room: Workers.Room) throws(StoreError) -> Bool {
    let file = openObject(digest)
    guard file >= 0 else {
      if errno == ENOENT { return false }
      throw fail("open", digest)
    }
    defer { close(file) }
    let (found, _) = try Digest.ofOpenFile(file, path: path(of: digest), digest.algorithm, room)
    if found.words == digest.words {
      // A folder of somebody else, or one that cannot be written, is fine: the object is hashed again next time.
      fchmod(file, 0o444)
      return true
    }
    try remove(digest)
    return false
  }

  func remove(_ digest: Digest) throws(StoreError) {
    let code = withName(digest) { unlinkat($0, $1, 0) == 0 ? 0 : errno }
    guard code == 0 || code == ENOENT else { throw fail("remove", digest, code) }
  }

  /// Opens an object for reading.
  ///
  /// - Returns: the descriptor, which the caller closes, its size, and whether its bytes must be hashed on the way.
  /// - Throws: `missingObject`, `system`.
  func open(_ digest: Digest) throws(StoreError) -> (file: Int32, size: Int, mustHash: Bool) {
    let file = descriptor < 0 ? -1 : openObject(digest)
    guard file >= 0 else {
      // A link in an object's place is none, whatever it leads to.
      if descriptor < 0 || errno == ENOENT || errno == ENOTDIR || errno == ELOOP { throw .missingObject(digest) }
      throw fail("open", digest)
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
  func link(_ digest: Digest, _ kind: LinkKind, in folder: Int32, as name: UnsafePointer<CChar>) -> Int32 {
    if kind == .symlink { return symlinkat(path(of: digest), folder, name) == 0 ? 0 : errno }
    return withName(digest) { linkat($0, $1, folder, name, 0) == 0 ? 0 : errno }
  }

  /// Whether an object of this mode may get a second name as it is.
  func canLink(mode: UInt32) -> Bool { layout.kind == .native ? mode & 0o222 == 0 : layout.trusts(mode: mode) }

  // MARK: Keeping

  /// Keeps bytes whose digest the caller computed, unless the object is there.
  ///
  /// - Returns: whether it was written.
  @discardableResult
  func insert(_ bytes: UnsafeRawBufferPointer, as digest: Digest, _ room: Workers.Room) throws(StoreError) -> Bool {
    // A look costs as much as a quarter of the writing: it is left out as long as what came before was new.
    if !room.expectsNew, try contains(digest, room) { return false }
    room.expectsNew = try write(digest, room) { (file) throws(StoreError) in
      try FileCopy.writeAll(bytes, to: file, path: self.path(of: digest))
      return digest
    }
    return room.expectsNew
  }

  /// Keeps a copy of an open file under a digest, unless the object is there.
  ///
  /// - Parameters:
  ///   - path: the source's, for messages.
  ///   - hashes: whether the bytes are hashed on the way, and refused when they have another digest.
  ///   - isSmall: whether copying in vain costs little more than looking first.
  /// - Returns: whether it was written.
  /// - Throws: `corruptObject` with the source's path, `system`.
  @discardableResult
  func insert(
    _ source: Int32, _ path: @autoclosure () -> String, as digest: Digest, hashes: Bool, sharing: Bool, isSmall: Bool = false,
    _ room: Workers.Room
  ) throws(StoreError) -> Bool {
    if !isSmall || !room.expectsNew, try contains(digest, room) { return false }
    room.expectsNew = try write(digest, room) { (file) throws(StoreError) in
      let found = try FileCopy.copy(
        source, to: file, hashing: hashes ? digest.algorithm : nil, sharing: sharing,
        paths: (path(), self.path(of: digest)), room)
      if let found, found.words != digest.words { throw .corruptObject(digest, path: path()) }
      return digest
    }
    return room.expectsNew
  }

  /// Keeps a copy of an open file under the digest that its bytes turn out to have.
  func insert(_ source: Int32, _ path: String, _ algorithm: Digest.Algorithm, _ room: Workers.Room) throws(StoreError) -> Digest {
    // Beside any object, where the same people look for leftovers.
    let place = Digest(algorithm, (0, 0, 0, 0), isTree: false)
    var digest: Digest?
    try write(place, room) { (file) throws(StoreError) in
      digest = try FileCopy.copy(
        source, to: file, hashing: algorithm, sharing: true, paths: (path, self.path(of: place)), room)
      return digest
    }
    guard let digest else { preconditionFailure("a copy that is hashed has a digest") }
    return digest
  }

  /// Makes an open file the object: one more name of it, and read-only.
  ///
  /// - Returns: 0, or `errno` where that cannot be; then nothing is left of it.
  func adopt(_ file: Int32, _ path: String, as digest: Digest) throws(StoreError) -> Int32 {
    let link = { self.withName(digest) { linkat(AT_FDCWD, path, $0, $1, 0) == 0 ? 0 : errno } }
    var code = link()
    if code == ENOENT {
      try makeParent(of: digest)
      code = link()
    }
    guard code == 0 else { return code }
    if fchmod(file, 0o444) == 0, let linked = try stat(digest), UInt64(linked.st_ino) == FileStat(file)?.inode { return 0 }
    let reason = errno == 0 ? EPERM : errno
    try? remove(digest)
    return reason
  }

  // MARK: Writing

  /// Writes an object and then gives it its name.
  ///
  /// - Parameters:
  ///   - place: where it, or one like it, will lie.
  ///   - body: writes the file and says under which digest it is to be kept; `nil` throws it away.
  /// - Returns: whether the object was not there before.
  @discardableResult
  private func write(_ place: Digest, _ room: Workers.Room, _ body: (Int32) throws(StoreError) -> Digest?) throws(StoreError)
    -> Bool
  {
    let file = naming.load(ordering: .relaxed) == Naming.never.rawValue ? -1 : openUnnamed(place)
    guard file >= 0 else { return try writeNamed(place, room, body) }
    defer { close(file) }
    guard let digest = try body(file) else { return false }
    if umaskBits & 0o444 != 0, fchmod(file, 0o444) != 0 { throw fail("write", digest) }
    return try give(file, digest, room)
  }

  /// - Returns: a descriptor, or -1 where there are no files without a name.
  private func openUnnamed(_ place: Digest) -> Int32 {
    // `O_TMPFILE`, which Swift does not see.
    let unnamed = 0o20_000_000 | O_DIRECTORY
    let file = openat(folder(of: place), ".", O_RDWR | unnamed | O_CLOEXEC, 0o444)
    if file < 0, errno != EMFILE, errno != ENFILE { naming.store(Naming.never.rawValue, ordering: .relaxed) }
    return file
  }

  /// Names a file that has all its bytes.
  private func give(_ file: Int32, _ digest: Digest, _ room: Workers.Room) throws(StoreError) -> Bool {
    var hasParent = false
    while true {
      let way = Naming(rawValue: naming.load(ordering: .relaxed)) ?? .never
      let code = withName(digest) { Self.name(file, way, $0, $1) }
      if code == 0 { return true }
      if code == EEXIST {
        if try contains(digest, room) { return false }
        // What lies there is no object, or was none; a link that somebody planted is replaced, not followed.
        try copyNamed(file, digest, room)
        return true
      }
      if code == ENOENT, !hasParent {
        try makeParent(of: digest)
        hasParent = true
      } else if way == .descriptor {
        naming.store(Naming.process.rawValue, ordering: .relaxed)
      } else {
        if way == .process { naming.store(Naming.never.rawValue, ordering: .relaxed) }
        try copyNamed(file, digest, room)
        return true
      }
    }
  }

  private static func name(_ file: Int32, _ way: Naming, _ folder: Int32, _ name: UnsafePointer<CChar>) -> Int32 {
    switch way {
    case .descriptor: linkat(file, "", folder, name, 0x1000) == 0 ? 0 : errno  // AT_EMPTY_PATH
    case .process: linkat(AT_FDCWD, "/proc/self/fd/\(file)", folder, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno
    case .never: ENOTSUP
    }
  }

  /// Writes a file that could not be given a name once more, with one.
  private func copyNamed(_ file: Int32, _ digest: Digest, _ room: Workers.Room) throws(StoreError) {
    guard lseek(file, 0, SEEK_SET) == 0 else { throw fail("write", digest) }
    _ = try writeNamed(digest, room) { (output) throws(StoreError) in
      let path = self.path(of: digest)
      _ = try FileCopy.copy(file, to: output, hashing: nil, sharing: true, paths: (path, path), room)
      return digest
    }
  }

  /// Writes beside the name and renames.
  private func writeNamed(_ place: Digest, _ room: Workers.Room, _ body: (Int32) throws(StoreError) -> Digest?)
    throws(StoreError) -> Bool
  {
    let folder = folder(of: place)
    let temporary = "\(name(of: place)).\(getpid())-\(serial.add(1, ordering: .relaxed).newValue).tmp"
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    var file = openat(folder, temporary, flags, 0o444)
    if file < 0, errno == ENOENT {
      try makeParent(of: place)
      file = openat(folder, temporary, flags, 0o444)
    }
    guard file >= 0 else { throw fail("write", place) }
    do throws(StoreError) {
      let digest: Digest?
      do throws(StoreError) {
        digest = try body(file)
        if umaskBits & 0o444 != 0, fchmod(file, 0o444) != 0 { throw fail("write", place) }
      } catch {
        close(file)
        throw error
      }
      guard close(file) == 0 else { throw fail("write", place) }
      guard let digest, try !contains(digest, room) else {
        unlinkat(folder, temporary, 0)
        return false
      }
      try rename(temporary, in: folder, to: digest)
      return true
    } catch {
      unlinkat(folder, temporary, 0)
      throw error
    }
  }

  private func rename(_ temporary: String, in folder: Int32, to digest: Digest) throws(StoreError) {
    let rename = { self.withName(digest) { renameat(folder, temporary, $0, $1) == 0 ? 0 : errno } }
    var code = rename()
    if code == ENOENT {
      try makeParent(of: digest)
      code = rename()
    }
    guard code == 0 else { throw fail("write", digest, code) }
  }

  private func makeParent(of digest: Digest) throws(StoreError) {
    let name = name(of: digest)
    guard let slash = name.utf8.lastIndex(of: UInt8(ascii: "/")) else { return }
    guard let code = Self.make(folder(of: digest), String(name[..<slash]), layout) else { return }
    throw fail("make the folder", digest, code)
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
