// The drawings of a run's report: charts and the graph.
// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Reporting

@Suite struct SampleDrawingsTests {
  @Test func `drawings of the sample run`() throws {
    for section in RunReport.document(Sample.input).sections {
      for case .figures(let figures) in section.blocks {
        for figure in figures {
          let problem = goldenMismatch(figure.chart.svg(id: figure.id), "chart-\(figure.id).html")
          #expect(problem == nil, "\(problem ?? "")")
        }
      }
    }
  }

  @Test func `the graph of the sample run`() {
    let problem = goldenMismatch(GraphDrawing.svg(Sample.graph, id: "g") { "stage-\($0)" }, "graph.html")
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
