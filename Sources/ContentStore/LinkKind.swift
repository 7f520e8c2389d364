// How an object of the store becomes a file of the workspace.
// SPDX-License-Identifier: Apache-2.0

package enum LinkKind: String, Sendable, Hashable, CaseIterable {
  /// A copy that shares blocks until one of the two is written; few file systems can.
  case reflink
  /// The same file under two names, read-only.
  case hardlink
  /// A link to the object, which is read-only.
  case symlink
  case copy

  /// Whether the workspace's file and the object are one, so that writing to the file would damage the object.
  package var sharesBytes: Bool { self == .hardlink || self == .symlink }

  /// The order in which kinds are tried when nobody says otherwise.
  package static let usual: [LinkKind] = [.reflink, .copy]

  /// Reads `reflink,copy`, as DVC's `cache.type` spells it; `nil` when a name is none of the four.
  package static func list(_ text: some StringProtocol) -> [LinkKind]? {
    var kinds: [LinkKind] = []
    for name in text.split(separator: ",") {
      guard let kind = LinkKind(rawValue: String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())) else {
        return nil
      }
      kinds.append(kind)
    }
    return kinds.isEmpty ? nil : kinds
  }
}
