// JSON documents with the same bytes on every run: sorted keys, two blanks of indent, a line break at the end.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import Tabular

enum JSONText {
  static func write(_ value: some Encodable, to path: String) throws(Diagnostic) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      try FileBytes.write([UInt8](try encoder.encode(value)) + [0x0A], to: path)
    } catch let diagnostic as Diagnostic {
      throw diagnostic
    } catch {
      throw Diagnostic(.bug, "a document has a number that JSON cannot say", at: SourceLocation(file: path), causes: ["\(error)"])
    }
  }
}
