// The marks of a chart, each as a few elements.
// SPDX-License-Identifier: Apache-2.0

extension Chart {
  func drawAxes(_ out: inout SVGWriter, _ layout: ChartLayout) {
    let (left, right, top, bottom) = (layout.left, layout.right, layout.top, layout.bottom)
    var grid = ""
    let hasBands = if case .bands = y.scale { true } else { false }
    for tick in layout.yTicks {
      if !hasBands { grid += "M\(n(left)) \(n(tick.position))H\(n(right))" }
      out.label(tick.label, x: left - 7, y: tick.position + 4, anchor: "end")
    }
    for tick in layout.xTicks {
      grid += "M\(n(tick.position)) \(n(top))V\(n(bottom))"
      out.label(tick.label, x: tick.position, y: bottom + 17, anchor: "middle")
    }
    out.line("<path class=\"grid\" d=\"\(grid)\"/>")
    out.label(x.label, x: (left + right) / 2, y: bottom + 36, anchor: "middle", class: "axis")
    out.label(y.label, x: 4, y: top - 13, class: "axis")
  }

  func drawLegend(_ out: inout SVGWriter, _ layout: ChartLayout) {
    for (entry, place) in zip(legend, layout.legend) {
      let y = 11 + Double(place.line) * ChartLayout.lineHeight
      let x = place.x
      let series = "s\(entry.series.rawValue)"
      switch entry.shape {
      case .line: out.line("<path class=\"line \(series)\" d=\"M\(n(x)) \(n(y))h22\"/>")
      case .dashes: out.line("<path class=\"rule\" d=\"M\(n(x)) \(n(y))h22\"/>")
      case .dot: out.line(dot(x: x + 11, y: y, entry.series))
      case .area: out.line("<path class=\"ribbon \(series)\" d=\"M\(n(x)) \(n(y - 5))h22v10h-22z\"/>")
      }
      out.label(entry.text, x: x + 28, y: y + 4)
    }
  }

  func draw(_ mark: Mark, _ out: inout SVGWriter, _ layout: ChartLayout) {
    switch mark {
    case .grid(let columns, let rows, let levels):
      drawGrid(columns: columns, rows: rows, levels: levels, &out, layout)
    case .histogram(let edges, let heights): drawHistogram(edges, heights, &out, layout)
    case .bars(let values):
      let half = min(layout.bandHalfHeight * 0.72, 12)
      var path = ""
      for (index, value) in values.enumerated() where value.isFinite {
        let width = layout.px(value) - layout.left
        path += "M\(n(layout.left)) \(n(layout.py(Double(index)) - half))h\(n(width))v\(n(half * 2))h\(n(-width))z"
      }
      out.line("<path class=\"bar s1\" d=\"\(path)\"/>")
    case .line(let points, let series):
      out.line("<path class=\"line s\(series.rawValue)\" d=\"\(polyline(points, layout))\"/>")
    case .ribbon(let points, let series): drawRibbon(points, series, &out, layout)
    case .dots(let points, let series):
      for point in points where layout.hasX(point.x) && layout.hasY(point.y) {
        if let low = point.low, let high = point.high {
          let x = n(layout.px(point.x))
          out.line("<path class=\"whisker s\(series.rawValue)\" d=\"M\(x) \(n(layout.py(low)))V\(n(layout.py(high)))\"/>")
        }
        out.line(dot(x: layout.px(point.x), y: layout.py(point.y), series))
      }
    case .intervals(let points, let series):
      for point in points where layout.hasX(point.x) {
        if let low = point.low, let high = point.high {
          let y = n(layout.py(point.y))
          out.line("<path class=\"whisker s\(series.rawValue)\" d=\"M\(n(layout.px(low))) \(y)H\(n(layout.px(high)))\"/>")
        }
        out.line(dot(x: layout.px(point.x), y: layout.py(point.y), series))
      }
    case .horizontalRule(let value):
      guard layout.hasY(value) else { return }
      let y = layout.py(value)
      out.line("<path class=\"rule\" d=\"M\(n(layout.left)) \(n(y))H\(n(layout.right))\"/>")
    case .verticalRule(let value):
      guard layout.hasX(value) else { return }
      let x = layout.px(value)
      out.line("<path class=\"rule\" d=\"M\(n(x)) \(n(layout.top))V\(n(layout.bottom))\"/>")
    case .identity: drawIdentity(&out, layout)
    }
  }

  /// In whole numbers of cells, scaled to the frame: half the bytes of drawing each in the frame's own units.
  private func drawGrid(columns: Int, rows: Int, levels: [Int], _ out: inout SVGWriter, _ layout: ChartLayout) {
    let width = scaleText((layout.right - layout.left) / Double(columns))
    let height = scaleText((layout.bottom - layout.top) / Double(rows))
    out.line(
      "<g shape-rendering=\"crispEdges\" transform=\"translate(\(n(layout.left)) \(n(layout.top))) scale(\(width) \(height))\">")
    for level in 1...6 {
      var path = ""
      for row in 0..<rows {
        var column = 0
        while column < columns {
          let start = column
          while column < columns, levels[row * columns + column] == level { column += 1 }
          if column > start {
            path += "M\(start) \(rows - row - 1)h\(column - start)v1h-\(column - start)z"
          } else {
            column += 1
          }
        }
      }
      if !path.isEmpty { out.line("<path class=\"d\(level)\" d=\"\(path)\"/>") }
    }
    out.line("</g>")
  }

  /// Four decimals, so that the last cell ends at the frame.
  private func scaleText(_ value: Double) -> String {
    let parts = Int((value * 10_000).rounded())
    let rest = String(parts % 10_000)
    return "\(parts / 10_000).\(String(repeating: "0", count: 4 - rest.count))\(rest)"
  }

  private func drawHistogram(_ edges: [Double], _ heights: [Double], _ out: inout SVGWriter, _ layout: ChartLayout) {
    var path = ""
    for (index, height) in heights.enumerated() where height > 0 && index + 1 < edges.count {
      let (a, b) = (layout.px(edges[index]), layout.px(edges[index + 1]))
      let top = layout.py(height)
      path += "M\(n(a)) \(n(layout.bottom))V\(n(top))H\(n(b))V\(n(layout.bottom))z"
    }
    out.line("<path class=\"bar s1 thin\" d=\"\(path)\"/>")
  }

  private func drawRibbon(_ points: [Point], _ series: Series, _ out: inout SVGWriter, _ layout: ChartLayout) {
    let ends = points.compactMap { point in
      point.low.flatMap { low in point.high.map { (x: layout.px(point.x), low: layout.py(low), high: layout.py($0)) } }
    }
    guard ends.count > 1 else { return }
    let upper = ends.map { "\(n($0.x)) \(n($0.high))" }
    let lower = ends.reversed().map { "\(n($0.x)) \(n($0.low))" }
    out.line("<path class=\"ribbon s\(series.rawValue)\" d=\"M\((upper + lower).joined(separator: "L"))z\"/>")
  }

  private func drawIdentity(_ out: inout SVGWriter, _ layout: ChartLayout) {
    guard case .linear(let xs) = x.scale, case .linear(let ys) = y.scale else { return }
    let low = max(xs.lowerBound, ys.lowerBound)
    let high = min(xs.upperBound, ys.upperBound)
    guard low < high else { return }
    out.line(
      "<path class=\"rule\" d=\"M\(n(layout.px(low))) \(n(layout.py(low)))"
        + "L\(n(layout.px(high))) \(n(layout.py(high)))\"/>")
  }

  private func polyline(_ points: [Point], _ layout: ChartLayout) -> String {
    var path = ""
    var isPenDown = false
    for point in points {
      guard point.x.isFinite, point.y.isFinite else {
        isPenDown = false
        continue
      }
      path += "\(isPenDown ? "L" : "M")\(n(layout.px(point.x))) \(n(layout.py(point.y)))"
      isPenDown = true
    }
    return path
  }

  /// A circle, square, diamond or cross: shape says the series to those who do not see colours.
  private func dot(x: Double, y: Double, _ series: Series) -> String {
    switch series {
    case .first: "<circle class=\"dot s1\" cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"4\"/>"
    case .second: "<path class=\"dot s2\" d=\"M\(n(x - 4)) \(n(y - 4))h8v8h-8z\"/>"
    case .third: "<path class=\"dot s3\" d=\"M\(n(x)) \(n(y - 5))l5 5l-5 5l-5 -5z\"/>"
    case .muted: "<circle class=\"dot s4\" cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"3\"/>"
    }
  }
}
