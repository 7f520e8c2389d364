// How well scores tell classes apart: ROC, precision and recall, lift and gain.
// SPDX-License-Identifier: Apache-2.0
package import Evaluation

extension Figures {
  package typealias Curve = EvaluationFigures.Curve

  /// True against false positives; the reference's curve is dashed and muted.
  package static func roc(_ curves: [Curve], reference: [Curve] = [], id: String = "roc") -> Report.Figure? {
    curveFigure(
      curves, reference, id: id, title: "ROC curve", area: "AUC", x: "false positives among negatives",
      y: "true positives among positives", columns: ["#False positives", "#True positives"],
      rule: "On the dashed diagonal scores tell nothing.", marks: [.identity])
  }

  /// Precision against recall.
  package static func precisionRecall(_ curves: [Curve], reference: [Curve] = [], id: String = "precision-recall") -> Report
    .Figure?
  {
    let base = curves.count == 1 && curves[0].rows > 0 ? Double(curves[0].positives) / Double(curves[0].rows) : nil
    return curveFigure(
      curves, reference, id: id, title: "Precision and recall", area: "AP", x: "recall", y: "precision",
      columns: ["#Recall", "#Precision"],
      rule: base.map { "The dashed line is the share of positives, \(percent($0)): chance." },
      marks: base.map { [.horizontalRule($0)] } ?? [])
  }

  private static func curveFigure(
    _ curves: [Curve], _ reference: [Curve], id: String, title: String, area: String, x: String, y: String, columns: [String],
    rule: String?, marks: [Chart.Mark]
  ) -> Report.Figure? {
    guard !curves.isEmpty, curves.contains(where: { !$0.points.isEmpty }) else { return nil }
    let shown = Array(curves.prefix(Chart.Series.most))
    let drawnReference = shown.count == 1 ? reference.prefix(1) : []
    let lines = shown.enumerated().map { Chart.Mark.line($0.element.points.map { .init($0.x, $0.y) }, .nth($0.offset)) }
    let behind = drawnReference.map { Chart.Mark.line($0.points.map { .init($0.x, $0.y) }, .muted) }
    let legend =
      shown.enumerated().map { Chart.LegendEntry(.line, .nth($0.offset), areaText($0.element, area, alone: "this run")) }
      + drawnReference.map { Chart.LegendEntry(.line, .muted, areaText($0, area, alone: "reference")) }
    let best = shown.map { areaText($0, area, alone: "this run") }.joined(separator: "; ")
    let rows = shown.flatMap { curve in
      curve.points.map { [curve.name, number($0.threshold, 4), number($0.x, 4), number($0.y, 4)] }
    }
    let named = curves.count > 1
    return Report.Figure(
      id: id,
      chart: Chart(
        title: title, description: "\(title): \(y) over \(x). \(best).", x: .init(x, .share(0...1)), y: .init(y, .share(0...1)),
        marks: marks + behind + lines, legend: legend, height: 320),
      caption: caption(
        title + ".",
        [
          named ? "One class against the rest." : nil,
          "\(Figures.rows(curves[0].rows)), \(NumberText.count(curves[0].positives)) \(named ? "of the first class" : "positive").",
          rule, beyondEight(curves.count, "classes"),
          shown.contains { $0.pointsInAll > $0.points.count }
            ? PointBudget.showing(
              shown.reduce(0) { $0 + $1.points.count }, of: shown.reduce(0) { $0 + $1.pointsInAll }, "points of the curve") : nil,
        ]),
      data: table(
        title, (named ? ["Class"] : []) + ["#Score from"] + columns, named ? rows : rows.map { Array($0.dropFirst()) },
        of: shown.reduce(0) { $0 + max($1.pointsInAll, $1.points.count) }))
  }

  private static func areaText(_ curve: Curve, _ area: String, alone: String) -> String {
    (curve.name.isEmpty ? alone : curve.name) + (curve.area.map { ": \(area) \(number($0))" } ?? "")
  }

  /// Share of positives found, and how many times more than by chance, when the highest scores are looked at first.
  package static func gain(_ gains: [EvaluationFigures.Gain], id: String = "gain") -> Report.Figure? {
    let shown = Array(gains.prefix(Chart.Series.most))
    guard let first = shown.first, !first.points.isEmpty else { return nil }
    func at(_ share: Double) -> EvaluationFigures.Gain.Point? { first.points.first { $0.looked >= share - 1e-9 } }
    let lifts = shown.map { $0.points.filter { $0.looked > 0 }.map { Chart.Point($0.looked, $0.lift) } }
    let top = Chart.Scale.range(lifts.flatMap { $0.map(\.y) } + [1], count: 5, fromZero: true)
    let tenth = at(0.1)
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "Gain and lift", description: "Share of positives found among the highest scores, and the lift over chance.",
        panels: [
          .init(
            x: .init("rows looked at", .share(0...1)), y: .init("positives found", .share(0...1)),
            marks: [.identity]
              + shown.enumerated().map { .line($0.element.points.map { .init($0.looked, $0.found) }, .nth($0.offset)) }),
          .init(
            x: .init("rows looked at", .share(0...1)), y: .init("lift", .linear(top)),
            marks: [.horizontalRule(1)] + lifts.enumerated().map { .line($0.element, .nth($0.offset)) }),
        ], columns: 2,
        legend: shown.count > 1 ? shown.enumerated().map { .init(.line, .nth($0.offset), $0.element.name) } : [], width: 460,
        height: 240),
      caption: caption(
        "Gain and lift.",
        [
          "\(rows(first.rows)), highest scores first.",
          tenth.map {
            "The first \(percent($0.looked, 0)) hold \(percent($0.found, 0)) of the positives, \(number($0.lift, 1)) times chance."
          },
          "Dashed: chance.", beyondEight(gains.count, "classes"),
        ]),
      data: table(
        "Gain and lift", ["Class", "#Looked at", "#Found", "#Lift"],
        shown.flatMap { gain in
          gain.points.map {
            [gain.name.isEmpty ? "positive" : gain.name, percent($0.looked), percent($0.found), number($0.lift, 2)]
          }
        }, of: shown.reduce(0) { $0 + max($1.pointsInAll, $1.points.count) }))
  }
}
