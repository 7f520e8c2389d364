// Branches and tags by name.
// SPDX-License-Identifier: Apache-2.0
internal import CGit2

extension GitRepository {
  /// Full names of all branches, remote branches and tags, sorted.
  package func references() throws(GitError) -> [String] {
    var iterator: OpaquePointer?
    try check(git_reference_iterator_new(&iterator, handle), "list the references")
    defer { git_reference_iterator_free(iterator) }
    var names: [String] = []
    var name: UnsafePointer<CChar>?
    while git_reference_next_name(&name, iterator) == 0 {
      guard let name else { continue }
      let text = String(cString: name)
      if text.hasPrefix("refs/heads/") || text.hasPrefix("refs/remotes/") || text.hasPrefix("refs/tags/") { names.append(text) }
    }
    return names.sorted()
  }
}
