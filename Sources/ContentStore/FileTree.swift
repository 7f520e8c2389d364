// The canonical list of a directory: what a tree object holds.
// SPDX-License-Identifier: Apache-2.0

/// Files below a directory, sorted by path, each with its digest, size and executable bit.
///
/// The object's bytes are `pipe-tree 1`, then a line a file: `<hex> <size> <x or -> <path>`; in the path a backslash
/// and a line feed are written `\\` and `\n`. Empty directories, times and owners are not part of it.
package struct FileTree: Sendable, Equatable {
  package struct Entry: Sendable, Equatable {
    /// Relative to the directory.
    package var path: String
    package var digest: Digest
    package var size: Int
    package var isExecutable: Bool

    package init(path: String, digest: Digest, size: Int, isExecutable: Bool) {
      self.path = path
      self.digest = digest
      self.size = size
      self.isExecutable = isExecutable
    }
  }

  package let entries: [Entry]

  /// - Parameter entries: in any order; paths differ.
  package init(_ entries: [Entry]) {
    self.entries = entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  /// Bytes of all files together.
  package var size: Int { entries.reduce(0) { $0 + $1.size } }

  package var encoded: [UInt8] {
    var out: [UInt8] = Array("pipe-tree 1\n".utf8)
    out.reserveCapacity(entries.count * 100)
    for entry in entries {
      out.append(contentsOf: entry.digest.digits.utf8)
      out.append(contentsOf: " \(entry.size) \(entry.isExecutable ? "x" : "-") ".utf8)
      for byte in entry.path.utf8 {
        switch byte {
        case UInt8(ascii: "\\"): out.append(contentsOf: "\\\\".utf8)
        case UInt8(ascii: "\n"): out.append(contentsOf: "\\n".utf8)
        default: out.append(byte)
        }
      }
      out.append(UInt8(ascii: "\n"))
    }
    return out
  }

  package var digest: Digest { Digest.of(encoded).asTree() }

  /// Reads a tree object. Nothing in it is trusted: paths must stay inside, be sorted and differ.
  ///
  /// - Throws: `StoreError.malformedTree`.
  package init(decoding bytes: [UInt8], named digest: Digest) throws(StoreError) {
    let header = Array("pipe-tree 1\n".utf8)
    guard bytes.starts(with: header), bytes.last == UInt8(ascii: "\n") else {
      throw .malformedTree(digest, why: "it does not begin with `pipe-tree 1`, or its last line is cut off")
    }
    var entries: [Entry] = []
    // Earlier files whose path begins the current one: in byte order no other can be a folder of it.
    var prefixes: [String] = []
    var rest = bytes[header.count...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let number = entries.count + 2
      guard let entry = Entry(line: rest[..<end]) else {
        throw .malformedTree(digest, why: "line \(number) is not a safe file entry")
      }
      if let last = entries.last, !last.path.utf8.lexicographicallyPrecedes(entry.path.utf8) {
        throw .malformedTree(digest, why: "line \(number) is out of order")
      }
      while let top = prefixes.last, !entry.path.utf8.starts(with: top.utf8) { prefixes.removeLast() }
      guard !prefixes.contains(where: { entry.path.utf8.dropFirst($0.utf8.count).first == UInt8(ascii: "/") }) else {
        throw .malformedTree(digest, why: "line \(number) lies below a file")
      }
      prefixes.append(entry.path)
      entries.append(entry)
      rest = rest[(end + 1)...]
    }
    self.entries = entries
  }
}

extension FileTree.Entry {
  fileprivate init?(line: ArraySlice<UInt8>) {
    let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
    guard fields.count == 4, let hex = String(validating: fields[0], as: UTF8.self),
      let digest = Digest(.sha256, hex: hex), !digest.isTree,
      let size = String(validating: fields[1], as: UTF8.self).flatMap({ Int($0) }), "\(size)".utf8.elementsEqual(fields[1]),
      size >= 0, fields[2].count == 1
    else { return nil }
    let mode = fields[2][fields[2].startIndex]
    guard mode == UInt8(ascii: "x") || mode == UInt8(ascii: "-") else { return nil }
    var path: [UInt8] = []
    var escaped = false
    for byte in fields[3] {
      if escaped {
        guard byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "n") else { return nil }
        path.append(byte == UInt8(ascii: "n") ? UInt8(ascii: "\n") : byte)
        escaped = false
      } else if byte == UInt8(ascii: "\\") {
        escaped = true
      } else {
        path.append(byte)
      }
    }
    guard !escaped, let text = String(validating: path, as: UTF8.self),
      WorkspacePath(text)?.text.utf8.elementsEqual(path) == true
    else { return nil }
    self.init(path: text, digest: digest, size: size, isExecutable: mode == UInt8(ascii: "x"))
  }
}
