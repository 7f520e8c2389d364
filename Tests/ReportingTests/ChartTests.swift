// Charts: where things stand, and the drawings themselves.
// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Reporting

@Suite struct ChartTests {
  private func chart(_ x: Chart.Scale, _ y: Chart.Scale, marks: [Chart.Mark] = [], legend: [Chart.LegendEntry] = []) -> Chart {
    Chart(title: "T <1>", description: "D & d", x: .init("x", x), y: .init("y", y), marks: marks, legend: legend)
  }

  @Test func `the frame leaves room for the labels`() {
    let layout = ChartLayout(chart(.linear(0...10), .linear(0...1)))
    // Labels such as `0.2` are 3 × 7.4 wide, plus 14.
    #expect(abs(layout.left - 36.2) < 1e-9)
    #expect(layout.right == 404 && layout.top == 26 && layout.bottom == 258)
    #expect(layout.px(0) == layout.left && layout.px(10) == 404)
    #expect(layout.py(0) == 258 && layout.py(1) == 26)
    // Outside is held at the edge.
    #expect(layout.px(99) == 404)
  }

  @Test func `labels keep clear of one another`() {
    let days = (1...31).map { "2026-06-\($0 < 10 ? "0" : "")\($0)" }
    let ticks = ChartLayout(chart(.bands(days), .linear(0...1))).xTicks
    #expect(ticks.map(\.label) == ["2026-06-01", "2026-06-08", "2026-06-15", "2026-06-22", "2026-06-29"])
    for (a, b) in zip(ticks, ticks.dropFirst()) { #expect(b.position - a.position > 10 * ChartLayout.characterWidth) }
    let large = ChartLayout(chart(.linear(0...9_000_000), .linear(0...1))).xTicks
    #expect(large.map(\.label) == ["0", "2,000,000", "4,000,000", "6,000,000", "8,000,000"])
  }

  @Test func `bands go from top to bottom on the upright axis`() {
    let layout = ChartLayout(chart(.linear(0...1), .bands(["a", "b"])))
    #expect(layout.py(0) < layout.py(1))
    #expect(layout.yTicks.map(\.label) == ["a", "b"])
    #expect(layout.yTicks[0].position == layout.py(0))
  }

  @Test func `long names are cut`() {
    let layout = ChartLayout(chart(.linear(0...1), .bands(["driver_speed_of_the_last_" + "days_mean_30d"])))
    #expect(layout.yTicks[0].label == "driver_speed_…s_mean_30d")
    #expect(layout.left < 200)
  }

  @Test func `a legend flows over lines and pushes the frame down`() {
    let entries = (0..<4).map { Chart.LegendEntry(.line, .first, "a series with a long name \($0)") }
    let layout = ChartLayout(chart(.linear(0...1), .linear(0...1), legend: entries))
    #expect(layout.legend.map(\.line) == [0, 1, 2, 3])
    #expect(layout.top == 26 + 4 * 20)
  }

  @Test func `text is escaped and named`() {
    let svg = chart(.linear(0...1), .linear(0...1)).svg(id: "c1")
    #expect(svg.contains("<title id=\"c1-title\">T &lt;1&gt;</title>"))
    #expect(svg.contains("<desc id=\"c1-desc\">D &amp; d</desc>"))
    #expect(svg.contains("role=\"img\" aria-labelledby=\"c1-title c1-desc\""))
  }

  @Test func `numbers that are none leave a gap`() {
    let svg = chart(
      .linear(0...4), .linear(0...1),
      marks: [.line([.init(0, 0), .init(1, .nan), .init(2, 1), .init(3, .infinity), .init(4, 0)], .first)]
    ).svg(id: "c")
    #expect(!svg.contains("nan") && !svg.contains("inf"))
    #expect(svg.contains("class=\"line s1\" d=\"M36.2 258M220.1 26M404 258\""))
  }

  @Test func `drawings of the sample run`() throws {
    for section in RunReport.document(Sample.input).sections {
      for case .figures(let figures) in section.blocks {
        for figure in figures {
          let problem = goldenMismatch(figure.chart.svg(id: figure.id), "chart-\(figure.id).svg")
          #expect(problem == nil, "\(problem ?? "")")
        }
      }
    }
  }

  @Test func `the graph of the sample run`() {
    let problem = goldenMismatch(GraphDrawing.svg(Sample.graph, id: "g") { "stage-\($0)" }, "graph.svg")
    #expect(problem == nil, "\(problem ?? "")")
  }

  @Test func `layers follow the needs, boxes keep apart`() {
    let layout = LayeredLayout(IndexedGraph(Sample.graph), widths: Array(repeating: 80, count: 7))
    // simulate, prepare, features, train, evaluate, register, backtest
    #expect(layout.places.map(\.y) == [17, 85, 153, 221, 289, 357, 221])
    #expect(abs(layout.places[3].x - layout.places[6].x) >= 98 - 1e-9)
    #expect(layout.routes.count == 8)
    #expect(layout.height == 374)
  }

  @Test func `no two boxes of a random graph touch`() {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<20 {
      let count = Int.random(in: 2...60, using: &random)
      let nodes = (0..<count).map { GraphDescription.Node(name: "n\($0)") }
      let edges = (1..<count).flatMap { to in
        (0..<Int.random(in: 0...3, using: &random)).map { _ in
          GraphDescription.Edge(from: "n\(Int.random(in: 0..<to, using: &random))", to: "n\(to)")
        }
      }
      let layout = LayeredLayout(IndexedGraph(.init(nodes: nodes, edges: edges)), widths: Array(repeating: 60, count: count))
      for a in 0..<count {
        for b in (a + 1)..<count where layout.places[a].y == layout.places[b].y {
          #expect(abs(layout.places[a].x - layout.places[b].x) > 60)
        }
        #expect(layout.places[a].x >= 30 - 1e-6 && layout.places[a].x <= layout.width)
      }
    }
  }
}
