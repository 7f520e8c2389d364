// A Vega-Lite document with anchors, and putting values in their places.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
package import PipelineModel

/// A chart without its data: built in, or a file of the project.
package struct PlotTemplate: Sendable {
  package var name: String
  package var content: ParameterValue

  package init(name: String, content: ParameterValue) {
    self.name = name
    self.content = content
  }

  /// Reads a template file.
  ///
  /// - Throws: the mistakes of its JSON; a `Diagnostic` when it is no mapping.
  package init(name: String, text: String, file: String) throws {
    let (tree, mistakes) = YAMLReader.read(text, file: file)
    try mistakes.throwIfErrors()
    guard let value = tree?.value, case .mapping = value else {
      throw Diagnostic(.input, "a plot template is a JSON mapping", at: SourceLocation(file: file))
    }
    self.init(name: name, content: value)
  }

  /// `<DVC_METRIC_X>` for `x`.
  static func anchor(_ name: String) -> String { "<DVC_METRIC_\(name.uppercased())>" }

  func has(_ name: String) -> Bool { Self.holds(Self.anchor(name), content) }

  private static func holds(_ anchor: String, _ value: ParameterValue) -> Bool {
    switch value {
    case .text(let text): text == anchor
    case .list(let items): items.contains { holds(anchor, $0) }
    case .mapping(let pairs): pairs.contains { holds(anchor, $0.1) }
    default: false
    }
  }

  /// Puts a value where its anchor stands; a text also where the anchor is a part of a mapping's value.
  mutating func fill(_ name: String, _ value: ParameterValue) {
    content = Self.filled(content, Self.anchor(name), value, inMapping: false)
  }

  private static func filled(
    _ place: ParameterValue, _ anchor: String, _ value: ParameterValue, inMapping: Bool
  ) -> ParameterValue {
    switch place {
    case .text(let text):
      if text == anchor { return value }
      guard inMapping, case .text(let part) = value, text.contains(anchor) else { return place }
      return .text(text.split(separator: anchor, omittingEmptySubsequences: false).joined(separator: part))
    case .list(let items): return .list(items.map { filled($0, anchor, value, inMapping: false) })
    case .mapping(let pairs): return .mapping(pairs.map { ($0.0, filled($0.1, anchor, value, inMapping: true)) })
    default: return place
    }
  }
}

// MARK: The built-in ones

extension PlotTemplate {
  /// Names in the order in which they are listed.
  package static let builtInNames = [
    "simple", "linear", "confusion", "confusion_normalized", "scatter", "scatter_jitter", "smooth", "bar_horizontal_sorted",
    "bar_horizontal",
  ]

  /// - Returns: `nil` when there is no such template.
  package static func builtIn(_ name: String) -> PlotTemplate? {
    let body: String? =
      switch name {
      case "simple": simple
      case "linear", "smooth": smooth
      case "confusion": confusion(isNormalized: false)
      case "confusion_normalized": confusion(isNormalized: true)
      case "scatter": scatter
      case "scatter_jitter": jitter
      case "bar_horizontal": bars(isSorted: false)
      case "bar_horizontal_sorted": bars(isSorted: true)
      default: nil
      }
    guard let body else { return nil }
    let (tree, mistakes) = YAMLReader.read("{\(head),\(body)}", file: name)
    guard let value = tree?.value, !mistakes.hasErrors else { preconditionFailure("template \(name) is JSON") }
    return PlotTemplate(name: name, content: value)
  }

  private static let head = #"""
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json", "data": {"values": "<DVC_METRIC_DATA>"},
    "title": {"text": "<DVC_METRIC_TITLE>", "anchor": "middle"}
    """#
  private static let size = #""width": "<DVC_METRIC_PLOT_WIDTH>", "height": "<DVC_METRIC_PLOT_HEIGHT>""#
  private static let zoom = #""params": ["<DVC_METRIC_ZOOM_AND_PAN>"]"#
  /// A field of an axis with its label; `more` begins with a comma.
  private static func axis(_ name: String, _ kind: String?, _ more: String = "") -> String {
    let kind = kind.map { #""type": "\#($0)","# } ?? ""
    let upper = name.uppercased()
    return #""\#(name)": {"field": "<DVC_METRIC_\#(upper)>", \#(kind) "title": "<DVC_METRIC_\#(upper)_LABEL>"\#(more)}"#
  }
  private static let number = "quantitative"
  private static let notFromZero = #", "scale": {"zero": false}"#
  private static let byRevision = #""color": {"field": "rev", "type": "nominal"}"#

  private static let simple = """
    \(zoom), \(size), "mark": {"type": "line", "tooltip": {"content": "data"}},
    "encoding": {\(axis("x", number)), \(axis("y", number, notFromZero)), "color": "<DVC_METRIC_COLOR>",
      "strokeDash": "<DVC_METRIC_STROKE_DASH>", "tooltip": "<DVC_METRIC_TOOLTIP>"}
    """

  private static let scatter = """
    \(size), "mark": {"type": "point", "tooltip": {"content": "data"}}, \(zoom),
    "encoding": {\(axis("x", number)), \(axis("y", number)), "color": "<DVC_METRIC_COLOR>",
      "shape": "<DVC_METRIC_SHAPE>", "tooltip": "<DVC_METRIC_TOOLTIP>"}
    """

  private static let jitter = """
    \(size), "transform": [{"calculate": "random()", "as": "randomX"}, {"calculate": "random()", "as": "randomY"}],
    "mark": {"type": "point", "tooltip": {"content": "data"}},
    "encoding": {\(axis("x", nil)), \(axis("y", nil)), "color": "<DVC_METRIC_COLOR>", "shape": "<DVC_METRIC_SHAPE>",
      "tooltip": "<DVC_METRIC_TOOLTIP>", "xOffset": {"field": "randomX", "type": "\(number)"},
      "yOffset": {"field": "randomY", "type": "\(number)"}}
    """

  private static func bars(isSorted: Bool) -> String {
    """
    \(size), "mark": {"type": "bar"}, \(zoom),
    "encoding": {\(axis("x", number, notFromZero)), \(axis("y", "nominal", isSorted ? #", "sort": "-x""# : "")),
      "yOffset": {"field": "rev", "sort": []}, "color": "<DVC_METRIC_COLOR>", "column": "<DVC_METRIC_COLUMN>"}
    """
  }

  /// Smoothed lines over faint raw ones, each line's end marked, and a rule under the pointer that names the values.
  private static let smooth = """
    \(size), "params": [{"name": "smooth", "value": 0.001,
      "bind": {"input": "range", "min": 0.001, "max": 1, "step": 0.001}}],
    "encoding": {\(axis("x", number)), "color": "<DVC_METRIC_COLOR>", "strokeDash": "<DVC_METRIC_STROKE_DASH>"},
    "layer": [
      {"layer": [{\(zoom), "mark": "line"},
         {"transform": [{"filter": {"param": "hover", "empty": false}}], "mark": "point"}],
       "encoding": {\(axis("y", number, notFromZero)), \(byRevision)},
       "transform": [{"loess": "<DVC_METRIC_Y>", "on": "<DVC_METRIC_X>", "groupby": "<DVC_METRIC_GROUP_BY>",
         "bandwidth": {"signal": "smooth"}}]},
      {"mark": {"type": "line", "opacity": 0.2},
       "encoding": {\(axis("x", number)), \(axis("y", number, notFromZero)), \(byRevision)}},
      {"mark": {"type": "circle", "size": 10},
       "encoding": {\(axis("x", number, #", "aggregate": "max""#)),
         \(axis("y", number, notFromZero + #", "aggregate": {"argmax": "<DVC_METRIC_X>"}"#)), \(byRevision)}},
      {"transform": [{"calculate": "<DVC_METRIC_PIVOT_FIELD>", "as": "pivot_field"},
         {"pivot": "pivot_field", "op": "mean", "value": "<DVC_METRIC_Y>", "groupby": ["<DVC_METRIC_X>"]}],
       "mark": {"type": "rule", "tooltip": {"content": "data"}, "stroke": "grey"},
       "encoding": {"opacity": {"condition": {"value": 0.3, "param": "hover", "empty": false}, "value": 0}},
       "params": [{"name": "hover", "select": {"type": "point", "fields": ["<DVC_METRIC_X>"], "nearest": true,
         "on": "mouseover", "clear": "mouseout"}}]}]
    """

  /// Counts of (x, y) pairs as a grid of cells; normalised, each row's counts as shares of the row.
  private static func confusion(isNormalized: Bool) -> String {
    let share = isNormalized ? "percent_of_y" : "percent_of_max"
    let shares =
      isNormalized
      ? #"""
      {"joinaggregate": [{"op": "sum", "field": "xy_count", "as": "sum_y"}], "groupby": ["<DVC_METRIC_Y>"]},
      {"calculate": "datum.xy_count / datum.sum_y", "as": "percent_of_y"}
      """#
      : #"""
      {"joinaggregate": [{"op": "max", "field": "xy_count", "as": "max_count"}], "groupby": []},
      {"calculate": "datum.xy_count / datum.max_count", "as": "percent_of_max"}
      """#
    let params = isNormalized ? "" : #""params": [{"name": "showValues", "bind": {"input": "checkbox"}}],"#
    let grouping = isNormalized ? #"["rev", "<DVC_METRIC_Y>"]"# : #""<DVC_METRIC_GROUP_BY_Y>""#
    let shade =
      isNormalized
      ? #""field": "percent_of_y", "type": "quantitative", "title": "", "scale": {"domain": [0, 1]}"#
      : #""field": "xy_count", "type": "quantitative", "title": "", "scale": {"domainMin": 0, "nice": true}"#
    let shown =
      isNormalized
      ? #"{"field": "percent_of_y", "type": "quantitative", "format": ".2f"}"# : #"{"field": "xy_count", "type": "quantitative"}"#
    let text =
      isNormalized
      ? "" : #""text": {"condition": {"param": "showValues", "field": "xy_count", "type": "quantitative"}},"#
    let sorted = #", "sort": "ascending""#
    return """
      "facet": {"column": {"field": "rev", "sort": []}, "row": "<DVC_METRIC_ROW>"}, \(params)
      "spec": {
        "transform": [
          {"aggregate": [{"op": "count", "as": "xy_count"}], "groupby": ["<DVC_METRIC_Y>", "<DVC_METRIC_X>"]},
          {"impute": "xy_count", "groupby": \(grouping), "key": "<DVC_METRIC_X>", "value": 0},
          {"impute": "xy_count", "groupby": "<DVC_METRIC_GROUP_BY_X>", "key": "<DVC_METRIC_Y>", "value": 0},
          \(shares)],
        "encoding": {\(axis("x", "nominal", sorted)), \(axis("y", "nominal", sorted))},
        "layer": [
          {"mark": "rect", \(size), "encoding": {"color": {\(shade)}}},
          {"selection": {"label": {"type": "single", "on": "mouseover", "encodings": ["x", "y"], "empty": "none",
             "clear": "mouseout"}},
           "mark": "rect",
           "encoding": {"tooltip": [{"field": "<DVC_METRIC_X>", "type": "nominal"},
             {"field": "<DVC_METRIC_Y>", "type": "nominal"}, \(shown)],
             "opacity": {"condition": {"selection": "label", "value": 1}, "value": 0}}},
          {"transform": [{"filter": {"selection": "label"}}], "layer": [{"mark": {"type": "rect", "color": "lightpink"}}]},
          {"mark": "text", "encoding": {\(text)
             "color": {"condition": {"test": "datum.\(share) > 0.5", "value": "white"}, "value": "black"}}}]}
      """
  }
}
