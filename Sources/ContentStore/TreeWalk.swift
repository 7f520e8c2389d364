// A directory looked at as a whole: listed, compared with what is known, and only what is new hashed.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

/// One look at a directory and all below it, by several threads, in steps: list level by level; stat every file and take
/// its digest from the cache, or read small files at once; read the large ones; put the tree together.
struct TreeWalk: Sendable {
  let top: String
  let algorithm: Digest.Algorithm
  /// `nil` hashes only; else every file is kept there too, read once for both.
  let store: OpenStore?
  /// What is left out, with the top's place below the rules' root; `nil` is nothing.
  let rules: (list: IgnoreRules, folder: String)?

  /// What is known of one file at the end.
  struct File: Sendable {
    enum State: UInt8, Sendable { case unseen, known, learned, leftOut, large }
    var stat = FileStat(inode: 0, size: 0, modified: 0, changed: 0, mode: 0)
    var digest = Digest(.sha256, (0, 0, 0, 0), isTree: false)
    var state = State.unseen
    var isTrusted = false
  }

  struct Result: Sendable {
    var scans: [FolderScan]
    var files: Slots<File>
  }

  private static let pieceLength = 512
  private static let small = 128 << 10

  // MARK: Steps

  /// - Parameter load: gives folders what the cache knows of them.
  func run(load: ([FolderScan]) -> Void) throws(StoreError) -> Result {
    let scans = try list()
    var count = 0
    for scan in scans {
      scan.firstFile = count
      count += scan.fileCount
    }
    load(scans)
    let files = Slots(count, File())
    let large = Mutex<[(scan: Int, file: Int)]>([])
    var pieces: [(scan: Int, files: Range<Int>)] = []
    for (index, scan) in scans.enumerated() {
      for start in stride(from: 0, to: scan.fileCount, by: Self.pieceLength) {
        pieces.append((index, start..<min(start + Self.pieceLength, scan.fileCount)))
      }
    }
    let work = pieces
    try Workers.run(work.count, piece: 1) { (range, room) throws(StoreError) in
      for index in range {
        let left = try look(scans[work[index].scan], work[index].files, files, room)
        if !left.isEmpty { large.withLock { $0 += left.map { (work[index].scan, $0) } } }
      }
    }
    // The largest first, so that no thread is left alone with one at the end.
    let rest = large.withLock { $0 }.sorted {
      files[scans[$0.scan].firstFile + $0.file].stat.size > files[scans[$1.scan].firstFile + $1.file].stat.size
    }
    try Workers.run(rest.count, piece: 1) { (range, room) throws(StoreError) in
      for index in range { try readLarge(scans[rest[index].scan], rest[index].file, files, room) }
    }
    return Result(scans: scans, files: files)
  }

  private func list() throws(StoreError) -> [FolderScan] {
    var scans = [FolderScan(path: top, prefix: "")]
    var done = 0
    while done < scans.count {
      let level = Array(scans[done...])
      let isTop = done == 0
      try Workers.run(level.count, piece: 4) { (range, _) throws(StoreError) in
        for index in range { try list(level[index], isTop: isTop) }
      }
      done = scans.count
      for scan in level {
        scan.number { name in
          scans.append(FolderScan(path: "\(scan.path)/\(name)", prefix: "\(scan.prefix)\(name)/"))
          return scans.count - 1
        }
      }
    }
    return scans
  }

  private func list(_ scan: FolderScan, isTop: Bool) throws(StoreError) {
    guard let rules else {
      return try scan.list(isTop: isTop, isLeftOut: { (_, _) throws(StoreError) in false }, looksAtNames: false)
    }
    let folder =
      rules.folder.isEmpty
      ? String(scan.prefix.dropLast()) : scan.prefix.isEmpty ? rules.folder : "\(rules.folder)/\(scan.prefix.dropLast())"
    let list = rules.list.rules(in: folder)
    try scan.list(
      isTop: isTop,
      isLeftOut: { (name, isFolder) throws(StoreError) in
        if name == rules.list.fileName, !rules.folder.isEmpty {
          throw .malformedFile(
            path: "\(scan.path)/\(name)", why: "an ignore file cannot lie in a directory that is kept as a whole")
        }
        let path = folder.isEmpty ? name : "\(folder)/\(name)"
        if isFolder, rules.list.isProject(path) { return true }
        return list.rule(for: path, isDirectory: isFolder)?.ignores == true
      }, looksAtNames: !list.isUsual)
  }

  // MARK: Files

  /// Looks at some files of a folder.
  ///
  /// - Returns: those that are large and must be read.
  private func look(_ scan: FolderScan, _ range: Range<Int>, _ files: Slots<File>, _ room: Workers.Room) throws(StoreError)
    -> [Int]
  {
    let folder = Glibc.open(scan.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw .system("open", path: scan.path, code: errno) }
    defer { close(folder) }
    let items = scan.files
    var large: [Int] = []
    var hint = 0
    // Before any stat: what is as young as this may change unseen.
    let now = StatCache.coarseNow()
    for index in range {
      let item = items[index]
      let row = row(of: item, scan, &hint)
      // What nobody knows must be read: it is opened at once, and looked at when it is open.
      var descriptor: Int32 = row == nil && item.kind == .file ? open(item, scan, folder) : -1
      defer { if descriptor >= 0 { close(descriptor) } }
      var file = File()
      if descriptor >= 0, let stat = FileStat(descriptor), stat.kind == .file {
        file.stat = stat
      } else {
        file = try stat(scan, item, folder)
        if let row, file.state != .leftOut { take(row, into: &file) }
      }
      if file.state != .leftOut, file.state != .known || store != nil {
        if try !read(&file, scan, item, folder, &descriptor, now, room) { large.append(index) }
      }
      files[scan.firstFile + index] = file
    }
    return large
  }

  private func stat(_ scan: FolderScan, _ item: FolderScan.Item, _ folder: Int32) throws(StoreError) -> File {
    var info = Glibc.stat()
    let code = scan.withName(item) { fstatat(folder, $0, &info, 0) }
    var file = File()
    guard code == 0 else {
      guard errno == ENOENT, item.kind == .link, store == nil else {
        throw .system("follow the link", path: scan.path(item), code: errno)
      }
      // A link whose object is gone: nothing to look at, and nothing that could be kept.
      file.state = .leftOut
      return file
    }
    file.stat = FileStat(info)
    switch file.stat.kind {
    case .file: return file
    // DVC passes over a link to a folder.
    case .directory where algorithm != .sha256: file.state = .leftOut
    default: throw .specialFile(path: scan.path(item))
    }
    return file
  }

  /// Opens a regular file; what has become something else in the meantime is not waited for.
  private func open(_ item: FolderScan.Item, _ scan: FolderScan, _ folder: Int32) -> Int32 {
    scan.withName(item) { openat(folder, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
  }

  /// What the cache knows under an item's name.
  ///
  /// - Parameter hint: where it is likely to be.
  private func row(of item: FolderScan.Item, _ scan: FolderScan, _ hint: inout Int) -> FolderStats.Row? {
    guard let known = scan.known, known.count > 0 else { return nil }
    return scan.withNameBytes(item) { name in
      if hint == 0 || hint >= known.count || compareNames(known.nameBytes(hint), name) != 0 {
        guard let found = known.lowerBound(name), compareNames(known.nameBytes(found), name) == 0 else { return nil }
        hint = found
      }
      hint += 1
      return known.row(hint - 1)
    }
  }

  /// Believes the cache when the stat is the one it has.
  private func take(_ row: FolderStats.Row, into file: inout File) {
    let stat = file.stat
    guard row.isTrusted == 1, row.inode == stat.inode, row.size == stat.size, row.modified == stat.modified,
      row.mode == stat.mode,
      row.changed == stat.changed || stat.isReadOnly
    else { return }
    file = File(stat: stat, digest: Digest(algorithm, row.words, isTree: false), state: .known, isTrusted: true)
  }

  /// Hashes or keeps a small file.
  ///
  /// - Parameter descriptor: the file's, or -1 when it is yet to be opened; the caller closes it.
  /// - Returns: false for a large one, which is left for later.
  private func read(
    _ file: inout File, _ scan: FolderScan, _ item: FolderScan.Item, _ folder: Int32, _ descriptor: inout Int32, _ now: Int64,
    _ room: Workers.Room
  ) throws(StoreError) -> Bool {
    if file.state == .known {
      guard let store, try !store.contains(file.digest, room) else { return true }
    }
    file.isTrusted = file.isTrusted || file.stat.newestTime < now
    if file.stat.size > Self.small {
      if file.state != .known { file.state = .large }
      return false
    }
    if descriptor < 0 { descriptor = scan.withName(item) { openat(folder, $0, O_RDONLY | O_CLOEXEC) } }
    guard descriptor >= 0 else { throw .system("open", path: scan.path(item), code: errno) }
    var filled = 0
    while filled < Int(file.stat.size) {
      let part = UnsafeMutableRawBufferPointer(rebasing: room.buffer[filled...])
      let count = try FileCopy.readPiece(descriptor, into: part, path: scan.path(item))
      filled += count
      if count == 0 { break }
    }
    guard filled == Int(file.stat.size) else { throw .changedMeanwhile(path: scan.path(item)) }
    let bytes = UnsafeRawBufferPointer(rebasing: room.buffer[..<filled])
    let digest = room.digest(of: bytes, algorithm)
    if file.state == .known, digest != file.digest { throw .changedMeanwhile(path: scan.path(item)) }
    file.digest = digest
    if file.state != .known { file.state = .learned }
    try store?.insert(bytes, as: digest, room)
    return true
  }

  private func readLarge(_ scan: FolderScan, _ index: Int, _ files: Slots<File>, _ room: Workers.Room) throws(StoreError) {
    let path = scan.path(scan.files[index])
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system("open", path: path, code: errno) }
    defer { close(descriptor) }
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    var file = files[scan.firstFile + index]
    if let store {
      let digest = try store.insert(descriptor, path, algorithm, room)
      if file.state == .known, digest != file.digest { throw .changedMeanwhile(path: path) }
      file.digest = digest
    } else {
      file.digest = try Digest.ofOpenFile(descriptor, path: path, algorithm, room).0
    }
    // What is only looked at may be in motion: the next look finds another stat.
    guard store == nil || FileStat(descriptor)?.isAsRead(file.stat) == true else { throw .changedMeanwhile(path: path) }
    if file.state != .known { file.state = .learned }
    files[scan.firstFile + index] = file
  }
}

extension TreeWalk.Result {
  /// Whether a file is a link, or has another name.
  var hasLinks: Bool {
    scans.contains { scan in
      scan.files.indices.contains { scan.files[$0].kind == .link || files[scan.firstFile + $0].stat.links > 1 }
    }
  }

  /// The list of the directory, and its fingerprint.
  func tree(_ seed: ListPrint) -> (tree: FileTree, print: ListPrint) {
    var entries: [FileTree.Entry] = []
    entries.reserveCapacity(files.count)
    var print = seed
    // Where the walk down the folders stands: scan, next item, next file.
    var stack = [(scan: 0, item: 0, file: 0)]
    while let at = stack.last {
      let scan = scans[at.scan]
      guard at.item < scan.items.count else {
        stack.removeLast()
        continue
      }
      let item = scan.items[at.item]
      stack[stack.count - 1].item += 1
      if item.kind == .directory {
        stack.append((Int(item.scan), 0, 0))
        continue
      }
      stack[stack.count - 1].file += 1
      let file = files[scan.firstFile + at.file]
      if file.state == .leftOut { continue }
      let entry = FileTree.Entry(
        path: scan.relativePath(item), digest: file.digest, size: Int(file.stat.size), isExecutable: file.stat.isExecutable)
      print.mix(entry.path, entry.digest, size: file.stat.size, isExecutable: entry.isExecutable)
      entries.append(entry)
    }
    return (FileTree(sorted: entries), print)
  }

  /// Rows of the folders that are not as the cache has them.
  func learned(_ algorithm: Digest.Algorithm) -> [(key: StatCache.Key, stats: FolderStats)] {
    var learned: [(StatCache.Key, FolderStats)] = []
    for scan in scans {
      var kept: [(item: FolderScan.Item, file: Int)] = []
      kept.reserveCapacity(scan.fileCount)
      var isSame = true
      for (offset, item) in scan.files.enumerated() {
        let file = files[scan.firstFile + offset]
        if file.state == .learned { isSame = false }
        if file.state != .leftOut { kept.append((item, scan.firstFile + offset)) }
      }
      if isSame, kept.count == scan.known?.count ?? 0 { continue }
      let stats = scan.stats(kept) { index in
        let file = files[index]
        return FolderStats.Entry(stat: file.stat, digest: file.digest, isTrusted: file.isTrusted)
      }
      learned.append((StatCache.Key(folder: scan.path, algorithm: algorithm), stats))
    }
    return learned
  }
}
