// Branches and tags by name.
// SPDX-License-Identifier: Apache-2.0
internal import CGit2

extension GitRepository {
  /// Full names of all branches, remote branches and tags, sorted.
  package func references() throws(GitError) -> [String] {
    try references(below: "refs/").filter {
      $0.hasPrefix("refs/heads/") || $0.hasPrefix("refs/remotes/") || $0.hasPrefix("refs/tags/")
    }
  }

  /// Full names that begin with a prefix, sorted.
  func references(below prefix: String) throws(GitError) -> [String] {
    var iterator: OpaquePointer?
    try check(git_reference_iterator_new(&iterator, handle), "list the references")
    defer { git_reference_iterator_free(iterator) }
    var names: [String] = []
    var name: UnsafePointer<CChar>?
    while true {
      let code = git_reference_next_name(&name, iterator)
      if code == GIT_ITEROVER.rawValue { break }
      try check(code, "list the references")
      guard let name else { continue }
      let text = String(cString: name)
      if text.hasPrefix(prefix) { names.append(text) }
    }
    return names.sorted()
  }

  /// Whether a reference leads to a commit; a tag may name a tree or a blob instead.
  ///
  /// - Throws: `GitError.library` when what it leads to is missing or damaged, which is no answer.
  package func leadsToCommit(_ reference: String) throws(GitError) -> Bool {
    var named: OpaquePointer?
    try check(git_revparse_single(&named, handle, reference), "resolve `\(reference)`")
    defer { git_object_free(named) }
    var target: OpaquePointer?
    // The object behind all tags, whatever it is.
    try check(
      git_object_peel(&target, named, git_object_type(named) == GIT_OBJECT_TAG ? GIT_OBJECT_ANY : git_object_type(named)),
      "follow `\(reference)`")
    defer { git_object_free(target) }
    return git_object_type(target) == GIT_OBJECT_COMMIT
  }
}
