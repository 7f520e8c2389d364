// How many points a drawing has, and what is done with more of them.
// SPDX-License-Identifier: Apache-2.0

enum PointBudget {
  /// Up to here each point has its series' shape.
  static let markers = 200
  /// Up to here a ring of the ground's colour parts them.
  static let outlined = 30
  /// A line with more points than this is drawn fine.
  static let thick = 150
  /// A line with more points is thinned.
  static let line = 400
  /// A cloud with more points is binned, or thinned where several are compared.
  static let cloud = 2_000
  /// Cells along either side of a binned cloud.
  static let bins = 40

  /// First, lowest, highest and last place of every pixel column, in their order.
  ///
  /// Source: Jugel and others, "M4: a visualization-oriented time series data aggregation", VLDB 2014.
  static func extremes(_ places: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    var kept: [(x: Double, y: Double)] = []
    var start = 0
    while start < places.count {
      let column = places[start].x.rounded()
      var end = start
      var (low, high) = (start, start)
      while end < places.count, places[end].x.rounded() == column {
        if places[end].y < places[low].y { low = end }
        if places[end].y > places[high].y { high = end }
        end += 1
      }
      var last = -1
      for index in [start, low, high, end - 1].sorted() where index != last {
        kept.append(places[index])
        last = index
      }
      start = end
    }
    return kept
  }

  /// Every k-th of many, so that at most `most` are left; always the same ones.
  static func thinned<Item>(_ items: [Item], to most: Int) -> [Item] {
    guard items.count > most, most > 0 else { return items }
    return (0..<most).map { items[$0 * items.count / most] }
  }

  /// Marks for a cloud of one series, with the sentence that the caption has to add.
  static func cloud(
    _ points: [Chart.Point], x: ClosedRange<Double>, y: ClosedRange<Double>, _ series: Chart.Series = .first
  ) -> (marks: [Chart.Mark], legend: [Chart.LegendEntry], note: String?) {
    guard points.count > cloud else { return ([.dots(points, series)], [], nil) }
    var counts = [Int](repeating: 0, count: bins * bins)
    for point in points where x.contains(point.x) && y.contains(point.y) {
      counts[bin(point.y, y) * bins + bin(point.x, x)] += 1
    }
    return (
      [.grid(columns: bins, rows: bins, levels: levels(counts))], [densityLegend(counts)],
      "\(NumberText.count(points.count)) points, binned; the stronger the colour, the more (logarithmic)."
    )
  }

  /// "1 … 1,234 rows a cell".
  static func densityLegend(_ counts: [Int]) -> Chart.LegendEntry {
    .init(.density, .first, "1 … \(NumberText.count(counts.max() ?? 1)) in a cell, logarithmic")
  }

  /// 0 for empty, then 1...6 in equal steps of the logarithm, so that the thin tail stays visible.
  static func levels(_ counts: [Int]) -> [Int] {
    let most = counts.max() ?? 0
    return counts.map { count in
      guard count > 0 else { return 0 }
      guard most > 1 else { return 6 }
      return min(6, 1 + Int(6 * Logarithm.natural(Double(count)) / Logarithm.natural(Double(most)) * (1 - 1e-12)))
    }
  }

  /// "showing 5,000 of 41,203 points", `nil` when all are shown.
  static func showing(_ shown: Int, of all: Int, _ things: String = "points") -> String? {
    shown < all ? "Showing \(NumberText.count(shown)) of \(NumberText.count(all)) \(things)." : nil
  }

  /// What is said of a line that was thinned.
  static func lineNote(_ points: Int) -> String? {
    points > line ? "\(NumberText.count(points)) points; each pixel shows its extremes." : nil
  }

  private static func bin(_ value: Double, _ range: ClosedRange<Double>) -> Int {
    min(bins - 1, Int((value - range.lowerBound) / (range.upperBound - range.lowerBound) * Double(bins)))
  }
}
