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
    read(text, file: file, atOnceFrom: 128 << 10)
  }

  /// - Parameter size: in bytes, from which a text is read by its halves, each of which may have as many nodes as a whole.
  static func read(_ text: String, file: String, atOnceFrom size: Int) -> (tree: YAMLNode?, mistakes: DiagnosticList) {
    let joined = YAMLHalves(text, minimum: size)?.read { text, offset in
      let (tree, mistakes) = parse(text, file: file, lineOffset: offset)
      return mistakes.diagnostics.isEmpty ? tree : nil
    }
    if let joined { return (joined, DiagnosticList()) }
    let result = parse(text, file: file)
    // JSON writes what lies beyond 16 bits as two escapes, which libyaml refuses.
    guard result.tree == nil, let joined = joiningSurrogates(text) else { return result }
    return parse(joined, file: file)
  }

  /// `\ud83d\ude00` as `\U0001f600`; `nil` when there is no such pair.
  private static func joiningSurrogates(_ text: String) -> String? {
    let bytes = Array(text.utf8)
    func unit(at index: Int) -> UInt32? {
      guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
        return nil
      }
      return UInt32(String(decoding: bytes[(index + 2)..<(index + 6)], as: UTF8.self), radix: 16)
    }
    var out: [UInt8] = []
    var index = 0
    var isChanged = false
    while index < bytes.count {
      if let high = unit(at: index), (0xD800..<0xDC00).contains(high), let low = unit(at: index + 6),
        (0xDC00..<0xE000).contains(low)
      {
        let digits = String(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00), radix: 16)
        out.append(contentsOf: ("\\U" + String(repeating: "0", count: 8 - digits.count) + digits).utf8)
        index += 12
        isChanged = true
      } else {
        // A backslash takes the next byte with it, so that an escaped backslash begins nothing.
        let count = bytes[index] == UInt8(ascii: "\\") ? min(2, bytes.count - index) : 1
        out.append(contentsOf: bytes[index..<(index + count)])
        index += count
      }
    }
    return isChanged ? String(decoding: out, as: UTF8.self) : nil
  }

  private static func parse(_ text: String, file: String, lineOffset: Int = 0) -> (tree: YAMLNode?, mistakes: DiagnosticList) {
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    let event = UnsafeMutablePointer<yaml_event_t>.allocate(capacity: 1)
    event.initialize(to: yaml_event_t())
    defer {
      event.deallocate()
      parser.deallocate()
    }
    guard yaml_parser_initialize(parser) == 1 else {
      return (nil, DiagnosticList([Diagnostic(.bug, "libyaml has no memory")]))
    }
    defer { yaml_parser_delete(parser) }
    var text = text
    return text.withUTF8 { buffer -> (tree: YAMLNode?, mistakes: DiagnosticList) in
      yaml_parser_set_input_string(parser, buffer.baseAddress, buffer.count)
      var state = State(file: file, text: buffer, lineOffset: lineOffset, parser: parser, event: event)
      let tree = state.document()
      return (tree, state.mistakes)
    }
  }

  private struct State {
    let file: String
    /// What libyaml reads; only while it reads.
    let text: UnsafeBufferPointer<UInt8>
    /// Lines of the file before the text.
    let lineOffset: Int
    let parser: UnsafeMutablePointer<yaml_parser_t>
    /// The event in hand: empty unless `next` filled it and `release` did not empty it yet.
    let event: UnsafeMutablePointer<yaml_event_t>
    var mistakes = DiagnosticList()
    var anchors: [String: YAMLNode] = [:]
    var sizes: [String: Int] = [:]
    var nodes = 0

    init(
      file: String, text: UnsafeBufferPointer<UInt8>, lineOffset: Int, parser: UnsafeMutablePointer<yaml_parser_t>,
      event: UnsafeMutablePointer<yaml_event_t>
    ) {
      self.file = file
      self.text = text
      self.lineOffset = lineOffset
      self.parser = parser
      self.event = event
    }

    /// A mistake that ends the reading.
    struct Stop: Error {}

    mutating func document() -> YAMLNode? {
      defer { release() }
      do {
        var tree: YAMLNode?
        while true {
          switch try next() {
          case YAML_STREAM_END_EVENT: return tree
          case YAML_DOCUMENT_START_EVENT:
            guard tree == nil else {
              throw fail("a second document begins here", mark(event.pointee.start_mark), hint: "keep one document a file")
            }
            tree = try node(try next(), depth: 0)
          default: break
          }
        }
      } catch {
        return nil
      }
    }

    private func mark(_ mark: yaml_mark_t) -> YAMLMark {
      YAMLMark(line: Int(mark.line) + 1 + lineOffset, column: Int(mark.column) + 1)
    }

    /// The place of a byte, counted from 0.
    private func mark(offset: Int) -> YAMLMark {
      let before = text.prefix(offset)
      let line = before.lastIndex(of: UInt8(ascii: "\n")).map { before[($0 + 1)...] } ?? before
      return YAMLMark(
        line: before.count { $0 == UInt8(ascii: "\n") } + 1,
        column: String(decoding: line, as: UTF8.self).unicodeScalars.count + 1)
    }

    /// Whether a tag says that a scalar is text; tags other than those of the core schema are mistakes.
    private mutating func isText(_ tag: UnsafeMutablePointer<yaml_char_t>?, _ start: YAMLMark) throws -> Bool {
      guard let tag else { return false }
      let name = String(cString: tag)
      let core = "tag:yaml.org,2002:"
      if name == "!" || name == core + "str" { return true }
      guard ["null", "bool", "int", "float", "seq", "map"].contains(where: { name == core + $0 }) else {
        throw fail("tag `\(name)` is not read", start, hint: "write the value without a tag")
      }
      return false
    }

    private func release() { yaml_event_delete(event) }

    private mutating func fail(_ message: String, _ mark: YAMLMark, causes: [String] = [], hint: String? = nil) -> Stop {
      mistakes.add(
        Diagnostic(
          .input, message, at: SourceLocation(file: file, line: mark.line, column: mark.column), causes: causes,
          hints: hint.map { [$0] } ?? []))
      return Stop()
    }

    /// Takes the next event in hand.
    private mutating func next() throws -> yaml_event_type_t {
      release()
      guard yaml_parser_parse(parser, event) == 1 else {
        let parser = parser.pointee
        let problem = parser.problem.map { String(cString: $0) } ?? "the text cannot be read"
        let context = parser.context.map { String(cString: $0) }
        let at = parser.error == YAML_READER_ERROR ? mark(offset: parser.problem_offset) : mark(parser.problem_mark)
        var hint: String?
        if problem.contains("cannot start any token") {
          hint = "indent with spaces, and put text with special characters in quotes"
        }
        throw fail(
          "this is not YAML: \(problem)", at,
          causes: context.map { ["\($0), begun on line \(parser.context_mark.line + 1)"] } ?? [], hint: hint)
      }
      return event.pointee.type
    }

    /// The value that begins with the event in hand.
    private mutating func node(_ type: yaml_event_type_t, depth: Int) throws -> YAMLNode {
      let start = mark(event.pointee.start_mark)
      nodes += 1
      guard depth < YAMLReader.maximumDepth else { throw fail("values nest deeper than \(YAMLReader.maximumDepth)", start) }
      let before = nodes
      let anchor: String?
      let result: YAMLNode
      switch type {
      case YAML_ALIAS_EVENT:
        let name = String(cString: event.pointee.data.alias.anchor)
        guard let target = anchors[name] else { throw fail("no anchor is named `\(name)`", start) }
        nodes += sizes[name] ?? 0
        guard nodes < YAMLReader.maximumNodes else { throw fail("aliases expand to too many values", start) }
        return YAMLNode(target.content, at: start)
      case YAML_SCALAR_EVENT:
        anchor = event.pointee.data.scalar.anchor.map { String(cString: $0) }
        let bytes = UnsafeBufferPointer(start: event.pointee.data.scalar.value, count: event.pointee.data.scalar.length)
        let isPlain =
          try !isText(event.pointee.data.scalar.tag, start) && event.pointee.data.scalar.style == YAML_PLAIN_SCALAR_STYLE
        result = YAMLNode(.scalar(String(decoding: bytes, as: UTF8.self), isPlain: isPlain), at: start)
      case YAML_SEQUENCE_START_EVENT:
        anchor = event.pointee.data.sequence_start.anchor.map { String(cString: $0) }
        _ = try isText(event.pointee.data.sequence_start.tag, start)
        result = YAMLNode(.sequence(try items(depth: depth)), at: start)
      case YAML_MAPPING_START_EVENT:
        anchor = event.pointee.data.mapping_start.anchor.map { String(cString: $0) }
        _ = try isText(event.pointee.data.mapping_start.tag, start)
        result = YAMLNode(.mapping(try pairs(depth: depth)), at: start)
      default: throw fail("a value is missing here", start)
      }
      if let anchor {
        anchors[anchor] = result
        sizes[anchor] = nodes - before + 1
      }
      return result
    }

    private mutating func items(depth: Int) throws -> [YAMLNode] {
      var items: [YAMLNode] = []
      while true {
        let type = try next()
        if type == YAML_SEQUENCE_END_EVENT { return items }
        items.append(try node(type, depth: depth + 1))
      }
    }

    /// What `<<` takes in: a mapping, or a list of them of which the first counts most.
    private mutating func mergedPairs(_ node: YAMLNode) throws -> [(key: YAMLKey, value: YAMLNode)] {
      if let pairs = node.pairs { return pairs }
      guard let items = node.items, items.allSatisfy({ $0.pairs != nil }) else {
        throw fail("`<<` takes in a mapping or a list of mappings, not \(node.kindName)", node.mark)
      }
      return items.flatMap { $0.pairs ?? [] }
    }

    /// The merged keys first; a key of the mapping itself stands in the place of one that was merged.
    private static func joined(
      _ merged: [(key: YAMLKey, value: YAMLNode)], _ own: [(key: YAMLKey, value: YAMLNode)]
    ) -> [(key: YAMLKey, value: YAMLNode)] {
      var result: [(key: YAMLKey, value: YAMLNode)] = []
      var index: [String: Int] = [:]
      for pair in merged where index[pair.key.text] == nil {
        index[pair.key.text] = result.count
        result.append(pair)
      }
      for pair in own {
        if let place = index[pair.key.text] {
          result[place] = pair
        } else {
          result.append(pair)
        }
      }
      return result
    }

    private mutating func pairs(depth: Int) throws -> [(key: YAMLKey, value: YAMLNode)] {
      var pairs: [(key: YAMLKey, value: YAMLNode)] = []
      var merged: [(key: YAMLKey, value: YAMLNode)] = []
      // A short mapping is searched, a long one has an index.
      var lines: [String: Int] = [:]
      while true {
        let type = try next()
        if type == YAML_MAPPING_END_EVENT { return merged.isEmpty ? pairs : Self.joined(merged, pairs) }
        let key = try node(type, depth: depth + 1)
        let value = try node(try next(), depth: depth + 1)
        if case .scalar("<<", isPlain: true) = key.content {
          // The last that is merged counts least, so what stands in the mapping itself is kept for the end.
          merged += try mergedPairs(value)
          continue
        }
        guard case .scalar(let text, let isPlain) = key.content else {
          _ = fail("a key has to be text", key.mark)
          continue
        }
        let earlier = pairs.count < 16 ? pairs.indices.first { pairs[$0].key.text == text } : nil
        if let first = earlier.map({ pairs[$0].key.mark.line }) ?? lines[text] {
          _ = fail("key `\(text)` stands twice", key.mark, causes: ["the first is on line \(first)"])
          continue
        }
        pairs.append((YAMLKey(text, at: key.mark, isPlain: isPlain), value))
        if pairs.count == 16 { for pair in pairs { lines[pair.key.text] = pair.key.mark.line } }
        if pairs.count > 16 { lines[text] = key.mark.line }
      }
    }
  }
}
