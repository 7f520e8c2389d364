// Where objects lie below a store's folder, and when one is believed without being read.
// SPDX-License-Identifier: Apache-2.0

/// `pipe`'s own layout and DVC's.
package struct StoreLayout: Sendable, Hashable {
  package enum Kind: Sendable, Hashable { case native, dvc }

  package let kind: Kind
  /// Whether a group of people shares the store: its folders are group-writable and hand their group on.
  package let isShared: Bool
  /// Whether an object of DVC's layout is hashed even when it is read-only.
  package let verifies: Bool

  /// `ab/cdef…`. Every copy is hashed on its way.
  package static let native = StoreLayout(kind: .native, isShared: false, verifies: true)

  /// `files/md5/ab/cdef…`. An object of mode 0444 is believed; any other is hashed, then set to 0444 or removed.
  package static let dvc = StoreLayout.dvc()

  /// - Parameters:
  ///   - isShared: as with `cache.shared = group`.
  ///   - verifies: as with `verify = true`.
  package static func dvc(isShared: Bool = false, verifies: Bool = false) -> StoreLayout {
    StoreLayout(kind: .dvc, isShared: isShared, verifies: verifies)
  }

  /// A folder of fan-out folders, with a slash at its end or empty, and the algorithms whose digests lie there.
  var folders: [(name: String, algorithms: [Digest.Algorithm])] {
    switch kind {
    case .native: [("", [.sha256, .md5])]
    case .dvc: [("files/md5/", [.md5]), ("files/sha256/", [.sha256]), ("", [.md5dos2unix])]
    }
  }

  /// Where DVC's MD5 objects lie, which nearly all are.
  static let mainFolder = "files/md5/"
  /// Bytes of the longest name.
  static let longestName = 13 + 65 + 4

  /// An object's place, relative to the store's folder.
  func name(of digest: Digest) -> String {
    String(unsafeUninitializedCapacity: Self.longestName) { buffer in
      guard let base = buffer.baseAddress else { return 0 }
      return write(nameOf: digest, isWhole: true, to: base)
    }
  }

  /// Writes an object's place to memory of `longestName` bytes.
  ///
  /// - Parameter isWhole: whether it begins at the store's folder, rather than at the folder of fan-out folders.
  /// - Returns: how many bytes it has.
  func write(nameOf digest: Digest, isWhole: Bool, to out: UnsafeMutablePointer<UInt8>) -> Int {
    var length = 0
    if kind == .dvc, isWhole {
      let folder: StaticString =
        switch digest.algorithm {
        case .md5: "files/md5/"
        case .sha256: "files/sha256/"
        // DVC 2 had no folders above its objects.
        case .md5dos2unix: ""
        }
      length = folder.utf8CodeUnitCount
      out.update(from: folder.utf8Start, count: length)
    }
    digest.write(digits: 0..<1, to: out + length)
    out[length + 2] = UInt8(ascii: "/")
    digest.write(digits: 1..<digest.algorithm.length, to: out + length + 3)
    length += 2 * digest.algorithm.length + 1
    if digest.isTree {
      let suffix: StaticString = ".dir"
      (out + length).update(from: suffix.utf8Start, count: 4)
      length += 4
    }
    return length
  }

  /// Whether an object with this mode is believed to have the bytes of its name.
  func trusts(mode: UInt32) -> Bool { !verifies && mode & 0o7777 == 0o444 }
}
