// YAML text to a tree, through libyaml's events.
// SPDX-License-Identifier: Apache-2.0
internal import CYAML
package import Diagnostics

/// Reads one YAML document. Duplicate keys and non-text keys are mistakes; anchors may stand for at most
/// `maximumNodes` values, so a small file cannot grow without bound.
package enum YAMLReader {
  package static let maximumNodes = 2_000_000
  package static let maximumDepth = 200

  /// - Returns: the tree with the mistakes found; the tree is `nil` when the text is not YAML or empty.
  package static func read(_ text: String, file: String) -> (tree: YAMLNode?, mistakes: DiagnosticList) {
    var state = State(file: file)
    var parser = yaml_parser_t()
    guard yaml_parser_initialize(&parser) == 1 else {
      return (nil, DiagnosticList([Diagnostic(.bug, "libyaml has no memory")]))
    }
    defer { yaml_parser_delete(&parser) }
    var text = text
    let tree = text.withUTF8 { buffer -> YAMLNode? in
      yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
      return state.document(&parser)
    }
    return (tree, state.mistakes)
  }

  private struct State {
    let file: String
    var mistakes = DiagnosticList()
    var anchors: [String: YAMLNode] = [:]
    var sizes: [String: Int] = [:]
    var nodes = 0

    /// A mistake that ends the reading.
    struct Stop: Error {}

    mutating func document(_ parser: inout yaml_parser_t) -> YAMLNode? {
      do {
        var tree: YAMLNode?
        while true {
          let (type, event) = try next(&parser)
          defer { release(event) }
          switch type {
          case YAML_STREAM_END_EVENT: return tree
          case YAML_DOCUMENT_START_EVENT:
            guard tree == nil else {
              throw fail("a second document begins here", mark(event.start_mark), hint: "keep one document a file")
            }
            let (first, firstEvent) = try next(&parser)
            tree = try node(first, firstEvent, &parser, depth: 0)
          default: break
          }
        }
      } catch {
        return nil
      }
    }

    private func mark(_ mark: yaml_mark_t) -> YAMLMark { YAMLMark(line: Int(mark.line) + 1, column: Int(mark.column) + 1) }

    private func release(_ event: yaml_event_t) {
      var event = event
      yaml_event_delete(&event)
    }

    private mutating func fail(_ message: String, _ mark: YAMLMark, causes: [String] = [], hint: String? = nil) -> Stop {
      mistakes.add(
        Diagnostic(
          .input, message, at: SourceLocation(file: file, line: mark.line, column: mark.column), causes: causes,
          hints: hint.map { [$0] } ?? []))
      return Stop()
    }

    private mutating func next(_ parser: inout yaml_parser_t) throws -> (yaml_event_type_t, yaml_event_t) {
      var event = yaml_event_t()
      guard yaml_parser_parse(&parser, &event) == 1 else {
        let problem = parser.problem.map { String(cString: $0) } ?? "the text cannot be read"
        let context = parser.context.map { String(cString: $0) }
        let at = parser.error == YAML_READER_ERROR ? YAMLMark(line: 1, column: 1) : mark(parser.problem_mark)
        var hint: String?
        if problem.contains("cannot start any token") {
          hint = "indent with spaces, and put text with special characters in quotes"
        }
        throw fail(
          "this is not YAML: \(problem)", at,
          causes: context.map { ["\($0), begun on line \(parser.context_mark.line + 1)"] } ?? [], hint: hint)
      }
      return (event.type, event)
    }

    private mutating func node(
      _ type: yaml_event_type_t, _ event: yaml_event_t, _ parser: inout yaml_parser_t, depth: Int
    ) throws -> YAMLNode {
      defer { release(event) }
      let start = mark(event.start_mark)
      nodes += 1
      guard depth < YAMLReader.maximumDepth else { throw fail("values nest deeper than \(YAMLReader.maximumDepth)", start) }
      let before = nodes
      let anchor: String?
      let result: YAMLNode
      switch type {
      case YAML_ALIAS_EVENT:
        let name = String(cString: event.data.alias.anchor)
        guard let target = anchors[name] else { throw fail("no anchor is named `\(name)`", start) }
        nodes += sizes[name] ?? 0
        guard nodes < YAMLReader.maximumNodes else { throw fail("aliases expand to too many values", start) }
        return YAMLNode(target.content, at: start)
      case YAML_SCALAR_EVENT:
        let scalar = event.data.scalar
        anchor = scalar.anchor.map { String(cString: $0) }
        let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        result = YAMLNode(
          .scalar(String(decoding: bytes, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE), at: start)
      case YAML_SEQUENCE_START_EVENT:
        anchor = event.data.sequence_start.anchor.map { String(cString: $0) }
        result = YAMLNode(.sequence(try items(&parser, depth: depth)), at: start)
      case YAML_MAPPING_START_EVENT:
        anchor = event.data.mapping_start.anchor.map { String(cString: $0) }
        result = YAMLNode(.mapping(try pairs(&parser, depth: depth)), at: start)
      default: throw fail("a value is missing here", start)
      }
      if let anchor {
        anchors[anchor] = result
        sizes[anchor] = nodes - before + 1
      }
      return result
    }

    private mutating func items(_ parser: inout yaml_parser_t, depth: Int) throws -> [YAMLNode] {
      var items: [YAMLNode] = []
      while true {
        let (type, event) = try next(&parser)
        if type == YAML_SEQUENCE_END_EVENT {
          release(event)
          return items
        }
        items.append(try node(type, event, &parser, depth: depth + 1))
      }
    }

    private mutating func pairs(_ parser: inout yaml_parser_t, depth: Int) throws -> [(key: YAMLKey, value: YAMLNode)] {
      var pairs: [(key: YAMLKey, value: YAMLNode)] = []
      var lines: [String: Int] = [:]
      while true {
        let (type, event) = try next(&parser)
        if type == YAML_MAPPING_END_EVENT {
          release(event)
          return pairs
        }
        let key = try node(type, event, &parser, depth: depth + 1)
        let (valueType, valueEvent) = try next(&parser)
        let value = try node(valueType, valueEvent, &parser, depth: depth + 1)
        guard case .scalar(let text, _) = key.content else {
          _ = fail("a key has to be text", key.mark)
          continue
        }
        if let first = lines[text] {
          _ = fail("key `\(text)` stands twice", key.mark, causes: ["the first is on line \(first)"])
          continue
        }
        lines[text] = key.mark.line
        pairs.append((YAMLKey(text, at: key.mark), value))
      }
    }
  }
}
