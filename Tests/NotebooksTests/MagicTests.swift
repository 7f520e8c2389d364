// Lines of IPython in Python cells: what means nothing is left out, what does something is refused.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Testing

@testable import Notebooks

struct MagicTests {
  @Test func `magics that set the scene are left out with a warning`() throws {
    let ran = try run(
      "```{python}\n%matplotlib inline\n%config InlineBackend.figure_format = 'svg'\nif True:\n    %time x = 3\nlen?\nprint(x\n  %2)\n```"
    )
    #expect(ran.outcome == .done)
    #expect(ran.printed == "1\n")
    #expect(
      ran.warnings.map(\.headline) == [
        "2:0 `%matplotlib` means nothing here and is left out", "3:0 `%config` means nothing here and is left out",
        "5:0 `%time` measures nothing here: the statement runs as it is", "6:0 `len?` asks IPython for help and is left out",
      ])
  }

  @Test func `cell magics run, are left out or show`() throws {
    let ran = try run(
      "```{python}\n%%time\nprint(1)\n```\n```{python}\n%%timeit\nprint(2)\n```\n```{python}\n%%html\n<b>3</b>\n```\n```{python}\n%%bash\necho 4\n```"
    )
    #expect(ran.outcome == .done)
    #expect(ran.printed == "1\n4\n")
    #expect(ran.cells.map(\.language) == ["python", "python", "python", "bash"])
    #expect(ran.cells[2].outputs.first?.data["text/html"] == "<b>3</b>")
    #expect(ran.cells[3].firstLine == 15)
  }

  @Test(arguments: [
    (
      "x = 1\n!ls",
      "3: cell 1 (1 of 1) failed: SyntaxError: `!ls` is for IPython, which does not run here; a `%%bash` cell runs commands"
    ),
    (
      "x = 1\ny = !ls",
      "3: cell 1 (1 of 1) failed: SyntaxError: `y = !ls` is for IPython, which does not run here; a `%%bash` cell runs commands"
    ),
    (
      "%run a.py",
      "2: cell 1 (1 of 1) failed: SyntaxError: `%run` is for IPython, which does not run here; write it in plain Python"
    ),
    (
      "%%writefile a\nx",
      "2: cell 1 (1 of 1) failed: SyntaxError: `%%writefile` is for IPython, which does not run here; write it in plain Python"
    ),
    ("x = 1\ny = = 2", "3: cell 1 (1 of 1) failed: SyntaxError: invalid syntax"),
  ])
  func `what only IPython can do is named with its line`(source: String, expected: String) throws {
    let ran = try run("```{python}\n\(source)\n```")
    #expect(ran.failure == expected)
    #expect(!ran.texts(.failure).contains("During handling"))
  }

  @Test func `a percent sign in a text is no magic`() throws {
    let ran = try run("```{python}\nprint('''\n%matplotlib inline\n!ls''')\n%matplotlib inline\n```")
    #expect(ran.printed == "\n%matplotlib inline\n!ls\n")
    #expect(ran.warnings.count == 1)
  }

  @Test func `a failure in a Jupyter notebook has the cell and the line in the cell`() throws {
    let cells = ["# Title", "x = 1", "#| label: fit\ndef f():\n    return 1 / 0\nf()"].enumerated().map { index, source in
      DocumentCell(index == 0 ? .markdown : .code, language: index == 0 ? "" : "python", source)
    }
    let text = try NotebookDocument(metadata: NotebookDocument.usualMetadata("python"), cells: cells).text(for: "a.ipynb")
    let notebook = try NotebookParser.parse(text, file: "stages/fit.ipynb")
    let ran = try run(notebook)
    guard case .failed(_, _, let diagnostic) = ran.outcome else {
      Issue.record("it did not fail")
      return
    }
    #expect(diagnostic.location.map { "\($0)" } == "stages/fit.ipynb, cell 2:3")
    #expect(diagnostic.message == "cell `fit` (2 of 2) failed: ZeroDivisionError: division by zero")
    #expect(ran.texts(.failure).contains("File \"stages/fit.ipynb, cell 2\", line 4, in <module>\n    f()"))
    #expect(WovenText.terminal(ran.woven, ran.outcome).hasPrefix("stages/fit.ipynb, cell 2:3: error: "))
  }

  @Test func `a script runs with its own line numbers`() throws {
    let ran = try run(
      try NotebookParser.parse(
        "# %% [markdown]\n# Why\n\n# %%\nx = 1\n\n# %% tags=[\"a\"]\nprint(x)\n1 / 0\n", file: "stages/fit.py"))
    #expect(ran.failure == "9: cell 2 (2 of 2) failed: ZeroDivisionError: division by zero")
    #expect(ran.woven.cells.map(\.source) == ["Why", "x = 1", "print(x)\n1 / 0"])
  }

  @Test func `R Markdown's fences hold options`() throws {
    let notebook = try NotebookParser.parse("```{python fit, echo=FALSE, fig.cap=\"A, b\", fig.width=4}\nx\n```", file: "a.Rmd")
    #expect(notebook.cells.first?.options == ["label": "fit", "echo": "false", "fig-cap": "A, b"])
  }
}
