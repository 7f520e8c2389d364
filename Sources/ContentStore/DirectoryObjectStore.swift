// A store in a folder: one read-only file an object, named by its digest.
// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc

/// `<root>/<first two digits>/<other digits>[.dir]`.
///
/// An object is written beside its name and renamed, so a name that is there has all its bytes unless the disk lost
/// them: after a crash of the machine a reader finds that by hashing. `flush` puts everything on the disk at once.
package struct DirectoryObjectStore: ObjectStore {
  package let root: String

  package init(root: String) { self.root = root }

  package func path(of digest: Digest) -> String {
    let hex = digest.hex
    return "\(root)/\(hex.prefix(2))/\(hex.dropFirst(2))"
  }

  package func contains(_ digest: Digest) throws(StoreError) -> Bool {
    let path = path(of: digest)
    if access(path, F_OK) == 0 { return true }
    if errno == ENOENT || errno == ENOTDIR { return false }
    throw .system("look at", path: path, code: errno)
  }

  package func bytes(of digest: Digest) throws(StoreError) -> [UInt8] {
    let path = path(of: digest)
    guard let bytes = try AtomicFile.read(path) else { throw .missingObject(digest) }
    guard Digest.of(bytes, digest.algorithm).digits == digest.digits else { throw .corruptObject(digest, path: path) }
    return bytes
  }

  package func insert(_ bytes: [UInt8], as digest: Digest) throws(StoreError) {
    let path = path(of: digest)
    if access(path, F_OK) == 0 { return }
    try makeParent(of: path)
    try AtomicFile.write(bytes, to: path, mode: 0o444)
  }

  package func insert(contentsOf source: String, as digest: Digest) throws(StoreError) {
    let path = path(of: digest)
    if access(path, F_OK) == 0 { return }
    try makeParent(of: path)
    let temporary = "\(path).\(getpid())-\(UInt32.random(in: 0 ... .max)).tmp"
    do {
      let copied = try FileCopy.copyHashing(from: source, to: temporary, mode: 0o444, digest.algorithm)
      guard copied.digits == digest.digits else { throw StoreError.corruptObject(digest, path: source) }
      guard rename(temporary, path) == 0 else { throw StoreError.system("write", path: path, code: errno) }
    } catch {
      unlink(temporary)
      throw error as? StoreError ?? .system("write", path: path, code: EIO)
    }
  }

  package func copy(_ digest: Digest, to destination: String) throws(StoreError) {
    let path = path(of: digest)
    guard access(path, F_OK) == 0 else { throw .missingObject(digest) }
    let copied = try FileCopy.copyHashing(from: path, to: destination, mode: 0o666, digest.algorithm)
    guard copied.digits == digest.digits else {
      unlink(destination)
      throw .corruptObject(digest, path: path)
    }
  }

  package func remove(_ digest: Digest) throws(StoreError) {
    let path = path(of: digest)
    guard unlink(path) == 0 || errno == ENOENT else { throw .system("remove", path: path, code: errno) }
  }

  package func list() throws(StoreError) -> [Digest] {
    var digests: [Digest] = []
    for folder in try AtomicFile.list(root) where folder.utf8.count == 2 {
      for name in try AtomicFile.list("\(root)/\(folder)") {
        let hex = folder + name
        if let digest = Digest(.sha256, hex: hex) ?? Digest(.md5, hex: hex) { digests.append(digest) }
      }
    }
    return digests
  }

  /// Removes what writers that were killed left half-written. For the only writer, as `gc` is.
  package func removeLeftovers() throws(StoreError) {
    for folder in try AtomicFile.list(root) where folder.utf8.count == 2 {
      for name in try AtomicFile.list("\(root)/\(folder)") where name.hasSuffix(".tmp") {
        try AtomicFile.removeAll("\(root)/\(folder)/\(name)")
      }
    }
  }

  /// Puts all that was written on the disk: one call for any number of objects.
  package func flush() throws(StoreError) {
    let descriptor = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return }
      throw .system("open", path: root, code: errno)
    }
    defer { close(descriptor) }
    let code = clinux_syncfs(descriptor)
    guard code == 0 else { throw .system("flush", path: root, code: code) }
  }

  private func makeParent(of path: String) throws(StoreError) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return }
    try AtomicFile.makeFolder(String(path[..<slash]))
  }
}
