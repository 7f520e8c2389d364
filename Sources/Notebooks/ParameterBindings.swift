// Parameters under the names that cells of SQL, and of the tag `parameters`, have for them.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A stage's parameters as values that SQLite binds, by their full path with `_` for all but letters and digits.
struct ParameterBindings {
  private(set) var values: [String: (value: SQLiteValue, declared: String)] = [:]

  init(_ context: StageNotebookContext) {
    for (key, value) in context.params { values[Self.name(key)] = (Self.bound(value), key) }
    for (path, leaf) in context.parameterLeaves { values[Self.name(path)] = (Self.bound(leaf.value), leaf.declared) }
  }

  /// `train.lr` → `train_lr`.
  static func name(_ path: String) -> String {
    String(path.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }

  private static func bound(_ value: ContextValue) -> SQLiteValue {
    switch value {
    case .null: return .null
    case .boolean(let flag): return .integer(flag ? 1 : 0)
    case .integer(let number): return .integer(number)
    case .number(let number): return .real(number)
    case .text(let text): return .text(text)
    case .list, .mapping:
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return .text((try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "null")
    }
  }
}
