// The values that `${…}` may name: parameter files and `vars`, merged without one hiding another.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore

/// A value under `${…}`. Mappings are indexed, so a look-up costs the same however many keys there are.
indirect enum TemplateValue {
  case plain(ParameterValue)
  case list([TemplateValue])
  case mapping(TemplateMapping)
  /// An item of `foreach: {files: …}`: its path as the stage names it.
  case file(String)

  init(_ value: ParameterValue, from origin: String) {
    switch value {
    case .list(let items): self = .list(items.map { TemplateValue($0, from: origin) })
    case .mapping(let pairs): self = .mapping(TemplateMapping(pairs, from: origin))
    default: self = .plain(value)
    }
  }

  var value: ParameterValue {
    switch self {
    case .plain(let value): value
    case .list(let items): .list(items.map(\.value))
    case .mapping(let mapping): .mapping(mapping.pairs.map { ($0.key, $0.value.value) })
    case .file(let path): .text(path)
    }
  }

  /// Lists and mappings.
  var isComposite: Bool {
    switch self {
    case .list, .mapping: true
    case .plain, .file: false
    }
  }

  /// One step: a key of a mapping, a place in a list (from its end when negative), a part of a file's name.
  func step(_ name: Substring) -> TemplateValue? {
    switch self {
    case .plain: return nil
    case .mapping(let mapping): return mapping[String(name)]
    case .list(let items):
      guard let index = Int(name), index < items.count, index >= -items.count else { return nil }
      return items[index < 0 ? items.count + index : index]
    case .file(let path):
      switch name {
      case "name": return .plain(.text(Self.fileName(path)))
      case "stem": return .plain(.text(Self.stem(path)))
      default: return nil
      }
    }
  }

  static func fileName(_ path: String) -> String {
    path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[path.utf8.index(after: $0)...]) } ?? path
  }

  /// A file's name without its last suffix: `a.csv` → `a`, `.env` → `.env`.
  static func stem(_ path: String) -> String {
    let name = fileName(path)
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot != name.startIndex else { return name }
    return String(name[..<dot])
  }
}

/// A mapping whose entries know where they came from.
struct TemplateMapping {
  private(set) var keys: [String] = []
  private var entries: [String: (value: TemplateValue, origin: String)] = [:]

  init() {}

  init(_ pairs: [(String, ParameterValue)], from origin: String) {
    keys.reserveCapacity(pairs.count)
    for (key, value) in pairs { self.set(key, TemplateValue(value, from: origin), from: origin) }
  }

  subscript(key: String) -> TemplateValue? { entries[key]?.value }

  var pairs: [(key: String, value: TemplateValue)] { keys.compactMap { key in entries[key].map { (key, $0.value) } } }
  var isEmpty: Bool { keys.isEmpty }

  mutating func set(_ key: String, _ value: TemplateValue, from origin: String) {
    if entries.updateValue((value, origin), forKey: key) == nil { keys.append(key) }
  }

  /// Two sources that give one key different values.
  struct Conflict: Error {
    /// Dotted path.
    var key: String
    var first: String
    var second: String
  }

  /// Takes another's entries in; mappings are joined key by key, and nothing that is there is replaced.
  mutating func merge(_ other: TemplateMapping, below path: String = "") throws(Conflict) {
    for key in other.keys {
      guard let new = other.entries[key] else { continue }
      guard let old = entries[key] else {
        set(key, new.value, from: new.origin)
        continue
      }
      let name = path.isEmpty ? key : "\(path).\(key)"
      guard case .mapping(var joined) = old.value, case .mapping(let more) = new.value else {
        throw Conflict(key: name, first: old.origin, second: new.origin)
      }
      try joined.merge(more, below: name)
      entries[key] = (.mapping(joined), old.origin)
    }
  }
}

/// What is in force where a text is interpolated.
struct InterpolationContext {
  var values = TemplateMapping()
  /// Files taken in: `nil` is the whole file, else its keys.
  var loaded: [WorkspacePath: [String]?] = [:]
  /// `item` and `key` while stages are made from a template: `vars` cannot set them.
  var reserved: [String] = []

  func value(at path: [Substring]) -> TemplateValue? {
    guard let first = path.first, var found = values[String(first)] else { return nil }
    for name in path.dropFirst() {
      guard let next = found.step(name) else { return nil }
      found = next
    }
    return found
  }
}
