// The kernel's word that something in a folder changed: inotify(7), for many folders at once.
// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Events are hints, never the truth: who gets one looks at the files themselves.
struct FolderWatch: ~Copyable {
  /// What came in since it was last asked.
  struct Hints {
    /// Paths below watched folders, spelled as the folders are.
    var paths: Set<String> = []
    /// The queue ran over, or a folder itself went: anything may have changed.
    var isAnything = false
  }

  private let root: String
  /// Below 0 when the kernel has none left.
  private let descriptor: Int32
  private var folders: [Int32: String] = [:]
  private var watches: [String: Int32] = [:]
  /// Whether every folder that should be watched is. Otherwise somebody has to look now and then.
  private(set) var isComplete: Bool

  private static let events = UInt32(
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

  /// - Parameter root: what relative paths begin at.
  init(root: String) {
    self.root = root
    descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    isComplete = descriptor >= 0
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Watches these folders and no others. One that was replaced by another of its name is followed to the new one.
  mutating func watch(_ wanted: Set<String>) {
    guard descriptor >= 0 else { return }
    isComplete = true
    for folder in wanted {
      let watch = inotify_add_watch(descriptor, absolute(folder), Self.events)
      guard watch >= 0 else {
        // One that is gone by now is told of by the folder around it.
        if errno != ENOENT, errno != ENOTDIR { isComplete = false }
        continue
      }
      if let old = watches[folder], old != watch { forget(old) }
      watches[folder] = watch
      folders[watch] = folder
    }
    for (folder, watch) in watches where !wanted.contains(folder) { forget(watch) }
  }

  private mutating func forget(_ watch: Int32) {
    if let folder = folders.removeValue(forKey: watch), watches[folder] == watch { watches[folder] = nil }
    inotify_rm_watch(descriptor, watch)
  }

  private func absolute(_ folder: String) -> String {
    folder.hasPrefix("/") ? folder : folder.isEmpty ? root : "\(root)/\(folder)"
  }

  /// Waits until there is something to read.
  ///
  /// - Parameter milliseconds: at most that long; `nil` is for ever.
  /// - Returns: whether there is.
  func wait(milliseconds: Int32?) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&request, 1, milliseconds ?? -1) > 0 && request.revents & Int16(POLLIN) != 0
  }

  /// All that has come in; nothing when there is nothing.
  mutating func read() -> Hints {
    var hints = Hints()
    guard descriptor >= 0 else { return hints }
    withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: MemoryLayout<inotify_event>.alignment) { buffer in
      guard let base = buffer.baseAddress else { return }
      while true {
        let count = Glibc.read(descriptor, base, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        take(UnsafeRawBufferPointer(start: base, count: count), into: &hints)
      }
    }
    return hints
  }

  private mutating func take(_ bytes: UnsafeRawBufferPointer, into hints: inout Hints) {
    var position = 0
    let header = MemoryLayout<inotify_event>.size
    while bytes.count - position >= header {
      let event = bytes.loadUnaligned(fromByteOffset: position, as: inotify_event.self)
      let name = bytes[(position + header)..<min(bytes.count, position + header + Int(event.len))].prefix { $0 != 0 }
      position += header + Int(event.len)
      if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { hints.isAnything = true }
      guard let folder = folders[event.wd] else { continue }
      if event.mask & UInt32(IN_IGNORED) != 0 {
        folders[event.wd] = nil
        if watches[folder] == event.wd { watches[folder] = nil }
      } else if event.mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF) != 0 {
        hints.isAnything = true
      } else if !name.isEmpty {
        let text = String(decoding: name, as: UTF8.self)
        hints.paths.insert(folder.isEmpty ? text : "\(folder)/\(text)")
      }
    }
  }
}
