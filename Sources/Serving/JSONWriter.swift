// Writes JSON text, member by member, in the order of the calls.
// SPDX-License-Identifier: Apache-2.0

/// A growing JSON text. The caller keeps objects balanced; commas and escapes are its own work.
package struct JSONWriter {
  package private(set) var bytes: [UInt8]
  private var needsComma = false

  package init(reserving capacity: Int = 512) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  // MARK: Structure

  /// Opens an object; with a name, as the value of that member.
  package mutating func beginObject(_ name: String? = nil) { begin(name, UInt8(ascii: "{")) }
  package mutating func endObject() { end(UInt8(ascii: "}")) }
  package mutating func beginList(_ name: String? = nil) { begin(name, UInt8(ascii: "[")) }
  package mutating func endList() { end(UInt8(ascii: "]")) }

  private mutating func begin(_ name: String?, _ bracket: UInt8) {
    separate(name)
    bytes.append(bracket)
    needsComma = false
  }

  private mutating func end(_ bracket: UInt8) {
    bytes.append(bracket)
    needsComma = true
  }

  // MARK: Members; without a name, elements of a list

  package mutating func text(_ name: String? = nil, _ value: String) {
    separate(name)
    quote(value)
  }

  package mutating func integer(_ name: String? = nil, _ value: Int) {
    separate(name)
    bytes.append(contentsOf: value.description.utf8)
  }

  /// The shortest decimal that reads back to the same double; `null` where there is no finite number.
  package mutating func number(_ name: String? = nil, _ value: Double?) {
    separate(name)
    if let value, value.isFinite {
      bytes.append(contentsOf: value.description.utf8)
    } else {
      bytes.append(contentsOf: "null".utf8)
    }
  }

  package mutating func boolean(_ name: String? = nil, _ value: Bool) {
    separate(name)
    bytes.append(contentsOf: (value ? "true" : "false").utf8)
  }

  package mutating func null(_ name: String? = nil) {
    separate(name)
    bytes.append(contentsOf: "null".utf8)
  }

  /// Text that is JSON already.
  package mutating func raw(_ name: String? = nil, _ json: [UInt8]) {
    separate(name)
    bytes.append(contentsOf: json)
  }

  // MARK: Pieces

  private mutating func separate(_ name: String?) {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
    guard let name else { return }
    quote(name)
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func quote(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0..<0x20, 0x7F:
        let digits = Array("0123456789abcdef".utf8)
        bytes.append(contentsOf: "\\u00".utf8)
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
