// A keep of byte strings under their digest: what a local store and a remote have in common.
// SPDX-License-Identifier: Apache-2.0

/// Where objects are kept.
package protocol ObjectStore: Sendable {
  func contains(_ digest: Digest) throws(StoreError) -> Bool

  /// An object's bytes, checked against its name.
  ///
  /// - Throws: `missingObject`, `corruptObject`, `system`.
  func bytes(of digest: Digest) throws(StoreError) -> [UInt8]

  /// Keeps bytes under the digest that the caller computed; keeping what is there already does nothing.
  func insert(_ bytes: [UInt8], as digest: Digest) throws(StoreError)

  /// Keeps a copy of a file; its bytes are hashed on the way, and refused when they differ from `digest`.
  func insert(contentsOf path: String, as digest: Digest) throws(StoreError)

  /// Writes the object to a new file; the bytes are hashed on the way.
  func copy(_ digest: Digest, to path: String) throws(StoreError)

  func remove(_ digest: Digest) throws(StoreError)

  /// All digests, sorted.
  func list() throws(StoreError) -> [Digest]

  /// Those of the digests that are not there, in their order.
  func missing(among digests: [Digest]) throws(StoreError) -> [Digest]
}

extension ObjectStore {
  package func missing(among digests: [Digest]) throws(StoreError) -> [Digest] {
    var missing: [Digest] = []
    for digest in digests where try !contains(digest) { missing.append(digest) }
    return missing
  }

  /// The directory list that a tree digest names.
  package func tree(_ digest: Digest) throws(StoreError) -> FileTree {
    try FileTree(decoding: bytes(of: digest), named: digest)
  }

  /// Whether an object is there and, for a tree, all that it lists.
  package func containsAll(of digest: Digest) throws(StoreError) -> Bool {
    guard try contains(digest) else { return false }
    guard digest.isTree else { return true }
    return try missing(among: tree(digest).entries.map(\.digest)).isEmpty
  }
}
