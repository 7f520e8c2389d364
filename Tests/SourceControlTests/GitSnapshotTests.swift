// What a snapshot says, against what git says.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import SourceControl
import TestSupport
import Testing

@Suite struct GitSnapshotTests {
  private func snapshot(_ folder: URL, ignoring: [String] = []) throws -> GitSnapshot {
    try #require(try GitRepository.open(at: folder.path)).snapshot(below: folder.path, ignoring: ignoring)
  }

  @Test func `a clean tree has a commit, a branch and nothing dirty`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try folder.write("1", to: "a.txt")
      let commit = try repository.commitAll()
      #expect(
        try snapshot(folder) == GitSnapshot(commit: commit, branch: "main", remote: nil, dirtyPaths: [], diffDigest: nil))
    }
  }

  @Test func `before the first commit there is a branch and no commit`() throws {
    try withTemporaryDirectory { folder in
      _ = try TestRepository(in: folder)
      try folder.write("1", to: "a.txt")
      let found = try snapshot(folder)
      #expect(found.commit == nil)
      #expect(found.branch == "main")
      #expect(found.dirtyPaths == ["a.txt"])
    }
  }

  @Test func `a file whose digest is known is not read, and the digest of the diff is the same`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try repository.commitAll()
      try folder.write("1", to: "known.txt")
      try folder.write("2", to: "sub/other.txt")
      let read = try snapshot(folder)
      // SHA-256 of `1`.
      let digest = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
      let opened = try #require(try GitRepository.open(at: folder.path))
      var asked: [String] = []
      let told = try opened.snapshot(below: folder.path) { path in
        asked.append(path)
        return path == "known.txt" ? digest : nil
      }
      #expect(asked == ["known.txt", "sub/other.txt"])
      #expect(told.diffDigest == read.diffDigest)
      let lied = try opened.snapshot(below: folder.path) { _ in "0" }
      #expect(lied.diffDigest != read.diffDigest)
    }
  }

  @Test func `a detached head has no branch`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try repository.commitAll()
      try repository.git("checkout", "--quiet", "--detach")
      #expect(try snapshot(folder).branch == nil)
    }
  }

  @Test func `every kind of change that git status lists is listed`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      for name in ["changed", "deleted", "staged", "unindexed", "chmod", "staged then reverted", "moved"] {
        try folder.write("old \(name)", to: name)
      }
      try folder.write("*.log\n", to: ".gitignore")
      try repository.commitAll()
      try folder.write("new", to: "changed")
      try FileManager.default.removeItem(at: folder.appendingPathComponent("deleted"))
      try folder.write("new", to: "staged")
      try repository.git("add", "staged")
      try repository.git("rm", "--quiet", "--cached", "unindexed")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path + "/chmod")
      try folder.write("new", to: "staged then reverted")
      try repository.git("add", "staged then reverted")
      try folder.write("old staged then reverted", to: "staged then reverted")
      try repository.git("mv", "moved", "moved to")
      try folder.write("x", to: "new/deep/file")
      try folder.write("x", to: "new/ignored.log")
      try folder.write("x", to: "Ünïcode \"name\"\n")
      let expected = [
        "changed", "chmod", "deleted", "moved", "moved to", "new/deep/file", "staged", "staged then reverted", "unindexed",
        "Ünïcode \"name\"\n",
      ]
      #expect(try snapshot(folder).dirtyPaths == expected)
      #expect(try repository.statusPaths() == expected)
    }
  }

  @Test func `paths are those below the project, relative to it, without the ignored prefixes`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try folder.write("1", to: "project/pipeline.yaml")
      try repository.commitAll()
      for path in ["outside", "project2/x", "project/a", "project/data/raw/x", "project/data2", "project/.pipe/runs/r.json"] {
        try folder.write("x", to: path)
      }
      let project = folder.appendingPathComponent("project")
      #expect(try snapshot(project, ignoring: ["data", ".pipe/"]).dirtyPaths == ["a", "data2"])
    }
  }

  // printf 'pipe.diff/1\nM 100644 sha256:%s a.txt\0D 000000 - gone\0A 120000 sha256:%s link\0A 100755 sha256:%s run.sh\0' \
  //   $(printf new | sha256sum) … | sha256sum
  @Test func `the diff digest is that of the documented records`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try folder.write("old", to: "a.txt")
      try folder.write("old", to: "gone")
      try repository.commitAll()
      try folder.write("new", to: "a.txt")
      try FileManager.default.removeItem(at: folder.appendingPathComponent("gone"))
      try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: "a.txt")
      try folder.write("true", to: "run.sh")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path + "/run.sh")
      let found = try snapshot(folder)
      #expect(found.dirtyPaths == ["a.txt", "gone", "link", "run.sh"])
      #expect(found.diffDigest == "sha256:4cca705fc020d0742ea40c1fb00e6ad97672fa78e717c051d8a92582e78fea9a")
    }
  }

  @Test func `the diff digest changes with a byte and comes back with it`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try repository.commitAll()
      try folder.write("1", to: "a")
      let first = try snapshot(folder).diffDigest
      try folder.write("2", to: "a")
      let second = try snapshot(folder).diffDigest
      try folder.write("1", to: "a")
      #expect(first != nil)
      #expect(first != second)
      #expect(try snapshot(folder).diffDigest == first)
    }
  }

  @Test func `a name that is no UTF-8 is listed with a mark and read by its bytes`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try repository.commitAll()
      let name = Array(folder.path.utf8) + Array("/a".utf8) + [0xFF, 0]
      func write(_ text: String) {
        let stream = name.withUnsafeBufferPointer { bytes in
          bytes.withMemoryRebound(to: CChar.self) { $0.baseAddress.flatMap { fopen($0, "w") } }
        }
        if let stream {
          fputs(text, stream)
          fclose(stream)
        }
      }
      write("1")
      let first = try snapshot(folder)
      #expect(first.dirtyPaths == ["a\u{FFFD}"])
      write("2")
      #expect(try snapshot(folder).diffDigest != first.diffDigest)
    }
  }

  @Test func `a nested repository counts by its commit`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try repository.commitAll()
      try folder.write("x", to: "nested/x")
      let nested = try TestRepository(in: folder.appendingPathComponent("nested"))
      try nested.commitAll("one")
      let first = try snapshot(folder)
      #expect(first.dirtyPaths == ["nested/"])
      try nested.commitAll("two")
      #expect(try snapshot(folder).diffDigest != first.diffDigest)
    }
  }

  @Test func `a linked worktree has its own head`() throws {
    try withTemporaryDirectory { folder in
      let main = folder.appendingPathComponent("main")
      try FileManager.default.createDirectory(at: main, withIntermediateDirectories: true)
      let repository = try TestRepository(in: main)
      try main.write("x", to: "x")
      let commit = try repository.commitAll()
      let linked = folder.appendingPathComponent("linked")
      try repository.git("worktree", "add", "--quiet", "-b", "side", linked.path)
      try linked.write("y", to: "y")
      let found = try snapshot(linked)
      #expect(found.branch == "side")
      #expect(found.commit == commit)
      #expect(found.dirtyPaths == ["y"])
    }
  }

  @Test func `taking a snapshot leaves every file of the repository as it was`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try folder.write("1", to: "a")
      try repository.commitAll()
      try folder.write("2", to: "a")
      let before = try inodesAndTimes(below: folder)
      _ = try snapshot(folder)
      #expect(try inodesAndTimes(below: folder) == before)
    }
  }

  @Test func `a bare repository has no snapshot, and says so`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try repository.commitAll()
      try repository.git("clone", "--quiet", "--bare", ".", "bare.git")
      let bare = folder.appendingPathComponent("bare.git").path
      let handle = try #require(try GitRepository.open(at: bare))
      #expect(handle.topLevel == nil)
      #expect(throws: GitError.outsideWorktree(folder: bare)) { try handle.snapshot(below: bare) }
    }
  }
}

/// Inode and time of change of every file below a folder.
func inodesAndTimes(below folder: URL) throws -> [String: [Int]] {
  var found: [String: [Int]] = [:]
  for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
    var facts = stat()
    lstat(folder.path + "/" + path, &facts)
    found[path] = [Int(facts.st_ino), Int(facts.st_mtim.tv_sec), Int(facts.st_mtim.tv_nsec), Int(facts.st_size)]
  }
  return found
}
