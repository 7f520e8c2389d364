// `pipe dag`: the graph of stages or of their outputs, as text, DOT or Mermaid.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
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
        pipe dag --outs --md
      """)

  @Argument(help: "Stages or outputs: they and all they need. Default: all stages.", completion: .custom(completeStages))
  var targets: [String] = []
  @Flag(help: "Print Graphviz DOT.") var dot = false
  @Flag(help: "Print a Mermaid flowchart.") var mermaid = false
  @Flag(help: "Print a Mermaid flowchart as a Markdown block.") var md = false
  @Flag(name: [.customShort("o"), .customLong("outs")], help: "Show the outputs instead of the stages.") var outputs = false
  @Flag(help: "With targets: all that is linked to them, not only what they need.") var full = false
  @Flag(help: "One node for all stages of a `foreach` or `matrix`.") var collapseForeachMatrix = false
  @OptionGroup var volume: Volume

  func validate() throws {
    if [dot, mermaid, md].count(where: { $0 }) > 1 { throw ValidationError("--dot, --mermaid and --md exclude each other") }
    if outputs, collapseForeachMatrix { throw ValidationError("--outs and --collapse-foreach-matrix exclude each other") }
  }

  func run() throws {
    let project = try Project.find()
    let graph = try project.load().graph()
    let view = DagView(project, graph)
    Terminal.standard.out(text(try outputs ? outputGraph(view, project, graph) : stageGraph(view, project, graph)))
  }

  private func stageGraph(_ view: DagView, _ project: Project, _ graph: StageGraph) throws -> GraphDescription {
    if targets.isEmpty { return view.stages(Array(graph.stages.indices), collapsed: collapseForeachMatrix) }
    let named = try TargetSelection(project, graph).indices(of: targets)
    return view.stages(full ? graph.component(of: named) : graph.closure(of: named), collapsed: collapseForeachMatrix)
  }

  private func outputGraph(_ view: DagView, _ project: Project, _ graph: StageGraph) throws -> GraphDescription {
    guard !targets.isEmpty else { return view.outputs() }
    var selection = OutputSelection(try project.load(), graph)
    selection.isRecursive = true
    let named = try selection.outputs(of: targets).map { project.display($0.output.path) }
    return view.outputs().restricted(to: Set(named), full: full)
  }

  private func text(_ description: GraphDescription) -> String {
    if dot { return GraphText.dot(description) }
    if md { return "```mermaid\n\(GraphText.flowchart(description))```\n" }
    return mermaid ? GraphText.flowchart(description) : GraphText.plain(description)
  }
}

/// What a project's graph shows, in the order of its files: a folder's own before those of folders below.
struct DagView {
  private let project: Project
  private let graph: StageGraph
  /// Indices of all stages, in order.
  private let order: [Int]

  init(_ project: Project, _ graph: StageGraph) {
    self.project = project
    self.graph = graph
    let manifests = graph.stages.map(\.manifest)
    let sorted = Set(manifests.compactMap { $0 }).sorted(by: Self.precedes)
    let places = Dictionary(uniqueKeysWithValues: zip(sorted, sorted.indices))
    let keys = manifests.map { $0.flatMap { places[$0] } ?? -1 }
    order = graph.stages.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
  }

  /// By folder from the outside in, then by name.
  private static func precedes(_ a: WorkspacePath, _ b: WorkspacePath) -> Bool {
    let (a, b) = (a.text.split(separator: "/"), b.text.split(separator: "/"))
    for position in 0..<min(a.count, b.count) {
      if (position == a.count - 1) != (position == b.count - 1) { return position == a.count - 1 }
      if a[position] != b[position] { return a[position].utf8.lexicographicallyPrecedes(b[position].utf8) }
    }
    return a.count < b.count
  }

  /// - Parameter collapsed: whether the stages of a `foreach` or `matrix` are one node.
  func stages(_ shown: [Int], collapsed: Bool) -> GraphDescription {
    let isShown = Set(shown)
    let names = graph.stages.map { stage in
      let name = project.display(stage)
      guard collapsed, let group = stage.group, name.hasSuffix(stage.localName) else { return name }
      return name.dropLast(stage.localName.count) + group
    }
    // Groups come after what stands for itself.
    let inOrder = order.filter(isShown.contains)
    let placed =
      collapsed ? inOrder.filter { graph.stages[$0].group == nil } + inOrder.filter { graph.stages[$0].group != nil } : inOrder
    var seen: Set<String> = []
    return GraphDescription(
      nodes: placed.filter { seen.insert(names[$0]).inserted }.map {
        GraphDescription.Node(name: names[$0], kind: .init(graph.stages[$0]))
      },
      edges: placed.flatMap { index in
        graph.upstream[index].filter(isShown.contains).map { GraphDescription.Edge(from: names[$0], to: names[index]) }
      })
  }

  /// All outputs as nodes; one needs those that its stage reads.
  func outputs() -> GraphDescription {
    let stages = order.map { graph.stages[$0] }
    let index = OutputIndex(stages.flatMap { $0.outputs.map(\.path) })
    return GraphDescription(
      nodes: index.ordered.map { GraphDescription.Node(name: project.display($0)) },
      edges: stages.flatMap { stage in
        let needed = index.outputs(for: stage)
        return stage.outputs.flatMap { output in
          needed.map { GraphDescription.Edge(from: project.display($0), to: project.display(output.path)) }
        }
      })
  }
}

/// Outputs by path and by the folders around them.
private struct OutputIndex {
  private let all: Set<WorkspacePath>
  private var below: [WorkspacePath: [WorkspacePath]] = [:]
  /// Those that share folders stand together; else the order that was given.
  let ordered: [WorkspacePath]

  init(_ paths: [WorkspacePath]) {
    all = Set(paths)
    // Every folder has the place of its first output.
    var places: [WorkspacePath: Int] = [:]
    var keys: [WorkspacePath: [Int]] = [:]
    for path in paths {
      var chain: [WorkspacePath] = [path]
      while let parent = chain[0].parent { chain.insert(parent, at: 0) }
      for place in chain where places[place] == nil { places[place] = places.count }
      for folder in chain.dropLast() { below[folder, default: []].append(path) }
      keys[path] = chain.map { places[$0] ?? 0 }
    }
    ordered = paths.sorted { (keys[$0] ?? []).lexicographicallyPrecedes(keys[$1] ?? []) }
  }

  /// What a stage reads of them.
  func outputs(for stage: Stage) -> [WorkspacePath] {
    let read = stage.dependencies.compactMap { dependency -> WorkspacePath? in
      if case .pattern(let pattern) = dependency.place { return pattern.base }
      return dependency.path
    }
    return (read + stage.parameters.map(\.file)).flatMap { path -> [WorkspacePath] in
      var place: WorkspacePath? = path
      while let current = place {
        if all.contains(current) { return [current] }
        place = current.parent
      }
      return below[path] ?? []
    }
  }
}

extension GraphDescription.Kind {
  fileprivate init(_ stage: Stage) {
    switch stage.work {
    case .notebook: self = .notebook
    case .data: self = .data
    default: self = .command
    }
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
