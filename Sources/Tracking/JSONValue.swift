// A JSON document as a value, numbers kept as they were written.
// SPDX-License-Identifier: Apache-2.0

/// Any JSON value. Numbers are text, so that no digit is lost between reading and writing.
package indirect enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  /// As RFC 8259 writes numbers, or `NaN`, `Infinity`, `-Infinity` as Python's json module does.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  package static func integer(_ value: Int) -> JSONValue { .number(String(value)) }

  package subscript(_ key: String) -> JSONValue? {
    if case .object(let members) = self { members[key] } else { nil }
  }

  package var stringValue: String? { if case .string(let text) = self { text } else { nil } }

  package var integerValue: Int? { if case .number(let text) = self { Int(text) } else { nil } }

  package var doubleValue: Double? { if case .number(let text) = self { Double(text) } else { nil } }

  package var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
}

// MARK: Writing

extension JSONValue {
  /// One line, keys sorted by bytes, no spaces: the form that digests are taken of.
  package var canonicalText: String {
    var out = ""
    write(to: &out, indent: nil)
    return out
  }

  /// Two spaces a level, keys sorted by bytes, no newline at the end: the form that people read.
  package var prettyText: String {
    var out = ""
    write(to: &out, indent: 0)
    return out
  }

  private func write(to out: inout String, indent: Int?) {
    switch self {
    case .null: out += "null"
    case .bool(let value): out += value ? "true" : "false"
    case .number(let text): out += text
    case .string(let text): writeQuoted(text, to: &out)
    case .array(let items):
      writeList("[", items, "]", to: &out, indent: indent) { item, out, inner in item.write(to: &out, indent: inner) }
    case .object(let members):
      let sorted = members.sorted { precedes($0.key, $1.key) }
      writeList("{", sorted, "}", to: &out, indent: indent) { member, out, inner in
        writeQuoted(member.key, to: &out)
        out += inner == nil ? ":" : ": "
        member.value.write(to: &out, indent: inner)
      }
    }
  }
}

private func writeList<Item>(
  _ open: String, _ items: [Item], _ close: String, to out: inout String, indent: Int?,
  _ write: (Item, inout String, Int?) -> Void
) {
  let inner = indent.map { $0 + 1 }
  out += open
  for (index, item) in items.enumerated() {
    if index > 0 { out += "," }
    if let inner { out += "\n" + String(repeating: "  ", count: inner) }
    write(item, &out, inner)
  }
  if let indent, !items.isEmpty { out += "\n" + String(repeating: "  ", count: indent) }
  out += close
}

private func writeQuoted(_ text: String, to out: inout String) {
  out += "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": out += "\\\""
    case "\\": out += "\\\\"
    case "\n": out += "\\n"
    case "\r": out += "\\r"
    case "\t": out += "\\t"
    case _ where scalar.value < 0x20:
      let digits = String(scalar.value, radix: 16)
      out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: out.unicodeScalars.append(scalar)
    }
  }
  out += "\""
}
