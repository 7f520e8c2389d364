// A place in a text file that a person can go to.
// SPDX-License-Identifier: Apache-2.0

/// A file with a line and a column, both counted from 1.
package struct SourceLocation: Sendable, Hashable {
  /// The file as the person named it, relative to the project where possible.
  package var file: String
  /// Line, from 1. `nil` means the file as a whole.
  package var line: Int?
  /// Column in Unicode scalars, from 1.
  package var column: Int?

  package init(file: String, line: Int? = nil, column: Int? = nil) {
    self.file = file
    self.line = line
    self.column = column
  }
}

extension SourceLocation: CustomStringConvertible {
  package var description: String {
    var text = file
    if let line { text += ":\(line)" }
    if line != nil, let column { text += ":\(column)" }
    return text
  }
}
