// The id of a cell in a `.ipynb`: the same cell at the same place has the same one.
// SPDX-License-Identifier: Apache-2.0
import ContentStore

enum CellIdentity {
  /// The first twelve hexadecimal digits of the SHA-256 of the cell's index, from 0, and its source.
  static func id(of source: String, at index: Int) -> String {
    var writer = ByteWriter()
    writer.integer(Int64(index))
    writer.text(source)
    return String(Digest.of(writer.bytes).hex.prefix(12))
  }
}
