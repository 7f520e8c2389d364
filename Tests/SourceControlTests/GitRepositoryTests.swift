// Opening a repository, its names and its files.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import SourceControl
import TestSupport
import Testing

@Suite struct GitRepositoryTests {
  private func open(_ folder: URL) throws -> GitRepository { try #require(try GitRepository.open(at: folder.path)) }

  @Test func `outside git there is no repository`() throws {
    try withTemporaryDirectory { folder in
      let found = try GitRepository.open(at: folder.path)
      let nowhere = try GitRepository.open(at: folder.path + "/nothing/here")
      #expect(found == nil)
      #expect(nowhere == nil)
    }
  }

  @Test func `a folder deep inside finds the repository around it`() throws {
    try withTemporaryDirectory { folder in
      _ = try TestRepository(in: folder)
      try folder.write("", to: "a/b/c")
      let found = try open(folder.appendingPathComponent("a/b"))
      #expect(found.topLevel == folder.path)
      #expect(found.path(below: folder.path + "/a/b") == "a/b")
      #expect(found.path(below: folder.path) == "")
      #expect(found.path(below: "/") == nil)
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give a folder away"))
  func `a repository of another user is refused with the way out`() throws {
    try withTemporaryDirectory { folder in
      _ = try TestRepository(in: folder)
      try FileManager.default.setAttributes([.ownerAccountID: 65534], ofItemAtPath: folder.path)
      try FileManager.default.setAttributes([.ownerAccountID: 65534], ofItemAtPath: folder.path + "/.git")
      #expect(throws: GitError.notOwned(folder: folder.path)) { try GitRepository.open(at: folder.path) }
      let words = GitError.notOwned(folder: "/p").diagnostic
      #expect(words.exitCode == 4)
      #expect(words.hints == ["if you trust it: `git config --global --add safe.directory <its top folder>`"])
    }
  }

  @Test func `a repository in a format from the future is named as such`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try repository.git("config", "core.repositoryFormatVersion", "1")
      try repository.git("config", "extensions.novelty", "true")
      let error = #expect(throws: GitError.self) { try GitRepository.open(at: folder.path) }
      let message = error?.diagnostic.message ?? ""
      #expect(message == "the Git repository around `\(folder.path)` is in a format that libgit2 does not read")
    }
  }

  @Test func `revisions mean what git rev-parse says`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      let first = try repository.commitAll("one")
      let second = try repository.commitAll("two")
      try repository.git("tag", "--annotate", "v1", "--message", "t", first)
      let found = try open(folder)
      for revision in ["HEAD", "HEAD~1", "main", "v1", String(first.prefix(9)), second] {
        #expect(try found.resolve(revision).hex == (try repository.git("rev-parse", revision + "^{commit}")))
      }
      #expect(try found.resolve("v1").hex == first)
      for unknown in ["nope", "HEAD~9", "", "main:"] {
        #expect(throws: GitError.unknownRevision(unknown)) { try found.resolve(unknown) }
      }
    }
  }

  @Test func `a file at a revision is what git show gives, and nil when it was not there`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try folder.write("one\r\n", to: "d/a")
      try repository.commitAll()
      try folder.write("two", to: "d/a")
      try repository.commitAll()
      let found = try open(folder)
      #expect(try found.fileContents(at: "d/a", revision: "HEAD~1") == Array("one\r\n".utf8))
      #expect(try found.fileContents(at: "d/a", revision: "HEAD") == Array("two".utf8))
      #expect(try found.fileContents(at: "d/b", revision: "HEAD") == nil)
      #expect(throws: GitError.notAFile(path: "d", revision: "HEAD")) { try found.fileContents(at: "d", revision: "HEAD") }
    }
  }

  @Test func `changed paths are those of git diff --name-only`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      for name in ["a", "b", "c/d"] { try folder.write(name, to: name) }
      try repository.commitAll()
      try folder.write("x", to: "b")
      try repository.git("mv", "c/d", "e")
      try repository.commitAll()
      #expect(try open(folder).changedPaths(from: "HEAD~1", to: "HEAD") == ["b", "c/d", "e"])
    }
  }

  @Test func `tracked and ignored are told as git tells them`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try folder.write("/data/\n*.bin\n", to: ".gitignore")
      try folder.write("x", to: "src/a")
      try repository.commitAll()
      try folder.write("x", to: "untracked")
      let found = try open(folder)
      for path in ["src/a", "src", "src/"] { #expect(try found.isTracked(path), "\(path)") }
      for path in ["untracked", "sr", "src/b", "data"] { #expect(try !found.isTracked(path), "\(path)") }
      #expect(try found.tracked(["src", "src/a", "src/b", "sr"]) == ["src", "src/a"])
      for path in ["data/", "data/x", "m/model.bin"] { #expect(try found.isIgnored(path), "\(path)") }
      for path in ["src/a", "untracked"] { #expect(try !found.isIgnored(path), "\(path)") }
    }
  }

  @Test func `a file added while the handle is open is seen as tracked`() throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      let found = try open(folder)
      #expect(try !found.isTracked("a"))
      try folder.write("x", to: "a")
      try repository.git("add", "a")
      #expect(try found.isTracked("a"))
    }
  }

  @Test(arguments: [
    ("https://user:secret@example.org/a/b.git", "https://example.org/a/b.git"),
    ("https://token@example.org:8443/a.git?private_token=x#y", "https://example.org:8443/a.git"),
    ("https://us:p@ss@example.org/a", "https://example.org/a"),
    ("https://user:pa/ss@example.org/a", nil),
    ("ssh://git:secret@example.org:22/a", "ssh://git@example.org:22/a"),
    ("git@example.org:a/b.git", "git@example.org:a/b.git"),
    ("https://example.org/@scope/a", "https://example.org/@scope/a"),
    ("http://[::1]:80/a", "http://[::1]:80/a"), ("http://u@[::1]/a", "http://[::1]/a"),
    ("/srv/git/a.git", "/srv/git/a.git"), ("file:///srv/a@b", "file:///srv/a@b"),
  ])
  func `the remote is written down without credentials`(_ url: String, _ shown: String?) throws {
    try withTemporaryDirectory { folder in
      let repository = try TestRepository(in: folder)
      try repository.git("remote", "add", "origin", url)
      #expect(try open(folder).remoteURL() == shown)
    }
  }
}
