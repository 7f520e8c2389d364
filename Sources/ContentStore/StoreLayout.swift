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

  /// An object's place, relative to the store's folder.
  func name(of digest: Digest) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(88)
    if kind == .dvc {
      switch digest.algorithm {
      case .md5: bytes.append(contentsOf: "files/md5/".utf8)
      case .sha256: bytes.append(contentsOf: "files/sha256/".utf8)
      // DVC 2 had no folders above its objects.
      case .md5dos2unix: break
      }
    }
    let start = bytes.count
    digest.appendDigits(to: &bytes)
    bytes.insert(UInt8(ascii: "/"), at: start + 2)
    if digest.isTree { bytes.append(contentsOf: ".dir".utf8) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether an object with this mode is believed to have the bytes of its name.
  func trusts(mode: UInt32) -> Bool { !verifies && mode & 0o7777 == 0o444 }
}
