// What a stage program knows of its stage: the parameters that `pipe` hands over, by their full key path.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import Foundation
import Tabular

/// The parameters of the running stage (docs/formats.md, "What a stage finds in its environment").
struct StageContext {
  /// All parameters as one tree: `train.lr` and `{"train": {"lr": …}}` are the same.
  let params: ParameterNode

  /// Reads `paramsFile` when it is given, else the file that `$PIPE_CONTEXT` names.
  ///
  /// `paramsFile` is params.yaml as JSON: `{"prepare": {…}}`.
  static func load(paramsFile: String?) throws(Diagnostic) -> StageContext {
    if let paramsFile { return StageContext(params: ParameterNode(tree: try json(paramsFile), source: paramsFile)) }
    guard let file = ProcessInfo.processInfo.environment["PIPE_CONTEXT"], !file.isEmpty else {
      throw Diagnostic(
        .input, "no parameters were given", hints: ["run the program in a stage of `pipe repro`, or pass `--params FILE.json`"])
    }
    guard case .map(let context) = try json(file), case .map(let flat)? = context["params"] else {
      throw Diagnostic(.input, "the file of `$PIPE_CONTEXT` has no `params`", at: SourceLocation(file: file))
    }
    var tree = ParameterValue.map([:])
    for (path, value) in flat.sorted(by: { $0.key < $1.key }) { tree.set(value, at: path.split(separator: ".")[...]) }
    return StageContext(params: ParameterNode(tree: tree, source: "params.yaml"))
  }

  private static func json(_ file: String) throws(Diagnostic) -> ParameterValue {
    let bytes = try FileBytes.read(file)
    do {
      return try JSONDecoder().decode(ParameterValue.self, from: Data(bytes))
    } catch {
      throw Diagnostic(.input, "the file is not JSON", at: SourceLocation(file: file), causes: ["\(error)"])
    }
  }
}

/// The one option that all programs share.
struct ParameterOptions: ParsableArguments {
  @Option(name: .customLong("params"), help: "Parameters as a JSON file; without it, those of the running stage.")
  var paramsFile: String?

  func context() throws(Diagnostic) -> StageContext { try StageContext.load(paramsFile: paramsFile) }
}

/// A parameter's value as JSON has it.
enum ParameterValue: Decodable, Equatable {
  case null
  case bool(Bool)
  case number(Double)
  case text(String)
  case list([ParameterValue])
  case map([String: ParameterValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([ParameterValue].self) {
      self = .list(value)
    } else {
      self = .map(try container.decode([String: ParameterValue].self))
    }
  }

  /// Puts a value at a path of keys, merging with what is there.
  fileprivate mutating func set(_ value: ParameterValue, at path: ArraySlice<Substring>) {
    guard let key = path.first else {
      if case .map(var old) = self, case .map(let new) = value {
        old.merge(new) { $1 }
        self = .map(old)
      } else {
        self = value
      }
      return
    }
    var children: [String: ParameterValue] = [:]
    if case .map(let old) = self { children = old }
    children[String(key), default: .map([:])].set(value, at: path.dropFirst())
    self = .map(children)
  }

  fileprivate var word: String {
    switch self {
    case .null: "null"
    case .bool(let value): "`\(value)`"
    case .number(let value): "`\(NumberText.text(of: value))`"
    case .text(let value): "`\(value)`"
    case .list: "a list"
    case .map: "a mapping"
    }
  }
}

/// A parameter at its full key path, present or not; asking it for the wrong thing is a diagnostic that names the path.
struct ParameterNode {
  let path: String
  /// `nil` when nobody set it; an explicit null counts as not set.
  let value: ParameterValue?
  private let source: String

  init(tree: ParameterValue, source: String) { self.init(path: "", value: tree, source: source) }

  private init(path: String, value: ParameterValue?, source: String) {
    self.path = path
    self.value = value == .null ? nil : value
    self.source = source
  }

  var isPresent: Bool { value != nil }

  /// The child of this name, present or not; a dotted name goes down several levels.
  subscript(key: String) -> ParameterNode {
    var node = self
    for part in key.split(separator: ".") {
      var child: ParameterValue?
      if case .map(let children)? = node.value { child = children[String(part)] }
      node = ParameterNode(path: node.path.isEmpty ? String(part) : "\(node.path).\(part)", value: child, source: source)
    }
    return node
  }

  func text(or fallback: String? = nil) throws(Diagnostic) -> String {
    if let fallback, value == nil { return fallback }
    guard case .text(let text)? = value else { throw wanted("a text") }
    return text
  }

  /// A text, or a number or truth value as its text: what a column value in YAML may look like.
  func scalarText() throws(Diagnostic) -> String {
    switch value {
    case .text(let text)?: return text
    case .number(let number)?: return NumberText.text(of: number)
    case .bool(let flag)?: return flag ? "true" : "false"
    default: throw wanted("a text or a number")
    }
  }

  func number(or fallback: Double? = nil, in range: ClosedRange<Double>? = nil) throws(Diagnostic) -> Double {
    if let fallback, value == nil { return fallback }
    guard case .number(let number)? = value else { throw wanted("a number") }
    if let range, !range.contains(number) {
      throw wanted("a number from \(NumberText.text(of: range.lowerBound)) to \(NumberText.text(of: range.upperBound))")
    }
    return number
  }

  func int(or fallback: Int? = nil, in range: ClosedRange<Int>? = nil) throws(Diagnostic) -> Int {
    if let fallback, value == nil { return fallback }
    guard case .number(let number)? = value, let int = Int(exactly: number) else { throw wanted("a whole number") }
    if let range, !range.contains(int) { throw wanted("a whole number from \(range.lowerBound) to \(range.upperBound)") }
    return int
  }

  func bool(or fallback: Bool? = nil) throws(Diagnostic) -> Bool {
    if let fallback, value == nil { return fallback }
    guard case .bool(let flag)? = value else { throw wanted("`true` or `false`") }
    return flag
  }

  /// One of the words, as the raw value of an enumeration.
  func choice<Choice: RawRepresentable & CaseIterable>(_: Choice.Type, or fallback: Choice? = nil) throws(Diagnostic) -> Choice
  where Choice.RawValue == String {
    if let fallback, value == nil { return fallback }
    guard case .text(let word)? = value, let choice = Choice(rawValue: word) else {
      throw wanted(Choice.allCases.map { "`\($0.rawValue)`" }.joined(separator: " or "))
    }
    return choice
  }

  /// The elements of a list; none when it is not set and need not be.
  func list(orEmpty: Bool = false) throws(Diagnostic) -> [ParameterNode] {
    if orEmpty, value == nil { return [] }
    guard case .list(let elements)? = value else { throw wanted("a list") }
    return elements.enumerated().map { ParameterNode(path: "\(path)[\($0.offset)]", value: $0.element, source: source) }
  }

  func texts(orEmpty: Bool = false) throws(Diagnostic) -> [String] {
    var texts = [String]()
    for element in try list(orEmpty: orEmpty) { texts.append(try element.scalarText()) }
    return texts
  }

  /// The keys of a mapping, sorted; a key that is not among the known ones is a diagnostic.
  @discardableResult
  func keys(known: [String]? = nil) throws(Diagnostic) -> [String] {
    guard case .map(let children)? = value else { throw wanted("a mapping") }
    let keys = children.keys.sorted()
    if let known, let stranger = keys.first(where: { !known.contains($0) }) {
      throw Diagnostic(
        .input, "parameter `\(path).\(stranger)` is not known", at: SourceLocation(file: source),
        hints: [
          closestMatch(to: stranger, among: known).map { "did you mean `\($0)`?" }
            ?? "known here: \(known.map { "`\($0)`" }.joined(separator: ", "))"
        ])
    }
    return keys
  }

  /// A diagnostic about this parameter in the caller's words.
  func mistake(_ message: String, hints: [String] = []) -> Diagnostic {
    Diagnostic(.input, "parameter `\(path)` \(message)", at: SourceLocation(file: source), hints: hints)
  }

  private func wanted(_ what: String) -> Diagnostic {
    mistake(value.map { "is \($0.word), \(what) is wanted" } ?? "is missing, \(what) is wanted")
  }
}
