// One woven notebook as a page of its own.
// SPDX-License-Identifier: Apache-2.0
package import Notebooks

package enum NotebookPage {
  /// The page's document: whether every cell ran, then the cells.
  package static func document(_ woven: WovenNotebook) -> Report {
    let code = woven.cells.filter { $0.language != nil }
    let failed = code.firstIndex { $0.outcome == .failed }
    let notRun = code.count { $0.outcome == .notRun }
    let verdict: Report.Verdict
    if let failed {
      let name = code[failed].options["label"].map { ", \($0)," } ?? ""
      let line: [Report.Inline] = [
        .link("To the cell", to: "failed-cell"), .text(notRun == 0 ? "" : "; \(notRun) after it did not run."),
      ]
      verdict = .init(tone: .bad, headline: "Cell \(failed + 1) of \(code.count)\(name) failed", blocks: [.paragraph(line)])
    } else if notRun > 0 {
      verdict = .init(tone: .caution, headline: "\(notRun) of \(code.count) cells did not run", blocks: [])
    } else {
      verdict = .init(tone: .good, headline: "All \(code.count) cells ran", blocks: [])
    }
    var blocks: [Report.Block] = []
    for cell in woven.cells {
      if cell.outcome == .failed { blocks.append(.heading(level: 1, "The cell that failed", id: "failed-cell")) }
      blocks += RunReport.cellBlocks(cell, file: woven.file)
    }
    return Report(
      title: woven.title ?? woven.file, summary: nil, verdict: verdict,
      runFacts: .init(line: [.code(woven.file)], blocks: []),
      sections: [.init(id: "notebook", title: "Notebook", priority: 10, blocks: blocks)])
  }
}
