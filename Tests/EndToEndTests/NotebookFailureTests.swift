// A notebook of three languages with figures and tables that ends well, fails, is interrupted, lacks memory, is killed.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

/// A virtual environment with matplotlib, altair and pandas.
private let environmentFolder = ProcessInfo.processInfo.environment["PIPE_PYTHON_VENV"]

@Suite(
  .enabled(if: environmentFolder != nil, "PIPE_PYTHON_VENV names no virtual environment with matplotlib, altair and pandas"))
struct `A notebook that ends in every way` {
  private static let notebook = """
    ---
    title: Three languages
    ---
    Orders of a week.

    ```{bash}
    #| label: make
    printf 'day,orders\\n1,10\\n2,12\\n3,9\\n' > orders.csv
    echo made
    ```

    ```{sql}
    #| label: sum
    SELECT count(*) AS days, sum(orders) AS orders FROM orders
    ```

    ```{python}
    #| label: figures
    #| fig-cap: Orders by day
    #| fig-alt: Three points
    import altair as alt, matplotlib.pyplot as plt, pandas as pd
    frame = pd.read_csv("orders.csv")
    plt.plot(frame.day, frame.orders)
    display(frame)
    alt.Chart(frame).mark_line().encode(x="day:Q", y="orders:Q")
    ```

    ```{python}
    #| label: last
    import os, resource, signal, time
    mode = open("mode.txt").read()
    if mode == "fail":
        print("before it")
        1 / (len(frame) - 3)
    if mode == "wait":
        open("begun", "w").close()
        time.sleep(100)
    if mode == "memory":
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
        big = bytearray(64 << 30)
    if mode == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    ```

    ```{bash}
    #| label: after
    echo after
    ```

    """

  private func withNotebook(_ mode: String, _ body: (Site) throws -> Void) throws {
    try withSite { site in
      try site.write(
        "stages:\n  week:\n    notebook: week.qmd\n    deps: [mode.txt]\n    outs: [orders.csv]\n", to: "pipeline.yaml")
      try site.write(Self.notebook, to: "week.qmd")
      try site.write(mode, to: "mode.txt")
      try body(site)
    }
  }

  private func arguments(_ words: String...) -> [String] {
    ["PATH=\(environmentFolder ?? "")/bin:/usr/local/bin:/usr/bin:/bin", pipeBinary] + words
  }

  private func repro(_ site: Site) throws -> Ended { try site.run("/usr/bin/env", arguments("repro")) }

  /// What all pages show of the cells that ran.
  private func expectTheFirstCells(in page: String) {
    #expect(page.contains("made"))
    #expect(page.contains(">days<"))
    #expect(page.contains("<img src=\"data:image/svg+xml;base64,") && page.contains("alt=\"Three points\""))
    #expect(page.contains(">Orders by day</figcaption>"))
    #expect(page.contains(#/>orders\s*</#))
  }

  @Test func `ends well, with the same page twice`() throws {
    try withNotebook("well") { site in
      let ran = try repro(site)
      #expect(ran.status == 0, "\(ran.err)")
      #expect(ran.err.contains("week | cell 4 of 5, `last`: ") && ran.err.contains("1 ran\nreport: reports/index.html\n"))
      let report = try #require(site.text("reports/index.html"))
      expectTheFirstCells(in: report)
      // The chart is told by its rows.
      #expect(report.contains("A Vega-Lite chart of line marks, x: day, y: orders.") && !report.contains("altair.Chart"))
      let first = try site.pipe("notebook", "export", "week", "--to", "ipynb").out
      #expect(first.contains("application/vnd.vegalite.v") && !first.contains("cdn"))
      #expect(try site.run("/usr/bin/env", arguments("repro", "--force")).status == 0)
      #expect(try site.pipe("notebook", "export", "week", "--to", "ipynb").out == first)
    }
  }

  @Test func `fails: the line, the cell, the traceback, and what was printed`() throws {
    try withNotebook("fail") { site in
      let ran = try repro(site)
      #expect(ran.status == 1)
      #expect(ran.err.contains("week.qmd:34: error: cell `last` (4 of 5) failed: ZeroDivisionError: division by zero\n"))
      #expect(ran.err.contains("> 34 |     1 / (len(frame) - 3)\n"))
      #expect(ran.err.contains("  File \"week.qmd\", line 34, in <module>\n"))
      #expect(ran.err.contains("it printed:\n") && ran.err.contains("  before it\n"))
      #expect(ran.err.contains("the notebook as far as it went is in .pipe/failed/week.html and week.ipynb\n"))
      for name in [".pipe/failed/week.html", "reports/index.html"] {
        let page = try #require(site.text(name))
        expectTheFirstCells(in: page)
        #expect(page.contains("ZeroDivisionError") && page.contains("Not run: a cell before it failed."), "\(name)")
      }
      let page = try #require(site.text(".pipe/failed/week.html"))
      #expect(page.contains("Cell 4 of 5, last, failed") && page.contains("href=\"#failed-cell\""))
      #expect(!site.exists("orders.csv") || site.text("orders.csv") == "day,orders\n1,10\n2,12\n3,9\n")
      // Nothing of it was kept: what works now runs from the top.
      try site.write("well", to: "mode.txt")
      #expect(try repro(site).status == 0)
    }
  }

  @Test func `is interrupted: 130, at once, with the pages as far as it went`() throws {
    try withNotebook("wait") { site in
      let process = try site.start("/usr/bin/env", arguments("repro"), to: "interrupted")
      #expect(waitUntil(seconds: 120) { site.exists("begun") })
      kill(process.processIdentifier, SIGINT)
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 130)
      let said = try site.folder.text(of: "interrupted.err")
      #expect(said.contains("week interrupted; nothing of it is recorded\n"))
      #expect(said.contains("the notebook as far as it went is in .pipe/failed/week.html"))
      let page = try #require(site.text(".pipe/failed/week.html"))
      expectTheFirstCells(in: page)
      #expect(said.contains("cell 4 of 5, `last`: interrupted ") && !said.contains("failed "), "\(said)")
      #expect(page.contains("Not run: the notebook was interrupted before it."))
      #expect(page.contains("Cell 4 of 5, last, was interrupted") && !page.contains("failed</h2>"))
      #expect(page.contains("<h3 id=\"failed-cell\">The cell that was interrupted</h3>"))
      let report = try #require(site.text("reports/index.html"))
      #expect(report.contains("What was interrupted</h2>") && report.contains("last · python, line"))
      #expect(!report.contains("because of that"))
      #expect(!site.exists("pipeline.lock"))
    }
  }

  @Test func `lacks memory: the allocation that could not be made has its line`() throws {
    try withNotebook("memory") { site in
      let ran = try repro(site)
      #expect(ran.status == 1)
      #expect(ran.err.contains("week.qmd:40: error: cell `last` (4 of 5) failed: MemoryError"))
      #expect(site.text(".pipe/failed/week.html")?.contains("MemoryError") == true)
    }
  }

  @Test func `is killed: by what, with its peak, and no waiting`() throws {
    try withNotebook("kill") { site in
      let ran = try repro(site)
      #expect(ran.status == 1)
      #expect(
        ran.err.contains(
          /week\.qmd:30: error: cell `last` \(4 of 5\) failed: python3 was killed by SIGKILL, (probably out of|not by the kernel for want of) memory \(peak [0-9.]+ [MG]B\)\n/
        ), "\(ran.err)")
      let page = try #require(site.text(".pipe/failed/week.html"))
      expectTheFirstCells(in: page)
      #expect(page.contains("was killed by SIGKILL"))
    }
  }
}
