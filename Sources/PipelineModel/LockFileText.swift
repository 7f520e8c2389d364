// The lock file as YAML that reads well in a diff.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

package enum LockFileText {
  static let schema = "1.0"

  /// The text, stages in the order given; entries of other stages are left out.
  package static func write(_ lock: LockFile, order: [String]) -> String {
    var out = "schema: '\(schema)'\nstages:"
    let written = order.filter { lock.entries[$0] != nil }
    if written.isEmpty { return out + " {}\n" }
    out += "\n"
    for name in written {
      guard let entry = lock.entries[name] else { continue }
      write(name, entry, into: &out)
    }
    return out
  }

  /// The text with the entries of some stages written anew, the others' lines as they are.
  ///
  /// - Parameters:
  ///   - text: what was written before; one that is not of this shape, or has other stages, is written as a whole.
  ///   - changed: stages whose entries may differ from those in the text.
  package static func updating(_ text: String?, _ lock: LockFile, order: [String], changed: Set<String>) -> String {
    text.flatMap { spliced($0, lock, order, changed) } ?? write(lock, order: order)
  }

  private static func spliced(_ text: String, _ lock: LockFile, _ order: [String], _ changed: Set<String>) -> String? {
    var text = text
    return text.withUTF8 { bytes in
      var lines = PlainLines(bytes)
      guard lines.skip("schema: '1.0'"), lines.skip("stages:") else { return nil }
      var out = ""
      out.reserveCapacity(bytes.count + changed.count << 10)
      var kept = 0
      for name in order {
        guard let entry = lock.entries[name] else { continue }
        let start = lines.position
        guard let head = lines.next(), lines.plain(head) == "  \(YAMLText.scalar(name)):" else { return nil }
        lines.skipBlock()
        guard changed.contains(name) else { continue }
        out += lines.plain(.init(start: kept, end: start))
        write(name, entry, into: &out)
        kept = lines.position
      }
      return lines.isAtEnd && bytes.last == 10 ? out + lines.plain(.init(start: kept, end: lines.position)) : nil
    }
  }

  private static func write(_ name: String, _ entry: LockEntry, into out: inout String) {
    out += "  \(YAMLText.scalar(name)):\n"
    YAMLText.write(entry.tree, indent: 4, into: &out)
  }

  /// Reads the text.
  ///
  /// - Throws: all mistakes; a lock file that cannot be read is never taken for an empty one.
  package static func read(_ text: String, file: String) throws(DiagnosticList) -> LockFile {
    if let lock = LockFileScan.read(text, file: file) { return lock }
    return try readAsYAML(text, file: file)
  }

  /// The same, whatever the text looks like.
  package static func readAsYAML(_ text: String, file: String) throws(DiagnosticList) -> LockFile {
    var (tree, mistakes) = YAMLReader.read(text, file: file)
    if mistakes.hasErrors {
      throw DiagnosticList(
        mistakes.diagnostics.map { Diagnostic($0.category, $0.message, at: $0.location, causes: $0.causes, hints: recovery) })
    }
    guard let tree, let stages = tree["stages"] else {
      mistakes.add(Diagnostic(.input, "the lock file has no `stages`", at: SourceLocation(file: file), hints: recovery))
      throw mistakes
    }
    guard tree["schema"]?.text == schema else {
      mistakes.add(
        Diagnostic(
          .input, "the lock file has schema `\(tree["schema"]?.text ?? "none")`, this `pipe` reads `\(schema)`",
          at: (tree["schema"] ?? tree).location(in: file)))
      throw mistakes
    }
    var lock = LockFile()
    guard let pairs = stages.pairs else {
      mistakes.add(
        Diagnostic(
          .input, "`stages` of the lock file has to be a mapping, not \(stages.kindName)", at: stages.location(in: file),
          hints: recovery))
      throw mistakes
    }
    for (key, value) in pairs {
      if let entry = LockEntry(tree: value.value) {
        lock.entries[key.text] = entry
      } else {
        mistakes.add(
          Diagnostic(.input, "the lock entry of stage `\(key.text)` cannot be read", at: key.location(in: file), hints: recovery))
      }
    }
    try mistakes.throwIfErrors()
    return lock
  }

  private static let recovery = [
    "take the file from Git (`git checkout -- pipeline.lock`), or remove it: `pipe repro` then restores what it knows"
  ]
}

/// Block-style YAML.
enum YAMLText {
  static func write(_ value: ParameterValue, indent: Int, into out: inout String) {
    let margin = String(repeating: " ", count: indent)
    switch value {
    case .mapping(let pairs):
      for (key, value) in pairs { writePair(key, value, margin, indent, into: &out) }
    case .list(let items):
      for item in items {
        if case .mapping(let pairs) = item, let first = pairs.first {
          out += "\(margin)- "
          writePair(first.0, first.1, "", indent + 2, into: &out)
          for (key, value) in pairs.dropFirst() { writePair(key, value, margin + "  ", indent + 2, into: &out) }
        } else if item.isEmptyOrScalar {
          out += "\(margin)- \(inline(item))\n"
        } else {
          out += "\(margin)-\n"
          write(item, indent: indent + 2, into: &out)
        }
      }
    default: out += "\(margin)\(inline(value))\n"
    }
  }

  private static func writePair(_ key: String, _ value: ParameterValue, _ margin: String, _ indent: Int, into out: inout String) {
    if value.isEmptyOrScalar {
      out += "\(margin)\(scalar(key)): \(inline(value))\n"
    } else if case .list = value {
      out += "\(margin)\(scalar(key)):\n"
      write(value, indent: indent, into: &out)
    } else {
      out += "\(margin)\(scalar(key)):\n"
      write(value, indent: indent + 2, into: &out)
    }
  }

  private static func inline(_ value: ParameterValue) -> String {
    switch value {
    case .text(let text): scalar(text)
    case .double(let number) where number.isNaN: ".nan"
    case .double(let number) where number.isInfinite: number < 0 ? "-.inf" : ".inf"
    case .list: "[]"
    case .mapping: "{}"
    default: value.json
    }
  }

  /// A text as a plain scalar where that reads back as the same text, else in quotes.
  static func scalar(_ text: String) -> String {
    if isWord(text) { return text }
    // Scalars, not characters: a combining mark would hide a `#` or a space from `Character`, not from YAML.
    let scalars = Array(text.unicodeScalars)
    guard scalars.allSatisfy(isPrintable) else { return jsonQuoted(text) }
    let isPlain = canBePlain(scalars) && ParameterValue(plain: text).asText != nil
    return isPlain ? text : "'" + singleQuoted(scalars) + "'"
  }

  /// Whether a text is plain for certain: letters, digits, `_`, `-`, `/` and `.`, begun by a letter that begins no other kind.
  private static func isWord(_ text: String) -> Bool {
    guard let first = text.utf8.first, (97...122).contains(first), !"nft".utf8.contains(first) else { return false }
    return text.utf8.allSatisfy {
      (97...122).contains($0) || (65...90).contains($0) || (45...57).contains($0) || $0 == UInt8(ascii: "_")
    }
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<32, 0x7F..<0xA0, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF: false
    default: true
    }
  }

  private static func canBePlain(_ scalars: [Unicode.Scalar]) -> Bool {
    guard let first = scalars.first, let last = scalars.last else { return false }
    guard !"-?:,[]{}#&*!|>'\"%@`=<~ ".unicodeScalars.contains(first), last != " ", last != ":" else { return false }
    return !zip(scalars, scalars.dropFirst()).contains { $0 == ":" && $1 == " " || $0 == " " && $1 == "#" }
  }

  private static func singleQuoted(_ scalars: [Unicode.Scalar]) -> String {
    var out = ""
    for scalar in scalars { out.unicodeScalars.append(contentsOf: scalar == "'" ? ["'", "'"] : [scalar]) }
    return out
  }
}

extension ParameterValue {
  fileprivate var isEmptyOrScalar: Bool {
    switch self {
    case .list(let items): items.isEmpty
    case .mapping(let pairs): pairs.isEmpty
    default: true
    }
  }
}
