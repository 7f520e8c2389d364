// What a model looks at: importance with intervals, SHAP values as a swarm, dependence on one feature.
// SPDX-License-Identifier: Apache-2.0

extension Figures {
  package struct FeatureImportance: Sendable, Equatable {
    package var feature: String
    package var value: Double
    package var low: Double?
    package var high: Double?
    package init(_ feature: String, _ value: Double, low: Double? = nil, high: Double? = nil) {
      self.feature = feature
      self.value = value
      self.low = low
      self.high = high
    }
  }

  /// Bars in falling order, with intervals where there are any.
  ///
  /// - Parameter isShare: values are shares of a whole.
  package static func importance(
    _ features: [FeatureImportance], measure: String, isShare: Bool = false, most: Int = 20, id: String = "importance"
  ) -> Report.Figure? {
    let sorted = features.filter { $0.value.isFinite }.sorted { ($0.value, $1.feature) > ($1.value, $0.feature) }
    let shown = Array(sorted.prefix(most))
    guard let first = shown.first else { return nil }
    let values = extent(shown.map { Chart.Point(0, $0.value, low: $0.low, high: $0.high) })
    let hasIntervals = shown.contains { $0.low != nil }
    func text(_ value: Double?) -> String { isShare ? percent(value, 2) : value.map(NumberText.plain) ?? "–" }
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "Importance of features", description: "\(measure); the first is \(first.feature) with \(text(first.value)).",
        x: .init(measure, isShare ? .holdingShares(values, fromZero: true) : .holding(values, fromZero: true)),
        y: .init("", .bands(shown.map(\.feature))),
        marks: [.bars(shown.map(\.value))]
          + (hasIntervals
            ? [
              .whiskers(
                shown.enumerated().map { .init($0.element.value, Double($0.offset), low: $0.element.low, high: $0.element.high) })
            ]
            : []),
        height: 60 + Double(shown.count) * 22),
      caption: caption(
        "Importance of features.",
        [
          PointBudget.showing(shown.count, of: features.count, "features"), hasIntervals ? "Whiskers: 95% interval." : nil,
          "It says what the model used, not what causes the outcome.",
        ]),
      data: wholeTable(
        measure, ["Feature", "#Value", "#Interval"],
        sorted.prefix(200).map { [$0.feature, text($0.value), $0.low == nil ? "–" : "\(text($0.low)) to \(text($0.high))"] }))
  }

  /// A feature's SHAP values with the feature's own values, row by row.
  package struct SwarmFeature: Sendable, Equatable {
    package var name: String
    package var impacts: [Double]
    /// As many as there are impacts; not finite where there is no number.
    package var values: [Double]
    package init(_ name: String, impacts: [Double], values: [Double]) {
      self.name = name
      self.impacts = impacts
      self.values = values
    }

    var meanSize: Double {
      let finite = impacts.filter(\.isFinite)
      return finite.isEmpty ? 0 : finite.reduce(0) { $0 + abs($1) } / Double(finite.count)
    }
  }

  static let swarmRows = 500
  static let swarmFeatures = 15

  /// One row of dots a feature, strongest first; colour is the feature's value.
  package static func swarm(_ features: [SwarmFeature], outcome: String = "the prediction", id: String = "shap") -> Report.Figure?
  {
    let sorted = features.filter { !$0.impacts.isEmpty }.sorted { ($0.meanSize, $1.name) > ($1.meanSize, $0.name) }
    let shown = Array(sorted.prefix(swarmFeatures))
    let all = shown.flatMap { $0.impacts.filter(\.isFinite) }
    guard !all.isEmpty else { return nil }
    let range = Chart.Scale.range(all + [0], count: 6)
    var points: [Chart.Point] = []
    var colours: [Int] = []
    for (band, feature) in shown.enumerated() {
      let chosen = PointBudget.thinned(Array(zip(feature.impacts, feature.values)), to: swarmRows).filter { $0.0.isFinite }
      let ramp = colourRamp(chosen.map(\.1))
      for (index, offset) in swarmOffsets(chosen.map(\.0), range).enumerated() {
        points.append(.init(chosen[index].0, Double(band) + offset))
        colours.append(ramp[index])
      }
    }
    let most = shown.map(\.impacts.count).max() ?? 0
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "SHAP values",
        description: "How far each feature pushes \(outcome), one dot a row; strongest first: \(shown[0].name).",
        x: .init("SHAP value: pushes \(outcome) down or up", .linear(range)), y: .init("", .bands(shown.map(\.name))),
        marks: [.verticalRule(0), .swarm(points, colours: colours)],
        legend: [.init(.ramp, .first, "feature’s value, low to high")],
        width: 440, height: 60 + Double(shown.count) * 30),
      caption: caption(
        "SHAP values.",
        [
          "One dot a row, colour is the feature’s value, blue low and orange high.",
          PointBudget.showing(min(most, swarmRows), of: most, "rows"),
          PointBudget.showing(shown.count, of: features.count, "features"),
        ]),
      data: wholeTable(
        "SHAP values", ["Feature", "#Mean |SHAP|", "#Lowest", "#Highest"],
        sorted.prefix(100).map {
          [
            $0.name, NumberText.plain($0.meanSize), NumberText.plain($0.impacts.filter(\.isFinite).min() ?? 0),
            NumberText.plain($0.impacts.filter(\.isFinite).max() ?? 0),
          ]
        }))
  }

  /// Ranks in eight steps, so that an outlier does not take all colours; missing values are in the middle.
  private static func colourRamp(_ values: [Double]) -> [Int] {
    let sorted = values.filter(\.isFinite).sorted()
    guard let low = sorted.first, let high = sorted.last, low < high else { return values.map { _ in 3 } }
    func at(_ share: Double) -> Double { sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))] }
    let (from, to) = (at(0.05), at(0.95))
    return values.map { value in
      guard value.isFinite else { return 3 }
      guard from < to else { return value > from ? 7 : 0 }
      return max(0, min(7, Int((value - from) / (to - from) * 8)))
    }
  }

  /// Where many values are alike, dots move up and down in turn, in 1/2 of a band at most.
  private static func swarmOffsets(_ values: [Double], _ range: ClosedRange<Double>) -> [Double] {
    let width = (range.upperBound - range.lowerBound) / 90
    var counts: [Int: Int] = [:]
    let bins = values.map { Int((($0 - range.lowerBound) / width).rounded(.down)) }
    for bin in bins { counts[bin, default: 0] += 1 }
    let most = Double(counts.values.max() ?? 1)
    var seen: [Int: Int] = [:]
    // Steps of an eighth of a band, closer where a bin would leave the band.
    let step = min(0.09, 0.8 / max(1, most))
    return bins.map { bin in
      let place = seen[bin, default: 0]
      seen[bin] = place + 1
      return Double((place + 1) / 2) * step * (place % 2 == 0 ? 1 : -1)
    }
  }

  /// Partial dependence or SHAP values over one feature.
  package struct Dependence: Sendable, Equatable {
    package var feature: String
    /// Mean effect with its band.
    package var curve: [Chart.Point]
    /// Single rows, where there are any.
    package var rows: [Chart.Point]
    /// `partial dependence`, `SHAP value`.
    package var measure: String
    package init(_ feature: String, curve: [Chart.Point], rows: [Chart.Point] = [], measure: String = "partial dependence") {
      self.feature = feature
      self.curve = curve
      self.rows = rows
      self.measure = measure
    }
  }

  package static func dependence(_ one: Dependence, id: String) -> Report.Figure? {
    let all = one.curve + one.rows
    guard !all.isEmpty else { return nil }
    let x = Chart.Scale.range(all.map(\.x), count: 6)
    let y = Chart.Scale.range(extent(all), count: 6)
    let cloud = PointBudget.cloud(one.rows, x: x, y: y, .muted)
    let hasBand = one.curve.contains { $0.low != nil }
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "\(one.feature): \(one.measure)", description: "\(one.measure) over \(one.feature).",
        x: .init(one.feature, .linear(x)),
        y: .init(one.measure, .linear(y)),
        marks: (one.rows.isEmpty ? [] : cloud.marks) + (hasBand ? [.ribbon(one.curve, one.rows.isEmpty ? .first : .second)] : [])
          + (one.curve.isEmpty ? [] : [.line(one.curve, one.rows.isEmpty ? .first : .second)]),
        legend: one.rows.isEmpty ? [] : cloud.legend + [.init(.line, .second, "mean")], height: 260),
      caption: caption(
        "\(one.feature): \(one.measure).",
        [
          one.rows.isEmpty ? nil : cloud.note ?? "\(rows(one.rows.count)) as dots.",
          hasBand ? "The band is the interval of the mean." : nil,
        ]),
      data: table(
        "\(one.measure) over \(one.feature)", ["#" + one.feature, "#" + one.measure, "#Interval"],
        (one.curve.isEmpty ? one.rows : one.curve).map {
          [NumberText.plain($0.x), NumberText.plain($0.y), interval($0.low, $0.high)]
        }))
  }
}
