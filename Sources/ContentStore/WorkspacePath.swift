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
    // Bytes, not characters: a combining mark after a slash would hide the slash from `Character`, not from the kernel.
    guard let first = typed.utf8.first, first != Self.slash, !typed.utf8.contains(0) else { return nil }
    if folder == nil, Self.isNormal(typed.utf8) {
      text = String(typed)
      return
    }
    var components = folder.map { Self.components($0.text) } ?? []
    for component in Self.components(String(typed)) where !component.utf8.elementsEqual(".".utf8) {
      if component.utf8.elementsEqual("..".utf8) {
        if components.popLast() == nil { return nil }
      } else {
        components.append(component)
      }
    }
    guard !components.isEmpty else { return nil }
    text = components.joined(separator: "/")
  }

  /// The same for a whole text, which nearly always is as it has to be.
  package init?(_ typed: String, in folder: WorkspacePath? = nil) {
    var copy = typed
    let isNormal = copy.withUTF8 { bytes in Self.isNormal(bytes) && !bytes.contains(0) }
    if isNormal {
      self.init(unchecked: folder.map { $0.text + "/" + typed } ?? typed)
    } else {
      self.init(typed[...], in: folder)
    }
  }

  private static let slash = UInt8(ascii: "/")

  /// Whether no component is empty or begins with a dot: what nearly every path is, and needs no splitting.
  @inline(__always) private static func isNormal(_ bytes: some Sequence<UInt8>) -> Bool {
    var previous = slash
    for byte in bytes {
      if previous == slash, byte == slash || byte == UInt8(ascii: ".") { return false }
      previous = byte
    }
    return previous != slash
  }

  private static func components(_ text: String) -> [Substring] { text.utf8.split(separator: slash).map(Substring.init) }

  private init(unchecked text: String) { self.text = text }

  package var name: String { Self.components(text).last.map(String.init) ?? text }

  /// The folder that holds it; `nil` at the root.
  package var parent: WorkspacePath? {
    text.utf8.lastIndex(of: Self.slash).map { WorkspacePath(unchecked: String(text[..<$0])) }
  }

  /// The component that makes the path one of Git's, of Mercurial's or of a project's own state, where no data belongs: what
  /// lies there is obeyed, not read.
  package var reservedFolder: String? {
    var previous = Self.slash
    let hasHidden = text.utf8.contains { byte in
      defer { previous = byte }
      return previous == Self.slash && byte == UInt8(ascii: ".")
    }
    guard hasHidden else { return nil }
    return Self.components(text).first { [".git", ".hg", ".dvc", ".pipe"].contains($0) }.map(String.init)
  }

  /// Whether this is `other` or lies below it.
  package func isWithin(_ other: WorkspacePath) -> Bool {
    guard text.utf8.starts(with: other.text.utf8) else { return false }
    let rest = text.utf8.dropFirst(other.text.utf8.count)
    return rest.isEmpty || rest.first == Self.slash
  }
}

extension WorkspacePath: Comparable, CustomStringConvertible {
  package static func < (a: WorkspacePath, b: WorkspacePath) -> Bool { a.text < b.text }
  package var description: String { text }
}
