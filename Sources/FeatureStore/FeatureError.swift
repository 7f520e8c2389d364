// What is wrong with a request for features, by field.
// SPDX-License-Identifier: Apache-2.0

/// A request that no features can be made of. Each case names the field.
package enum FeatureError: Error, Sendable, Equatable {
  case missingField(String)
  /// `expected` is `a number`, `a text` or `a time`.
  case wrongType(field: String, expected: String)
  case unknownCategory(field: String, value: String, known: [String])
  case badTime(field: String, value: String)

  package var field: String {
    switch self {
    case .missingField(let field), .wrongType(let field, _), .unknownCategory(let field, _, _), .badTime(let field, _): field
    }
  }

  /// One sentence for the caller, literals in backticks.
  package var message: String {
    switch self {
    case .missingField(let field): "field `\(field)` is missing"
    case .wrongType(let field, let expected): "field `\(field)` must be \(expected)"
    case .unknownCategory(let field, let value, let known):
      "field `\(field)` is `\(value)`, known are \(known.map { "`\($0)`" }.joined(separator: ", "))"
    case .badTime(let field, let value):
      "field `\(field)` is `\(value)`, a time as `08:15`, `08:15:00` or `2026-03-01T08:15:00Z` is wanted"
    }
  }
}
