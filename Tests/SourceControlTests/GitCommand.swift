// The real git, the referee of these tests.
// SPDX-License-Identifier: Apache-2.0
package import Foundation

/// A repository made by the `git` command.
package struct TestRepository {
  package var folder: URL

  /// `git init` in a folder, on branch `main`.
  package init(in folder: URL) throws {
    self.folder = folder
    try git("init", "--quiet", "--initial-branch=main")
  }

  /// Runs git with a fixed author, date and no configuration of the user's.
  ///
  /// - Returns: standard output without the last newline.
  @discardableResult
  package func git(_ arguments: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["git", "-C", folder.path] + arguments
    process.environment = [
      "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
      "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
      "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
    ]
    let pipe = Pipe()
    let errors = Pipe()
    process.standardOutput = pipe
    process.standardError = errors
    try process.run()
    let out = pipe.fileHandleForReading.readDataToEndOfFile()
    let err = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw GitFailure(arguments: arguments, message: String(decoding: err, as: UTF8.self))
    }
    let text = String(decoding: out, as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// Adds everything and commits; gives the commit's 40 digits.
  @discardableResult
  package func commitAll(_ message: String = "m") throws -> String {
    try git("add", "--all")
    try git("commit", "--quiet", "--allow-empty", "--message", message)
    return try git("rev-parse", "HEAD")
  }

  /// The paths of `git status`, quotes off, sorted by bytes.
  package func statusPaths() throws -> [String] {
    let text = try git("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames")
    let paths = Set(text.split(separator: "\0").map { String($0.dropFirst(3)) })
    return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}

package struct GitFailure: Error {
  package var arguments: [String]
  package var message: String
}
