// A woven notebook as Markdown that any viewer shows: prose, code, and what it put out.
// SPDX-License-Identifier: Apache-2.0
import Foundation

extension WovenNotebook {
  /// Images stand in the text itself. The same run gives the same bytes.
  package var markdownText: String {
    var blocks: [String] = title.map { ["# \($0)"] } ?? []
    for cell in cells {
      guard let language = cell.language else {
        blocks.append(cell.source)
        continue
      }
      if cell.options[CellOption.echo.rawValue] != "false" { blocks.append(fenced(cell.source, language)) }
      if cell.outcome == .interrupted { blocks.append("*Interrupted.*") }
      if cell.outcome == .notRun { blocks.append("*\(notRunSentence)*") }
      for output in cell.outputs { blocks.append(text(of: output, cell)) }
    }
    return blocks.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  private func fenced(_ text: String, _ info: String) -> String {
    var lines = textLines(text)
    while lines.last?.isEmpty == true { lines.removeLast() }
    let marks = Fence.marks(around: lines)
    return ([marks + info] + lines + [marks]).joined(separator: "\n")
  }

  private func text(of output: CellOutput, _ cell: WovenCell) -> String {
    let plain = output.data["text/plain"] ?? ""
    switch output.kind {
    case .standardOutput, .standardError: return fenced(plain, "text")
    case .failure: return "**Failed:**\n\n" + fenced(plain, "text")
    case .display: break
    }
    let caption = cell.options[CellOption.figureCaption.rawValue]
    let alternative = (cell.options[CellOption.figureAlternative.rawValue] ?? caption ?? "").filter { !"[]\n".contains($0) }
    let below = caption.map { "\n\n*\($0)*" } ?? ""
    if let table = output.data["application/vnd.pipe.table+json"].flatMap(pipeTable) { return table + below }
    for mime in ["image/svg+xml", "image/png", "image/jpeg"] {
      guard let image = output.data[mime] else { continue }
      let base64 = mime == "image/svg+xml" ? Data(image.utf8).base64EncodedString() : image.filter { !$0.isWhitespace }
      return "![\(alternative)](data:\(mime);base64,\(base64))\(below)"
    }
    if let markdown = output.data["text/markdown"] { return markdown }
    return plain.isEmpty ? "" : fenced(plain, "text")
  }

  private func pipeTable(_ json: String) -> String? {
    guard let object = (try? JSONTree(parsing: Array(json.utf8)))?.asObject, let columns = object["columns"]?.asList,
      let rows = object["rows"]?.asList, !columns.isEmpty
    else { return nil }
    let line = { (cells: [JSONTree]) in "| " + cells.map { escaped($0.asText ?? "") }.joined(separator: " | ") + " |" }
    var lines = [line(columns), "|" + String(repeating: " --- |", count: columns.count)]
    lines += rows.compactMap(\.asList).map(line)
    if case .number(let total)? = object["totalRows"], let total = Int(total), total > rows.count {
      lines += ["", "\(total) rows, of which \(rows.count) are shown."]
    }
    return lines.joined(separator: "\n")
  }

  private func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("|", with: "\\|").replacing("<", with: "&lt;").replacing("\n", with: " ")
  }
}
