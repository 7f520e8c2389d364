// Copying what one store has and another lacks: push and pull.
// SPDX-License-Identifier: Apache-2.0

/// Brings objects from one store to another; what is there already is not touched, so a rerun goes on where it stopped.
package struct Transfer: Sendable {
  package struct Summary: Sendable, Equatable {
    package var copied = 0
    package var alreadyThere = 0
    /// Digests that the source does not have.
    package var missing: [Digest] = []
  }

  package let source: any ObjectStore
  package let destination: any ObjectStore

  package init(from source: any ObjectStore, to destination: any ObjectStore) {
    self.source = source
    self.destination = destination
  }

  /// Copies objects; a tree goes after the files it lists, so a tree that is there is whole.
  package func copy(_ digests: some Sequence<Digest>, onProgress: (Summary) -> Void = { _ in }) throws(StoreError) -> Summary {
    var summary = Summary()
    var seen: Set<Digest> = []
    for digest in digests {
      try copy(digest, &summary, &seen)
      onProgress(summary)
    }
    return summary
  }

  private func copy(_ digest: Digest, _ summary: inout Summary, _ seen: inout Set<Digest>) throws(StoreError) {
    guard seen.insert(digest).inserted else { return }
    guard digest.isTree else { return try copyOne(digest, &summary) }
    // A tree at the destination was written after its files.
    if try destination.contains(digest) {
      summary.alreadyThere += 1
      return
    }
    guard try source.contains(digest) else {
      summary.missing.append(digest)
      return
    }
    let missingBefore = summary.missing.count
    for entry in try source.tree(digest).entries { try copy(entry.digest, &summary, &seen) }
    if summary.missing.count == missingBefore { try copyOne(digest, &summary) }
  }

  private func copyOne(_ digest: Digest, _ summary: inout Summary) throws(StoreError) {
    if try destination.contains(digest) {
      summary.alreadyThere += 1
    } else if try source.contains(digest) {
      if let source = source as? DirectoryObjectStore {
        try destination.insert(contentsOf: source.path(of: digest), as: digest)
      } else {
        try destination.insert(source.bytes(of: digest), as: digest)
      }
      summary.copied += 1
    } else {
      summary.missing.append(digest)
    }
  }
}
