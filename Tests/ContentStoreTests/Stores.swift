// The bodies of `ObjectStore` that the suites run over, and one that fails on purpose.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Foundation
import Synchronization
import TestSupport

/// A body of `ObjectStore` to run a suite over.
enum StoreBody: String, CaseIterable, Sendable {
  case memory, directory

  func make(in folder: URL, _ name: String = "store") -> any ObjectStore {
    switch self {
    case .memory: MemoryObjectStore()
    case .directory: DirectoryObjectStore(root: folder.appendingPathComponent(name).path)
    }
  }
}

/// Passes everything on to another store, but for the n-th operation, which fails as a disk fails.
final class FaultyObjectStore: ObjectStore {
  private let inner: any ObjectStore
  private let count = Mutex(0)
  private let failsAt: Int
  static let failure = StoreError.system("write", path: "the disk", code: EIO)

  /// - Parameter failsAt: number of the operation that fails, from 1.
  init(_ inner: any ObjectStore, failsAt: Int) {
    self.inner = inner
    self.failsAt = failsAt
  }

  /// Operations so far.
  var operations: Int { count.withLock { $0 } }

  private func step() throws(StoreError) {
    let number = count.withLock {
      $0 += 1
      return $0
    }
    if number == failsAt { throw Self.failure }
  }

  func contains(_ digest: Digest) throws(StoreError) -> Bool {
    try step()
    return try inner.contains(digest)
  }

  func bytes(of digest: Digest) throws(StoreError) -> [UInt8] {
    try step()
    return try inner.bytes(of: digest)
  }

  func insert(_ bytes: [UInt8], as digest: Digest) throws(StoreError) {
    try step()
    try inner.insert(bytes, as: digest)
  }

  func insert(contentsOf path: String, as digest: Digest) throws(StoreError) {
    try step()
    try inner.insert(contentsOf: path, as: digest)
  }

  func copy(_ digest: Digest, to path: String) throws(StoreError) {
    try step()
    try inner.copy(digest, to: path)
  }

  func remove(_ digest: Digest) throws(StoreError) {
    try step()
    try inner.remove(digest)
  }

  func list() throws(StoreError) -> [Digest] {
    try step()
    return try inner.list()
  }
}

extension ObjectStore {
  /// Keeps a text and says under which digest.
  @discardableResult
  func keep(_ text: String) throws -> Digest {
    try insert(Array(text.utf8), as: Digest.of(text))
    return Digest.of(text)
  }

  /// Keeps a directory of path → text, files first.
  @discardableResult
  func keepTree(_ files: [String: String]) throws -> Digest {
    let tree = tree(of: files)
    for text in files.values { try keep(text) }
    try insert(tree.encoded, as: tree.digest)
    return tree.digest
  }

  func tree(of files: [String: String]) -> FileTree {
    FileTree(
      files.map { FileTree.Entry(path: $0, digest: Digest.of($1), size: $1.utf8.count, isExecutable: $0.hasSuffix(".sh")) })
  }

  /// The trees that are there without all that they list.
  func brokenTrees() throws -> [Digest] {
    try list().filter { $0.isTree }.filter { try !containsAll(of: $0) }
  }
}
