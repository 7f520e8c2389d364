// From the text of a notebook file to cells that run, with every mistake of the file at once.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// Reads literate Markdown, percent scripts and Jupyter notebooks (`NotebookForm`) as one kind of notebook.
package enum NotebookParser {
  package static let languages = ["bash", "python", "r", "sql", "swift"]

  /// Parses a whole notebook.
  ///
  /// - Parameters:
  ///   - text: the file's text; LF or CRLF.
  ///   - file: how messages name the file, relative to the project; its ending tells the form.
  /// - Throws: every mistake of the file, in order, each with line and column.
  package static func parse(_ text: String, file: String) throws(DiagnosticList) -> Notebook {
    guard let form = NotebookForm(file: file) else { throw DiagnosticList([NotebookDocument.unknownForm(file)]) }
    let read: ReadDocument
    do throws(Diagnostic) {
      read = try form.read(text, file: file)
    } catch {
      throw DiagnosticList([error])
    }
    var checking = NotebookCheck(file: file, form: form)
    for problem in read.problems { checking.add(problem) }
    checking.take(frontMatter: read.frontMatter.lines, firstLine: read.frontMatter.firstLine)
    for cell in read.document.cells { checking.take(cell) }
    let problems = checking.sortedProblems
    try problems.throwIfErrors()
    return Notebook(file: file, title: checking.title, cells: checking.cells, warnings: problems.diagnostics)
  }
}

/// One pass over the cells of a document.
private struct NotebookCheck {
  let file: String
  let form: NotebookForm
  var title: String?
  var cells: [Cell] = []
  private var problems: [Diagnostic] = []
  private var placeOfLabel: [String: SourceLocation] = [:]
  private var codeCells = 0

  init(file: String, form: NotebookForm) {
    self.file = file
    self.form = form
  }

  /// In the order of the file. Cells of a `.ipynb` come in order by themselves.
  var sortedProblems: DiagnosticList {
    guard form != .jupyter else { return DiagnosticList(problems) }
    let sorted = problems.enumerated().sorted {
      let (a, b) = ($0.element.location, $1.element.location)
      return (a?.line ?? 0, a?.column ?? 0, $0.offset) < (b?.line ?? 0, b?.column ?? 0, $1.offset)
    }
    return DiagnosticList(sorted.map(\.element))
  }

  mutating func add(_ problem: StructureProblem) {
    add(.input, problem.message, place(problem.line, problem.column), problem.hint)
  }

  private mutating func add(_ category: Diagnostic.Category, _ message: String, _ place: SourceLocation, _ hint: String? = nil) {
    problems.append(Diagnostic(category, message, at: place, hints: hint.map { [$0] } ?? []))
  }

  private func place(_ line: Int, _ column: Int, in cell: String? = nil) -> SourceLocation {
    SourceLocation(file: cell ?? file, line: line, column: column)
  }

  // MARK: Front matter

  /// Title and friends; the graph has no place here.
  mutating func take(frontMatter lines: [String], firstLine: Int) {
    for (index, text) in lines.enumerated() {
      guard let first = text.first, !first.isWhitespace, first != "#", let colon = text.firstIndex(of: ":") else { continue }
      let key = String(text[..<colon])
      let value = unquoted(String(text[text.index(after: colon)...]))
      switch key {
      case "title": title = value.isEmpty ? nil : value
      case "deps", "outs", "metrics", "plots", "stage", "cmd":
        add(
          .input, "`\(key)` has no place in a notebook: the graph is declared in one place only",
          place(firstLine + index, 1), "move it to the stage in pipeline.yaml")
      default: break
      }
    }
  }

  // MARK: Cells

  mutating func take(_ cell: DocumentCell) {
    switch cell.kind {
    case .raw: takeRaw(cell)
    case .markdown: takeProse(cell)
    case .code: takeCode(cell)
    }
  }

  /// Raw cells are for other programs; the first one may be front matter in Jupyter's clothes.
  private mutating func takeRaw(_ cell: DocumentCell) {
    let lines = textLines(cell.source)
    guard form == .jupyter, cells.isEmpty, lines.count > 2, lines.first == "---", lines.last == "---" else { return }
    take(frontMatter: Array(lines.dropFirst().dropLast()), firstLine: 2)
  }

  private mutating func takeProse(_ cell: DocumentCell) {
    var lines = textLines(cell.source).map(withoutReturn)
    var firstLine = cell.firstLine
    while lines.first?.allSatisfy(\.isWhitespace) == true {
      lines.removeFirst()
      firstLine += 1
    }
    while lines.last?.allSatisfy(\.isWhitespace) == true { lines.removeLast() }
    guard !lines.isEmpty else { return }
    var found = Cell(kind: .prose, source: lines.joined(separator: "\n"), firstLine: firstLine)
    found.tags = cell.tags
    cells.append(found)
  }

  private mutating func takeCode(_ cell: DocumentCell) {
    codeCells += 1
    let source = textLines(cell.source).map(withoutReturn)
    var options = OptionLines(language: cell.language, file: form == .jupyter ? "\(file), cell \(codeCells)" : file)
    if let fence = cell.fence {
      checkLanguage(cell.language, place(fence.line, fence.column))
      takeFenceRest(fence, into: &options)
    } else {
      checkLanguage(cell.language, SourceLocation(file: options.file, line: form == .jupyter ? nil : cell.firstLine))
    }
    options.read(cell.source.isEmpty ? [] : source, firstLine: cell.firstLine, labels: &placeOfLabel)
    problems += options.problems
    let code = Array(source.dropFirst(options.count)).joined(separator: "\n")
    var found = Cell(
      kind: .code(language: cell.language), source: code, options: options.values, firstLine: cell.firstLine + options.count,
      place: form == .jupyter ? options.file : nil)
    found.tags = cell.tags + OptionLines.tags(options.values["tags"] ?? "").filter { !cell.tags.contains($0) }
    if found.isParameters, let hint = Self.parameterHints[cell.language] {
      let start = cell.fence.map { place($0.line, $0.column) }
      let line = form == .jupyter ? nil : cell.firstLine
      add(
        .warning, "the tag `parameters` does nothing in a cell of \(cell.language)",
        options.places["tags"] ?? start ?? SourceLocation(file: options.file, line: line), hint)
    }
    cells.append(found)
  }

  /// How cells of languages that have no variables to assign come by the values.
  private static let parameterHints = [
    "sql": "parameters are bound by name: `:train_lr` is `train.lr`", "swift": "`Pipe.params.train.lr` is `train.lr`",
  ]

  private func withoutReturn(_ line: String) -> String {
    line.utf8.last == 0x0D ? String(Substring(line.utf8.dropLast())) : line
  }

  /// R Markdown says options in the fence: `{r fit, echo=FALSE}`.
  private mutating func takeFenceRest(_ fence: FenceNote, into options: inout OptionLines) {
    guard !fence.rest.isEmpty else { return }
    guard file.lowercased().hasSuffix(".rmd") else {
      add(
        .input, "a fence holds the language alone, not `\(fence.rest)`", place(fence.line, fence.restColumn),
        "write options as lines of the cell, such as `#| label: fit`")
      return
    }
    options.readFence(fence, labels: &placeOfLabel)
  }

  private mutating func checkLanguage(_ language: String, _ place: SourceLocation) {
    if language.isEmpty {
      add(.input, "a cell needs a language", place, "write `bash`, `python`, `r`, `sql` or `swift` between the braces")
    } else if !NotebookParser.languages.contains(language) {
      add(.input, "a cell cannot be in `\(language)`", place, languageHint(language))
    }
  }

  private func languageHint(_ language: String) -> String {
    let others = ["sh": "bash", "shell": "bash", "zsh": "bash", "py": "python", "python3": "python", "sqlite": "sql"]
    if let known = others[language.lowercased()] ?? closestMatch(to: language.lowercased(), among: NotebookParser.languages) {
      return "did you mean `\(known)`?"
    }
    let shown = form == .literate ? "; a fence without braces, ```` ```\(language) ````, is shown and not run" : ""
    return "the languages are `bash`, `python`, `r`, `sql` and `swift`\(shown)"
  }
}
