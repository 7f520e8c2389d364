// What a person reads when Git is the matter.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

extension GitError: DiagnosticConvertible {
  package var diagnostic: Diagnostic {
    switch self {
    case .noLibrary(let reason):
      Diagnostic(
        .storage, "libgit2 cannot be loaded, and this command asks Git", causes: [reason],
        hints: ["Debian 12 has it in the package `libgit2-1.5`"])
    case .notOwned(let folder):
      Diagnostic(
        .storage, "the Git repository around `\(folder)` belongs to another user, so Git does not trust it",
        hints: ["if you trust it: `git config --global --add safe.directory <its top folder>`"])
    case .unsupportedFormat(let folder, let detail):
      Diagnostic(
        .storage, "the Git repository around `\(folder)` is in a format that libgit2 does not read", causes: [detail],
        hints: ["look at `extensions.*` in the repository's config; SHA-256 repositories are among those not read"])
    case .unknownRevision(let revision):
      Diagnostic(
        .input, "Git knows no revision `\(revision)`",
        hints: ["`git log --oneline` lists commits; a shallow clone lacks old ones: `git fetch --unshallow`"])
    case .ambiguousRevision(let revision):
      Diagnostic(.input, "`\(revision)` is the beginning of several object names", hints: ["give more digits"])
    case .notAFile(let path, let revision):
      Diagnostic(.input, "`\(path)` is not a file in revision `\(revision)`")
    case .outsideWorktree(let folder):
      Diagnostic(.input, "`\(folder)` is not in the working tree of the repository")
    case .folderNotEmpty(let folder):
      Diagnostic(.storage, "`\(folder)` is not empty, so a commit cannot be written into it")
    case .unsafePath(let path, let revision):
      Diagnostic(
        .storage, "commit `\(revision)` holds the path `\(path)`, which must not be written",
        hints: ["such a path can only be made on purpose: look at who wrote that commit"])
    case .file(let path, let reason):
      Diagnostic(.storage, "cannot use `\(path)`", causes: [reason])
    case .library(let operation, let code, let message):
      Diagnostic(.storage, "Git failed to \(operation)", causes: ["\(message) (libgit2 code \(code))"])
    }
  }
}
