// Two sets of metrics or parameters, key by key.
// SPDX-License-Identifier: Apache-2.0

/// One key that is not the same on both sides.
package struct ValueDiff: Sendable, Equatable {
  /// `nil` where the key is missing; JSON's `null` counts as a value.
  package var old: JSONValue?
  package var new: JSONValue?
  /// New minus old, when both are numbers.
  package var difference: JSONValue?

  /// Whether both sides say the same: numbers by value, so that 1 equals 1.0.
  package var isUnchanged: Bool { old == new || difference?.doubleValue == 0 }
}

/// File → dotted key → what became of it.
package struct DocumentDiff: Sendable, Equatable {
  package var files: [String: [String: ValueDiff]]

  /// Compares documents by file name. Used by `metrics diff` and `params diff` alike.
  ///
  /// - Parameter includingUnchanged: also the keys that are equal.
  package init(old: [String: JSONValue], new: [String: JSONValue], includingUnchanged: Bool = false) {
    files = [:]
    for file in Set(old.keys).union(new.keys) {
      let before = old[file]?.flattened ?? [:]
      let after = new[file]?.flattened ?? [:]
      var keys: [String: ValueDiff] = [:]
      for key in Set(before.keys).union(after.keys) {
        let diff = ValueDiff(old: before[key], new: after[key])
        if includingUnchanged || !diff.isUnchanged { keys[key] = diff }
      }
      if !keys.isEmpty { files[file] = keys }
    }
  }

  package var isEmpty: Bool { files.isEmpty }

  /// `{"file": {"key": {"old": …, "new": …, "diff": …}}}`, as DVC prints it; a missing side is `null`.
  package var json: JSONValue {
    .object(
      files.mapValues { keys in
        .object(
          keys.mapValues { diff in
            var members: [String: JSONValue] = ["old": diff.old ?? .null, "new": diff.new ?? .null]
            members["diff"] = diff.difference
            return .object(members)
          })
      })
  }
}

extension ValueDiff {
  package init(old: JSONValue?, new: JSONValue?) {
    self.old = old
    self.new = new
    difference = Self.difference(old, new)
  }

  private static func difference(_ old: JSONValue?, _ new: JSONValue?) -> JSONValue? {
    if let old = old?.integerValue, let new = new?.integerValue, case (let value, false) = new.subtractingReportingOverflow(old) {
      return .integer(value)
    }
    guard let old = old?.doubleValue, let new = new?.doubleValue, (new - old).isFinite else { return nil }
    return .number("\(new - old)")
  }
}

extension JSONValue {
  /// Leaves by dotted key; lists are leaves. A document that is no mapping has the one key "".
  package var flattened: [String: JSONValue] {
    guard case .object = self else { return ["": self] }
    var leaves: [String: JSONValue] = [:]
    flatten(into: &leaves, prefix: "")
    return leaves
  }

  /// The numbers among the leaves: what a metrics file is for.
  package var flattenedNumbers: [String: Double] { flattened.compactMapValues(\.doubleValue) }

  private func flatten(into leaves: inout [String: JSONValue], prefix: String) {
    guard case .object(let members) = self, !members.isEmpty || prefix.isEmpty else { return leaves[prefix] = self }
    for (key, value) in members.sorted(by: { precedes($0.key, $1.key) }) {
      value.flatten(into: &leaves, prefix: prefix.isEmpty ? key : "\(prefix).\(key)")
    }
  }
}
