// The marks of a panel, each as a few elements.
// SPDX-License-Identifier: Apache-2.0

extension Chart.Panel {
  func draw(_ out: inout SVGWriter, _ layout: ChartLayout) {
    drawAxes(&out, layout)
    for mark in marks { draw(mark, &out, layout) }
    guard y.look != .none else { return }
    out.path("frame", "M\(n(layout.left)) \(n(layout.top))V\(n(layout.bottom))H\(n(layout.right))")
  }

  private func drawAxes(_ out: inout SVGWriter, _ layout: ChartLayout) {
    let (left, right, top, bottom) = (layout.left, layout.right, layout.top, layout.bottom)
    var grid = ""
    let hasBands = y.scale.bandNames != nil
    var end = -Double.infinity
    var labels = ""
    for tick in layout.yTicks {
      if !hasBands, y.look == .full { grid += "M\(n(left)) \(n(tick.position))H\(n(right))" }
      // Bands closer than a line of text are named as far as there is room.
      guard abs(tick.position - end) >= 13 else { continue }
      end = tick.position
      labels += SVGWriter.text(tick.label, x: left - 7, y: tick.position + (tick.context == nil ? 4 : -3))
      if let second = tick.context { labels += SVGWriter.text(second, x: left - 7, y: tick.position + 11) }
    }
    out.group("e", labels)
    labels = ""
    for tick in layout.xTicks {
      if x.look == .full { grid += "M\(n(tick.position)) \(n(top))V\(n(bottom))" }
      if layout.isSlanted {
        out.slanted(tick.label, x: tick.position + 4, y: bottom + 14)
      } else {
        labels += SVGWriter.text(tick.label, x: tick.position, y: bottom + 17)
        if let context = tick.context { labels += SVGWriter.text(context, x: tick.position, y: bottom + 32) }
      }
    }
    out.group("m", labels)
    out.path("grid", grid)
    if !x.label.isEmpty {
      let label = TextWidth.shortened(x.label, to: layout.limit - layout.originX - 4)
      let half = TextWidth.of(label) / 2
      let middle = max(layout.originX + half + 2, min((left + right) / 2, layout.limit - half - 2))
      out.label(label, x: middle, y: layout.xLabelY, anchor: "middle", class: "axis")
    }
    if !y.label.isEmpty {
      let label = TextWidth.shortened(y.label, to: layout.limit - layout.originX - 6)
      out.label(label, x: layout.originX + 4, y: top - 11, class: "axis")
    }
    if let title {
      out.label(
        TextWidth.shortened(title, to: right - layout.originX - 4), x: layout.originX + 4, y: layout.originY + 14, class: "name")
    }
  }

  private func draw(_ mark: Chart.Mark, _ out: inout SVGWriter, _ layout: ChartLayout) {
    switch mark {
    case .grid(let columns, let rows, let levels): drawGrid(columns: columns, rows: rows, levels: levels, &out, layout)
    case .steps(let edges, let heights, let series, let isOutlined):
      drawSteps(edges, heights, series, isOutlined: isOutlined, &out, layout)
    case .rows(let values, let series, let slot, let count):
      drawRows(values, series, slot: slot, of: count, &out, layout)
    case .line(let points, let series):
      out.path("line s\(series.rawValue)" + (points.count > PointBudget.thick ? " many" : ""), polyline(points, layout))
    case .faintLine(let points, let series): out.path("line faint s\(series.rawValue)", polyline(points, layout))
    case .ribbon(let points, let series): drawRibbon(points, series, &out, layout)
    case .dots(let points, let series): drawDots(points, series, &out, layout)
    case .swarm(let points, let colours): drawSwarm(points, colours, &out, layout)
    case .intervals(let points, let series): drawIntervals(points, series, &out, layout)
    case .whiskers(let points): drawWhiskers(points, &out, layout)
    case .spans(let spans): drawSpans(spans, &out, layout)
    case .cells(let cells): drawCells(cells, &out, layout)
    case .horizontalRule(let value):
      guard layout.hasY(value) else { return }
      out.path("rule", "M\(n(layout.left)) \(n(layout.py(value)))H\(n(layout.right))")
    case .verticalRule(let value):
      guard layout.hasX(value) else { return }
      out.path("rule", "M\(n(layout.px(value))) \(n(layout.top))V\(n(layout.bottom))")
    case .axisLine(let x, let from, let to):
      out.path("frame", "M\(n(layout.px(x))) \(n(layout.py(from)))V\(n(layout.py(to)))")
    case .segment(let a, let b):
      out.path("rule", "M\(n(layout.px(a.x))) \(n(layout.py(a.y)))L\(n(layout.px(b.x))) \(n(layout.py(b.y)))")
    case .identity: drawIdentity(&out, layout)
    case .text(let text, let x, let y, let anchor):
      out.label(text, x: layout.px(x), y: layout.py(y) + 4, anchor: anchor.rawValue)
    }
  }

  // MARK: Areas

  /// Strokes as wide as a cell, in whole numbers of cells and scaled to the frame: a quarter of the bytes of outlines in the
  /// frame's own units. Each level is painted over those below it and adds what it is stronger: half as many strokes as levels
  /// side by side.
  private func drawGrid(columns: Int, rows: Int, levels: [Int], _ out: inout SVGWriter, _ layout: ChartLayout) {
    let width = scaleText((layout.right - layout.left) / Double(columns))
    let height = scaleText((layout.bottom - layout.top) / Double(rows))
    out.line(
      "<g class=density shape-rendering=crispEdges transform=\"translate(\(n(layout.left)) "
        + "\(n(layout.top + (layout.bottom - layout.top) / Double(rows) / 2))) scale(\(width) \(height))\">")
    for level in 1...6 {
      var path = ""
      var last: (x: Int, y: Int)?
      for row in 0..<rows {
        var column = 0
        while column < columns {
          let start = column
          while column < columns, levels[row * columns + column] >= level { column += 1 }
          if column > start {
            path += SVGPath.move(to: (start, rows - row - 1), from: last) + "h\(column - start)"
            last = (column, rows - row - 1)
          } else {
            column += 1
          }
        }
      }
      out.path("d\(level)", path)
    }
    out.line("</g>")
  }

  /// Four decimals, so that the last cell ends at the frame.
  private func scaleText(_ value: Double) -> String {
    let parts = Int((value * 10_000).rounded())
    let rest = String(parts % 10_000)
    return "\(parts / 10_000).\(String(repeating: "0", count: 4 - rest.count))\(rest)"
  }

  private func drawSteps(
    _ edges: [Double], _ heights: [Double], _ series: Chart.Series, isOutlined: Bool, _ out: inout SVGWriter,
    _ layout: ChartLayout
  ) {
    let base = layout.py(0)
    if isOutlined {
      var path = ""
      for (index, height) in heights.enumerated() where index + 1 < edges.count {
        path +=
          (path.isEmpty ? "M\(n(layout.px(edges[index]))) \(n(base))" : "")
          + "V\(n(layout.py(height)))H\(n(layout.px(edges[index + 1])))"
      }
      out.path("ribbon s\(series.rawValue)", path + "V\(n(base))z")
      return out.path("line s\(series.rawValue)", path + "V\(n(base))")
    }
    var path = ""
    for (index, height) in heights.enumerated() where height > 0 && index + 1 < edges.count {
      let (a, b) = (layout.px(edges[index]), layout.px(edges[index + 1]))
      path += "M\(n(a)) \(n(base))V\(n(layout.py(height)))H\(n(b))V\(n(base))z"
    }
    out.path("bar s\(series.rawValue) thin", path)
  }

  private func drawRows(
    _ values: [Double], _ series: Chart.Series, slot: Int, of count: Int, _ out: inout SVGWriter, _ layout: ChartLayout
  ) {
    let room = min(layout.bandHalfHeight * 1.5, Double(count) * 24)
    let height = room / Double(max(1, count))
    let base = layout.px(0)
    var path = ""
    for (index, value) in values.enumerated() where value.isFinite {
      let top = layout.py(Double(index)) - room / 2 + Double(slot) * height
      let inset = count > 1 ? 0.5 : 0
      path += "M\(n(base)) \(n(top + inset))H\(n(layout.px(value)))v\(n(height - 2 * inset))H\(n(base))z"
    }
    // Neighbours differ in their filling, too.
    out.path("bar s\(series.rawValue)" + (slot % 2 == 1 ? " alt" : ""), path)
  }

  private func drawRibbon(_ points: [Chart.Point], _ series: Chart.Series, _ out: inout SVGWriter, _ layout: ChartLayout) {
    var run: [(x: Double, low: Double, high: Double)] = []
    func close() {
      guard run.count > 1 else { return run = [] }
      let around = run.map { (x: $0.x, y: $0.high) } + run.reversed().map { (x: $0.x, y: $0.low) }
      out.path("ribbon s\(series.rawValue)", SVGPath.line(around) + "z")
      run = []
    }
    for point in points {
      guard let low = point.low, let high = point.high, low.isFinite, high.isFinite else {
        close()
        continue
      }
      let place = (x: layout.px(point.x), low: layout.py(low), high: layout.py(high))
      // Of a long band every pixel keeps its widest.
      if points.count > PointBudget.line, let last = run.last, last.x.rounded() == place.x.rounded() {
        run[run.count - 1] = (last.x, max(last.low, place.low), min(last.high, place.high))
      } else {
        run.append(place)
      }
    }
    close()
  }

  private func drawSpans(_ spans: [Chart.Span], _ out: inout SVGWriter, _ layout: ChartLayout) {
    let half = min(layout.bandHalfHeight * 0.66, 9)
    for series in Chart.Series.allCases {
      var path = ""
      for span in spans where span.series == series {
        let left = layout.px(span.from)
        path +=
          "M\(n(left)) \(n(layout.py(Double(span.band)) - half))h\(n(max(1.5, layout.px(span.to) - left)))v\(n(half * 2))H\(n(left))z"
      }
      out.path("bar s\(series.rawValue)", path)
    }
  }

  private func drawCells(_ cells: [Chart.Cell], _ out: inout SVGWriter, _ layout: ChartLayout) {
    let (halfWidth, halfHeight) = (layout.bandHalfWidth, layout.bandHalfHeight)
    for level in 1...Chart.Cell.levels {
      var path = ""
      for cell in cells where cell.level == level {
        let (x, y) = (layout.px(Double(cell.column)) - halfWidth, layout.py(Double(cell.row)) - halfHeight)
        path += "M\(n(x)) \(n(y))h\(n(halfWidth * 2))v\(n(halfHeight * 2))H\(n(x))z"
      }
      out.path("c\(level)", path)
    }
    // Sizes that all cells can share.
    let lines = cells.map(\.text.count).max() ?? 0
    let widest = cells.flatMap(\.text).map { TextWidth.of($0) }.max() ?? 0
    let widestFirst = cells.compactMap(\.text.first).map { TextWidth.of($0) }.max() ?? 0
    let fitsAll = widest < halfWidth * 2 - 4 && Double(lines) * 15 < halfHeight * 2
    let fitsFirst = widestFirst < halfWidth * 2 - 4 && halfHeight * 2 >= 14
    let fitsSmall = widestFirst * 0.8 < halfWidth * 2 - 2 && halfHeight * 2 >= 12
    guard fitsAll || fitsFirst || fitsSmall else { return }
    for cell in cells where !cell.text.isEmpty {
      let shown = fitsAll ? cell.text : Array(cell.text.prefix(1))
      let (x, y) = (layout.px(Double(cell.column)), layout.py(Double(cell.row)))
      let dress = (cell.level >= Chart.Cell.darkFrom ? "on" : "in") + (fitsAll || fitsFirst ? "" : " small")
      for (index, line) in shown.enumerated() {
        let down = (Double(index) - Double(shown.count - 1) / 2) * 15 + 4.5
        out.label(line, x: x, y: y + down, anchor: "middle", class: dress)
      }
    }
  }

  private func drawIdentity(_ out: inout SVGWriter, _ layout: ChartLayout) {
    func ends(_ scale: Chart.Scale) -> ClosedRange<Double>? {
      switch scale {
      case .linear(let range), .share(let range), .log(let range): range
      case .time, .bands: nil
      }
    }
    guard let xs = ends(x.scale), let ys = ends(y.scale) else { return }
    let low = max(xs.lowerBound, ys.lowerBound)
    let high = min(xs.upperBound, ys.upperBound)
    guard low < high else { return }
    out.path("rule", "M\(n(layout.px(low))) \(n(layout.py(low)))L\(n(layout.px(high))) \(n(layout.py(high)))")
  }

  // MARK: Lines and dots

  /// Gaps stay gaps; a long line keeps the extremes of every pixel.
  private func polyline(_ points: [Chart.Point], _ layout: ChartLayout) -> String {
    var path = ""
    for run in points.split(whereSeparator: { !$0.x.isFinite || !$0.y.isFinite }) {
      let places = run.map { (x: layout.px($0.x), y: layout.py($0.y)) }
      let kept = places.count > PointBudget.line ? PointBudget.extremes(places) : places
      // A point alone is a dot by its round caps.
      path += SVGPath.line(kept)
      if kept.count == 1 { path += "h0" }
    }
    return path
  }

  private func drawDots(_ points: [Chart.Point], _ series: Chart.Series, _ out: inout SVGWriter, _ layout: ChartLayout) {
    let shown = points.filter { layout.hasX($0.x) && layout.hasY($0.y) }
    guard shown.count <= PointBudget.markers else { return drawCloud(shown, "cloud s\(series.rawValue)", &out, layout) }
    var whiskers = ""
    for point in shown {
      if let low = point.low, let high = point.high {
        whiskers += "M\(n(layout.px(point.x))) \(n(layout.py(low)))V\(n(layout.py(high)))"
      }
    }
    out.path("whisker s\(series.rawValue)", whiskers)
    let dress = shown.count > PointBudget.outlined ? " tight" : ""
    out.path("dot s\(series.rawValue)" + dress, shown.map { series.marker(x: layout.px($0.x), y: layout.py($0.y)) }.joined())
  }

  private func drawWhiskers(_ points: [Chart.Point], _ out: inout SVGWriter, _ layout: ChartLayout) {
    var path = ""
    for point in points {
      guard let low = point.low, let high = point.high, low.isFinite, high.isFinite else { continue }
      let y = layout.py(point.y)
      path +=
        "M\(n(layout.px(low))) \(n(y - 3.5))v7M\(n(layout.px(low))) \(n(y))H\(n(layout.px(high)))M\(n(layout.px(high))) \(n(y - 3.5))v7"
    }
    out.path("whisker over", path)
  }

  private func drawIntervals(_ points: [Chart.Point], _ series: Chart.Series, _ out: inout SVGWriter, _ layout: ChartLayout) {
    let shown = points.filter { layout.hasX($0.x) }
    var whiskers = ""
    for point in shown {
      if let low = point.low, let high = point.high {
        whiskers += "M\(n(layout.px(low))) \(n(layout.py(point.y)))H\(n(layout.px(high)))"
      }
    }
    out.path("whisker s\(series.rawValue)", whiskers)
    out.path("dot s\(series.rawValue)", shown.map { series.marker(x: layout.px($0.x), y: layout.py($0.y)) }.joined())
  }

  private func drawSwarm(_ points: [Chart.Point], _ colours: [Int], _ out: inout SVGWriter, _ layout: ChartLayout) {
    for colour in 0..<8 {
      drawCloud(zip(points, colours).filter { $0.1 == colour }.map(\.0), "cloud v v\(colour)", &out, layout)
    }
  }

  /// Zero-length strokes with round caps on a grid of half units; what falls together is drawn once, and what all but falls on
  /// the one before it, not at all: the caps are 7 wide.
  private func drawCloud(_ points: [Chart.Point], _ name: String, _ out: inout SVGWriter, _ layout: ChartLayout) {
    var seen: Set<Int> = []
    var path = ""
    var last: (x: Int, y: Int)?
    for point in points where layout.hasX(point.x) {
      let x = Int(((layout.px(point.x) - layout.left) * 2).rounded())
      let y = Int(((layout.py(point.y) - layout.top) * 2).rounded())
      if let last, abs(last.x - x) + abs(last.y - y) < 4 { continue }
      if seen.insert(y * 100_000 + x).inserted {
        path += SVGPath.move(to: (x, y), from: last) + "h0"
        last = (x, y)
      }
    }
    guard !path.isEmpty else { return }
    out.line(
      "<path class=\"\(name)\" transform=\"translate(\(n(layout.left)) \(n(layout.top))) scale(.5)\" d=\"\(path)\"/>")
  }
}

/// Paths in few bytes: relative steps, which are short where points are near one another.
enum SVGPath {
  /// Straight lines through places, to a tenth of a unit; the rounding of one place does not move the next.
  static func line(_ places: [(x: Double, y: Double)]) -> String {
    var path = ""
    var last: (x: Int, y: Int)?
    for place in places {
      let (x, y) = (Int((place.x * 10).rounded()), Int((place.y * 10).rounded()))
      guard let from = last else {
        path += "M\(NumberText.tenths(x)) \(NumberText.tenths(y))"
        last = (x, y)
        continue
      }
      path += "l" + pair(x - from.x, y - from.y, NumberText.tenths)
      last = (x, y)
    }
    return path
  }

  /// Goes to a place, by whichever words are shorter.
  static func move(to place: (x: Int, y: Int), from last: (x: Int, y: Int)?) -> String {
    let absolute = "M" + pair(place.x, place.y, String.init)
    guard let last else { return absolute }
    let relative = "m" + pair(place.x - last.x, place.y - last.y, String.init)
    return relative.utf8.count < absolute.utf8.count ? relative : absolute
  }

  /// A sign parts two numbers as well as a space does.
  private static func pair(_ x: Int, _ y: Int, _ text: (Int) -> String) -> String {
    let second = text(y)
    return text(x) + (second.hasPrefix("-") ? "" : " ") + second
  }
}

extension Chart.Series {
  /// A shape around a place: it says the series to those who do not see colours.
  func marker(x: Double, y: Double) -> String {
    switch self {
    case .muted: "M\(n(x - 3)) \(n(y))a3 3 0 1 0 0-.1z"
    case .first: "M\(n(x - 4)) \(n(y))a4 4 0 1 0 0-.1z"
    case .second: "M\(n(x - 4)) \(n(y - 4))h8v8h-8z"
    case .third: "M\(n(x)) \(n(y - 5))l5 5l-5 5l-5-5z"
    case .fourth: "M\(n(x)) \(n(y - 5))l5 9h-10z"
    case .fifth: "M\(n(x)) \(n(y + 5))l5-9h-10z"
    case .sixth: "M\(n(x - 1.5)) \(n(y - 5))h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5z"
    case .seventh: "M\(n(x - 5)) \(n(y - 3))l2-2l3 3l3-3l2 2l-3 3l3 3l-2 2l-3-3l-3 3l-2-2l3-3z"
    case .eighth: "M\(n(x - 5)) \(n(y - 2.5))h10v5h-10z"
    }
  }
}

extension Chart {
  func drawLegend(_ out: inout SVGWriter, _ places: [(x: Double, line: Int)]) {
    for (entry, place) in zip(legend, places) {
      let y = 11 + Double(place.line) * ChartSheet.lineHeight
      let x = place.x
      let series = "s\(entry.series.rawValue)"
      switch entry.shape {
      case .line: out.path("line \(series)", "M\(n(x)) \(n(y))h24")
      case .faintLine: out.path("line faint \(series)", "M\(n(x)) \(n(y))h24")
      case .block: out.path("bar \(series)", "M\(n(x)) \(n(y - 5))h24v10h-24z")
      case .dashes: out.path("rule", "M\(n(x)) \(n(y))h24")
      case .dot: out.path("dot \(series)", entry.series.marker(x: x + 6, y: y))
      case .lineDot:
        out.path("line \(series)", "M\(n(x)) \(n(y))h24")
        out.path("dot \(series)", entry.series.marker(x: x + 12, y: y))
      case .area:
        out.path("ribbon \(series)", "M\(n(x)) \(n(y - 5))h24v10h-24z")
        out.path("edge-line \(series)", "M\(n(x)) \(n(y - 5))h24v10h-24z")
      case .ramp:
        for colour in 0..<8 {
          out.path("cloud v v\(colour)", "M\(n(x + 4 + Double(colour) * 9)) \(n(y))h0")
        }
      case .density:
        out.line("<g class=density stroke-width=10>")
        for level in 1...6 { out.path("d\(level)", "M\(n(x + Double(level - 1) * 12)) \(n(y))h\((7 - level) * 12)") }
        out.line("</g>")
      }
      out.label(entry.text, x: x + entry.symbolWidth + 6, y: y + 4)
    }
  }
}
