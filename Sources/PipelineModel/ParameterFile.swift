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

  package let path: WorkspacePath
  package let value: ParameterValue
  /// All keys with their places, outer before inner.
  package let keys: [Key]
  /// Values that are dates or times, which are text to us.
  package let dates: [Key]
  /// Place of each key in a mapping at the top.
  private let index: [String: Int]

  /// - Throws: every mistake in the text.
  package init(_ text: String, at path: WorkspacePath) throws(DiagnosticList) {
    let content = try Self.content(text, path)
    self.path = path
    value = content.value
    keys = content.keys
    dates = content.dates
    if case .mapping(let pairs) = content.value {
      index = Dictionary(pairs.enumerated().map { ($0.element.0, $0.offset) }) { first, _ in first }
    } else {
      index = [:]
    }
  }

  package static func read(_ text: String, _ path: WorkspacePath) throws(DiagnosticList) -> ParameterValue {
    try content(text, path).value
  }

  /// The value under a dotted path.
  ///
  /// - Parameter isExact: as in DVC, each dot begins an inner key; else a key may itself hold dots.
  package func value(at key: String, isExact: Bool) -> ParameterValue? {
    let steps = key.split(separator: ".", omittingEmptySubsequences: false)
    if let first = steps.first, let place = index[String(first)], case .mapping(let pairs) = value,
      let found = pairs[place].1.walk(steps.dropFirst())
    {
      return found
    }
    if case .list = value { return value.walk(steps[...]) }
    return isExact ? nil : value[at: key]
  }

  struct Content {
    var value: ParameterValue
    var keys: [Key] = []
    var dates: [Key] = []
  }

  private static func content(_ text: String, _ path: WorkspacePath) throws(DiagnosticList) -> Content {
    let name = path.name.lowercased()
    let (tree, mistakes) = YAMLReader.read(text, file: path.text)
    try mistakes.throwIfErrors()
    _ = name
    guard let tree else { return Content(value: .mapping([])) }
    return Content(
      value: tree.value.isNothing ? .mapping([]) : tree.value, keys: tree.keyPaths(below: ""),
      dates: tree.datePaths(below: ""))
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

  /// Each step one key or place.
  fileprivate func walk(_ steps: ArraySlice<Substring>) -> ParameterValue? {
    guard let first = steps.first else { return self }
    switch self {
    case .mapping(let pairs): return pairs.first { $0.0 == first }?.1.walk(steps.dropFirst())
    case .list(let items):
      guard first.utf8.allSatisfy({ (48...57).contains($0) }), let place = Int(first), items.indices.contains(place) else {
        return nil
      }
      return items[place].walk(steps.dropFirst())
    default: return nil
    }
  }
}

extension YAMLNode {
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
