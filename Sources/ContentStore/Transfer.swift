// Copying what one store has and another lacks: push and pull.
// SPDX-License-Identifier: Apache-2.0

/// Brings objects from one store to another; what is there already is not touched, so a rerun goes on where it stopped.
package struct Transfer: Sendable {
  package struct Summary: Sendable, Equatable {
    package var copied = 0
    package var alreadyThere = 0
    /// Digests that the source does not have.
    package var missing: [Digest] = []

    package init() {}
  }

  package let source: any ObjectStore
  package let destination: any ObjectStore
  /// Objects at once, where both places are folders.
  private let width: Int

  /// What hides the time that a mounted folder needs to answer.
  package static let usualWidth = max(4, 2 * Workers.width)

  package init(from source: any ObjectStore, to destination: any ObjectStore, width: Int = Transfer.usualWidth) {
    self.source = source
    self.destination = destination
    self.width = max(1, width)
  }

  /// Copies objects; a tree goes after the files it lists, so a tree that is there is whole.
  ///
  /// - Parameter onProgress: called on this thread, now and then between folders, else after each digest.
  package func copy(_ digests: some Sequence<Digest>, onProgress: (Summary) -> Void = { _ in }) throws(StoreError) -> Summary {
    if let source = source as? DirectoryObjectStore, let destination = destination as? DirectoryObjectStore {
      return try FolderTransfer(source, destination, width).copy(digests, onProgress)
    }
    var summary = Summary()
    var done: [Digest: Bool] = [:]
    for digest in digests {
      _ = try copy(digest, &summary, &done)
      onProgress(summary)
    }
    return summary
  }

  /// - Returns: whether the object is at the destination now, and all that it lists.
  private func copy(_ digest: Digest, _ summary: inout Summary, _ done: inout [Digest: Bool]) throws(StoreError) -> Bool {
    if let known = done[digest] { return known }
    let isThere = try copyAnew(digest, &summary, &done)
    done[digest] = isThere
    return isThere
  }

  private func copyAnew(_ digest: Digest, _ summary: inout Summary, _ done: inout [Digest: Bool]) throws(StoreError) -> Bool {
    // A tree at the destination was written after its files.
    if try destination.contains(digest) {
      summary.alreadyThere += 1
      return true
    }
    guard try source.contains(digest) else {
      summary.missing.append(digest)
      return false
    }
    if digest.isTree {
      var isWhole = true
      for entry in try source.tree(digest).entries where try !copy(entry.digest, &summary, &done) { isWhole = false }
      guard isWhole else { return false }
    }
    try destination.insert(source.bytes(of: digest), as: digest)
    summary.copied += 1
    return true
  }
}
