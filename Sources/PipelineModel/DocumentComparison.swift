// Parameters and metrics of two revisions side by side, in the shape that DVC's JSON has.
// SPDX-License-Identifier: Apache-2.0

/// What became of reading a file of parameters or metrics.
package enum DocumentReading: Sendable {
  case value(ParameterValue)
  /// The kind of the failure as DVC names it, and a sentence.
  case failure(kind: String, message: String)

  package var value: ParameterValue? { if case .value(let value) = self { value } else { nil } }

  /// `{"data": …}` or `{"error": {"type": …, "msg": …}}`.
  package var json: ParameterValue {
    switch self {
    case .value(let value): .mapping([("data", value)])
    case .failure(let kind, let message):
      .mapping([("error", .mapping([("type", .text(kind)), ("msg", .text(message))]))])
    }
  }
}

/// Files in order, with what was read of each.
package typealias DocumentReadings = [(path: String, reading: DocumentReading)]

extension ParameterValue {
  /// The part of a document that is a metric: numbers, flags and texts, by their keys. Lists, nulls and what is empty fall away.
  package var metrics: ParameterValue {
    switch self {
    case .integer(0), .bool(false), .text(""): .mapping([])
    case .double(let value) where value == 0: .mapping([])
    default: metricsPart ?? .mapping([])
    }
  }

  private var metricsPart: ParameterValue? {
    switch self {
    case .integer, .double, .bool, .text: return self
    case .null, .list: return nil
    case .mapping(let pairs):
      let kept = pairs.compactMap { key, value in value.metricsPart.map { (key, $0) } }
      return kept.isEmpty ? nil : .mapping(kept)
    }
  }

  /// A mapping of the named keys alone, nested as they are here; a key that is not there is left out.
  package func selecting(_ keys: [String]) -> ParameterValue {
    var tree = KeyTree()
    for key in keys { tree.insert(key.split(separator: ".", omittingEmptySubsequences: false)[...]) }
    return selecting(tree) ?? .mapping([])
  }

  private func selecting(_ tree: KeyTree) -> ParameterValue? {
    if tree.isWhole { return self }
    guard case .mapping(let pairs) = self else { return nil }
    let kept = pairs.compactMap { key, value in tree.children[key].flatMap { value.selecting($0) }.map { (key, $0) } }
    return kept.isEmpty ? nil : .mapping(kept)
  }

  /// Leaves by dotted key, in order. Lists are leaves, written as Python writes them; empty mappings are none.
  /// What is no mapping has the one key "".
  package var comparedLeaves: [(key: String, value: ParameterValue)] {
    guard case .mapping = self else { return [("", self)] }
    var found: [(key: String, value: ParameterValue)] = []
    collectLeaves("", &found)
    return found
  }

  private func collectLeaves(_ prefix: String, _ found: inout [(key: String, value: ParameterValue)]) {
    switch self {
    case .mapping(let pairs):
      for (key, value) in pairs { value.collectLeaves(prefix.isEmpty ? key : "\(prefix).\(key)", &found) }
    case .list: found.append((prefix, .text(pythonLiteral)))
    default: found.append((prefix, self))
    }
  }

  /// As Python's `repr` writes it: `[1, 'a', True, None, {'k': 1.5}]`.
  package var pythonLiteral: String {
    switch self {
    case .null: "None"
    case .bool(let value): value ? "True" : "False"
    case .integer(let value): "\(value)"
    case .double(let value): value.pythonRepr
    case .text(let text): Self.pythonQuotedLiteral(text)
    case .list(let items): "[" + items.map(\.pythonLiteral).joined(separator: ", ") + "]"
    case .mapping(let pairs):
      "{" + pairs.map { "\(Self.pythonQuotedLiteral($0.0)): \($0.1.pythonLiteral)" }.joined(separator: ", ") + "}"
    }
  }

  private static func pythonQuotedLiteral(_ text: String) -> String {
    let quote: Unicode.Scalar = text.contains("'") && !text.contains("\"") ? "\"" : "'"
    var out = String(Character(quote))
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case quote: out += "\\\(scalar)"
      case "\u{0}"..."\u{1F}", "\u{7F}":
        let digits = String(scalar.value, radix: 16)
        out += "\\x" + (digits.count < 2 ? "0" : "") + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + String(Character(quote))
  }
}

/// Dotted keys by their parts.
private struct KeyTree {
  var isWhole = false
  var children: [String: KeyTree] = [:]

  mutating func insert(_ parts: ArraySlice<Substring>) {
    guard let first = parts.first else { return isWhole = true }
    children[String(first), default: KeyTree()].insert(parts.dropFirst())
  }
}

/// File → key → both values.
package struct DocumentComparison: Sendable {
  package struct Change: Sendable {
    package var key: String
    /// `null` where the key is missing.
    package var old: ParameterValue
    package var new: ParameterValue
    /// New minus old, when both are numbers; flags count as 1 and 0.
    package var difference: ParameterValue?
  }

  /// In the order of the newer side, then what only the older has; keys sorted.
  package var files: [(path: String, changes: [Change])]

  /// - Parameter includingUnchanged: also the keys that are equal.
  package init(old: DocumentReadings, new: DocumentReadings, includingUnchanged: Bool = false) {
    let before = Dictionary(old.map { ($0.path, $0.reading) }) { first, _ in first }
    let after = Dictionary(new.map { ($0.path, $0.reading) }) { first, _ in first }
    let paths = new.map(\.path) + old.map(\.path).filter { after[$0] == nil }
    files = paths.compactMap { path in
      let changes = Self.changes(before[path]?.value, after[path]?.value, includingUnchanged)
      return changes.isEmpty ? nil : (path, changes)
    }
  }

  private static func changes(_ old: ParameterValue?, _ new: ParameterValue?, _ all: Bool) -> [Change] {
    // What one side lacks is an empty mapping, unless the other is no mapping at all.
    let before = Dictionary((old ?? .mapping([])).comparedLeaves) { first, _ in first }
    let after = Dictionary((new ?? .mapping([])).comparedLeaves) { first, _ in first }
    return Set(before.keys).union(after.keys).sorted().compactMap { key in
      let (a, b) = (before[key] ?? .null, after[key] ?? .null)
      guard all || !a.isEqualInPython(to: b) else { return nil }
      return Change(key: key, old: a, new: b, difference: difference(a, b))
    }
  }

  private static func difference(_ old: ParameterValue, _ new: ParameterValue) -> ParameterValue? {
    if let old = old.whole, let new = new.whole, case (let value, false) = new.subtractingReportingOverflow(old) {
      return .integer(value)
    }
    guard let old = old.real, let new = new.real else { return nil }
    return .double(new - old)
  }

  /// `{"file": {"key": {"old": …, "new": …, "diff": …}}}`.
  package var json: ParameterValue {
    .mapping(
      files.map { path, changes in
        let keys = changes.map { change -> (String, ParameterValue) in
          let pairs = [("old", change.old), ("new", change.new)] + (change.difference.map { [("diff", $0)] } ?? [])
          return (change.key, .mapping(pairs))
        }
        return (path, .mapping(keys))
      })
  }
}

extension ParameterValue {
  fileprivate var whole: Int64? {
    switch self {
    case .integer(let value): value
    case .bool(let value): value ? 1 : 0
    default: nil
    }
  }

  fileprivate var real: Double? { if case .double(let value) = self { value } else { whole.map(Double.init) } }
}
