// What every body of `ObjectStore` does.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Foundation
import TestSupport
import Testing

@Suite struct `Every object store` {
  @Test(arguments: StoreBody.allCases)
  func `gives back the bytes it was given`(_ body: StoreBody) throws {
    try withTemporaryDirectory { (folder: URL) in
      let store = body.make(in: folder)
      #expect(try !store.contains(Digest.of("x")))
      let digest = try store.keep("x")
      #expect(try store.contains(digest))
      #expect(try store.bytes(of: digest) == [120])
      try store.keep("")
      #expect(try store.bytes(of: Digest.of("")) == [])
    }
  }

  @Test(arguments: StoreBody.allCases)
  func `keeps an object once, however often it is inserted`(_ body: StoreBody) throws {
    try withTemporaryDirectory { (folder: URL) in
      let store = body.make(in: folder)
      try folder.write("x", to: "file")
      let digest = try store.keep("x")
      try store.keep("x")
      try store.insert(contentsOf: folder.path + "/file", as: digest)
      #expect(try store.list() == [digest])
      #expect(try store.bytes(of: digest) == [120])
    }
  }

  @Test(arguments: StoreBody.allCases)
  func `finds that an object's bytes are not those of its name`(_ body: StoreBody) throws {
    try withTemporaryDirectory { (folder: URL) in
      let store = body.make(in: folder)
      let digest = Digest.of("x")
      try store.insert([121], as: digest)
      let copy = folder.path + "/copy"
      for read in [{ _ = try store.bytes(of: digest) }, { try store.copy(digest, to: copy) }] {
        let error = #expect(throws: StoreError.self) { try read() }
        guard case .corruptObject(digest, _)? = error else {
          Issue.record("\(String(describing: error))")
          continue
        }
      }
      #expect(!FileManager.default.fileExists(atPath: copy))
    }
  }

  @Test(arguments: StoreBody.allCases)
  func `says that an object is missing`(_ body: StoreBody) throws {
    try withTemporaryDirectory { (folder: URL) in
      let store = body.make(in: folder)
      let digest = Digest.of("x")
      #expect(throws: StoreError.missingObject(digest)) { try store.bytes(of: digest) }
      #expect(throws: StoreError.missingObject(digest)) { try store.copy(digest, to: folder.path + "/copy") }
      #expect(throws: StoreError.missingObject(digest.asTree())) { try store.tree(digest.asTree()) }
      try store.remove(digest)
      #expect(try store.list() == [])
    }
  }

  @Test(arguments: StoreBody.allCases)
  func `refuses a file whose bytes are not those of the name`(_ body: StoreBody) throws {
    try withTemporaryDirectory { (folder: URL) in
      let store = body.make(in: folder)
      try folder.write("changed meanwhile", to: "file")
      let file = folder.path + "/file"
      #expect(throws: StoreError.corruptObject(Digest.of("x"), path: file)) {
        try store.insert(contentsOf: file, as: Digest.of("x"))
      }
      #expect(throws: StoreError.system("open", path: file + "s", code: ENOENT)) {
        try store.insert(contentsOf: file + "s", as: Digest.of("x"))
      }
      #expect(try store.list() == [])
    }
  }

  @Test(arguments: StoreBody.allCases)
  func `lists its objects sorted, trees too, and forgets what was removed`(_ body: StoreBody) throws {
    try withTemporaryDirectory { (folder: URL) in
      let store = body.make(in: folder)
      #expect(try store.list() == [])
      for text in ["x", "y", "abc", ""] { try store.keep(text) }
      let tree = try store.keepTree([:])
      let md5 = Digest.of("abc", .md5)
      try store.insert(Array("abc".utf8), as: md5)
      #expect(
        try store.list().map(\.hex) == [
          "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
          "724460d2814980e98190a11bc3397ecaf2d60657aa68064f6bfae5718db9a009.dir",
          "900150983cd24fb0d6963f7d28e17f72",
          "a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa",
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ])
      try store.remove(Digest.of("x"))
      try store.remove(tree)
      #expect(try store.list().count == 4)
      #expect(try !store.contains(tree))
    }
  }

  @Test(arguments: StoreBody.allCases)
  func `keeps a tree and the file with the same digits apart`(_ body: StoreBody) throws {
    try withTemporaryDirectory { (folder: URL) in
      let store = body.make(in: folder)
      let tree = FileTree([])
      try store.insert(tree.encoded, as: tree.digest)
      let file = Digest.of(tree.encoded)
      #expect(try store.contains(tree.digest) && !store.contains(file))
      #expect(try store.tree(tree.digest) == tree)
    }
  }

  @Test(arguments: StoreBody.allCases)
  func `says whether a tree is there with all that it lists`(_ body: StoreBody) throws {
    try withTemporaryDirectory { (folder: URL) in
      let store = body.make(in: folder)
      let tree = try store.keepTree(["a": "x", "b/c": "y"])
      #expect(try store.containsAll(of: tree))
      try store.remove(Digest.of("y"))
      #expect(try !store.containsAll(of: tree))
      #expect(try store.containsAll(of: Digest.of("x")))
      #expect(try !store.containsAll(of: Digest.of("y")))
    }
  }

  @Test(arguments: StoreBody.allCases)
  func `copies into a new file and never over one`(_ body: StoreBody) throws {
    try withTemporaryDirectory { (folder: URL) in
      let store = body.make(in: folder)
      let digest = try store.keep("x")
      try store.copy(digest, to: folder.path + "/new")
      #expect(try folder.text(of: "new") == "x")
      try folder.write("precious", to: "old")
      #expect(throws: StoreError.system("write", path: folder.path + "/old", code: EEXIST)) {
        try store.copy(digest, to: folder.path + "/old")
      }
      #expect(try folder.text(of: "old") == "precious")
      // The copy is the person's to change.
      try folder.write("changed", to: "new")
      #expect(try store.bytes(of: digest) == [120])
    }
  }
}

@Test func `an object in a folder is a read-only file under its digits, and strangers beside it are passed over`() throws {
  try withTemporaryDirectory { (folder: URL) in
    let store = DirectoryObjectStore(root: folder.path + "/store")
    let digest = try store.keep("x")
    let tree = try store.keepTree([:])
    let path = "store/2d/711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    #expect(try folder.text(of: path) == "x")
    #expect(store.path(of: digest) == folder.path + "/" + path)
    #expect(store.path(of: tree).hasSuffix("/72/4460d2814980e98190a11bc3397ecaf2d60657aa68064f6bfae5718db9a009.dir"))
    let mode = try FileManager.default.attributesOfItem(atPath: store.path(of: digest))[.posixPermissions] as? Int
    #expect(mode == 0o444)
    try folder.write("", to: path + ".123-456.tmp")
    try folder.write("", to: "store/README")
    try folder.write("", to: "store/zz/README")
    #expect(try store.list() == [digest, tree])
    try store.flush()
    try DirectoryObjectStore(root: folder.path + "/none").flush()
  }
}

@Test func `two writers of the same object leave one whole object and no temporary file`() async throws {
  try await withTemporaryDirectory { (folder: URL) async throws in
    let store = DirectoryObjectStore(root: folder.path + "/store")
    let bytes = [UInt8](repeating: 7, count: 300_000)
    let digest = Digest.of(bytes)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 { group.addTask { try store.insert(bytes, as: digest) } }
      try await group.waitForAll()
    }
    #expect(try store.bytes(of: digest) == bytes)
    let parent = URL(fileURLWithPath: store.path(of: digest)).deletingLastPathComponent().path
    #expect(try FileManager.default.contentsOfDirectory(atPath: parent).count == 1)
  }
}
