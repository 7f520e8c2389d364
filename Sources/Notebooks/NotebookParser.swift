// From the text of a `.qmd` file to cells, with every mistake of the file at once.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// Reads literate Markdown whose fenced blocks ```` ```{python} ```` are code: the fence dialect of R Markdown and Quarto.
package enum NotebookParser {
  package static let languages = ["bash", "python", "sql"]

  /// Parses a whole notebook.
  ///
  /// - Parameters:
  ///   - text: the file's text; LF or CRLF.
  ///   - file: how messages name the file, relative to the project.
  /// - Throws: every mistake of the file, in order, each with line and column.
  package static func parse(_ text: String, file: String) throws(DiagnosticList) -> Notebook {
    var reading = NotebookReading(text, file: file)
    reading.readFrontMatter()
    reading.readBody()
    try reading.problems.throwIfErrors()
    return Notebook(file: file, title: reading.title, cells: reading.cells, warnings: reading.problems.diagnostics)
  }
}

/// One pass over the lines of a file.
private struct NotebookReading {
  let file: String
  let lines: [Substring.UnicodeScalarView]
  var title: String?
  var cells: [Cell] = []
  var problems = DiagnosticList()
  /// Index of the next line to read, from 0.
  private var next = 0
  private var prose: (lines: [String], firstLine: Int) = ([], 1)
  private var lineOfLabel: [String: Int] = [:]

  init(_ text: String, file: String) {
    self.file = file
    var scalars = text.unicodeScalars[...]
    if scalars.first == "\u{FEFF}" { scalars.removeFirst() }
    lines = scalars.split(separator: "\n", omittingEmptySubsequences: false).map { $0.last == "\r" ? $0.dropLast() : $0 }
  }

  // MARK: Front matter

  /// `---` on line 1 up to the next `---`: title and friends; the graph has no place here.
  mutating func readFrontMatter() {
    guard let first = lines.first, String(first) == "---" else { return }
    guard let end = lines.indices.dropFirst().first(where: { ["---", "..."].contains(String(lines[$0])) }) else {
      problems.add(
        Diagnostic(
          .input, "the front matter that opens here is never closed", at: place(1, 1),
          hints: ["put `---` on a line of its own below its last key"]))
      next = 1
      return
    }
    for index in 1..<end { readFrontMatterLine(String(lines[index]), line: index + 1) }
    next = end + 1
  }

  private mutating func readFrontMatterLine(_ text: String, line: Int) {
    guard let first = text.first, !first.isWhitespace, first != "#", let colon = text.firstIndex(of: ":") else { return }
    let key = String(text[..<colon])
    let value = unquoted(String(text[text.index(after: colon)...]))
    switch key {
    case "title": title = value.isEmpty ? nil : value
    case "deps", "outs", "metrics", "plots", "stage", "cmd":
      problems.add(
        Diagnostic(
          .input, "`\(key)` has no place in a notebook: the graph is declared in one place only", at: place(line, 1),
          hints: ["move it to the stage in pipeline.yaml"]))
    default: break
    }
  }

  // MARK: Body

  mutating func readBody() {
    prose = ([], next + 1)
    while next < lines.count {
      if let fence = Fence(lines[next]) {
        if fence.isCode {
          endProse()
          readCell(fence)
          prose = ([], next + 1)
        } else {
          readPlainBlock(fence)
        }
      } else {
        prose.lines.append(String(lines[next]))
        next += 1
      }
    }
    endProse()
  }

  private mutating func endProse() {
    var (texts, firstLine) = prose
    while texts.first?.allSatisfy(\.isWhitespace) == true {
      texts.removeFirst()
      firstLine += 1
    }
    while texts.last?.allSatisfy(\.isWhitespace) == true { texts.removeLast() }
    if !texts.isEmpty { cells.append(Cell(kind: .prose, source: texts.joined(separator: "\n"), firstLine: firstLine)) }
  }

  /// A fenced block that is only shown: part of the prose, whatever stands in it.
  private mutating func readPlainBlock(_ fence: Fence) {
    let end = closing(of: fence)
    if end == nil { reportUnclosed(fence) }
    for index in next...min(end ?? lines.count, lines.count - 1) { prose.lines.append(String(lines[index])) }
    next = (end ?? lines.count) + 1
  }

  private mutating func readCell(_ fence: Fence) {
    let opening = next + 1
    let end = closing(of: fence)
    if end == nil { reportUnclosed(fence) }
    let language = checkedLanguage(fence, line: opening)
    next += 1
    let stop = end ?? lines.count
    let options = readOptions(until: stop, language: language)
    warnOfLateOptions(until: stop, language: language)
    let source = lines[next..<stop].map { String($0) }.joined(separator: "\n")
    cells.append(Cell(kind: .code(language: language), source: source, options: options, firstLine: next + 1))
    next = stop + 1
  }

  private func closing(of fence: Fence) -> Int? {
    lines.indices[(next + 1)...].first { fence.isClosed(by: lines[$0]) }
  }

  private mutating func reportUnclosed(_ fence: Fence) {
    problems.add(
      Diagnostic(
        .input, "the fence `\(fence.marks)\(fence.info)` that opens here is never closed", at: place(next + 1, fence.indent + 1),
        hints: ["put `\(fence.marks)` on a line of its own below its last line"]))
  }

  private mutating func checkedLanguage(_ fence: Fence, line: Int) -> String {
    let language = fence.language
    if !fence.rest.isEmpty {
      problems.add(
        Diagnostic(
          .input, "a fence holds the language alone, not `\(fence.rest)`", at: place(line, fence.restColumn),
          hints: ["write options as lines of the cell, such as `#| label: fit`"]))
    }
    if language.isEmpty {
      problems.add(
        Diagnostic(
          .input, "a cell needs a language", at: place(line, fence.indent + fence.marks.count + 2),
          hints: ["write `bash`, `python` or `sql` between the braces"]))
    } else if !NotebookParser.languages.contains(language) {
      problems.add(
        Diagnostic(
          .input, "a cell cannot be in `\(language)`", at: place(line, fence.indent + fence.marks.count + 2),
          hints: [languageHint(language)]))
    }
    return language
  }

  private func languageHint(_ language: String) -> String {
    let others = ["sh": "bash", "shell": "bash", "zsh": "bash", "py": "python", "python3": "python", "sqlite": "sql"]
    if let known = others[language.lowercased()] ?? closestMatch(to: language.lowercased(), among: NotebookParser.languages) {
      return "did you mean `\(known)`?"
    }
    return "the languages are `bash`, `python` and `sql`; a fence without braces, ```` ```\(language) ````, is shown and not run"
  }

  // MARK: Options

  private mutating func readOptions(until stop: Int, language: String) -> [String: String] {
    var options: [String: String] = [:]
    while next < stop, let body = optionBody(String(lines[next]), language: language) {
      readOption(body.text, column: body.column, into: &options)
      next += 1
    }
    return options
  }

  /// An option line below code is a comment to the language, and most likely a mistake.
  private mutating func warnOfLateOptions(until stop: Int, language: String) {
    for index in next..<max(next, stop) {
      guard let body = optionBody(String(lines[index]), language: language), body.text.contains(":") else { continue }
      problems.add(
        Diagnostic(
          .warning, "an option line below code means nothing", at: place(index + 1, 1),
          hints: ["options stand on the first lines of a cell"]))
    }
  }

  /// What follows `#|` (or `--|` in SQL), with its column; `nil` when the line is code.
  private func optionBody(_ line: String, language: String) -> (text: String, column: Int)? {
    let marks = language == "sql" ? ["#|", "--|"] : ["#|"]
    guard let mark = marks.first(where: line.hasPrefix) else { return nil }
    let rest = line.dropFirst(mark.count)
    let spaces = rest.prefix { $0 == " " }.count
    return (String(rest.dropFirst(spaces)), mark.count + spaces + 1)
  }

  private mutating func readOption(_ text: String, column: Int, into options: inout [String: String]) {
    let line = next + 1
    guard let colon = text.firstIndex(of: ":") else {
      problems.add(
        Diagnostic(
          .input, "an option line reads `key: value`, this one has no `:`", at: place(line, column),
          hints: ["for example `#| label: fit`"]))
      return
    }
    let key = String(text[..<colon]).trimmingSpaces
    let value = unquoted(String(text[text.index(after: colon)...]))
    let valueColumn =
      column
      + text.unicodeScalars.distance(
        from: text.startIndex, to: text.index(after: colon)) + text[text.index(after: colon)...].prefix { $0 == " " }.count
    guard options.updateValue(value, forKey: key) == nil else {
      problems.add(Diagnostic(.input, "option `\(key)` is given twice", at: place(line, column), hints: ["keep one of them"]))
      return
    }
    check(key, value, key: place(line, column), value: place(line, valueColumn))
  }

  private mutating func check(_ key: String, _ value: String, key keyPlace: SourceLocation, value valuePlace: SourceLocation) {
    if key == "eval" {
      problems.add(
        Diagnostic(
          .input, "there is no `eval`: every cell runs", at: keyPlace,
          hints: ["a fence without braces, such as ```` ```python ````, is shown and not run"]))
      return
    }
    guard let option = CellOption(rawValue: key) else {
      let known = CellOption.allCases.map(\.rawValue)
      let hint = closestMatch(to: key, among: known).map { "did you mean `\($0)`?" }
      problems.add(
        Diagnostic(
          .warning, "option `\(key)` means nothing here and is left alone", at: keyPlace,
          hints: [hint ?? "the options are \(known.map { "`\($0)`" }.joined(separator: ", "))"]))
      return
    }
    if let problem = option.problem(with: value) {
      problems.add(Diagnostic(.input, "`\(key)` \(problem), not `\(value)`", at: valuePlace))
    }
    if option == .label, let first = lineOfLabel.updateValue(valuePlace.line ?? 0, forKey: value) {
      problems.add(
        Diagnostic(
          .input, "label `\(value)` is taken: the cell at line \(first) has it", at: valuePlace, hints: ["choose another label"]))
    }
  }

  private func place(_ line: Int, _ column: Int) -> SourceLocation { SourceLocation(file: file, line: line, column: column) }
}

/// The first line of a fenced block.
private struct Fence {
  var indent: Int
  /// At least three backticks or tildes.
  var marks: String
  var info: String

  init?(_ line: Substring.UnicodeScalarView) {
    indent = line.prefix { $0 == " " }.count
    let body = line.dropFirst(indent)
    guard indent <= 3, let mark = body.first, mark == "`" || mark == "~" else { return nil }
    let count = body.prefix { $0 == mark }.count
    guard count >= 3 else { return nil }
    marks = String(repeating: String(mark), count: count)
    info = String(body.dropFirst(count)).trimmingSpaces
    // A backtick further on makes it a code span.
    if mark == "`", info.contains("`") { return nil }
  }

  /// `{python}` runs; `python`, `{.python}` and `{{python}}` are only shown.
  var isCode: Bool {
    info.hasPrefix("{") && info.hasSuffix("}") && info.dropFirst().first.map { $0.isLetter || $0 == "}" } == true
      && marks.hasPrefix("`")
  }

  private var inside: Substring { info.dropFirst().dropLast() }
  var language: String { String(inside.prefix { !$0.isWhitespace && $0 != "," }) }
  /// What stands in the braces after the language.
  var rest: String { String(inside.dropFirst(language.count).drop { $0 == " " || $0 == "," }) }
  var restColumn: Int {
    indent + marks.count + 2 + language.count + inside.dropFirst(language.count).prefix { $0 == " " || $0 == "," }.count
  }

  func isClosed(by line: Substring.UnicodeScalarView) -> Bool {
    let spaces = line.prefix { $0 == " " }.count
    let text = String(line.dropFirst(spaces)).trimmingSpaces
    return spaces <= 3 && text.count >= marks.count && text.allSatisfy { $0 == marks.first }
  }
}

/// A YAML scalar as text: outer spaces, quotes and a trailing comment taken off.
private func unquoted(_ text: String) -> String {
  let value = text.trimmingSpaces
  for quote in ["\"", "'"] where value.hasPrefix(quote) {
    let body = value.dropFirst()
    guard let end = body.lastIndex(of: Character(quote)) else { continue }
    let inner = String(body[..<end])
    return quote == "'" ? inner.replacing("''", with: "'") : inner.replacing("\\\"", with: "\"").replacing("\\\\", with: "\\")
  }
  if value.hasPrefix("#") { return "" }
  if let comment = value.firstRange(of: " #") { return String(value[..<comment.lowerBound]).trimmingSpaces }
  return value
}

extension String {
  var trimmingSpaces: String {
    var scalars = unicodeScalars[...]
    while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
    while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    return String(scalars)
  }
}
