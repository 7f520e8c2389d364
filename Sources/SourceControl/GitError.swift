// What can go wrong with Git, as facts.
// SPDX-License-Identifier: Apache-2.0
import CGit2
import Glibc

/// A fact about a repository that stopped an operation; `GitError+Diagnostic.swift` has the words.
package enum GitError: Error, Equatable, Sendable {
  /// libgit2 is not on this machine, or is another version than the one built for.
  case noLibrary(reason: String)
  /// Git refuses a repository that belongs to somebody else.
  case notOwned(folder: String)
  /// The repository uses a format extension that libgit2 does not read.
  case unsupportedFormat(folder: String, detail: String)
  /// No commit, tag or branch goes by this name.
  case unknownRevision(String)
  /// The revision is an abbreviation of several objects.
  case ambiguousRevision(String)
  /// The path is a folder or submodule in that revision.
  case notAFile(path: String, revision: String)
  /// The repository has no working tree, or the folder lies outside it.
  case outsideWorktree(folder: String)
  /// The folder to export into has something in it.
  case folderNotEmpty(String)
  /// A tree of the commit names a file that would be written outside the folder.
  case unsafePath(String, revision: String)
  /// A file could not be read or written.
  case file(path: String, reason: String)
  /// libgit2 failed: what was being done, its code, its message.
  case library(operation: String, code: Int32, message: String)
}

/// Ends here when libgit2 reports a failure.
func check(_ code: Int32, _ operation: @autoclosure () -> String) throws(GitError) {
  guard code < 0 else { return }
  throw .library(operation: operation(), code: code, message: lastMessage())
}

/// The message of libgit2's last error in this thread.
func lastMessage() -> String {
  guard let error = git_error_last(), let message = error.pointee.message else { return "no message" }
  return String(cString: message)
}

/// The system's words for an error number.
func systemMessage(_ number: Int32) -> String { String(cString: strerror(number)) }
