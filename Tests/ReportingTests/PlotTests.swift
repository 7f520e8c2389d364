// Plots: which there are, their rows, and their Vega-Lite documents. Expected rows are those of DVC 3.67.1.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import Reporting
import Testing

private func document(_ text: String) throws -> ParameterValue {
  let (tree, mistakes) = YAMLReader.read(text, file: "t")
  try mistakes.throwIfErrors()
  return try #require(tree).value
}

private func options(_ text: String) throws -> PlotOptions { PlotOptions(try document(text)) }

@Suite struct PlotTableTests {
  @Test func `a table's values stay text, short rows have gaps, empty rows are left out`() {
    let table = PlotTable.read("a,b\n1,\"x, \"\"y\"\"\"\n\n2\n3,4,5\n", delimiter: ",", hasHeader: true)
    #expect(table.json == #"[{"a": "1", "b": "x, \"y\""}, {"a": "2", "b": null}, {"a": "3", "b": "4"}]"#)
  }

  @Test func `without a header columns are numbered`() {
    #expect(
      PlotTable.read("1\t2\r\n3\t4", delimiter: "\t", hasHeader: false).json == #"[{"0": "1", "1": "2"}, {"0": "3", "1": "4"}]"#)
    #expect(PlotTable.read("", delimiter: ",", hasHeader: true).json == "[]")
  }
}

@Suite struct PlotDataTests {
  private let table = PlotTable.read("step,v,w\n1,2,5\n2,3,6\n", delimiter: ",", hasHeader: true)

  private func rows(_ data: PlotData?) -> [String] { data?.points.map(\.value.json) ?? [] }

  @Test func `the last column against the row's number is the default`() throws {
    let data = try #require(try PlotData(id: "p.csv", options: PlotOptions(), documents: ["p.csv": table], revision: "r"))
    #expect(data.x == "step" && data.y == "w" && data.xLabel == "step" && data.yLabel == "w")
    #expect(
      rows(data) == [
        #"{"step": 0, "v": "2", "w": "5", "rev": "r", "filename": "p.csv", "field": "w"}"#,
        #"{"step": 1, "v": "3", "w": "6", "rev": "r", "filename": "p.csv", "field": "w"}"#,
      ])
  }

  @Test func `named columns and labels are taken`() throws {
    let data = try #require(
      try PlotData(
        id: "p.csv", options: options("{x: step, y: v, x_label: XL}"), documents: ["p.csv": table], revision: "r"))
    #expect(data.x == "step" && data.y == "v" && data.xLabel == "XL" && data.yLabel == "v")
    #expect(rows(data).first == #"{"step": "1", "v": "2", "w": "5", "rev": "r", "filename": "p.csv", "field": "v"}"#)
  }

  @Test func `columns of several files share one field`() throws {
    let json = try document(#"{"meta": {"x": [1, 2]}, "train": [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25}]}"#)
    let data = try #require(
      try PlotData(
        id: "multi", options: options("{x: step, y: {a/p.csv: [v, w], a/sub/j.json: loss}}"),
        documents: ["a/p.csv": table, "a/sub/j.json": json], revision: "r"))
    #expect(data.x == "step" && data.y == "dvc_inferred_y_value" && data.yLabel == "y")
    #expect(data.points.count == 6)
    #expect(
      rows(data)[2]
        == #"{"step": "1", "v": "2", "w": "5", "dvc_inferred_y_value": "5", "rev": "r", "filename": "p.csv", "field": "w"}"#)
    #expect(
      rows(data)[5]
        == #"{"step": 2, "loss": 0.25, "dvc_inferred_y_value": 0.25, "rev": "r", "filename": "sub/j.json", "field": "loss"}"#)
  }

  @Test func `x of another file is joined row by row`() throws {
    let other = PlotTable.read("t\n10\n20\n", delimiter: ",", hasHeader: true)
    let data = try #require(
      try PlotData(
        id: "two", options: options("{x: {o.csv: t}, y: {p.csv: v}}"), documents: ["p.csv": table, "o.csv": other],
        revision: "r"))
    #expect(rows(data).first == #"{"step": "1", "v": "2", "w": "5", "t": "10", "rev": "r", "filename": "p.csv", "field": "v"}"#)
    let short = PlotTable.read("t\n10\n", delimiter: ",", hasHeader: true)
    let found = #expect(throws: Diagnostic.self) {
      try PlotData(
        id: "two", options: options("{x: {o.csv: t}, y: {p.csv: v}}"), documents: ["p.csv": table, "o.csv": short],
        revision: "r")
    }
    #expect(found?.message == "`t` of `o.csv` has 1 rows and `v` of `p.csv` has 2")
  }

  @Test func `lists of one document stand side by side when their rows are alike`() throws {
    let json = try document(
      #"{"a": [{"x": 1}, {"x": 2}], "b": {"c": [{"y": 3}, {"y": 4}, {"y": 5}]}, "odd": [{"x": 1}, {"z": 1}]}"#)
    let data = try #require(
      try PlotData(id: "j.json", options: options("{x: x, y: y}"), documents: ["j.json": json], revision: "r"))
    #expect(data.points.map { $0["y"] } == [.integer(3), .integer(4), .integer(5)])
    #expect(data.points.map { $0["x"] } == [.integer(1), .integer(2), nil])
  }

  @Test func `a field that is not there is named with the nearest`() throws {
    let found = #expect(throws: Diagnostic.self) {
      try PlotData(id: "p.csv", options: options("{x: stepp}"), documents: ["p.csv": table], revision: "r")
    }
    #expect(found?.message == "`p.csv` has no field `stepp`")
    #expect(found?.hints == ["did you mean `step`?"])
  }

  @Test func `without rows there is nothing`() throws {
    #expect(try PlotData(id: "p.csv", options: PlotOptions(), documents: [:], revision: "r") == nil)
    #expect(try PlotData(id: "p.csv", options: PlotOptions(), documents: ["p.csv": .list([])], revision: "r") == nil)
  }
}

@Suite struct PlotSpecTests {
  private func plot(_ text: String, id: String = "p.csv", revisions: [String] = ["HEAD"]) throws -> Plot {
    let table = PlotTable.read("step,v.x,w\n1,2,5\n", delimiter: ",", hasHeader: true)
    let options = try options(text)
    let data = try revisions.map { revision in
      (revision, try #require(try PlotData(id: id, options: options, documents: ["p.csv": table], revision: revision)))
    }
    return try #require(Plot(name: id, options: options, data: data))
  }

  @Test func `every anchor of a built-in template is filled`() throws {
    for name in PlotTemplate.builtInNames {
      let template = try #require(PlotTemplate.builtIn(name))
      for text in ["{x: step, y: w}", "{x: step, y: [v.x, w]}"] {
        let spec = try plot(text, revisions: ["HEAD", "workspace"]).spec(template).json
        #expect(!spec.contains("<DVC_METRIC"), "\(name)")
        #expect(spec.contains(#""values": [{"#), "\(name)")
      }
    }
    #expect(PlotTemplate.builtIn("nope") == nil)
  }

  @Test func `one series of one revision in the simple template`() throws {
    let spec = try plot("{x: step, y: v.x, title: T, y_label: L}").spec(try #require(PlotTemplate.builtIn("simple")))
    let expected = try document(
      #"""
      {"$schema": "https://vega.github.io/schema/vega-lite/v5.json",
       "data": {"values": [{"step": "1", "v.x": "2", "w": "5", "rev": "HEAD"}]},
       "title": {"text": "T", "anchor": "middle"},
       "params": [{"name": "grid", "select": "interval", "bind": "scales"}], "width": 300, "height": 300,
       "mark": {"type": "line", "tooltip": {"content": "data"}},
       "encoding": {"x": {"field": "step", "type": "quantitative", "title": "step"},
        "y": {"field": "v\\.x", "type": "quantitative", "title": "L", "scale": {"zero": false}},
        "color": {"field": "rev", "scale": {"domain": ["HEAD"], "range": ["#945dd6"]}}, "strokeDash": {},
        "tooltip": [{"field": "rev"}, {"field": "step"}, {"field": "v.x"}]}}
      """#)
    #expect(spec.json == expected.json)
  }

  @Test func `several series have a dash each and a field for both names`() throws {
    let spec = try plot("{x: step, y: [v.x, w]}").spec(try #require(PlotTemplate.builtIn("simple")))
    #expect(spec[at: "encoding.strokeDash.field"] == .text("field"))
    #expect(spec[at: "encoding.strokeDash.scale.domain"] == .list([.text("v.x"), .text("w")]))
    #expect(spec[at: "encoding.y.field"] == .text("dvc_inferred_y_value"))
    #expect(spec[at: "data.values.1.field"] == .text("w"))
    #expect(spec[at: "data.values.1.filename"] == nil)
  }

  @Test func `a template of one's own is filled where its anchors stand`() throws {
    let template = try PlotTemplate(
      name: "mine",
      text:
        #"{"data": {"values": "<DVC_METRIC_DATA>"}, "t": "T: <DVC_METRIC_TITLE>", "l": ["<DVC_METRIC_Y>", "a <DVC_METRIC_Y>"]}"#,
      file: "mine.json")
    let spec = try plot("{x: step, y: w}").spec(template)
    #expect(
      spec.json
        == #"{"data": {"values": [{"step": "1", "v.x": "2", "w": "5", "rev": "HEAD", "filename": "p.csv", "field": "w"}]}, "t": "T: p.csv", "l": ["w", "a <DVC_METRIC_Y>"]}"#
    )
    let bare = PlotTemplate(name: "bare", content: .mapping([]))
    #expect(throws: Diagnostic.self) { try plot("{}").spec(bare) }
  }
}

@Suite struct PlotRequestTests {
  private func requests(
    _ plots: [(String, String)], outputs: [(String, String)] = [], targets: [String] = [], folder: WorkspacePath? = nil
  ) throws -> [PlotRequest] {
    let place = SourceLocation(file: "dvc.yaml")
    var stage = Stage(name: "s", location: place, work: .commands(["true"]))
    stage.manifest = WorkspacePath("dvc.yaml")
    for (path, text) in outputs {
      var output = Output(
        name: nil, path: try #require(WorkspacePath(path)), kind: .plot, isCached: false, isPersistent: false, location: place)
      output.plotOptions = try document(text)
      stage.outputs.append(output)
    }
    var pipeline = Pipeline(file: "dvc.yaml", stages: [stage])
    pipeline.plots = try plots.map { PlotDefinition(id: $0.0, folder: folder, options: try document($0.1)) }
    let surroundings = PlotSurroundings(
      display: \.text, filesBelow: { $0 == "d" ? ["d/a.csv", "d/b.csv", "d/e/c.csv"] : $0 == "d/e" ? ["d/e/c.csv"] : nil },
      exists: { $0 == "free.csv" })
    return PlotRequest.all(
      of: pipeline, manifestName: "dvc.yaml", targets: targets, override: PlotOptions(), in: surroundings)
  }

  @Test func `a plot in two places has its manifest in its name`() throws {
    let found = try requests([("p.csv", "null"), ("q.csv", "{x: a}")], outputs: [("p.csv", "{y: v}")])
    #expect(found.map(\.name) == ["dvc.yaml::p.csv", "q.csv", "p.csv"])
    #expect(found[2].options.y == .field("v"))
  }

  @Test func `a folder is its files, less those that are plots of their own`() throws {
    let found = try requests([("d", "{x: a}"), ("d/b.csv", "{x: b}"), ("d/e", "{x: c}")])
    #expect(found.map(\.id) == ["d/a.csv", "d/b.csv", "d/e/c.csv"])
    #expect(found.map(\.options.x) == [.field("a"), .field("b"), .field("c")])
  }

  @Test func `targets choose by id or are files themselves`() throws {
    let plots = [("loss", "{y: {p.csv: v}}"), ("acc.csv", "{}")]
    #expect(try requests(plots, targets: ["lo"]).map(\.id) == ["loss"])
    #expect(try requests(plots, targets: ["dvc.yaml::acc"]).map(\.id) == ["acc.csv"])
    #expect(try requests(plots, targets: ["a.c"]).map(\.id) == ["acc.csv"])
    #expect(try requests(plots, targets: ["free.csv"]).map(\.id) == ["free.csv"])
    #expect(try requests(plots, targets: ["loss", "free.csv", "none.csv"]).map(\.id) == ["loss", "free.csv"])
  }

  @Test func `files are relative to the manifest that names them`() throws {
    let found = try requests([("p", "{y: {../p.csv: v, q.csv: w}, x: {r.csv: t}}")], folder: WorkspacePath("sub"))
    #expect(found[0].options.sources(of: "p") == ["p.csv", "sub/q.csv", "sub/r.csv"])
  }
}
