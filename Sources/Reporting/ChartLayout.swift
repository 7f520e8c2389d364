// Where a chart's frame stands and which labels there is room for.
// SPDX-License-Identifier: Apache-2.0

/// The frame inside a drawing and the ticks along it.
struct ChartLayout {
  struct Tick: Equatable {
    var position: Double
    var label: String
  }

  let left: Double
  let right: Double
  let top: Double
  let bottom: Double
  let xTicks: [Tick]
  let yTicks: [Tick]
  /// Start of each legend entry: across and line.
  let legend: [(x: Double, line: Int)]
  private let x: Chart.Scale
  private let y: Chart.Scale

  /// Width of a character at the charts' 12.5 px, on the broad side: fonts differ from machine to machine.
  static let characterWidth = 7.4
  static let lineHeight = 20.0
  private static let longestBandLabel = 24

  init(_ chart: Chart) {
    x = chart.x.scale
    y = chart.y.scale
    legend = Self.flow(chart.legend.map(\.text), width: chart.width - 12)
    let legendLines = (legend.last?.line ?? -1) + 1
    top = 26 + Double(legendLines) * Self.lineHeight
    bottom = chart.height - 42
    right = chart.width - 16

    let labels = Self.rawTicks(chart.y.scale, count: Self.bandCount(chart.y.scale) ?? 6).map(\.label)
    let widest = labels.map { Double($0.count) * Self.characterWidth }.max() ?? 0
    left = max(36, widest + 14)

    let height = bottom - top
    let width = right - left
    let bottom = bottom
    let left = left
    let isBand = Self.bandCount(chart.y.scale) != nil
    yTicks = Self.rawTicks(chart.y.scale, count: 6).map {
      let share = Self.share($0.position, on: chart.y.scale)
      return Tick(position: isBand ? bottom - height * (1 - share) : bottom - height * share, label: $0.label)
    }
    xTicks = Self.fitting(scale: chart.x.scale, from: left, width: width, limit: chart.width - 2)
  }

  func px(_ value: Double) -> Double { left + (right - left) * Self.share(value, on: x) }

  /// The first band is on top, the lowest number at the bottom.
  func py(_ value: Double) -> Double {
    let share = Self.share(value, on: y)
    if case .bands = y { return top + (bottom - top) * share }
    return bottom - (bottom - top) * share
  }

  /// Is the value inside the frame?
  func hasX(_ value: Double) -> Bool { Self.contains(value, x) }
  func hasY(_ value: Double) -> Bool { Self.contains(value, y) }

  /// Half the room of one band on the y axis.
  var bandHalfHeight: Double {
    guard let count = Self.bandCount(y), count > 0 else { return 0 }
    return (bottom - top) / Double(count) / 2
  }

  private static func contains(_ value: Double, _ scale: Chart.Scale) -> Bool {
    switch scale {
    case .linear(let range), .share(let range): value.isFinite && range.contains(value)
    case .bands(let names): value >= 0 && value < Double(names.count)
    }
  }

  private static func bandCount(_ scale: Chart.Scale) -> Int? {
    if case .bands(let names) = scale { return names.count }
    return nil
  }

  /// Position along the axis in 0...1, held at the ends.
  private static func share(_ value: Double, on scale: Chart.Scale) -> Double {
    switch scale {
    case .linear(let range), .share(let range):
      let width = range.upperBound - range.lowerBound
      return width > 0 ? min(1, max(0, (value - range.lowerBound) / width)) : 0.5
    case .bands(let names):
      return names.isEmpty ? 0.5 : min(1, max(0, (value + 0.5) / Double(names.count)))
    }
  }

  private static func rawTicks(_ scale: Chart.Scale, count: Int) -> [Tick] {
    switch scale {
    case .linear(let range):
      let ticks = Ticks(from: range.lowerBound, to: range.upperBound, count: count)
      return ticks.values.map { Tick(position: $0, label: ticks.label($0)) }
    case .share(let range):
      let ticks = Ticks(from: range.lowerBound * 100, to: range.upperBound * 100, count: count)
      return ticks.values.map { Tick(position: $0 / 100, label: ticks.label($0) + "%") }
    case .bands(let names):
      return names.enumerated().map { Tick(position: Double($0.offset), label: shortened($0.element)) }
    }
  }

  /// The most ticks whose labels keep clear of one another and of the drawing's edge.
  private static func fitting(scale: Chart.Scale, from left: Double, width: Double, limit: Double) -> [Tick] {
    func place(_ ticks: [Tick]) -> [Tick] {
      ticks.map { Tick(position: left + width * share($0.position, on: scale), label: $0.label) }
    }
    if bandCount(scale) != nil {
      let all = place(rawTicks(scale, count: 0))
      var every = 1
      while every < all.count, !isClear(all, every: every) { every += 1 }
      return stride(from: 0, to: all.count, by: every).map { all[$0] }
    }
    for count in stride(from: 7, through: 2, by: -1) {
      let ticks = place(rawTicks(scale, count: count))
      if isClear(ticks, every: 1) { return ticks }
    }
    return place(rawTicks(scale, count: 1))
  }

  private static func isClear(_ ticks: [Tick], every: Int) -> Bool {
    var end = -Double.infinity
    for index in stride(from: 0, to: ticks.count, by: every) {
      let half = Double(ticks[index].label.count) * characterWidth / 2
      if ticks[index].position - half < end + 8 { return false }
      end = ticks[index].position + half
    }
    return true
  }

  private static func flow(_ texts: [String], width: Double) -> [(x: Double, line: Int)] {
    var x = 4.0
    var line = 0
    return texts.map { text in
      let need = 30 + Double(text.count) * characterWidth
      if x > 4, x + need > width {
        x = 4
        line += 1
      }
      defer { x += need + 10 }
      return (x, line)
    }
  }

  /// The middle gives way: names of features often differ at their end.
  private static func shortened(_ label: String) -> String {
    label.count <= longestBandLabel ? label : label.prefix(13) + "…" + label.suffix(longestBandLabel - 14)
  }
}
