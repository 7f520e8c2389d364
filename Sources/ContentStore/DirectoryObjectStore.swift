// A store in a folder: one read-only file an object, named by its digest.
// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// Objects below a folder, in `pipe`'s layout or DVC's.
///
/// An object is written beside its name and renamed, so a name that is there has all its bytes unless the disk lost
/// them: after a crash of the machine a reader finds that by hashing. `flush` puts everything on the disk at once.
package struct DirectoryObjectStore: ObjectStore {
  package let root: String
  package let layout: StoreLayout

  package init(root: String, layout: StoreLayout = .native) {
    self.root = root
    self.layout = layout
  }

  package func path(of digest: Digest) -> String { "\(root)/\(layout.name(of: digest))" }

  /// The store with its folder held open.
  func opened(makes: Bool = false) throws(StoreError) -> OpenStore { try OpenStore(root, layout, makes: makes) }

  /// Whether the object is there. In DVC's layout an object that is not of mode 0444 is hashed first; one with other
  /// bytes is removed and counts as missing.
  package func contains(_ digest: Digest) throws(StoreError) -> Bool { try opened().contains(digest, Workers.Room()) }

  package func missing(among digests: [Digest]) throws(StoreError) -> [Digest] {
    let store = try opened()
    let isThere = Slots(digests.count, false)
    try Workers.run(digests.count, piece: 256) { (range, room) throws(StoreError) in
      for index in range { isThere[index] = try store.contains(digests[index], room) }
    }
    return digests.indices.filter { !isThere[$0] }.map { digests[$0] }
  }

  package func bytes(of digest: Digest) throws(StoreError) -> [UInt8] {
    let path = path(of: digest)
    guard let bytes = try AtomicFile.read(path) else { throw .missingObject(digest) }
    guard Digest.of(bytes, digest.algorithm).words == digest.words else { throw .corruptObject(digest, path: path) }
    return bytes
  }

  package func insert(_ bytes: [UInt8], as digest: Digest) throws(StoreError) {
    let store = try opened(makes: true)
    _ = try Self.with(bytes) { (bytes) throws(StoreError) in try store.insert(bytes, as: digest, Workers.Room()) }
  }

  /// `withUnsafeBytes` with a typed throw.
  static func with<T>(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(StoreError) -> T) throws(StoreError) -> T {
    let outcome = bytes.withUnsafeBytes { bytes -> Result<T, StoreError> in
      do throws(StoreError) {
        return .success(try body(bytes))
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }

  package func insert(contentsOf source: String, as digest: Digest) throws(StoreError) {
    let store = try opened(makes: true)
    let room = Workers.Room()
    if try store.contains(digest, room) { return }
    let file = open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw .system("open", path: source, code: errno) }
    defer { close(file) }
    try store.insert(file, source, as: digest, hashes: true, sharing: true, room)
  }

  package func copy(_ digest: Digest, to destination: String) throws(StoreError) {
    let (file, _, mustHash) = try opened().open(digest)
    defer { close(file) }
    let output = open(destination, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard output >= 0 else { throw .system("write", path: destination, code: errno) }
    do throws(StoreError) {
      defer { close(output) }
      let found = try FileCopy.copy(
        file, to: output, hashing: mustHash ? digest.algorithm : nil, sharing: true, paths: (path(of: digest), destination),
        Workers.Room())
      if let found, found.words != digest.words { throw .corruptObject(digest, path: path(of: digest)) }
    } catch {
      unlink(destination)
      throw error
    }
  }

  /// A folder in an object's place is somebody else's, and stays.
  package func remove(_ digest: Digest) throws(StoreError) {
    let path = path(of: digest)
    guard unlink(path) == 0 || errno == ENOENT || errno == EISDIR else { throw .system("remove", path: path, code: errno) }
  }

  /// All digests, sorted. Files that are no objects are passed over.
  package func list() throws(StoreError) -> [Digest] {
    var digests: [Digest] = []
    for (folder, algorithms) in layout.folders {
      let fans = try fanFolders(in: folder)
      let found = Slots<[Digest]>(fans.count, [])
      try Workers.run(fans.count, piece: 4) { (range, _) throws(StoreError) in
        for index in range {
          found[index] = try AtomicFile.rawNames(in: "\(root)/\(folder)\(fans[index])", passesFolders: true).compactMap {
            Self.digest(fans[index], $0, algorithms)
          }
        }
      }
      digests += found.array().joined()
    }
    return digests.sorted()
  }

  private static func digest(_ fan: String, _ name: [UInt8], _ algorithms: [Digest.Algorithm]) -> Digest? {
    let isTree = name.count > 4 && name.suffix(4).elementsEqual(".dir".utf8)
    let digits = Array(fan.utf8) + (isTree ? name.dropLast(4) : name[...])
    return digits.withUnsafeBufferPointer { digits in
      algorithms.lazy.compactMap { Digest($0, digits: digits, isTree: isTree) }.first
    }
  }

  /// Names of the folders with two hexadecimal digits. A link to a folder is none: what lies behind it is not the store's.
  private func fanFolders(in folder: String) throws(StoreError) -> [String] {
    try AtomicFile.rawNames(in: "\(root)/\(folder)").filter { $0.count == 2 && $0.allSatisfy { hexValue($0) != nil } }
      .map { String(decoding: $0, as: UTF8.self) }
      .filter { FileStat("\(root)/\(folder)\($0)", followingLinks: false)?.kind == .directory }.sorted()
  }

  /// Removes what writers that were killed left half-written. For the only writer, as `gc` is.
  package func removeLeftovers() throws(StoreError) {
    for (folder, _) in layout.folders {
      for fan in try fanFolders(in: folder) {
        for name in try AtomicFile.rawNames(in: "\(root)/\(folder)\(fan)") where name.suffix(4).elementsEqual(".tmp".utf8) {
          guard let name = String(validating: name, as: UTF8.self) else { continue }
          let path = "\(root)/\(folder)\(fan)/\(name)"
          // Nobody writes an object as a folder.
          if FileStat(path, followingLinks: false)?.kind == .directory { continue }
          try AtomicFile.removeAll(path)
        }
      }
    }
  }

  /// Puts all that was written on the disk: one call for any number of objects.
  package func flush() throws(StoreError) { try AtomicFile.flush(fileSystemOf: root) }
}
