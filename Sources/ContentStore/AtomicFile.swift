// Small files written so that a reader sees the old bytes or the new ones, never a part.
// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Reading and writing whole files.
package enum AtomicFile {
  /// The bytes of a file; `nil` when it is not there.
  ///
  /// - Throws: `specialFile` for a pipe, device or socket, which might never end; `system`; `malformedFile` beyond the limit.
  package static func read(_ path: String, limit: Int = .max) throws(StoreError) -> [UInt8]? {
    // Without `O_NONBLOCK`, opening a pipe waits for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      if errno == ENXIO { throw .specialFile(path: path) }
      throw .system("open", path: path, code: errno)
    }
    defer { close(descriptor) }
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { throw .system("read", path: path, code: errno) }
    guard info.st_mode & S_IFMT != S_IFDIR else { throw .system("read", path: path, code: EISDIR) }
    guard info.st_mode & S_IFMT == S_IFREG else { throw .specialFile(path: path) }
    let expected = Int(info.st_size)
    guard expected <= limit else { throw .malformedFile(path: path, why: "it has \(expected) bytes, over \(limit)") }
    var bytes = try read(descriptor, expected + 1, path: path)
    // One byte more than there should be: the file grew meanwhile, or is one that does not tell its size.
    while bytes.count > expected {
      guard bytes.count <= limit else { throw .malformedFile(path: path, why: "it has more than \(limit) bytes") }
      let more = try read(descriptor, max(4096, bytes.count), path: path)
      if more.isEmpty { break }
      bytes += more
    }
    return bytes
  }

  /// The bytes that come next, `count` of them unless the file ends before.
  private static func read(_ descriptor: Int32, _ count: Int, path: String) throws(StoreError) -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let size = Glibc.read(descriptor, buffer.baseAddress! + filled, count - filled)
        if size < 0, errno == EINTR { continue }
        if size < 0 { failure = errno }
        if size <= 0 { return }
        filled += size
      }
    }
    guard failure == 0 else { throw .system("read", path: path, code: failure) }
    return bytes
  }

  /// The text of a file; `nil` when it is not there.
  package static func readText(_ path: String) throws(StoreError) -> String? {
    guard let bytes = try read(path) else { return nil }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .malformedFile(path: path, why: "it is not UTF-8")
    }
    return text
  }

  /// Writes beside the path and renames; what is a device, such as `/dev/null`, stays one and is written to.
  ///
  /// - Parameters:
  ///   - durable: whether the bytes must be on the disk before the name is.
  ///   - mode: permission bits, before the umask.
  package static func write(_ bytes: [UInt8], to path: String, durable: Bool = false, mode: UInt32 = 0o666) throws(StoreError) {
    if isDevice(path) {
      let device = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
      guard device >= 0 else { throw .system("write", path: path, code: errno) }
      return try writeAndClose(bytes, device, durable: false, path: path)
    }
    let temporary = "\(path).\(getpid())-\(UInt32.random(in: 0 ... .max)).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw .system("write", path: path, code: errno) }
    do {
      try writeAndClose(bytes, descriptor, durable: durable, path: path)
      guard rename(temporary, path) == 0 else { throw StoreError.system("write", path: path, code: errno) }
    } catch {
      unlink(temporary)
      throw error as? StoreError ?? .system("write", path: path, code: EIO)
    }
  }

  private static func isDevice(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFCHR
  }

  /// Writes a file that nobody else looks at yet; there must be none.
  package static func create(_ text: String, at path: String) throws(StoreError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .system("write", path: path, code: errno) }
    try writeAndClose(Array(text.utf8), descriptor, durable: false, path: path)
  }

  private static func writeAndClose(_ bytes: [UInt8], _ descriptor: Int32, durable: Bool, path: String) throws(StoreError) {
    do {
      try writeAll(bytes, to: descriptor, path: path)
      if durable, fsync(descriptor) != 0 { throw StoreError.system("write", path: path, code: errno) }
    } catch {
      close(descriptor)
      throw error as? StoreError ?? .system("write", path: path, code: EIO)
    }
    guard close(descriptor) == 0 else { throw .system("write", path: path, code: errno) }
  }

  package static func write(_ text: String, to path: String, durable: Bool = false) throws(StoreError) {
    try write(Array(text.utf8), to: path, durable: durable)
  }

  static func writeAll(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(StoreError) {
    var written = 0
    while written < bytes.count {
      let start = written
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + start, bytes.count - start) }
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("write", path: path, code: errno)
      }
      written += count
    }
  }

  /// Puts all that was written on the disk which a folder is on: one call for any number of files. A folder that is not
  /// there has nothing to put.
  package static func flush(fileSystemOf folder: String) throws(StoreError) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return }
      throw .system("open", path: folder, code: errno)
    }
    defer { close(descriptor) }
    let code = clinux_syncfs(descriptor)
    guard code == 0 else { throw .system("flush", path: folder, code: code) }
  }

  /// Makes a folder and those above it.
  package static func makeFolder(_ path: String) throws(StoreError) {
    if mkdir(path, 0o777) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex else {
      throw .system("make the folder", path: path, code: errno)
    }
    try makeFolder(String(path[..<slash]))
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw .system("make the folder", path: path, code: errno)
    }
  }

  /// Names in a folder, sorted; empty when it is not there.
  ///
  /// - Throws: `StoreError.malformedFile` when a name is not UTF-8, `system`.
  package static func list(_ path: String) throws(StoreError) -> [String] {
    try rawNames(in: path).map { (bytes) throws(StoreError) in
      guard let name = String(validating: bytes, as: UTF8.self) else {
        throw .malformedFile(path: "\(path)/\(String(decoding: bytes, as: UTF8.self))", why: "its name is not UTF-8")
      }
      return name
    }.sorted()
  }

  /// Names in a folder with whether each is a folder itself (links are not), sorted; empty when it is not there. Names
  /// that are not UTF-8 are passed over.
  package static func kinds(_ path: String) throws(StoreError) -> [(name: String, isFolder: Bool)] {
    guard let folder = opendir(path) else {
      if errno == ENOENT { return [] }
      throw .system("list", path: path, code: errno)
    }
    defer { closedir(folder) }
    var found: [(name: String, isFolder: Bool)] = []
    while let entry = readdir(folder) {
      let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
      let start = (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)
      guard let name = String(validatingCString: start), name != ".", name != ".." else { continue }
      var isFolder = Int32(entry.pointee.d_type) == Int32(DT_DIR)
      if Int32(entry.pointee.d_type) == Int32(DT_UNKNOWN) {
        isFolder = FileStat("\(path)/\(name)", followingLinks: false)?.kind == .directory
      }
      found.append((name, isFolder))
    }
    return found.sorted { $0.name < $1.name }
  }

  /// Names in a folder as they come, whatever their bytes; none when it is not there or no folder.
  ///
  /// - Parameter passesFolders: leaves out those that the file system says are folders.
  static func rawNames(in path: String, passesFolders: Bool = false) throws(StoreError) -> [[UInt8]] {
    guard let folder = opendir(path) else {
      if errno == ENOENT || errno == ENOTDIR { return [] }
      throw .system("list", path: path, code: errno)
    }
    defer { closedir(folder) }
    return names(folder, passesFolders: passesFolders)
  }

  private static func names(_ folder: OpaquePointer, passesFolders: Bool = false) -> [[UInt8]] {
    var names: [[UInt8]] = []
    while let entry = readdir(folder) {
      if passesFolders, Int32(entry.pointee.d_type) == Int32(DT_DIR) { continue }
      let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
      let start = (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: UInt8.self)
      let name = Array(UnsafeBufferPointer(start: start, count: strlen(UnsafePointer(OpaquePointer(start)))))
      if name != [46], name != [46, 46] { names.append(name) }
    }
    return names
  }

  /// Removes a file or a folder with all below it; not there is fine. Links are removed, never followed.
  package static func removeAll(_ path: String) throws(StoreError) {
    try remove(Array(path.utf8) + [0], in: AT_FDCWD, path)
  }

  /// - Parameter name: ends in a zero; any bytes, since a stage may write a name that is not UTF-8.
  private static func remove(_ name: [UInt8], in folder: Int32, _ path: String) throws(StoreError) {
    let code = name.withUnsafeBufferPointer { bytes -> Int32 in
      bytes.withMemoryRebound(to: CChar.self) { unlinkat(folder, $0.baseAddress!, 0) == 0 ? 0 : errno }
    }
    if code == 0 || code == ENOENT || code == ENOTDIR { return }
    guard code == EISDIR || code == EPERM else { throw .system("remove", path: path, code: code) }
    let descriptor = name.withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        openat(folder, $0.baseAddress!, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      }
    }
    guard descriptor >= 0, let listing = fdopendir(descriptor) else { throw .system("remove", path: path, code: errno) }
    defer { closedir(listing) }
    for below in names(listing) {
      try remove(below + [0], in: descriptor, "\(path)/\(String(decoding: below, as: UTF8.self))")
    }
    let last = name.withUnsafeBufferPointer { bytes -> Int32 in
      bytes.withMemoryRebound(to: CChar.self) { unlinkat(folder, $0.baseAddress!, AT_REMOVEDIR) == 0 ? 0 : errno }
    }
    guard last == 0 || last == ENOENT else { throw .system("remove", path: path, code: last) }
  }
}
