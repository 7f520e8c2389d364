// A pipeline's graph as the drawings need it.
// SPDX-License-Identifier: Apache-2.0

/// Nodes and who needs whom; who makes one sees to it that there is no circle.
package struct GraphDescription: Sendable, Equatable {
  package enum Status: String, Sendable, Equatable, CaseIterable {
    /// Has a result, by this run or an earlier one.
    case done
    /// Executed now.
    case ran
    /// Up to date, or brought back from the store.
    case cached
    case failed
    /// Stands after a failed one, or was stopped.
    case skipped
    /// Nothing is known yet, or the drawing is of the plan only.
    case unknown
  }

  package enum Kind: String, Sendable, Equatable { case command, notebook, data }

  package struct Node: Sendable, Equatable {
    package var name: String
    package var status: Status
    package var kind: Kind
    package init(name: String, status: Status = .unknown, kind: Kind = .command) {
      self.name = name
      self.status = status
      self.kind = kind
    }
  }

  /// `to` needs what `from` makes.
  package struct Edge: Sendable, Hashable {
    package var from: String
    package var to: String
    package init(from: String, to: String) {
      self.from = from
      self.to = to
    }
  }

  /// In the order of the pipeline file, names unique.
  package var nodes: [Node]
  package var edges: [Edge]

  package init(nodes: [Node], edges: [Edge]) {
    self.nodes = nodes
    self.edges = edges
  }
}

extension GraphDescription {
  /// Some nodes with all that they need, or with all that is linked to them.
  package func restricted(to names: Set<String>, full: Bool) -> GraphDescription {
    let indexed = IndexedGraph(self)
    var stack = indexed.names.indices.filter { names.contains(indexed.names[$0]) }
    var kept = Set(stack)
    while let node = stack.popLast() {
      for next in indexed.predecessors[node] + (full ? indexed.successors[node] : []) where kept.insert(next).inserted {
        stack.append(next)
      }
    }
    let keptNames = Set(kept.map { indexed.names[$0] })
    return GraphDescription(
      nodes: nodes.filter { keptNames.contains($0.name) },
      edges: edges.filter { keptNames.contains($0.from) && keptNames.contains($0.to) })
  }
}

/// The graph by positions in `nodes`: sorted, each edge once, edges to unknown names and to oneself left out.
struct IndexedGraph {
  let names: [String]
  let successors: [[Int]]
  let predecessors: [[Int]]
  /// Longest way from a source, in edges. Nodes on a circle are let in where it is first broken.
  let layers: [Int]
  /// Every node after those it needs; among free ones the file's order.
  let order: [Int]

  init(_ graph: GraphDescription) {
    names = graph.nodes.map(\.name)
    var index: [String: Int] = [:]
    for (position, name) in names.enumerated() where index[name] == nil { index[name] = position }
    var pairs: Set<[Int]> = []
    for edge in graph.edges {
      guard let from = index[edge.from], let to = index[edge.to], from != to else { continue }
      pairs.insert([from, to])
    }
    var after = [[Int]](repeating: [], count: names.count)
    var before = after
    for pair in pairs.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      after[pair[0]].append(pair[1])
      before[pair[1]].append(pair[0])
    }
    successors = after
    predecessors = before
    (order, layers) = Self.sort(successors: after, predecessors: before)
  }

  /// Nodes that are linked, together: each part in ascending order, the parts by their first node.
  var parts: [[Int]] {
    var part = [Int?](repeating: nil, count: names.count)
    var parts: [[Int]] = []
    for start in names.indices where part[start] == nil {
      part[start] = parts.count
      var found = [start]
      var position = 0
      while position < found.count {
        let node = found[position]
        for next in successors[node] + predecessors[node] where part[next] == nil {
          part[next] = parts.count
          found.append(next)
        }
        position += 1
      }
      parts.append(found.sorted())
    }
    return parts
  }

  private static func sort(successors: [[Int]], predecessors: [[Int]]) -> (order: [Int], layers: [Int]) {
    var waiting = predecessors.map(\.count)
    var layers = [Int](repeating: 0, count: waiting.count)
    var order: [Int] = []
    var placed = [Bool](repeating: false, count: waiting.count)
    var ready = waiting.indices.filter { waiting[$0] == 0 }
    while order.count < waiting.count {
      if ready.isEmpty, let stuck = placed.firstIndex(of: false) { ready = [stuck] }
      var next: [Int] = []
      for node in ready where !placed[node] {
        placed[node] = true
        order.append(node)
        for successor in successors[node] where !placed[successor] {
          layers[successor] = max(layers[successor], layers[node] + 1)
          waiting[successor] -= 1
          if waiting[successor] == 0 { next.append(successor) }
        }
      }
      ready = next.sorted()
    }
    return (order, layers)
  }
}
