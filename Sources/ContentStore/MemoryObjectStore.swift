// A store in memory, for tests of what stands on a store.
// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

package final class MemoryObjectStore: ObjectStore {
  private let objects = Mutex<[Digest: [UInt8]]>([:])

  package init() {}

  package func contains(_ digest: Digest) -> Bool { objects.withLock { $0[digest] != nil } }

  package func bytes(of digest: Digest) throws(StoreError) -> [UInt8] {
    guard let bytes = objects.withLock({ $0[digest] }) else { throw .missingObject(digest) }
    guard Digest.of(bytes, digest.algorithm).digits == digest.digits else { throw .corruptObject(digest, path: "memory") }
    return bytes
  }

  package func insert(_ bytes: [UInt8], as digest: Digest) { objects.withLock { $0[digest] = $0[digest] ?? bytes } }

  package func insert(contentsOf path: String, as digest: Digest) throws(StoreError) {
    guard let bytes = try AtomicFile.read(path) else { throw .system("open", path: path, code: 2) }
    guard Digest.of(bytes, digest.algorithm).digits == digest.digits else { throw .corruptObject(digest, path: path) }
    insert(bytes, as: digest)
  }

  package func copy(_ digest: Digest, to path: String) throws(StoreError) {
    let bytes = try bytes(of: digest)
    guard FileStat(path, followingLinks: false) == nil else { throw .system("write", path: path, code: 17) }
    try AtomicFile.write(bytes, to: path)
  }

  package func remove(_ digest: Digest) { objects.withLock { $0[digest] = nil } }

  package func list() -> [Digest] { objects.withLock { $0.keys.sorted() } }
}
