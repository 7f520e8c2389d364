// Data to SVG: one frame, two axes, a few marks; no script, colours from the page's variables.
// SPDX-License-Identifier: Apache-2.0

/// A drawing of data. Series are told apart by dash and shape as well as by colour.
package struct Chart: Sendable, Equatable {
  package enum Series: Int, Sendable, Equatable { case first = 1, second, third, muted }

  package enum Scale: Sendable, Equatable {
    /// Lower and upper end in the data's unit.
    case linear(ClosedRange<Double>)
    /// A share in 0...1, written in per cent.
    case share(ClosedRange<Double>)
    /// Named places; the i-th stands at i.
    case bands([String])
  }

  package struct Axis: Sendable, Equatable {
    package var label: String
    package var scale: Scale
    package init(_ label: String, _ scale: Scale) {
      self.label = label
      self.scale = scale
    }
  }

  package struct Point: Sendable, Equatable {
    package var x: Double
    package var y: Double
    /// Ends of an interval on the y axis (on x for horizontal marks).
    package var low: Double?
    package var high: Double?
    package init(_ x: Double, _ y: Double, low: Double? = nil, high: Double? = nil) {
      self.x = x
      self.y = y
      self.low = low
      self.high = high
    }
  }

  package enum Mark: Sendable, Equatable {
    /// A grid over the whole frame, row by row from below; 0 is empty, 1...6 ever denser.
    case grid(columns: Int, rows: Int, levels: [Int])
    /// Bars that stand on zero, between neighbouring edges: one edge more than heights.
    case histogram(edges: [Double], heights: [Double])
    /// Bars to the right from zero, one for each band of the y axis, first on top.
    case bars([Double])
    case line([Point], Series)
    /// The area between `low` and `high`.
    case ribbon([Point], Series)
    /// Dots, with whiskers where an interval is given.
    case dots([Point], Series)
    /// Dots with whiskers along x, one for each band of the y axis.
    case intervals([Point], Series)
    case horizontalRule(Double)
    case verticalRule(Double)
    /// y = x.
    case identity
  }

  package struct LegendEntry: Sendable, Equatable {
    package enum Shape: Sendable, Equatable { case line, dashes, dot, area }
    package var shape: Shape
    package var series: Series
    package var text: String
    package init(_ shape: Shape, _ series: Series, _ text: String) {
      self.shape = shape
      self.series = series
      self.text = text
    }
  }

  package var title: String
  /// What the drawing shows, for those who do not see it.
  package var description: String
  package var x: Axis
  package var y: Axis
  package var marks: [Mark]
  package var legend: [LegendEntry]
  /// In the units of the drawing; the page scales it.
  package var width: Double
  package var height: Double

  package init(
    title: String, description: String, x: Axis, y: Axis, marks: [Mark], legend: [LegendEntry] = [],
    width: Double = 420, height: Double = 300
  ) {
    self.title = title
    self.description = description
    self.x = x
    self.y = y
    self.marks = marks
    self.legend = legend
    self.width = width
    self.height = height
  }

  /// The drawing as an `svg` element.
  ///
  /// - Parameter id: unique on the page; title and description are named after it.
  package func svg(id: String) -> String {
    let layout = ChartLayout(self)
    var out = SVGWriter()
    out.open(
      "svg",
      "class=\"chart\" viewBox=\"0 0 \(n(width)) \(n(height))\" role=\"img\" "
        + "aria-labelledby=\"\(id)-title \(id)-desc\"")
    out.line("<title id=\"\(id)-title\">\(PlainText.escaped(title))</title>")
    out.line("<desc id=\"\(id)-desc\">\(PlainText.escaped(description))</desc>")
    drawLegend(&out, layout)
    drawAxes(&out, layout)
    for mark in marks { draw(mark, &out, layout) }
    out.line("<path class=\"frame\" d=\"M\(n(layout.left)) \(n(layout.top))V\(n(layout.bottom))H\(n(layout.right))\"/>")
    out.line("</svg>")
    return out.text
  }
}

/// Lines of SVG; what stands in attributes was made here, and text was escaped.
struct SVGWriter {
  private(set) var text = ""
  mutating func line(_ element: String) { text += element + "\n" }
  mutating func open(_ name: String, _ attributes: String) { line("<\(name) \(attributes)>") }
  mutating func label(_ content: String, x: Double, y: Double, anchor: String = "start", class name: String = "") {
    let dress = (name.isEmpty ? "" : " class=\"\(name)\"") + (anchor == "start" ? "" : " text-anchor=\"\(anchor)\"")
    line("<text\(dress) x=\"\(n(x))\" y=\"\(n(y))\">\(PlainText.escaped(content))</text>")
  }
}

/// A coordinate as text.
func n(_ value: Double) -> String { NumberText.coordinate(value) }
