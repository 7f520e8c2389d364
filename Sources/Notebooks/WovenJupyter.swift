// A woven notebook as a `.ipynb` with its outputs.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

extension WovenNotebook {
  /// nbformat 4.5: sorted keys, no times, ids that follow from place and source. The same run gives the same bytes.
  ///
  /// A cell that failed or did not run says so in its metadata under `pipe`.
  ///
  /// - Throws: an input diagnostic when a cell's language has no place in a Jupyter notebook.
  package func jupyterText() throws(Diagnostic) -> String {
    let code = cells.compactMap(\.language)
    let language = code.contains("python") ? "python" : code.first ?? "python"
    var document = NotebookDocument(metadata: NotebookDocument.usualMetadata(language), cells: [])
    if let title { document.metadata["title"] = .text(title) }
    var number = 0
    for cell in cells {
      guard let language = cell.language else {
        document.cells.append(DocumentCell(.markdown, cell.source, metadata: Self.metadata(of: cell)))
        continue
      }
      number += 1
      var written = DocumentCell(.code, language: language, cell.sourceWithOptions, metadata: Self.metadata(of: cell))
      if cell.outcome != .done { written.metadata["pipe"] = .object(["outcome": .text(cell.outcome.rawValue)]) }
      written.ofTheRun["execution_count"] = cell.outcome == .notRun ? .null : .number("\(number)")
      let injected = cell.outputs.filter { $0.data[ParameterInjection.mime] != nil }
      written.ofTheRun["outputs"] = .list(cell.outputs.filter { $0.data[ParameterInjection.mime] == nil }.map(\.jupyter))
      document.cells.append(written)
      for output in injected {
        var values = DocumentCell(.code, language: language, output.data["text/plain"] ?? "")
        values.metadata["tags"] = .list([.text(Cell.injectedTag)])
        values.ofTheRun["execution_count"] = .null
        values.ofTheRun["outputs"] = .list([])
        document.cells.append(values)
      }
    }
    return try JupyterFile.text(of: document)
  }

  private static func metadata(of cell: WovenCell) -> [String: JSONTree] {
    cell.tags.map { ["tags": .list($0.map { .text($0) })] } ?? [:]
  }
}

extension WovenCell {
  /// The code below its option lines, which come in order of their names.
  var sourceWithOptions: String {
    let mark = language == "swift" ? "//|" : "#|"
    let lines = options.sorted { $0.key < $1.key }.map { "\(mark) \($0.key): \(Self.scalar($0.value))" }
    return (lines + cellLines(source)).joined(separator: "\n")
  }

  /// In quotes where the bare text would be read as something else.
  private static func scalar(_ value: String) -> String {
    unquoted(value) == value ? value : "\"" + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}

extension CellOutput {
  var jupyter: JSONTree {
    let text = data["text/plain"] ?? ""
    switch kind {
    case .standardOutput, .standardError:
      return .object([
        "output_type": .text("stream"), "name": .text(kind == .standardOutput ? "stdout" : "stderr"),
        "text": JupyterFile.lines(text),
      ])
    case .display:
      return .object(["output_type": .text("display_data"), "metadata": .object([:]), "data": .object(bundle)])
    case .failure:
      let last = textLines(text).last { !$0.trimmingSpaces.isEmpty } ?? "failed"
      let parts = last.split(separator: ":", maxSplits: 1)
      let isNamed = parts.count == 2 && parts[0].allSatisfy { $0.isLetter || $0.isNumber || $0 == "." || $0 == "_" }
      return .object([
        "output_type": .text("error"), "ename": .text(isNamed ? String(parts[0]) : "Error"),
        "evalue": .text(isNamed ? String(parts[1]).trimmingSpaces : last), "traceback": .list(textLines(text).map { .text($0) }),
      ])
    }
  }

  /// JSON types as the value they are, images as one text, all other text as its lines.
  private var bundle: [String: JSONTree] {
    var bundle: [String: JSONTree] = [:]
    for (mime, text) in data {
      if mime == "application/json" || mime.hasSuffix("+json") || mime.hasSuffix(".json") {
        // nbformat knows JSON by `+json` alone, and Altair 6 says `application/vnd.vegalite.v6.json`.
        let name = mime.hasSuffix(".json") ? String(mime.dropLast(5)) + "+json" : mime
        bundle[name] = (try? JSONTree(parsing: Array(text.utf8))) ?? .text(text)
      } else {
        bundle[mime] = mime.hasPrefix("image/") && mime != "image/svg+xml" ? .text(text) : JupyterFile.lines(text)
      }
    }
    return bundle
  }
}
