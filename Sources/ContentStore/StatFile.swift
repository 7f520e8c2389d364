// The stat cache on disk: one file, read whole, whose rows are used where they lie.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Header, table of folders sorted by algorithm and path, rows, names, paths; all little-endian.
///
/// A checksum over all of it finds what was cut short or damaged. It is no cryptographic one, which would cost more than
/// reading: who can write this file can also write the project's files.
final class StatFile: @unchecked Sendable {
  // Guarded by being immutable: the memory is filled in `init` and freed in `deinit`.
  private let memory: UnsafeMutableRawBufferPointer
  let seed: ListPrint
  private let folders: UnsafeBufferPointer<Folder>
  private let rows: UnsafePointer<FolderStats.Row>
  private let names: UnsafePointer<UInt8>
  private let paths: UnsafePointer<UInt8>

  private struct Header {
    var magic: UInt64
    var version: UInt64
    var folders: UInt64
    var rows: UInt64
    var nameBytes: UInt64
    var pathBytes: UInt64
    /// With which fingerprints of lists are made, so that nobody can make two lists with one.
    var seed: (UInt64, UInt64)
    var sum: (UInt64, UInt64)
  }

  private struct Folder {
    var pathStart: UInt64
    var firstRow: UInt64
    var rows: UInt64
    var nameStart: UInt64
    var print: (UInt64, UInt64)
    var words: (UInt64, UInt64, UInt64, UInt64)
    var pathLength: UInt32
    var algorithm: UInt8
    var hasMemo: UInt8
    var spare: UInt16
  }

  private static let magic: UInt64 = 0x7461_7473_6570_6970  // "pipestat"
  private static let version: UInt64 = 3

  /// `nil` when the file is not there or anything about it is wrong.
  init?(path: String) {
    guard let memory = Self.read(path) else { return nil }
    let header = memory.load(as: Header.self)
    let sizes = [
      (header.folders, MemoryLayout<Folder>.stride), (header.rows, MemoryLayout<FolderStats.Row>.stride), (header.nameBytes, 1),
      (header.pathBytes, 1),
    ]
    var starts: [Int] = []
    var end = MemoryLayout<Header>.stride
    for (count, stride) in sizes {
      starts.append(end)
      guard count <= UInt64(memory.count / stride) else { break }
      end += Int(count) * stride
    }
    guard header.magic == Self.magic, header.version == Self.version, starts.count == 4, end == memory.count,
      Self.sum(memory) == header.sum
    else {
      memory.deallocate()
      return nil
    }
    let base = UnsafeRawPointer(memory.baseAddress!)
    folders = UnsafeBufferPointer(
      start: (base + starts[0]).assumingMemoryBound(to: Folder.self), count: Int(header.folders))
    rows = (base + starts[1]).assumingMemoryBound(to: FolderStats.Row.self)
    names = (base + starts[2]).assumingMemoryBound(to: UInt8.self)
    paths = (base + starts[3]).assumingMemoryBound(to: UInt8.self)
    seed = ListPrint(low: header.seed.0, high: header.seed.1)
    self.memory = memory
    guard isWithinItself(header) else { return nil }
  }

  deinit { memory.deallocate() }

  private static func read(_ path: String) -> UnsafeMutableRawBufferPointer? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    guard let info = FileStat(descriptor), info.kind == .file, info.size >= Int64(MemoryLayout<Header>.stride) else { return nil }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(info.size), alignment: 16)
    var filled = 0
    while filled < memory.count {
      let count = Glibc.read(descriptor, memory.baseAddress! + filled, memory.count - filled)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        memory.deallocate()
        return nil
      }
      filled += count
    }
    return memory
  }

  /// Over all but the sum itself.
  private static func sum(_ memory: UnsafeMutableRawBufferPointer) -> (UInt64, UInt64) {
    var sum = Checksum()
    sum.add(UnsafeRawBufferPointer(rebasing: memory[..<MemoryLayout<Header>.offset(of: \Header.sum)!]))
    sum.add(UnsafeRawBufferPointer(rebasing: memory[MemoryLayout<Header>.stride...]))
    return sum.value
  }

  /// Whether every place that a row or folder names lies within the file.
  private func isWithinItself(_ header: Header) -> Bool {
    for folder in folders {
      guard folder.pathStart <= header.pathBytes, UInt64(folder.pathLength) <= header.pathBytes - folder.pathStart,
        folder.firstRow <= header.rows, folder.rows <= header.rows - folder.firstRow, folder.nameStart <= header.nameBytes,
        Digest.Algorithm(rawValue: folder.algorithm) != nil
      else { return false }
      let room = header.nameBytes - folder.nameStart
      for index in Int(folder.firstRow)..<Int(folder.firstRow + folder.rows)
      where UInt64(rows[index].nameStart) + UInt64(rows[index].nameLength) > room { return false }
    }
    return true
  }

  // MARK: Asking

  var keys: [StatCache.Key] {
    folders.map {
      StatCache.Key(folder: String(decoding: path($0), as: UTF8.self), algorithm: Digest.Algorithm(rawValue: $0.algorithm)!)
    }
  }

  private func path(_ folder: Folder) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: paths + Int(folder.pathStart), count: Int(folder.pathLength))
  }

  static func precedes(_ a: StatCache.Key, _ b: StatCache.Key) -> Bool {
    if a.algorithm != b.algorithm { return a.algorithm.rawValue < b.algorithm.rawValue }
    return FileTree.compare(a.folder, b.folder).order < 0
  }

  private func find(_ key: StatCache.Key) -> Folder? {
    withBytes(key.folder) { wanted in
      let wanted = UnsafeRawBufferPointer(wanted)
      var low = 0
      var high = folders.count
      while low < high {
        let middle = (low + high) / 2
        let folder = folders[middle]
        var order = Int(folder.algorithm) - Int(key.algorithm.rawValue)
        if order == 0 { order = compareNames(path(folder), wanted) }
        if order == 0 { return folder }
        if order < 0 { low = middle + 1 } else { high = middle }
      }
      return nil
    }
  }

  func folder(_ key: StatCache.Key) -> FolderStats? {
    guard let folder = find(key) else { return nil }
    return FolderStats(
      rows: rows + Int(folder.firstRow), count: Int(folder.rows), names: names + Int(folder.nameStart), owner: self)
  }

  func memo(_ key: StatCache.Key) -> StatCache.Memo? {
    guard let folder = find(key), folder.hasMemo == 1 else { return nil }
    return StatCache.Memo(
      print: ListPrint(low: folder.print.0, high: folder.print.1), digest: Digest(key.algorithm, folder.words, isTree: true))
  }

  // MARK: Writing

  /// - Parameter folders: sorted by `precedes`.
  static func write(
    _ folders: [(key: StatCache.Key, stats: FolderStats?, memo: StatCache.Memo?)], seed: ListPrint, to path: String
  )
    throws(StoreError)
  {
    var header = Header(
      magic: magic, version: version, folders: UInt64(folders.count), rows: 0, nameBytes: 0, pathBytes: 0,
      seed: (seed.low, seed.high), sum: (0, 0))
    var table: [Folder] = []
    table.reserveCapacity(folders.count)
    for (key, stats, memo) in folders {
      table.append(
        Folder(
          pathStart: header.pathBytes, firstRow: header.rows, rows: UInt64(stats?.count ?? 0), nameStart: header.nameBytes,
          print: (memo?.print.low ?? 0, memo?.print.high ?? 0), words: memo?.digest.words ?? (0, 0, 0, 0),
          pathLength: UInt32(key.folder.utf8.count), algorithm: key.algorithm.rawValue, hasMemo: memo == nil ? 0 : 1, spare: 0))
      header.rows += UInt64(stats?.count ?? 0)
      header.nameBytes += UInt64(stats?.nameByteCount ?? 0)
      header.pathBytes += UInt64(key.folder.utf8.count)
    }
    let temporary = "\(path).\(getpid())-\(UInt32.random(in: 0 ... .max)).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .system("write", path: path, code: errno) }
    do throws(StoreError) {
      do throws(StoreError) {
        var writer = Writer(descriptor, path)
        try writer.writeAll(&header, table, folders)
      } catch {
        close(descriptor)
        throw error
      }
      guard close(descriptor) == 0, rename(temporary, path) == 0 else { throw .system("write", path: path, code: errno) }
    } catch {
      unlink(temporary)
      throw error
    }
  }

  /// Writes in large pieces and sums on the way.
  private struct Writer: ~Copyable {
    private let descriptor: Int32
    private let path: String
    private var pending: [UInt8] = []
    private var sum = Checksum()

    init(_ descriptor: Int32, _ path: String) {
      self.descriptor = descriptor
      self.path = path
      pending.reserveCapacity(1 << 20)
    }

    mutating func writeAll(
      _ header: inout Header, _ table: [Folder], _ folders: [(key: StatCache.Key, stats: FolderStats?, memo: StatCache.Memo?)]
    ) throws(StoreError) {
      // The header is written again when the sum is known.
      withUnsafeBytes(of: header) { pending.append(contentsOf: $0) }
      withUnsafeBytes(of: header) {
        sum.add(UnsafeRawBufferPointer(rebasing: $0[..<MemoryLayout<Header>.offset(of: \Header.sum)!]))
      }
      for folder in table { try add(folder) }
      for folder in folders {
        guard let stats = folder.stats else { continue }
        var start: UInt32 = 0
        for index in 0..<stats.count {
          var row = stats.row(index)
          row.nameStart = start
          start += UInt32(row.nameLength)
          try add(row)
        }
      }
      for folder in folders {
        guard let stats = folder.stats else { continue }
        for index in 0..<stats.count { try add(bytes: stats.nameBytes(index)) }
      }
      for folder in folders {
        let path = Array(folder.key.folder.utf8)
        sum.add(path)
        pending.append(contentsOf: path)
        try flush(atLeast: 1 << 20)
      }
      try flush(atLeast: 0)
      header.sum = sum.value
      let count = withUnsafeBytes(of: header) { pwrite(descriptor, $0.baseAddress!, $0.count, 0) }
      guard count == MemoryLayout<Header>.stride else { throw .system("write", path: path, code: errno) }
    }

    private mutating func add<Value>(_ value: Value) throws(StoreError) {
      withUnsafeBytes(of: value) { bytes in
        sum.add(bytes)
        pending.append(contentsOf: bytes)
      }
      try flush(atLeast: 1 << 20)
    }

    private mutating func add(bytes: UnsafeRawBufferPointer) throws(StoreError) {
      sum.add(bytes)
      pending.append(contentsOf: bytes)
      try flush(atLeast: 1 << 20)
    }

    private mutating func flush(atLeast limit: Int) throws(StoreError) {
      guard pending.count >= limit, !pending.isEmpty else { return }
      try AtomicFile.writeAll(pending, to: descriptor, path: path)
      pending.removeAll(keepingCapacity: true)
    }
  }
}

/// A sum over bytes that come in pieces; how they are cut does not matter.
private struct Checksum {
  private var mix = ListPrint(low: 1, high: 2)
  private var word: UInt64 = 0
  private var filled: UInt64 = 0
  private var count: UInt64 = 0

  mutating func add(_ bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    count += UInt64(bytes.count)
    var position = 0
    while filled != 0, position < bytes.count { addByte(bytes[position], &position) }
    while bytes.count - position >= 8 {
      mix.mix(bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position += 8
    }
    while position < bytes.count { addByte(bytes[position], &position) }
  }

  private mutating func addByte(_ byte: UInt8, _ position: inout Int) {
    word |= UInt64(byte) << (8 * filled)
    filled += 1
    position += 1
    if filled == 8 {
      mix.mix(word)
      word = 0
      filled = 0
    }
  }

  var value: (UInt64, UInt64) {
    var end = mix
    end.mix(word)
    end.mix(count)
    return (end.low, end.high)
  }
}
