// A handle on a repository: where it is, and what its names mean.
// SPDX-License-Identifier: Apache-2.0
import CGit2
import Glibc

/// An open Git repository. Stays in the task that opened it; `GitSnapshot` and `CommitID` are what travels.
///
/// Paths of methods are relative to `topLevel`, with `/`, unless they say otherwise.
package final class GitRepository {
  let handle: OpaquePointer

  /// The folder of the working tree, real path without a trailing `/`; `nil` for a bare repository.
  package let topLevel: String?

  /// What kept libgit2 from being loaded. It takes longer to load than most commands to answer, so the first who needs it does.
  private static let loadProblem: String? = cgit2_load().map { String(cString: $0) }

  /// The repository around a folder, looking upwards as Git does; `nil` outside Git.
  ///
  /// Linked worktrees, submodules and bare repositories are all found.
  /// - Throws: `GitError.notOwned` when Git's ownership rule (`safe.directory`) forbids it; `GitError.noLibrary`.
  package static func open(at folder: String) throws(GitError) -> GitRepository? {
    if let loadProblem { throw .noLibrary(reason: loadProblem) }
    git_error_clear()
    var handle: OpaquePointer?
    let code = git_repository_open_ext(&handle, folder, 0, nil)
    // libgit2 1.5 answers "not found" for a foreign repository when no `safe.directory` is configured at all.
    let isForeign = code == GIT_EOWNER.rawValue || (code == GIT_ENOTFOUND.rawValue && lastMessage().contains("safe.directory"))
    if isForeign { throw .notOwned(folder: folder) }
    if code == GIT_ENOTFOUND.rawValue { return nil }
    if code < 0, lastMessage().contains("unsupported ") {
      throw .unsupportedFormat(folder: folder, detail: lastMessage())
    }
    try check(code, "open the repository around `\(folder)`")
    guard let handle else { return nil }
    return GitRepository(handle)
  }

  private init(_ handle: OpaquePointer) {
    self.handle = handle
    topLevel = git_repository_workdir(handle).flatMap { realPath(String(cString: $0)) }
  }

  deinit { git_repository_free(handle) }

  /// The commit that a revision names: a hash or its beginning, a tag, a branch, `HEAD~2`, `main@{1}` …
  package func resolve(_ revision: String) throws(GitError) -> CommitID {
    let commit = try commit(at: revision)
    defer { git_commit_free(commit) }
    return CommitID(git_commit_id(commit).pointee)
  }

  /// The bytes of a file in a revision, as stored; `nil` when it has no such path.
  ///
  /// A symbolic link gives its target.
  /// - Throws: `GitError.unknownRevision`; `GitError.notAFile` for a folder or submodule.
  package func fileContents(at path: String, revision: String) throws(GitError) -> [UInt8]? {
    let tree = try tree(at: revision)
    defer { git_tree_free(tree) }
    var entry: OpaquePointer?
    let code = git_tree_entry_bypath(&entry, tree, path)
    if code == GIT_ENOTFOUND.rawValue { return nil }
    try check(code, "look up `\(path)` in `\(revision)`")
    defer { git_tree_entry_free(entry) }
    guard git_tree_entry_type(entry) == GIT_OBJECT_BLOB else { throw .notAFile(path: path, revision: revision) }
    return try withBlob(git_tree_entry_id(entry), path) { bytes in Array(bytes) }
  }

  /// The paths that differ between two revisions, sorted by bytes; a rename counts as both.
  package func changedPaths(from old: String, to new: String) throws(GitError) -> [String] {
    let oldTree = try tree(at: old)
    defer { git_tree_free(oldTree) }
    let newTree = try tree(at: new)
    defer { git_tree_free(newTree) }
    var diff: OpaquePointer?
    try check(git_diff_tree_to_tree(&diff, handle, oldTree, newTree, nil), "compare `\(old)` with `\(new)`")
    defer { git_diff_free(diff) }
    let paths = (0..<git_diff_num_deltas(diff)).compactMap { index in
      git_diff_get_delta(diff, index)?.pointee.new_file.path.map { String(cString: $0) }
    }
    return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Whether the index has this file, or something below this folder.
  package func isTracked(_ path: String) throws(GitError) -> Bool { try !tracked([path]).isEmpty }

  /// The paths that the index has, themselves or with something below them. The index is read once.
  package func tracked(_ paths: [String]) throws(GitError) -> Set<String> {
    var index: OpaquePointer?
    try check(git_repository_index(&index, handle), "read the index")
    defer { git_index_free(index) }
    try check(git_index_read(index, 0), "read the index")
    guard git_index_entrycount(index) > 0 else { return [] }
    return Set(
      paths.filter { path in
        let name = path.hasSuffix("/") ? String(path.dropLast()) : path
        return git_index_get_bypath(index, name, 0) != nil || git_index_find_prefix(nil, index, name + "/") == 0
      })
  }

  /// Whether Git's ignore rules leave this path out; end a folder that does not exist yet with `/`.
  package func isIgnored(_ path: String) throws(GitError) -> Bool {
    var ignored: Int32 = 0
    try check(git_ignore_path_is_ignored(&ignored, handle, path), "look for ignore rules about `\(path)`")
    return ignored == 1
  }

  /// The path below `topLevel` of a folder or file that exists; empty for `topLevel` itself, `nil` outside.
  package func path(below folder: String) -> String? {
    guard let topLevel, let real = realPath(folder) else { return nil }
    if real == topLevel { return "" }
    let root = topLevel == "/" ? "/" : topLevel + "/"
    return real.hasPrefix(root) ? String(real.dropFirst(root.count)) : nil
  }
}

extension GitRepository {
  /// The commit object of a revision, to be freed by the caller.
  func commit(at revision: String) throws(GitError) -> OpaquePointer {
    // A whole name needs no look at the references.
    var id = git_oid()
    var named: OpaquePointer?
    if revision.utf8.count == 40, git_oid_fromstr(&id, revision) == 0, git_commit_lookup(&named, handle, &id) == 0, let named {
      return named
    }
    var object: OpaquePointer?
    let code = git_revparse_single(&object, handle, revision)
    if code == GIT_EAMBIGUOUS.rawValue { throw .ambiguousRevision(revision) }
    if [GIT_ENOTFOUND, GIT_EINVALIDSPEC, GIT_EUNBORNBRANCH].contains(where: { $0.rawValue == code }) {
      throw .unknownRevision(revision)
    }
    try check(code, "resolve `\(revision)`")
    defer { git_object_free(object) }
    var commit: OpaquePointer?
    guard git_object_peel(&commit, object, GIT_OBJECT_COMMIT) == 0, let commit else { throw .unknownRevision(revision) }
    return commit
  }

  /// The tree of a revision, to be freed by the caller.
  func tree(at revision: String) throws(GitError) -> OpaquePointer {
    let commit = try commit(at: revision)
    defer { git_commit_free(commit) }
    var tree: OpaquePointer?
    try check(git_commit_tree(&tree, commit), "read the tree of `\(revision)`")
    guard let tree else { throw .unknownRevision(revision) }
    return tree
  }

  /// Lends the bytes of a blob.
  func withBlob<Result>(
    _ id: UnsafePointer<git_oid>?, _ path: String, _ body: (UnsafeRawBufferPointer) throws(GitError) -> Result
  ) throws(GitError) -> Result {
    var blob: OpaquePointer?
    try check(git_blob_lookup(&blob, handle, id), "read `\(path)` from the object database")
    defer { git_blob_free(blob) }
    let bytes = UnsafeRawBufferPointer(start: git_blob_rawcontent(blob), count: Int(git_blob_rawsize(blob)))
    return try body(bytes)
  }
}

/// The path with links and `..` resolved; `nil` when nothing is there.
func realPath(_ path: String) -> String? {
  guard let real = realpath(path, nil) else { return nil }
  defer { free(real) }
  return String(cString: real)
}
