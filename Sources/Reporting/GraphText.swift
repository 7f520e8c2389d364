// A graph as text: DOT, Mermaid, and plain lines for a terminal.
// SPDX-License-Identifier: Apache-2.0

/// The text forms of a graph. Nodes stand in the order of the pipeline file, edges by where they start.
package enum GraphText {
  /// Graphviz, in the form that DVC prints.
  package static func dot(_ graph: GraphDescription) -> String {
    let indexed = IndexedGraph(graph)
    var lines = ["strict digraph {"]
    lines += indexed.names.map { "\(quoted($0));" }
    for (from, successors) in indexed.successors.enumerated() {
      lines += successors.map { "\(quoted(indexed.names[from])) -> \(quoted(indexed.names[$0]));" }
    }
    return (lines + ["}"]).joined(separator: "\n") + "\n"
  }

  /// A Mermaid flowchart, in the form that DVC prints; with marks, each status is a mark and a class.
  package static func mermaid(_ graph: GraphDescription, marked: Bool = false) -> String {
    let indexed = IndexedGraph(graph)
    var lines = ["flowchart TD"]
    for (index, node) in graph.nodes.enumerated() {
      let mark = marked ? node.status.mark.map { $0 + " " } ?? "" : ""
      lines.append("\tnode\(index + 1)[\"\(mark)\(mermaidLabel(node.name))\"]")
    }
    for (from, successors) in indexed.successors.enumerated() {
      lines += successors.map { "\tnode\(from + 1)-->node\($0 + 1)" }
    }
    if marked { lines += mermaidClasses(graph) }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A Mermaid flowchart in DVC's order: pipelines that do not touch one after the other, each sorted by name.
  package static func flowchart(_ graph: GraphDescription) -> String {
    let indexed = IndexedGraph(graph)
    var text = "flowchart TD"
    var before = 0
    for part in indexed.parts {
      let sorted = part.sorted { indexed.names[$0].utf8.lexicographicallyPrecedes(indexed.names[$1].utf8) }
      var numbers: [Int: Int] = [:]
      for (position, node) in sorted.enumerated() {
        numbers[node] = before + position + 1
        text += "\n\tnode\(before + position + 1)[\"\(mermaidLabel(indexed.names[node]))\"]"
      }
      for node in sorted {
        for next in indexed.successors[node].compactMap({ numbers[$0] }).sorted() {
          text += "\n\tnode\(numbers[node] ?? 0)-->node\(next)"
        }
      }
      before += part.count
    }
    return text + "\n"
  }

  /// One line a node, each below the deepest it needs; a chain goes straight down, a fork to the right.
  ///
  /// What else a node needs stands beside it: `evaluate  (also after features)`.
  package static func plain(_ graph: GraphDescription) -> String {
    let indexed = IndexedGraph(graph)
    var children = [[Int]](repeating: [], count: graph.nodes.count)
    var others = [[Int]](repeating: [], count: graph.nodes.count)
    var roots: [Int] = []
    for node in indexed.order {
      let above = indexed.predecessors[node].filter { indexed.layers[$0] < indexed.layers[node] }
      // The first of the deepest.
      guard let parent = above.max(by: { (indexed.layers[$0], -$0) < (indexed.layers[$1], -$1) }) else {
        roots.append(node)
        continue
      }
      children[parent].append(node)
      others[node] = above.filter { $0 != parent }
    }
    var out = PlainTree(graph: graph, children: children, others: others)
    for (position, root) in roots.sorted().enumerated() {
      if position > 0 { out.text += "\n" }
      out.write(root)
    }
    return out.text
  }

  private static func quoted(_ name: String) -> String {
    var result = "\""
    for character in name {
      switch character {
      case "\"", "\\": result += "\\\(character)"
      case "\n": result += "\\n"
      default: result.append(character)
      }
    }
    return result + "\""
  }

  /// Mermaid reads entities in quoted labels; a backtick at the start would switch to Markdown.
  private static func mermaidLabel(_ name: String) -> String {
    var result = ""
    for character in name {
      switch character {
      case "\"": result += "#quot;"
      case "#": result += "#35;"
      case "`": result += "#96;"
      case "<": result += "#lt;"
      case ">": result += "#gt;"
      case "\n": result += " "
      default: result.append(character)
      }
    }
    return result
  }

  private static func mermaidClasses(_ graph: GraphDescription) -> [String] {
    var lines: [String] = []
    for (status, style) in [
      (GraphDescription.Status.failed, "stroke:#b42318,stroke-width:3px"), (.skipped, "stroke-dasharray:4 3"),
    ] {
      let members = graph.nodes.indices.filter { graph.nodes[$0].status == status }
      guard !members.isEmpty else { continue }
      lines.append("\tclassDef \(status.rawValue) \(style)")
      lines.append("\tclass \(members.map { "node\($0 + 1)" }.joined(separator: ",")) \(status.rawValue)")
    }
    return lines
  }
}

extension GraphDescription.Status {
  /// A sign that needs no colour; none where there is nothing to say.
  var mark: String? {
    switch self {
    case .done, .cached: "✓"
    case .ran: "▶"
    case .failed: "✗"
    case .skipped: "○"
    case .unknown: nil
    }
  }

  var word: String {
    switch self {
    case .done: "done"
    case .ran: "ran"
    case .cached: "cached"
    case .failed: "failed"
    case .skipped: "not run"
    case .unknown: ""
    }
  }
}

/// Writes the tree without recursion, so that a chain of any length is no deeper than a fork.
private struct PlainTree {
  let graph: GraphDescription
  let children: [[Int]]
  let others: [[Int]]
  var text = ""

  /// Left of the forks below this depth there is nothing but more lines; deeper ones share a column.
  private static let deepestFork = 40

  mutating func write(_ root: Int) {
    var stack: [(node: Int, first: String, rest: String, depth: Int)] = [(root, "", "", 0)]
    while let (node, first, rest, depth) = stack.popLast() {
      text += first + label(node) + "\n"
      let below = children[node]
      if below.count == 1 {
        text += rest + "│\n"
        stack.append((below[0], rest, rest, depth))
        continue
      }
      let deep = depth >= Self.deepestFork
      for (position, child) in below.enumerated().reversed() {
        let isLast = position == below.count - 1
        stack.append(
          (child, rest + (isLast ? "└─ " : "├─ "), deep ? rest : rest + (isLast ? "   " : "│  "), depth + 1))
      }
    }
  }

  private func label(_ node: Int) -> String {
    var result = graph.nodes[node].name
    if let mark = graph.nodes[node].status.mark { result = mark + " " + result }
    guard !others[node].isEmpty else { return result }
    let shown = others[node].prefix(4).map { graph.nodes[$0].name }.joined(separator: ", ")
    let more = others[node].count > 4 ? " and \(others[node].count - 4) more" : ""
    return result + "  (also after \(shown)\(more))"
  }
}
