// Bash cells: state, failures and their lines.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Notebooks

struct BashCellTests {
  @Test func `variables, functions and the working folder persist from cell to cell`() throws {
    let ran = try run(
      """
      ```{bash}
      x=5; f() { echo "f $1"; }; mkdir sub; cd sub
      ```
      ```{bash}
      echo "$x ${PWD##*/}"; f 1
      ```
      """)
    #expect(ran.outcome == .done)
    #expect(ran.printed == "5 sub\nf 1\n")
  }

  @Test func `a failing command fails its cell at its line, and later cells do not run`() throws {
    let ran = try run("Prose.\n\n```{bash}\n#| label: pack\necho a\nls /nonexistent/x\necho b\n```\n```{bash}\necho c\n```")
    #expect(ran.failure == "6: cell `pack` (1 of 2) failed: exit status 2")
    #expect(ran.cells.map(\.outcome) == [.failed, .notRun])
    #expect(ran.printed == "a\n")
    #expect(ran.diagnostic?.category == .work)
    #expect(ran.diagnostic?.location?.file == "stages/train.qmd")
  }

  @Test(arguments: [
    ("f() {\n  true\n  false\n}\nf\necho no", 4, 1),
    ("(\n  false\n  echo no\n)", 3, 1),
    ("x=$(false; echo no)\necho no", 2, 1),
    ("true\nfalse | cat\necho no", 3, 1),
    ("for i in 1 2 3; do\n  [ $i = 2 ] && (exit 7)\ndone\necho no", 3, 7),
    ("return 4", 2, 4),
    ("\nnosuchcommand", 3, 127),
    ("true\necho $unset_name", 3, 1),
    ("true\nif then", 3, 2),
    ("true\nexit 3", 2, 3),
  ])
  func `every way to fail has its line and status`(source: String, line: Int, status: Int) throws {
    let ran = try run("```{bash}\n\(source)\n```\n```{bash}\necho later\n```")
    #expect(ran.failure == "\(line): cell 1 (1 of 2) failed: exit status \(status)")
    #expect(!ran.printed.contains("no") && !ran.printed.contains("later"))
  }

  @Test func `a failure in a condition is none, and a cell may switch set -e off for itself`() throws {
    let ran = try run(
      """
      ```{bash}
      false || echo a
      if false; then :; fi
      cat <(false; echo p)
      set +e
      false
      echo b
      false
      ```
      ```{bash}
      echo "$-" | grep -o e
      ```
      """)
    #expect(ran.failure == nil)
    #expect(ran.printed == "a\nb\ne\n")
  }

  @Test func `an expected error is recorded and keeps the state`() throws {
    let ran = try run("```{bash}\n#| error: true\nx=1\nfalse\nx=2\n```\n```{bash}\necho $x\n```")
    #expect(ran.outcome == .done)
    #expect(ran.cells[0].outputs == [CellOutput(kind: .failure, data: ["text/plain": "exit status 1"])])
    #expect(ran.printed == "1\n")
  }

  @Test func `an expected error that does not come fails the cell`() throws {
    let ran = try run("```{bash}\n#| error: true\ntrue\n```")
    #expect(ran.failure == "3: cell 1 (1 of 1) failed: it succeeded, although `error: true` says that it fails")
  }

  @Test func `exit 0 is the end of the last cell, and a mistake before another`() throws {
    #expect(try run("```{bash}\necho a; exit 0\n```").outcome == .done)
    let ran = try run("```{bash}\nexit 0\n```\n```{bash}\necho b\n```")
    #expect(
      ran.failure == "2: cell 1 (1 of 2) failed: it ended its bash with status 0, but later cells need it")
  }

  @Test func `messages of bash carry the notebook's name and no path of this machine`() throws {
    let ran = try run("```{bash}\npwd; echo $PWD-x\nnosuchcommand\n```")
    #expect(ran.complained == "stages/train.qmd: line 3: nosuchcommand: command not found\n")
    #expect(ran.printed.hasPrefix("$PIPE_ROOT\n/"))
  }

  @Test func `a timeout stops the cell and what it started`() throws {
    let start = ContinuousClock.now
    let ran = try run("```{bash}\n#| timeout: 300ms\nsleep 61.25 & sleep 61.25\n```")
    #expect(ran.failure == "3: cell 1 (1 of 1) failed: it ran longer than 300ms")
    #expect(ContinuousClock.now - start < .seconds(60))
    #expect(!commandLines().contains { $0.contains("sleep 61.25") })
  }

  @Test func `a background process that holds the pipes does not hold the notebook`() throws {
    let start = ContinuousClock.now
    let ran = try run("```{bash}\n(sleep 60 &)\necho a\n```\n```{bash}\necho b\n```")
    #expect(ran.outcome == .done)
    #expect(ran.printed == "a\nb\n")
    #expect(ContinuousClock.now - start < .seconds(50))
  }

  @Test func `a cell that closes the channel or is killed is recognised at once`() throws {
    let closed = try run("```{bash}\nexec 61>&-; sleep 30\n```")
    #expect(closed.failure == "2: cell 1 (1 of 1) failed: it closed or used descriptor 61, over which `pipe` runs the cells")
    let killed = try run("```{bash}\ntrue\nkill -9 $$\n```")
    let message = try #require(killed.failure)
    let expected =
      #/2: cell 1 \(1 of 1\) failed: bash was killed by SIGKILL, (probably out of|not by the kernel for want of) memory \(peak [0-9.]+ MB\)/#
    #expect(message.wholeMatch(of: expected) != nil, "\(message)")
  }

  @Test func `output beyond what is kept is cut in the middle, whatever the order of reads`() throws {
    let text = "```{bash}\nseq 1 200000\necho end >&2\n```"
    let ran = try run(text, keptBytes: 10_000)
    #expect(ran.outcome == .done)
    #expect(ran.printed.utf8.count < 10_200)
    // 1 to 200,000 with their newlines are 1,288,895 bytes.
    #expect(ran.printed.hasPrefix("1\n2\n3\n"))
    #expect(ran.printed.contains("\n[… 1278899 bytes cut out here …]\n"))
    #expect(ran.printed.hasSuffix("\n199999\n200000\n"))
    #expect(ran.complained == "end\n")
    #expect(try run(text, keptBytes: 10_000).printed == ran.printed)
  }

  @Test func `a parameter that is not declared is named before anything runs`() throws {
    let ran = try run(
      "```{bash}\necho a\n```\n```{bash}\n\necho $PIPE_PARAM_train_lrr ${PIPE_PARAM_other:-3}\n```",
      params: ["train.lr": .number(0.1)])
    #expect(ran.failure == "6: cell 2 (2 of 2) failed: parameter `PIPE_PARAM_train_lrr` is not declared by stage `train`")
    #expect(ran.diagnostic?.hints == ["did you mean `PIPE_PARAM_train_lr`?"])
    #expect(ran.diagnostic?.category == .input)
    #expect(ran.printed == "")
  }

  @Test func `a command that a signal killed is told from one that failed`() throws {
    let ran = try run("```{bash}\n\nsh -c 'kill -9 $$'\n```")
    #expect(ran.failure == "3: cell 1 (1 of 1) failed: exit status 137")
    #expect(
      ran.diagnostic?.causes.first?.wholeMatch(
        of: #/a command was killed by SIGKILL, (probably out of|not by the kernel for want of) memory/#)
        != nil)
  }

  @Test func `a failure in a file that a cell sources has the line of the cell`() throws {
    let ran = try run(
      "```{bash}\nset -x\nsource lib.sh\ng\necho no\n```", files: ["lib.sh": "g() {\n  true\n\n\n\n  false\n}\n"])
    #expect(ran.failure == "4: cell 1 (1 of 1) failed: exit status 1")
    #expect(!ran.complained.contains("__pipe_flags"))
  }

  @Test func `a missing bash is one clear message`() throws {
    let ran = try run("```{bash}\necho a\n```", environment: ["PATH": "/nonexistent"])
    #expect(ran.failure == "2: cell 1 (1 of 1) failed: `bash` is not on PATH, and the cell is in bash")
  }
}

/// The command lines of all processes, blanks between the words.
func commandLines() -> [String] {
  let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
  return names.compactMap { name in
    guard Int(name) != nil, let data = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else { return nil }
    return String(decoding: data.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
  }
}
