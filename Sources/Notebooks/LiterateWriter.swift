// A document as literate Markdown.
// SPDX-License-Identifier: Apache-2.0

/// Writes a `.qmd` in its canonical form: one empty line between blocks, fences as short as they can be, marks only where
/// the text alone would be read otherwise.
enum LiterateWriter {
  static func text(of document: NotebookDocument) -> String {
    let (frontMatter, taken) = NotebookNote.frontMatter(of: document)
    var blocks: [[String]] = frontMatter.isEmpty ? [] : [frontMatter]
    var followsProse = false
    for cell in document.cells.dropFirst(taken) {
      let isFirst = blocks.isEmpty
      switch cell.kind {
      case .code, .raw:
        blocks.append(fenced(cell))
        followsProse = false
      case .markdown:
        if !followsProse, isPlain(cell, isFirst: isFirst) {
          blocks.append(cellLines(cell.source))
          followsProse = true
        } else if let marked = marked(cell) {
          blocks.append(marked)
          followsProse = true
        } else {
          blocks.append(fenced(cell))
          followsProse = false
        }
      }
    }
    return blocks.isEmpty ? "" : blocks.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
  }

  private static func fenced(_ cell: DocumentCell) -> [String] {
    let lines = CellHeader.lines(for: cell) + cellLines(cell.source)
    let marks = Fence.marks(around: lines)
    let info =
      switch cell.kind {
      case .raw: "{=raw}"
      case .markdown: "{=markdown}"
      case .code: "{\(cell.language)\(cell.fenceRest.map { " \($0)" } ?? "")}"
      }
    return [marks + info] + lines + [marks]
  }

  /// Whether the prose is read back as it is, without any mark.
  private static func isPlain(_ cell: DocumentCell, isFirst: Bool) -> Bool {
    guard cell.metadata.isEmpty, cell.attachments == nil, !cell.source.utf8.contains(0x0D) else { return false }
    let source = cellLines(cell.source)
    return survives(cell, (isFirst ? [] : sentinel + [""]) + source, isFirst: isFirst)
  }

  private static func marked(_ cell: DocumentCell) -> [String]? {
    let block = [ProseMarker(metadata: cell.metadata, attachments: cell.attachments).line] + cellLines(cell.source)
    return survives(cell, sentinel + [""] + block, isFirst: false) ? block : nil
  }

  private static let sentinel = ["```{x}", "```"]

  /// Whether these lines, with a code cell above and one below, are read as the cell.
  private static func survives(_ cell: DocumentCell, _ lines: [String], isFirst: Bool) -> Bool {
    let whole = (lines + [""] + sentinel + [""]).joined(separator: "\n")
    let read = LiterateReader.read(fileLines(whole))
    let cells = isFirst ? read.document.cells.dropLast() : read.document.cells.dropFirst().dropLast()
    return read.problems.isEmpty && cells.count == 1 && cells.first?.isSame(as: cell) == true
      && read.document.cells.last?.kind == .code
  }
}
