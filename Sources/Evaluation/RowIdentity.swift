// Identifiers as 64-bit hashes, and the search for a row by one.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Tabular

/// Hashes of texts. Texts of one length up to eight bytes never share a hash; of n longer ones, a pair does with a chance of
/// n² / 2⁶⁵ (for 10 million 3 in a million). Within a table that is noticed: `PredictionReader` compares the texts.
enum TextHash {
  static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var state = Bootstrap.mix(UInt64(bytes.count) &+ 0x9E37_79B9_7F4A_7C15)
    guard let base = bytes.baseAddress else { return state }
    let raw = UnsafeRawPointer(base)
    var at = 0
    while at + 8 <= bytes.count {
      state = Bootstrap.mix(state ^ raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
      at += 8
    }
    if at < bytes.count {
      var tail: UInt64 = 0
      while at < bytes.count {
        tail = tail << 8 | UInt64(bytes[at])
        at += 1
      }
      state = Bootstrap.mix(state ^ tail)
    }
    return state
  }

  static func hash(_ text: String) -> UInt64 {
    var text = text
    return text.withUTF8 { hash($0) }
  }
}

/// Finds the row that has an id: open addressing over row numbers, four bytes a slot.
struct RowIndex {
  private var slots: [UInt32]
  private var mask: Int
  private(set) var count = 0

  /// - Parameter rows: how many are expected; more make it grow.
  init(expecting rows: Int) {
    var size = 16
    while size * 3 < rows * 4 { size *= 2 }
    slots = [UInt32](repeating: 0, count: size)
    mask = size - 1
  }

  init(_ ids: [UInt64]) {
    self.init(expecting: ids.count)
    for row in ids.indices { _ = insert(row, of: ids) }
  }

  /// The row that has this id.
  func row(of id: UInt64, in ids: [UInt64]) -> Int? {
    var slot = Int(truncatingIfNeeded: id) & mask
    while slots[slot] != 0 {
      let row = Int(slots[slot] - 1)
      if ids[row] == id { return row }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// Takes up the row; gives the one that has the same id already, and then changes nothing.
  mutating func insert(_ row: Int, of ids: [UInt64]) -> Int? {
    if (count + 1) * 4 > slots.count * 3 { grow(ids) }
    var slot = Int(truncatingIfNeeded: ids[row]) & mask
    while slots[slot] != 0 {
      let other = Int(slots[slot] - 1)
      if ids[other] == ids[row] { return other }
      slot = (slot + 1) & mask
    }
    slots[slot] = UInt32(row + 1)
    count += 1
    return nil
  }

  private mutating func grow(_ ids: [UInt64]) {
    var larger = RowIndex(expecting: slots.count * 3 / 2)
    for slot in slots where slot != 0 { _ = larger.insert(Int(slot - 1), of: ids) }
    self = larger
  }
}

/// Gives each different text of a column a number, in the order in which they are met.
struct TextNumbers {
  private(set) var texts: [String] = []
  private var numbers: [UInt64: UInt32] = [:]
  private var last: (hash: UInt64, number: UInt32)?

  /// The number of a field's text.
  mutating func number(_ stream: borrowing CSVRowStream, _ field: Int) throws(Diagnostic) -> UInt32 {
    if stream.hasDoubledQuotes(field) { return number(of: try stream.text(field)) }
    let bytes = stream.bytes(field)
    let hash = TextHash.hash(bytes)
    if let known = known(bytes, hash) { return known }
    return add(try stream.text(field), hash)
  }

  mutating func number(of text: String) -> UInt32 {
    var text = text
    let hash = TextHash.hash(text)
    return text.withUTF8 { known($0, hash) } ?? add(text, hash)
  }

  private mutating func known(_ bytes: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> UInt32? {
    if let last, last.hash == hash, isSame(bytes, last.number) { return last.number }
    // Another text may have this hash: then the next one was as good.
    var slot = hash
    while let number = numbers[slot] {
      if isSame(bytes, number) {
        last = (hash, number)
        return number
      }
      slot &+= 1
    }
    return nil
  }

  private mutating func add(_ text: String, _ hash: UInt64) -> UInt32 {
    var slot = hash
    while numbers[slot] != nil { slot &+= 1 }
    let number = UInt32(texts.count)
    texts.append(text)
    numbers[slot] = number
    return number
  }

  private func isSame(_ bytes: UnsafeBufferPointer<UInt8>, _ number: UInt32) -> Bool {
    texts[Int(number)].utf8.elementsEqual(bytes)
  }
}
