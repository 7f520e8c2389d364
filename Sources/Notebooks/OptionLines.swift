// The `#| key: value` lines that a code cell begins with.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics

struct OptionLines {
  let language: String
  /// How messages name what the lines are counted in.
  let file: String
  private(set) var values: [String: String] = [:]
  /// Where each key stands.
  private(set) var places: [String: SourceLocation] = [:]
  /// How many lines they take.
  private(set) var count = 0
  private(set) var problems: [Diagnostic] = []

  init(language: String, file: String) {
    self.language = language
    self.file = file
  }

  /// Reads the option lines at the beginning of a cell and warns of those below code.
  mutating func read(_ lines: [String], firstLine: Int, labels: inout [String: SourceLocation]) {
    while count < lines.count, let body = body(of: lines[count]) {
      read(body.text, firstLine + count, body.column, &labels)
      count += 1
    }
    for (index, line) in lines.enumerated().dropFirst(count) {
      guard let body = body(of: line), body.text.contains(":") else { continue }
      add(
        .warning, "an option line below code means nothing", place(firstLine + index, 1),
        "options stand on the first lines of a cell")
    }
  }

  /// What follows the comment mark and `|`, with its column; `nil` when the line is code.
  private func body(of line: String) -> (text: String, column: Int)? {
    let marks = ["sql": ["#|", "--|"], "swift": ["//|"]][language] ?? ["#|"]
    guard let mark = marks.first(where: line.begins) else { return nil }
    let rest = line.dropping(mark.utf8.count)
    let spaces = rest.utf8.prefix { $0 == 0x20 }.count
    return (rest.dropping(spaces), mark.utf8.count + spaces + 1)
  }

  private mutating func read(_ text: String, _ line: Int, _ column: Int, _ labels: inout [String: SourceLocation]) {
    guard let colon = text.unicodeScalars.firstIndex(of: ":") else {
      add(
        .input, "an option line reads `key: value`, this one has no `:`", place(line, column), "for example `#| label: fit`")
      return
    }
    let key = String(text.unicodeScalars[..<colon]).trimmingSpaces
    let rest = text.unicodeScalars[text.unicodeScalars.index(after: colon)...]
    let valueColumn =
      column + text.unicodeScalars.distance(from: text.startIndex, to: colon) + 1 + rest.prefix { $0 == " " }.count
    take(key, unquoted(String(rest)), key: place(line, column), value: place(line, valueColumn), &labels)
  }

  private mutating func take(
    _ key: String, _ value: String, key keyPlace: SourceLocation, value valuePlace: SourceLocation,
    _ labels: inout [String: SourceLocation]
  ) {
    guard values.updateValue(value, forKey: key) == nil else {
      add(.input, "option `\(key)` is given twice", keyPlace, "keep one of them")
      return
    }
    places[key] = keyPlace
    if key == "eval" {
      let hint = "a fence without braces, such as ```` ```python ````, is shown and not run"
      add(.input, "there is no `eval`: every cell runs", keyPlace, hint)
      return
    }
    guard let option = CellOption(rawValue: key) else {
      guard !CellOption.ofOthers.contains(key) else { return }
      let known = CellOption.allCases.map(\.rawValue)
      let hint = closestMatch(to: key, among: known).map { "did you mean `\($0)`?" }
      add(
        .warning, "option `\(key)` means nothing here and is left alone", keyPlace,
        hint ?? "the options are \(known.map { "`\($0)`" }.joined(separator: ", "))")
      return
    }
    if let reason = option.idleness(in: language) {
      add(.warning, "option `\(key)` does nothing in a cell of \(language): \(reason)", keyPlace)
    }
    if let problem = option.problem(with: value) {
      add(.input, "`\(key)` \(problem), not `\(value)`", valuePlace)
    }
    guard option == .label, let first = labels.updateValue(valuePlace, forKey: value) else { return }
    let taken = first.file == file ? "line \(first.line ?? 0)" : "\(first)"
    add(.input, "label `\(value)` is taken: the cell at \(taken) has it", valuePlace, "choose another label")
  }

  /// `[a, b]`, or one alone.
  static func tags(_ value: String) -> [String] {
    let isList = value.hasPrefix("[") && value.hasSuffix("]")
    let parts = isList ? value.dropFirst().dropLast().split(separator: ",").map { unquoted(String($0)) } : [value]
    return parts.filter { !$0.isEmpty }
  }

  // MARK: R Markdown

  /// `fit, echo=FALSE, fig.cap="A figure"`: a label, and options by R's names.
  mutating func readFence(_ fence: FenceNote, labels: inout [String: SourceLocation]) {
    let place = place(fence.line, fence.restColumn)
    for (index, part) in Self.parts(fence.rest).enumerated() where !part.isEmpty {
      guard let equals = part.firstIndex(of: "=") else {
        if index == 0 { take("label", part, key: place, value: place, &labels) }
        continue
      }
      let key = String(part[..<equals]).trimmingSpaces.replacing(".", with: "-")
      let value = unquoted(String(part[part.index(after: equals)...]))
      let words = ["TRUE": "true", "FALSE": "false", "T": "true", "F": "false"]
      guard key == "eval" || CellOption(rawValue: key) != nil else { continue }
      if key == "eval", words[value] == "true" { continue }
      take(key, words[value] ?? value, key: place, value: place, &labels)
    }
  }

  /// Cut at commas outside quotes and brackets.
  private static func parts(_ text: String) -> [String] {
    var parts = [""]
    var quote: Character?
    var depth = 0
    for character in text {
      if let open = quote {
        if character == open { quote = nil }
      } else if character == "\"" || character == "'" {
        quote = character
      } else if "([{".contains(character) {
        depth += 1
      } else if ")]}".contains(character) {
        depth -= 1
      } else if character == ",", depth == 0 {
        parts.append("")
        continue
      }
      parts[parts.count - 1].append(character)
    }
    return parts.map(\.trimmingSpaces)
  }

  private mutating func add(_ category: Diagnostic.Category, _ message: String, _ place: SourceLocation, _ hint: String? = nil) {
    problems.append(Diagnostic(category, message, at: place, hints: hint.map { [$0] } ?? []))
  }

  private func place(_ line: Int, _ column: Int) -> SourceLocation { SourceLocation(file: file, line: line, column: column) }
}

/// A YAML scalar as text: outer spaces, quotes and a trailing comment taken off.
func unquoted(_ text: String) -> String {
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
