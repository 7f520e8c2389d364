// A commit written into an empty folder is what a checkout gives.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import SourceControl
import TestSupport
import Testing

@Suite struct ExportTreeTests {
  private func open(_ folder: URL) throws -> GitRepository { try #require(try GitRepository.open(at: folder.path)) }

  @Test func `an export equals a clone of the commit, and the repository stays as it was`() throws {
    try withTemporaryDirectory { folder in
      let source = folder.appendingPathComponent("source")
      try FileManager.default.createDirectory(at: source, withIntermediateDirectories: true)
      let repository = try TestRepository(in: source)
      try source.write("plain\n", to: "a.txt")
      try source.write("#!/bin/sh\n", to: "bin/run")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: source.path + "/bin/run")
      try FileManager.default.createSymbolicLink(atPath: source.path + "/bin/link", withDestinationPath: "../a.txt")
      try source.write("one\ntwo\n", to: "windows.bat")
      try source.write("*.bat text eol=crlf\n", to: ".gitattributes")
      try source.write("", to: "deep/er/empty")
      let commit = try repository.commitAll()
      try source.write("later", to: "a.txt")
      let before = try inodesAndTimes(below: source)
      let out = folder.appendingPathComponent("out")
      let result = try open(source).exportTree("HEAD", to: out.path)
      #expect(try inodesAndTimes(below: source) == before)
      #expect(result.commit.hex == commit)
      #expect(result.files == 6)
      #expect(result.outwardLinks == [])
      #expect(try out.text(of: "windows.bat") == "one\r\ntwo\r\n")
      #expect(try out.text(of: "a.txt") == "plain\n")
      try repository.git("clone", "--quiet", ".", folder.path + "/clone")
      try FileManager.default.removeItem(atPath: folder.path + "/clone/.git")
      #expect(try listing(out) == listing(folder.appendingPathComponent("clone")))
    }
  }

  @Test func `a folder with something in it is not written into`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try repository.commitAll()
      try folder.write("mine", to: "out/.hidden")
      let out = folder.path + "/out"
      #expect(throws: GitError.folderNotEmpty(out)) { try open(folder).exportTree("HEAD", to: out) }
    }
  }

  @Test func `links that lead outside are reported`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      let links = ["abs": "/etc/passwd", "up": "../x", "in": "d/../d/x", "d/fine": "../in", "d/out": "../../x"]
      try folder.write("x", to: "d/x")
      for (name, target) in links {
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/" + name, withDestinationPath: target)
      }
      try repository.commitAll()
      #expect(try open(folder).exportTree("HEAD", to: folder.path + "/o").outwardLinks == ["abs", "d/out", "up"])
    }
  }

  @Test func `a submodule is an empty folder, and named`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      let commit = try repository.commitAll()
      try repository.git("update-index", "--add", "--cacheinfo", "160000,\(commit),vendor/lib")
      try repository.git("commit", "--quiet", "--message", "m")
      #expect(try open(folder).exportTree("HEAD", to: folder.path + "/o").submodules == ["vendor/lib"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/o/vendor/lib") == [])
    }
  }

  @Test func `a bare repository can be exported from`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try folder.write("x", to: "a")
      try repository.commitAll()
      try repository.git("clone", "--quiet", "--bare", ".", "bare.git")
      _ = try open(folder.appendingPathComponent("bare.git")).exportTree("main", to: folder.path + "/o")
      #expect(try folder.text(of: "o/a") == "x")
    }
  }

  @Test(arguments: ["..", ".git", ".GIT", "."])
  func `a tree with a name that escapes is refused`(_ name: String) throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try repository.commitAll()
      try makeCommit(in: repository, entries: [("100644", name, "evil")])
      #expect(throws: GitError.self) { try open(folder).exportTree("evil", to: folder.path + "/o") }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [".git", "o", "raw"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/o") == [])
    }
  }

  @Test func `a file is never written through a link of the same tree`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try folder.write("x", to: "target/keep")
      try repository.commitAll()
      let inner = try writeTree(in: repository, entries: [("100644", "owned", "evil")])
      try makeCommit(in: repository, entries: [("120000", "a", folder.path + "/target"), ("40000", "a", inner)])
      #expect(throws: GitError.self) { try open(folder).exportTree("evil", to: folder.path + "/o") }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/target") == ["keep"])
    }
  }

  /// Path → kind, permission and content.
  private func listing(_ folder: URL) throws -> [String: String] {
    var found: [String: String] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
      let full = folder.path + "/" + path
      var facts = stat()
      lstat(full, &facts)
      let mode = String(facts.st_mode, radix: 8)
      let link = try? FileManager.default.destinationOfSymbolicLink(atPath: full)
      let content = link ?? (try? String(contentsOfFile: full, encoding: .utf8)) ?? ""
      found[path] = "\(mode) \(content)"
    }
    return found
  }

  /// Branch `evil` with one commit whose tree holds exactly these entries, checks off.
  private func makeCommit(in repository: TestRepository, entries: [(mode: String, name: String, content: String)]) throws {
    let tree = try writeTree(in: repository, entries: entries)
    let commit = try repository.git("commit-tree", tree, "-m", "evil")
    try repository.git("update-ref", "refs/heads/evil", commit)
  }

  /// A raw tree object; the content of a `40000` entry is the id of a tree.
  private func writeTree(in repository: TestRepository, entries: [(mode: String, name: String, content: String)]) throws
    -> String
  {
    let raw = repository.folder.appendingPathComponent("raw")
    var bytes = Data()
    for entry in entries {
      var id = entry.content
      if entry.mode != "40000" {
        try Data(entry.content.utf8).write(to: raw)
        id = try repository.git("hash-object", "-w", raw.path)
      }
      bytes += Data("\(entry.mode) \(entry.name)\0".utf8)
      for pair in stride(from: 0, to: 40, by: 2) {
        bytes.append(UInt8(id.dropFirst(pair).prefix(2), radix: 16) ?? 0)
      }
    }
    try bytes.write(to: raw)
    return try repository.git("hash-object", "-w", "-t", "tree", "--literally", raw.path)
  }
}
