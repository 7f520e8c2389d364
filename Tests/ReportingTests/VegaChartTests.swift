// Charts of Altair told by their rows.
// SPDX-License-Identifier: Apache-2.0
import Notebooks
import Testing

@testable import Reporting

@Suite struct VegaChartTests {
  private func chart(_ json: String) -> VegaChart? { VegaChart(["application/vnd.vegalite.v6.json": json, "text/plain": "c"]) }

  @Test func `a chart has the columns that it draws, x and y first`() throws {
    let spec = """
      {"data": {"name": "d1"}, "datasets": {"d0": [{"a": 9}], "d1": [{"zone": "east", "n": 3, "m": 1.50, "unused": 1}, {"n": null}]},
       "encoding": {"y": {"field": "m"}, "color": {"field": "zone"}, "x": {"field": "n", "type": "quantitative"}},
       "mark": {"type": "point"}}
      """
    let found = try #require(chart(spec))
    #expect(found.marks == ["point"])
    #expect(found.table.columns == ["n", "m", "zone"])
    #expect(found.table.rows == [["3", "1.50", "east"], [nil, nil, nil]])
    let page = HTMLText.render(
      NotebookPage.document(
        WovenNotebook(
          file: "n.qmd", title: nil,
          cells: [
            WovenCell(
              outcome: .done, language: "python", source: "c", options: ["label": "zones"], firstLine: 4,
              outputs: [CellOutput(kind: .display, data: ["application/vnd.vegalite.v5+json": spec, "text/plain": "alt.Chart"])])
          ])))
    #expect(page.contains("A Vega-Lite chart of point marks, x: n, y: m, color: zone."), "\(page)")
    #expect(page.contains("<caption>Chart of the cell at line 4</caption>") && !page.contains("alt.Chart"))
    #expect(page.contains("<small>zones · python, line 4</small>"))
  }

  @Test func `layers are views of one chart, and rows may stand in it`() throws {
    let found = try #require(
      chart(
        #"""
        {"data": {"values": [{"t": 1, "v": 2}]}, "layer": [{"mark": "line", "encoding": {"x": {"field": "t"}}},
         {"mark": "rule", "encoding": {"y": {"field": "v"}, "x": {"field": "t"}}}]}
        """#))
    #expect(found.marks == ["line", "rule"] && found.table.columns == ["t", "v"])
  }

  @Test(arguments: [
    "", "[1]", "{}", #"{"data": {"url": "https://example.org/x.csv"}, "mark": "bar"}"#, #"{"data": {"values": [1, 2]}}"#,
  ])
  func `what has no rows of its own is no table`(json: String) {
    #expect(chart(json) == nil)
  }
}
