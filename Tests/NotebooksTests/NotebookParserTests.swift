// What a notebook's text means, and what a person is told when it means nothing.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Notebooks

struct NotebookParserTests {
  @Test func `front matter, prose and cells come in order with their lines`() throws {
    let text = """
      ---
      title: "Train: the classifier"  # a comment
      params: {lr: 0.1}
      ---

      Why this model.

      ```{python}
      #| label: fit
      #| timeout: 30s
      x = 1
      print(x)
      ```
      After.
      ```{sql}
      --| out: a.csv
      SELECT 1
      ```

      """
    let notebook = try NotebookParser.parse(text, file: "stages/train.qmd")
    #expect(
      notebook
        == Notebook(
          file: "stages/train.qmd", title: "Train: the classifier",
          cells: [
            Cell(kind: .prose, source: "Why this model.", firstLine: 6),
            Cell(
              kind: .code(language: "python"), source: "x = 1\nprint(x)", options: ["label": "fit", "timeout": "30s"],
              firstLine: 11),
            Cell(kind: .prose, source: "After.", firstLine: 14),
            Cell(kind: .code(language: "sql"), source: "SELECT 1", options: ["out": "a.csv"], firstLine: 17),
          ]))
  }

  @Test func `a fence inside a longer fence, a shown fence and an escaped fence are prose`() throws {
    let text = "````\n```{python}\nx\n```\n````\n```python\ny\n```\n```{{python}}\nz\n```\n```{.bash}\nw\n```"
    let notebook = try NotebookParser.parse(text, file: "a.qmd")
    #expect(notebook.cells == [Cell(kind: .prose, source: text, firstLine: 1)])
  }

  @Test func `CRLF, a byte order mark and a closing fence longer than the opening one are read`() throws {
    let notebook = try NotebookParser.parse("\u{FEFF}```{bash}\r\necho a\r\n\r\n`````\r\n", file: "a.qmd")
    #expect(notebook.cells == [Cell(kind: .code(language: "bash"), source: "echo a\n", firstLine: 2)])
  }

  @Test(arguments: [
    ("---\ntitle: x\n", "1:1 the front matter that opens here is never closed"),
    ("---\ndeps: [a]\n---\n", "2:1 `deps` has no place in a notebook: the graph is declared in one place only"),
    ("a\n ```{python}\nx\n", "2:2 the fence ````{python}` that opens here is never closed"),
    ("```\nx\n", "1:1 the fence ````` that opens here is never closed"),
    ("```{pyhton}\n```", "1:5 a cell cannot be in `pyhton`"),
    ("```{}\n```", "1:5 a cell needs a language"),
    ("```{python fit, echo=FALSE}\n```", "1:12 a fence holds the language alone, not `fit, echo=FALSE`"),
    ("```{bash}\n#| label\n```", "2:4 an option line reads `key: value`, this one has no `:`"),
    (
      "```{bash}\n#| timeout: soon\n```",
      "2:13 `timeout` is a number above 0 with a unit, such as `500ms`, `30s`, `5m` or `1h`, not `soon`"
    ),
    (
      "```{bash}\n#| timeout: 0s\n```",
      "2:13 `timeout` is a number above 0 with a unit, such as `500ms`, `30s`, `5m` or `1h`, not `0s`"
    ),
    ("```{bash}\n#| eval: false\n```", "2:4 there is no `eval`: every cell runs"),
    ("```{bash}\n#| error: yes\n```", "2:11 `error` is `true` or `false`, not `yes`"),
    ("```{bash}\n#| label: a\n#| label: b\n```", "3:4 option `label` is given twice"),
    ("```{bash}\n#| label: a\n```\n```{sql}\n--| label: a\n```", "5:12 label `a` is taken: the cell at line 2 has it"),
  ])
  func `a mistake is named at its line and column`(text: String, expected: String) throws {
    let list = try #require(throws: DiagnosticList.self) { try NotebookParser.parse(text, file: "a.qmd") }
    #expect(list.diagnostics.map(\.headline) == [expected])
    #expect(list.exitCode == 2)
  }

  @Test func `all mistakes of a file are reported at once`() throws {
    let text = "---\nouts: [m]\n---\n```{R}\n#| label: a b\n```\n```{py}\nx\n"
    let list = try #require(throws: DiagnosticList.self) { try NotebookParser.parse(text, file: "a.qmd") }
    #expect(
      list.diagnostics.map(\.headline) == [
        "2:1 `outs` has no place in a notebook: the graph is declared in one place only",
        "4:5 a cell cannot be in `R`",
        "5:11 `label` is one word, such as `fit-model`, not `a b`",
        "7:1 the fence ````{py}` that opens here is never closed",
        "7:5 a cell cannot be in `py`",
      ])
    #expect(list.diagnostics[4].hints == ["did you mean `python`?"])
  }

  @Test func `an unknown option is a warning with a suggestion`() throws {
    let notebook = try NotebookParser.parse("```{bash}\n#| fig-cat: x\n```", file: "a.qmd")
    #expect(notebook.warnings.map(\.headline) == ["2:4 option `fig-cat` means nothing here and is left alone"])
    #expect(notebook.warnings.map(\.hints) == [["did you mean `fig-cap`?"]])
  }

  @Test(arguments: [
    ("```{sql}\n#| label: x\n#| tags: [slow, parameters]\n```", "3:4 the tag `parameters` does nothing in a cell of sql"),
    ("\n```{sql}\n#| tags: [parameters]\n```", "2:5 the tag `parameters` does nothing in a cell of sql"),
    ("```{swift}\n//| tags: parameters\n```", "2:5 the tag `parameters` does nothing in a cell of swift"),
    (
      "```{python}\n#| connection: duckdb\n```",
      "2:4 option `connection` does nothing in a cell of python: it is for SQL"
    ),
    (
      "```{bash}\n#| fig-alt: x\n```",
      "2:4 option `fig-alt` does nothing in a cell of bash: there is nothing that such a cell displays"
    ),
  ])
  func `what a language has no use for is a warning`(text: String, expected: String) throws {
    let notebook = try NotebookParser.parse(text, file: "a.qmd")
    #expect(notebook.warnings.map(\.headline) == [expected])
  }

  @Test func `a warning of a tag names the cell of a Jupyter notebook, and the line of a script`() throws {
    let script = try NotebookParser.parse("-- %% tags=[\"parameters\"]\nSELECT 1\n", file: "a.sql")
    #expect(script.warnings.map(\.headline) == ["2:0 the tag `parameters` does nothing in a cell of sql"])
    let jupyter = """
      {"cells": [{"cell_type": "code", "metadata": {"tags": ["parameters"]}, "outputs": [], "execution_count": null,
      "source": "%%sql\\nSELECT 1"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
      """
    let warnings = try NotebookParser.parse(jupyter, file: "a.ipynb").warnings
    #expect(warnings.map { "\($0.location?.description ?? "")" } == ["a.ipynb, cell 1"])
    #expect(warnings.first?.hints == ["parameters are bound by name: `:train_lr` is `train.lr`"])
  }

  @Test(arguments: ["#| tags: [parameters]", "#| label: x\n#| tags: [a, \"parameters\"]", "#| tags: parameters"])
  func `a tag is read wherever the option lines have it`(lines: String) throws {
    let cell = try #require(try NotebookParser.parse("```{python}\n\(lines)\nlr = 1\n```", file: "a.qmd").cells.first)
    #expect(cell.isParameters && cell.source == "lr = 1")
  }

  @Test func `an option line below code is a warning`() throws {
    let notebook = try NotebookParser.parse("```{bash}\necho\n#| label: x\n#|\n```", file: "a.qmd")
    #expect(notebook.warnings.map(\.headline) == ["3:1 an option line below code means nothing"])
    #expect(notebook.cells.first?.source == "echo\n#| label: x\n#|")
  }

  @Test(arguments: 0..<20)
  func `a cell's source is the file's lines from its first line on, whatever the text`(seed: UInt64) throws {
    let pieces = [
      "```{python}", "```{sql}", "```", "````", "~~~", "```{bash}", "#| label: x", "--| out: a", "---", "title: t", "", " x",
      "```{}", "   ```", "#|", "```python", "é`", "#| timeout: 3s",
    ]
    var generator = SeededGenerator(seed: seed)
    var parsed = 0
    for _ in 0..<300 {
      let lines = (0..<Int.random(in: 0...9, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }
      guard let notebook = try? NotebookParser.parse(lines.joined(separator: "\n"), file: "a.qmd") else { continue }
      parsed += 1
      for cell in notebook.cells where !cell.source.isEmpty {
        let source = cell.source.components(separatedBy: "\n")
        #expect(Array(lines[(cell.firstLine - 1)...].prefix(source.count)) == source, "seed \(seed): \(lines)")
      }
    }
    #expect(parsed > 20)
  }

  @Test func `the fingerprint hears of code and not of prose, captions, labels or time limits`() throws {
    func fingerprint(_ text: String) throws -> [String] { try NotebookParser.parse(text, file: "a.qmd").fingerprintText }
    let plain = try fingerprint("```{bash}\necho a\n```")
    #expect(plain == ["pipe.notebook/1", "bash", "echo a"])
    #expect(try fingerprint("Prose\n\n```{bash}\n#| label: x\n#| fig-cap: y\n#| timeout: 1s\necho a\n```\nmore") == plain)
    #expect(try fingerprint("```{bash}\necho  a\n```") != plain)
    #expect(try fingerprint("```{bash}\n#| error: true\necho a\n```") != plain)
    #expect(try fingerprint("```{python}\necho a\n```") != plain)
  }
}

extension Diagnostic {
  var headline: String { "\(location?.line ?? 0):\(location?.column ?? 0) \(message)" }
}
