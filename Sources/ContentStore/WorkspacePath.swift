// A path inside the workspace, which cannot lead out of it.
// SPDX-License-Identifier: Apache-2.0

/// Relative to the workspace's root, with `/` between components, no `.`, `..` or empty component.
package struct WorkspacePath: Sendable, Hashable {
  package let text: String

  /// Reads a path as typed in a folder of the workspace.
  ///
  /// - Parameters:
  ///   - typed: relative, as a person wrote it; `./a//b/` is `a/b`.
  ///   - folder: the folder it is relative to; `nil` is the root.
  /// - Returns: `nil` when it is empty, absolute, holds a NUL, or leads out of the workspace.
  package init?(_ typed: some StringProtocol, in folder: WorkspacePath? = nil) {
    guard !typed.isEmpty, !typed.hasPrefix("/"), !typed.utf8.contains(0) else { return nil }
    var components: [Substring] = folder.map { $0.text.split(separator: "/") } ?? []
    for component in Substring(typed).split(separator: "/") where component != "." {
      if component == ".." {
        if components.popLast() == nil { return nil }
      } else {
        components.append(component)
      }
    }
    guard !components.isEmpty else { return nil }
    text = components.joined(separator: "/")
  }

  private init(unchecked text: String) { self.text = text }

  package var name: String { String(text[(text.lastIndex(of: "/").map { text.index(after: $0) } ?? text.startIndex)...]) }

  /// The folder that holds it; `nil` at the root.
  package var parent: WorkspacePath? {
    text.lastIndex(of: "/").map { WorkspacePath(unchecked: String(text[..<$0])) }
  }

  /// Whether this is `other` or lies below it.
  package func isWithin(_ other: WorkspacePath) -> Bool {
    text.utf8.count == other.text.utf8.count
      ? text == other.text
      : text.utf8.count > other.text.utf8.count && text.hasPrefix(other.text)
        && text.utf8[text.utf8.index(text.utf8.startIndex, offsetBy: other.text.utf8.count)] == UInt8(ascii: "/")
  }
}

extension WorkspacePath: Comparable, CustomStringConvertible {
  package static func < (a: WorkspacePath, b: WorkspacePath) -> Bool { a.text < b.text }
  package var description: String { text }
}
