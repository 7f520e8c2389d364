// Plots as one page that needs no network: drawings where two numbers span them, and the rows as tables.
// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import PipelineModel

package enum PlotPage {
  private static let mostRows = 200

  /// - Parameter images: name, revision and bytes of each picture.
  /// - Returns: HTML.
  package static func render(_ plots: [Plot], images: [(name: String, revision: String, bytes: [UInt8])]) -> String {
    var sections = plots.enumerated().map { index, plot in
      Report.Section(id: "plot-\(index + 1)", title: plot.title, priority: 1, blocks: blocks(plot, id: "drawing-\(index + 1)"))
    }
    var names: [String] = []
    for image in images where !names.contains(image.name) { names.append(image.name) }
    for (index, name) in names.enumerated() {
      let blocks = images.filter { $0.name == name }.map { Report.Block.image(picture($0.name, $0.revision, $0.bytes)) }
      sections.append(Report.Section(id: "image-\(index + 1)", title: name, priority: 1, blocks: blocks))
    }
    let count = plots.count + names.count
    return HTMLText.render(
      Report(
        title: "Plots", summary: nil,
        verdict: Report.Verdict(tone: .neutral, headline: count == 1 ? "1 plot" : "\(count) plots", blocks: []),
        runFacts: Report.RunFacts(line: [], blocks: []), sections: sections))
  }

  private static func picture(_ name: String, _ revision: String, _ bytes: [UInt8]) -> Report.Image {
    let isText = name.hasSuffix(".svg")
    let format: Report.Image.Format =
      isText ? .svg : name.hasSuffix(".png") ? .png : name.hasSuffix(".gif") ? .gif : .jpeg
    return Report.Image(
      format: format, data: isText ? String(decoding: bytes, as: UTF8.self) : Data(bytes).base64EncodedString(),
      alternative: "\(name) of \(revision)", caption: revision)
  }

  private static func blocks(_ plot: Plot, id: String) -> [Report.Block] {
    let table = table(plot)
    guard let chart = chart(plot) else { return [.table(table)] }
    return [.figures([Report.Figure(id: id, chart: chart, caption: [.text(plot.name)], data: table)])]
  }

  private static func table(_ plot: Plot) -> Report.Table {
    let columns = ["rev"] + [plot.x, plot.y].compactMap { $0 }
    let more = plot.points.count > mostRows ? ", the first \(mostRows) of \(plot.points.count) rows" : ""
    return Report.Table(
      caption: plot.name + more, columns: columns.map { Report.Table.Column($0) },
      rows: plot.points.prefix(mostRows).map { point in columns.map { [.text(point[$0]?.display ?? "")] } })
  }

  // MARK: Drawing

  /// One line or cloud a revision and series; `nil` where x or y are no numbers.
  private static func chart(_ plot: Plot) -> Chart? {
    guard let y = plot.y, plot.template?.hasPrefix("confusion") != true, plot.template?.hasPrefix("bar") != true else {
      return nil
    }
    var groups: [(name: String, points: [Chart.Point])] = []
    for point in plot.points {
      guard let along = point[plot.x].flatMap(number), let up = point[y].flatMap(number) else { return nil }
      let name = name(of: point, plot)
      if let index = groups.firstIndex(where: { $0.name == name }) {
        groups[index].points.append(Chart.Point(along, up))
      } else {
        groups.append((name, [Chart.Point(along, up)]))
      }
    }
    let all = groups.flatMap(\.points)
    guard let across = range(all.map(\.x)), let upward = range(all.map(\.y)) else { return nil }
    let isCloud = plot.template?.hasPrefix("scatter") == true
    let series = groups.indices.map { Chart.Series(rawValue: $0 + 1) ?? .muted }
    return Chart(
      title: plot.title, description: "\(plot.yLabel ?? y) by \(plot.xLabel), \(groups.map(\.name).joined(separator: ", "))",
      x: Chart.Axis(plot.xLabel, .linear(across)), y: Chart.Axis(plot.yLabel ?? y, .linear(upward)),
      marks: zip(groups, series).map { group, series in
        isCloud ? .dots(group.points, series) : .line(group.points.sorted { $0.x < $1.x }, series)
      },
      legend: zip(groups, series).map { Chart.LegendEntry(isCloud ? .dot : .line, $1, $0.name) }, width: 640, height: 360)
  }

  /// The revision and what else tells lines of this plot apart.
  private static func name(of point: PlotPoint, _ plot: Plot) -> String {
    var parts = [point["rev"]?.display ?? ""]
    if Set(plot.series.map(\.file)).count > 1 { parts.append(point["filename"]?.display ?? "") }
    if Set(plot.series.map(\.field)).count > 1 { parts.append(point["field"]?.display ?? "") }
    return parts.joined(separator: " ")
  }

  private static func number(_ value: ParameterValue) -> Double? {
    let found: Double? =
      switch value {
      case .integer(let value): Double(value)
      case .double(let value): value
      case .text(let text): Double(text)
      default: nil
      }
    return found.flatMap { $0.isFinite ? $0 : nil }
  }

  /// Never empty, so that a single point has room around it.
  private static func range(_ values: [Double]) -> ClosedRange<Double>? {
    guard let low = values.min(), let high = values.max() else { return nil }
    return low < high ? low...high : (low - 0.5)...(high + 0.5)
  }
}
