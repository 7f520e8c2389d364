// R cells: state, values, figures, errors with the notebook's line.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import Testing

@testable import Notebooks

private let hasR = locate("Rscript", in: ProcessInfo.processInfo.environment["PATH"] ?? "") != nil

struct RCellTests {
  @Test func `without R the cell says what is missing`() throws {
    let ran = try run("```{bash}\ntrue\n```\n```{r}\n1\n```", environment: ["PATH": "/nowhere"])
    #expect(ran.failure?.hasSuffix("`bash` is not on PATH, and the cell is in bash") == true)
    let alone = try run("```{r}\n1\n```", environment: ["PATH": "/nowhere"])
    #expect(alone.failure == "2: cell 1 (1 of 1) failed: `Rscript` is not on PATH, and the cell is in r")
    #expect(alone.diagnostic?.hints == ["install it, for example `apt install r-base-core`"])
  }

  @Test(.enabled(if: hasR, "`Rscript` is not on PATH"))
  func `names persist, visible values are shown and assignments are not`() throws {
    let ran = try run(
      "```{r}\nx <- 20\nf <- function(n) n + 1\ncat('p\\n')\n```\n```{r}\nf(x)\ninvisible(3)\ndata.frame(a = 1:2, b = c('u', NA))\n```"
    )
    #expect(ran.outcome == .done, "\(ran.failure ?? "") \(ran.complained)")
    #expect(ran.cells[0].outputs == [CellOutput(kind: .standardOutput, data: ["text/plain": "p\n"])])
    #expect(ran.cells[1].outputs.count == 2)
    #expect(ran.cells[1].outputs.first?.data == ["text/plain": "[1] 21"])
    #expect(
      ran.cells[1].outputs.last?.data["application/vnd.pipe.table+json"]
        == #"{"columns":["a","b"],"rows":[["1","u"],["2",null]],"totalRows":2}"#)
  }

  @Test(.enabled(if: hasR, "`Rscript` is not on PATH"))
  func `an error has the line inside the function that failed`() throws {
    let ran = try run("Prose\n\n```{r}\nf <- function() {\n  stop('no \"way\"')\n}\n```\n```{r}\n#| label: fit\nf()\n```")
    #expect(ran.failure == "5: cell `fit` (2 of 2) failed: no \"way\"")
    let syntax = try run("```{r}\nx <- 1\ny <- <- 2\n```")
    #expect(syntax.failure?.hasPrefix("3: cell 1 (1 of 1) failed: ") == true)
  }

  @Test(.enabled(if: hasR, "`Rscript` is not on PATH"))
  func `figures are SVG with the same bytes, and a cell that draws none has none`() throws {
    let text = "```{r}\nplot(1:3)\nhist(c(1, 2, 2))\n```\n```{r}\nx <- 1\n```"
    let ran = try run(text)
    #expect(ran.outcome == .done, "\(ran.failure ?? "") \(ran.complained)")
    #expect(ran.cells[0].outputs.map { $0.data["image/svg+xml"]?.hasPrefix("<svg") } == [true, true])
    #expect(ran.cells[1].outputs == [])
    #expect(try run(text).woven.canonicalJSON() == ran.woven.canonicalJSON())
  }

  @Test(.enabled(if: hasR, "`Rscript` is not on PATH"))
  func `parameters are read by path and one that is not declared is named`() throws {
    let ran = try run(
      "```{r}\ncat(pipe$params$train$lr, pipe$params[['train.lr']], pipe$deps$raw, '\\n')\n```\n```{r}\npipe$params$train$lrr\n```",
      params: ["train.lr": .number(0.5)], deps: ["raw": "data/raw.csv"])
    #expect(ran.printed == "0.5 0.5 data/raw.csv \n")
    #expect(ran.failure == "5: cell 2 (2 of 2) failed: parameter `lrr` is not declared by stage `train`")
  }

  @Test(.enabled(if: hasR, "`Rscript` is not on PATH"))
  func `a killed R is recognised at once`() throws {
    let ran = try run("```{r}\ncat('a\\n')\ntools::pskill(Sys.getpid(), 9)\nSys.sleep(30)\n```")
    #expect(
      ran.failure?.prefixMatch(
        of:
          #/2: cell 1 \(1 of 1\) failed: Rscript was killed by SIGKILL, (probably out of|not by the kernel for want of) memory \(peak /#
      )
        != nil)
  }
}
