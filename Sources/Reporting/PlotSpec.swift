// A plot's rows and its template made into one Vega-Lite document.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
package import PipelineModel

/// A plot with its rows of every revision, ready to be drawn.
package struct Plot: Sendable {
  package var name: String
  package var points: [PlotPoint]
  /// Those that have rows, in order.
  package var revisions: [String]
  package var x: String
  package var y: String?
  package var xLabel: String
  package var yLabel: String?
  package var title: String
  package var template: String?
  package var series: [PlotSeries]

  /// Joins the revisions of one plot; labels and columns are those of the first with rows.
  ///
  /// - Returns: `nil` when no revision has rows.
  package init?(name: String, options: PlotOptions, data: [(revision: String, data: PlotData)]) {
    guard let first = data.first?.data else { return nil }
    self.name = name
    points = data.flatMap(\.data.points)
    var seen: Set<String> = []
    revisions = data.map(\.revision).filter { seen.insert($0).inserted }
    x = first.x
    y = first.y
    xLabel = first.xLabel
    yLabel = first.yLabel
    title = options.title ?? name
    template = options.template
    series = first.series
  }

  /// The Vega-Lite document with the data in it.
  ///
  /// - Throws: a `Diagnostic` when the template has no place for data, or a column is in no row.
  package func spec(_ template: PlotTemplate) throws(Diagnostic) -> ParameterValue {
    for field in [x, y].compactMap({ $0 }) where !points.contains(where: { $0[field] != nil }) {
      throw Diagnostic(.input, "no row of plot `\(name)` has a field `\(field)`")
    }
    guard template.has("data") else {
      throw Diagnostic(
        .input, "plot template `\(template.name)` has no place for data",
        hints: ["`\"values\": \"\(PlotTemplate.anchor("data"))\"` is one"])
    }
    var filling = PlotFilling(plot: self, template: template)
    return filling.fill()
  }
}

/// One filling of a template.
private struct PlotFilling {
  let plot: Plot
  var template: PlotTemplate
  private var points: [PlotPoint]

  private static let separator = "::"
  private static let optional = [
    "color", "column", "group_by_x", "group_by_y", "group_by", "pivot_field", "plot_height", "plot_width", "row", "shape",
    "stroke_dash", "tooltip", "zoom_and_pan",
  ]
  private static let colors = ["#945dd6", "#13adc7", "#f46837", "#48bb78", "#4299e1", "#ed8936", "#f56565"]
    .map { ParameterValue.text($0) }
  private static let dashes: [ParameterValue] = [[1, 0], [8, 8], [8, 4], [4, 4], [4, 2], [2, 1], [1, 1]]
    .map { pair in .list(pair.map { ParameterValue.integer($0) }) }
  private static let shapes = ["circle", "square", "triangle", "diamond"].map { ParameterValue.text($0) }

  init(plot: Plot, template: PlotTemplate) {
    self.plot = plot
    self.template = template
    points = plot.points
  }

  mutating func fill() -> ParameterValue {
    if Self.optional.contains(where: template.has) { fillOptional() }
    template.fill("title", .text(plot.title))
    template.fill("x", .text(Self.escaped(plot.x)))
    if let y = plot.y { template.fill("y", .text(Self.escaped(y))) }
    template.fill("x_label", .text(plot.xLabel))
    if let label = plot.yLabel { template.fill("y_label", .text(label)) }
    template.fill("data", .list(points.map(\.value)))
    return template.content
  }

  private mutating func fillOptional() {
    template.fill("color", Self.scale("rev", plot.revisions, Self.colors, hasLegend: false))
    template.fill(
      "zoom_and_pan", .mapping([("name", .text("grid")), ("select", .text("interval")), ("bind", .text("scales"))]))
    template.fill("plot_height", .integer(300))
    template.fill("plot_width", .integer(300))
    if plot.series.count <= 1 { fillOneSeries() } else { fillSeveralSeries() }
  }

  private mutating func fillOneSeries() {
    fillGroups(["rev"])
    template.fill("pivot_field", .text("datum.rev"))
    fillTooltip(nil)
    for anchor in ["column", "row", "shape", "stroke_dash"] { template.fill(anchor, .mapping([])) }
    drop(["filename", "field"])
  }

  private mutating func fillSeveralSeries() {
    let files = Set(plot.series.map(\.file))
    let fields = Set(plot.series.map(\.field))
    let varied = (files.count > 1 ? ["filename"] : []) + (fields.count > 1 ? ["field"] : [])
    let name = varied.joined(separator: Self.separator)
    let domain: Set<String> =
      varied.count == 2
      ? Set(plot.series.map { $0.file + Self.separator + $0.field }) : varied == ["filename"] ? files : fields
    fillGroups(["rev", name])
    template.fill("pivot_field", .text((["rev"] + varied).map { "datum.\($0)" }.joined(separator: " + '\(Self.separator)' + ")))
    let facet = ParameterValue.mapping([("field", .text(name)), ("sort", .list([]))])
    template.fill("row", facet)
    template.fill("column", facet)
    fillTooltip(name)
    let sorted = domain.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
    template.fill("stroke_dash", Self.scale(name, sorted, Self.dashes, hasLegend: true))
    template.fill("shape", Self.scale(name, sorted, Self.shapes, hasLegend: true))
    if varied.count == 2 {
      for index in points.indices {
        let parts = varied.map { points[index][$0]?.display ?? "" }
        points[index][name] = .text(parts.joined(separator: Self.separator))
      }
      drop(varied)
    } else {
      drop(["filename", "field"].filter { !varied.contains($0) })
    }
  }

  private mutating func fillGroups(_ fields: [String]) {
    func list(_ names: [String?]) -> ParameterValue { .list(names.map { $0.map { .text($0) } ?? .null }) }
    template.fill("group_by", list(fields))
    template.fill("group_by_x", list(fields + [plot.x]))
    template.fill("group_by_y", list(fields + [plot.y]))
  }

  private mutating func fillTooltip(_ more: String?) {
    let fields: [String?] = ["rev", plot.x, plot.y] + (more.map { [$0] } ?? [])
    template.fill("tooltip", .list(fields.map { .mapping([("field", $0.map { .text($0) } ?? .null)]) }))
  }

  private mutating func drop(_ fields: [String]) {
    for index in points.indices { for field in fields { points[index][field] = nil } }
  }

  private static func scale(
    _ field: String, _ domain: [String], _ range: [ParameterValue], hasLegend: Bool
  ) -> ParameterValue {
    let chosen = domain.indices.map { range[$0 % range.count] }
    var pairs: [(String, ParameterValue)] = [
      ("field", .text(field)),
      ("scale", .mapping([("domain", .list(domain.map { .text($0) })), ("range", .list(chosen))])),
    ]
    if hasLegend {
      pairs.append(
        ("legend", .mapping([("symbolFillColor", .text("transparent")), ("symbolStrokeColor", .text("grey"))])))
    }
    return .mapping(pairs)
  }

  /// Vega reads dots and brackets in a field's name as ways into it.
  private static func escaped(_ field: String) -> String {
    field.reduce(into: "") { text, character in
      if ".[]".contains(character) { text += "\\" }
      text.append(character)
    }
  }
}
