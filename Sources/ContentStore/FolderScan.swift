// The names in one folder of a walk, in the order of a tree.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// What a folder lists, sorted as whole paths sort: a folder counts with the slash behind its name.
final class FolderScan: @unchecked Sendable {
  // Guarded by the walk: one worker lists a folder, and it is only read after all workers of that step are done.
  let path: String
  /// Relative to the walk's top, with a slash at its end; empty at the top.
  let prefix: String
  private(set) var items: [Item] = []
  private var names: [UInt8] = []
  /// Index of the first of its files among all of the walk.
  var firstFile = 0
  /// Items that are no folders, in order.
  private(set) var files: [Item] = []
  var fileCount: Int { files.count }
  var known: FolderStats?

  struct Item {
    var start: UInt32
    var length: UInt16
    var kind: FileStat.Kind
    /// Of a folder: its number in the walk.
    var scan: UInt32 = 0
  }

  init(path: String, prefix: String) {
    self.path = path
    self.prefix = prefix
  }

  /// - Parameter isLeftOut: name, and whether it is a folder.
  func list(isTop: Bool, isLeftOut: (String, Bool) throws(StoreError) -> Bool, looksAtNames: Bool) throws(StoreError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (isTop ? 0 : O_NOFOLLOW))
    guard descriptor >= 0, let folder = fdopendir(descriptor) else {
      let code = errno
      if descriptor >= 0 { close(descriptor) }
      throw .system("list", path: path, code: code)
    }
    defer { closedir(folder) }
    while let entry = readdir(folder) {
      let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
      let start = (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: UInt8.self)
      let name = UnsafeBufferPointer(start: start, count: strlen(UnsafePointer(OpaquePointer(start))))
      if name[0] == 46, name.count == 1 || (name.count == 2 && name[1] == 46) { continue }
      try add(name, kind(entry.pointee.d_type, name, descriptor), isLeftOut, looksAtNames)
    }
    sort()
    files = items.contains { $0.kind == .directory } ? items.filter { $0.kind != .directory } : items
  }

  private func kind(_ type: UInt8, _ name: UnsafeBufferPointer<UInt8>, _ folder: Int32) -> FileStat.Kind {
    switch Int(type) {
    case Int(DT_REG): return .file
    case Int(DT_DIR): return .directory
    case Int(DT_LNK): return .link
    case Int(DT_UNKNOWN):
      return FileStat(String(decoding: name, as: UTF8.self), in: folder, followingLinks: false)?.kind ?? .file
    default: return .other
    }
  }

  private func add(
    _ name: UnsafeBufferPointer<UInt8>, _ kind: FileStat.Kind, _ isLeftOut: (String, Bool) throws(StoreError) -> Bool,
    _ looksAtNames: Bool
  ) throws(StoreError) {
    let isPlain = name.allSatisfy { $0 < 0x80 }
    if !isPlain, String(validating: name, as: UTF8.self) == nil {
      throw .malformedFile(path: "\(path)/\(String(decoding: name, as: UTF8.self))", why: "its name is not UTF-8")
    }
    // Without rules of the project's own, only names with a dot in front can be left out, and other projects.
    if looksAtNames || name[0] == 46 || kind == .directory,
      try isLeftOut(String(decoding: name, as: UTF8.self), kind == .directory)
    {
      return
    }
    items.append(Item(start: UInt32(names.count), length: UInt16(name.count), kind: kind))
    names.append(contentsOf: name)
    names.append(0)
  }

  private func sort() {
    names.withUnsafeBytes { names in
      items.sort { a, b in
        let left = UnsafeRawBufferPointer(rebasing: names[Int(a.start)..<(Int(a.start) + Int(a.length))])
        let right = UnsafeRawBufferPointer(rebasing: names[Int(b.start)..<(Int(b.start) + Int(b.length))])
        let shared = min(left.count, right.count)
        let order = memcmp(left.baseAddress!, right.baseAddress!, shared)
        if order != 0 { return order < 0 }
        let leftNext = left.count > shared ? left[shared] : a.kind == .directory ? UInt8(ascii: "/") : 0
        let rightNext = right.count > shared ? right[shared] : b.kind == .directory ? UInt8(ascii: "/") : 0
        return leftNext < rightNext
      }
    }
  }

  /// Gives folders their numbers.
  func number(_ next: (String) -> Int) {
    for index in items.indices where items[index].kind == .directory { items[index].scan = UInt32(next(name(items[index]))) }
  }

  func name(_ item: Item) -> String {
    String(decoding: names[Int(item.start)..<(Int(item.start) + Int(item.length))], as: UTF8.self)
  }

  /// The folder's path and name.
  func path(_ item: Item) -> String { "\(path)/\(name(item))" }

  /// `prefix` and name.
  func relativePath(_ item: Item) -> String {
    String(unsafeUninitializedCapacity: prefix.utf8.count + Int(item.length)) { out in
      let start = withBytes(prefix) { prefix in
        _ = out.update(fromContentsOf: prefix)
        return prefix.count
      }
      names.withUnsafeBufferPointer { names in
        for index in 0..<Int(item.length) { out[start + index] = names[Int(item.start) + index] }
      }
      return start + Int(item.length)
    }
  }

  /// A name with a zero behind it, as the kernel takes it.
  func withName<Result>(_ item: Item, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    names.withUnsafeBytes { body(($0.baseAddress! + Int(item.start)).assumingMemoryBound(to: CChar.self)) }
  }

  func withNameBytes<Result>(_ item: Item, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    names.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[Int(item.start)..<(Int(item.start) + Int(item.length))])) }
  }

  /// Rows for the cache.
  func stats(_ kept: [(item: Item, file: Int)], _ entry: (Int) -> FolderStats.Entry) -> FolderStats {
    FolderStats(count: kept.count, nameBytes: kept.reduce(0) { $0 + Int($1.item.length) }) { (index, out) in
      let item = kept[index].item
      withNameBytes(item) { name in
        if let base = name.baseAddress { memcpy(out, base, name.count) }
      }
      return (Int(item.length), entry(kept[index].file))
    }
  }
}
