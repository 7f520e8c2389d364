// Looking at files, keeping them, and putting them back.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Foundation
import TestSupport
import Testing

/// A workspace in a folder, with a store and a folder outside it.
private struct Bench {
  let folder: URL
  let outside: URL
  let workspace: Workspace
  let store: DirectoryObjectStore

  init(_ parent: URL) throws {
    folder = parent.appendingPathComponent("project")
    outside = parent.appendingPathComponent("outside")
    for made in [folder, outside] { try FileManager.default.createDirectory(at: made, withIntermediateDirectories: true) }
    workspace = Workspace(root: folder.path, statCacheFile: parent.path + "/stat")
    store = DirectoryObjectStore(root: parent.path + "/store")
  }

  func content(_ path: String) throws -> Content { try workspace.content(of: WorkspacePath.named(path)) }

  func put(_ digest: Digest, _ path: String, isExecutable: Bool = false) throws {
    try workspace.put(digest, at: WorkspacePath.named(path), isExecutable: isExecutable, from: store)
  }

  func link(_ path: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/" + path, withDestinationPath: target)
  }

  /// Paths below the project, files and folders.
  var everything: [String] { (FileManager.default.subpaths(atPath: folder.path) ?? []).sorted() }
}

extension WorkspacePath {
  fileprivate static func named(_ text: String) throws -> WorkspacePath { try #require(WorkspacePath(text)) }
}

private func withBench(_ body: (Bench) throws -> Void) throws {
  try withTemporaryDirectory { (folder: URL) in try body(Bench(folder)) }
}

@Suite struct `The content of a path` {
  @Test func `is missing, a file or a directory`() throws {
    try withBench { bench in
      #expect(try bench.content("none") == .missing)
      #expect(try bench.content("none/below") == .missing)
      try bench.folder.write("abc", to: "file")
      #expect(try bench.content("file") == .file(Digest.of("abc"), size: 3, isExecutable: false))
      #expect(try bench.content("file/below") == .missing)
      #expect(chmod(bench.folder.path + "/file", 0o755) == 0)
      #expect(try bench.content("file") == .file(Digest.of("abc"), size: 3, isExecutable: true))
      try bench.folder.write("x", to: "dir/b/c")
      try bench.folder.write("abc", to: "dir/a")
      try FileManager.default.createDirectory(atPath: bench.folder.path + "/dir/empty", withIntermediateDirectories: true)
      let tree = FileTree([
        FileTree.Entry(path: "a", digest: Digest.of("abc"), size: 3, isExecutable: false),
        FileTree.Entry(path: "b/c", digest: Digest.of("x"), size: 1, isExecutable: false),
      ])
      #expect(try bench.content("dir") == .directory(tree, tree.digest))
      #expect(try bench.content("dir").size == 4)
      #expect(bench.workspace.exists(try .named("dir/empty")))
    }
  }

  @Test func `of a link is that of the file it leads to, and nothing when it leads nowhere`() throws {
    try withBench { bench in
      try bench.folder.write("abc", to: "file")
      try bench.folder.write("x", to: "dir/a")
      try bench.link("link", to: "file")
      try bench.link("dangling", to: "none")
      try bench.link("dir/link", to: "../file")
      #expect(try bench.content("link").digest == Digest.of("abc"))
      #expect(try bench.content("dangling") == .missing)
      guard case .directory(let tree, _) = try bench.content("dir") else {
        Issue.record("not a directory")
        return
      }
      #expect(tree.entries.map(\.path) == ["a", "link"])
    }
  }

  @Test func `is refused for what cannot be kept`() throws {
    try withBench { bench in
      let root = bench.folder.path
      try bench.folder.write("x", to: "dir/a")
      #expect(mkfifo(root + "/dir/fifo", 0o666) == 0)
      #expect(throws: StoreError.specialFile(path: root + "/dir/fifo")) { try bench.content("dir/fifo") }
      #expect(throws: StoreError.specialFile(path: root + "/dir/fifo")) { try bench.content("dir") }
      try AtomicFile.removeAll(root + "/dir/fifo")
      try bench.link("dir/circle", to: ".")
      #expect(throws: StoreError.specialFile(path: root + "/dir/circle")) { try bench.content("dir") }
      try AtomicFile.removeAll(root + "/dir/circle")
      try bench.link("dir/dangling", to: "none")
      // A look passes over what is not there; it cannot be kept.
      guard case .directory(let tree, _) = try bench.content("dir") else { throw StoreError.specialFile(path: "dir") }
      #expect(tree.entries.map(\.path) == ["a"])
      let refusal = StoreError.system("follow the link", path: root + "/dir/dangling", code: ENOENT)
      #expect(throws: refusal) {
        _ = try bench.workspace.keep(WorkspacePath.named("dir"), into: bench.store)
      }
    }
  }
}

@Suite struct `Putting an object at a path` {
  @Test func `makes a file with the folders above it`() throws {
    try withBench { bench in
      let digest = try bench.store.keep("abc")
      try bench.put(digest, "a/b/file")
      #expect(try bench.folder.text(of: "a/b/file") == "abc")
      #expect(bench.everything == ["a", "a/b", "a/b/file"])
      #expect(try bench.content("a/b/file") == .file(digest, size: 3, isExecutable: false))
    }
  }

  @Test func `sets the executable bit, in trees too`() throws {
    try withBench { bench in
      try bench.put(try bench.store.keep("abc"), "tool", isExecutable: true)
      #expect(FileStat(bench.folder.path + "/tool")?.isExecutable == true)
      try bench.put(try bench.store.keep("abc"), "tool")
      #expect(FileStat(bench.folder.path + "/tool")?.isExecutable == false)
      let tree = try bench.store.keepTree(["run.sh": "x", "data": "y"])
      try bench.put(tree, "dir")
      #expect(FileStat(bench.folder.path + "/dir/run.sh")?.isExecutable == true)
      #expect(FileStat(bench.folder.path + "/dir/data")?.isExecutable == false)
      #expect(try bench.content("dir").digest == tree)
    }
  }

  @Test func `replaces files and directories by one another`() throws {
    try withBench { bench in
      let file = try bench.store.keep("abc")
      let tree = try bench.store.keepTree(["a": "x", "b/c": "y"])
      let other = try bench.store.keepTree(["b": "x"])
      let empty = try bench.store.keepTree([:])
      for digest in [file, tree, other, file, empty, tree, empty, other, tree, file] {
        try bench.put(digest, "out")
        #expect(try bench.content("out").digest == digest)
      }
      #expect(bench.everything == ["out"])
    }
  }

  @Test func `replaces a link and leaves what it leads to alone`() throws {
    try withBench { bench in
      try bench.outside.write("precious", to: "dir/file")
      let file = try bench.store.keep("abc")
      let tree = try bench.store.keepTree(["file": "x"])
      for (target, digest) in [("dir/file", file), ("dir", file), ("dir/file", tree), ("dir", tree)] {
        try AtomicFile.removeAll(bench.folder.path + "/out")
        try bench.link("out", to: bench.outside.path + "/" + target)
        try bench.put(digest, "out")
        #expect(try bench.content("out").digest == digest)
        #expect(FileStat(bench.folder.path + "/out", followingLinks: false)?.kind != .link)
      }
      #expect(try bench.outside.text(of: "dir/file") == "precious")
    }
  }

  @Test func `that is missing or damaged leaves what was there and no temporary file`() throws {
    try withBench { bench in
      try bench.folder.write("old", to: "file")
      try bench.folder.write("old", to: "dir/a")
      let missing = Digest.of("missing")
      let damaged = Digest.of("damaged")
      try bench.store.insert([1], as: damaged)
      let halfThere = try bench.store.keepTree(["a": "x", "b": "y"])
      try bench.store.remove(Digest.of("y"))
      let hostile = Digest.of("hostile").asTree()
      try bench.store.insert(Array("pipe-tree 1\n\(Digest.of("x").hex) 1 - ../../evil\n".utf8), as: hostile)
      let lying = Array("pipe-tree 1\n\(Digest.of("x").hex) 1 - ../evil\n".utf8)
      try bench.store.insert(lying, as: Digest.of(lying).asTree())
      for digest in [missing, damaged, missing.asTree(), halfThere, hostile, Digest.of(lying).asTree()] {
        for path in ["file", "dir"] {
          #expect(throws: StoreError.self) { try bench.put(digest, path) }
        }
      }
      #expect(try bench.folder.text(of: "file") == "old")
      #expect(try bench.folder.text(of: "dir/a") == "old")
      #expect(bench.everything == ["dir", "dir/a", "file"])
      #expect(FileManager.default.subpaths(atPath: bench.outside.path) == [])
    }
  }

  @Test func `has folders that differ by bytes alone, each with its own files`() throws {
    try withBench { bench in
      // One letter with its accent, and a letter with an accent behind it: equal to Unicode, two names to the kernel.
      // A dictionary would take them for one key.
      let files = [("\u{e9}/a", "1"), ("e\u{301}/a", "2"), ("e\u{301}/b/c", "3"), ("z", "4")]
      let entries = try files.map { path, text in
        FileTree.Entry(path: path, digest: try bench.store.keep(text), size: 1, isExecutable: false)
      }
      let tree = FileTree(entries).digest
      try bench.store.insert(FileTree(entries).encoded, as: tree)
      try bench.put(tree, "out")
      #expect(try bench.content("out").digest == tree)
      #expect(try bench.folder.text(of: "out/\u{e9}/a") == "1")
      #expect(try bench.folder.text(of: "out/e\u{301}/a") == "2")
    }
  }

  @Test func `that fails at any operation leaves the old content or the new`() throws {
    let files = ["a": "1", "b/c": "2", "d": "3"]
    var failures = 0
    for n in 1... {
      var isDone = false
      try withBench { bench in
        try bench.folder.write("old", to: "out/a")
        let before = try bench.content("out")
        let tree = try bench.store.keepTree(files)
        let faulty = FaultyObjectStore(bench.store, failsAt: n)
        do {
          try bench.workspace.put(tree, at: .named("out"), from: faulty)
          isDone = true
        } catch {
          #expect(try bench.content("out") == before, "operation \(n)")
          #expect(bench.everything == ["out", "out/a"], "operation \(n)")
          failures += 1
        }
        try bench.workspace.put(tree, at: .named("out"), from: bench.store)
        #expect(try bench.content("out").digest == tree)
      }
      if isDone && failures >= 4 { break }
      if n > 100 { break }
    }
    #expect(failures == 4)
  }
}

@Suite struct `A link that leads out of the workspace` {
  @Test func `is not written through, and nothing is made behind it`() throws {
    try withBench { bench in
      let digest = try bench.store.keep("evil")
      let tree = try bench.store.keepTree(["a": "evil"])
      try bench.link("link", to: bench.outside.path)
      try bench.link("dangling", to: bench.outside.path + "/not-yet")
      try bench.link("relative", to: "../outside")
      for path in ["link/file", "link/sub/deep/file", "dangling/file", "dangling/sub/file", "relative/sub/file"] {
        for object in [digest, tree] {
          #expect(throws: StoreError.escapes(path: path)) { try bench.put(object, path) }
        }
      }
      #expect(FileManager.default.subpaths(atPath: bench.outside.path) == [])
    }
  }

  @Test func `is not removed through or moved through`() throws {
    try withBench { bench in
      try bench.outside.write("precious", to: "file")
      try bench.link("link", to: bench.outside.path)
      #expect(throws: StoreError.escapes(path: "link/file")) { try bench.workspace.remove(.named("link/file")) }
      #expect(throws: StoreError.escapes(path: "link/file")) {
        try bench.workspace.move(.named("link/file"), to: bench.folder.path + "/stolen")
      }
      #expect(try bench.outside.text(of: "file") == "precious")
      try bench.workspace.remove(.named("link"))
      #expect(try bench.outside.text(of: "file") == "precious")
      #expect(bench.everything == [])
    }
  }

  @Test func `planted inside a directory output is not written through by a tree`() throws {
    try withBench { bench in
      try bench.outside.write("precious", to: "file")
      try bench.folder.write("old", to: "out/a")
      try bench.link("out/sub", to: bench.outside.path)
      let tree = try bench.store.keepTree(["a": "new", "sub/file": "evil"])
      try bench.put(tree, "out")
      #expect(try bench.outside.text(of: "file") == "precious")
      #expect(try bench.content("out").digest == tree)
      #expect(FileStat(bench.folder.path + "/out/sub", followingLinks: false)?.kind == .directory)
    }
  }

  @Test func `is fine when it stays inside`() throws {
    try withBench { bench in
      try FileManager.default.createDirectory(atPath: bench.folder.path + "/real", withIntermediateDirectories: true)
      try bench.link("link", to: "real")
      try bench.put(try bench.store.keep("abc"), "link/sub/file")
      #expect(try bench.folder.text(of: "real/sub/file") == "abc")
      try bench.workspace.remove(.named("link/sub"))
      #expect(bench.everything == ["link", "real"])
    }
  }

  @Test func `is not a folder whose name only begins like the workspace's`() throws {
    try withBench { bench in
      let twin = bench.folder.path + "-twin"
      try FileManager.default.createDirectory(atPath: twin, withIntermediateDirectories: true)
      try bench.link("link", to: twin)
      #expect(throws: StoreError.escapes(path: "link/file")) { try bench.put(try bench.store.keep("abc"), "link/file") }
    }
  }
}

@Suite struct `Taking a path into a store` {
  @Test(arguments: StoreBody.allCases)
  func `keeps it so that it can be put back`(_ body: StoreBody) throws {
    try withTemporaryDirectory { (parent: URL) in
      let bench = try Bench(parent)
      let store = body.make(in: parent, "other")
      try bench.folder.write("abc", to: "dir/a")
      try bench.folder.write("x", to: "dir/b/new\nline\\")
      #expect(chmod(bench.folder.path + "/dir/a", 0o755) == 0)
      let path = try WorkspacePath.named("dir")
      let content = try bench.workspace.content(of: path)
      try bench.workspace.take(path, content, into: store)
      let digest = try #require(content.digest)
      #expect(try store.containsAll(of: digest))
      try bench.workspace.put(digest, at: .named("copy"), from: store)
      #expect(try bench.content("copy") == content)
      try bench.workspace.take(path, .missing, into: store)
    }
  }

  @Test func `refuses a file that changed since it was looked at, and keeps no tree of it`() throws {
    try withBench { bench in
      try bench.folder.write("abc", to: "dir/a")
      let path = try WorkspacePath.named("dir")
      let content = try bench.workspace.content(of: path)
      try bench.folder.write("changed", to: "dir/a")
      #expect(throws: StoreError.changedMeanwhile(path: bench.folder.path + "/dir/a")) {
        try bench.workspace.take(path, content, into: bench.store)
      }
      #expect(try bench.store.list() == [])
    }
  }
}

@Test func `moving takes a path elsewhere, and nothing there is fine`() throws {
  try withBench { bench in
    try bench.folder.write("abc", to: "dir/a")
    try bench.workspace.move(.named("dir"), to: bench.outside.path + "/kept")
    #expect(try bench.outside.text(of: "kept/a") == "abc")
    try bench.workspace.move(.named("dir"), to: bench.outside.path + "/kept2")
    #expect(bench.everything == [])
  }
}
