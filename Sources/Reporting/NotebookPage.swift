// One woven notebook as a page of its own.
// SPDX-License-Identifier: Apache-2.0
package import Notebooks

package enum NotebookPage {
  /// The page's document: whether every cell ran, then the cells.
  package static func document(_ woven: WovenNotebook) -> Report {
    let code = woven.cells.filter { $0.language != nil }
    let stopped = code.firstIndex { $0.outcome == .failed || $0.outcome == .interrupted }
    let notRun = code.count { $0.outcome == .notRun }
    let verdict: Report.Verdict
    if let stopped {
      let isFailed = code[stopped].outcome == .failed
      let name = code[stopped].options["label"].map { ", \($0)," } ?? ""
      let line: [Report.Inline] = [
        .link("To the cell", to: "failed-cell"), .text(notRun == 0 ? "" : "; \(notRun) after it did not run."),
      ]
      verdict = .init(
        tone: isFailed ? .bad : .caution,
        headline: "Cell \(stopped + 1) of \(code.count)\(name) \(isFailed ? "failed" : "was interrupted")",
        blocks: [.paragraph(line)])
    } else if notRun > 0 {
      verdict = .init(tone: .caution, headline: "\(notRun) of \(code.count) cells did not run", blocks: [])
    } else {
      verdict = .init(tone: .good, headline: "All \(code.count) cells ran", blocks: [])
    }
    var blocks: [Report.Block] = []
    for cell in woven.cells {
      if cell.outcome == .failed { blocks.append(.heading(level: 1, "The cell that failed", id: "failed-cell")) }
      if cell.outcome == .interrupted {
        blocks.append(.heading(level: 1, "The cell that was interrupted", id: "failed-cell"))
      }
      blocks += RunReport.cellBlocks(cell, of: woven)
    }
    return Report(
      title: woven.title ?? woven.file, summary: nil, verdict: verdict,
      runFacts: .init(line: [.code(woven.file)], blocks: []),
      sections: [.init(id: "notebook", title: "Notebook", priority: 10, blocks: blocks)])
  }
}
