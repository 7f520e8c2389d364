// Notebooks that people have published, converted to Markdown and back.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Notebooks

private let realNotebooks: [String] = {
  guard let folder = ProcessInfo.processInfo.environment["PIPE_REAL_NOTEBOOKS"] else { return [] }
  let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  return names.filter { $0.hasSuffix(".ipynb") }.sorted().map { "\(folder)/\($0)" }
}()

struct RealNotebooksTests {
  @Test(
    .enabled(
      if: !realNotebooks.isEmpty, "PIPE_REAL_NOTEBOOKS names no folder with .ipynb files, so no published notebook was converted")
  )
  func `published notebooks become Markdown and scripts and come back with the same cells`() throws {
    #expect(realNotebooks.count >= 20)
    for path in realNotebooks {
      let document = try NotebookDocument(text: String(contentsOfFile: path, encoding: .utf8), file: path)
      #expect(!document.cells.isEmpty)
      for form in ["a.qmd", "a.py"] {
        let text = try document.text(for: form)
        let jupyter = try NotebookDocument(text: text, file: form).text(for: "a.ipynb")
        let back = try NotebookDocument(text: jupyter, file: "a.ipynb")
        #expect(back.hasSameCells(as: document), "\(path) by \(form)")
        #expect(try back.text(for: form).utf8.elementsEqual(text.utf8), "\(path) by \(form)")
      }
    }
  }
}
