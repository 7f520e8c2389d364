// `pipe dag`: the graph as text, DOT or Mermaid.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import PipelineModel
import Reporting

struct DagCommand: ParsableCommand, HasVolume {
  static let configuration = CommandConfiguration(
    commandName: "dag",
    abstract: "Print which stage needs which.",
    discussion: """
      Examples:
        pipe dag
        pipe dag --mermaid > docs/graph.mmd
        pipe dag train --dot | dot -Tsvg > graph.svg
      """)

  @Argument(help: "A stage: it and all it needs. Default: all stages.", completion: .custom(completeStages))
  var targets: [String] = []
  @Flag(help: "Print Graphviz DOT.") var dot = false
  @Flag(help: "Print a Mermaid flowchart.") var mermaid = false
  @OptionGroup var volume: Volume

  func validate() throws {
    if dot, mermaid { throw ValidationError("--dot and --mermaid exclude each other") }
  }

  func run() throws {
    let project = try Project.find()
    let graph = try project.load().graph()
    let order = targets.isEmpty ? graph.order : graph.closure(of: try TargetSelection(project, graph).indices(of: targets))
    let description = GraphDescription(graph, order: order)
    Terminal.standard.out(
      dot ? GraphText.dot(description) : mermaid ? GraphText.mermaid(description) : GraphText.plain(description))
  }
}

extension GraphDescription {
  /// - Parameter order: indices of the stages to show.
  init(_ graph: StageGraph, order: [Int], status: (String) -> Status = { _ in .unknown }) {
    let shown = Set(order)
    self.init(
      nodes: order.map { index in
        let stage = graph.stages[index]
        let kind: Kind = if case .notebook = stage.work { .notebook } else { .command }
        return Node(name: stage.name, status: status(stage.name), kind: kind)
      },
      edges: order.flatMap { index in
        graph.upstream[index].filter(shown.contains).map {
          Edge(from: graph.stages[$0].name, to: graph.stages[index].name)
        }
      })
  }
}
