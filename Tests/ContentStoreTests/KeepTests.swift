// Looking at files and keeping them in one pass, what is left out of it, and what is remembered of it.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Foundation
import TestSupport
import Testing

private struct Bench {
  let folder: URL
  let parent: URL
  let store: DirectoryObjectStore
  let workspace: Workspace

  init(_ parent: URL, ignore: String? = nil) throws {
    self.parent = parent
    folder = parent.appendingPathComponent("project")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    if let ignore { try folder.write(ignore, to: ".dvcignore") }
    store = DirectoryObjectStore(root: parent.path + "/cache", layout: .dvc)
    workspace = Workspace(
      root: folder.path, statCacheFile: parent.path + "/stat", algorithm: .md5, ignore: IgnoreRules(root: folder.path))
  }

  func path(_ text: String) throws -> WorkspacePath { try #require(WorkspacePath(text)) }

  func paths(in content: Content) -> [String] {
    guard case .directory(let tree, _) = content else { return [] }
    return tree.entries.map(\.path)
  }

  /// Everything below the store's folder that is a file.
  var stored: [String] {
    (FileManager.default.subpaths(atPath: store.root) ?? []).filter { FileStat(store.root + "/" + $0)?.kind == .file }.sorted()
  }

  /// Another workspace over the same files and the same cache file, as the next run has it.
  func again() -> Workspace {
    Workspace(root: folder.path, statCacheFile: parent.path + "/stat", algorithm: .md5, ignore: IgnoreRules(root: folder.path))
  }
}

private func withBench(ignore: String? = nil, _ body: (Bench) throws -> Void) throws {
  try withTemporaryDirectory { (folder: URL) in try body(Bench(folder, ignore: ignore)) }
}

@Suite struct `Keeping a directory` {
  @Test func `keeps its files and then its list, each once and nothing else`() throws {
    try withBench { bench in
      try bench.folder.write("abc", to: "data/a")
      try bench.folder.write("abc", to: "data/b/same")
      try bench.folder.write("", to: "data/b/empty")
      let content = try bench.workspace.keep(bench.path("data"), into: bench.store)
      #expect(bench.paths(in: content) == ["a", "b/empty", "b/same"])
      #expect(
        bench.stored == [
          "files/md5/90/0150983cd24fb0d6963f7d28e17f72", "files/md5/99/b3a2b6399700259128692d26cfcb40.dir",
          "files/md5/d4/1d8cd98f00b204e9800998ecf8427e",
        ])
      #expect(content.digest?.hex == "99b3a2b6399700259128692d26cfcb40.dir")
    }
  }

  @Test func `of many files in one folder keeps them all`() throws {
    try withBench { bench in
      for number in 0..<1500 { try bench.folder.write("\(number)", to: "data/f\(number)") }
      let content = try bench.workspace.keep(bench.path("data"), into: bench.store)
      #expect(bench.paths(in: content).count == 1500)
      #expect(try bench.store.missing(among: (0..<1500).map { Digest.of("\($0)", .md5) }) == [])
      #expect(bench.stored.count == 1501)
    }
  }

  @Test func `mends an object that is damaged and may be written`() throws {
    try withBench { bench in
      try bench.folder.write("abc", to: "data/a")
      let object = bench.store.path(of: Digest.of("abc", .md5))
      try bench.parent.write("abd", to: "cache/files/md5/90/0150983cd24fb0d6963f7d28e17f72")
      _ = try bench.workspace.keep(bench.path("data"), into: bench.store)
      #expect(try bench.store.bytes(of: Digest.of("abc", .md5)) == Array("abc".utf8))
      #expect(FileStat(object).map { $0.mode & 0o7777 } == 0o444)
    }
  }

  @Test func `puts an object in the place of a planted link, and leaves alone what the link leads to`() throws {
    try withBench { bench in
      try bench.folder.write("abc", to: "data/a")
      try bench.parent.write("precious", to: "victim")
      let object = bench.store.path(of: Digest.of("abc", .md5))
      try FileManager.default.createDirectory(
        atPath: (object as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(atPath: object, withDestinationPath: bench.parent.path + "/victim")
      _ = try bench.workspace.keep(bench.path("data"), into: bench.store)
      #expect(FileStat(object, followingLinks: false)?.kind == .file)
      #expect(try bench.parent.text(of: "victim") == "precious")
    }
  }

  @Test func `with large files among the small ones names each by its own bytes`() throws {
    try withBench { bench in
      let sizes = [0, 1, 131_072, 131_073, 262_144, 262_145, 8 << 20, (8 << 20) + 1, 13_000_000]
      for size in sizes {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &+ size) }
        try FileManager.default.createDirectory(atPath: bench.folder.path + "/data", withIntermediateDirectories: true)
        try Data(bytes).write(to: bench.folder.appendingPathComponent("data/\(size)"))
      }
      guard case .directory(let tree, _) = try bench.workspace.keep(bench.path("data"), into: bench.store) else {
        Issue.record("not a directory")
        return
      }
      for entry in tree.entries {
        // `bytes(of:)` hashes what it read, in one go.
        #expect(try bench.store.bytes(of: entry.digest).count == Int(entry.path), "\(entry.path)")
        #expect(entry.size == Int(entry.path))
      }
    }
  }

  @Test func `with a pipe in it says so and does not wait`() throws {
    try withBench { bench in
      try bench.folder.write("abc", to: "data/a")
      #expect(mkfifo(bench.folder.path + "/data/b", 0o644) == 0)
      #expect(throws: StoreError.specialFile(path: bench.folder.path + "/data/b")) {
        try bench.workspace.keep(bench.path("data"), into: bench.store)
      }
    }
  }
}

@Suite struct `Keeping a file` {
  @Test(arguments: [0, 1, 262_145, (8 << 20) + 1])
  func `names its copy by its bytes, and the next look learns nothing`(_ size: Int) throws {
    try withBench { bench in
      let bytes = [UInt8](repeating: 7, count: size)
      try FileManager.default.createDirectory(atPath: bench.folder.path, withIntermediateDirectories: true)
      let file = bench.folder.appendingPathComponent("f")
      try Data(bytes).write(to: file)
      let long = Date(timeIntervalSinceNow: -100)
      try FileManager.default.setAttributes([.modificationDate: long], ofItemAtPath: file.path)
      usleep(50_000)
      let content = try bench.workspace.keep(bench.path("f"), into: bench.store)
      let digest = try #require(content.digest)
      #expect(content == .file(digest, size: size, isExecutable: false))
      #expect(try bench.store.bytes(of: digest) == bytes)
      #expect(FileStat(bench.store.path(of: digest)).map { $0.mode & 0o7777 } == 0o444)
      try bench.workspace.saveStatCache()
      let before = FileStat(bench.parent.path + "/stat")
      let next = bench.again()
      #expect(try next.keep(bench.path("f"), into: bench.store) == content)
      try next.saveStatCache()
      #expect(FileStat(bench.parent.path + "/stat") == before, "nothing was learned")
    }
  }

  @Test func `that is known gives the store what it lacks`() throws {
    try withBench { bench in
      try bench.folder.write("abc", to: "f")
      let digest = try #require(try bench.workspace.keep(bench.path("f"), into: bench.store).digest)
      try bench.store.remove(digest)
      #expect(try bench.workspace.keep(bench.path("f"), into: bench.store).digest == digest)
      #expect(try bench.store.bytes(of: digest) == Array("abc".utf8))
    }
  }

  @Test func `that is a pipe says so and does not wait`() throws {
    try withBench { bench in
      try FileManager.default.createDirectory(atPath: bench.folder.path, withIntermediateDirectories: true)
      #expect(mkfifo(bench.folder.path + "/f", 0o644) == 0)
      #expect(throws: StoreError.specialFile(path: bench.folder.path + "/f")) {
        try bench.workspace.keep(bench.path("f"), into: bench.store)
      }
    }
  }
}

@Suite struct `What was put out of a store` {
  @Test(arguments: [LinkKind.copy, .hardlink])
  func `is known to the next look, which reads nothing`(_ kind: LinkKind) throws {
    try withBench { bench in
      for name in ["data/a", "data/b/c.d", "data/b/c/d", "data/b/e"] { try bench.folder.write(name, to: name) }
      let digest = try #require(try bench.workspace.keep(bench.path("data"), into: bench.store).digest)
      try bench.workspace.remove(bench.path("data"))
      try bench.workspace.put(digest, at: bench.path("data"), from: bench.store, links: [kind])
      try bench.workspace.saveStatCache()
      let next = bench.again()
      #expect(try next.content(of: bench.path("data")).digest == digest)
      let before = FileStat(bench.parent.path + "/stat")
      try next.saveStatCache()
      #expect(FileStat(bench.parent.path + "/stat") == before, "nothing was learned")
    }
  }

  @Test func `is hashed again when a file changes, and only its folder's list differs`() throws {
    try withBench { bench in
      try bench.folder.write("1", to: "data/a")
      try bench.folder.write("2", to: "data/b/c")
      let digest = try #require(try bench.workspace.keep(bench.path("data"), into: bench.store).digest)
      try bench.workspace.remove(bench.path("data"))
      try bench.workspace.put(digest, at: bench.path("data"), from: bench.store)
      try bench.workspace.saveStatCache()
      try bench.folder.write("3", to: "data/b/c")
      guard case .directory(let tree, let now) = try bench.again().content(of: bench.path("data")) else {
        Issue.record("not a directory")
        return
      }
      #expect(now != digest)
      #expect(tree.entries.map(\.digest) == [Digest.of("1", .md5), Digest.of("3", .md5)])
    }
  }

  @Test func `takes the place of another directory, of which nothing is remembered`() throws {
    try withBench { bench in
      try bench.folder.write("1", to: "data/a")
      let first = try #require(try bench.workspace.keep(bench.path("data"), into: bench.store).digest)
      try bench.workspace.remove(bench.path("data"))
      try bench.folder.write("2", to: "data/old/b")
      let second = try #require(try bench.workspace.keep(bench.path("data"), into: bench.store).digest)
      try bench.workspace.put(first, at: bench.path("data"), from: bench.store)
      #expect(try bench.workspace.content(of: bench.path("data")).digest == first)
      try bench.folder.write("2", to: "data/old/b")
      try FileManager.default.removeItem(at: bench.folder.appendingPathComponent("data/a"))
      #expect(try bench.workspace.content(of: bench.path("data")).digest == second)
    }
  }
}

@Suite struct `Ignored files` {
  @Test func `are neither looked at nor kept`() throws {
    try withBench(ignore: "*.tmp\n/data/cache/\n!keep.tmp\n") { bench in
      for name in ["a", "b.tmp", "keep.tmp", "cache/x", "sub/cache/y", "sub/z.tmp"] {
        try bench.folder.write(name, to: "data/\(name)")
      }
      let content = try bench.workspace.keep(bench.path("data"), into: bench.store)
      #expect(bench.paths(in: content) == ["a", "keep.tmp", "sub/cache/y"])
      #expect(bench.stored.count == 4)
      #expect(try bench.again().content(of: bench.path("data")) == content)
    }
  }

  @Test func `of a folder that is a project of its own are left out with it`() throws {
    try withBench { bench in
      try bench.folder.write("1", to: "data/a")
      try bench.folder.write("2", to: "data/inner/.dvc/config")
      try bench.folder.write("3", to: "data/inner/b")
      try bench.folder.write("4", to: "data/.git/HEAD")
      #expect(bench.paths(in: try bench.workspace.content(of: bench.path("data"))) == ["a"])
    }
  }

  @Test func `cannot be named from inside a directory that is kept as a whole`() throws {
    try withBench { bench in
      try bench.folder.write("1", to: "data/a")
      try bench.folder.write("a\n", to: "data/sub/.dvcignore")
      #expect(throws: StoreError.self) { try bench.workspace.keep(bench.path("data"), into: bench.store) }
    }
  }
}

@Suite struct `Files that match a pattern` {
  @Test func `are found in all folders, sorted by their paths, without what is ignored`() throws {
    try withBench(ignore: "skipped\n") { bench in
      for name in ["data/b.csv", "data/a.csv", "data/x/c.csv", "data/x.csv", "data/c.txt", "data/skipped/d.csv", "other/e.csv"] {
        try bench.folder.write(name, to: name)
      }
      let all = try #require(PathPattern("data/**/*.csv", in: nil))
      #expect(
        try bench.workspace.files(matching: all).map(\.text) == ["data/a.csv", "data/b.csv", "data/x.csv", "data/x/c.csv"])
      let flat = try #require(PathPattern("data/*.csv", in: nil))
      #expect(try bench.workspace.files(matching: flat).map(\.text) == ["data/a.csv", "data/b.csv", "data/x.csv"])
      let none = try #require(PathPattern("nowhere/*.csv", in: nil))
      #expect(try bench.workspace.files(matching: none) == [])
    }
  }

  @Test func `are one tree with their paths from the root`() throws {
    try withBench { bench in
      try bench.folder.write("1", to: "data/a.csv")
      try bench.folder.write("2", to: "data/b/c.csv")
      let pattern = try #require(PathPattern("data/**/*.csv", in: nil))
      let content = try bench.workspace.content(matching: pattern)
      #expect(bench.paths(in: content) == ["data/a.csv", "data/b/c.csv"])
      #expect(
        content.digest
          == FileTree([
            FileTree.Entry(path: "data/a.csv", digest: Digest.of("1", .md5), size: 1, isExecutable: false),
            FileTree.Entry(path: "data/b/c.csv", digest: Digest.of("2", .md5), size: 1, isExecutable: false),
          ]).digest(.md5))
    }
  }

  @Test func `are not those behind a link to a folder`() throws {
    try withBench { bench in
      try bench.parent.write("1", to: "outside/a.csv")
      try bench.folder.write("2", to: "data/b.csv")
      try FileManager.default.createSymbolicLink(
        atPath: bench.folder.path + "/data/out", withDestinationPath: bench.parent.path + "/outside")
      let pattern = try #require(PathPattern("data/**/*.csv", in: nil))
      #expect(try bench.workspace.files(matching: pattern).map(\.text) == ["data/b.csv"])
    }
  }
}
