// A pattern for paths: `data/*.csv`, `logs/**/part-?.txt`.
// SPDX-License-Identifier: Apache-2.0

/// `*` and `?` stand for characters within a name, `[a-z]` for one of them, `**` for any number of folders.
package struct PathPattern: Sendable, Hashable {
  package let text: String

  /// - Returns: `nil` when the text has none of `*`, `?`, `[`, or is no path inside a workspace.
  package init?(_ typed: some StringProtocol, in folder: WorkspacePath? = nil) {
    guard typed.utf8.contains(where: { "*?[".utf8.contains($0) }), let path = WorkspacePath(typed, in: folder) else { return nil }
    text = path.text
  }

  /// The deepest folder that all matches lie in; `nil` is the workspace's root.
  package var base: WorkspacePath? {
    let fixed = text.split(separator: "/").dropLast().prefix { !$0.utf8.contains(where: { "*?[\\".utf8.contains($0) }) }
    return WorkspacePath(fixed.joined(separator: "/"))
  }

  /// Whether a path from the workspace's root is one that the pattern means. A bracket that is not closed matches nothing.
  package func matches(_ path: String) -> Bool { glob?.matches(path) ?? false }

  /// The pattern ready for many paths.
  var glob: Glob? {
    let segments = text.split(separator: "/")
    let single = segments.enumerated().filter { $0.offset == 0 || $0.element != "**" || segments[$0.offset - 1] != "**" }
    return try? Glob(single.map(\.element), coversBelow: false)
  }
}
