// A graph as SVG: boxes in layers, each a link to what it stands for.
// SPDX-License-Identifier: Apache-2.0

/// The drawing of a graph. A node says its status by a mark and by its outline, never by colour alone.
package enum GraphDrawing {
  /// Above this, a drawing tells nobody anything.
  package static let mostNodes = 120

  /// - Parameters:
  ///   - id: unique on the page.
  ///   - target: the place on the page that a node leads to, `nil` for none.
  /// - Returns: an `svg` element that is never wider than it needs to be.
  package static func svg(_ graph: GraphDescription, id: String, target: (String) -> String?) -> String {
    let labels = graph.nodes.map { shortened($0.name) }
    let layout = LayeredLayout(IndexedGraph(graph), widths: labels.map { Double($0.count) * 7.4 + 46 })
    let margin = 4.0
    let (width, height) = (layout.width + margin * 2, layout.height + margin * 2)
    var out = SVGWriter()
    out.open(
      "svg",
      "class=graph viewBox=\"0 0 \(n(width)) \(n(height))\" width=\(n(width)) height=\(n(height)) role=group "
        + "aria-labelledby=\"\(id) \(id)d\"")
    out.line("<title id=\(id)>Stages and what they need</title>")
    out.line("<desc id=\(id)d>\(PlainText.content(description(graph)))</desc>")
    out.line("<g transform=\"translate(\(n(margin)) \(n(margin)))\">")
    out.path("edge", layout.routes.map(curve).joined())
    out.path("head", layout.routes.map(arrowHead).joined())
    for (index, node) in graph.nodes.enumerated() {
      write(node, label: labels[index], at: layout.places[index], target: target(node.name), &out)
    }
    out.line("</g>\n</svg>")
    return out.text
  }

  static func description(_ graph: GraphDescription) -> String {
    let needs = IndexedGraph(graph)
    return graph.nodes.enumerated().map { index, node in
      let above = needs.predecessors[index].map { graph.nodes[$0].name }
      let status = node.status.word.isEmpty ? "" : " (\(node.status.word))"
      return node.name + status + (above.isEmpty ? "" : " after " + above.joined(separator: ", "))
    }.joined(separator: "; ")
  }

  private static func write(
    _ node: GraphDescription.Node, label: String, at place: LayeredLayout.Place, target: String?, _ out: inout SVGWriter
  ) {
    let half = LayeredLayout.boxHeight / 2
    let (x, y) = (place.x - place.width / 2, place.y - half)
    let word = node.status.word.isEmpty ? "" : ", \(node.status.word)"
    if let target { out.line("<a href=\"#\(target)\" aria-label=\"\(PlainText.escaped(node.name + word))\">") }
    out.line(
      "<rect class=\"node \(node.status.rawValue)\" x=\(n(x)) y=\(n(y)) width=\(n(place.width)) "
        + "height=\(n(LayeredLayout.boxHeight)) rx=\"\(node.kind == .data ? "17" : "6")\"/>")
    if let mark = node.status.mark {
      out.label(mark, x: x + 17, y: place.y + 5, anchor: "middle", class: "mark \(node.status.rawValue)")
    }
    out.label(label, x: x + 32, y: place.y + 5, class: "name")
    if target != nil { out.line("</a>") }
  }

  /// Down out of a box, down into the next; straight through the lanes.
  private static func curve(_ route: [(x: Double, y: Double)]) -> String {
    guard let first = route.first, let last = route.last else { return "" }
    var path = "M\(n(first.x)) \(n(first.y))"
    var (x, y) = first
    var down = ""
    for (position, point) in route.dropFirst().enumerated() {
      // The head of the arrow takes the last 5.
      let end = position == route.count - 2 ? last.y - 5 : point.y
      if point.x == x {
        // Several straight lanes are one.
        down = "V\(n(end))"
      } else {
        path += down
        down = ""
        let middle = (y + end) / 2
        path += "C\(n(x)) \(n(middle)) \(n(point.x)) \(n(middle)) \(n(point.x)) \(n(end))"
      }
      (x, y) = (point.x, end)
    }
    return path + down
  }

  private static func arrowHead(_ route: [(x: Double, y: Double)]) -> String {
    guard let last = route.last else { return "" }
    return "M\(n(last.x - 4)) \(n(last.y - 7))h8l-4 7z"
  }

  private static func shortened(_ name: String) -> String {
    name.count <= 34 ? name : name.prefix(20) + "…" + name.suffix(13)
  }
}
