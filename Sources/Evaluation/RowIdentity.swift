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
  private let mask: Int

  /// - Parameter rows: no more are taken up.
  init(for rows: Int) {
    var size = 16
    while size * 3 < rows * 4 { size *= 2 }
    slots = [UInt32](repeating: 0, count: size)
    mask = size - 1
  }

  init(_ ids: [UInt64]) {
    self.init(for: ids.count)
    for row in ids.indices { _ = insert(row, of: ids) }
  }

  /// The row that has this id.
  func row(of id: UInt64, in ids: [UInt64]) -> Int? {
    let slot = slot(of: id, in: ids)
    return slots[slot] == 0 ? nil : Int(slots[slot] - 1)
  }

  /// Takes up the row; gives the one that has the same id already, and then changes nothing.
  mutating func insert(_ row: Int, of ids: [UInt64]) -> Int? {
    let slot = slot(of: ids[row], in: ids)
    if slots[slot] != 0 { return Int(slots[slot] - 1) }
    slots[slot] = UInt32(row + 1)
    return nil
  }

  /// Where the id is, or would be.
  private func slot(of id: UInt64, in ids: [UInt64]) -> Int {
    var slot = Int(truncatingIfNeeded: id) & mask
    while slots[slot] != 0, ids[Int(slots[slot] - 1)] != id { slot = (slot + 1) & mask }
    return slot
  }
}

/// Ids in buckets by their first bits, so that an index of one bucket at a time is in memory. Equal ids are in one bucket, where rows
/// rise.
struct IDBuckets {
  /// Ids of a bucket, about.
  private static let size = 1 << 17

  private let ids: RowValues<UInt64>
  private let rows: RowValues<UInt32>
  private let parts: RowParts

  /// - Parameter count: a power of two.
  private init(_ ids: RowValues<UInt64>, buckets count: Int) {
    let numbers = RowValues(count: ids.count, in: ids.scratch) { UInt32(ids[$0].multipliedFullWidth(by: UInt64(count)).high) }
    parts = RowParts(numbers, parts: count)
    self.ids = ids.grouped(by: parts)
    rows = RowValues(count: ids.count, in: ids.scratch) { UInt32($0) }.grouped(by: parts)
  }

  private static func buckets(for rows: Int) -> Int {
    var count = 1
    while rows > count * size { count *= 2 }
    return count
  }

  /// The first row that has the id of one before it, and that one.
  static func firstRepetition(_ ids: RowValues<UInt64>) -> (first: Int, second: Int)? {
    let buckets = IDBuckets(ids, buckets: buckets(for: ids.count))
    var found: (first: Int, second: Int)?
    for part in buckets.parts.indices {
      let places = buckets.parts.rows(part)
      let own = Array(buckets.ids[places])
      var index = RowIndex(for: own.count)
      for place in own.indices {
        guard let other = index.insert(place, of: own) else { continue }
        let second = Int(buckets.rows[places.lowerBound + place])
        if second < found?.second ?? .max { found = (Int(buckets.rows[places.lowerBound + other]), second) }
        break
      }
    }
    return found
  }

  /// By row of the first table: the row of the second with its id, counted from 1; 0 where there is none.
  static func matches(_ ids: RowValues<UInt64>, in others: RowValues<UInt64>) -> RowValues<UInt32> {
    let count = buckets(for: max(ids.count, others.count))
    let (wanted, offered) = (IDBuckets(ids, buckets: count), IDBuckets(others, buckets: count))
    var found = RowValues<UInt32>(repeating: 0, count: ids.count, in: ids.scratch)
    for part in 0..<count {
      let places = offered.parts.rows(part)
      let own = Array(offered.ids[places])
      let index = RowIndex(own)
      for place in wanted.parts.rows(part) {
        guard let other = index.row(of: wanted.ids[place], in: own) else { continue }
        found[Int(wanted.rows[place])] = offered.rows[places.lowerBound + other] + 1
      }
    }
    return found
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
