// Which file had which digest when it was last looked at, so that a file is not hashed twice.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// What `stat` says of a file; two equal values mean the same content, but for the caveat of `StatCache`.
package struct FileStat: Sendable, Hashable {
  package var inode: UInt64
  package var size: Int64
  /// Nanoseconds since 1970.
  package var modified: Int64
  package var changed: Int64
  package var mode: UInt32
  /// Names that the file has.
  package var links: UInt32 = 1

  package enum Kind: Sendable { case file, directory, link, other }

  var newestTime: Int64 { isReadOnly ? modified : max(modified, changed) }

  /// Nobody may write it, as is so with objects and their links.
  var isReadOnly: Bool { mode & 0o222 == 0 }

  /// Whether the content is the same, as far as a stat can say.
  ///
  /// The change time of a read-only file does not count: it moves whenever an object gets or loses a name.
  func matches(_ other: FileStat) -> Bool {
    inode == other.inode && size == other.size && modified == other.modified && mode == other.mode
      && (changed == other.changed || isReadOnly)
  }

  package var kind: Kind {
    switch mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .directory
    case S_IFLNK: .link
    default: .other
    }
  }

  package var isExecutable: Bool { mode & 0o100 != 0 }

  /// Looks at a path; `nil` when nothing is there.
  ///
  /// - Parameter followingLinks: whether a link stands for what it leads to.
  package init?(_ path: String, followingLinks: Bool = true) {
    var info = stat()
    guard (followingLinks ? stat(path, &info) : lstat(path, &info)) == 0 else { return nil }
    self.init(info)
  }

  /// Looks at a name in an open folder.
  init?(_ name: String, in folder: Int32, followingLinks: Bool = true) {
    var info = stat()
    guard fstatat(folder, name, &info, followingLinks ? 0 : AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
    self.init(info)
  }

  /// Looks at an open file.
  init?(_ descriptor: Int32) {
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { return nil }
    self.init(info)
  }

  init(_ info: stat) {
    inode = UInt64(info.st_ino)
    size = Int64(info.st_size)
    modified = Int64(info.st_mtim.tv_sec) * 1_000_000_000 + Int64(info.st_mtim.tv_nsec)
    changed = Int64(info.st_ctim.tv_sec) * 1_000_000_000 + Int64(info.st_ctim.tv_nsec)
    mode = info.st_mode
    links = UInt32(truncatingIfNeeded: info.st_nlink)
  }
}

/// Path → stat and digest, kept in one file that is read at once.
///
/// A file changed within the same tick of the clock as it was hashed would look unchanged. An entry is therefore
/// trusted only if the file's times lie before the moment the entry was made, as Git does with its index.
/// The file is a convenience: when it is missing, old, cut short or damaged, files are hashed again.
package struct StatCache: Sendable {
  private struct Entry { var stat: FileStat, madeAt: Int64, digest: Digest }

  private var entries: [String: Entry] = [:]
  private var isChanged = false
  private static let magic: [UInt8] = Array("pipe-stat 2\n".utf8)

  package init() {}

  /// The digest of the file that had this stat, when that can be relied on.
  package func digest(of path: String, _ stat: FileStat) -> Digest? {
    guard let entry = entries[path], entry.stat.matches(stat), stat.newestTime < entry.madeAt else { return nil }
    return entry.digest
  }

  /// Remembers what was hashed.
  ///
  /// - Parameters:
  ///   - stat: taken before the hashing began.
  ///   - isOwn: whether this process wrote the file itself just now, so that nobody else can have changed it since.
  package mutating func remember(_ path: String, _ stat: FileStat, _ digest: Digest, isOwn: Bool = false) {
    let madeAt = isOwn ? stat.newestTime + 1 : Self.coarseNow()
    if let known = entries[path], known.stat.matches(stat), known.digest == digest, stat.newestTime >= madeAt { return }
    entries[path] = Entry(stat: stat, madeAt: madeAt, digest: digest)
    isChanged = true
  }

  /// Paths whose entry is too young to be trusted, though a moment's waiting would make it old enough.
  var young: [String] {
    let now = Self.coarseNow()
    return entries.filter { $0.value.stat.newestTime >= $0.value.madeAt && $0.value.stat.newestTime <= now }.map(\.key)
  }

  /// The clock that file times are taken from, which ticks every few milliseconds.
  private static func coarseNow() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME_COARSE, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// Reads the file; anything wrong with it gives an empty cache.
  package init(file: String) {
    guard let bytes = try? AtomicFile.read(file), bytes.count > Self.magic.count + 32,
      bytes.starts(with: Self.magic)
    else { return }
    let body = bytes[Self.magic.count..<(bytes.count - 32)]
    guard Digest.of(Array(body)).bytes.elementsEqual(bytes.suffix(32)) else { return }
    var reader = ByteReader(Array(body))
    guard let count = reader.integer(), count >= 0, count <= body.count else { return }
    var read: [String: Entry] = [:]
    read.reserveCapacity(Int(count))
    for _ in 0..<count {
      guard let path = reader.text(), let inode = reader.integer(), let size = reader.integer(),
        let modified = reader.integer(), let changed = reader.integer(), let mode = reader.integer(),
        let madeAt = reader.integer(), let digest = reader.digest()
      else { return }
      let stat = FileStat(
        inode: UInt64(bitPattern: inode), size: size, modified: modified, changed: changed, mode: UInt32(truncatingIfNeeded: mode)
      )
      read[path] = Entry(stat: stat, madeAt: madeAt, digest: digest)
    }
    entries = read
  }

  /// Writes the file if anything was learned since it was read.
  package mutating func save(to file: String) throws(StoreError) {
    guard isChanged else { return }
    var body = ByteWriter()
    body.integer(Int64(entries.count))
    for (path, entry) in entries {
      body.text(path)
      body.integer(Int64(bitPattern: entry.stat.inode))
      body.integer(entry.stat.size)
      body.integer(entry.stat.modified)
      body.integer(entry.stat.changed)
      body.integer(Int64(entry.stat.mode))
      body.integer(entry.madeAt)
      body.digest(entry.digest)
    }
    try AtomicFile.write(Self.magic + body.bytes + Digest.of(body.bytes).bytes, to: file)
    isChanged = false
  }

  /// Forgets files that are not there any more.
  package mutating func prune(where isGone: (String) -> Bool) {
    let before = entries.count
    entries = entries.filter { !isGone($0.key) }
    if entries.count != before { isChanged = true }
  }
}

extension FileStat {
  fileprivate init(inode: UInt64, size: Int64, modified: Int64, changed: Int64, mode: UInt32) {
    self.inode = inode
    self.size = size
    self.modified = modified
    self.changed = changed
    self.mode = mode
  }
}
