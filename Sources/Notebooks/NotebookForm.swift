// The forms that a notebook's file may have, told by its name.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

package enum NotebookForm: Sendable, Equatable {
  /// `.qmd`, `.md`, `.Rmd`.
  case literate
  /// `.py`, `.R`, `.sh`, `.sql`, `.swift`: the language of its cells.
  case script(language: String)
  /// `.ipynb`.
  case jupyter

  private static let scripts = ["py": "python", "r": "r", "sh": "bash", "bash": "bash", "sql": "sql", "swift": "swift"]

  /// What messages say of the names that are known.
  package static let knownNames = "`.qmd`, `.md`, `.Rmd`, `.ipynb`, `.py`, `.R`, `.sh`, `.sql` and `.swift`"

  /// - Returns: `nil` when the name's ending is none of `knownNames`.
  package init?(file: String) {
    let name = file.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: ".") else { return nil }
    let ending = name[name.index(after: dot)...].lowercased()
    switch ending {
    case "qmd", "md", "rmd": self = .literate
    case "ipynb": self = .jupyter
    default:
      guard let language = Self.scripts[ending] else { return nil }
      self = .script(language: language)
    }
  }

  private static func script(_ language: String) -> PercentScript {
    PercentScript(language: language, mark: ["sql": "--", "swift": "//"][language] ?? "#")
  }

  /// - Throws: an input diagnostic when the text is not of this form at all.
  func read(_ text: String, file: String) throws(Diagnostic) -> ReadDocument {
    switch self {
    case .literate: return Self.withoutMagics(LiterateReader.read(fileLines(text)))
    case .script(let language): return Self.withoutMagics(Self.script(language).read(fileLines(text)))
    case .jupyter: return try JupyterFile.read(text, file: file)
    }
  }

  /// `%%bash` in a Python cell means the same in every form.
  private static func withoutMagics(_ read: ReadDocument) -> ReadDocument {
    var read = read
    let main = read.document.language
    for (index, cell) in read.document.cells.enumerated() where cell.kind == .code && cell.language == main {
      let plain = JupyterFile.withoutMagic(cell, main: main)
      guard plain.language != cell.language else { continue }
      read.document.cells[index].language = plain.language
      read.document.cells[index].source = plain.source
      read.document.cells[index].firstLine += 1
    }
    return read
  }

  func write(_ document: NotebookDocument) throws(Diagnostic) -> String {
    switch self {
    case .literate: return LiterateWriter.text(of: document)
    case .script(let language): return Self.script(language).text(of: document)
    case .jupyter: return try JupyterFile.text(of: document)
    }
  }
}

extension NotebookDocument {
  /// Reads a notebook's file of any form.
  ///
  /// - Throws: an input diagnostic, with its place, when something opens and never closes, or the file is of no known form.
  package init(text: String, file: String) throws(Diagnostic) {
    guard let form = NotebookForm(file: file) else { throw Self.unknownForm(file) }
    let read = try form.read(text, file: file)
    if let problem = read.problems.first {
      throw Diagnostic(
        .input, problem.message, at: SourceLocation(file: file, line: problem.line, column: problem.column),
        hints: [problem.hint])
    }
    self = read.document
  }

  /// The document in the form of a file's name. What running put in stays in a `.ipynb` alone.
  ///
  /// - Throws: an input diagnostic when that form cannot hold it: what is read back would differ.
  package func text(for file: String) throws(Diagnostic) -> String {
    guard let form = NotebookForm(file: file) else { throw Self.unknownForm(file) }
    let text = try form.write(self)
    let again = try form.read(text, file: file)
    guard again.problems.isEmpty, again.document.hasSameCells(as: self) else {
      let index = zip(cells, again.document.cells).map { $0.isSame(as: $1) }.firstIndex(of: false)
      let place = index.map { "cell \($0 + 1)" } ?? "its metadata"
      throw Diagnostic(.input, "`\(file)` cannot hold the notebook without loss: \(place) would be read as something else")
    }
    return text
  }

  static func unknownForm(_ file: String) -> Diagnostic {
    Diagnostic(.input, "`\(file)` is no notebook by its name", hints: ["notebooks end in \(NotebookForm.knownNames)"])
  }
}
