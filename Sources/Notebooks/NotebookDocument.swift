// A notebook as its file has it: every cell, byte for byte, whatever the file's form.
// SPDX-License-Identifier: Apache-2.0

extension DocumentCell {
  /// A list, or one text for all, as papermill takes it.
  var tags: [String] {
    let tags = metadata["tags"]
    return (tags?.asList ?? [tags].compactMap { $0 }).compactMap(\.asText)
  }
}

/// What all forms of a notebook file hold, so that one form becomes another without loss.
///
/// Front matter of a text form is the first raw cell, as in Jupyter.
package struct NotebookDocument: Sendable, Equatable {
  /// The notebook's own metadata (`kernelspec`, `language_info`, …).
  package var metadata: [String: JSONTree]
  /// The minor version of nbformat 4.
  package var minorVersion: Int
  package var cells: [DocumentCell]

  package init(metadata: [String: JSONTree], minorVersion: Int = 5, cells: [DocumentCell]) {
    self.metadata = metadata
    self.minorVersion = minorVersion
    self.cells = cells
  }

  /// The language of cells that name none: the kernel's.
  package var language: String { Self.language(of: metadata) }

  static func language(of metadata: [String: JSONTree]) -> String {
    let named =
      metadata["kernelspec"]?.asObject?["language"]?.asText ?? metadata["language_info"]?.asObject?["name"]?.asText ?? "python"
    let allowed = named.lowercased().unicodeScalars.map { scalar -> Character in
      let isAllowed =
        scalar.isASCII
        && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "+-_.".unicodeScalars.contains(scalar))
      return isAllowed ? Character(scalar) : "-"
    }
    guard let first = allowed.first, first.isLetter else { return "python" }
    return String(allowed)
  }

  /// The metadata that a text form need not mention: that of a new notebook in this language.
  static func usualMetadata(_ language: String) -> [String: JSONTree] {
    let names: [String: (kernel: String, title: String)] = [
      "python": ("python3", "Python 3"), "r": ("ir", "R"), "bash": ("bash", "Bash"), "sql": ("sql", "SQL"),
      "swift": ("swift", "Swift"),
    ]
    let name = names[language] ?? (language, language)
    return [
      "kernelspec": .object(["display_name": .text(name.title), "language": .text(language), "name": .text(name.kernel)]),
      "language_info": .object(["name": .text(language)]),
    ]
  }

  /// The language that a text form without metadata means: Python where any cell is, or else that of the first.
  static func inferredLanguage(_ cells: [DocumentCell]) -> String {
    let languages = cells.filter { $0.kind == .code }.map(\.language)
    return languages.contains("python") ? "python" : languages.first ?? "python"
  }

  /// The same without what running put in.
  package var withoutOutputs: NotebookDocument {
    var copy = self
    for index in copy.cells.indices { copy.cells[index].ofTheRun = [:] }
    return copy
  }

  /// Whether both hold the same cells, byte for byte; what running put in and where lines stand do not count.
  package func hasSameCells(as other: NotebookDocument) -> Bool {
    metadata == other.metadata && minorVersion == other.minorVersion && cells.count == other.cells.count
      && zip(cells, other.cells).allSatisfy { $0.isSame(as: $1) }
  }
}

/// One cell of a file.
package struct DocumentCell: Sendable, Equatable {
  package enum Kind: String, Sendable { case markdown, code, raw }

  package var kind: Kind
  /// Of code: `python`, `bash`, …; empty for other kinds.
  package var language: String
  /// All of it: code with its `#|` lines.
  package var source: String
  package var metadata: [String: JSONTree]
  /// Files inside a Markdown cell, as nbformat has them.
  package var attachments: JSONTree?
  /// `outputs`, `execution_count` and `id` of a `.ipynb`: no text form keeps them.
  package var ofTheRun: [String: JSONTree] = [:]
  /// Where the first line of `source` stands in the file, from 1; 1 in a `.ipynb`, whose cells count their own lines.
  package var firstLine = 1
  /// What the fence of a literate cell says after the language, and where it stands.
  var fence: FenceNote?

  package init(
    _ kind: Kind, language: String = "", _ source: String, metadata: [String: JSONTree] = [:], attachments: JSONTree? = nil
  ) {
    self.kind = kind
    self.language = language
    self.source = source
    self.metadata = metadata
    self.attachments = attachments
  }

  func isSame(as other: DocumentCell) -> Bool {
    kind == other.kind && language == other.language && source.utf8.elementsEqual(other.source.utf8)
      && metadata == other.metadata && attachments == other.attachments
  }
}

/// Where a cell's fence stands, for messages.
struct FenceNote: Sendable, Equatable {
  /// From 1.
  var line: Int
  /// Of the language, from 1.
  var column: Int
  var rest: String
  var restColumn: Int
}

/// A file as it was read: the document, and what is wrong with the file's structure.
struct ReadDocument {
  var document: NotebookDocument
  /// Front matter line by line, with the number of its first line.
  var frontMatter: (lines: [String], firstLine: Int) = ([], 1)
  var problems: [StructureProblem] = []
}

/// What opens and is never closed.
struct StructureProblem: Equatable {
  var line: Int
  var column: Int
  var message: String
  var hint: String
}

/// A text cut at its line feeds alone; no line holds one.
func textLines(_ text: String) -> [String] {
  text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map { String(Substring($0)) }
}

/// The lines of a file: without its byte order mark, and without its carriage returns when all of its lines end in one.
func fileLines(_ text: String) -> [String] {
  var lines = textLines(text)
  if let first = lines.first, first.utf8.starts(with: [0xEF, 0xBB, 0xBF]) {
    lines[0] = String(Substring(first.utf8.dropFirst(3)))
  }
  let ended = lines.dropLast()
  if !ended.isEmpty, ended.allSatisfy({ $0.utf8.last == 0x0D }) {
    lines = lines.map { $0.utf8.last == 0x0D ? String(Substring($0.utf8.dropLast())) : $0 }
  }
  return lines
}

/// The lines of a cell: none for an empty one, so that every text has lines of its own.
func cellLines(_ source: String) -> [String] { source.isEmpty ? [] : textLines(source) }

extension String {
  /// By bytes, not by what looks alike.
  func begins(with prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }

  func dropping(_ count: Int) -> String { String(Substring(utf8.dropFirst(count))) }
}
