// A `.ipynb` as a document and back.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// nbformat 4.
enum JupyterFile {
  /// Cells in another language than the kernel's begin with this line.
  private static let magics = [("bash", "%%bash"), ("sql", "%%sql"), ("python", "%%python"), ("r", "%%R"), ("swift", "%%swift")]

  // MARK: Reading

  /// - Throws: an input diagnostic when the text is no notebook of nbformat 4.
  static func read(_ text: String, file: String) throws(Diagnostic) -> ReadDocument {
    let tree: JSONTree
    do throws(JSONMistake) {
      tree = try JSONTree(parsing: Array(text.utf8.starts(with: [0xEF, 0xBB, 0xBF]) ? text.dropping(3).utf8 : text.utf8))
    } catch {
      throw Diagnostic(
        .input, "`\(file)` is no Jupyter notebook: \(error.message)",
        at: SourceLocation(file: file, line: error.line, column: error.column))
    }
    guard let object = tree.asObject, case .number(let major)? = object["nbformat"] else {
      throw Diagnostic(.input, "`\(file)` is no Jupyter notebook: it has no `nbformat`", at: SourceLocation(file: file))
    }
    guard major == "4", let entries = object["cells"]?.asList else {
      throw Diagnostic(
        .input, "`\(file)` has nbformat \(major), and only 4 is read", at: SourceLocation(file: file),
        hints: ["`jupyter nbconvert --to notebook --inplace \(file)` brings it up to date"])
    }
    var document = NotebookDocument(metadata: object["metadata"]?.asObject ?? [:], minorVersion: 0, cells: [])
    if case .number(let text)? = object["nbformat_minor"] { document.minorVersion = Int(text) ?? 0 }
    for (index, entry) in entries.enumerated() {
      guard let cell = cell(entry, main: document.language) else {
        throw Diagnostic(
          .input, "cell \(index + 1) of `\(file)` is no cell of nbformat 4", at: SourceLocation(file: file),
          hints: ["it needs a `cell_type` of `code`, `markdown` or `raw`, and a `source`"])
      }
      document.cells.append(cell)
    }
    return ReadDocument(document: document)
  }

  private static func cell(_ entry: JSONTree, main: String) -> DocumentCell? {
    guard let object = entry.asObject, let kind = object["cell_type"]?.asText.flatMap(DocumentCell.Kind.init(rawValue:)),
      let source = joined(object["source"])
    else { return nil }
    var cell = DocumentCell(
      kind, language: kind == .code ? main : "", source, metadata: object["metadata"]?.asObject ?? [:],
      attachments: object["attachments"])
    if kind == .code { cell = withoutMagic(cell, main: main) }
    for key in ["outputs", "execution_count", "id"] { cell.ofTheRun[key] = object[key] }
    return cell
  }

  /// nbformat allows a text, or its lines.
  private static func joined(_ value: JSONTree?) -> String? {
    if let text = value?.asText { return text }
    guard let parts = value?.asList else { return nil }
    let texts = parts.compactMap(\.asText)
    return texts.count == parts.count ? texts.joined() : nil
  }

  /// `%%bash` alone on the first line, with another below, makes a cell of that language.
  static func withoutMagic(_ cell: DocumentCell, main: String) -> DocumentCell {
    for (language, magic) in magics where language != main && cell.source.begins(with: magic + "\n") {
      var cell = cell
      cell.language = language
      cell.source = cell.source.dropping(magic.utf8.count + 1)
      cell.firstLine = 2
      return cell
    }
    return cell
  }

  // MARK: Writing

  /// - Throws: an input diagnostic when a cell has a language that no magic names.
  static func text(of document: NotebookDocument) throws(Diagnostic) -> String {
    let main = document.language
    var entries: [JSONTree] = []
    for (index, cell) in document.cells.enumerated() {
      var object: [String: JSONTree] = [
        "cell_type": .text(cell.kind.rawValue), "metadata": .object(cell.metadata),
        "source": lines(try source(of: cell, main: main)),
      ]
      object["attachments"] = cell.attachments
      if cell.kind == .code {
        object["outputs"] = cell.ofTheRun["outputs"] ?? .list([])
        object["execution_count"] = cell.ofTheRun["execution_count"] ?? .null
      }
      if document.minorVersion >= 5 { object["id"] = cell.ofTheRun["id"] ?? .text(CellIdentity.id(of: cell.source, at: index)) }
      entries.append(.object(object))
    }
    let tree = JSONTree.object([
      "cells": .list(entries), "metadata": .object(document.metadata), "nbformat": .number("4"),
      "nbformat_minor": .number("\(document.minorVersion)"),
    ])
    return String(decoding: tree.document, as: UTF8.self)
  }

  private static func source(of cell: DocumentCell, main: String) throws(Diagnostic) -> String {
    guard cell.kind == .code, cell.language != main else { return cell.source }
    guard let magic = magics.first(where: { $0.0 == cell.language })?.1 else {
      throw Diagnostic(
        .input, "a Jupyter notebook in \(main) cannot hold a cell in `\(cell.language)`",
        hints: ["`.qmd` holds cells of any language"])
    }
    return "\(magic)\n\(cell.source)"
  }

  /// A text as the list of its lines, each with its end.
  static func lines(_ text: String) -> JSONTree {
    var parts = textLines(text)
    for index in parts.indices.dropLast() { parts[index] += "\n" }
    if parts.last?.isEmpty == true { parts.removeLast() }
    return .list(parts.map { .text($0) })
  }
}
