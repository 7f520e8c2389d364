// What becomes of a personal value: dropped, masked, or replaced by a keyed pseudonym.
// SPDX-License-Identifier: Apache-2.0
import CCrypto
import Diagnostics
import Foundation

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
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let done = HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &digest, &length)
    precondition(done != nil && length == 32, "HMAC-SHA256 gives 32 bytes")
    let digits = Array("0123456789abcdef".utf8)
    return "p_" + String(decoding: digest.prefix(8).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  static func mask(_ value: String) -> String {
    String(value.map { $0.isLetter || $0.isNumber ? "*" : $0 })
  }
}
