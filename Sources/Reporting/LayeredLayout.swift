// Places for the nodes of a graph: layers from top to bottom, few crossings.
// SPDX-License-Identifier: Apache-2.0

/// Boxes in rows, a node below all it needs, long edges led through places of their own between boxes.
///
/// Source: Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical system structures", 1981
/// (longest-path layers, barycentre ordering).
struct LayeredLayout {
  struct Place: Equatable {
    /// Centre of the box.
    var x: Double
    var y: Double
    var width: Double
  }

  /// By position in the graph's nodes.
  private(set) var places: [Place]
  /// Each edge as points from the lower side of a box to the upper side of another.
  private(set) var routes: [[(x: Double, y: Double)]]
  private(set) var width: Double = 0
  private(set) var height: Double = 0

  static let boxHeight = 34.0
  static let layerGap = 34.0
  static let columnGap = 18.0
  private static let laneWidth = 10.0

  /// A box, or a bend of a long edge.
  private struct Slot {
    var node: Int?
    var width: Double
    var x = 0.0
    var before: [Int] = []
    var after: [Int] = []
  }

  /// - Parameter widths: of the boxes, by position in the graph's nodes.
  init(_ graph: IndexedGraph, widths: [Double]) {
    var slots = widths.map { Slot(node: 0, width: $0) }
    for index in slots.indices { slots[index].node = index }
    let depth = (graph.layers.max() ?? -1) + 1
    var rows = [[Int]](repeating: [], count: depth)
    for node in graph.order { rows[graph.layers[node]].append(node) }
    var chains: [[Int]] = []
    for from in graph.order {
      for to in graph.successors[from] where graph.layers[to] > graph.layers[from] {
        var chain = [from]
        for layer in (graph.layers[from] + 1)..<graph.layers[to] {
          slots.append(Slot(node: nil, width: Self.laneWidth))
          rows[layer].append(slots.count - 1)
          chain.append(slots.count - 1)
        }
        chain.append(to)
        for (a, b) in zip(chain, chain.dropFirst()) {
          slots[a].after.append(b)
          slots[b].before.append(a)
        }
        chains.append(chain)
      }
    }
    Self.orderRows(&rows, slots)
    Self.setAcross(rows, &slots)
    width = slots.map { $0.x + $0.width / 2 }.max() ?? 0
    height = depth == 0 ? 0 : Double(depth) * (Self.boxHeight + Self.layerGap) - Self.layerGap
    var rowOf = [Int](repeating: 0, count: slots.count)
    for (index, row) in rows.enumerated() { for slot in row { rowOf[slot] = index } }
    func y(_ slot: Int) -> Double { Double(rowOf[slot]) * (Self.boxHeight + Self.layerGap) + Self.boxHeight / 2 }
    places = widths.indices.map { Place(x: slots[$0].x, y: y($0), width: widths[$0]) }
    routes = chains.map { chain in
      chain.enumerated().flatMap { position, slot -> [(x: Double, y: Double)] in
        let (x, y) = (slots[slot].x, y(slot))
        let half = Self.boxHeight / 2
        if position == 0 { return [(x, y + half)] }
        if position == chain.count - 1 { return [(x, y - half)] }
        return [(x, y - half), (x, y + half)]
      }
    }
  }

  /// Sweeps down and up, each row by the mean place of its neighbours in the row before.
  private static func orderRows(_ rows: inout [[Int]], _ slots: [Slot]) {
    var position = [Double](repeating: 0, count: slots.count)
    func note(_ row: [Int]) {
      for (index, slot) in row.enumerated() { position[slot] = (Double(index) + 0.5) / Double(row.count) }
    }
    for row in rows { note(row) }
    for sweep in 0..<8 {
      let indices = sweep % 2 == 0 ? Array(rows.indices) : rows.indices.reversed()
      for index in indices {
        let keys = rows[index].map { slot -> Double in
          let neighbours = sweep % 2 == 0 ? slots[slot].before : slots[slot].after
          guard !neighbours.isEmpty else { return position[slot] }
          return neighbours.reduce(0) { $0 + position[$1] } / Double(neighbours.count)
        }
        let order = rows[index].indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
        rows[index] = order.map { rows[index][$0] }
        note(rows[index])
      }
    }
  }

  /// Boxes as near as they may stand to the mean of their neighbours, rows in their order.
  private static func setAcross(_ rows: [[Int]], _ slots: inout [Slot]) {
    func needed(_ row: [Int]) -> Double {
      var sum = Double(max(0, row.count - 1)) * columnGap
      for slot in row { sum += slots[slot].width }
      return sum
    }
    let widest = rows.map(needed).max() ?? 0
    for row in rows {
      var x = (widest - needed(row)) / 2
      for slot in row {
        slots[slot].x = x + slots[slot].width / 2
        x += slots[slot].width + columnGap
      }
    }
    for sweep in 0..<6 {
      let indices = sweep % 2 == 0 ? Array(rows.indices) : rows.indices.reversed()
      for index in indices { align(rows[index], &slots, downward: sweep % 2 == 0) }
    }
    let left = slots.map { $0.x - $0.width / 2 }.min() ?? 0
    for index in slots.indices { slots[index].x -= left }
  }

  /// Wishes first, then overlaps pushed apart from the left and from the right, and the mean of both.
  private static func align(_ row: [Int], _ slots: inout [Slot], downward: Bool) {
    let wishes = row.map { slot -> Double in
      let neighbours = downward ? slots[slot].before : slots[slot].after
      guard !neighbours.isEmpty else { return slots[slot].x }
      return neighbours.reduce(0) { $0 + slots[$1].x } / Double(neighbours.count)
    }
    var fromLeft = wishes
    for index in row.indices.dropFirst() {
      let least = (slots[row[index - 1]].width + slots[row[index]].width) / 2 + columnGap
      fromLeft[index] = max(fromLeft[index], fromLeft[index - 1] + least)
    }
    var fromRight = wishes
    for index in row.indices.dropLast().reversed() {
      let least = (slots[row[index + 1]].width + slots[row[index]].width) / 2 + columnGap
      fromRight[index] = min(fromRight[index], fromRight[index + 1] - least)
    }
    for index in row.indices { slots[row[index]].x = (fromLeft[index] + fromRight[index]) / 2 }
  }
}
