// A store in DVC's layout: where its objects lie, and which of them are believed.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Foundation
import TestSupport
import Testing

private let abc = "files/md5/90/0150983cd24fb0d6963f7d28e17f72"

private func mode(_ path: String) throws -> Int? {
  try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
}

private func withStore(_ layout: StoreLayout = .dvc, _ body: (URL, DirectoryObjectStore) throws -> Void) throws {
  try withTemporaryDirectory { (folder: URL) in
    try body(folder, DirectoryObjectStore(root: folder.path + "/cache", layout: layout))
  }
}

@Suite struct `A store in DVC's layout` {
  @Test func `keeps files and directories where DVC looks for them, read-only`() throws {
    try withStore { (folder, store) in
      let digest = Digest.of("abc", .md5)
      try store.insert(Array("abc".utf8), as: digest)
      let tree = FileTree([])
      try store.insert(tree.encoded(.md5), as: tree.digest(.md5))
      try folder.write("old", to: "source")
      try store.insert(contentsOf: folder.path + "/source", as: Digest.of("old", .md5dos2unix))
      try store.insert([120], as: Digest.of("x"))
      let paths = [
        abc, "files/md5/d7/51713988987e9331980363e24189ce.dir", "14/9603e6c03516362a8da23f624db945",
        "files/sha256/2d/711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
      ]
      for path in paths {
        #expect(try mode(folder.path + "/cache/" + path) == 0o444, "\(path)")
      }
      #expect(try store.list() == [Digest.of("old", .md5dos2unix), Digest.of("x"), digest, tree.digest(.md5)])
      #expect(try store.tree(tree.digest(.md5)) == tree)
      #expect(try mode(folder.path + "/cache/files/md5/90") == 0o755)
    }
  }

  @Test func `believes a read-only object and hashes any other once`() throws {
    try withStore { (folder, store) in
      let digest = Digest.of("abc", .md5)
      let path = folder.path + "/cache/" + abc
      try folder.write("abd", to: "cache/" + abc)
      // Foreign mode, other bytes: gone, and missing.
      #expect(try !store.contains(digest))
      #expect(!FileManager.default.fileExists(atPath: path))
      // Foreign mode, right bytes: there, and read-only from now on.
      try folder.write("abc", to: "cache/" + abc)
      #expect(chmod(path, 0o644) == 0)
      #expect(try store.contains(digest))
      #expect(try mode(path) == 0o444)
      // Read-only: believed.
      #expect(chmod(path, 0o644) == 0)
      try folder.write("abd", to: "cache/" + abc)
      #expect(chmod(path, 0o444) == 0)
      #expect(try store.contains(digest))
      #expect(try store.missing(among: [digest, Digest.of("x", .md5)]) == [Digest.of("x", .md5)])
      // What is read into memory is hashed all the same.
      #expect(throws: StoreError.corruptObject(digest, path: path)) { try store.bytes(of: digest) }
      // With `verify`, a copy is hashed too.
      let strict = DirectoryObjectStore(root: store.root, layout: .dvc(verifies: true))
      #expect(throws: StoreError.corruptObject(digest, path: path)) { try strict.copy(digest, to: folder.path + "/copy") }
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/copy"))
      #expect(try !strict.contains(digest))
    }
  }

  @Test func `hashes an object of a foreign mode when it is copied`() throws {
    try withStore { (folder, store) in
      let digest = Digest.of("abc", .md5)
      try folder.write("abd", to: "cache/" + abc)
      #expect(throws: StoreError.corruptObject(digest, path: folder.path + "/cache/" + abc)) {
        try store.copy(digest, to: folder.path + "/copy")
      }
    }
  }

  @Test func `mends a damaged object of a foreign mode when it is kept again`() throws {
    try withStore { (folder, store) in
      let digest = Digest.of("abc", .md5)
      try folder.write("cut", to: "cache/" + abc)
      try store.insert(Array("abc".utf8), as: digest)
      #expect(try store.bytes(of: digest) == [97, 98, 99])
    }
  }

  @Test func `does not read an object through a link`() throws {
    try withStore { (folder, store) in
      try folder.write("abc", to: "secret")
      try FileManager.default.createDirectory(atPath: folder.path + "/cache/files/md5/90", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: folder.path + "/cache/" + abc, withDestinationPath: folder.path + "/secret")
      #expect(try !store.contains(Digest.of("abc", .md5)))
    }
  }

  @Test func `passes over what DVC and others keep beside the objects`() throws {
    try withStore { (folder, store) in
      let digest = Digest.of("abc", .md5)
      try store.insert(Array("abc".utf8), as: digest)
      for path in [
        "cache/runs/90/0150983cd24fb0d6963f7d28e17f72", "cache/files/md5/90/.x1y2.tmp", "cache/files/md5/README",
        "cache/files/md5/zz/a",
        "cache/files/md5/90/0150983cd24fb0d6963f7d28e17f72.dir.unpacked/a", "cache/files/md5/ab", "cache/README",
        "cache/files/md5/90/0150983cd24fb0d6963f7d28e17f7200000000000000000000000000000000",
      ] { try folder.write("", to: path) }
      #expect(try store.list() == [digest])
      try store.removeLeftovers()
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/cache/files/md5/90/.x1y2.tmp"))
    }
  }

  @Test func `of a group hands the group on`() throws {
    try withStore(.dvc(isShared: true)) { (folder, store) in
      try store.insert(Array("abc".utf8), as: Digest.of("abc", .md5))
      for path in ["cache", "cache/files", "cache/files/md5", "cache/files/md5/90"] {
        var info = stat()
        #expect(stat(folder.path + "/" + path, &info) == 0)
        #expect(info.st_mode & 0o7777 == 0o2775, "\(path)")
      }
      #expect(try mode(folder.path + "/cache/" + abc) == 0o444)
    }
  }
}

@Test(arguments: [
  ("reflink,copy", [LinkKind.reflink, .copy]), ("hardlink, symlink", [.hardlink, .symlink]), ("copy", [.copy]),
  ("", nil), ("hard", nil), ("copy,soft", nil),
])
func `the order of link kinds is read as DVC spells it`(_ text: String, _ kinds: [LinkKind]?) {
  #expect(LinkKind.list(text) == kinds)
}
