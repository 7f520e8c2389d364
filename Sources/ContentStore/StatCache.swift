// Which file had which digest when it was last looked at, so that a file is not hashed twice.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Folder → names with stat and digest, kept in one file that is read at once (`StatFile`).
///
/// A file changed within the same tick of the clock as it was looked at would look unchanged. An entry is therefore
/// trusted only if the file's times lie before the moment at which the look began, as Git does with its index.
/// The file is a convenience: when it is missing, old, cut short or damaged, files are hashed again.
package struct StatCache: Sendable {
  /// A folder under one algorithm.
  struct Key: Hashable, Sendable {
    var folder: String
    var algorithm: Digest.Algorithm
  }

  /// The digest of a directory's list, by what the list says (`ListPrint`), so that it is not encoded again.
  struct Memo: Sendable, Equatable {
    var print: ListPrint
    var digest: Digest
  }

  /// What was read, and is never changed.
  private let base: StatFile?
  /// Folders that were listed since, whole.
  private var listed: [Key: FolderStats] = [:]
  /// Files that were looked at one by one since; they come before what `listed` and `base` say.
  private var single: [Key: [String: FolderStats.Entry]] = [:]
  private var memos: [Key: Memo] = [:]
  private var dropped: Set<Key> = []
  private var isChanged = false

  /// Begins every fingerprint of a list.
  let seed: ListPrint

  package init() {
    base = nil
    seed = ListPrint(low: .random(in: 0 ... .max), high: .random(in: 0 ... .max))
  }

  /// Reads the file; anything wrong with it gives an empty cache.
  package init(file: String) {
    base = StatFile(path: file)
    seed = base?.seed ?? ListPrint(low: .random(in: 0 ... .max), high: .random(in: 0 ... .max))
  }

  private static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ("", path) }
    return (String(path[..<slash]), String(path[path.utf8.index(after: slash)...]))
  }

  /// The digest of the file that had this stat, when that can be relied on.
  package func digest(of path: String, _ stat: FileStat, _ algorithm: Digest.Algorithm = .sha256) -> Digest? {
    guard let entry = entry(path, algorithm), entry.isTrusted, entry.stat.matches(stat) else { return nil }
    return entry.digest
  }

  private func entry(_ path: String, _ algorithm: Digest.Algorithm) -> FolderStats.Entry? {
    let (folder, name) = Self.split(path)
    let key = Key(folder: folder, algorithm: algorithm)
    if let entry = single[key]?[name] { return entry }
    return folderStats(key).flatMap { stats in stats.index(of: name).map { stats.entry($0, algorithm) } }
  }

  /// What is known of the files in a folder, but for those looked at one by one.
  func folderStats(_ key: Key) -> FolderStats? {
    if let known = listed[key] { return known }
    return dropped.contains(key) ? nil : base?.folder(key)
  }

  /// Remembers what was hashed.
  ///
  /// - Parameters:
  ///   - stat: taken before the hashing began.
  ///   - lookedAt: `coarseNow` of before the stat was taken; `nil` is now.
  ///   - isOwn: whether this process wrote the file itself just now, so that nobody else can have changed it since.
  package mutating func remember(
    _ path: String, _ stat: FileStat, _ digest: Digest, lookedAt: Int64? = nil, isOwn: Bool = false
  ) {
    let isTrusted = isOwn || stat.newestTime < lookedAt ?? Self.coarseNow()
    if let known = entry(path, digest.algorithm), known.stat.matches(stat), known.digest == digest, known.isTrusted || !isTrusted
    {
      return
    }
    let (folder, name) = Self.split(path)
    single[Key(folder: folder, algorithm: digest.algorithm), default: [:]][name] = FolderStats.Entry(
      stat: stat, digest: digest, isTrusted: isTrusted)
    isChanged = true
  }

  /// Takes over what a listing of a whole folder found; `nil` forgets the folder.
  mutating func remember(_ key: Key, _ stats: FolderStats?) {
    single[key] = nil
    if let stats {
      listed[key] = stats
      dropped.remove(key)
    } else {
      listed[key] = nil
      memos[key] = nil
      dropped.insert(key)
    }
    isChanged = true
  }

  /// Forgets the folders below a path that a listing of it did not find.
  mutating func forget(below path: String, _ algorithm: Digest.Algorithm, but found: Set<String>) {
    let isGone = { (key: Key) in
      key.algorithm == algorithm && key.folder.utf8.starts(with: "\(path)/".utf8) && !found.contains(key.folder)
    }
    for key in listed.keys.filter(isGone) + single.keys.filter(isGone) { remember(key, nil) }
    for key in base?.keys.filter(isGone) ?? [] where !dropped.contains(key) { remember(key, nil) }
  }

  /// Puts the files that were looked at one by one into their folder's list.
  mutating func settle(_ key: Key) {
    guard let entries = single[key] else { return }
    listed[key] = FolderStats(folderStats(key), with: entries, key.algorithm)
    single[key] = nil
    dropped.remove(key)
  }

  // MARK: Directories

  func memo(_ key: Key) -> Memo? { memos[key] ?? (dropped.contains(key) ? nil : base?.memo(key)) }

  mutating func remember(_ key: Key, _ memo: Memo) {
    guard self.memo(key) != memo else { return }
    memos[key] = memo
    isChanged = true
  }

  // MARK: Young entries

  /// Waits until the clock that file times are taken from is past a time, but for no longer than its tick.
  static func wait(until time: Int64) {
    for _ in 0..<12 where coarseNow() <= time { usleep(1_000) }
  }

  /// Paths whose entry is too young to be trusted, though a moment's waiting would make it old enough.
  ///
  /// Only what was learned in this life: what an earlier one left untrusted is hashed when it is asked for.
  ///
  /// - Returns: the paths, and the newest time that one of their files has.
  var young: (paths: [(path: String, algorithm: Digest.Algorithm)], newest: Int64) {
    // A file system may stamp files with a finer clock, which is ahead of the coarse one by a tick at most.
    let limit = Self.coarseNow() + 1_000_000_000
    var paths: [(String, Digest.Algorithm)] = []
    var newest = Int64.min
    for (key, entries) in single {
      for (name, entry) in entries where !entry.isTrusted && entry.stat.newestTime < limit {
        paths.append(("\(key.folder)/\(name)", key.algorithm))
        newest = max(newest, entry.stat.newestTime)
      }
    }
    for (key, stats) in listed where stats.hasUntrusted {
      for index in 0..<stats.count {
        let entry = stats.entry(index, key.algorithm)
        guard !entry.isTrusted, entry.stat.newestTime < limit else { continue }
        paths.append(("\(key.folder)/\(stats.name(index))", key.algorithm))
        newest = max(newest, entry.stat.newestTime)
      }
    }
    return (paths, newest)
  }

  /// The clock that file times are taken from, which ticks every few milliseconds.
  static func coarseNow() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME_COARSE, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  // MARK: The file

  /// Writes the file if anything was learned since it was read.
  package mutating func save(to file: String) throws(StoreError) {
    guard isChanged else { return }
    for key in Array(single.keys) { settle(key) }
    var keys = Set(listed.keys).union(memos.keys)
    if let base { for key in base.keys where !dropped.contains(key) { keys.insert(key) } }
    let folders = keys.map { (key: $0, stats: folderStats($0), memo: memo($0)) }
    try StatFile.write(folders.sorted { StatFile.precedes($0.key, $1.key) }, seed: seed, to: file)
    isChanged = false
  }

  /// Forgets files that are not there any more: those in folders in which something was learned, and those whose folder is
  /// gone. So what is kept in vain does not grow, and few files are looked at.
  package mutating func prune(where isGone: (String) -> Bool) {
    for key in Array(single.keys) { settle(key) }
    var keys = Set(listed.keys)
    if let base { keys.formUnion(base.keys.filter { !dropped.contains($0) }) }
    for key in keys {
      if isGone(key.folder) {
        remember(key, nil)
      } else if let stats = listed[key], let kept = stats.filtered({ !isGone("\(key.folder)/\($0)") }, key.algorithm) {
        remember(key, kept.count == 0 ? nil : kept)
      }
    }
  }
}

/// A fingerprint of what a directory's list says: two mixed words that are made with the cache's own key.
struct ListPrint: Sendable, Equatable {
  var low: UInt64 = 0
  var high: UInt64 = 0

  mutating func mix(_ word: UInt64) {
    let a = (low ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    low = a.high ^ a.low &+ 0xD6E8_FEB8_6659_FD93
    let b = (high &+ word).multipliedFullWidth(by: 0xC2B2_AE3D_27D4_EB4F)
    high = b.high ^ b.low ^ low
  }

  /// Mixes in a file of the list.
  mutating func mix(_ path: String, _ digest: Digest, size: Int64, isExecutable: Bool) {
    withBytes(path) { mix(UnsafeRawBufferPointer($0)) }
    let words = digest.words
    for word in [words.0, words.1, words.2, words.3] { mix(word) }
    mix(UInt64(bitPattern: size) << 1 | (isExecutable ? 1 : 0))
  }

  mutating func mix(_ bytes: UnsafeRawBufferPointer) {
    var position = 0
    while bytes.count - position >= 8 {
      mix(bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position += 8
    }
    var last = UInt64(bytes.count) << 56
    while position < bytes.count {
      last = last << 8 ^ UInt64(bytes[position])
      position += 1
    }
    mix(last)
  }
}
