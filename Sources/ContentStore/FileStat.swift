// What a look at a file says of it.
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

  /// Whether nobody wrote to a file while it was read; a new name or mode is no matter.
  func isAsRead(_ before: FileStat) -> Bool {
    inode == before.inode && size == before.size && modified == before.modified
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

  /// Looks at a name, as the kernel takes it, in an open folder.
  init?(_ name: UnsafePointer<CChar>, in folder: Int32, followingLinks: Bool = true) {
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

  init(inode: UInt64, size: Int64, modified: Int64, changed: Int64, mode: UInt32) {
    self.inode = inode
    self.size = size
    self.modified = modified
    self.changed = changed
    self.mode = mode
  }
}
