// Evaluations that `pipe` computed itself: each against its reference, row by row where that can be.
// SPDX-License-Identifier: Apache-2.0
package import Evaluation

extension RunReport {
  /// Evaluated predictions, and what they were compared with.
  package struct EvaluatedModel: Sendable, Equatable {
    /// The key below `evaluations:`.
    package var name: String
    package var result: EvaluationResult
    /// What the reference is called: `main at 91be20f3aa`, `the previous run`; `nil` without one.
    package var reference: String?
    /// Why there is none, where one was asked for.
    package var missingReference: String?

    package init(name: String, result: EvaluationResult, reference: String? = nil, missingReference: String? = nil) {
      self.name = name
      self.result = result
      self.reference = reference
      self.missingReference = missingReference
    }
  }

  static func evaluationSections(_ input: Input) -> [Report.Section] {
    let anchors = StageAnchors(input.evaluations.map(\.name), prefix: "evaluation-")
    return input.evaluations.enumerated().map { number, evaluated in
      let id = anchors[evaluated.name] ?? "evaluation-\(number + 1)"
      var blocks: [Report.Block] = [.paragraph(extentLine(evaluated))]
      if let missing = evaluated.missingReference { blocks.append(.note(.caution, .message(missing))) }
      blocks += evaluated.result.notes.map { .note(.caution, .message($0)) }
      blocks.append(.table(evaluationTable(evaluated)))
      blocks.append(.paragraph([.muted(testLine(evaluated))]))
      let figures = evaluationFigures(evaluated, id: id)
      if !figures.isEmpty { blocks.append(.figures(figures)) }
      if !evaluated.result.windows.isEmpty { blocks.append(.table(windowTable(evaluated.result.windows))) }
      blocks += sliceBlocks(evaluated.result.document, id: id)
      let title = input.evaluations.count == 1 ? "Evaluation" : "Evaluation: \(evaluated.name)"
      return Report.Section(id: id, title: title, priority: 99, blocks: blocks)
    }
  }

  // MARK: The metrics

  /// `29,874 rows, compared row by row with main at 91be20f3aa: 29,870 of them are in both.`
  private static func extentLine(_ evaluated: EvaluatedModel) -> [Report.Inline] {
    let document = evaluated.result.document
    var line: [Report.Inline] = [.strong(document.model), .text(", \(document.task): \(NumberText.count(document.rows)) rows")]
    if let groups = document.groups { line.append(.text(" in \(NumberText.count(groups)) groups")) }
    guard let reference = evaluated.reference, let pairing = evaluated.result.pairing else { return line + [.text(".")] }
    if let refusal = pairing.refusal {
      return line + [.text(", beside "), .strong(reference), .text(": \(refusal).")]
    }
    let isWhole = pairing.onlyCurrent == 0 && pairing.onlyReference == 0
    let extent = isWhole ? "both have all of them" : "\(NumberText.count(pairing.shared)) of them are in both"
    return line + [.text(", compared row by row with "), .strong(reference), .text(": \(extent).")]
  }

  private static func evaluationTable(_ evaluated: EvaluatedModel) -> Report.Table {
    let document = evaluated.result.document
    guard let baseline = document.baseline else {
      return Report.Table(
        caption: "Metrics", columns: [.init("Metric"), .init("Value", .end)],
        rows: document.metrics.map { [[.text($0.label), .lineBreak, .muted(wish($0))], estimate($0)] })
    }
    return Report.Table(
      caption: "Metrics against \(evaluated.reference ?? baseline.name)",
      columns: [.init("Metric"), .init("This run", .end), .init("Difference"), .init("Test"), .init("Reference", .end)],
      rows: document.metrics.map { metric in
        let reference = baseline.metrics.first { $0.name == metric.name && $0.unit == metric.unit }
        let pair = evaluated.result.paired.first { $0.metric == metric.name }
        let change = pair.map { MetricChange(metric, paired: $0) } ?? reference.map { MetricChange(metric, against: $0) }
        return [
          [.text(metric.label), .lineBreak, .muted(wish(metric))], estimate(metric),
          change.map { changeWords($0, metric) } ?? [.muted("–")], pair.map(testCell) ?? [.muted("–")],
          reference.map(estimate) ?? [.muted("–")],
        ]
      })
  }

  /// The test, its p and, where several metrics were tested, p after Holm's correction.
  private static func testCell(_ pair: PairedDifference) -> [Report.Inline] {
    guard let test = pair.test, let p = pair.p else { return [.muted(pair.reason ?? "no test")] }
    var cell: [Report.Inline] = [.text(test), .lineBreak, .text(chance(p))]
    if let adjusted = pair.adjusted { cell.append(.muted(", Holm \(chance(adjusted))")) }
    if pair.reading == .noEvidence, let reason = pair.reason { cell += [.lineBreak, .muted(reason)] }
    return cell
  }

  /// `p = 0.032`, never a false zero.
  static func chance(_ p: Double) -> String { p < 0.001 ? "p < 0.001" : "p = " + NumberText.fixed(p, decimals: 3) }

  private static func testLine(_ evaluated: EvaluatedModel) -> String {
    let document = evaluated.result.document
    var methods: [String] = []
    for method in document.metrics.compactMap({ metric in metric.method.map { "\(EstimateText.level(metric.level)), \($0)" } })
    where !methods.contains(method) { methods.append(method) }
    var sentences = methods.isEmpty ? [] : ["Intervals: \(methods.joined(separator: "; "))."]
    let tested = evaluated.result.paired.filter { $0.p != nil }
    if tested.count > 1 {
      sentences.append("p is corrected by Holm's method for the \(tested.count) metrics that are tested together.")
    }
    if !evaluated.result.paired.isEmpty {
      sentences.append(
        "Where zero is inside the interval of a difference, or the difference is within its tolerance, there is no evidence of change."
      )
    }
    return sentences.joined(separator: " ")
  }

  private static func windowTable(_ windows: [EvaluationWindow]) -> Report.Table {
    let metrics = windows.first?.metrics ?? []
    return Report.Table(
      caption: "Windows", columns: [.init("Window"), .init("Rows", .end)] + metrics.map { .init($0.label, .end) },
      rows: windows.map { window in
        [
          [.text(window.label), .lineBreak, .muted("\(window.from.prefix(10)) to \(window.to.prefix(10))")],
          [.text(NumberText.count(window.rows))],
        ]
          + metrics.map { metric in window.metrics.first { $0.name == metric.name }.map(estimate) ?? [.muted("–")] }
      })
  }

  // MARK: The figures

  /// What the task has, in the order in which it is read: differences, then how good, then where and why.
  private static func evaluationFigures(_ evaluated: EvaluatedModel, id: String) -> [Report.Figure] {
    let (figures, reference) = (evaluated.result.figures, evaluated.result.referenceFigures)
    let unit = evaluated.result.document.unit
    let first = evaluated.result.document.metrics.first?.name ?? ""
    return [
      Figures.forest(figures.forest, reference: evaluated.reference ?? "the reference", id: "\(id)-forest"),
      Figures.roc(figures.roc, reference: reference?.roc ?? [], id: "\(id)-roc"),
      Figures.precisionRecall(figures.precisionRecall, reference: reference?.precisionRecall ?? [], id: "\(id)-precision-recall"),
      Figures.calibration(figures.calibration, id: "\(id)-calibration"),
      figures.scores.flatMap { Figures.scores($0, threshold: figures.thresholds?.chosen, id: "\(id)-scores") },
      figures.thresholds.flatMap { Figures.thresholds($0, id: "\(id)-thresholds") },
      figures.confusion.flatMap { Figures.confusion($0, id: "\(id)-confusion") },
      Figures.gain(figures.gain, id: "\(id)-gain"),
      figures.predictedActual.flatMap { Figures.predictedActual($0, unit: unit, id: "\(id)-predicted-actual") },
      figures.residualFitted.flatMap { Figures.residualFitted($0, unit: unit, id: "\(id)-residual-fitted") },
      figures.errors.flatMap {
        Figures.histogram($0, title: "Errors", axis: "predicted − actual", unit: unit, id: "\(id)-errors", rule: 0)
      },
      figures.residualQuantiles.flatMap { Figures.residualQuantiles($0, unit: unit, id: "\(id)-residual-qq") },
      figures.timeline.flatMap { Figures.timeline($0, unit: unit, id: "\(id)-timeline") },
      Figures.windows(
        evaluated.result.windows, metric: first, nominal: MetricChange.target(of: first), id: "\(id)-windows"),
      figures.groups.flatMap { Figures.histogram($0, title: "NDCG of the groups", axis: "NDCG", id: "\(id)-groups") },
    ].compactMap { $0 }
  }

  // MARK: The verdict's line

  /// `eta: MAE 2.104 min (95% CI 2.081–2.127) on 29,874 rows; against main at 91be20f3aa −0.05 min […], better.`
  static func evaluationLine(_ evaluated: EvaluatedModel) -> [Report.Inline]? {
    let document = evaluated.result.document
    guard let first = document.metrics.first else { return nil }
    var line: [Report.Inline] = [.strong(evaluated.name), .text(": \(first.label) "), .strong(EstimateText.value(first))]
    if let interval = EstimateText.interval(first) { line.append(.text(" (\(EstimateText.level(first.level)) \(interval))")) }
    line.append(.text(" on \(NumberText.count(document.rows)) rows"))
    guard let reference = evaluated.reference else { return line + [.text(".")] }
    let pair = evaluated.result.paired.first { $0.metric == first.name }
    let other = document.baseline?.metrics.first { $0.name == first.name && $0.unit == first.unit }
    if let change = pair.map({ MetricChange(first, paired: $0) }) ?? other.map({ MetricChange(first, against: $0) }) {
      line += [.text("; against \(reference) ")] + changeWords(change, first, separator: .text(", "))
    }
    return line + [.text(".")]
  }
}
