// `pipe dag`, `plots`, `metrics` and `params`: text that scripts made for DVC read.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

private let groups = """
  stages:
    end:
      cmd: cat m_1_p m_2_q > end
      deps: [m_1_p, m_2_q, sub/o]
      outs: [end]
    mm:
      matrix: {x: [2, 1], y: [q, p]}
      cmd: cat sub > m_${item.x}_${item.y}
      deps: [sub]
      outs: ["m_${item.x}_${item.y}"]
    lone:
      cmd: echo

  """
private let below = """
  stages:
    make:
      cmd: cat ../data.csv > o
      deps: [../data.csv]
      outs: [o, deep/p]

  """

extension Site {
  fileprivate func makeGroups() throws {
    try git("init", "-q")
    try pipe("init", "--dvc")
    try write(groups, to: "dvc.yaml")
    try write(below, to: "sub/dvc.yaml")
    try write("outs:\n- md5: c4ca4238a0b923820dcc509a6f75849b\n  size: 1\n  hash: md5\n  path: data.csv\n", to: "data.csv.dvc")
  }

  fileprivate func commitAll() throws {
    try git("add", "-A")
    try git("commit", "-qm", "all")
  }
}

@Suite struct `The graph as text` {
  @Test func `dot names stages and pointer files by address, makers before readers`() throws {
    try withSite { site in
      try site.makeGroups()
      #expect(
        try site.pipe("dag", "--dot").out == """
          strict digraph {
          "data.csv.dvc";
          "end";
          "mm@2-q";
          "mm@2-p";
          "mm@1-q";
          "mm@1-p";
          "lone";
          "sub/dvc.yaml:make";
          "data.csv.dvc" -> "sub/dvc.yaml:make";
          "mm@2-q" -> "end";
          "mm@1-p" -> "end";
          "sub/dvc.yaml:make" -> "end";
          "sub/dvc.yaml:make" -> "mm@2-q";
          "sub/dvc.yaml:make" -> "mm@2-p";
          "sub/dvc.yaml:make" -> "mm@1-q";
          "sub/dvc.yaml:make" -> "mm@1-p";
          }

          """)
    }
  }

  @Test func `mermaid has pipelines one after the other, each sorted by name`() throws {
    try withSite { site in
      try site.makeGroups()
      let chart = """
        flowchart TD
        \tnode1["data.csv.dvc"]
        \tnode2["end"]
        \tnode3["mm"]
        \tnode4["sub/dvc.yaml:make"]
        \tnode1-->node4
        \tnode3-->node2
        \tnode4-->node2
        \tnode4-->node3
        \tnode5["lone"]

        """
      #expect(try site.pipe("dag", "--mermaid", "--collapse-foreach-matrix").out == chart)
      #expect(try site.pipe("dag", "--md", "--collapse-foreach-matrix").out == "```mermaid\n\(chart)```\n")
    }
  }

  @Test func `outputs may be the nodes, and a target cuts to what it needs`() throws {
    try withSite { site in
      try site.makeGroups()
      #expect(
        try site.pipe("dag", "--dot", "--outs", "mm@1-p").out == """
          strict digraph {
          "data.csv";
          "m_1_p";
          "sub/o";
          "sub/deep/p";
          "data.csv" -> "sub/o";
          "data.csv" -> "sub/deep/p";
          "sub/o" -> "m_1_p";
          "sub/deep/p" -> "m_1_p";
          }

          """)
      let dot = try site.pipe("--cd", "sub", "dag", "--dot", "make").out
      #expect(dot == "strict digraph {\n\"../data.csv.dvc\";\n\"make\";\n\"../data.csv.dvc\" -> \"make\";\n}\n")
      #expect(try site.pipe("dag", "--full", "--dot", "data.csv.dvc").out.contains("\"end\""))
      #expect(try site.pipe("dag", "--full", "--dot", "data.csv.dvc").out.contains("lone") == false)
    }
  }
}

@Suite struct `Plots` {
  private func make(_ site: Site) throws {
    try site.git("init", "-q")
    try site.pipe("init", "--dvc")
    try site.write("step,v\n1,2\n2,4\n", to: "p.csv")
    try site.write("<svg xmlns=\"http://www.w3.org/2000/svg\"/>", to: "i.svg")
    try site.write(
      "plots:\n  - p.csv: {x: step, y: v, title: T, template: simple}\n  - i.svg\n  - gone.json\n", to: "dvc.yaml")
    try site.commitAll()
    try site.write("step,v\n1,3\n", to: "p.csv")
  }

  @Test func `vega has the rows of every revision`() throws {
    try withSite { site in
      try make(site)
      let spec = try site.pipe("plots", "diff", "HEAD", "--show-vega", "--targets", "p.csv").out
      #expect(
        spec == """
          {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "data": {"values": [\
          {"step": "1", "v": "3", "rev": "workspace"}, {"step": "1", "v": "2", "rev": "HEAD"}, \
          {"step": "2", "v": "4", "rev": "HEAD"}]}, "title": {"text": "T", "anchor": "middle"}, \
          "params": [{"name": "grid", "select": "interval", "bind": "scales"}], "width": 300, "height": 300, \
          "mark": {"type": "line", "tooltip": {"content": "data"}}, "encoding": {\
          "x": {"field": "step", "type": "quantitative", "title": "step"}, \
          "y": {"field": "v", "type": "quantitative", "title": "v", "scale": {"zero": false}}, \
          "color": {"field": "rev", "scale": {"domain": ["workspace", "HEAD"], "range": ["#945dd6", "#13adc7"]}}, \
          "strokeDash": {}, "tooltip": [{"field": "rev"}, {"field": "step"}, {"field": "v"}]}}

          """)
    }
  }

  @Test func `json names what cannot be read, and pictures lie in the folder`() throws {
    try withSite { site in
      try make(site)
      let found = try #require(try site.pipe("plots", "show", "--json", "-o", "pages").json() as? [String: Any])
      let errors = try #require(found["errors"] as? [[String: String]])
      #expect(
        errors == [
          [
            "name": "gone.json", "rev": "workspace", "source": "gone.json", "type": "FileNotFoundError",
            "msg": "`gone.json` is not there",
          ]
        ])
      let data = try #require(found["data"] as? [String: [[String: Any]]])
      #expect(Set(data.keys) == ["p.csv", "i.svg", "gone.json"])
      #expect(data["p.csv"]?.first?["type"] as? String == "vega")
      #expect((data["i.svg"]?.first?["url"] as? String)?.hasSuffix("/pages/workspace_i.svg") == true)
      #expect(site.exists("pages/workspace_i.svg"))
    }
  }

  @Test func `the page loads nothing and draws the line`() throws {
    try withSite { site in
      try make(site)
      let shown = try site.pipe("plots", "diff", "--no-header", "-x", "0", "-y", "1", "--title", "A & B", "--targets", "q.tsv")
      #expect(shown.status == 0 && shown.out == "", "\(shown.err)")
      let ended = try site.pipe("plots", "diff")
      #expect(ended.status == 0)
      #expect(ended.out.hasPrefix("file:///") && ended.out.hasSuffix("/dvc_plots/index.html\n"))
      #expect(ended.err.contains("warning: plot `gone.json` cannot be drawn in workspace"))
      let page = try #require(site.text("dvc_plots/index.html"))
      #expect(page.contains("<svg class=chart"))
      #expect(!page.contains("<script") && !page.contains("https://"))
    }
  }

  @Test func `templates are listed by name, and one target is needed for vega`() throws {
    try withSite { site in
      try make(site)
      #expect(
        try site.pipe("plots", "templates").out == """
          simple
          linear
          confusion
          confusion_normalized
          scatter
          scatter_jitter
          smooth
          bar_horizontal_sorted
          bar_horizontal

          """)
      #expect(try site.pipe("plots", "templates", "line").status == 2)
      #expect(try site.pipe("plots", "show", "--show-vega").status == 2)
    }
  }
}

@Suite struct `Metrics and parameters` {
  @Test func `differences have one shape in every format`() throws {
    try withSite { site in
      try site.git("init", "-q")
      try site.pipe("init", "--dvc")
      try site.write("metrics: [m/a.json, m/b.yaml, m/c.toml]\nparams: [p.py]\n", to: "dvc.yaml")
      func state(_ accuracy: String, _ rate: String) throws {
        try site.write("{\"acc\": \(accuracy), \"same\": 1}", to: "m/a.json")
        try site.write("deep:\n  acc: \(accuracy)\n", to: "m/b.yaml")
        try site.write("[deep]\nacc = \(accuracy)\n", to: "m/c.toml")
        try site.write("class Train:\n    RATE = \(rate)\n", to: "p.py")
      }
      try state("0.5", "[1, 2]")
      try site.commitAll()
      #expect(try site.pipe("metrics", "diff", "--json").out == "{}\n")
      try state("0.75", "[1, 3]")
      let change = #"{"old": 0.5, "new": 0.75, "diff": 0.25}"#
      #expect(
        try site.pipe("metrics", "diff", "--json").out
          == #"{"m/a.json": {"acc": \#(change)}, "m/b.yaml": {"deep.acc": \#(change)}, "m/c.toml": {"deep.acc": \#(change)}}"#
          + "\n")
      #expect(
        try site.pipe("metrics", "show", "--json", "m/c.toml").out
          == #"{"": {"data": {"m/c.toml": {"data": {"deep": {"acc": 0.75}}}}}}"# + "\n")
      #expect(
        try site.pipe("params", "diff", "--json").out == #"{"p.py": {"Train.RATE": {"old": "[1, 2]", "new": "[1, 3]"}}}"# + "\n")
      #expect(
        try site.pipe("metrics", "diff", "--md", "--no-path", "--all", "--precision", "1", "--targets", "m/a.json").out == """
          | metric | old | new | change |
          |--------|-----|-----|--------|
          | acc    | 0.5 | 0.8 | 0.2    |
          | same   | 1   | 1   | 0      |

          """)
    }
  }
}

@Suite struct `Before the subcommand` {
  @Test func `--cd works in another folder, -q prints no notes`() throws {
    try withSite { site in
      try site.write("stages:\n  s:\n    cmd: echo 1 > o\n    outs: [o]\n", to: "inner/pipeline.yaml")
      #expect(try site.pipe("--cd", "inner", "-q", "repro").err == "")
      #expect(site.text("inner/o") == "1\n")
      #expect(try site.pipe("--cd=inner", "repro").err == "nothing to do: 1 up to date\n")
      let lost = try site.pipe("--cd", "nowhere", "repro")
      #expect(lost.status == 2)
      #expect(lost.err == "error: `--cd` leads nowhere: `nowhere`\ncause: No such file or directory\n")
      #expect(try site.pipe("--cd").status == 2)
      #expect(try site.pipe("-V").out == (try site.pipe("--version").out))
    }
  }
}
