// `pipe notebook` and notebook stages of every form, as a person meets them.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

struct `Notebooks of the program` {
  private static func jupyter(_ cells: [String]) -> String {
    let code = cells.map {
      ##"{"cell_type":"code","execution_count":9,"metadata":{"tags":["a"]},"outputs":[],"source":"##
        + "\(String(decoding: (try? JSONEncoder().encode($0)) ?? Data(), as: UTF8.self))}"
    }
    return ##"{"cells":["## + code.joined(separator: ",")
      + ##"],"metadata":{"kernelspec":{"display_name":"Bash","language":"bash","name":"bash"}},"nbformat":4,"nbformat_minor":5}"##
  }

  @Test func `a Jupyter notebook is a stage, and what it put out is exported without running it`() throws {
    try withSite { site in
      try site.write("stages:\n  make:\n    notebook: stages/make.ipynb\n    outs: [a.txt]\n", to: "pipeline.yaml")
      let text = Self.jupyter(["echo one | tee a.txt", "wc -l < a.txt"])
      try site.write(text, to: "stages/make.ipynb")
      let ran = try site.pipe("repro")
      #expect(ran.status == 0, "\(ran.err)")
      #expect(site.text("a.txt") == "one\n")
      #expect(site.text("stages/make.ipynb") == text)
      #expect(try site.pipe("repro").err == "nothing to do: 1 up to date\n")
      let exported = try site.pipe("notebook", "export", "make", "--to", "md")
      #expect(
        exported.out
          == "```bash\necho one | tee a.txt\n```\n\n```text\none\n```\n\n```bash\nwc -l < a.txt\n```\n\n```text\n1\n```\n")
      let page = try site.pipe("notebook", "export", "make", "-o", "make.html")
      #expect(page.status == 0 && page.err == "wrote make.html\n")
      #expect(site.text("make.html")?.contains("All 2 cells ran") == true)
      let cells = try #require(try site.pipe("notebook", "export", "make").json() as? [String: Any])["cells"] as? [[String: Any]]
      #expect(cells?.count == 2 && cells?.first?["execution_count"] as? Int == 1)
      #expect(try site.pipe("notebook", "export", "mkae").err.contains("no run has a stage `mkae`\nhint: did you mean `make`?"))
    }
  }

  @Test func `a notebook that fails is kept as far as it went, with its cell and line`() throws {
    try withSite { site in
      try site.write("stages:\n  make:\n    notebook: make.ipynb\n", to: "pipeline.yaml")
      try site.write(Self.jupyter(["echo before", "true\nfalse", "echo after"]), to: "make.ipynb")
      let ran = try site.pipe("repro")
      #expect(ran.status == 1)
      #expect(ran.err.contains("make.ipynb, cell 2:2: error: cell 2 (2 of 3) failed: exit status 1\n"))
      #expect(ran.err.contains("the notebook as far as it went is in .pipe/failed/make.html and make.ipynb\n"))
      let page = try #require(site.text(".pipe/failed/make.html"))
      #expect(
        page.contains("Cell 2 of 3 failed") && page.contains("before") && page.contains("Not run: a cell before it failed."))
      let kept = try #require(site.text(".pipe/failed/make.ipynb"))
      #expect(kept.contains(#""outcome": "notRun""#) && kept.contains(#""output_type": "error""#))
    }
  }

  @Test func `an interrupted notebook is kept as far as it went`() throws {
    try withSite { site in
      try site.write("stages:\n  make:\n    notebook: make.sh\n", to: "pipeline.yaml")
      try site.write("# %%\necho before\n\n# %%\ntouch begun; sleep 60\n", to: "make.sh")
      let process = try site.start(pipeBinary, ["repro"], to: "interrupted")
      #expect(waitUntil { site.exists("begun") })
      kill(process.processIdentifier, SIGINT)
      process.waitUntilExit()
      #expect(process.terminationStatus == 130)
      #expect(try site.folder.text(of: "interrupted.err").contains("the notebook as far as it went is in .pipe/failed/make.html"))
      #expect(site.text(".pipe/failed/make.ipynb")?.contains("before") == true)
    }
  }

  @Test func `convert goes both ways, writes over nothing unasked, and says what it cannot read`() throws {
    try withSite { site in
      try site.write(Self.jupyter(["ls", "#| label: x\necho '```'"]), to: "a.ipynb")
      #expect(try site.pipe("notebook", "convert", "a.ipynb", "a.qmd").err == "wrote a.qmd: 2 cells\n")
      let literate = try #require(site.text("a.qmd"))
      #expect(literate.contains("```{bash}\n#| tags: [a]\nls\n```\n"))
      let again = try site.pipe("notebook", "convert", "a.ipynb", "a.qmd")
      #expect(again.status == 2 && again.err.contains("`a.qmd` is there\nhint: `--force` writes over it"))
      #expect(try site.pipe("notebook", "convert", "a.qmd", "b.ipynb").status == 0)
      #expect(try site.pipe("notebook", "convert", "b.ipynb", "b.qmd").status == 0)
      #expect(site.text("b.qmd") == literate)
      #expect(try site.pipe("notebook", "convert", "a.ipynb", "a.ipynb", "--force", "--strip").status == 0)
      #expect(site.text("a.ipynb")?.contains("\"execution_count\": null") == true)
      try site.write("{", to: "broken.ipynb")
      let broken = try site.pipe("notebook", "convert", "broken.ipynb", "c.qmd")
      #expect(broken.status == 2 && broken.err.contains("broken.ipynb:1:2: error: `broken.ipynb` is no Jupyter notebook"))
      #expect(try site.pipe("notebook", "convert", "a.ipynb", "a.txt").err.contains("`a.txt` is no notebook by its name"))
    }
  }

  @Test func `an output that is a device is written to, not replaced`() throws {
    try withSite { site in
      try site.write("stages:\n  make:\n    notebook: make.sh\n", to: "pipeline.yaml")
      try site.write("echo one\n", to: "make.sh")
      #expect(try site.pipe("repro").status == 0)
      guard mknod("\(site.root)/null", S_IFCHR | 0o666, 1 << 8 | 3) == 0 else {
        return print("skipped: no device can be made here")
      }
      #expect(try site.pipe("notebook", "export", "make", "--to", "html", "-o", "null").status == 0)
      #expect(try site.pipe("report", "--format", "html", "-o", "null").status == 0)
      var info = stat()
      #expect(lstat("\(site.root)/null", &info) == 0 && info.st_mode & S_IFMT == S_IFCHR)
    }
  }

  @Test func `run needs no project`() throws {
    try withSite { site in
      try site.write("Why.\n\n```{bash}\necho $((6 * 7))\n```\n", to: "a.qmd")
      let ran = try site.pipe("notebook", "run", "a.qmd")
      #expect(ran.status == 0 && ran.out == "42\n")
      #expect(try site.pipe("notebook", "run", "a.qmd", "-o", "a.md").status == 0)
      #expect(site.text("a.md") == "Why.\n\n```bash\necho $((6 * 7))\n```\n\n```text\n42\n```\n")
      try site.write("```{bash}\nfalse\n```\n", to: "b.qmd")
      #expect(try site.pipe("notebook", "run", "b.qmd").status == 1)
    }
  }

  // MARK: Prose

  private static let qmd = """
    ---
    title: Old title
    ---
    Old words.

    ```{bash}
    #| fig-cap: x
    echo result | tee a.txt
    ```

    """

  @Test func `edited prose shows in the report without a run, and the same prose gives the same bytes`() throws {
    try withSite { site in
      try site.write("stages:\n  make:\n    notebook: make.qmd\n    outs: [a.txt]\n", to: "pipeline.yaml")
      try site.write(Self.qmd, to: "make.qmd")
      #expect(try site.pipe("repro").status == 0)
      let first = try #require(site.text("reports/index.html"))
      let edited = Self.qmd.replacing("Old words", with: "New words").replacing("Old title", with: "New title")
      try site.write(edited.replacing("#| fig-cap: x", with: "#| echo: false"), to: "make.qmd")
      #expect(try site.pipe("status").status == 0)
      #expect(try site.pipe("repro").err == "nothing to do: 1 up to date\nreport: reports/index.html\n")
      let second = try #require(site.text("reports/index.html"))
      #expect(second.contains("<p>New words.</p>") && second.contains("New title") && second.contains("result"))
      #expect(second.contains("<summary>Code: bash, make.qmd:8") && !second.contains("Old"))
      #expect(site.text("reports/index.md")?.contains("New words.") == true)
      // Nothing is owed any more.
      #expect(try site.pipe("repro").err == "nothing to do: 1 up to date\n")
      #expect(try site.pipe("runs", "--json").out.components(separatedBy: "\"id\"").count == 2)
      try site.write(Self.qmd, to: "make.qmd")
      #expect(try site.pipe("repro").status == 0)
      #expect(site.text("reports/index.html") == first)
    }
  }

  @Test func `with other code the page of the run stands, prose and all`() throws {
    try withSite { site in
      try site.write("stages:\n  make:\n    notebook: make.qmd\n    outs: [a.txt]\n", to: "pipeline.yaml")
      try site.write(Self.qmd, to: "make.qmd")
      #expect(try site.pipe("repro").status == 0)
      let first = try #require(site.text("reports/index.html"))
      try site.write(
        Self.qmd.replacing("Old words", with: "New words").replacing("echo result", with: "echo other"), to: "make.qmd")
      #expect(try site.pipe("report").status == 0)
      #expect(site.text("reports/index.html") == first)
      try site.write("---\n", to: "make.qmd")
      #expect(try site.pipe("report").status == 0)
      #expect(site.text("reports/index.html") == first)
      try site.remove("make.qmd")
      #expect(try site.pipe("report").status == 0)
      #expect(site.text("reports/index.html") == first)
    }
  }

  @Test func `an older run keeps the prose that it had, and a secret in new prose is kept out`() throws {
    try withSite { site in
      try site.write(
        "stages:\n  make:\n    notebook: make.qmd\n    outs: [a.txt]\nsecrets: [PIPE_TEST_MARK]\n", to: "pipeline.yaml")
      try site.write(Self.qmd, to: "make.qmd")
      #expect(try site.pipe("repro").status == 0)
      let old = try #require(FileManager.default.contentsOfDirectory(atPath: "\(site.root)/.pipe/runs").first?.dropLast(5))
      try site.write(Self.qmd.replacing("echo result", with: "echo other"), to: "make.qmd")
      #expect(try site.pipe("repro").status == 0)
      try site.write(
        Self.qmd.replacing("echo result", with: "echo other").replacing("Old words", with: "The mark is open sesame"),
        to: "make.qmd")
      #expect(try site.pipe("report", String(old), "--format", "html").out.contains("<p>Old words.</p>"))
      let process = try site.start(pipeBinary, ["report", "--format", "html"], mark: "open sesame", to: "page")
      process.waitUntilExit()
      let page = try site.folder.text(of: "page.out")
      #expect(page.contains("<p>The mark is [redacted].</p>") && !page.contains("sesame"))
    }
  }
}
