// Head, branch, remote and uncommitted changes, read in one walk.
// SPDX-License-Identifier: Apache-2.0
import CGit2
import Glibc
import Hashing

extension GitRepository {
  /// What Git says of the files below a folder, at this moment. Writes nothing, not even the index.
  ///
  /// - Parameters:
  ///   - projectFolder: a folder in the working tree; paths in the result are relative to it.
  ///   - prefixes: paths below it that do not count, with all below them (outputs, the store).
  ///   - knownDigest: SHA-256 of a file below it, in hexadecimal, where somebody knows it; such a file is not read.
  /// - Throws: `GitError.outsideWorktree` for a bare repository or a folder elsewhere.
  /// - Complexity: one `lstat` a tracked file; the bytes of dirty files are read once or twice.
  package func snapshot(
    below projectFolder: String, ignoring prefixes: [String] = [], knownDigest: (String) -> String? = { _ in nil }
  ) throws(GitError) -> GitSnapshot {
    guard let topLevel, let below = path(below: projectFolder) else { throw .outsideWorktree(folder: projectFolder) }
    let root = below.isEmpty ? topLevel : "\(topLevel)/\(below)"
    let changes = try changes(below: below).filter { !$0.isBelow(prefixes) }
    return GitSnapshot(
      commit: try headCommit()?.hex, branch: try branch(), remote: try remoteURL(),
      dirtyPaths: changes.map(\.name), diffDigest: changes.isEmpty ? nil : diffDigest(of: changes, in: root, knownDigest))
  }

  /// Whether a tracked file anywhere in the working tree, or the index, differs from `HEAD`.
  package func hasTrackedChanges() throws(GitError) -> Bool {
    var options = git_status_options()
    git_status_options_init(&options, UInt32(GIT_STATUS_OPTIONS_VERSION))
    options.flags = 0
    var list: OpaquePointer?
    try check(git_status_list_new(&list, handle, &options), "compare the working tree with the commit")
    defer { git_status_list_free(list) }
    return git_status_list_entrycount(list) > 0
  }

  /// The commit of `HEAD`; `nil` before the first one.
  package func headCommit() throws(GitError) -> CommitID? {
    var id = git_oid()
    let code = git_reference_name_to_id(&id, handle, "HEAD")
    if code == GIT_ENOTFOUND.rawValue { return nil }
    try check(code, "read HEAD")
    return CommitID(id)
  }

  /// The branch that `HEAD` stands on, also before its first commit; `nil` when detached.
  package func branch() throws(GitError) -> String? {
    var head: OpaquePointer?
    try check(git_reference_lookup(&head, handle, "HEAD"), "read HEAD")
    defer { git_reference_free(head) }
    guard let target = git_reference_symbolic_target(head) else { return nil }
    let name = String(cString: target)
    return name.hasPrefix("refs/heads/") ? String(name.dropFirst("refs/heads/".count)) : name
  }

  /// The URL of `origin` as configured, without credentials.
  package func remoteURL() throws(GitError) -> String? {
    var config: OpaquePointer?
    try check(git_repository_config_snapshot(&config, handle), "read the configuration")
    defer { git_config_free(config) }
    var text: UnsafePointer<CChar>?
    let code = git_config_get_string(&text, config, "remote.origin.url")
    if code == GIT_ENOTFOUND.rawValue { return nil }
    try check(code, "read `remote.origin.url`")
    return text.flatMap { withoutCredentials(String(cString: $0)) }
  }

  /// The paths that `git status --untracked-files=all` lists below a folder, sorted by bytes, relative to it.
  private func changes(below folder: String) throws(GitError) -> [Change] {
    var options = git_status_options()
    git_status_options_init(&options, UInt32(GIT_STATUS_OPTIONS_VERSION))
    options.flags =
      GIT_STATUS_OPT_INCLUDE_UNTRACKED.rawValue | GIT_STATUS_OPT_RECURSE_UNTRACKED_DIRS.rawValue
      | GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH.rawValue
    let pathspec = folder.isEmpty ? nil : strdup(folder)
    defer { free(pathspec) }
    var pathspecs = [pathspec]
    var list: OpaquePointer?
    let code = pathspecs.withUnsafeMutableBufferPointer { buffer in
      if pathspec != nil { options.pathspec = git_strarray(strings: buffer.baseAddress, count: 1) }
      return git_status_list_new(&list, handle, &options)
    }
    try check(code, "compare the working tree with the commit")
    defer { git_status_list_free(list) }
    let prefix = folder.isEmpty ? [] : Array(folder.utf8) + [UInt8(ascii: "/")]
    return (0..<git_status_list_entrycount(list))
      .compactMap { git_status_byindex(list, $0).flatMap { Change($0.pointee, below: prefix) } }
      .sorted { $0.path.lexicographicallyPrecedes($1.path) }
  }

  /// SHA-256 over one record a change; docs/lineage.md, "The digest of a diff", has the layout.
  private func diffDigest(of changes: [Change], in root: String, _ knownDigest: (String) -> String?) -> String {
    var hash = RunningHash()
    hash.update("pipe.diff/1\n")
    for change in changes {
      let content = WorktreeContent(of: Array(root.utf8) + [UInt8(ascii: "/")] + change.path) {
        String(validating: change.path, as: UTF8.self).flatMap(knownDigest)
      }
      let status = content.mode == nil ? "D" : change.isInCommit ? "M" : "A"
      hash.update("\(status) \(content.mode ?? "000000") \(content.digest ?? "-") ")
      hash.update(change.path + [0])
    }
    return "sha256:" + hexadecimal(hash.finish())
  }
}

/// A path that differs from the commit.
private struct Change {
  /// Bytes relative to the project; Git does not promise UTF-8.
  var path: [UInt8]
  var isInCommit: Bool
  var isUntracked: Bool

  /// `nil` for an entry that is not below the prefix (empty, or ending in `/`).
  init?(_ entry: git_status_entry, below prefix: [UInt8]) {
    guard let delta = entry.index_to_workdir ?? entry.head_to_index, let text = delta.pointee.old_file.path else { return nil }
    let bytes = Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
    guard bytes.starts(with: prefix), bytes.count > prefix.count else { return nil }
    path = Array(bytes.dropFirst(prefix.count))
    let flags = entry.status.rawValue
    let isNew = flags & (GIT_STATUS_INDEX_NEW.rawValue | GIT_STATUS_WT_NEW.rawValue) != 0
    isUntracked = flags & GIT_STATUS_WT_NEW.rawValue != 0 && flags & GIT_STATUS_INDEX_DELETED.rawValue == 0
    isInCommit = flags & GIT_STATUS_INDEX_DELETED.rawValue != 0 || !isNew
  }

  var name: String { String(decoding: path, as: UTF8.self) }

  func isBelow(_ prefixes: [String]) -> Bool {
    prefixes.contains { prefix in
      let bytes = Array((prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix).utf8)
      return path.starts(with: bytes) && (path.count == bytes.count || path[bytes.count] == UInt8(ascii: "/"))
    }
  }
}

/// What stands at a path of the working tree: Git's mode and a digest of the bytes.
private struct WorktreeContent {
  /// `nil` when nothing is there.
  var mode: String?
  /// `nil` when the bytes cannot be read.
  var digest: String?

  /// - Parameter knownDigest: asked for a file that is no link.
  init(of path: [UInt8], knownDigest: () -> String?) {
    let path = (path.last == UInt8(ascii: "/") ? path.dropLast() : path[...]) + [0]
    path.withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { text in
        guard let name = text.baseAddress else { return }
        read(name, knownDigest)
      }
    }
  }

  private mutating func read(_ path: UnsafePointer<CChar>, _ knownDigest: () -> String?) {
    var facts = stat()
    guard lstat(path, &facts) == 0 else { return }
    switch facts.st_mode & S_IFMT {
    case S_IFLNK:
      mode = "120000"
      digest = digestOfLink(path)
    case S_IFDIR:
      mode = "160000"
      digest = (try? GitRepository.open(at: String(cString: path)))?.flatMap { try? $0.headCommit() }?.hex
    case S_IFREG:
      mode = facts.st_mode & S_IXUSR == 0 ? "100644" : "100755"
      digest = knownDigest().map { "sha256:" + $0 } ?? digestOfFile(path)
    default:
      mode = "000000"
    }
  }
}

private func digestOfLink(_ path: UnsafePointer<CChar>) -> String? {
  var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
  let count = target.withUnsafeMutableBytes { buffer in
    buffer.withMemoryRebound(to: CChar.self) { text in text.baseAddress.map { readlink(path, $0, text.count) } ?? -1 }
  }
  guard count >= 0 else { return nil }
  var hash = RunningHash()
  hash.update(Array(target.prefix(count)))
  return "sha256:" + hexadecimal(hash.finish())
}

private func digestOfFile(_ path: UnsafePointer<CChar>) -> String? {
  let file = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
  guard file >= 0 else { return nil }
  defer { close(file) }
  var hash = RunningHash()
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
  defer { buffer.deallocate() }
  while true {
    let count = Glibc.read(file, buffer.baseAddress, buffer.count)
    if count < 0, errno == EINTR { continue }
    guard count >= 0 else { return nil }
    if count == 0 { return "sha256:" + hexadecimal(hash.finish()) }
    hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
  }
}

extension GitRepository {
  /// Files that Git neither tracks nor ignores below a folder, sorted by bytes, relative to it.
  ///
  /// - Throws: `GitError.outsideWorktree` for a bare repository or a folder elsewhere.
  package func untrackedPaths(below projectFolder: String) throws(GitError) -> [String] {
    guard let below = path(below: projectFolder) else { throw .outsideWorktree(folder: projectFolder) }
    return try changes(below: below == "." ? "" : below).filter(\.isUntracked).map(\.name)
  }
}
