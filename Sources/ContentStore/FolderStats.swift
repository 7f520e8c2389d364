// What is known of the files in one folder: fixed rows sorted by name, and the names behind one another.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Rows of a folder's files. Never changed once made; the memory is its own or that of the file it was read from.
final class FolderStats: @unchecked Sendable {
  // Guarded by being immutable: `rows` and `names` are written before the value is handed on and freed with it.
  let count: Int
  private let rows: UnsafePointer<Row>
  private let names: UnsafePointer<UInt8>
  private let owner: AnyObject?

  /// 80 bytes, as they stand in the file.
  struct Row {
    var inode: UInt64
    var size: Int64
    var modified: Int64
    var changed: Int64
    var words: (UInt64, UInt64, UInt64, UInt64)
    var mode: UInt32
    var nameStart: UInt32
    var nameLength: UInt16
    var isTrusted: UInt8
    var spare: UInt8 = 0
    var more: UInt32 = 0
  }

  struct Entry: Sendable {
    var stat: FileStat
    var digest: Digest
    var isTrusted: Bool
  }

  /// Rows inside a file that was read; the caller has checked that they and their names lie within it.
  init(rows: UnsafePointer<Row>, count: Int, names: UnsafePointer<UInt8>, owner: AnyObject) {
    self.rows = rows
    self.count = count
    self.names = names
    self.owner = owner
  }

  deinit {
    guard owner == nil else { return }
    rows.deallocate()
    names.deallocate()
  }

  /// - Parameters:
  ///   - nameBytes: how many bytes all names have together, at least.
  ///   - fill: called for each index; writes the name, of which all are sorted by bytes, and says its length.
  init(count: Int, nameBytes: Int, fill: (Int, UnsafeMutablePointer<UInt8>) -> (length: Int, entry: Entry)) {
    let rows = UnsafeMutablePointer<Row>.allocate(capacity: max(1, count))
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, nameBytes))
    var start = 0
    for index in 0..<count {
      let (length, value) = fill(index, bytes + start)
      (rows + index).initialize(to: Self.row(value, start, length))
      start += length
    }
    self.count = count
    self.rows = UnsafePointer(rows)
    self.names = UnsafePointer(bytes)
    owner = nil
  }

  private static func row(_ entry: Entry, _ start: Int, _ length: Int) -> Row {
    Row(
      inode: entry.stat.inode, size: entry.stat.size, modified: entry.stat.modified, changed: entry.stat.changed,
      words: entry.digest.words, mode: entry.stat.mode, nameStart: UInt32(start), nameLength: UInt16(length),
      isTrusted: entry.isTrusted ? 1 : 0)
  }

  /// Other rows, with some entries added or replaced.
  convenience init(_ old: FolderStats?, with entries: [String: Entry], _ algorithm: Digest.Algorithm) {
    var all: [(name: [UInt8], entry: Entry)] = entries.map { (Array($0.key.utf8), $0.value) }
    if let old {
      for index in 0..<old.count where entries[old.name(index)] == nil {
        all.append((Array(old.nameBytes(index)), old.entry(index, algorithm)))
      }
    }
    all.sort { $0.name.lexicographicallyPrecedes($1.name) }
    self.init(all, algorithm)
  }

  private convenience init(_ all: [(name: [UInt8], entry: Entry)], _ algorithm: Digest.Algorithm) {
    self.init(count: all.count, nameBytes: all.reduce(0) { $0 + $1.name.count }) { (index, names) in
      let name = all[index].name
      for (offset, byte) in name.enumerated() { names[offset] = byte }
      return (name.count, all[index].entry)
    }
  }

  /// Those rows whose name passes; `nil` when all do.
  func filtered(_ isKept: (String) -> Bool, _ algorithm: Digest.Algorithm) -> FolderStats? {
    let kept = (0..<count).filter { isKept(name($0)) }
    guard kept.count < count else { return nil }
    return FolderStats(kept.map { (Array(nameBytes($0)), entry($0, algorithm)) }, algorithm)
  }

  func nameBytes(_ index: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: names + Int(rows[index].nameStart), count: Int(rows[index].nameLength))
  }

  func name(_ index: Int) -> String { String(decoding: nameBytes(index), as: UTF8.self) }

  func row(_ index: Int) -> Row { rows[index] }

  var nameByteCount: Int { (0..<count).reduce(0) { $0 + Int(rows[$1].nameLength) } }

  func entry(_ index: Int, _ algorithm: Digest.Algorithm) -> Entry {
    let row = rows[index]
    return Entry(
      stat: FileStat(inode: row.inode, size: row.size, modified: row.modified, changed: row.changed, mode: row.mode),
      digest: Digest(algorithm, row.words, isTree: false), isTrusted: row.isTrusted == 1)
  }

  var hasUntrusted: Bool { (0..<count).contains { rows[$0].isTrusted == 0 } }

  func index(of name: String) -> Int? {
    withBytes(name) { wanted in
      let wanted = UnsafeRawBufferPointer(wanted)
      return lowerBound(wanted).flatMap { compareNames(nameBytes($0), wanted) == 0 ? $0 : nil }
    }
  }

  /// Index of the first name that is not before another; `nil` when all are.
  func lowerBound(_ wanted: UnsafeRawBufferPointer) -> Int? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if compareNames(nameBytes(middle), wanted) < 0 { low = middle + 1 } else { high = middle }
    }
    return low < count ? low : nil
  }
}

/// By bytes, the shorter first.
@inline(__always)
func compareNames(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
  let shared = min(a.count, b.count)
  let order = shared == 0 ? 0 : memcmp(a.baseAddress!, b.baseAddress!, shared)
  return order != 0 ? Int(order) : a.count - b.count
}
