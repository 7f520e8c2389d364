// What can go wrong with bytes on a disk, as facts.
// SPDX-License-Identifier: Apache-2.0

package enum StoreError: Error, Sendable, Equatable {
  /// A system call failed: its name, the path, `errno`.
  case system(_ call: String, path: String, code: Int32)
  case missingObject(Digest)
  /// The object's bytes do not hash to its name.
  case corruptObject(Digest, path: String)
  /// A directory list that breaks its own rules.
  case malformedTree(Digest, why: String)
  /// A file that is neither regular nor a directory, inside an output.
  case specialFile(path: String)
  /// A path in the workspace leads out of it through a link.
  case escapes(path: String)
  /// A file was not at rest while it was read.
  case changedMeanwhile(path: String)
  case locked(holder: String)
  case malformedFile(path: String, why: String)
}
