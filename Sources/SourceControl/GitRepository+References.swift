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
    while git_reference_next_name(&name, iterator) == 0 {
      guard let name else { continue }
      let text = String(cString: name)
      if text.hasPrefix(prefix) { names.append(text) }
    }
    return names.sorted()
  }
}
