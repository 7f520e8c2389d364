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
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
    guard let header = lines.popFirst(), header.elementsEqual("pipe-tree 1".utf8), lines.popLast()?.isEmpty == true
    else { throw .malformedTree(digest, why: "it does not begin with `pipe-tree 1`") }
    var entries: [Entry] = []
    entries.reserveCapacity(lines.count)
    for line in lines {
      guard let entry = Entry(line: line) else {
        throw .malformedTree(digest, why: "line \(entries.count + 2) is not a safe file entry")
      }
      if let last = entries.last, !last.path.utf8.lexicographicallyPrecedes(entry.path.utf8) {
        throw .malformedTree(digest, why: "line \(entries.count + 2) is out of order")
      }
      if let last = entries.last, entry.path.hasPrefix(last.path + "/") {
        throw .malformedTree(digest, why: "line \(entries.count + 2) lies below a file")
      }
      entries.append(entry)
    }
    self.entries = entries
  }
}

extension FileTree.Entry {
  fileprivate init?(line: ArraySlice<UInt8>) {
    let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
    guard fields.count == 4, let hex = String(validating: fields[0], as: UTF8.self),
      let digest = Digest(.sha256, hex: hex), !digest.isTree,
      let size = String(validating: fields[1], as: UTF8.self).flatMap({ Int($0) }), size >= 0, fields[2].count == 1
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
    guard !escaped, let text = String(validating: path, as: UTF8.self), WorkspacePath(text)?.text == text else { return nil }
    self.init(path: text, digest: digest, size: size, isExecutable: mode == UInt8(ascii: "x"))
  }
}
