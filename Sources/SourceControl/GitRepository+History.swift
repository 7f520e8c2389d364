// What a repository has besides its head: branches, tags, all commits, and the files of any of them.
// SPDX-License-Identifier: Apache-2.0
import CGit2

/// A commit with the names by which it was asked for.
package struct NamedCommit: Sendable, Equatable {
  package var commit: CommitID
  /// Branches, tags or revisions as typed; the commit's own digits when it was found by walking.
  package var names: [String]

  package init(commit: CommitID, names: [String]) {
    self.commit = commit
    self.names = names
  }
}

/// The name of a file's content in the object database.
package struct BlobID: Sendable {
  let id: git_oid
}

/// Which commits a command looks at.
package struct RevisionChoice: Sendable, Equatable {
  package var revisions: [String]
  package var allBranches: Bool
  package var allTags: Bool
  package var allCommits: Bool
  /// How many commits of each revision and branch, from it back along first parents; 1 or more.
  package var depth = 1
  /// Seconds since 1970: also every commit that was made then or later.
  package var since: Int64?
  /// Also the commits of DVC's experiments, down to the commit that each began at.
  package var allExperiments = false

  package init(revisions: [String] = [], allBranches: Bool = false, allTags: Bool = false, allCommits: Bool = false) {
    self.revisions = revisions
    self.allBranches = allBranches
    self.allTags = allTags
    self.allCommits = allCommits
  }

  package var isEmpty: Bool {
    revisions.isEmpty && !allBranches && !allTags && !allCommits && since == nil && !allExperiments
  }
}

extension GitRepository {
  /// Short names of local branches, sorted.
  package func branches() throws(GitError) -> [String] {
    try references().filter { $0.hasPrefix("refs/heads/") }.map { String($0.dropFirst(11)) }
  }

  /// Short names of tags, sorted.
  package func tags() throws(GitError) -> [String] {
    try references().filter { $0.hasPrefix("refs/tags/") }.map { String($0.dropFirst(10)) }
  }

  /// Every commit that the head, a branch, a remote branch or a tag reaches, newest first.
  package func allCommits() throws(GitError) -> [CommitID] {
    var walk: OpaquePointer?
    try check(git_revwalk_new(&walk, handle), "walk the commits")
    defer { git_revwalk_free(walk) }
    git_revwalk_sorting(walk, GIT_SORT_TIME.rawValue)
    // Before the first commit there is no head to walk from.
    if let head = try headCommit() {
      var id = git_oid()
      try check(git_oid_fromstr(&id, head.hex), "read HEAD")
      try check(git_revwalk_push(walk, &id), "walk from HEAD")
    }
    for name in try references() {
      // A tag may name a tree or a blob, which has no commits.
      if let commit = try? commit(at: name) {
        defer { git_commit_free(commit) }
        try check(git_revwalk_push(walk, git_commit_id(commit)), "walk from `\(name)`")
      }
    }
    var commits: [CommitID] = []
    var id = git_oid()
    while true {
      let code = git_revwalk_next(&id, walk)
      if code == GIT_ITEROVER.rawValue { return commits }
      try check(code, "walk the commits")
      commits.append(CommitID(id))
    }
  }

  /// The chosen commits, each once with all its names: revisions as typed first, then branches, then tags.
  ///
  /// With `allCommits`, every commit is there under its digits, and branches and tags are not asked.
  /// - Throws: `GitError.unknownRevision` for a revision that was typed.
  package func commits(_ choice: RevisionChoice) throws(GitError) -> [NamedCommit] {
    var found: [NamedCommit] = []
    var places: [CommitID: Int] = [:]
    func add(_ commit: CommitID, _ name: String) {
      if let place = places[commit] {
        if !found[place].names.contains(name) { found[place].names.append(name) }
      } else {
        places[commit] = found.count
        found.append(NamedCommit(commit: commit, names: [name]))
      }
    }
    for revision in choice.revisions {
      add(try resolve(revision), revision)
      for commit in try parents(of: revision, choice.depth - 1) { add(commit, commit.hex) }
    }
    if choice.allCommits {
      for commit in try allCommits() { add(commit, commit.hex) }
    } else {
      if choice.allBranches {
        for name in try branches() {
          add(try resolve("refs/heads/\(name)"), name)
          for commit in try parents(of: "refs/heads/\(name)", choice.depth - 1) { add(commit, commit.hex) }
        }
      }
      if choice.allTags {
        for name in try tags() { if let commit = try? resolve("refs/tags/\(name)") { add(commit, name) } }
      }
      if let since = choice.since {
        for commit in try allCommits() where try time(of: commit) >= since { add(commit, commit.hex) }
      }
    }
    if choice.allExperiments { for commit in try experimentCommits() { add(commit, commit.hex) } }
    return found
  }

  /// At most `count` first parents, the nearest first.
  private func parents(of revision: String, _ count: Int) throws(GitError) -> [CommitID] {
    var found: [CommitID] = []
    guard count > 0 else { return found }
    var current = try resolve(revision)
    while found.count < count, let parent = try firstParent(of: current) {
      found.append(parent)
      current = parent
    }
    return found
  }

  private func firstParent(of id: CommitID) throws(GitError) -> CommitID? {
    let commit = try commit(at: id.hex)
    defer { git_commit_free(commit) }
    return git_commit_parentcount(commit) == 0 ? nil : git_commit_parent_id(commit, 0).map { CommitID($0.pointee) }
  }

  /// Seconds since 1970 at which a commit was made.
  private func time(of id: CommitID) throws(GitError) -> Int64 {
    let commit = try commit(at: id.hex)
    defer { git_commit_free(commit) }
    return git_commit_time(commit)
  }

  /// Commits under `refs/exps/<2 digits>/<38 digits>/<name>`, whose digits name the commit where the experiment began.
  private func experimentCommits() throws(GitError) -> [CommitID] {
    var found: [CommitID] = []
    for name in try references(below: "refs/exps/") {
      let parts = name.split(separator: "/")
      guard parts.count >= 5, parts[2].utf8.count == 2, parts[3].utf8.count == 38 else { continue }
      var current: CommitID? = try resolve(name)
      while let commit = current, commit.hex != parts[2] + parts[3] {
        found.append(commit)
        current = try firstParent(of: commit)
      }
    }
    return found
  }

  /// Paths of all files and links of a revision, sorted by bytes; submodules are left out.
  ///
  /// - Parameter folder: only what lies below it, relative to `topLevel`; empty for all.
  package func files(of revision: String, below folder: String = "") throws(GitError) -> [String] {
    try blobs(of: revision, below: folder).map(\.path)
  }

  /// The same with the content of each, so that many files are read without looking each up from the root.
  package func blobs(of revision: String, below folder: String = "") throws(GitError) -> [(path: String, blob: BlobID)] {
    let root = try tree(at: revision)
    defer { git_tree_free(root) }
    var paths: [(path: String, blob: BlobID)] = []
    if folder.isEmpty {
      try collect(root, "", &paths)
    } else {
      var entry: OpaquePointer?
      let code = git_tree_entry_bypath(&entry, root, folder)
      if code == GIT_ENOTFOUND.rawValue { return [] }
      try check(code, "look up `\(folder)` in `\(revision)`")
      defer { git_tree_entry_free(entry) }
      guard git_tree_entry_type(entry) == GIT_OBJECT_TREE else { return [] }
      try collectBelow(entry, folder + "/", &paths)
    }
    return paths.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  /// The bytes of a file's content.
  package func contents(of blob: BlobID) throws(GitError) -> [UInt8] {
    var id = blob.id
    return try withBlob(&id, "a file") { bytes in Array(bytes) }
  }

  private func collect(
    _ tree: OpaquePointer?, _ prefix: String, _ paths: inout [(path: String, blob: BlobID)]
  ) throws(GitError) {
    for index in 0..<git_tree_entrycount(tree) {
      guard let entry = git_tree_entry_byindex(tree, index), let name = git_tree_entry_name(entry) else { continue }
      let path = prefix + String(cString: name)
      switch git_tree_entry_type(entry) {
      case GIT_OBJECT_BLOB: if let id = git_tree_entry_id(entry) { paths.append((path, BlobID(id: id.pointee))) }
      case GIT_OBJECT_TREE: try collectBelow(entry, path + "/", &paths)
      default: continue
      }
    }
  }

  private func collectBelow(
    _ entry: OpaquePointer?, _ prefix: String, _ paths: inout [(path: String, blob: BlobID)]
  ) throws(GitError) {
    var subtree: OpaquePointer?
    try check(git_tree_lookup(&subtree, handle, git_tree_entry_id(entry)), "read the tree `\(prefix)`")
    defer { git_tree_free(subtree) }
    try collect(subtree, prefix, &paths)
  }
}
