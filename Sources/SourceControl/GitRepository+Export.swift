// A commit's files, written into an empty folder.
// SPDX-License-Identifier: Apache-2.0
import CGit2
import Glibc

/// What an export wrote.
package struct ExportedTree: Sendable, Equatable {
  package var commit: CommitID
  package var files = 0
  /// Symbolic links whose target lies outside the exported folder, sorted: not refused, but worth a word.
  package var outwardLinks: [String] = []
  /// Paths of submodules, left as empty folders.
  package var submodules: [String] = []
}

extension GitRepository {
  /// Writes the files of a commit, as a checkout would, into a folder that is empty or not there yet.
  ///
  /// The repository is left as it is: no linked worktree, no index, no reference. Line endings follow the commit's
  /// `.gitattributes`; external filters (LFS) do not run. Nothing is ever written through a link, since each entry is
  /// made new below the descriptor of its folder.
  /// A failure leaves what was written until then.
  /// - Throws: `GitError.folderNotEmpty`; `GitError.unsafePath` for `..`, `.git` and their like; `GitError.file`.
  package func exportTree(_ revision: String, to folder: String) throws(GitError) -> ExportedTree {
    let commit = try commit(at: revision)
    defer { git_commit_free(commit) }
    var tree: OpaquePointer?
    try check(git_commit_tree(&tree, commit), "read the tree of `\(revision)`")
    defer { git_tree_free(tree) }
    guard mkdir(folder, 0o777) == 0 || errno == EEXIST else { throw .file(path: folder, reason: systemMessage(errno)) }
    guard try isEmpty(folder) else { throw .folderNotEmpty(folder) }
    let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .file(path: folder, reason: systemMessage(errno)) }
    defer { close(descriptor) }
    let id = git_commit_id(commit).pointee
    var export = TreeExport(repository: self, commitID: id, result: ExportedTree(commit: CommitID(id)))
    try export.write(tree, into: descriptor, at: "")
    export.result.outwardLinks.sort()
    return export.result
  }

  private func isEmpty(_ folder: String) throws(GitError) -> Bool {
    guard let stream = opendir(folder) else { throw .file(path: folder, reason: systemMessage(errno)) }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { $0.prefix(3).prefix { $0 != 0 }.map { $0 } }
      if name != Array(".".utf8), name != Array("..".utf8) { return false }
    }
    return true
  }
}

/// The walk of one export.
private struct TreeExport {
  let repository: GitRepository
  let commitID: git_oid
  var result: ExportedTree

  mutating func write(_ tree: OpaquePointer?, into folder: Int32, at prefix: String) throws(GitError) {
    for index in 0..<git_tree_entrycount(tree) {
      guard let entry = git_tree_entry_byindex(tree, index), let text = git_tree_entry_name(entry) else { continue }
      let path = prefix + String(cString: text)
      guard isSafe(String(cString: text)) else { throw .unsafePath(path, revision: result.commit.hex) }
      switch git_tree_entry_filemode_raw(entry).rawValue & UInt32(S_IFMT) {
      case UInt32(S_IFDIR): try writeFolder(entry, text, folder, path)
      case UInt32(S_IFLNK): try writeLink(entry, text, folder, path)
      case UInt32(GIT_FILEMODE_COMMIT.rawValue): try writeSubmodule(text, folder, path)
      default: try writeFile(entry, text, folder, path)
      }
    }
  }

  private mutating func writeFolder(
    _ entry: OpaquePointer, _ name: UnsafePointer<CChar>, _ folder: Int32, _ path: String
  ) throws(GitError) {
    var subtree: OpaquePointer?
    try check(git_tree_lookup(&subtree, repository.handle, git_tree_entry_id(entry)), "read the tree `\(path)`")
    defer { git_tree_free(subtree) }
    guard mkdirat(folder, name, 0o777) == 0 else { throw .file(path: path, reason: systemMessage(errno)) }
    let descriptor = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { throw .file(path: path, reason: systemMessage(errno)) }
    defer { close(descriptor) }
    try write(subtree, into: descriptor, at: path + "/")
  }

  private mutating func writeSubmodule(
    _ name: UnsafePointer<CChar>, _ folder: Int32, _ path: String
  ) throws(GitError) {
    guard mkdirat(folder, name, 0o777) == 0 else { throw .file(path: path, reason: systemMessage(errno)) }
    result.submodules.append(path)
  }

  private mutating func writeLink(
    _ entry: OpaquePointer, _ name: UnsafePointer<CChar>, _ folder: Int32, _ path: String
  ) throws(GitError) {
    let target = try repository.withBlob(git_tree_entry_id(entry), path) { bytes in Array(bytes) + [0] }
    let code = target.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { $0.baseAddress.map { symlinkat($0, folder, name) } ?? -1 }
    }
    guard code == 0 else { throw .file(path: path, reason: systemMessage(errno)) }
    result.files += 1
    if leadsOutside(String(decoding: target.dropLast(), as: UTF8.self), from: path) { result.outwardLinks.append(path) }
  }

  private mutating func writeFile(
    _ entry: OpaquePointer, _ name: UnsafePointer<CChar>, _ folder: Int32, _ path: String
  ) throws(GitError) {
    let mode: mode_t = git_tree_entry_filemode_raw(entry).rawValue & UInt32(S_IXUSR) == 0 ? 0o666 : 0o777
    let file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
    guard file >= 0 else { throw .file(path: path, reason: systemMessage(errno)) }
    defer { close(file) }
    var blob: OpaquePointer?
    try check(git_blob_lookup(&blob, repository.handle, git_tree_entry_id(entry)), "read `\(path)` from the object database")
    defer { git_blob_free(blob) }
    var options = git_blob_filter_options()
    git_blob_filter_options_init(&options, UInt32(GIT_BLOB_FILTER_OPTIONS_VERSION))
    options.flags = GIT_BLOB_FILTER_CHECK_FOR_BINARY.rawValue | GIT_BLOB_FILTER_ATTRIBUTES_FROM_COMMIT.rawValue
    options.attr_commit_id = commitID
    var bytes = git_buf()
    try check(git_blob_filter(&bytes, blob, path, &options), "convert `\(path)` for the working tree")
    defer { git_buf_dispose(&bytes) }
    guard writeAll(UnsafeRawBufferPointer(start: bytes.ptr, count: bytes.size), to: file) else {
      throw .file(path: path, reason: systemMessage(errno))
    }
    result.files += 1
  }
}

/// Whether a name may stand in a folder: not `.`, `..`, empty or with a `/`, and not Git's own folder.
private func isSafe(_ name: String) -> Bool {
  !["", ".", ".."].contains(name) && !name.contains("/") && name.lowercased() != ".git"
}

/// Whether a link's target climbs above the folder in which `path` is relative.
private func leadsOutside(_ target: String, from path: String) -> Bool {
  if target.hasPrefix("/") { return true }
  var depth = path.utf8.count { $0 == UInt8(ascii: "/") }
  for part in target.split(separator: "/") where part != "." {
    depth += part == ".." ? -1 : 1
    if depth < 0 { return true }
  }
  return false
}

/// Whether all bytes went out; `errno` says why not.
private func writeAll(_ bytes: UnsafeRawBufferPointer, to file: Int32) -> Bool {
  var rest = bytes
  while !rest.isEmpty {
    let count = write(file, rest.baseAddress, rest.count)
    if count < 0, errno == EINTR { continue }
    guard count >= 0 else { return false }
    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
  }
  return true
}
