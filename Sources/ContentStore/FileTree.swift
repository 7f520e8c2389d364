// The canonical list of a directory: what a tree object holds.
// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Files below a directory, sorted by the bytes of their whole paths, each with its digest and what else is known of it.
///
/// A tree has two encodings, and the algorithm of its digest says which: SHA-256 has `pipe-tree 1` (`NativeTreeText`),
/// MD5 in both its kinds has the list in JSON that DVC writes (`DVCTreeText`). Empty directories, times and owners are
/// part of neither.
package struct FileTree: Sendable, Equatable {
  package struct Entry: Sendable, Equatable {
    /// Relative to the directory.
    package var path: String
    package var digest: Digest
    /// Bytes; `nil` when the encoding did not say, as DVC's does not.
    package var knownSize: Int?
    /// Always false in what was read from DVC's encoding.
    package var isExecutable: Bool

    /// Bytes; 0 when they are not known.
    package var size: Int { knownSize ?? 0 }

    package init(path: String, digest: Digest, size: Int?, isExecutable: Bool) {
      self.path = path
      self.digest = digest
      self.knownSize = size
      self.isExecutable = isExecutable
    }
  }

  package let entries: [Entry]

  /// - Parameter entries: in any order; paths differ.
  package init(_ entries: [Entry]) {
    self.entries = Self.isSorted(entries) ? entries : entries.sorted { Self.compare($0.path, $1.path).order < 0 }
  }

  /// - Parameter sorted: in the order of a tree, which a walk has by itself.
  init(sorted: [Entry]) { entries = sorted }

  /// Bytes of all files together, as far as they are known.
  package var size: Int { entries.reduce(0) { $0 + $1.size } }

  /// The object's bytes under an algorithm.
  package func encoded(_ algorithm: Digest.Algorithm) -> [UInt8] {
    algorithm == .sha256 ? NativeTreeText.encode(entries) : DVCTreeText.encode(entries)
  }

  /// The object's name under an algorithm.
  package func digest(_ algorithm: Digest.Algorithm) -> Digest { Digest.of(encoded(algorithm), algorithm).asTree() }

  package var encoded: [UInt8] { encoded(.sha256) }
  package var digest: Digest { digest(.sha256) }

  /// Reads a tree object in the encoding of its digest's algorithm. Nothing in it is trusted: paths must stay inside,
  /// differ, and not lie below a file.
  ///
  /// - Throws: `StoreError.malformedTree`.
  package init(decoding bytes: [UInt8], named digest: Digest) throws(StoreError) {
    var rows: [Entry] = []
    do throws(Flaw) {
      if digest.algorithm == .sha256 {
        rows = try NativeTreeText.decode(bytes)
      } else {
        rows = try DVCTreeText.decode(bytes, digest.algorithm)
        if !Self.isSorted(rows) { rows.sort { Self.compare($0.path, $1.path).order < 0 } }
      }
      try Self.checkPaths(rows, native: digest.algorithm == .sha256)
    } catch {
      throw .malformedTree(digest, why: error.why)
    }
    entries = rows
  }

  /// What is wrong with an encoding, in words.
  struct Flaw: Error { let why: String }

  // MARK: Order

  /// How two paths compare by bytes, and how many bytes they begin with in common.
  static func compare(_ a: String, _ b: String) -> (order: Int, shared: Int) {
    withBytes(a) { a in
      withBytes(b) { b in
        let length = min(a.count, b.count)
        var shared = 0
        while shared < length, a[shared] == b[shared] { shared += 1 }
        if shared < length { return (Int(a[shared]) - Int(b[shared]), shared) }
        return (a.count - b.count, shared)
      }
    }
  }

  private static func isSorted(_ entries: [Entry]) -> Bool {
    for index in entries.indices.dropFirst() where compare(entries[index - 1].path, entries[index].path).order >= 0 {
      return false
    }
    return true
  }

  /// Refuses paths that repeat, that lie below a file or, in the native encoding, that are out of order.
  private static func checkPaths(_ entries: [Entry], native: Bool) throws(Flaw) {
    // Lengths of the earlier paths that the current one begins with: in byte order no other can be a folder of it.
    var above: [Int] = []
    for (index, entry) in entries.enumerated() {
      if index > 0 {
        let (order, shared) = compare(entries[index - 1].path, entry.path)
        guard order < 0 else {
          throw Flaw(why: native ? "line \(index + 2) is out of order" : "two of its rows have the same path")
        }
        while let last = above.last, last > shared { above.removeLast() }
        let isBelow = withBytes(entry.path) { bytes in above.contains { bytes[$0] == UInt8(ascii: "/") } }
        if isBelow {
          throw Flaw(why: native ? "line \(index + 2) lies below a file" : "one of its rows lies below a file")
        }
      }
      above.append(entry.path.utf8.count)
    }
  }

  /// What keeps a path from being one of a tree, as the end of a sentence about it; `nil` when nothing does.
  ///
  /// It has to be relative, without empty components, `.`, `..` or NUL, and no longer than Linux takes. What lies in a folder
  /// of Git would be run by the next `git`, so no tree holds that; the walk leaves it out too.
  static func complaint(about path: UnsafeBufferPointer<UInt8>) -> String? {
    guard path.count <= longestPath else { return "is longer than \(longestPath) bytes" }
    var start = 0
    var index = 0
    var depth = 0
    while true {
      let isEnd = index == path.count
      if isEnd || path[index] == UInt8(ascii: "/") {
        let length = index - start
        if length == 0 { return path.isEmpty ? "is empty" : start == 0 ? "is absolute" : "has a component that is empty" }
        if length <= 4, path[start] == UInt8(ascii: "."), let flaw = complaint(aboutDotted: path[start..<index]) { return flaw }
        if length > 255 { return "has a name of more than 255 bytes" }
        depth += 1
        if isEnd { return depth > deepest ? "lies more than \(deepest) folders deep" : nil }
        start = index + 1
      } else if path[index] == 0 {
        return "holds a NUL"
      }
      index += 1
    }
  }

  private static func complaint(aboutDotted name: Slice<UnsafeBufferPointer<UInt8>>) -> String? {
    if name.allSatisfy({ $0 == UInt8(ascii: ".") }), name.count <= 2 { return "has a component that is `.` or `..`" }
    return name.elementsEqual(".git".utf8) ? "leads into a folder of Git" : nil
  }

  private static let longestPath = 4095
  private static let deepest = 512
}

/// A string's UTF-8, without a copy where that is possible.
@inline(__always)
func withBytes<Result>(_ text: String, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
  if let result = text.utf8.withContiguousStorageIfAvailable(body) { return result }
  var copy = text
  return copy.withUTF8(body)
}
