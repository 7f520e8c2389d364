// `${…}` in a text to the value it names, or to text with the values in it.
// SPDX-License-Identifier: Apache-2.0

internal import Diagnostics
internal import Glibc

/// How a mapping becomes options of a command: `parsing.bool` and `parsing.list` of the configuration.
package struct InterpolationSettings: Sendable, Equatable {
  package enum Flags: String, Sendable {
    /// `true` is `--key`, `false` is nothing.
    case storeTrue = "store_true"
    /// `true` is `--key`, `false` is `--no-key`.
    case booleanOptional = "boolean_optional"
  }

  package enum Lists: String, Sendable {
    /// `--key a b`
    case nargs
    /// `--key a --key b`
    case append
  }

  package var flags: Flags
  package var lists: Lists

  package init(flags: Flags = .storeTrue, lists: Lists = .nargs) {
    self.flags = flags
    self.lists = lists
  }
}

/// Replaces `${…}`. The result is never read for `${…}` again.
struct Interpolation {
  /// Where a text stands decides which values it may take.
  enum Place: Equatable {
    /// `cmd`: a mapping becomes options.
    case command
    /// Another field of a stage: scalars alone.
    case field
    /// `foreach`, `matrix` and the top level: anything, when `${…}` is the whole text.
    case free
  }

  struct Mistake: Error {
    var message: String
    var hint: String?
    /// Which `${` of the text it is about, counted from 0, escaped ones too.
    var ordinal: Int
  }

  static let maximumLength = 1 << 20
  static let maximumDepth = 16
  /// Bytes of all texts of a manifest together, after `foreach` and `matrix`.
  static let maximumTotal = 1 << 28

  let isNative: Bool
  let settings: InterpolationSettings
  let variable: (String) -> String?
  /// Searches for a near name that are yet made: one is slow where there are many names.
  private var searchesLeft = 100
  private var bytesMade = 0
  /// Variables that were asked for, in order.
  private(set) var variablesRead: [String] = []

  init(isNative: Bool, settings: InterpolationSettings, variable: @escaping (String) -> String?) {
    self.isNative = isNative
    self.settings = settings
    self.variable = variable
  }

  /// Whether a text has anything to replace, escapes included.
  static func concerns(_ text: String) -> Bool {
    guard text.holds(dollar) else { return false }
    return zip(text.utf8, text.utf8.dropFirst()).contains { $0 == dollar && $1 == openBrace }
  }

  /// Whether a text has a `${…}` that would be replaced.
  func isTemplate(_ text: String) -> Bool { Self.concerns(text) && pieces(Array(text.utf8)).contains { $0.isExpression } }

  /// - Returns: the value that the text names when `${…}` is all of it, else text.
  mutating func resolve(_ text: String, in context: InterpolationContext, place: Place) throws(Mistake) -> TemplateValue {
    let bytes = Array(text.utf8)
    let pieces = pieces(bytes)
    if pieces.count == 1, case .expression(let range, let ordinal) = pieces[0] {
      let value = try self.value(of: bytes[range], in: context, ordinal: ordinal, depth: 0)
      try check(value, bytes[range], place, isWhole: true, ordinal)
      return value
    }
    let text = unescaped(try joined(pieces, bytes, in: context, place: place, depth: 0))
    bytesMade += text.utf8.count
    guard bytesMade <= Self.maximumTotal else {
      throw Mistake(
        message: "the texts of the manifest grow beyond \(Self.maximumTotal) bytes together with what `${…}` stands for",
        ordinal: 0)
    }
    return .plain(.text(text))
  }

  // MARK: Pieces

  private enum Piece {
    case text(Range<Int>)
    /// What stands between `${` and `}`.
    case expression(Range<Int>, ordinal: Int)

    var isExpression: Bool {
      if case .expression = self { return true }
      return false
    }
  }

  private static let dollar = UInt8(ascii: "$")
  private static let openBrace = UInt8(ascii: "{")
  private static let closeBrace = UInt8(ascii: "}")
  private static let backslash = UInt8(ascii: "\\")
  private static let lineFeed = UInt8(ascii: "\n")

  private func pieces(_ bytes: [UInt8]) -> [Piece] {
    var pieces: [Piece] = []
    var start = 0
    var index = 0
    var ordinal = 0
    // Behind the last `}` of its line nothing closes: the search is not repeated for each `${` there.
    var openUntil = 0
    while index + 1 < bytes.count {
      guard bytes[index] == Self.dollar, bytes[index + 1] == Self.openBrace else {
        index += 1
        continue
      }
      let isEscaped = index > 0 && bytes[index - 1] == Self.backslash
      if !isEscaped, index >= openUntil {
        if let end = close(bytes, from: index + 2) {
          if start < index { pieces.append(.text(start..<index)) }
          pieces.append(.expression(index + 2..<end, ordinal: ordinal))
          // A nested `${` counts too, so that places are found in the file.
          ordinal += Self.openings(bytes[index..<end])
          index = end + 1
          start = index
          continue
        }
        if !isNative { openUntil = bytes[index...].firstIndex(of: Self.lineFeed) ?? bytes.count }
      }
      ordinal += 1
      index += 2
    }
    if start < bytes.count || pieces.isEmpty { pieces.append(.text(start..<bytes.count)) }
    return pieces
  }

  private static func openings(_ bytes: ArraySlice<UInt8>) -> Int {
    zip(bytes, bytes.dropFirst()).count { $0 == dollar && $1 == openBrace }
  }

  /// The `}` that ends an expression, on its line.
  private func close(_ bytes: [UInt8], from start: Int) -> Int? {
    var open = 0
    var index = start
    while index < bytes.count, bytes[index] != Self.lineFeed, index - start <= 1024 {
      if bytes[index] == Self.closeBrace {
        if open == 0 { return index }
        open -= 1
      } else if isNative, bytes[index] == Self.dollar, index + 1 < bytes.count, bytes[index + 1] == Self.openBrace {
        open += 1
        index += 1
      }
      index += 1
    }
    return nil
  }

  /// `\${` without its backslash, also where a value brought it, as in DVC.
  private func unescaped(_ text: String) -> String {
    guard text.holds(Self.backslash), Self.concerns(text) else { return text }
    return text.replacing("\\${", with: "${")
  }

  private mutating func joined(
    _ pieces: [Piece], _ bytes: [UInt8], in context: InterpolationContext, place: Place, depth: Int
  ) throws(Mistake) -> String {
    var out = ""
    for piece in pieces {
      switch piece {
      case .text(let range): out += String(decoding: bytes[range], as: UTF8.self)
      case .expression(let range, let ordinal):
        let value = try self.value(of: bytes[range], in: context, ordinal: ordinal, depth: depth)
        try check(value, bytes[range], place, isWhole: false, ordinal)
        out += try text(of: value, named: bytes[range], ordinal)
        guard out.utf8.count <= Self.maximumLength else {
          throw Mistake(
            message: "the text grows beyond \(Self.maximumLength) bytes with what `${…}` stands for", ordinal: ordinal)
        }
      }
    }
    return out
  }

  private func check(
    _ value: TemplateValue, _ name: ArraySlice<UInt8>, _ place: Place, isWhole: Bool, _ ordinal: Int
  ) throws(Mistake) {
    let shown = "${\(String(decoding: name, as: UTF8.self))}"
    switch value {
    case .plain, .file: return
    case .mapping where place == .command:
      guard isWhole else { return }
      throw Mistake(
        message: "`\(shown)` is a mapping, which becomes options: a program has to stand before it", ordinal: ordinal)
    case .list, .mapping:
      if place == .free, isWhole { return }
      let kind = if case .list = value { "a list" } else { "a mapping" }
      throw Mistake(
        message: "`\(shown)` is \(kind), and text cannot hold one",
        hint: kind == "a list" ? "name one of its items: `${NAME[0]}`" : "name one of its keys: `${NAME.key}`", ordinal: ordinal)
    }
  }

  // MARK: Expressions

  private mutating func value(
    of name: ArraySlice<UInt8>, in context: InterpolationContext, ordinal: Int, depth: Int
  ) throws(Mistake) -> TemplateValue {
    var path = String(decoding: name, as: UTF8.self)
    var fallback: String?
    if isNative {
      if let split = Self.defaultSplit(name) {
        path = String(decoding: name[..<split], as: UTF8.self)
        fallback = String(decoding: name[(split + 2)...], as: UTF8.self)
      }
      path = try inner(path, in: context, ordinal, depth)
    }
    let steps = try Self.steps(path, ordinal)
    var found = context.value(at: steps)
    if found == nil, isNative, steps.first == "env", context.values["env"] == nil {
      found = try environmentValue(steps, ordinal, hasDefault: fallback != nil)
    }
    if let found, fallback == nil || !Self.isNothing(found) { return found }
    if let fallback { return .plain(Self.fallbackValue(try inner(fallback, in: context, ordinal, depth))) }
    throw missing(path, steps, in: context, ordinal)
  }

  /// The first `:-` that is not inside a nested `${…}`.
  private static func defaultSplit(_ name: ArraySlice<UInt8>) -> Int? {
    var open = 0
    for index in name.indices.dropLast() {
      switch (name[index], name[index + 1]) {
      case (dollar, openBrace): open += 1
      case (closeBrace, _): open -= 1
      case (UInt8(ascii: ":"), UInt8(ascii: "-")) where open == 0: return index
      default: break
      }
    }
    return nil
  }

  private mutating func inner(
    _ text: String, in context: InterpolationContext, _ ordinal: Int, _ depth: Int
  ) throws(Mistake) -> String {
    guard Self.concerns(text) else { return text }
    guard depth < Self.maximumDepth else {
      throw Mistake(message: "`${…}` nests deeper than \(Self.maximumDepth)", ordinal: ordinal)
    }
    let bytes = Array(text.utf8)
    do {
      return try joined(pieces(bytes), bytes, in: context, place: .field, depth: depth + 1)
    } catch {
      throw Mistake(message: error.message, hint: error.hint, ordinal: ordinal + 1 + error.ordinal)
    }
  }

  private static func isNothing(_ value: TemplateValue) -> Bool {
    if case .plain(.null) = value { return true }
    return false
  }

  /// A default has the type that it would have in YAML.
  private static func fallbackValue(_ text: String) -> ParameterValue { text.isEmpty ? .text("") : ParameterValue(plain: text) }

  private mutating func environmentValue(_ steps: [Substring], _ ordinal: Int, hasDefault: Bool) throws(Mistake) -> TemplateValue?
  {
    guard steps.count == 2 else {
      throw Mistake(message: "`env` is followed by the name of one variable: `${env.NAME}`", ordinal: ordinal)
    }
    let name = String(steps[1])
    if !variablesRead.contains(name) { variablesRead.append(name) }
    let value = variable(name)
    // As in a shell, a default stands for an empty variable too.
    if hasDefault, value?.isEmpty == true { return nil }
    guard let value else {
      if hasDefault { return nil }
      throw Mistake(
        message: "the environment has no variable `\(name)`", hint: "give a default: `${env.\(name):-text}`", ordinal: ordinal)
    }
    return .plain(.text(value))
  }

  /// `a.b[0]` as its steps, blanks around them removed.
  private static func steps(_ path: String, _ ordinal: Int) throws(Mistake) -> [Substring] {
    let bytes = Array(path.utf8)
    var steps: [Substring] = []
    var index = 0
    func isWord(_ byte: UInt8) -> Bool { byte != UInt8(ascii: ".") && byte != UInt8(ascii: "[") && byte != UInt8(ascii: "]") }
    func word() -> Substring? {
      let start = index
      while index < bytes.count, isWord(bytes[index]) { index += 1 }
      guard index > start else { return nil }
      let text = String(decoding: bytes[start..<index], as: UTF8.self)
      return text.trimmingBlanks()
    }
    func broken() -> Mistake {
      Mistake(
        message: "`${\(path)}` is not a name", hint: "a name is keys and places in lists, as in `${train.layers[0]}`",
        ordinal: ordinal)
    }
    guard let first = word() else { throw broken() }
    steps.append(first)
    while index < bytes.count {
      let opener = bytes[index]
      index += 1
      guard opener != UInt8(ascii: "]"), let next = word() else { throw broken() }
      steps.append(next)
      if opener == UInt8(ascii: "[") {
        guard index < bytes.count, bytes[index] == UInt8(ascii: "]") else { throw broken() }
        index += 1
      }
    }
    return steps
  }

  private mutating func missing(_ path: String, _ steps: [Substring], in context: InterpolationContext, _ ordinal: Int) -> Mistake
  {
    func mistake(_ hint: String?) -> Mistake {
      Mistake(message: "`${\(path)}` names nothing", hint: hint, ordinal: ordinal)
    }
    if !isNative, path.contains(":-") || path.contains("${") || steps.first == "env" {
      return mistake("native only: rename `dvc.yaml` to `pipeline.yaml`")
    }
    // The nearest name on the level where the path leaves what is there.
    var level: TemplateValue = .mapping(context.values)
    var known = ""
    for step in steps {
      if let next = level.step(step) {
        level = next
        known += (known.isEmpty ? "" : ".") + step
        continue
      }
      guard case .mapping(let mapping) = level, searchesLeft > 0 else { break }
      searchesLeft -= 1
      if let near = closestMatch(to: String(step), among: mapping.keys.prefix(1000)) {
        return mistake("did you mean `${\(known.isEmpty ? near : "\(known).\(near)")}`?")
      }
      break
    }
    if steps.count == 1, !path.isEmpty, path.utf8.allSatisfy({ (65...90).contains($0) || (48...57).contains($0) || $0 == 95 }) {
      return mistake("write `\\${\(path)}` when the shell is to read it" + (isNative ? ", or `${env.\(path)}`" : ""))
    }
    return mistake("names come from params.yaml beside the manifest and from `vars`")
  }

  // MARK: Text

  private func text(of value: TemplateValue, named name: ArraySlice<UInt8>, _ ordinal: Int) throws(Mistake) -> String {
    switch value {
    case .plain(let value): return value.pythonText
    case .file(let path): return path
    case .list: return ""
    case .mapping(let mapping):
      var words: [String] = []
      try options(mapping, below: "", into: &words, ordinal)
      return words.joined(separator: " ")
    }
  }

  /// A mapping as options of a command.
  private func options(
    _ mapping: TemplateMapping, below path: String, into words: inout [String], _ ordinal: Int
  ) throws(Mistake) {
    for (key, value) in mapping.pairs {
      let name = path.isEmpty ? key : "\(path).\(key)"
      switch value {
      case .mapping(let inner): try options(inner, below: name, into: &words, ordinal)
      case .plain(.bool(true)): words.append("--\(name)")
      case .plain(.bool(false)): if settings.flags == .booleanOptional { words.append("--no-\(name)") }
      case .plain(let value): words += ["--\(name)", Self.word(value)]
      case .file(let path): words += ["--\(name)", shellQuoted(path)]
      case .list(let items):
        for (index, item) in items.enumerated() {
          guard case .plain(let value) = item else {
            throw Mistake(
              message: "`\(name)` is a list in which another list or a mapping stands, which no option can hold", ordinal: ordinal
            )
          }
          if index == 0 || settings.lists == .append { words.append("--\(name)") }
          words.append(value.isBool ? (value == .bool(true) ? "True" : "False") : Self.word(value))
        }
      }
    }
  }

  private static func word(_ value: ParameterValue) -> String {
    if case .text(let text) = value { return shellQuoted(text) }
    return value.pythonText
  }
}

extension ParameterValue {
  fileprivate var isBool: Bool {
    if case .bool = self { return true }
    return false
  }
}

/// A word that a POSIX shell reads as this text, in quotes only where it needs them.
func shellQuoted(_ text: String) -> String {
  guard !text.isEmpty else { return "''" }
  let isPlain = text.utf8.allSatisfy { byte in
    switch byte {
    case 48...57, 65...90, 97...122: true
    default: "_@%+=:,./-".utf8.contains(byte)
    }
  }
  return isPlain ? text : "'" + text.replacing("'", with: "'\"'\"'") + "'"
}

extension String {
  /// Whether a byte stands in it, found by the C library: manifests have a hundred thousand texts, most without any `$`.
  func holds(_ byte: UInt8) -> Bool {
    utf8.withContiguousStorageIfAvailable { bytes in
      bytes.baseAddress.map { memchr($0, Int32(byte), bytes.count) != nil } ?? false
    } ?? utf8.contains(byte)
  }

  fileprivate func trimmingBlanks() -> Substring {
    func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
    guard let first = utf8.firstIndex(where: { !isBlank($0) }), let last = utf8.lastIndex(where: { !isBlank($0) }) else {
      return ""
    }
    return self[first...last]
  }
}
