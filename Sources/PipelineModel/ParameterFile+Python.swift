// Constants of a Python file to a value: what is assigned as a literal, to a name, in a class, to `self` in `__init__`.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Diagnostics

extension ParameterFile {
  /// Nothing is run. Statements that assign anything but a literal are passed over, as in DVC.
  static func python(_ text: String, _ path: WorkspacePath) throws(DiagnosticList) -> Content {
    do {
      var reader = PythonReader(try PythonLines.read(Array(text.utf8)))
      var content = Content(value: .mapping([]))
      content.value = .mapping(try reader.block(indent: 0, below: "", onlySelf: false, &content).pairs)
      return content
    } catch {
      throw DiagnosticList([
        Diagnostic(
          .input, "this is not Python: \(error.message)",
          at: SourceLocation(file: path.text, line: error.line, column: error.column))
      ])
    }
  }
}

private struct PythonReader {
  private let lines: [PythonLine]
  private var index = 0

  static let compound: Set<String> = [
    "if", "elif", "else", "for", "while", "try", "except", "finally", "with", "def", "class", "async",
  ]

  init(_ lines: [PythonLine]) { self.lines = lines }

  private func fail(_ message: String, _ line: PythonLine) -> PythonMistake {
    PythonMistake(message: message, line: line.line, column: line.columns.first ?? 1)
  }

  /// The lines with this indentation, up to the first with less.
  mutating func block(
    indent: Int, below path: String, onlySelf: Bool, _ content: inout ParameterFile.Content, depth: Int = 0
  ) throws(PythonMistake) -> PythonNames {
    var names = PythonNames()
    while index < lines.count {
      let line = lines[index]
      if line.indent < indent { break }
      guard line.indent == indent else { throw fail("the line is indented without a reason", line) }
      guard depth < 100 else { throw fail("blocks nest deeper than 100", line) }
      index += 1
      try statement(line, below: path, onlySelf: onlySelf, &names, &content, depth)
    }
    return names
  }

  private mutating func statement(
    _ line: PythonLine, below path: String, onlySelf: Bool, _ names: inout PythonNames, _ content: inout ParameterFile.Content,
    _ depth: Int
  ) throws(PythonMistake) {
    let opener = opener(line)
    let hasBody = index < lines.count && lines[index].indent > line.indent
    guard let opener else {
      if hasBody { throw fail("the line is indented without a reason", lines[index]) }
      simple(line, 0, below: path, onlySelf: onlySelf, &names, &content)
      return
    }
    // One line may hold its body behind the colon.
    let isInline = opener + 1 < line.tokens.count
    if isInline == hasBody {
      throw fail(hasBody ? "the line is indented without a reason" : "a block is missing", hasBody ? lines[index] : line)
    }
    guard case .name(let keyword) = line.tokens[0] else { return }
    var inner = onlySelf
    var below = path
    var isRead = false
    var className: String?
    if case .name(let name)? = line.tokens.dropFirst().first {
      if keyword == "class" {
        className = name
        isRead = true
        inner = false
        below = path.isEmpty ? name : "\(path).\(name)"
        content.keys.append(ParameterFile.Key(key: below, line: line.line, column: line.columns[1]))
      } else if keyword == "def", name == "__init__" {
        isRead = true
        inner = true
      }
    }
    var ignored = ParameterFile.Content(value: .null)
    var found = PythonNames()
    if isInline {
      if isRead { simple(line, opener + 1, below: below, onlySelf: inner, &found, &content) }
    } else if isRead {
      found = try block(indent: lines[index].indent, below: below, onlySelf: inner, &content, depth: depth + 1)
    } else {
      _ = try block(indent: lines[index].indent, below: below, onlySelf: inner, &ignored, depth: depth + 1)
    }
    if index < lines.count, lines[index].indent > line.indent { throw fail("the line fits no block", lines[index]) }
    guard isRead else { return }
    if let className {
      names.set(className, .mapping(found.pairs))
    } else {
      for (name, value) in found.pairs { names.set(name, value) }
    }
  }

  /// The colon that opens a block.
  private func opener(_ line: PythonLine) -> Int? {
    guard case .name(let keyword) = line.tokens[0] else { return nil }
    let isSoft = (keyword == "match" || keyword == "case") && line.tokens.count > 2 && !line.tokens[1].isMark("=")
    guard Self.compound.contains(keyword) || isSoft else { return nil }
    var open = 0
    var lambdas = 0
    for (index, token) in line.tokens.enumerated() {
      open += token.nesting
      switch token {
      case .name("lambda") where open == 0: lambdas += 1
      case .mark(UInt8(ascii: ":")) where open == 0:
        if lambdas == 0 { return index }
        lambdas -= 1
      default: break
      }
    }
    return nil
  }

  // MARK: Assignments

  private func simple(
    _ line: PythonLine, _ start: Int, below path: String, onlySelf: Bool, _ names: inout PythonNames,
    _ content: inout ParameterFile.Content
  ) {
    var first = start
    for end in start...line.tokens.count where end == line.tokens.count || line.tokens[end].isMark(";") {
      // Only brackets hold other statements' marks, and `;` is in none.
      let range = first..<end
      first = end + 1
      guard let (name, at, value) = assignment(line.tokens[range], onlySelf: onlySelf) else { continue }
      let key = ParameterFile.Key(key: path.isEmpty ? name : "\(path).\(name)", line: line.line, column: line.columns[at])
      names.set(name, value.value)
      content.keys.append(key)
      for inner in value.keys {
        content.keys.append(ParameterFile.Key(key: "\(key.key).\(inner)", line: key.line, column: key.column))
      }
      if let kind = value.foreign { content.foreign.append(ParameterFile.Foreign(place: key, kind: kind)) }
    }
  }

  private func assignment(
    _ tokens: ArraySlice<PythonToken>, onlySelf: Bool
  ) -> (name: String, at: Int, value: PythonLiteral)? {
    var tokens = tokens
    var target: (name: String, at: Int)?
    let isWrapped = tokens.first?.isMark("(") == true
    if isWrapped { tokens.removeFirst() }
    guard case .name(let name)? = tokens.popFirst() else { return nil }
    if tokens.first?.isMark(".") == true {
      tokens.removeFirst()
      let at = tokens.startIndex
      guard name == "self", case .name(let attribute)? = tokens.popFirst() else { return nil }
      target = (attribute, at)
    } else if !onlySelf {
      target = (name, tokens.startIndex - 1)
    }
    if isWrapped {
      guard tokens.popFirst()?.isMark(")") == true else { return nil }
    }
    let isNamed = tokens.first?.isMark(":") == true
    guard let equals = Self.equals(tokens), equals == tokens.startIndex || (isNamed && equals > tokens.startIndex + 1), let target
    else { return nil }
    var parser = PythonLiteralReader(tokens[(equals + 1)...])
    guard let value = parser.whole() else { return nil }
    return (target.name, target.at, value)
  }

  /// The `=` of an assignment outside brackets, and no part of `==`.
  private static func equals(_ tokens: ArraySlice<PythonToken>) -> Int? {
    var open = 0
    for index in tokens.indices {
      open += tokens[index].nesting
      if open == 0, tokens[index].isMark("=") { return index }
    }
    return nil
  }
}
