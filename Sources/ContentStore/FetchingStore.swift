// A store that asks others for what it lacks, and keeps what they give.
// SPDX-License-Identifier: Apache-2.0

/// The local store with remotes behind it. What comes from a remote is hashed before it is kept.
package struct FetchingStore: ObjectStore {
  package let local: DirectoryObjectStore
  /// Asked in order.
  package let remotes: [any ObjectStore]

  package init(local: DirectoryObjectStore, remotes: [any ObjectStore]) {
    self.local = local
    self.remotes = remotes
  }

  package func contains(_ digest: Digest) throws(StoreError) -> Bool {
    if try local.contains(digest) { return true }
    for remote in remotes where try remote.contains(digest) { return true }
    return false
  }

  package func missing(among digests: [Digest]) throws(StoreError) -> [Digest] {
    var lost = try local.missing(among: digests)
    for remote in remotes where !lost.isEmpty { lost = try remote.missing(among: lost) }
    return lost
  }

  package func bytes(of digest: Digest) throws(StoreError) -> [UInt8] {
    if try local.contains(digest) { return try local.bytes(of: digest) }
    for remote in remotes where try remote.contains(digest) {
      let bytes = try remote.bytes(of: digest)
      try local.insert(bytes, as: digest)
      return bytes
    }
    throw .missingObject(digest)
  }

  package func insert(_ bytes: [UInt8], as digest: Digest) throws(StoreError) { try local.insert(bytes, as: digest) }

  package func insert(contentsOf path: String, as digest: Digest) throws(StoreError) {
    try local.insert(contentsOf: path, as: digest)
  }

  package func copy(_ digest: Digest, to path: String) throws(StoreError) { try local(with: digest).copy(digest, to: path) }

  package func remove(_ digest: Digest) throws(StoreError) { try local.remove(digest) }

  package func list() throws(StoreError) -> [Digest] { try local.list() }

  /// The local store, after it got an object and all that it lists from wherever they are.
  ///
  /// - Throws: `missingObject`, `corruptObject`, `system`.
  package func local(with digest: Digest) throws(StoreError) -> DirectoryObjectStore {
    var wanted = [digest]
    if digest.isTree { wanted += try tree(digest).entries.map(\.digest) }
    var lost = try local.missing(among: wanted)
    for remote in remotes where !lost.isEmpty {
      let absent = Set(try remote.missing(among: lost))
      _ = try Transfer(from: remote, to: local).copy(lost.filter { !absent.contains($0) && !$0.isTree })
      lost = lost.filter(absent.contains)
    }
    if let first = lost.first { throw .missingObject(first) }
    return local
  }
}
