// Adding files to the index: what the next commit will hold.
// SPDX-License-Identifier: Apache-2.0
import CGit2
import Glibc

extension GitRepository {
  /// Adds the files as they are now to the index, and takes those out that are gone; as `git add -f` does.
  ///
  /// - Parameter paths: files relative to `topLevel`.
  /// - Throws: `GitError.outsideWorktree` for a bare repository; `GitError.library`, for one when another process
  ///   holds the index. Nothing is staged then.
  package func stage(paths: [String]) throws(GitError) {
    guard let topLevel else { throw .outsideWorktree(folder: "") }
    guard !paths.isEmpty else { return }
    var index: OpaquePointer?
    try check(git_repository_index(&index, handle), "read the index")
    defer { git_index_free(index) }
    try check(git_index_read(index, 1), "read the index")
    for path in paths {
      var facts = Glibc.stat()
      if lstat("\(topLevel)/\(path)", &facts) == 0 {
        try check(git_index_add_bypath(index, path), "add `\(path)` to the index")
      } else {
        let code = git_index_remove_bypath(index, path)
        if code != GIT_ENOTFOUND.rawValue { try check(code, "take `\(path)` out of the index") }
      }
    }
    try check(git_index_write(index), "write the index")
  }
}
