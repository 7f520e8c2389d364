// Charts: where things stand, and the drawings themselves.
// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Reporting

@Suite struct ChartTests {
  private func chart(_ x: Chart.Scale, _ y: Chart.Scale, marks: [Chart.Mark] = [], legend: [Chart.LegendEntry] = []) -> Chart {
    Chart(title: "T <1>", description: "D & d", x: .init("x", x), y: .init("y", y), marks: marks, legend: legend)
  }

  private func layout(_ chart: Chart) -> ChartLayout { ChartSheet(chart).layouts[0] }

  @Test func `the frame leaves room for the labels`() {
    let layout = layout(chart(.linear(0...10), .linear(0...1)))
    // Labels such as `0.2` are 20.25 wide, which is less than the least margin.
    #expect(layout.left == 36)
    #expect(layout.right == 404 && layout.top == 26 && layout.bottom == 258)
    #expect(layout.px(0) == layout.left && layout.px(10) == 404)
    #expect(layout.py(0) == 258 && layout.py(1) == 26)
    // Outside is held at the edge.
    #expect(layout.px(99) == 404)
  }

  @Test func `labels keep clear of one another`() {
    let days = (1...31).map { "2026-06-\($0 < 10 ? "0" : "")\($0)" }
    let ticks = layout(chart(.bands(days), .linear(0...1))).xTicks
    #expect(ticks.map(\.label) == ["2026-06-01", "2026-06-08", "2026-06-15", "2026-06-22", "2026-06-29"])
    let large = layout(chart(.linear(0...9_000_000), .linear(0...1))).xTicks
    #expect(large.map(\.label) == ["0", "2M", "4M", "6M", "8M"])
  }

  @Test func `the last date below an axis ends inside the drawing`() throws {
    let days = (1...29).map { "2026-06-\($0 < 10 ? "0" : "")\($0)" }
    let layout = layout(chart(.bands(days), .linear(0...1)))
    let last = try #require(layout.xTicks.last)
    #expect(last.label == "2026-06-29")
    #expect(last.position + TextWidth.of(last.label) / 2 <= layout.limit)
    #expect(last.position < layout.right)
  }

  @Test func `bands go from top to bottom on the upright axis`() {
    let layout = layout(chart(.linear(0...1), .bands(["a", "b"])))
    #expect(layout.py(0) < layout.py(1))
    #expect(layout.yTicks.map(\.label) == ["a", "b"])
    #expect(layout.yTicks[0].position == layout.py(0))
  }

  @Test func `long names are cut`() {
    let layout = layout(chart(.linear(0...1), .bands(["driver_speed_of_the_last_" + "days_mean_30d"])))
    #expect(layout.yTicks[0].label == "driver_speed…s_mean_30d")
    #expect(layout.left < 200)
  }

  @Test func `a legend flows over lines and pushes the frame down`() {
    let entries = (0..<4).map { Chart.LegendEntry(.line, .first, "a series with a long name \($0)") }
    let sheet = ChartSheet(chart(.linear(0...1), .linear(0...1), legend: entries))
    #expect(sheet.legend.map(\.line) == [0, 1, 2, 3])
    #expect(sheet.layouts[0].top == 26 + 4 * 20 && sheet.height == 380)
  }

  @Test func `a name too long for its band stands in two lines where there is room`() {
    let halves = ["coverage of the 90 %", "interval: no evidence"]
    #expect(TextWidth.lines("coverage of the 90 % interval: no evidence", to: 180) == halves)
    #expect(TextWidth.lines("short", to: 180) == ["short"])
    #expect(TextWidth.lines("averylongnamewithoutanyspaceatall", to: 80) == ["averylongnamewithoutanyspaceatall"])
    let names = ["coverage of the 90 % interval: no evidence", "MAE: better"]
    let roomy = ChartSheet(chart(.linear(0...1), .bands(names))).layouts[0].yTicks
    #expect(roomy.map(\.label) == [halves[0], "MAE: better"] && roomy.map(\.context) == [halves[1], nil])
    let many = ChartSheet(chart(.linear(0...1), .bands(names + (0..<30).map { "band \($0)" }))).layouts[0].yTicks
    #expect(many[0].label.contains("…") && many[0].context == nil)
  }

  @Test func `levels of a grid are painted one over the other`() {
    let svg = chart(.linear(0...4), .linear(0...1), marks: [.grid(columns: 4, rows: 1, levels: [1, 2, 2, 0])]).svg(id: "c")
    #expect(svg.contains("<path class=d1 d=\"M0 0h3\"/>\n<path class=d2 d=\"M1 0h2\"/>\n</g>"))
    // Together the layers are as strong as each level used to be alone.
    let layers = [0.14, 0.163, 0.222, 0.321, 0.474]
    let strengths = layers.indices.map { last in 1 - layers[...last].reduce(1) { $0 * (1 - $1) } }
    for (strength, wanted) in zip(strengths, [0.14, 0.28, 0.44, 0.62, 0.8]) { #expect(abs(strength - wanted) < 0.001) }
    for (level, layer) in layers.enumerated() {
      #expect(HTMLStyle.sheet().contains("svg .d\(level + 1){stroke-opacity:\(String(layer).dropFirst())}"))
    }
  }

  @Test func `text is escaped and named`() {
    let svg = chart(.linear(0...1), .linear(0...1)).svg(id: "c1")
    #expect(svg.contains("<title id=c1>T &lt;1&gt;</title>"))
    #expect(svg.contains("<desc id=c1d>D &amp; d</desc>"))
    #expect(svg.contains("role=img aria-labelledby=\"c1 c1d\""))
  }

  @Test func `numbers that are none leave a gap`() {
    let svg = chart(
      .linear(0...4), .linear(0...1),
      marks: [.line([.init(0, 0), .init(1, .nan), .init(2, 1), .init(3, .infinity), .init(4, 0)], .first)]
    ).svg(id: "c")
    #expect(!svg.contains("nan") && !svg.contains("inf"))
    #expect(svg.contains("class=\"line s1\" d=\"M36 258h0M220 26h0M404 258h0\""))
  }
}
