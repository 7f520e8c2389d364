// Woven notebooks as bytes, under new prose, and as a message.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Notebooks

struct WovenNotebookTests {
  @Test func `new prose and captions take the outputs of the run, new code does not`() throws {
    let ran = try run("Old.\n\n```{bash}\necho a\n```").woven
    let edited = try NotebookParser.parse("New\nwords.\n\n```{bash}\n#| fig-cap: c\necho a\n```", file: "stages/train.qmd")
    let woven = try #require(ran.rewoven(as: edited))
    #expect(woven.cells.map(\.source) == ["New\nwords.", "echo a"])
    #expect(woven.cells[1].outputs == [CellOutput(kind: .standardOutput, data: ["text/plain": "a\n"])])
    #expect(woven.cells[1].firstLine == 6)
    #expect(ran.rewoven(as: try NotebookParser.parse("```{bash}\necho b\n```", file: "a.qmd")) == nil)
    #expect(ran.rewoven(as: try NotebookParser.parse("```{bash}\necho a\n```\n```{bash}\n```", file: "a.qmd")) == nil)
    #expect(ran.rewoven(as: try NotebookParser.parse("Only prose", file: "a.qmd")) == nil)
  }

  @Test func `canonical JSON is one line of sorted keys`() throws {
    let woven = WovenNotebook(
      file: "a/b.qmd", title: nil,
      cells: [
        WovenCell(
          outcome: .done, language: "bash", source: "echo a", options: ["label": "x"], firstLine: 2,
          outputs: [CellOutput(kind: .standardOutput, data: ["text/plain": "a\n"])])
      ])
    #expect(
      String(decoding: try woven.canonicalJSON(), as: UTF8.self)
        == #"{"cells":[{"firstLine":2,"language":"bash","options":{"label":"x"},"outcome":"done","outputs":[{"data":{"text/plain":"a\n"},"kind":"standardOutput"}],"source":"echo a"}],"file":"a/b.qmd","schema":"pipe.woven/1"}"#
        + "\n")
  }

  @Test func `bytes that are no woven notebook are a storage diagnostic`() {
    #expect(throws: Diagnostic.self) { try WovenNotebook(json: Data("{}".utf8), source: "object 3f9a") }
    let newer = #"{"schema":"pipe.woven/9","file":"a","cells":[]}"#
    let problem = #expect(throws: Diagnostic.self) { try WovenNotebook(json: Data(newer.utf8), source: "object 3f9a") }
    #expect(problem?.message == "object 3f9a has the schema `pipe.woven/9`, this `pipe` reads `pipe.woven/1`")
  }

  @Test func `a failing cell is shown with its line, its traceback and the last of its output`() throws {
    let ran = try run("```{python}\n#| label: fit\nfor i in range(40): print(i)\n1 / 0\nprint('later')\n```")
    let text = WovenText.terminal(ran.woven, ran.outcome)
    #expect(
      text == """
        stages/train.qmd:4: error: cell `fit` (1 of 1) failed: ZeroDivisionError: division by zero
          3 | for i in range(40): print(i)
        > 4 | 1 / 0
          5 | print('later')
        Traceback (most recent call last):
          File "stages/train.qmd", line 4, in <module>
            1 / 0
            ~~^~~
        ZeroDivisionError: division by zero
        the last 30 of 40 lines that it printed:

        """ + (10..<40).map { "  \($0)\n" }.joined())
    #expect(WovenText.terminal(ran.woven, .done) == "")
  }

  @Test func `the context keeps what kind of number a parameter is`() throws {
    let context = StageNotebookContext(
      stage: "s", root: "/r",
      params: ["a": .number(1), "b": .integer(1), "c": .boolean(true), "d": .list([.null, .text("q\"\n")]), "e": .mapping([:])],
      deps: ["raw": "data/raw.csv"], outs: [:], tmp: "/t")
    #expect(
      String(decoding: context.json, as: UTF8.self)
        == #"{"deps":{"raw":"data/raw.csv"},"outs":{},"params":{"a":1.0,"b":1,"c":true,"d":[null,"q\"\n"],"e":{}},"root":"/r","stage":"s","tmp":"/t"}"#
        + "\n")
    #expect(try StageNotebookContext(json: context.json) == context)
  }

  @Test func `a signal to this process stops the cell and all that it started`() throws {
    let watch = InterruptionWatch()
    let begun = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: begun) }
    let thread = Thread {
      for _ in 0..<12_000 where access(begun, F_OK) != 0 { usleep(5_000) }
      kill(getpid(), SIGTERM)
    }
    let start = ContinuousClock.now
    thread.start()
    let ran = try run(
      "```{bash}\nsleep 62.75 &\n> \"$BEGUN\"\nsleep 62.75\n```\n```{bash}\necho no\n```", environment: ["BEGUN": begun],
      interruption: watch)
    #expect(ran.outcome == .interrupted(signal: SIGTERM))
    #expect(ran.cells.map(\.outcome) == [.interrupted, .notRun])
    #expect(ContinuousClock.now - start < .seconds(60))
    #expect(!commandLines().contains { $0.contains("sleep 62.75") })
  }
}
