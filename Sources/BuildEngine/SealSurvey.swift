// Looks at everything that an answer followed from, for a seal.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Glibc

/// Gathers sights after an answer was found.
///
/// What is seen afterwards is what the answer was found from only if it did not change since the work began. So nothing
/// may have changed at or after `began`, as the change time tells, which nobody can set: a file changed within the same
/// tick of the clock is as suspect as one changed later. One such file, and there is no seal.
package struct SealSurvey {
  /// More than this is not worth a seal.
  package static let maximumSights = 500_000

  private let root: String
  private let folder: RootFolder
  private let began: Int64
  private let isPassedOver: (_ folder: String, _ name: String) -> Bool
  private var list: [Seal.Sight] = []
  /// Path → place in `list`.
  private var seen: [String: Int] = [:]
  /// Folders that were looked through.
  private var walked: Set<String> = []
  private var met: Set<String> = []
  private var isRefused = false

  /// - Parameters:
  ///   - root: what relative paths begin at.
  ///   - began: `SealSurvey.now` of before the first look.
  ///   - isPassedOver: whether a folder's entry is never part of a directory that stages read or write.
  package init(root: String, began: Int64, isPassedOver: @escaping (_ folder: String, _ name: String) -> Bool = { _, _ in false })
  {
    self.root = root
    self.began = began
    self.isPassedOver = isPassedOver
    folder = RootFolder(root)
  }

  /// A place to look from: a shorter path is a quicker look.
  private final class RootFolder: Sendable {
    let descriptor: Int32

    init(_ path: String) { descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    deinit { if descriptor >= 0 { close(descriptor) } }
  }

  /// Makes room for as many sights.
  package mutating func reserve(_ count: Int) {
    list.reserveCapacity(count)
    seen.reserveCapacity(count)
  }

  /// Whether a folder is asked about for the first time.
  package mutating func meets(_ folder: String) -> Bool { met.insert(folder).inserted }

  /// The clock that file times are taken from, in nanoseconds since 1970.
  package static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME_COARSE, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// All that was seen, in the order of the looks; `nil` when something is too young, cannot be looked at, or there is too much.
  package var sights: [Seal.Sight]? {
    isRefused || list.isEmpty ? nil : list
  }

  private func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : path.isEmpty ? root : "\(root)/\(path)" }

  /// A file, a folder's list of names, or nothing at a path. The empty path is the root.
  ///
  /// - Returns: what is there.
  @discardableResult
  package mutating func look(at path: String) -> Seal.Look? {
    let path = path.isEmpty ? "." : path
    if let known = seen[path] { return list[known].stat }
    guard !isRefused else { return nil }
    guard list.count < Self.maximumSights, !path.utf8.contains(0) else {
      isRefused = true
      return nil
    }
    var info = stat()
    if fstatat(folder.descriptor, path, &info, 0) == 0 {
      let look = Seal.Look(info)
      if look.changed >= began { isRefused = true }
      note(path, look)
      return look
    }
    guard errno == ENOENT || errno == ENOTDIR else {
      isRefused = true
      return nil
    }
    note(path, nil)
    if isYoung(around: path) { isRefused = true }
    return nil
  }

  private mutating func note(_ path: String, _ look: Seal.Look?) {
    seen[path] = list.count
    list.append(Seal.Sight(path: path, stat: look))
  }

  /// Whether the folder that a missing path would be in has changed: what is gone since the work began leaves that mark.
  private func isYoung(around path: String) -> Bool {
    var folder = absolute(path)[...]
    var info = stat()
    while let slash = folder.utf8.lastIndex(of: UInt8(ascii: "/")) {
      folder = folder[..<slash]
      if stat(folder.isEmpty ? "/" : String(folder), &info) == 0 { return Seal.Look(info).changed >= began }
    }
    return false
  }

  /// A file, or a folder with all below it.
  package mutating func walk(_ path: String) {
    guard let look = look(at: path), look.isFolder, !isRefused, walked.insert(path).inserted else { return }
    guard let folder = opendir(absolute(path)) else {
      isRefused = true
      return
    }
    var names: [String] = []
    while let entry = readdir(folder) {
      let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
      let start = (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)
      guard let name = String(validatingCString: start) else {
        isRefused = true
        break
      }
      if name == "." || name == ".." { continue }
      names.append(name)
    }
    closedir(folder)
    for name in names where !isRefused {
      let inner = path.isEmpty || path == "." ? name : "\(path)/\(name)"
      if isPassedOver(path, name) { continue }
      // A link that leads to a folder above would be walked for ever.
      if FileStat(absolute(inner), followingLinks: false)?.kind == .link {
        self.look(at: inner)
      } else {
        walk(inner)
      }
    }
  }
}
