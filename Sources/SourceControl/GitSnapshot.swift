// What Git says of a working tree at one moment: the value that travels.
// SPDX-License-Identifier: Apache-2.0

/// Head, branch, remote and uncommitted changes.
package struct GitSnapshot: Codable, Sendable, Equatable {
  /// 40 hexadecimal digits; `nil` before the first commit.
  package var commit: String?
  /// `nil` when the head is detached.
  package var branch: String?
  /// URL of `origin`, without credentials.
  package var remote: String?
  /// Changed or untracked paths below the project, sorted.
  package var dirtyPaths: [String]
  /// SHA-256 of the diff against the commit, untracked files included; `nil` when nothing is dirty.
  package var diffDigest: String?

  package var isDirty: Bool { !dirtyPaths.isEmpty }

  package init(commit: String?, branch: String?, remote: String?, dirtyPaths: [String], diffDigest: String?) {
    self.commit = commit
    self.branch = branch
    self.remote = remote
    self.dirtyPaths = dirtyPaths
    self.diffDigest = diffDigest
  }
}
