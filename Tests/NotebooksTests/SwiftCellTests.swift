// Swift cells: one program, the notebook's lines, the stage's parameters.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Notebooks

private let hasSwift = locate("swiftc", in: ProcessInfo.processInfo.environment["PATH"] ?? "") != nil

@Suite(.enabled(if: hasSwift, "`swiftc` is not on PATH"))
struct SwiftCellTests {
  @Test func `cells share names, wait for their turn and read typed parameters`() throws {
    let ran = try run(
      """
      ```{swift}
      let x = 20
      func twice(_ n: Int) -> Int { 2 * n }
      print("a", Pipe.params.train.lr * 2, Pipe.params.names)
      ```
      ```{bash}
      echo between > order.txt
      ```
      ```{swift}
      import Glibc
      print(twice(x), access("order.txt", F_OK), Pipe.outs["model"] ?? "")
      ```
      """, params: ["train.lr": .number(0.25), "names": .list([.text("u"), .text("v")])], outs: ["model": "m.bin"])
    #expect(ran.outcome == .done, "\(ran.failure ?? "") \(ran.texts(.failure))")
    #expect(ran.cells.map { $0.outputs.first?.data["text/plain"] } == ["a 0.5 [\"u\", \"v\"]\n", nil, "40 0 m.bin\n"])
    #expect(ran.warnings == [])
  }

  @Test func `a mistake that the compiler sees has the notebook's line`() throws {
    let ran = try run("Prose\n\n```{swift}\nlet a = 1\n```\n```{swift}\nprint(a)\nlet b: Int = \"x\"\n```")
    #expect(
      ran.failure
        == "8: cell 1 (1 of 2) failed: it does not compile: cannot convert value of type 'String' to specified type 'Int'")
    #expect(ran.texts(.failure).contains("stages/train.qmd:8:14: error:"))
  }

  @Test func `a parameter that is not declared does not compile`() throws {
    let ran = try run("```{swift}\nprint(Pipe.params.train.lrr)\n```", params: ["train.lr": .number(1)])
    let failure = try #require(ran.failure)
    #expect(failure.hasPrefix("2: cell 1 (1 of 1) failed: it does not compile: "))
    #expect(failure.hasSuffix("has no member 'lrr'"), "\(failure)")
  }

  @Test func `a trap has its line and its words, and the program is compiled once`() throws {
    try withTemporaryDirectory { folder in
      let notebook = try NotebookParser.parse(
        "```{swift}\nprint(1)\n```\n```{swift}\nlet values = [1]\nprint(values[Int(\"3\")!])\n```", file: "stages/train.qmd")
      for _ in 0..<2 {
        let runner = CellRunner(folder: folder.path, environment: ProcessInfo.processInfo.environment)
        let context = StageNotebookContext(stage: "train", root: folder.path, tmp: folder.path + "/tmp")
        let (woven, outcome) = try runner.run(notebook, context)
        guard case .failed(let cell, let line, let diagnostic) = outcome else {
          Issue.record("it did not fail")
          return
        }
        #expect(cell == 1 && line == 6)
        #expect(diagnostic.message == "cell 2 (2 of 2) failed: Fatal error: Index out of range")
        #expect(woven.cells[0].outputs.first?.data["text/plain"] == "1\n")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/.pipe/cache/swift").count == 1)
    }
  }
}
