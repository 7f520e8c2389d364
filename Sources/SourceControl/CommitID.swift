// The name of a commit.
// SPDX-License-Identifier: Apache-2.0
import CGit2
import Hashing

/// 40 lower-case hexadecimal digits that name a commit.
package struct CommitID: Hashable, Sendable, CustomStringConvertible {
  package let hex: String

  /// `nil` unless the text is 40 hexadecimal digits.
  package init?(hex: String) {
    let digits = hex.lowercased()
    guard digits.utf8.count == 40, digits.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
      return nil
    }
    self.hex = digits
  }

  init(_ id: git_oid) { hex = hexText(of: id) }

  /// The first seven digits, for people.
  package var short: String { String(hex.prefix(7)) }

  package var description: String { hex }
}

/// The 40 hexadecimal digits of an object id.
func hexText(of id: git_oid) -> String {
  var id = id
  return withUnsafeBytes(of: &id) { bytes in hexadecimal(bytes) }
}
