// Paths between a stage's working directory, which lock files speak from, and the workspace.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore

package enum DVCPath {
  /// What a path in a DVC file leads to. Only the first may be touched without asking.
  package enum Place: Sendable, Hashable {
    case workspace(WorkspacePath)
    /// An absolute path.
    case external(String)
    /// A relative path that leads out of the workspace, or is the workspace itself.
    case outside(String)
    /// `s3://…` and its like.
    case remote(String)
    /// Empty, or with a NUL byte.
    case unusable(String)
  }

  /// - Parameters:
  ///   - written: as it stands in the file; `./a//b/../c` is `a/c`.
  ///   - folder: the working directory of the stage; `nil` is the workspace's root.
  package static func place(of written: String, in folder: WorkspacePath?) -> Place {
    guard let first = written.utf8.first, !written.utf8.contains(0) else { return .unusable(written) }
    if isAddress(written) { return .remote(written) }
    if first == UInt8(ascii: "/") { return .external(written) }
    if let path = WorkspacePath(written, in: folder) { return .workspace(path) }
    return .outside(written)
  }

  /// The shortest relative path from a folder: `../data/x`; `.` for the folder itself.
  package static func relative(_ path: WorkspacePath, to folder: WorkspacePath?) -> String {
    guard let folder else { return path.text }
    let slash = UInt8(ascii: "/")
    let target = path.text.utf8.split(separator: slash).map { String(Substring($0)) }
    let base = folder.text.utf8.split(separator: slash).map { String(Substring($0)) }
    let shared = zip(target, base).prefix { $0.utf8.elementsEqual($1.utf8) }.count
    let steps = Array(repeating: "..", count: base.count - shared) + target.dropFirst(shared)
    return steps.isEmpty ? "." : steps.joined(separator: "/")
  }

  /// Whether it begins with a scheme: letters, digits, `+`, `-` and `.`, then `://`.
  private static func isAddress(_ text: String) -> Bool {
    let bytes = text.utf8
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].starts(with: "://".utf8) else { return false }
    let scheme = bytes[..<colon]
    return !scheme.isEmpty
      && scheme.allSatisfy {
        (97...122).contains($0 | 0x20) || (48...57).contains($0) || "+-.".utf8.contains($0)
      }
  }
}
