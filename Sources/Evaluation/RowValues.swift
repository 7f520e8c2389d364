// One value a row: in memory while they are few, in a file that the kernel pages where they are many.
// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Values of one fixed size, one a row: an array that memory need not hold. Copies share the values until one of them changes.
///
/// Up to `Scratch.limit` bytes are in memory. More are in a file without a name that is mapped: the kernel writes pages of it away
/// when memory gets short, and reads them again. That is as fast as memory for those who go through the rows in order, and slow for
/// those who leap; hence `sort(by:)`, `selecting(_:)` and `init(count:in:placing:)`, which work on one stretch after the other.
package struct RowValues<Value: BitwiseCopyable & Sendable>: Sendable {
  package private(set) var count = 0
  /// Where it goes when it is large.
  let scratch: Scratch
  private var room: Room

  init(in scratch: Scratch, reserving capacity: Int = 0) {
    self.scratch = scratch
    room = Room(bytes: capacity * MemoryLayout<Value>.stride, in: scratch)
  }

  /// - Parameter value: of each row, asked in order.
  init(count: Int, in scratch: Scratch, _ value: (Int) -> Value) {
    self.init(in: scratch, reserving: count)
    let values = room.values(Value.self)
    for row in 0..<count { (values + row).initialize(to: value(row)) }
    self.count = count
  }

  init(repeating value: Value, count: Int, in scratch: Scratch) { self.init(count: count, in: scratch) { _ in value } }

  /// Values that come with their rows in any order.
  ///
  /// - Parameter placed: a row and its value for each of 0..<count, every row once; asked once for each stretch of the rows.
  init(count: Int, in scratch: Scratch, placing placed: (Int) -> (row: Int, value: Value)) {
    self.init(in: scratch, reserving: count)
    let values = room.values(Value.self)
    for stretch in stretches(of: count) {
      for place in 0..<count {
        let (row, value) = placed(place)
        if stretch.contains(row) { (values + row).initialize(to: value) }
      }
    }
    self.count = count
  }

  /// Values that come with their rows, so that neighbours or a few places at a time are written to.
  ///
  /// - Parameter placed: a row and its value for each of 0..<count, every row once.
  init(count: Int, in scratch: Scratch, scattering placed: (Int) -> (row: Int, value: Value)) {
    self.init(in: scratch, reserving: count)
    let values = room.values(Value.self)
    for place in 0..<count {
      let (row, value) = placed(place)
      precondition(row >= 0 && row < count, "there is a value for each row, and for no other")
      (values + row).initialize(to: value)
    }
    self.count = count
  }

  package init(_ values: some Sequence<Value>) {
    self.init(in: .memory, reserving: values.underestimatedCount)
    for value in values { append(value) }
  }

  // MARK: One value

  @inline(__always)
  mutating func append(_ value: Value) {
    if count * MemoryLayout<Value>.stride == room.capacity || !isKnownUniquelyReferenced(&room) { makeRoom(for: count + 1) }
    (room.values(Value.self) + count).initialize(to: value)
    count += 1
  }

  /// Own room for some values at least: twice as much as now, where there is not enough.
  private mutating func makeRoom(for wanted: Int) {
    let stride = MemoryLayout<Value>.stride
    let isEnough = wanted * stride <= room.capacity
    let larger = Room(bytes: isEnough ? room.capacity : Swift.max(wanted, 2 * count, 16) * stride, in: scratch)
    larger.values(Value.self).update(from: room.values(Value.self), count: count)
    room = larger
  }

  // MARK: All values

  /// Whether it is in a file.
  var isInFile: Bool { room.isMapped }

  func withUnsafeBufferPointer<Result>(_ body: (UnsafeBufferPointer<Value>) throws -> Result) rethrows -> Result {
    defer { extendLifetime(room) }
    return try body(UnsafeBufferPointer(start: room.values(Value.self), count: count))
  }

  mutating func withUnsafeMutableBufferPointer<Result>(
    _ body: (UnsafeMutableBufferPointer<Value>) throws -> Result
  ) rethrows -> Result {
    if !isKnownUniquelyReferenced(&room) { makeRoom(for: count) }
    defer { extendLifetime(room) }
    return try body(UnsafeMutableBufferPointer(start: room.values(Value.self), count: count))
  }

  /// Stable. What is in a file is sorted in runs that memory can hold, which are merged.
  mutating func sort(by precedes: (Value, Value) -> Bool) {
    let run = isInFile ? Swift.max(1, scratch.limit / MemoryLayout<Value>.stride) : Swift.max(1, count)
    let runs = stride(from: 0, to: count, by: run).map { $0..<Swift.min($0 + run, count) }
    withUnsafeMutableBufferPointer { values in
      for run in runs { values[run].sort(by: precedes) }
    }
    guard runs.count > 1 else { return }
    self = withUnsafeBufferPointer { values in
      var merged = RowValues(in: scratch, reserving: count)
      let comesFirst = { (a: Int, b: Int) in precedes(values[a], values[b]) }
      var heads = RunHeads(runs, by: comesFirst)
      while let place = heads.next(by: comesFirst) { merged.append(values[place]) }
      return merged
    }
  }

  /// The values of these rows, in this order.
  func selecting(_ rows: RowValues<UInt32>) -> RowValues {
    var selected = RowValues(in: scratch, reserving: rows.count)
    selected.count = rows.count
    for stretch in stretches(of: count) {
      for place in 0..<rows.count {
        let row = Int(rows[place])
        if stretch.contains(row) { (selected.room.values(Value.self) + place).initialize(to: self[row]) }
      }
    }
    return selected
  }

  /// The values of neighbouring rows.
  func selecting(_ rows: Range<Int>) -> RowValues {
    RowValues(count: rows.count, in: scratch) { self[rows.lowerBound + $0] }
  }

  /// Rows that may be leapt among: their pages are a few times what a column may have in memory.
  private func stretches(of count: Int) -> [Range<Int>] {
    let length = isInFile ? Swift.max(1, 16 * scratch.limit / MemoryLayout<Value>.stride) : Swift.max(1, count)
    return stride(from: 0, to: count, by: length).map { $0..<Swift.min($0 + length, count) }
  }
}

extension RowValues where Value: Comparable {
  mutating func sort() { sort(by: <) }
}

extension RowValues: RandomAccessCollection, MutableCollection {
  package var startIndex: Int { 0 }
  package var endIndex: Int { count }

  package subscript(row: Int) -> Value {
    @inline(__always) get {
      precondition(row >= 0 && row < count, "there is a value for each row, and for no other")
      defer { extendLifetime(room) }
      return room.values(Value.self)[row]
    }
    @inline(__always) set {
      precondition(row >= 0 && row < count, "there is a value for each row, and for no other")
      if !isKnownUniquelyReferenced(&room) { makeRoom(for: count) }
      room.values(Value.self)[row] = newValue
    }
  }

  package func withContiguousStorageIfAvailable<Result>(
    _ body: (UnsafeBufferPointer<Value>) throws -> Result
  ) rethrows -> Result? { try withUnsafeBufferPointer(body) }
}

extension RowValues: ExpressibleByArrayLiteral {
  package init(arrayLiteral values: Value...) { self.init(values) }
}

extension RowValues: Equatable where Value: Equatable {
  package static func == (a: RowValues, b: RowValues) -> Bool {
    a.count == b.count && (a.room === b.room || (0..<a.count).allSatisfy { a[$0] == b[$0] })
  }
}

/// Bytes of one column. `@unchecked`: it is written by the one `RowValues` that holds it, and read only while several do.
private final class Room: @unchecked Sendable {
  private let bytes: UnsafeMutableRawPointer
  /// In bytes.
  let capacity: Int
  /// Whether it is a mapped file.
  let isMapped: Bool

  init(bytes wanted: Int, in scratch: Scratch) {
    capacity = wanted
    if wanted > scratch.limit, let mapped = scratch.map(wanted) {
      (bytes, isMapped) = (mapped, true)
    } else {
      // The alignment of the widest vector.
      (bytes, isMapped) = (UnsafeMutableRawPointer.allocate(byteCount: max(1, wanted), alignment: 128), false)
    }
  }

  deinit {
    if isMapped { munmap(bytes, capacity) } else { bytes.deallocate() }
  }

  /// Valid as long as the room is.
  @inline(__always)
  func values<Value>(_ type: Value.Type) -> UnsafeMutablePointer<Value> { bytes.assumingMemoryBound(to: type) }
}

/// The next of several sorted runs: a heap of their first places. Of equal ones that of the earlier run comes first.
private struct RunHeads {
  private var heap: [Range<Int>] = []

  init(_ runs: [Range<Int>], by precedes: (Int, Int) -> Bool) {
    heap = runs
    for place in heap.indices.reversed() { sink(place, precedes) }
  }

  mutating func next(by precedes: (Int, Int) -> Bool) -> Int? {
    guard let first = heap.first else { return nil }
    if first.count > 1 {
      heap[0] = first.dropFirst()
    } else {
      heap.swapAt(0, heap.count - 1)
      heap.removeLast()
    }
    sink(0, precedes)
    return first.lowerBound
  }

  @inline(__always)
  private mutating func sink(_ start: Int, _ precedes: (Int, Int) -> Bool) {
    var place = start
    while true {
      var least = place
      if 2 * place + 1 < heap.count, comesFirst(2 * place + 1, least, precedes) { least = 2 * place + 1 }
      if 2 * place + 2 < heap.count, comesFirst(2 * place + 2, least, precedes) { least = 2 * place + 2 }
      if least == place { return }
      heap.swapAt(place, least)
      place = least
    }
  }

  @inline(__always)
  private func comesFirst(_ a: Int, _ b: Int, _ precedes: (Int, Int) -> Bool) -> Bool {
    let (first, second) = (heap[a].lowerBound, heap[b].lowerBound)
    if precedes(first, second) { return true }
    return first < second && !precedes(second, first)
  }
}
