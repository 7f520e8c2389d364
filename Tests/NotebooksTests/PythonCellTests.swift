// Python cells: state, displays, tracebacks, parameters.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Notebooks

struct PythonCellTests {
  @Test func `names persist and the last expression is displayed`() throws {
    let ran = try run(
      "```{python}\nx = 20\ndef f(n):\n    return n + 1\n```\n```{python}\nprint('p')\nf(x)\n```\n```{python}\nf(x);\n```")
    #expect(ran.outcome == .done)
    #expect(
      ran.cells[1].outputs == [
        CellOutput(kind: .standardOutput, data: ["text/plain": "p\n"]), CellOutput(kind: .display, data: ["text/plain": "21"]),
      ])
    #expect(ran.cells[2].outputs == [])
  }

  @Test func `an error has the notebook's line, its source line and no frame of ours`() throws {
    let ran = try run(
      "Prose\n\n```{python}\ndef f(x):\n    return 1 / x\n```\n\n```{python}\n#| label: fit\nprint('a')\nf(0)\n```")
    #expect(ran.failure == "5: cell `fit` (2 of 2) failed: ZeroDivisionError: division by zero")
    let text = ran.texts(.failure)
    #expect(text.contains("File \"stages/train.qmd\", line 11, in <module>\n    f(0)"))
    #expect(text.contains("File \"stages/train.qmd\", line 5, in f\n    return 1 / x"))
    #expect(!text.contains("driver.py") && !text.contains("exec("))
    #expect(ran.printed == "a\n")
  }

  @Test func `a syntax error has its line`() throws {
    let ran = try run("```{python}\nx = 1\ny = = 2\n```")
    #expect(ran.failure == "3: cell 1 (1 of 1) failed: SyntaxError: invalid syntax")
    #expect(!ran.texts(.failure).contains("Traceback"))
  }

  @Test func `outputs and displays keep their order`() throws {
    let ran = try run(
      "```{python}\nimport sys\nprint('a')\ndisplay(1)\nprint('b', file=sys.stderr)\nprint('c')\ndisplay('d')\n```")
    #expect(
      ran.cells[0].outputs.map { "\($0.kind) \($0.data["text/plain"] ?? "")" } == [
        "standardOutput a\n", "display 1", "standardOutput c\n", "standardError b\n", "display 'd'",
      ])
  }

  @Test func `a value's richest forms are kept, and a form that fails is a warning`() throws {
    let ran = try run(
      """
      ```{python}
      class V:
          def _repr_html_(self): return '<b>v</b>'
          def _repr_png_(self): return b'png'
          def _repr_svg_(self): raise ValueError('no')
          def __repr__(self): return 'V at 0x7f00 end'
      V()
      ```
      """)
    #expect(ran.cells[0].outputs.last?.data == ["text/html": "<b>v</b>", "image/png": "cG5n", "text/plain": "V end"])
    #expect(ran.complained == "stages/train.qmd: warning: `_repr_svg_` of V failed: ValueError: no\n")
  }

  @Test func `parameters are read by path and by attribute, and one that is not declared is named`() throws {
    let ran = try run(
      """
      ```{python}
      print(pipe.params["train.lr"], pipe.params.train.lr, pipe.params["grid"]["depth"], pipe.params["grid.depth"])
      print(pipe.deps["raw"], pipe.outs["model"])
      ```
      ```{python}
      pipe.params.train.lrr
      ```
      """,
      params: ["train.lr": .number(0.1), "grid": .mapping(["depth": .integer(3)])], deps: ["raw": "data/raw.csv"],
      outs: ["model": "m.json"])
    #expect(ran.printed == "0.1 0.1 3 3\ndata/raw.csv m.json\n")
    #expect(
      ran.failure
        == "6: cell 2 (2 of 2) failed: parameter `train.lrr` is not declared by stage `train`; did you mean `train.lr`?")
    #expect(ran.diagnostic?.category == .input)
  }

  @Test func `a declared parameter that no cell reads is a warning`() throws {
    let ran = try run(
      "```{python}\npipe.params.a\n```\n```{bash}\necho $PIPE_PARAM_b_c\n```",
      params: ["a": .integer(1), "b.c": .integer(2), "d": .integer(3)], environment: ["PIPE_PARAM_b_c": "2"])
    #expect(ran.outcome == .done)
    #expect(ran.warnings.map(\.message) == ["stage `train` declares `d`, and no cell reads it"])
  }

  @Test func `a killed interpreter is an outcome with the memory it had`() throws {
    let ran = try run("```{python}\nimport os, signal\nprint('a')\nos.kill(os.getpid(), signal.SIGKILL)\n```")
    let expected =
      #/2: cell 1 \(1 of 1\) failed: python3 was killed by SIGKILL, (probably out of|not by the kernel for want of) memory \(peak [0-9]+\.[0-9] MB\)/#
    #expect(try #require(ran.failure).wholeMatch(of: expected) != nil)
    #expect(ran.printed == "a\n")
  }

  @Test func `a crash in native code has the line that called it`() throws {
    let ran = try run("```{python}\nimport ctypes\ndef f():\n    ctypes.string_at(0)\n\nf()\n```")
    let failure = try #require(ran.failure)
    #expect(failure.hasPrefix("4: cell 1 (1 of 1) failed: python3 was killed by SIGSEGV (segmentation fault, peak "))
  }

  @Test func `sys exit 0 ends the cell, another status fails it`() throws {
    let ran = try run("```{python}\nimport sys\nx = 1\nsys.exit()\n```\n```{python}\nprint(x)\nsys.exit(3)\n```")
    #expect(ran.failure == "8: cell 2 (2 of 2) failed: the cell called `sys.exit(3)`")
    #expect(ran.printed == "1\n")
  }

  @Test func `an expected error keeps the state and is shown`() throws {
    let ran = try run("```{python}\n#| error: true\nx = 1\n1 / 0\n```\n```{python}\nx\n```")
    #expect(ran.outcome == .done)
    #expect(ran.texts(.failure).hasSuffix("ZeroDivisionError: division by zero\n"))
    #expect(ran.texts(.display) == "1")
  }

  @Test func `progress bars and colours leave plain text`() throws {
    let ran = try run("```{python}\nfor i in range(3): print(f'\\r{i}/2', end='')\nprint()\nprint('\\033[31mred\\033[0m')\n```")
    #expect(ran.printed == "2/2\nred\n")
  }

  @Test func `the last display becomes a declared output`() throws {
    var written = ""
    let text = """
      ```{python}
      #| out: plots/a.svg
      class S:
          def _repr_svg_(self): return '<svg/>'
      S()
      ```
      """
    let ran = try run(text, outs: ["plots/a.svg": "plots/a.svg"]) { written = try $0.text(of: "plots/a.svg") }
    #expect(ran.outcome == .done)
    #expect(written == "<svg/>")
    #expect(
      try run(text).failure == "3: cell 1 (1 of 1) failed: `out: plots/a.svg` is not an output of stage `train`")
  }

  @Test func `a missing Python is one clear message that names the cell`() throws {
    let ran = try run("```{python}\n#| label: fit\n1\n```", environment: ["PATH": "/nonexistent"])
    #expect(ran.failure == "3: cell `fit` (1 of 1) failed: `python3` is not on PATH, and the cell is in python")
    #expect(ran.diagnostic?.hints == ["install it, for example `apt install python3`"])
  }

  @Test func `a forked child, a late thread, a daemon and a wild descriptor do not hold or confuse the notebook`() throws {
    let start = ContinuousClock.now
    let ran = try run(
      #"""
      ```{python}
      import os, subprocess, sys, threading, time
      if os.fork() == 0:
          display('child')
      else:
          os.wait()
      threading.Thread(target=lambda: (time.sleep(0.3), display('late')), daemon=True).start()
      subprocess.Popen(["sleep", "60"])
      'one'
      ```
      ```{bash}
      sleep 0.6
      ```
      ```{python}
      '\ud800 two'
      ```
      ```{python}
      '\ud800'.encode('utf-8', 'surrogatepass'); print('\ud800'); raise ValueError('\ud800')
      ```
      """#)
    #expect(ran.texts(.display) == #"'one''\ud800 two'"#)
    #expect(ran.failure == #"18: cell 4 (4 of 4) failed: ValueError: \ud800"#)
    #expect(ran.printed == "\\ud800\n")
    #expect(ContinuousClock.now - start < .seconds(50))
    let wild = try run("```{python}\nimport os\nos.write(61, b'{}\\n')\n```")
    #expect(
      wild.failure == "2: cell 1 (1 of 1) failed: it closed or used descriptor 61, over which `pipe` runs the cells")
  }

  @Test func `displays without end are left out, and said to be`() throws {
    let ran = try run("```{python}\nfor i in range(1200):\n    print(i)\n    display(i)\n```", keptBytes: 2000)
    #expect(ran.cells[0].outputs.filter { $0.kind == .display }.count == 1000)
    #expect(ran.complained == "[… 200 more displays left out …]\n")
  }

  @Test func `a file that closes when the interpreter ends is whole`() throws {
    var written = ""
    let ran = try run("```{python}\nf = open('a.txt', 'w')\nf.write('x' * 3000);\n```") { written = try $0.text(of: "a.txt") }
    #expect(ran.outcome == .done)
    #expect(written.count == 3000)
  }

  @Test func `what fails at the interpreter's end is a warning`() throws {
    let ran = try run("```{bash}\ntrap 'exit 9' EXIT\n```")
    #expect(ran.outcome == .done)
    #expect(ran.warnings.map(\.message) == ["bash ended with exit status 9 after its last cell"])
  }

  @Test func `a timeout ends a loop`() throws {
    let ran = try run("```{python}\n#| timeout: 0.5s\nwhile True: pass\n```")
    #expect(ran.failure == "3: cell 1 (1 of 1) failed: it ran longer than 0.5s")
  }

  @Test func `two runs weave the same bytes, without a path of this machine`() throws {
    let text = """
      ```{python}
      import os, tempfile
      print(os.getcwd(), pipe.tmp)
      object()
      ```
      ```{bash}
      echo "$PWD"; echo warn >&2
      ```
      ```{sql}
      SELECT 1 AS a
      ```
      """
    let first = try run(text).woven.canonicalJSON()
    #expect(try run(text).woven.canonicalJSON() == first)
    let json = String(decoding: first, as: UTF8.self)
    #expect(json.contains("$PIPE_ROOT $PIPE_TMP"))
    #expect(!json.contains("/tmp/"))
    #expect(try WovenNotebook(json: first, source: "it").canonicalJSON() == first)
  }
}
