// What becomes of a personal value: dropped, masked, or replaced by a keyed pseudonym.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import Hashing

/// How a personal column leaves `prepare`.
enum PersonalRule: String, CaseIterable {
  /// The column is left out.
  case drop
  /// Every letter and digit becomes `*`; length and punctuation stay.
  case mask
  /// The same person keeps the same pseudonym, and nobody without the key can make or check one.
  case pseudonym
}

/// HMAC-SHA256 pseudonyms under one key.
struct Pseudonymizer {
  private let key: [UInt8]

  init(key: String) { self.key = Array(key.utf8) }

  /// The first 16 hexadecimal digits of HMAC-SHA256(key, column, 0, value) behind `p_`. The column takes part, so that a name and
  /// an address with the same spelling do not meet.
  func pseudonym(of value: String, column: String) -> String {
    let message = Array(column.utf8) + [0] + Array(value.utf8)
    return "p_" + hexadecimal(hmacSHA256(key: key, message: message).prefix(8))
  }

  static func mask(_ value: String) -> String {
    String(value.map { $0.isLetter || $0.isNumber ? "*" : $0 })
  }
}
