// Objects as links in the workspace, and files that become links to what was kept of them.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Foundation
import Glibc
import TestSupport
import Testing

private struct Bench {
  let folder: URL
  let workspace: Workspace
  let store: DirectoryObjectStore

  init(_ parent: URL, _ links: [LinkKind]) throws {
    folder = parent.appendingPathComponent("project")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let staging = parent.appendingPathComponent("staging")
    try FileManager.default.createDirectory(at: staging, withIntermediateDirectories: true)
    workspace = Workspace(
      root: folder.path, statCacheFile: parent.path + "/stat", stagingFolder: staging.path, algorithm: .md5, links: links)
    store = DirectoryObjectStore(root: parent.path + "/cache", layout: .dvc)
  }

  func path(_ text: String) throws -> WorkspacePath { try #require(WorkspacePath(text)) }

  func own(_ path: String) -> FileStat? { FileStat(folder.path + "/" + path, followingLinks: false) }

  /// Keeps texts as a directory.
  func keep(_ files: [String: String]) throws -> Digest {
    let tree = FileTree(
      files.map { FileTree.Entry(path: $0, digest: Digest.of($1, .md5), size: nil, isExecutable: false) })
    for text in files.values { try store.insert(Array(text.utf8), as: Digest.of(text, .md5)) }
    try store.insert(tree.encoded(.md5), as: tree.digest(.md5))
    return tree.digest(.md5)
  }

  func object(_ text: String) -> FileStat? { FileStat(store.path(of: Digest.of(text, .md5)), followingLinks: false) }
}

private func withBench(_ links: [LinkKind], _ body: (Bench) throws -> Void) throws {
  try withTemporaryDirectory { (folder: URL) in try body(Bench(folder, links)) }
}

@Suite struct `An object as a link` {
  @Test(arguments: LinkKind.allCases)
  func `has the object's bytes, whatever the kind of link`(_ kind: LinkKind) throws {
    try withBench([kind, .copy]) { bench in
      let tree = try bench.keep(["a": "1", "b/c": "2", "b/d": "1", "empty": ""])
      try bench.workspace.put(tree, at: bench.path("dir"), from: bench.store)
      try bench.workspace.put(Digest.of("1", .md5), at: bench.path("sub/file"), from: bench.store)
      #expect(try bench.workspace.content(of: bench.path("dir")).digest == tree)
      #expect(try bench.folder.text(of: "dir/b/c") == "2")
      #expect(try bench.folder.text(of: "sub/file") == "1")
      for path in ["dir/a", "dir/b/d", "sub/file"] {
        switch kind {
        case .hardlink:
          #expect(bench.own(path)?.inode == bench.object("1")?.inode)
          #expect(bench.own(path).map { $0.mode & 0o777 } == 0o444)
        case .symlink: #expect(bench.own(path)?.kind == .link)
        case .reflink, .copy:
          #expect(bench.own(path)?.links == 1 && bench.own(path)?.kind == .file)
          #expect(bench.own(path).map { $0.mode & 0o777 } == 0o644)
        }
      }
      #expect(bench.own("dir/empty")?.links == 1)
    }
  }

  @Test(arguments: [LinkKind.hardlink, .symlink])
  func `that must be executable is a copy, so the object stays as it is`(_ kind: LinkKind) throws {
    try withBench([kind]) { bench in
      _ = try bench.keep(["x": "1"])
      try bench.workspace.put(Digest.of("1", .md5), at: bench.path("tool"), isExecutable: true, from: bench.store)
      #expect(bench.own("tool")?.isExecutable == true && bench.own("tool")?.kind == .file)
      #expect(bench.object("1").map { $0.mode & 0o777 } == 0o444)
    }
  }

  @Test func `of a kind that does not work gives way to the next, and none is an error`() throws {
    try withTemporaryDirectory { (folder: URL) in
      // Two file systems, between which there are neither hard links nor reflinks.
      guard
        let other = try? FileManager.default.url(
          for: .itemReplacementDirectory, in: .userDomainMask, appropriateFor: URL(fileURLWithPath: "/dev/shm"), create: true)
      else { return print("skipped: there is no /dev/shm") }
      defer { try? FileManager.default.removeItem(at: other) }
      let store = DirectoryObjectStore(root: other.path + "/cache", layout: .dvc)
      let digest = Digest.of("1", .md5)
      try store.insert([49], as: digest)
      var here = stat()
      var there = stat()
      #expect(stat(folder.path, &here) == 0 && stat(other.path, &there) == 0)
      guard here.st_dev != there.st_dev else { return print("skipped: one file system holds both folders") }
      let workspace = Workspace(root: folder.path, statCacheFile: "", algorithm: .md5)
      let path = try #require(WorkspacePath("file"))
      try workspace.put(digest, at: path, from: store, links: [.reflink, .hardlink, .symlink])
      #expect(FileStat(folder.path + "/file", followingLinks: false)?.kind == .link)
      try workspace.put(digest, at: path, from: store, links: [.hardlink, .copy])
      #expect(FileStat(folder.path + "/file", followingLinks: false)?.kind == .file)
      #expect(throws: StoreError.self) { try workspace.put(digest, at: path, from: store, links: [.hardlink]) }
      #expect(try folder.text(of: "file") == "1")
      #expect(try AtomicFile.list(folder.path) == ["file"])
    }
  }

  @Test(arguments: [LinkKind.hardlink, .symlink, .copy])
  func `that is missing changes nothing`(_ kind: LinkKind) throws {
    try withBench([kind]) { bench in
      try bench.folder.write("old", to: "dir/a")
      let tree = try bench.keep(["a": "1", "b": "2"])
      try bench.store.remove(Digest.of("2", .md5))
      #expect(throws: StoreError.missingObject(Digest.of("2", .md5))) {
        try bench.workspace.put(tree, at: bench.path("dir"), from: bench.store)
      }
      #expect(try bench.folder.text(of: "dir/a") == "old")
      #expect(try AtomicFile.list(bench.folder.path) == ["dir"])
    }
  }
}

/// What happened to the names in a watched folder, in order.
private func masks(_ events: Int32) -> [UInt32] {
  var bytes = [UInt8](repeating: 0, count: 1 << 16)
  let count = read(events, &bytes, bytes.count)
  var found: [UInt32] = []
  var place = 0
  while place + 16 <= count {
    let words = bytes[place..<place + 16].withUnsafeBytes { raw in
      (0..<4).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self) }
    }
    found.append(words[1])
    place += 16 + Int(words[3])
  }
  return found
}

@Suite struct `Taking files that become links` {
  @Test(arguments: [LinkKind.hardlink, .symlink])
  func `leaves read-only links to the objects, and twice is the same`(_ kind: LinkKind) throws {
    try withBench([kind]) { bench in
      for (path, text) in ["a": "1", "b/c": "2", "b/d": "1", "empty": "", "run": "3"] {
        try bench.folder.write(text, to: "dir/" + path)
      }
      #expect(chmod(bench.folder.path + "/dir/run", 0o755) == 0)
      let content = try bench.workspace.content(of: bench.path("dir"))
      for _ in 0..<2 {
        try bench.workspace.take(bench.path("dir"), content, into: bench.store)
        for (path, text) in ["a": "1", "b/c": "2", "b/d": "1"] {
          #expect(try bench.folder.text(of: "dir/" + path) == text)
          #expect(bench.object(text).map { $0.mode & 0o777 } == 0o444)
          if kind == .hardlink { #expect(bench.own("dir/" + path)?.inode == bench.object(text)?.inode) }
          if kind == .symlink { #expect(bench.own("dir/" + path)?.kind == .link) }
        }
        #expect(bench.own("dir/run")?.links == 1 && bench.own("dir/run")?.isExecutable == true)
        #expect(bench.own("dir/empty")?.links == 1)
        #expect(bench.own("dir/empty")?.kind == (kind == .symlink ? .link : .file))
        #expect(try bench.workspace.content(of: bench.path("dir")).digest == content.digest)
      }
      #expect(try bench.store.containsAll(of: #require(content.digest)))
      #expect(try AtomicFile.list(bench.folder.path + "/dir") == ["a", "b", "empty", "run"])
    }
  }

  /// A name that is made beside the data is what a kill would leave there, to be taken for data the next time.
  @Test(arguments: [LinkKind.hardlink, .symlink])
  func `no other name appears among the data, neither then nor when they become files again`(_ kind: LinkKind) throws {
    try withBench([kind]) { bench in
      try bench.folder.write("1", to: "dir/a")
      let content = try bench.workspace.content(of: bench.path("dir"))
      let events = inotify_init1(Int32(IN_NONBLOCK))
      defer { close(events) }
      #expect(inotify_add_watch(events, bench.folder.path + "/dir", UInt32(IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO)) >= 0)
      // What was not hashed before is copied, and the file then gives way to a link.
      try bench.store.insert(Array("1".utf8), as: Digest.of("1", .md5))
      try bench.workspace.take(bench.path("dir"), content, into: bench.store)
      try bench.workspace.unprotect(bench.path("dir"))
      #expect(bench.own("dir/a")?.links == 1 && bench.own("dir/a")?.kind == .file)
      // Events that are alike are told once.
      #expect(Set(masks(events)) == [UInt32(IN_MOVED_TO)])
    }
  }

  @Test func `leaves a file alone that changed since it was looked at`() throws {
    try withBench([.hardlink]) { bench in
      try bench.folder.write("1", to: "file")
      let content = try bench.workspace.content(of: bench.path("file"))
      try bench.folder.write("other", to: "file")
      #expect(throws: StoreError.self) { try bench.workspace.take(bench.path("file"), content, into: bench.store) }
      #expect(try bench.folder.text(of: "file") == "other")
      #expect(bench.own("file")?.links == 1)
      #expect(try bench.store.list() == [])
    }
  }

  @Test func `leaves the files alone when copies are wanted`() throws {
    try withBench([.reflink, .copy]) { bench in
      try bench.folder.write("1", to: "file")
      let before = bench.own("file")
      try bench.workspace.take(bench.path("file"), bench.workspace.content(of: bench.path("file")), into: bench.store)
      #expect(bench.own("file") == before)
      #expect(try bench.store.bytes(of: Digest.of("1", .md5)) == [49])
    }
  }
}

@Suite struct `Unprotecting` {
  @Test(arguments: [LinkKind.hardlink, .symlink])
  func `makes links writable files of their own`(_ kind: LinkKind) throws {
    try withBench([kind]) { bench in
      let tree = try bench.keep(["a": "1", "b/c": "2"])
      try bench.workspace.put(tree, at: bench.path("dir"), from: bench.store)
      try bench.workspace.unprotect(bench.path("dir"))
      try bench.folder.write("changed", to: "dir/b/c")
      #expect(bench.own("dir/a").map { $0.mode & 0o777 } == 0o644)
      #expect(bench.own("dir/a")?.kind == .file && bench.own("dir/a")?.links == 1)
      #expect(try bench.store.bytes(of: Digest.of("2", .md5)) == [50])
      #expect(try AtomicFile.list(bench.folder.path + "/dir/b") == ["c"])
    }
  }

  @Test func `does not go through a link to a folder, and says when there is nothing`() throws {
    try withBench([.copy]) { bench in
      try bench.folder.write("1", to: "other/file")
      #expect(chmod(bench.folder.path + "/other/file", 0o444) == 0)
      try FileManager.default.createSymbolicLink(atPath: bench.folder.path + "/link", withDestinationPath: "other")
      try bench.workspace.unprotect(bench.path("link"))
      #expect(bench.own("other/file").map { $0.mode & 0o777 } == 0o444)
      #expect(throws: StoreError.system("look at", path: bench.folder.path + "/none", code: ENOENT)) {
        try bench.workspace.unprotect(bench.path("none"))
      }
    }
  }
}
