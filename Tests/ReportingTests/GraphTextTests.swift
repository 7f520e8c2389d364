// Graphs as text.
// SPDX-License-Identifier: Apache-2.0
import Reporting
import Testing

@Suite struct GraphTextTests {
  private func graph(_ names: [String], _ edges: [(String, String)]) -> GraphDescription {
    GraphDescription(nodes: names.map { .init(name: $0) }, edges: edges.map { .init(from: $0.0, to: $0.1) })
  }

  @Test func `dot lists nodes, then edges`() {
    #expect(
      GraphText.dot(graph(["a", "b \"q\""], [("a", "b \"q\"")])) == """
        strict digraph {
        "a";
        "b \\"q\\"";
        "a" -> "b \\"q\\"";
        }

        """)
  }

  @Test func `mermaid numbers its nodes and quotes their labels`() {
    #expect(
      GraphText.mermaid(graph(["a", "b \"q\"", "c"], [("a", "b \"q\""), ("a", "c")])) == """
        flowchart TD
        \tnode1["a"]
        \tnode2["b #quot;q#quot;"]
        \tnode3["c"]
        \tnode1-->node2
        \tnode1-->node3

        """)
  }

  @Test func `marks stand in the label and in a class`() {
    var some = graph(["a", "b", "c"], [("a", "b"), ("b", "c")])
    some.nodes[0].status = .cached
    some.nodes[1].status = .failed
    some.nodes[2].status = .skipped
    let text = GraphText.mermaid(some, marked: true)
    #expect(text.contains("node1[\"✓ a\"]"))
    #expect(text.contains("node2[\"✗ b\"]"))
    #expect(text.contains("class node2 failed"))
    #expect(text.contains("class node3 skipped"))
  }

  @Test func `a chain goes down, a fork to the right`() {
    #expect(
      GraphText.plain(Sample.graph) == """
        simulate
        │
        prepare
        │
        features
        ├─ train
        │  │
        │  evaluate  (also after features)
        │  │
        │  register  (also after train)
        └─ backtest

        """)
  }

  @Test func `separate pipelines stand apart`() {
    #expect(GraphText.plain(graph(["a", "b", "c"], [("a", "c")])) == "a\n│\nc\n\nb\n")
    #expect(GraphText.plain(graph([], [])) == "")
  }

  @Test func `a diamond shows its lower end once`() {
    #expect(
      GraphText.plain(graph(["a", "b", "c", "d"], [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])) == """
        a
        ├─ b
        │  │
        │  d  (also after c)
        └─ c

        """)
  }

  @Test func `the order of the edges does not matter`() {
    var turned = Sample.graph
    turned.edges.reverse()
    turned.edges.append(turned.edges[0])
    #expect(GraphText.dot(turned) == GraphText.dot(Sample.graph))
    #expect(GraphText.plain(turned) == GraphText.plain(Sample.graph))
    #expect(GraphText.mermaid(turned) == GraphText.mermaid(Sample.graph))
  }

  @Test func `a thousand stages are written at once, each on one line`() {
    let names = (0..<1_000).map { "stage_\($0)" }
    let edges = (1..<1_000).flatMap { n in [n / 2, n - 1, max(0, n - 7)].map { (names[$0], names[n]) } }
    let clock = ContinuousClock()
    var text = ""
    let time = clock.measure { text = GraphText.plain(graph(names, edges)) }
    #expect(text.split(separator: "\n").filter { $0.contains("stage_") }.count == 1_000)
    #expect(time < .seconds(60))
  }

  @Test func `a circle does not hang the writer`() {
    let text = GraphText.plain(graph(["a", "b"], [("a", "b"), ("b", "a")]))
    #expect(text.contains("a") && text.contains("b"))
  }
}
