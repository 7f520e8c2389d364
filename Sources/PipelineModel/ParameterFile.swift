// A file of parameters to a value, whichever of the four formats it is in.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import Diagnostics

/// What a parameter file holds. The end of its name says the format: `.json`, `.toml`, `.py`; all else is YAML.
package struct ParameterFile: Sendable {
  package struct Key: Sendable, Equatable {
    /// Dotted path.
    package var key: String
    /// From 1, where the format tells.
    package var line: Int?
    package var column: Int?
  }

  package struct Foreign: Sendable, Equatable {
    package var place: Key
    /// "a date", "a tuple".
    package var kind: String
  }

  package let path: WorkspacePath
  package let value: ParameterValue
  /// All keys with their places, outer before inner.
  package let keys: [Key]
  /// Values of types that are none of ours: dates are read as text, tuples and sets as lists.
  package let foreign: [Foreign]
  private let index: KeyIndex?

  /// - Throws: every mistake in the text.
  package init(_ text: String, at path: WorkspacePath) throws(DiagnosticList) {
    let content = try Self.content(text, path)
    self.path = path
    value = content.value
    keys = content.keys
    foreign = content.foreign
    index = KeyIndex(content.value)
  }

  package static func read(_ text: String, _ path: WorkspacePath) throws(DiagnosticList) -> ParameterValue {
    try content(text, path).value
  }

  /// The value under a dotted path.
  ///
  /// - Parameter isExact: as in DVC, each dot begins an inner key; else a key may itself hold dots.
  package func value(at key: String, isExact: Bool) -> ParameterValue? {
    let steps = key.split(separator: ".", omittingEmptySubsequences: false)
    if let found = value.walk(steps[...], index) { return found }
    return isExact ? nil : value[at: key]
  }

  struct Content {
    var value: ParameterValue
    var keys: [Key] = []
    var foreign: [Foreign] = []
  }

  private static func content(_ text: String, _ path: WorkspacePath) throws(DiagnosticList) -> Content {
    let name = path.name
    let suffix = name.utf8.lastIndex(of: UInt8(ascii: ".")).map { name[$0...].lowercased() } ?? ""
    var content =
      switch suffix {
      case ".toml": try toml(text, path)
      case ".py": try python(text, path)
      case ".json": try json(text, path)
      default: try yaml(text, path)
      }
    if content.value.isNothing { content.value = .mapping([]) }
    return content
  }

  private static func yaml(_ text: String, _ path: WorkspacePath) throws(DiagnosticList) -> Content {
    let (tree, mistakes) = YAMLReader.read(text, file: path.text)
    try mistakes.throwIfErrors()
    guard let tree else { return Content(value: .mapping([])) }
    return Content(
      value: tree.value, keys: tree.keyPaths(below: ""),
      foreign: tree.datePaths(below: "").map { Foreign(place: $0, kind: "a date") })
  }

  /// JSON is read as the YAML that it is; what only YAML has is refused.
  private static func json(_ text: String, _ path: WorkspacePath) throws(DiagnosticList) -> Content {
    let (tree, mistakes) = YAMLReader.read(text, file: path.text)
    try mistakes.throwIfErrors()
    guard let tree else {
      throw DiagnosticList([Diagnostic(.input, "`\(path)` is empty, and JSON holds a value", at: SourceLocation(file: path.text))]
      )
    }
    if let stranger = tree.firstNotInJSON {
      throw DiagnosticList([
        Diagnostic(
          .input, "this is not JSON: `\(stranger.text)` stands without quotes",
          at: SourceLocation(file: path.text, line: stranger.mark.line, column: stranger.mark.column))
      ])
    }
    return Content(value: tree.jsonValue, keys: tree.keyPaths(below: ""))
  }
}

extension ParameterValue {
  /// What Python takes for false, which DVC reads as an empty mapping.
  fileprivate var isNothing: Bool {
    switch self {
    case .null, .bool(false), .integer(0): true
    case .double(let value): value == 0
    case .text(let text): text.isEmpty
    case .list(let items): items.isEmpty
    default: false
    }
  }

  /// Each step one key or place; a place below 0 counts from the end.
  fileprivate func walk(_ steps: ArraySlice<Substring>, _ index: KeyIndex?) -> ParameterValue? {
    guard let first = steps.first else { return self }
    switch self {
    case .mapping(let pairs):
      let key = String(first)
      guard let place = index?.places[key] ?? (index == nil ? pairs.firstIndex { $0.0 == key } : nil) else { return nil }
      return pairs[place].1.walk(steps.dropFirst(), index?.inner[place])
    case .list(let items):
      guard let place = Int(first), place < items.count, place >= -items.count else { return nil }
      return items[place < 0 ? items.count + place : place].walk(steps.dropFirst(), nil)
    default: return nil
    }
  }
}

/// Places of keys in a mapping that is long, or has a long one in it, so that 10,000 look-ups are not 10,000 searches.
private struct KeyIndex: Sendable {
  var places: [String: Int] = [:]
  /// Place → the index of the mapping there.
  var inner: [Int: KeyIndex] = [:]

  init?(_ value: ParameterValue) {
    guard case .mapping(let pairs) = value else { return nil }
    for (place, pair) in pairs.enumerated() { if let index = KeyIndex(pair.1) { inner[place] = index } }
    guard pairs.count > 16 || !inner.isEmpty else { return nil }
    places.reserveCapacity(pairs.count)
    for (place, pair) in pairs.enumerated() where places[pair.0] == nil { places[pair.0] = place }
  }
}

extension YAMLNode {
  /// A scalar or key that JSON would have in quotes.
  fileprivate var firstNotInJSON: (text: String, mark: YAMLMark)? {
    switch content {
    case .scalar(let text, isPlain: true): return jsonScalar(text) == nil ? (text, mark) : nil
    case .scalar: return nil
    case .sequence(let items): return items.lazy.compactMap(\.firstNotInJSON).first
    case .mapping(let pairs):
      for (key, value) in pairs {
        if key.isPlain { return (key.text, key.mark) }
        if let found = value.firstNotInJSON { return found }
      }
      return nil
    }
  }

  fileprivate var jsonValue: ParameterValue {
    switch content {
    case .scalar(let text, isPlain: true): jsonScalar(text) ?? .text(text)
    case .scalar(let text, isPlain: false): .text(text)
    case .sequence(let items): .list(items.map(\.jsonValue))
    case .mapping(let pairs): .mapping(pairs.map { ($0.key.text, $0.value.jsonValue) })
    }
  }

  /// A number, flag or `null` as JSON writes it, and the three numbers that Python adds.
  private func jsonScalar(_ text: String) -> ParameterValue? {
    switch text {
    case "null": return .null
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "NaN": return .double(.nan)
    case "Infinity": return .double(.infinity)
    case "-Infinity": return .double(-.infinity)
    default: break
    }
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    let isNumber = digits.utf8.allSatisfy { (48...57).contains($0) || "+-.eE".utf8.contains($0) }
    guard isNumber, let first = digits.utf8.first, (48...57).contains(first), digits.utf8.last != UInt8(ascii: ".") else {
      return nil
    }
    if first == 48, let second = digits.utf8.dropFirst().first, (48...57).contains(second) { return nil }
    return ParameterValue(plain: text)
  }

  fileprivate func keyPaths(below path: String) -> [ParameterFile.Key] {
    (pairs ?? []).flatMap { key, value in
      let name = path.isEmpty ? key.text : "\(path).\(key.text)"
      return [ParameterFile.Key(key: name, line: key.mark.line, column: key.mark.column)] + value.keyPaths(below: name)
    }
  }

  fileprivate func datePaths(below path: String) -> [ParameterFile.Key] {
    switch content {
    case .scalar: isDate ? [ParameterFile.Key(key: path, line: mark.line, column: mark.column)] : []
    case .sequence(let items): items.enumerated().flatMap { $1.datePaths(below: path.isEmpty ? "\($0)" : "\(path).\($0)") }
    case .mapping(let pairs):
      pairs.flatMap { $0.value.datePaths(below: path.isEmpty ? $0.key.text : "\(path).\($0.key.text)") }
    }
  }

  /// The scalars that YAML 1.1 and DVC read as dates or times.
  var dates: [YAMLNode] {
    switch content {
    case .scalar: isDate ? [self] : []
    case .sequence(let items): items.flatMap(\.dates)
    case .mapping(let pairs): pairs.flatMap(\.value.dates)
    }
  }

  private var isDate: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return isDateText(text)
  }
}

/// `2020-01-01`, or with a time after `T` or blanks: what DVC's YAML takes for a date.
func isDateText(_ text: String) -> Bool {
  let bytes = Array(text.utf8)
  func isDigit(_ index: Int) -> Bool { index < bytes.count && (48...57).contains(bytes[index]) }
  guard bytes.count >= 8, (0..<4).allSatisfy(isDigit), bytes[4] == UInt8(ascii: "-") else { return false }
  if bytes.count == 10 { return bytes[7] == UInt8(ascii: "-") && [5, 6, 8, 9].allSatisfy(isDigit) }
  return text.wholeMatch(
    of:
      /[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?([ \t]*(Z|[-+][0-9]{1,2}(:[0-9]{2})?))?/)
    != nil
}
