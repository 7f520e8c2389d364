// One notebook in every form: what is written, what is read, and that nothing is lost between.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Notebooks

struct NotebookFormsTests {
  private let example = NotebookDocument(
    metadata: NotebookDocument.usualMetadata("python"),
    cells: [
      DocumentCell(.raw, "---\ntitle: Fit\n---"), DocumentCell(.markdown, "# Fit\n\nWhy."),
      DocumentCell(.code, language: "python", "x = 1", metadata: ["tags": .list([.text("parameters")])]),
      DocumentCell(.code, language: "bash", "#| label: pack\nls"), DocumentCell(.markdown, "One."),
      DocumentCell(.markdown, "Two."),
      DocumentCell(.raw, "\\LaTeX", metadata: ["format": .text("text/latex")]),
      DocumentCell(.code, language: "python", "```\n# %% no header\n"),
    ])

  private let literate = """
    ---
    title: Fit
    ---

    # Fit

    Why.

    ```{python}
    #| tags: [parameters]
    x = 1
    ```

    ```{bash}
    #| label: pack
    ls
    ```

    One.

    <!-- cell -->
    Two.

    ```{=raw}
    #| metadata: {"format":"text/latex"}
    \\LaTeX
    ```

    ````{python}
    ```
    # %% no header

    ````

    """

  private let script = """
    # ---
    # title: Fit
    # ---

    # %% [markdown]
    # # Fit
    #
    # Why.

    # %% tags=["parameters"]
    x = 1

    # %% language="bash"
    # #| label: pack
    # ls

    # %% [markdown]
    # One.

    # %% [markdown]
    # Two.

    # %% [raw] format="text/latex"
    # \\LaTeX

    # %%
    ```
    # # %% no header


    """

  @Test func `a document is written as Markdown and as a script, and read back the same`() throws {
    #expect(try example.text(for: "a.qmd") == literate)
    #expect(try example.text(for: "a.py") == script)
    #expect(try NotebookDocument(text: literate, file: "a.qmd").hasSameCells(as: example))
    #expect(try NotebookDocument(text: script, file: "a.py").hasSameCells(as: example))
  }

  @Test func `a Jupyter notebook is nbformat 4_5 with sorted keys and ids that stay`() throws {
    let document = try NotebookDocument(text: "Hé.\n\n```{python}\nx = 1\nx\n```\n\n```{bash}\nls\n```\n", file: "a.qmd")
    let text = try document.text(for: "a.ipynb")
    #expect(
      text
        == #"""
        {
         "cells": [
          {
           "cell_type": "markdown",
           "id": "ID0",
           "metadata": {},
           "source": [
            "Hé."
           ]
          },
          {
           "cell_type": "code",
           "execution_count": null,
           "id": "ID1",
           "metadata": {},
           "outputs": [],
           "source": [
            "x = 1\n",
            "x"
           ]
          },
          {
           "cell_type": "code",
           "execution_count": null,
           "id": "ID2",
           "metadata": {},
           "outputs": [],
           "source": [
            "%%bash\n",
            "ls"
           ]
          }
         ],
         "metadata": {
          "kernelspec": {
           "display_name": "Python 3",
           "language": "python",
           "name": "python3"
          },
          "language_info": {
           "name": "python"
          }
         },
         "nbformat": 4,
         "nbformat_minor": 5
        }

        """#.replacing("ID0", with: CellIdentity.id(of: "Hé.", at: 0)).replacing(
          "ID1", with: CellIdentity.id(of: "x = 1\nx", at: 1)
        )
        .replacing("ID2", with: CellIdentity.id(of: "ls", at: 2)))
    #expect(CellIdentity.id(of: "ls", at: 2).count == 12)
    #expect(CellIdentity.id(of: "ls", at: 2) != CellIdentity.id(of: "ls", at: 3))
    #expect(try NotebookDocument(text: text, file: "a.ipynb").text(for: "b.qmd").hasPrefix("Hé.\n\n```{python}\nx = 1"))
  }

  @Test func `outputs stay in a Jupyter notebook and nowhere else`() throws {
    let text =
      #"{"cells":[{"cell_type":"code","execution_count":7,"metadata":{},"outputs":[{"output_type":"stream","name":"stdout","text":"a"}],"source":"x"}],"metadata":{},"nbformat":4,"nbformat_minor":2}"#
    let document = try NotebookDocument(text: text, file: "a.ipynb")
    #expect(try document.text(for: "b.ipynb").contains(#""execution_count": 7"#))
    let stripped = try document.withoutOutputs.text(for: "b.ipynb")
    #expect(!stripped.contains("stdout") && stripped.contains(#""execution_count": null"#) && !stripped.contains("\"id\""))
    let literate = try document.text(for: "b.qmd")
    #expect(literate == "---\npipe-notebook: {\"metadata\":{},\"nbformat_minor\":2}\n---\n\n```{python}\nx\n```\n")
    #expect(try NotebookDocument(text: literate, file: "b.qmd").text(for: "b.ipynb") == stripped)
  }

  @Test(arguments: [
    ("# %% [markdown] a=1\n# x\n", "markdown:x {\"a\":1}"), ("#%%\nx\n", "python:x"),
    ("# %%% deep\nx\n", "python:x {\"cell_depth\":1,\"title\":\"deep\"}"),
    ("# %% A title [md]\n\"\"\"\nx\n\"\"\"\n", "markdown:x {\"title\":\"A title\"}"), ("x = 1\n", "python:x = 1"),
    ("import a\n\n# %% {\"tags\": [\"b\"]}\nx\n", "python:import a|python:x {\"tags\":[\"b\"]}"),
    ("# %% key=\"v\" tail\nx\n", "python:x {\"title\":\"key=\\\"v\\\" tail\"}"), ("#%%time\nx\n", "python:#%%time\\nx"),
    ("# %% language=\"bash\"\n# ls\n#\n# # c\n", "bash:ls\\n\\n# c"), ("# %%\r\nx\r\ny\r\n", "python:x\\ny"),
  ])
  func `headers of jupytext, VS Code and Spyder are read`(text: String, expected: String) throws {
    #expect(try summary(NotebookDocument(text: text, file: "a.py")) == expected)
  }

  @Test func `other scripts have comments of their own`() throws {
    #expect(
      try summary(NotebookDocument(text: "-- %% [markdown]\n-- Why\n\n-- %%\nSELECT 1\n", file: "a.sql"))
        == "markdown:Why|sql:SELECT 1")
    #expect(try summary(NotebookDocument(text: "// %%\nlet x = 1\n", file: "a.swift")) == "swift:let x = 1")
    #expect(try summary(NotebookDocument(text: "# %%\nx <- 1\n", file: "a.R")) == "r:x <- 1")
    #expect(try summary(NotebookDocument(text: "#!/bin/bash\n# %%\nls\n", file: "a.sh")) == "bash:#!/bin/bash|bash:ls")
  }

  private func summary(_ document: NotebookDocument) -> String {
    document.cells.map { cell in
      let metadata = cell.metadata.isEmpty ? "" : " " + JSONTree.object(cell.metadata).line
      return "\(cell.kind == .code ? cell.language : cell.kind.rawValue):\(cell.source.replacing("\n", with: "\\n"))\(metadata)"
    }.joined(separator: "|")
  }

  // MARK: Nothing is lost

  @Test(arguments: 0..<40)
  func `random cells survive every way through every form`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for round in 0..<6 {
      let document = RandomDocument(&generator).document
      for path in ["a.qmd", "a.py", "a.R", "a.sh", "a.sql", "a.swift", "a.ipynb"] {
        let text = try document.text(for: path)
        let back = try NotebookDocument(text: text, file: path)
        #expect(back.hasSameCells(as: document), "seed \(seed), round \(round), \(path):\n\(text)")
        // What is canonical stays as it is, byte for byte, on its way through another form.
        let between = try back.text(for: "b.ipynb")
        let again = try NotebookDocument(text: between, file: "b.ipynb").text(for: path)
        #expect(again.utf8.elementsEqual(text.utf8), "seed \(seed), round \(round), \(path)")
      }
    }
  }

  @Test(arguments: 0..<20)
  func `any Markdown at all is read as a document that survives`(seed: UInt64) throws {
    let pieces = [
      "```{python}", "```{r, echo=FALSE}", "```", "````", "~~~", "```{=raw}", "```{=markdown}", "#| label: x", "#| tags: [a, b]",
      "#| metadata: {\"a\":1}", "---", "title: t", "", "", " x", "   ```", "```python", "<!-- cell -->",
      "<!-- cell {\"metadata\":{}} -->",
      "pipe-notebook: {\"nbformat_minor\":4}", "a\r", "\u{2028}b", "%%bash", "# %%",
    ]
    var generator = SeededGenerator(seed: seed)
    var read = 0
    for _ in 0..<300 {
      let lines = (0..<Int.random(in: 0...10, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }
      let text = lines.joined(separator: "\n")
      guard let document = try? NotebookDocument(text: text, file: "a.qmd") else { continue }
      read += 1
      let canonical = try document.text(for: "a.qmd")
      #expect(try NotebookDocument(text: canonical, file: "a.qmd").hasSameCells(as: document), "seed \(seed): \(lines)")
      #expect(try document.text(for: "a.py").utf8.count > 0 || document.cells.isEmpty, "seed \(seed): \(lines)")
    }
    #expect(read > 20)
  }

  @Test(arguments: [
    ("{", "1:2 `a.ipynb` is no Jupyter notebook: a key in quotes is expected here"),
    ("[1]", "0:0 `a.ipynb` is no Jupyter notebook: it has no `nbformat`"),
    (#"{"nbformat":3,"worksheets":[]}"#, "0:0 `a.ipynb` has nbformat 3, and only 4 is read"),
    (#"{"nbformat":4,"cells":[{"cell_type":"heading"}]}"#, "0:0 cell 1 of `a.ipynb` is no cell of nbformat 4"),
  ])
  func `what is no notebook is named`(text: String, expected: String) {
    let problem = #expect(throws: Diagnostic.self) { try NotebookDocument(text: text, file: "a.ipynb") }
    #expect(problem?.headline == expected)
  }

  @Test func `a cell that Jupyter has no words for is refused`() throws {
    let document = try NotebookDocument(text: "```{python}\n```\n\n```{julia}\nx\n```\n", file: "a.qmd")
    let problem = #expect(throws: Diagnostic.self) { try document.text(for: "a.ipynb") }
    #expect(problem?.message == "a Jupyter notebook in python cannot hold a cell in `julia`")
  }
}

/// Cells with all that has ever broken a converter.
private struct RandomDocument {
  var document: NotebookDocument

  init(_ generator: inout SeededGenerator) {
    var cells: [DocumentCell] = []
    for _ in 0..<Int.random(in: 0...6, using: &generator) {
      let source = Self.source(&generator)
      let metadata = Self.metadata(&generator)
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: cells.append(DocumentCell(.raw, source, metadata: metadata))
      case 1, 2:
        let attachments = Int.random(in: 0..<6, using: &generator) == 0 ? Self.attachments : nil
        cells.append(DocumentCell(.markdown, source, metadata: metadata, attachments: attachments))
      default:
        let language = ["python", "python", "python", "bash", "sql", "r", "swift"].randomElement(using: &generator) ?? "python"
        // A cell that is itself a magic is the other language.
        let own = source.begins(with: "%%bash\n") ? "x" + source : source
        cells.append(DocumentCell(.code, language: language, own, metadata: metadata))
      }
    }
    let notebook: [String: JSONTree] =
      Bool.random(using: &generator)
      ? NotebookDocument.usualMetadata("python") : ["kernelspec": .object(["name": .text("x>-->")]), "v": .number("1.50")]
    document = NotebookDocument(metadata: notebook, minorVersion: [2, 5].randomElement(using: &generator) ?? 5, cells: cells)
  }

  private static let attachments = JSONTree.object(["i.png": .object(["image/png": .text("aGk=")])])

  private static func source(_ generator: inout SeededGenerator) -> String {
    let pieces = [
      "", "", "", "x = 1", "```", "````", "```{python}", "```{=raw}", "~~~", "---", "title: a", "#| label: a", "#| tags: [a]",
      "#| metadata: {}", "#| attachments: {}", "# %%", "# # %%", "-- %%", "// %% [markdown]", "#%%", "%%bash",
      "%matplotlib inline", "!ls",
      "<!-- cell -->", "é\u{2028}\u{2029}\u{85}", "a\r", "\r", "\t", "\u{FEFF}", "\u{0}\u{1B}", "#", "# ", "--", "//x", "\"\"\"",
      "...",
      "pipe-notebook: {\"metadata\":{}}", "e\u{301}", "   ```", "   ",
    ]
    let count = Int.random(in: 0...5, using: &generator)
    return (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined(separator: "\n")
  }

  private static func metadata(_ generator: inout SeededGenerator) -> [String: JSONTree] {
    let entries: [(String, JSONTree)] = [
      ("tags", .list([.text("a"), .text("b-c")])), ("tags", .list([.text("a b"), .number("1")])), ("tags", .list([])),
      ("title", .text("A title")),
      ("title", .text("[markdown] {\"a\":1}")), ("collapsed", .boolean(true)), ("language", .text("bash")),
      ("metadata", .object([:])),
      ("key with space", .null), ("fence", .text("setup, echo=FALSE")), ("fence", .text("}`")), ("n", .number("1e5")),
      ("attachments", .text("-->")),
      ("deep", .list([.object(["a>": .text("\u{2028}\n\"\\")])])), ("", .text("")), ("cell_depth", .number("1")),
    ]
    var metadata: [String: JSONTree] = [:]
    for _ in 0..<([0, 0, 1, 3].randomElement(using: &generator) ?? 0) {
      let (key, value) = entries.randomElement(using: &generator) ?? entries[0]
      metadata[key] = value
    }
    return metadata
  }
}
