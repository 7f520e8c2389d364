// Where a chart's frames stand and which labels there is room for.
// SPDX-License-Identifier: Apache-2.0

/// The whole drawing: the legend on top, below it rows of panels.
struct ChartSheet {
  /// Start of each legend entry: across and line.
  let legend: [(x: Double, line: Int)]
  let layouts: [ChartLayout]
  let height: Double

  static let lineHeight = 20.0
  private static let gap = 14.0

  init(_ chart: Chart) {
    legend = Self.flow(chart.legend, width: chart.width)
    let top = Double((legend.last?.line ?? -1) + 1) * Self.lineHeight
    let columns = min(chart.columns, max(1, chart.panels.count))
    let width = (chart.width - Self.gap * Double(columns - 1)) / Double(columns)
    let rows = (chart.panels.count + columns - 1) / columns
    var layouts: [ChartLayout] = []
    var y = top
    for row in 0..<rows {
      let panels = chart.panels[(row * columns)..<min(chart.panels.count, (row + 1) * columns)]
      let extra = panels.map { ChartLayout.bottomNeed($0, width: width, height: chart.height) }.max() ?? 0
      for (column, panel) in panels.enumerated() {
        layouts.append(
          ChartLayout(
            panel, x: Double(column) * (width + Self.gap), y: y, width: width, height: chart.height, bottomNeed: extra))
      }
      y += chart.height + max(0, extra - ChartLayout.usualBottom) + (row + 1 < rows ? 6 : 0)
    }
    self.layouts = layouts
    height = y
  }

  private static func flow(_ entries: [Chart.LegendEntry], width: Double) -> [(x: Double, line: Int)] {
    var x = 4.0
    var line = 0
    return entries.map { entry in
      let need = entry.symbolWidth + 6 + TextWidth.of(entry.text)
      if x > 4, x + need > width - 4 {
        x = 4
        line += 1
      }
      defer { x += need + 16 }
      return (x, line)
    }
  }
}

extension Chart.LegendEntry {
  var symbolWidth: Double {
    switch shape {
    case .line, .faintLine, .dashes, .lineDot, .area, .block: 24
    case .dot: 12
    case .ramp, .density: 72
    }
  }
}

/// The frame of one panel and the ticks along it.
struct ChartLayout {
  struct Tick: Equatable {
    var position: Double
    var label: String
    /// Written below the label.
    var context: String?
  }

  /// Room below the frame for ticks in one line and the axis's name.
  static let usualBottom = 42.0

  let originX: Double
  /// Right end of the panel's room.
  let limit: Double
  let originY: Double
  let left: Double
  let right: Double
  let top: Double
  let bottom: Double
  let xTicks: [Tick]
  let yTicks: [Tick]
  /// Labels of the x axis that did not fit side by side rise to the right.
  let isSlanted: Bool
  /// Where the x axis's name stands.
  let xLabelY: Double
  private let x: Chart.Scale
  private let y: Chart.Scale

  init(
    _ panel: Chart.Panel, x originX: Double = 0, y originY: Double = 0, width: Double, height: Double, bottomNeed: Double? = nil
  ) {
    x = panel.x.scale
    y = panel.y.scale
    self.originX = originX
    self.originY = originY
    let need = bottomNeed ?? Self.bottomNeed(panel, width: width, height: height)
    let top = originY + Self.topNeed(panel)
    let bottom = originY + height + max(0, need - Self.usualBottom) - need
    let left = originX + Self.leftNeed(panel, width: width, height: height)
    self.top = top
    self.bottom = bottom
    self.left = left

    let limit = originX + width
    self.limit = limit
    var right = limit - Self.rightMargin(panel)
    var fit = AxisFit(panel.x, from: left, to: right, leftLimit: originX)
    if let last = fit.ticks.last, !fit.isSlanted, right > left {
      let over = last.position + TextWidth.of(last.label) / 2 - (limit - 1)
      if over > 0 {
        // A band's middle moves less than the end does.
        right -= over / max(0.5, (last.position - left) / (right - left))
        fit = AxisFit(panel.x, from: left, to: right, leftLimit: originX)
      }
    }
    self.right = right
    xTicks = fit.ticks
    isSlanted = fit.isSlanted
    xLabelY = bottom + fit.labelsHeight + (fit.labelsHeight > 0 ? 17 : 20)

    let isBand = panel.y.scale.bandNames != nil
    yTicks = Self.yTicks(panel, width: width, height: bottom - top).map {
      let share = panel.y.scale.share($0.value)
      return Tick(
        position: isBand ? top + (bottom - top) * share : bottom - (bottom - top) * share, label: $0.label, context: $0.context)
    }
  }

  func px(_ value: Double) -> Double { left + (right - left) * x.share(value) }

  /// The first band is on top, the lowest number at the bottom.
  func py(_ value: Double) -> Double {
    let share = y.share(value)
    return y.bandNames != nil ? top + (bottom - top) * share : bottom - (bottom - top) * share
  }

  /// Is the value inside the frame?
  func hasX(_ value: Double) -> Bool { x.contains(value) }
  func hasY(_ value: Double) -> Bool { y.contains(value) }

  /// Half the room of one band on the y axis.
  var bandHalfHeight: Double { half(bottom - top, y) }
  var bandHalfWidth: Double { half(right - left, x) }

  private func half(_ length: Double, _ scale: Chart.Scale) -> Double {
    guard let count = scale.bandNames?.count, count > 0 else { return 0 }
    return length / Double(count) / 2
  }

  // MARK: Margins

  /// Room below the frame, in the panel's width.
  static func bottomNeed(_ panel: Chart.Panel, width: Double, height: Double) -> Double {
    let left = leftNeed(panel, width: width, height: height)
    let fit = AxisFit(panel.x, from: left, to: width - rightMargin(panel), leftLimit: 0)
    return fit.labelsHeight + (panel.x.label.isEmpty ? 7 : fit.labelsHeight > 0 ? 24 : 28)
  }

  private static func topNeed(_ panel: Chart.Panel) -> Double {
    (panel.title == nil ? 0 : 20) + (panel.y.label.isEmpty ? 8 : 26)
  }

  private static func rightMargin(_ panel: Chart.Panel) -> Double { panel.x.look == .none && panel.y.look == .none ? 4 : 16 }

  private static func leftNeed(_ panel: Chart.Panel, width: Double, height: Double) -> Double {
    guard panel.y.look != .none else { return panel.x.look == .none ? 4 : 16 }
    let isBand = panel.y.scale.bandNames != nil
    // What stands below and above the frame is not known yet, and matters to the number of ticks alone.
    let ticks = yTicks(panel, width: width, height: isBand ? height - usualBottom - topNeed(panel) : 200)
    let widest = ticks.flatMap { [$0.label, $0.context ?? ""] }.map { TextWidth.of($0) }.max() ?? 0
    return max(isBand ? 16 : min(36, width / 4), widest + 12)
  }

  private static func yTicks(_ panel: Chart.Panel, width: Double, height: Double) -> [AxisTick] {
    guard panel.y.look != .none else { return [] }
    let most = height < 90 ? 3 : height < 150 ? 4 : 6
    let ticks = panel.y.scale.ticks(most)
    guard let bands = panel.y.scale.bandNames else { return ticks }
    let room = width * 0.42
    let isRoomy = height >= Double(bands.count) * twoLines
    return ticks.map { tick in
      let lines = isRoomy ? TextWidth.lines(tick.label, to: room) : [tick.label]
      return AxisTick(
        value: tick.value, label: TextWidth.shortened(lines[0], to: room),
        context: lines.count > 1 ? TextWidth.shortened(lines[1], to: room) : nil)
    }
  }

  /// Bands at least this high have room for a name in two lines.
  private static let twoLines = 27.0
}

/// Labels along the x axis that keep clear of one another.
struct AxisFit {
  private(set) var ticks: [ChartLayout.Tick] = []
  private(set) var isSlanted = false
  /// From the frame to the bottom of the labels.
  private(set) var labelsHeight = 0.0

  private static let clearance = 8.0
  private static let longestSlanted = 120.0
  /// Slanted lines of text need this much from one to the next.
  private static let slantedSpacing = 16.0
  private static let slope = 0.70710678

  init(_ axis: Chart.Axis, from left: Double, to right: Double, leftLimit: Double) {
    guard axis.look != .none else { return }
    let scale = axis.scale
    func place(_ ticks: [AxisTick]) -> [ChartLayout.Tick] {
      ticks.map {
        ChartLayout.Tick(position: left + (right - left) * scale.share($0.value), label: $0.label, context: $0.context)
      }
    }
    if let names = scale.bandNames {
      fitBands(place(scale.ticks(0)), names, leftLimit: leftLimit)
    } else {
      ticks = place(scale.ticks(1))
      for count in stride(from: 7, through: 2, by: -1) {
        let candidate = place(scale.ticks(count))
        guard Self.isClear(candidate, every: 1) else { continue }
        ticks = candidate
        break
      }
      if ticks.count > 2, !Self.isClear(ticks, every: 1) { ticks = ticks.last.map { [ticks[0], $0] } ?? [] }
    }
    guard !ticks.isEmpty, !isSlanted else { return }
    labelsHeight = ticks.contains { $0.context != nil } ? 33 : 18
  }

  private mutating func fitBands(_ all: [ChartLayout.Tick], _ names: [String], leftLimit: Double) {
    if Self.isClear(all, every: 1) { return ticks = all }
    if names.allSatisfy({ $0.first.map { $0.isNumber || $0 == "−" || $0 == "-" } ?? true }) {
      // Dates and numbers are in order: some of them say where the others are.
      var every = 2
      while every < all.count, !Self.isClear(all, every: every) { every += 1 }
      return ticks = stride(from: 0, to: all.count, by: every).map { all[$0] }
    }
    isSlanted = true
    let spacing = all.count > 1 ? all[1].position - all[0].position : .infinity
    let every = max(1, Int((Self.slantedSpacing / spacing).rounded(.up)))
    ticks = stride(from: 0, to: all.count, by: every).map { all[$0] }
    for index in ticks.indices {
      // What rises to its end must begin inside the drawing.
      let room = min(Self.longestSlanted, (ticks[index].position - leftLimit) / Self.slope - 4)
      ticks[index].label = TextWidth.shortened(ticks[index].label, to: max(30, room))
    }
    let widest = ticks.map { TextWidth.of($0.label) }.max() ?? 0
    labelsHeight = 12 + (widest + 6) * Self.slope
  }

  private static func isClear(_ ticks: [ChartLayout.Tick], every: Int) -> Bool {
    var end = -Double.infinity
    var contextEnd = -Double.infinity
    for index in stride(from: 0, to: ticks.count, by: every) {
      let half = TextWidth.of(ticks[index].label) / 2
      if ticks[index].position - half < end + clearance { return false }
      end = ticks[index].position + half
      guard let context = ticks[index].context else { continue }
      let contextHalf = TextWidth.of(context) / 2
      if ticks[index].position - contextHalf < contextEnd + clearance { return false }
      contextEnd = ticks[index].position + contextHalf
    }
    return true
  }
}
