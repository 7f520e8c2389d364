// What the engine tells a notebook about its stage: the JSON at `PIPE_CONTEXT`.
// SPDX-License-Identifier: Apache-2.0
package import Foundation

/// A stage as its cells see it (docs/formats.md, "What a stage finds in its environment").
package struct StageNotebookContext: Codable, Sendable, Equatable {
  package var stage: String
  /// The project's folder, absolute.
  package var root: String
  /// Declared parameters by full key path; a declared key may name a subtree.
  package var params: [String: ContextValue]
  /// Paths relative to the stage's folder.
  package var deps: [String: String]
  package var outs: [String: String]
  /// A folder that goes away with the stage, absolute.
  package var tmp: String

  package init(
    stage: String, root: String, params: [String: ContextValue] = [:], deps: [String: String] = [:],
    outs: [String: String] = [:], tmp: String
  ) {
    self.stage = stage
    self.root = root
    self.params = params
    self.deps = deps
    self.outs = outs
    self.tmp = tmp
  }

  /// The declared file that a `connection` names, by its name in pipeline.yaml or by its path.
  func declared(_ connection: String) -> (path: String, isOutput: Bool)? {
    for (files, isOutput) in [(outs, true), (deps, false)] {
      if let path = files[connection] ?? files.values.first(where: { $0 == connection }) { return (path, isOutput) }
    }
    return nil
  }

  /// Reads the JSON at `PIPE_CONTEXT`.
  package init(json: Data) throws {
    self = try JSONDecoder().decode(Self.self, from: json)
    // The decoder takes `1.0` for a whole number; SQL would then divide it as one.
    let object = try JSONSerialization.jsonObject(with: json) as? [String: Any]
    let values = object?["params"] as? [String: Any] ?? [:]
    params = values.mapValues(ContextValue.init(object:))
  }

  /// The JSON for `PIPE_CONTEXT`: sorted keys; a number that is no integer keeps its point, as in `1.0`.
  package var json: Data {
    let paths = { (entries: [String: String]) in ContextValue.mapping(entries.mapValues { .text($0) }) }
    let object = ContextValue.mapping([
      "stage": .text(stage), "root": .text(root), "params": .mapping(params), "deps": paths(deps), "outs": paths(outs),
      "tmp": .text(tmp),
    ])
    return Data((object.jsonText + "\n").utf8)
  }

  /// The parameters as a tree: `train.lr` is `lr` in `train`.
  var parameterTree: [String: ContextValue] {
    var tree: [String: ContextValue] = [:]
    for (key, value) in params { Self.insert(value, at: key.split(separator: ".").map(String.init)[...], into: &tree) }
    return tree
  }

  private static func insert(_ value: ContextValue, at path: ArraySlice<String>, into tree: inout [String: ContextValue]) {
    guard let first = path.first else { return }
    guard path.count > 1 else {
      tree[first] = value
      return
    }
    var inner: [String: ContextValue] = [:]
    if case .mapping(let known)? = tree[first] { inner = known }
    insert(value, at: path.dropFirst(), into: &inner)
    tree[first] = .mapping(inner)
  }

  /// Every leaf under its full key path, with the declared key that it belongs to.
  var parameterLeaves: [String: (value: ContextValue, declared: String)] {
    var leaves: [String: (value: ContextValue, declared: String)] = [:]
    for (key, value) in params {
      for (path, leaf) in value.leaves(at: key) { leaves[path] = (leaf, key) }
    }
    return leaves
  }
}

/// A parameter's value.
package indirect enum ContextValue: Sendable, Equatable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case number(Double)
  case text(String)
  case list([ContextValue])
  case mapping([String: ContextValue])

  /// JSON with sorted keys.
  var jsonText: String {
    switch self {
    case .null: "null"
    case .boolean(let value): value ? "true" : "false"
    case .integer(let value): "\(value)"
    case .number(let value): value.isFinite ? "\(value)" : "null"
    case .text(let value): Self.quoted(value)
    case .list(let values): "[" + values.map(\.jsonText).joined(separator: ",") + "]"
    case .mapping(let entries):
      "{" + entries.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)):\($0.value.jsonText)" }.joined(separator: ",") + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      case "\r": out += "\\r"
      case _ where scalar.value < 0x20: out += String(format: "\\u%04x", scalar.value)
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }

  /// A value as `JSONSerialization` gives it.
  init(object: Any) {
    switch object {
    case let text as String: self = .text(text)
    case let list as [Any]: self = .list(list.map(ContextValue.init(object:)))
    case let entries as [String: Any]: self = .mapping(entries.mapValues(ContextValue.init(object:)))
    case let number as NSNumber:
      switch String(cString: number.objCType) {
      case "c", "B": self = .boolean(number.boolValue)
      case "d", "f", "Q": self = .number(number.doubleValue)
      default: self = .integer(number.int64Value)
      }
    default: self = .null
    }
  }

  func leaves(at path: String) -> [(String, ContextValue)] {
    guard case .mapping(let entries) = self, !entries.isEmpty else { return [(path, self)] }
    return entries.sorted { $0.key < $1.key }.flatMap { $0.value.leaves(at: "\(path).\($0.key)") }
  }
}

extension ContextValue: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .boolean(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([ContextValue].self) {
      self = .list(value)
    } else {
      self = .mapping(try container.decode([String: ContextValue].self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .boolean(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .list(let value): try container.encode(value)
    case .mapping(let value): try container.encode(value)
    }
  }
}
