// A store with remotes behind it.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Foundation
import TestSupport
import Testing

@Suite struct `A fetching store` {
  private let hello = Digest(.md5, hex: "5d41402abc4b2a76b9719d911017c592")!

  private func stores(_ folder: String) -> (local: DirectoryObjectStore, remote: DirectoryObjectStore) {
    (DirectoryObjectStore(root: "\(folder)/local", layout: .dvc), DirectoryObjectStore(root: "\(folder)/remote", layout: .dvc))
  }

  @Test func `keeps what it fetched`() throws {
    try withTemporaryDirectory { url in
      let folder = url.path
      let (local, remote) = stores(folder)
      try remote.insert(Array("hello".utf8), as: hello)
      let store = FetchingStore(local: local, remotes: [remote])
      #expect(try store.contains(hello))
      #expect(try !local.contains(hello))
      #expect(try store.bytes(of: hello) == Array("hello".utf8))
      #expect(try local.contains(hello))
    }
  }

  @Test func `brings a tree with all its files from whichever remote has them`() throws {
    try withTemporaryDirectory { url in
      let folder = url.path
      let (local, remote) = stores(folder)
      let other = DirectoryObjectStore(root: "\(folder)/other", layout: .dvc)
      let tree = FileTree([FileTree.Entry(path: "a", digest: hello, size: 5, isExecutable: false)])
      try remote.insert(tree.encoded(.md5), as: tree.digest(.md5))
      try other.insert(Array("hello".utf8), as: hello)
      let store = FetchingStore(local: local, remotes: [remote, other])
      #expect(try store.containsAll(of: tree.digest(.md5)))
      #expect(try store.local(with: tree.digest(.md5)).containsAll(of: tree.digest(.md5)))
    }
  }

  @Test func `refuses an object whose bytes are others`() throws {
    try withTemporaryDirectory { url in
      let folder = url.path
      let (local, remote) = stores(folder)
      try AtomicFile.makeFolder("\(folder)/remote/files/md5/5d")
      try AtomicFile.write(Array("HELLO".utf8), to: remote.path(of: hello), mode: 0o444)
      let store = FetchingStore(local: local, remotes: [remote])
      #expect(throws: StoreError.self) { _ = try store.local(with: hello) }
      #expect(try !local.contains(hello))
    }
  }

  @Test func `says which object nobody has`() throws {
    try withTemporaryDirectory { url in
      let folder = url.path
      let (local, remote) = stores(folder)
      let store = FetchingStore(local: local, remotes: [remote])
      #expect(throws: StoreError.missingObject(hello)) { _ = try store.local(with: hello) }
      let missing = try store.missing(among: [hello])
      #expect(missing == [hello])
    }
  }
}
