// A plot drawn by its built-in template, natively: lines, clouds, bars and confusion matrices of several revisions and series.
// SPDX-License-Identifier: Apache-2.0
import PipelineModel

extension Plot {
  /// Is this a template that is drawn here?
  package static func isDrawn(_ template: String?) -> Bool { template.map { PlotTemplate.builtInNames.contains($0) } ?? true }

  /// - Parameter rows: how many the table shows.
  /// - Returns: a table with a sentence where nothing can be drawn.
  package func blocks(id: String, rows: Int) -> [Report.Block] {
    guard let chart = PlotFigure(self).chart else {
      return [
        .note(.neutral, [.text("No drawing: \(y == nil ? "there is no column for y" : "no row has values for both axes").")]),
        .table(table(rows: rows)),
      ]
    }
    return [
      .figures([
        Report.Figure(id: id, chart: chart.chart, caption: Figures.caption(title + ".", chart.notes), data: table(rows: rows))
      ])
    ]
  }

  /// The rows as they came; of a confusion matrix its counts, which are what it shows.
  package func table(rows most: Int) -> Report.Table {
    if template?.hasPrefix("confusion") == true, let counts = PlotFigure(self).countsTable { return counts }
    var columns = ["rev"]
    if Set(series.map(\.file)).count > 1 { columns.append("filename") }
    if Set(series.map(\.field)).count > 1 { columns.append("field") }
    for name in [x, y].compactMap({ $0 }) where !columns.contains(name) { columns.append(name) }
    let more =
      points.count > most
      ? ", the first \(NumberText.count(most)) of \(NumberText.count(points.count)) rows" : ""
    let names = [x: xLabel, y ?? "": yLabel ?? ""]
    return Report.Table(
      caption: name + more,
      columns: columns.map { column in
        let isNumeric =
          (column == x || column == y)
          && points.prefix(most).allSatisfy { $0[column].flatMap(PlotFigure.number) != nil }
        return .init(column.hasPrefix("dvc_inferred") ? names[column] ?? column : column, isNumeric ? .end : .start)
      },
      rows: points.prefix(most).map { point in columns.map { [.text(point[$0]?.display ?? "")] } })
  }
}

/// The drawing of one plot.
struct PlotFigure {
  /// Rows of one revision and one series, in order.
  private struct Group {
    var revision: String
    /// Empty where there is one series.
    var series: String
    var points: [PlotPoint]
    /// What tells it from the others.
    var name = ""
  }

  private static let width = 460.0
  /// Share of the rows that a smoothed value sees.
  private static let bandwidth = 0.1

  private let plot: Plot
  private let y: String
  private let groups: [Group]
  private var notes: [String] = []

  init(_ plot: Plot) {
    self.plot = plot
    y = plot.y ?? ""
    var order: [String] = []
    var byName: [String: Group] = [:]
    let files = Set(plot.series.map(\.file)).count > 1
    let fields = Set(plot.series.map(\.field)).count > 1
    for point in plot.points {
      let series = [files ? point["filename"]?.display : nil, fields ? point["field"]?.display : nil].compactMap { $0 }.joined(
        separator: " ")
      let revision = point["rev"]?.display ?? ""
      let key = "\(revision)\u{0}\(series)"
      if byName[key] == nil { order.append(key) }
      byName[key, default: Group(revision: revision, series: series, points: [])].points.append(point)
    }
    var found = order.compactMap { byName[$0] }
    let areAlone = Set(found.map(\.revision)).count == 1
    for index in found.indices {
      let group = found[index]
      found[index].name = group.series.isEmpty ? group.revision : areAlone ? group.series : "\(group.revision) \(group.series)"
    }
    groups = found
  }

  /// `nil` where there is nothing to draw.
  var chart: (chart: Chart, notes: [String?])? {
    guard plot.y != nil else { return nil }
    switch plot.template {
    case "confusion": return confusion(isNormalized: false)
    case "confusion_normalized": return confusion(isNormalized: true)
    case "bar_horizontal": return bars(isSorted: false)
    case "bar_horizontal_sorted": return bars(isSorted: true)
    case "scatter": return along(.cloud)
    case "scatter_jitter": return jitter()
    case "smooth": return along(.smooth)
    default: return along(.line)
    }
  }

  private var seriesNames: [String] {
    var seen: Set<String> = []
    return groups.map(\.series).filter { seen.insert($0).inserted }
  }

  private var revisionNames: [String] {
    var seen: Set<String> = []
    return groups.map(\.revision).filter { seen.insert($0).inserted }
  }

  private func chart(_ panels: [Chart.Panel], columns: Int = 1, legend: [Chart.LegendEntry], height: Double = 300) -> Chart {
    Chart(
      title: plot.title, description: "\(plot.yLabel ?? y) by \(plot.xLabel): \(groups.map(\.name).joined(separator: ", "))",
      panels: panels, columns: columns, legend: legend, width: Self.width, height: height)
  }

  // MARK: Lines and clouds

  private enum Look { case line, smooth, cloud }

  /// What stands along x: numbers, times, or names in the order in which they came.
  private enum Along {
    case numbers, times
    case names([String])

    init(_ values: [ParameterValue]) {
      if values.allSatisfy({ PlotFigure.number($0) != nil }) {
        self = .numbers
      } else if values.allSatisfy({ TimeTicks.seconds(iso: $0.display) != nil }) {
        self = .times
      } else {
        var seen: Set<String> = []
        self = .names(values.map(\.display).filter { seen.insert($0).inserted })
      }
    }

    func place(_ value: ParameterValue) -> Double? {
      switch self {
      case .numbers: PlotFigure.number(value)
      case .times: TimeTicks.seconds(iso: value.display)
      case .names(let names): names.firstIndex(of: value.display).map(Double.init)
      }
    }

    func scale(_ places: [Double]) -> Chart.Scale {
      if case .names(let names) = self { return .bands(names) }
      guard let low = places.min(), let high = places.max() else { return .linear(0...1) }
      if case .times = self { return .time(low < high ? low...high : (low - 43_200)...(high + 43_200)) }
      return .linear(low < high ? low...high : (low - 0.5)...(high + 0.5))
    }
  }

  private func along(_ look: Look) -> (chart: Chart, notes: [String?])? {
    let xs = plot.points.compactMap { $0[plot.x] }.filter { $0 != .null && $0.display != "" }
    let along = Along(xs)
    let drawn = groups.map { group -> [Chart.Point] in
      let points = group.points.compactMap { point -> Chart.Point? in
        guard let x = point[plot.x].flatMap(along.place), let y = point[y].flatMap(Self.number) else { return nil }
        return Chart.Point(x, y)
      }
      return look == .cloud
        ? points : points.enumerated().sorted { ($0.element.x, $0.offset) < ($1.element.x, $1.offset) }.map(\.element)
    }
    let all = drawn.flatMap { $0 }
    guard !all.isEmpty else { return nil }
    let xScale = look == .cloud ? cloudScale(along, all) : along.scale(all.map(\.x))
    let yScale = Chart.Scale.linear(Self.range(all.map(\.y)))
    let left = plot.points.count - all.count
    var notes: [String?] = [left > 0 ? "\(Figures.rows(left)) without a number \(left == 1 ? "is" : "are") left out." : nil]
    if look == .smooth {
      notes.append(
        "Smoothed by local regression over \(Figures.percent(Self.bandwidth, 0)) of the rows; the thin lines are the rows.")
    }
    if look != .cloud { notes.append(PointBudget.lineNote(drawn.map(\.count).max() ?? 0)) }
    // More lines than can be told apart: a panel for each series.
    if groups.count > Chart.Series.most, seriesNames.count > 1 {
      let revisions = revisionNames
      notes.append(Figures.beyondEight(revisions.count, "revisions"))
      let panels = seriesNames.map { name in
        let inside = groups.indices.filter { groups[$0].series == name }
        return frame(
          inside.map { (drawn[$0], .nth(revisions.firstIndex(of: groups[$0].revision) ?? 0)) }, look, xScale, yScale, title: name,
          &notes)
      }
      return (chart(panels, columns: 2, legend: legend(revisions, look), height: 230), notes)
    }
    notes.append(groups.count > Chart.Series.most ? "Lines after the eighth are grey." : nil)
    let panel = frame(drawn.enumerated().map { ($0.element, .nth($0.offset)) }, look, xScale, yScale, title: nil, &notes)
    return (chart([panel], legend: legend(groups.map(\.name), look) + density(drawn, look, xScale, yScale)), notes)
  }

  private func cloudScale(_ along: Along, _ all: [Chart.Point]) -> Chart.Scale {
    if case .numbers = along { return .linear(Self.range(all.map(\.x))) }
    return along.scale(all.map(\.x))
  }

  private func frame(
    _ lines: [([Chart.Point], Chart.Series)], _ look: Look, _ x: Chart.Scale, _ y: Chart.Scale, title: String?,
    _ notes: inout [String?]
  ) -> Chart.Panel {
    var marks: [Chart.Mark] = []
    let total = lines.reduce(0) { $0 + $1.0.count }
    for (points, series) in lines {
      switch look {
      case .line: marks.append(.line(points, series))
      case .smooth:
        marks.append(.faintLine(points, series))
        marks.append(.line(Loess.smoothed(points, bandwidth: Self.bandwidth), series))
      case .cloud where total > PointBudget.cloud && lines.count > 1:
        marks.append(.dots(PointBudget.thinned(points, to: max(1, PointBudget.cloud * points.count / total)), series))
      case .cloud:
        guard case .linear(let xs) = x, case .linear(let ys) = y else {
          marks.append(.dots(PointBudget.thinned(points, to: PointBudget.cloud), series))
          continue
        }
        let cloud = PointBudget.cloud(points, x: xs, y: ys, series)
        marks += cloud.marks
        notes.append(cloud.note)
      }
      // A line of a few points shows where they are.
      if look == .line, points.count <= 30, total <= 120 { marks.append(.dots(points, series)) }
    }
    if look == .cloud, lines.count > 1, total > PointBudget.cloud {
      notes.append(PointBudget.showing(PointBudget.cloud, of: total))
    }
    return .init(title: title, x: .init(plot.xLabel, x), y: .init(plot.yLabel ?? self.y, y), marks: marks)
  }

  private func density(_ drawn: [[Chart.Point]], _ look: Look, _ x: Chart.Scale, _ y: Chart.Scale) -> [Chart.LegendEntry] {
    guard look == .cloud, drawn.count == 1, case .linear(let xs) = x, case .linear(let ys) = y else { return [] }
    return PointBudget.cloud(drawn[0], x: xs, y: ys).legend
  }

  private func legend(_ names: [String], _ look: Look) -> [Chart.LegendEntry] {
    let most = groups.map(\.points.count).max() ?? 0
    let shape: Chart.LegendEntry.Shape =
      look == .cloud ? .dot : look == .line && most <= 30 && plot.points.count <= 120 ? .lineDot : .line
    return names.prefix(Chart.Series.most).enumerated().map { .init(shape, .nth($0.offset), $0.element) }
  }

  // MARK: Named places

  /// Dots around the crossings of two lists of names. Where a dot lies beside its place says nothing: a hash of the row puts it there.
  private func jitter() -> (chart: Chart, notes: [String?])? {
    let across = names(plot.x)
    let down = Array(names(y).reversed())
    guard !across.isEmpty, !down.isEmpty else { return nil }
    let most = Self.mostNames
    guard across.count <= most, down.count <= most else { return along(.cloud) }
    var marks: [Chart.Mark] = []
    let share = Double(PointBudget.cloud) / Double(max(1, plot.points.count))
    var shown = 0
    for (index, group) in groups.enumerated() {
      let rows = share < 1 ? PointBudget.thinned(group.points, to: max(1, Int(Double(group.points.count) * share))) : group.points
      let dots = rows.enumerated().compactMap { row, point -> Chart.Point? in
        guard let x = across.firstIndex(of: point[plot.x]?.display ?? ""), let y = down.firstIndex(of: point[y]?.display ?? "")
        else { return nil }
        return Chart.Point(Double(x) + Self.offset(index, row, 1), Double(y) + Self.offset(index, row, 2))
      }
      shown += dots.count
      marks.append(.dots(dots, .nth(index)))
    }
    let panel = Chart.Panel(x: .init(plot.xLabel, .bands(across)), y: .init(plot.yLabel ?? y, .bands(down)), marks: marks)
    return (
      chart([panel], legend: legend(groups.map(\.name), .cloud), height: min(460, max(240, 80 + Double(down.count) * 40))),
      [
        "Dots are moved aside so that they can be seen; where in its place a dot lies says nothing.",
        PointBudget.showing(shown, of: plot.points.count),
      ]
    )
  }

  private static let mostNames = 30

  /// In -0.35...0.35; the same for the same row.
  private static func offset(_ group: Int, _ row: Int, _ salt: UInt64) -> Double {
    // Source: Steele and others, "Fast splittable pseudorandom number generators", OOPSLA 2014 (its finaliser).
    var z = UInt64(group) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(row) &* 0xD1B5_4A32_D192_ED03 &+ salt &* 0x94D0_49BB_1331_11EB
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return (Double((z ^ (z >> 31)) >> 11) / 9_007_199_254_740_992 - 0.5) * 0.7
  }

  private func names(_ field: String) -> [String] {
    var seen: Set<String> = []
    return Self.ascending(plot.points.compactMap { $0[field]?.display }.filter { seen.insert($0).inserted })
  }

  /// Numbers by size, other names by their letters.
  private static func ascending(_ names: [String]) -> [String] {
    let numbers = names.compactMap { Double($0) }
    if numbers.count == names.count { return zip(names, numbers).sorted { $0.1 < $1.1 }.map(\.0) }
    return names.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
  }

  private func bars(isSorted: Bool) -> (chart: Chart, notes: [String?])? {
    var order: [String] = []
    var largest: [String: Double] = [:]
    var values: [Double] = []
    for point in plot.points {
      guard let name = point[y]?.display, let value = point[plot.x].flatMap(Self.number) else { continue }
      if largest[name] == nil { order.append(name) }
      largest[name] = max(largest[name] ?? value, value)
      values.append(value)
    }
    guard !order.isEmpty else { return nil }
    let sorted = isSorted ? order.sorted { (largest[$0] ?? 0, $1) > (largest[$1] ?? 0, $0) } : Self.ascending(order)
    let shown = Array(sorted.prefix(Self.mostBars))
    let revisions = revisionNames
    let drawn = revisions.prefix(Chart.Series.most)
    let panels = seriesNames.map { series in
      Chart.Panel(
        title: series.isEmpty ? nil : series, x: .init(plot.xLabel, .holding(values, fromZero: true)),
        y: .init(plot.yLabel ?? y, .bands(shown), look: .labels),
        marks: drawn.enumerated().map { slot, revision in
          let rows = groups.first { $0.revision == revision && $0.series == series }?.points ?? []
          let found = Dictionary(
            rows.compactMap { row in row[y].flatMap { name in row[plot.x].flatMap(Self.number).map { (name.display, $0) } } },
            uniquingKeysWith: { $1 })
          return .rows(shown.map { found[$0] ?? .nan }, .nth(slot), slot: slot, of: drawn.count)
        })
    }
    let band = max(20, Double(drawn.count) * 9 + 6)
    return (
      chart(
        panels, columns: panels.count > 1 ? 2 : 1,
        legend: drawn.count > 1
          ? drawn.enumerated().map { .init($0.offset % 2 == 0 ? .block : .area, .nth($0.offset), $0.element) } : [],
        height: 74 + Double(shown.count) * band),
      [
        drawn.count == 1 ? "\(drawn[0])." : nil, PointBudget.showing(shown.count, of: order.count, "bars"),
        PointBudget.showing(drawn.count, of: revisions.count, "revisions"),
      ]
    )
  }

  private static let mostBars = 40

  /// Counts of (x, y) pairs, a panel for each series and revision.
  private func confusion(isNormalized: Bool) -> (chart: Chart, notes: [String?])? {
    let across = names(plot.x)
    let down = names(y)
    guard !across.isEmpty, !down.isEmpty else { return nil }
    guard across.count <= Self.mostNames, down.count <= Self.mostNames else { return nil }
    let shown = Array(groups.prefix(12))
    let areSeveral = shown.count > 1
    let panels = shown.map { group in
      Chart.Panel(
        title: areSeveral ? group.name : nil, x: .init(plot.xLabel, .bands(across), look: .labels),
        y: .init(plot.yLabel ?? y, .bands(down), look: .labels), marks: [.cells(cells(group, across, down, isNormalized))])
    }
    let size =
      areSeveral ? (down.count <= 3 ? 44.0 : down.count <= 8 ? 30 : 20) : (down.count <= 4 ? 56 : down.count <= 9 ? 38 : 22)
    return (
      chart(panels, columns: areSeveral ? 2 : 1, legend: [], height: (areSeveral ? 98 : 78) + Double(down.count) * size),
      [
        areSeveral ? nil : "\(groups[0].name).",
        isNormalized ? "Counts as shares of their row." : "Counts of rows; colour is the share of the largest count.",
        PointBudget.showing(shown.count, of: groups.count, "matrices"),
      ]
    )
  }

  /// `nil` where there are more names than a matrix shows.
  var countsTable: Report.Table? {
    let across = names(plot.x)
    let down = names(y)
    guard !across.isEmpty, !down.isEmpty, across.count <= Self.mostNames, down.count <= Self.mostNames else { return nil }
    let areSeveral = groups.count > 1
    let rows = groups.flatMap { group in
      zip(down, counts(group, across, down)).map { (areSeveral ? [group.name] : []) + [$0] + $1.map(NumberText.count) }
    }
    return Figures.wholeTable(
      "\(plot.name): rows by \(plot.yLabel ?? y), down, and \(plot.xLabel), across",
      (areSeveral ? ["rev"] : []) + [plot.yLabel ?? y] + across.map { "#" + $0 }, rows)
  }

  private func cells(_ group: Group, _ across: [String], _ down: [String], _ isNormalized: Bool) -> [Chart.Cell] {
    let counts = counts(group, across, down)
    let most = counts.joined().max() ?? 0
    return counts.enumerated().flatMap { row, counts in
      let sum = counts.reduce(0, +)
      return counts.enumerated().map { column, count in
        let whole = isNormalized ? sum : most
        let share = whole > 0 ? Double(count) / Double(whole) : 0
        return Chart.Cell(
          column: column, row: row, level: Figures.cellLevel(share),
          text: isNormalized ? (sum > 0 ? [NumberText.fixed(share, decimals: 2)] : []) : [NumberText.count(count)])
      }
    }
  }

  private func counts(_ group: Group, _ across: [String], _ down: [String]) -> [[Int]] {
    var counts = [[Int]](repeating: [Int](repeating: 0, count: across.count), count: down.count)
    let columns = Dictionary(across.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
    let rows = Dictionary(down.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
    for point in group.points {
      guard let column = point[plot.x].flatMap({ columns[$0.display] }), let row = point[y].flatMap({ rows[$0.display] }) else {
        continue
      }
      counts[row][column] += 1
    }
    return counts
  }

  // MARK: Numbers

  static func number(_ value: ParameterValue) -> Double? {
    let found: Double? =
      switch value {
      case .integer(let value): Double(value)
      case .double(let value): value
      case .text(let text): Double(text.filter { $0 != " " })
      default: nil
      }
    return found.flatMap { $0.isFinite ? $0 : nil }
  }

  /// At round numbers, and never empty, so that a single point has room around it.
  private static func range(_ values: [Double]) -> ClosedRange<Double> {
    guard let low = values.min(), let high = values.max() else { return 0...1 }
    return low < high ? Ticks.roundedRange(from: low, to: high, count: 8) : (low - 0.5)...(high + 0.5)
  }
}

/// Local regression.
///
/// Source: Cleveland, "Robust locally weighted regression and smoothing scatterplots", 1979.
enum Loess {
  /// More points than this are first made means of neighbours.
  private static let most = 1_500

  /// - Parameters:
  ///   - points: by rising x.
  ///   - bandwidth: share of the points that each smoothed value sees, in 0...1.
  static func smoothed(_ points: [Chart.Point], bandwidth: Double) -> [Chart.Point] {
    let points = points.count > most ? bucketMeans(points) : points
    let count = points.count
    let seen = max(5, Int(bandwidth * Double(count)))
    guard count > 2, seen < count else { return points }
    var robust = [Double](repeating: 1, count: count)
    var fitted = points
    for round in 0..<3 {
      var first = 0
      for index in 0..<count {
        let x = points[index].x
        // The window of the nearest: it only ever moves on.
        while first + seen < count, points[first + seen].x - x < x - points[first].x { first += 1 }
        fitted[index] = Chart.Point(x, value(at: x, points, first..<first + seen, robust) ?? points[index].y)
      }
      guard round < 2 else { break }
      let errors = zip(points, fitted).map { abs($0.y - $1.y) }
      let sorted = errors.sorted()
      let median = (sorted[count / 2] + sorted[(count - 1) / 2]) / 2
      guard median > 0 else { break }
      robust = errors.map { error in
        let share = min(1, error / (6 * median))
        return (1 - share * share) * (1 - share * share)
      }
    }
    return fitted
  }

  /// A line through the window, near points weighing more.
  private static func value(at x: Double, _ points: [Chart.Point], _ window: Range<Int>, _ robust: [Double]) -> Double? {
    let reach = max(x - points[window.lowerBound].x, points[window.upperBound - 1].x - x)
    guard reach > 0 else { return window.reduce(0) { $0 + points[$1].y } / Double(window.count) }
    var (sum, sumX, sumY, sumXX, sumXY) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for index in window {
      let distance = abs(points[index].x - x) / (reach * 1.000001)
      let cube = 1 - distance * distance * distance
      let weight = cube * cube * cube * robust[index]
      let along = points[index].x - x
      sum += weight
      sumX += weight * along
      sumY += weight * points[index].y
      sumXX += weight * along * along
      sumXY += weight * along * points[index].y
    }
    guard sum > 0 else { return nil }
    let spread = sumXX - sumX * sumX / sum
    guard spread > 1e-12 * reach * reach else { return sumY / sum }
    let slope = (sumXY - sumX * sumY / sum) / spread
    return (sumY - slope * sumX) / sum
  }

  private static func bucketMeans(_ points: [Chart.Point]) -> [Chart.Point] {
    (0..<most).compactMap { bucket in
      let inside = points[(bucket * points.count / most)..<((bucket + 1) * points.count / most)]
      guard !inside.isEmpty else { return nil }
      let count = Double(inside.count)
      return Chart.Point(inside.reduce(0) { $0 + $1.x } / count, inside.reduce(0) { $0 + $1.y } / count)
    }
  }
}
