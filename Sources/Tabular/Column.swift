// A named column of numbers or of text.
// SPDX-License-Identifier: Apache-2.0

/// One column of a table. Whole numbers are numbers; a time is text until it is parsed (`Timestamp`).
package struct Column: Sendable {
  package enum Kind: String, Sendable, Codable { case number, text }

  package enum Storage: Sendable {
    /// NaN is missing.
    case number([Double])
    /// `nil` is missing; the empty text does not occur, since CSV cannot tell it from missing.
    case text([String?])
  }

  package var name: String
  package var storage: Storage

  package init(_ name: String, numbers: [Double]) {
    self.name = name
    storage = .number(numbers)
  }

  package init(_ name: String, texts: [String?]) {
    self.name = name
    storage = .text(texts)
  }

  package var kind: Kind {
    switch storage {
    case .number: .number
    case .text: .text
    }
  }

  package var count: Int {
    switch storage {
    case .number(let values): values.count
    case .text(let values): values.count
    }
  }

  package var missingCount: Int {
    switch storage {
    case .number(let values): values.reduce(0) { $0 + ($1.isNaN ? 1 : 0) }
    case .text(let values): values.reduce(0) { $0 + ($1 == nil ? 1 : 0) }
    }
  }

  /// The values as CSV would spell them; `nil` is missing.
  package var texts: [String?] {
    switch storage {
    case .number(let values): values.map { $0.isNaN ? nil : NumberText.text(of: $0) }
    case .text(let values): values
    }
  }

  /// The column with only these rows, in this order.
  package func selecting(rows: some Sequence<Int>) -> Column {
    switch storage {
    case .number(let values): Column(name, numbers: rows.map { values[$0] })
    case .text(let values): Column(name, texts: rows.map { values[$0] })
    }
  }
}

extension Column: Equatable {
  /// Same name, kind and values; missing equals missing.
  package static func == (a: Column, b: Column) -> Bool {
    guard a.name == b.name else { return false }
    switch (a.storage, b.storage) {
    case (.number(let x), .number(let y)):
      return x.count == y.count && zip(x, y).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
    case (.text(let x), .text(let y)): return x == y
    default: return false
    }
  }
}
