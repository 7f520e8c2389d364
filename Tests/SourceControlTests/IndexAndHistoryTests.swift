// Staging files, and the lists of branches, tags, commits and files.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import SourceControl
import TestSupport
import Testing

@Suite struct IndexAndHistoryTests {
  private func open(_ folder: URL) throws -> GitRepository { try #require(try GitRepository.open(at: folder.path)) }

  @Test func `staged files stand in the index as they are now`() throws {
    try withTemporaryDirectory { folder in
      let git = try TestRepository(in: folder)
      try folder.write("old", to: "kept")
      try folder.write("gone", to: "gone")
      try git.commitAll()
      try folder.write("new", to: "kept")
      try folder.write("x", to: "a b/ü")
      try folder.write("y", to: "not staged")
      try FileManager.default.removeItem(at: folder.appendingPathComponent("gone"))
      try open(folder).stage(paths: ["kept", "a b/ü", "gone", "never was"])
      #expect(
        try git.git("-c", "core.quotePath=false", "status", "--porcelain") == "A  \"a b/ü\"\nD  gone\nM  kept\n?? \"not staged\"")
      #expect(try git.git("show", ":kept") == "new")
    }
  }

  @Test func `what Git ignores is staged when it is asked for`() throws {
    try withTemporaryDirectory { folder in
      let git = try TestRepository(in: folder)
      try folder.write("*.tmp\n", to: ".gitignore")
      try folder.write("x", to: "a.tmp")
      try open(folder).stage(paths: ["a.tmp"])
      #expect(try git.git("ls-files") == "a.tmp")
    }
  }

  @Test func `an index that another process holds is not changed`() throws {
    try withTemporaryDirectory { folder in
      let git = try TestRepository(in: folder)
      try folder.write("x", to: "a")
      try folder.write("", to: ".git/index.lock")
      #expect(throws: GitError.self) { try open(folder).stage(paths: ["a"]) }
      try FileManager.default.removeItem(at: folder.appendingPathComponent(".git/index.lock"))
      #expect(try git.git("ls-files") == "")
    }
  }

  @Test func `a reference leads to a commit, to something else, or to nothing that can be told`() throws {
    try withTemporaryDirectory { folder in
      let git = try TestRepository(in: folder)
      try folder.write("x", to: "a")
      try git.commitAll()
      try git.git("tag", "--annotate", "--message", "m", "of-commit")
      try git.git("tag", "of-blob", "HEAD:a")
      try folder.write("1111111111111111111111111111111111111111\n", to: ".git/refs/heads/broken")
      let repository = try open(folder)
      #expect(try repository.leadsToCommit("refs/heads/main"))
      #expect(try repository.leadsToCommit("refs/tags/of-commit"))
      #expect(try !repository.leadsToCommit("refs/tags/of-blob"))
      #expect(throws: GitError.self) { try repository.leadsToCommit("refs/heads/broken") }
      #expect(try repository.references().contains("refs/heads/broken"))
    }
  }

  @Test func `branches and tags go by their short names`() throws {
    try withTemporaryDirectory { folder in
      let git = try TestRepository(in: folder)
      try git.commitAll()
      try git.git("branch", "feature/x")
      try git.git("tag", "v1")
      try git.git("tag", "--annotate", "--message", "m", "v2")
      let repository = try open(folder)
      #expect(try repository.branches() == ["feature/x", "main"])
      #expect(try repository.tags() == ["v1", "v2"])
    }
  }

  @Test func `all commits are those that some name reaches`() throws {
    try withTemporaryDirectory { folder in
      let git = try TestRepository(in: folder)
      #expect(try open(folder).allCommits().isEmpty)
      let first = try git.commitAll("1")
      try git.git("checkout", "--quiet", "-b", "side")
      let side = try git.commitAll("2")
      try git.git("checkout", "--quiet", "main")
      let lost = try git.commitAll("lost")
      try git.git("reset", "--quiet", "--hard", first)
      let tagged = try git.commitAll("tagged")
      try git.git("tag", "--annotate", "--message", "m", "t")
      try git.git("tag", "--annotate", "--message", "m", "file", "HEAD^{tree}")
      try git.git("reset", "--quiet", "--hard", first)
      let all = try Set(open(folder).allCommits().map(\.hex))
      #expect(all == [first, side, tagged])
      #expect(!all.contains(lost))
    }
  }

  @Test func `a commit with several names is there once`() throws {
    try withTemporaryDirectory { folder in
      let git = try TestRepository(in: folder)
      let first = try git.commitAll("1")
      try git.git("tag", "v1")
      try git.git("branch", "br")
      let second = try git.commitAll("2")
      let repository = try open(folder)
      let named = try repository.commits(RevisionChoice(revisions: ["HEAD~1"], allBranches: true, allTags: true))
      #expect(named.map(\.commit.hex) == [first, second])
      #expect(named.map(\.names) == [["HEAD~1", "br", "v1"], ["main"]])
      let all = try repository.commits(RevisionChoice(allBranches: true, allCommits: true))
      #expect(Set(all.flatMap(\.names)) == [first, second])
      #expect(throws: GitError.unknownRevision("nope")) { try repository.commits(RevisionChoice(revisions: ["nope"])) }
      #expect(try repository.commits(RevisionChoice()).isEmpty)
    }
  }

  @Test func `the files of a revision are listed in the order of their bytes`() throws {
    try withTemporaryDirectory { folder in
      let git = try TestRepository(in: folder)
      for path in ["b", "a/z", "a.x", "a/b/c"] { try folder.write("", to: path) }
      try git.commitAll()
      try git.git("rm", "--quiet", "b")
      try git.commitAll()
      let repository = try open(folder)
      #expect(try repository.files(of: "HEAD") == ["a.x", "a/b/c", "a/z"])
      #expect(try repository.files(of: "HEAD~1") == ["a.x", "a/b/c", "a/z", "b"])
      #expect(try repository.files(of: "HEAD", below: "a") == ["a/b/c", "a/z"])
      #expect(try repository.files(of: "HEAD", below: "a.x").isEmpty)
      #expect(try repository.files(of: "HEAD", below: "none").isEmpty)
    }
  }
}
