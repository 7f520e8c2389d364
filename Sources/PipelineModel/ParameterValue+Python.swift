// Values as Python writes and compares them, which is what DVC's files and commands hold.
// SPDX-License-Identifier: Apache-2.0

extension ParameterValue {
  /// The text that `${…}` puts for a scalar: `true`, `None`, `1.5`, `1e-05`; lists and mappings as JSON.
  package var pythonText: String {
    switch self {
    case .null: "None"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): "\(value)"
    case .double(let value): value.pythonRepr
    case .text(let value): value
    case .list, .mapping: json
    }
  }

  /// Python's `==` on loaded values: `1`, `1.0` and `True` are equal, the order of keys does not count, and
  /// not-a-number differs from itself.
  package func isEqualInPython(to other: ParameterValue) -> Bool {
    switch (self, other) {
    case (.null, .null): return true
    case (.text(let x), .text(let y)): return x.utf8.elementsEqual(y.utf8)
    case (.list(let x), .list(let y)):
      return x.count == y.count && zip(x, y).allSatisfy { $0.isEqualInPython(to: $1) }
    case (.mapping(let x), .mapping(let y)):
      guard x.count == y.count else { return false }
      let index = Dictionary(y.map { (Array($0.0.utf8), $0.1) }) { $1 }
      return x.allSatisfy { key, value in index[Array(key.utf8)].map { value.isEqualInPython(to: $0) } ?? false }
    default: break
    }
    switch (number, other.number) {
    case (.integer(let x)?, .integer(let y)?): return x == y
    case (.double(let x)?, .double(let y)?): return x == y
    case (.integer(let x)?, .double(let y)?), (.double(let y)?, .integer(let x)?): return Int64(exactly: y) == x
    default: return false
    }
  }

  /// Flags count as 1 and 0.
  private var number: ParameterValue? {
    switch self {
    case .bool(let value): .integer(value ? 1 : 0)
    case .integer, .double: self
    default: nil
    }
  }
}

