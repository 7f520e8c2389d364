// Data to SVG: scales, marks and panels that all charts are made of; no script, colours from the page's variables.
// SPDX-License-Identifier: Apache-2.0

/// A drawing of data. Series are told apart by dash and shape as well as by colour.
package struct Chart: Sendable, Equatable {
  /// A colour, a dash and a shape; `muted` is what stands in the background.
  package enum Series: Int, Sendable, Equatable, CaseIterable {
    case muted = 0
    case first, second, third, fourth, fifth, sixth, seventh, eighth

    /// How many can be told apart.
    package static let most = 8

    /// The n-th of several, from 0; what comes after the eighth is muted.
    package static func nth(_ index: Int) -> Series { Series(rawValue: index + 1) ?? .muted }
  }

  package enum Scale: Sendable, Equatable {
    /// Lower and upper end in the data's unit.
    case linear(ClosedRange<Double>)
    /// A share, 1 being the whole, written in per cent.
    case share(ClosedRange<Double>)
    /// Ends above zero; equal factors have equal room.
    case log(ClosedRange<Double>)
    /// Seconds since 1970, UTC, without leap seconds.
    case time(ClosedRange<Double>)
    /// Named places; the i-th stands at i.
    case bands([String])
  }

  package struct Axis: Sendable, Equatable {
    package enum Look: Sendable, Equatable {
      /// Ticks, labels and a grid.
      case full
      /// Labels at bands, no grid: for axes of names.
      case labels
      case none
    }
    package var label: String
    package var scale: Scale
    package var look: Look
    package init(_ label: String, _ scale: Scale, look: Look = .full) {
      self.label = label
      self.scale = scale
      self.look = look
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

  /// A stretch along x in a band of the y axis.
  package struct Span: Sendable, Equatable {
    package var band: Int
    package var from: Double
    package var to: Double
    package var series: Series
    package init(band: Int, from: Double, to: Double, series: Series = .first) {
      self.band = band
      self.from = from
      self.to = to
      self.series = series
    }
  }

  /// A place where two bands cross.
  package struct Cell: Sendable, Equatable {
    package static let levels = 7
    /// Levels from here on have the ground's colour as text.
    package static let darkFrom = 6
    package var column: Int
    package var row: Int
    /// 0 is the ground, 1...7 ever stronger.
    package var level: Int
    /// Lines of text; what does not fit is left to the data table.
    package var text: [String]
    package init(column: Int, row: Int, level: Int, text: [String]) {
      self.column = column
      self.row = row
      self.level = level
      self.text = text
    }
  }

  package enum Anchor: String, Sendable, Equatable { case start, middle, end }

  package enum Mark: Sendable, Equatable {
    /// A grid over the whole frame, row by row from below; 0 is empty, 1...6 ever denser.
    case grid(columns: Int, rows: Int, levels: [Int])
    /// Upright bars between neighbouring edges: one edge more than heights. An outlined one lets others show through.
    case steps(edges: [Double], heights: [Double], Series, isOutlined: Bool)
    /// Bars along x from zero, one for each band of the y axis, the `slot`-th of `of` that share a band.
    case rows([Double], Series, slot: Int, of: Int)
    case line([Point], Series)
    /// A line behind the others.
    case faintLine([Point], Series)
    /// The area between `low` and `high`.
    case ribbon([Point], Series)
    /// Dots, with whiskers where an interval is given; a mass of them gets smaller ones.
    case dots([Point], Series)
    /// A mass of points, each with a colour of the ramp in 0..<8.
    case swarm([Point], colours: [Int])
    /// Dots with whiskers along x, one for each band of the y axis.
    case intervals([Point], Series)
    /// Intervals along x over bars, without dots.
    case whiskers([Point])
    case spans([Span])
    case cells([Cell])
    case horizontalRule(Double)
    case verticalRule(Double)
    /// An upright axis of its own, from bottom to top.
    case axisLine(x: Double, from: Double, to: Double)
    /// A dashed line between two places.
    case segment(Point, Point)
    /// y = x.
    case identity
    case text(String, x: Double, y: Double, Anchor)

    /// Bars that stand on zero.
    package static func histogram(edges: [Double], heights: [Double]) -> Mark {
      .steps(edges: edges, heights: heights, .first, isOutlined: false)
    }

    /// Bars to the right from zero, first on top.
    package static func bars(_ values: [Double]) -> Mark { .rows(values, .first, slot: 0, of: 1) }
  }

  package struct LegendEntry: Sendable, Equatable {
    /// `ramp` shows the colours of a swarm, `density` those of a grid.
    package enum Shape: Sendable, Equatable { case line, faintLine, dashes, dot, lineDot, area, block, ramp, density }
    package var shape: Shape
    package var series: Series
    package var text: String
    package init(_ shape: Shape, _ series: Series, _ text: String) {
      self.shape = shape
      self.series = series
      self.text = text
    }
  }

  /// A frame with two axes.
  package struct Panel: Sendable, Equatable {
    package var title: String?
    package var x: Axis
    package var y: Axis
    package var marks: [Mark]
    package init(title: String? = nil, x: Axis, y: Axis, marks: [Mark]) {
      self.title = title
      self.x = x
      self.y = y
      self.marks = marks
    }
  }

  package var title: String
  /// What the drawing shows, for those who do not see it.
  package var description: String
  package var panels: [Panel]
  /// Panels side by side.
  package var columns: Int
  package var legend: [LegendEntry]
  /// In the units of the drawing; the page scales it.
  package var width: Double
  /// Of a row of panels; the legend and what long labels need come on top.
  package var height: Double

  package init(
    title: String, description: String, panels: [Panel], columns: Int = 1, legend: [LegendEntry] = [],
    width: Double = 420, height: Double = 300
  ) {
    self.title = title
    self.description = description
    self.panels = panels
    self.columns = max(1, columns)
    self.legend = legend
    self.width = width
    self.height = height
  }

  package init(
    title: String, description: String, x: Axis, y: Axis, marks: [Mark], legend: [LegendEntry] = [],
    width: Double = 420, height: Double = 300
  ) {
    self.init(
      title: title, description: description, panels: [Panel(x: x, y: y, marks: marks)], legend: legend, width: width,
      height: height)
  }

  /// The drawing as an `svg` element.
  ///
  /// - Parameter id: letters and digits, unique on the page; title and description are named after it.
  package func svg(id: String) -> String {
    let sheet = ChartSheet(self)
    var out = SVGWriter()
    out.open(
      "svg",
      "class=chart viewBox=\"0 0 \(n(width)) \(n(sheet.height))\" role=img aria-labelledby=\"\(id) \(id)d\"")
    out.line("<title id=\(id)>\(PlainText.content(title))</title>")
    out.line("<desc id=\(id)d>\(PlainText.content(description))</desc>")
    drawLegend(&out, sheet.legend)
    for (panel, layout) in zip(panels, sheet.layouts) { panel.draw(&out, layout) }
    out.line("</svg>")
    return out.text
  }
}

/// Lines of SVG within HTML; what stands in attributes was made here, and text was escaped. A word needs no quotes there, but a
/// `/` right behind one would be taken for a part of it.
struct SVGWriter {
  private(set) var text = ""
  mutating func line(_ element: String) { text += element + "\n" }
  mutating func open(_ name: String, _ attributes: String) { line("<\(name) \(attributes)>") }
  mutating func path(_ name: String, _ d: String) { if !d.isEmpty { line("<path class=\(Self.word(name)) d=\"\(d)\"/>") } }
  mutating func label(_ content: String, x: Double, y: Double, anchor: String = "start", class name: String = "") {
    // The first letter of the anchor is its class.
    let dress = [name, anchor == "start" ? "" : String(anchor.prefix(1))].filter { !$0.isEmpty }.joined(separator: " ")
    line("<text\(dress.isEmpty ? "" : " class=\(Self.word(dress))") x=\(n(x)) y=\(n(y))>\(PlainText.content(content))</text>")
  }
  /// Labels that stand to a place in one way.
  mutating func group(_ name: String, _ elements: String) {
    if !elements.isEmpty { line("<g class=\(name)>\n\(elements)</g>") }
  }
  static func text(_ content: String, x: Double, y: Double) -> String {
    "<text x=\(n(x)) y=\(n(y))>\(PlainText.content(content))</text>\n"
  }
  private static func word(_ name: String) -> String { name.contains(" ") ? "\"\(name)\"" : name }
  /// Text that rises to the right and ends at a place.
  mutating func slanted(_ content: String, x: Double, y: Double) {
    line("<text class=e transform=\"translate(\(n(x)) \(n(y))) rotate(-45)\">\(PlainText.content(content))</text>")
  }
}

/// A coordinate as text.
func n(_ value: Double) -> String { NumberText.coordinate(value) }
