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
      var blocks = comparisonBlocks(evaluated)
      // Each name stands four times on the page.
      let figures = evaluationFigures(evaluated, id: "e\(number + 1)")
      if !figures.isEmpty { blocks.append(.figures(figures)) }
      if !evaluated.result.windows.isEmpty { blocks.append(.table(windowTable(evaluated.result.windows))) }
      blocks += sliceBlocks(evaluated.result.document, id: "e\(number + 1)")
      let title = input.evaluations.count == 1 ? "Evaluation" : "Evaluation: \(evaluated.name)"
      return Report.Section(id: id, title: title, priority: 99, blocks: blocks)
    }
  }

  /// How many rows, what has to be known first, the metrics with their tests, and how these were made.
  ///
  /// - Parameter tests: how many are corrected together, where they are more than this evaluation's own.
  static func comparisonBlocks(_ evaluated: EvaluatedModel, tests: Int? = nil) -> [Report.Block] {
    var blocks: [Report.Block] = [.paragraph(extentLine(evaluated))]
    if let missing = evaluated.missingReference { blocks.append(.note(.caution, .message(missing))) }
    blocks += evaluated.result.notes.map { .note(.caution, .message($0)) }
    blocks.append(.table(evaluationTable(evaluated)))
    blocks.append(.paragraph([.muted(testLine(evaluated, tests))]))
    return blocks
  }

  /// What `pipe` computed itself of the rows that a stage's document is about: it is not told twice.
  static func evaluated(_ document: EvaluationDocument, _ input: Input) -> EvaluationDocument? {
    input.evaluations.lazy.map(\.result.document).first { $0.model == document.model && $0.rows == document.rows }
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

  private static func testLine(_ evaluated: EvaluatedModel, _ tests: Int?) -> String {
    let document = evaluated.result.document
    var methods: [String] = []
    for method in document.metrics.compactMap({ metric in metric.method.map { "\(EstimateText.level(metric.level)), \($0)" } })
    where !methods.contains(method) { methods.append(method) }
    var sentences = methods.isEmpty ? [] : ["Intervals: \(methods.joined(separator: "; "))."]
    let tested = tests ?? evaluated.result.paired.count { $0.p != nil }
    if tested > 1 {
      let things = tests == nil ? "metrics that are tested together" : "tests of this page"
      sentences.append("p is corrected by Holm's method for the \(tested) \(things).")
    }
    if !evaluated.result.paired.isEmpty {
      sentences.append(
        "Where zero is inside the interval of a difference, or the difference is within its tolerance, there is no evidence of change."
      )
    }
    return sentences.joined(separator: " ")
  }

  // MARK: The figures

  /// What the task has, in the order in which it is read: differences, then how good, then where and why.
  private static func evaluationFigures(_ evaluated: EvaluatedModel, id: String) -> [Report.Figure] {
    let (figures, reference) = (evaluated.result.figures, evaluated.result.referenceFigures)
    let unit = evaluated.result.document.unit
    let metrics = evaluated.result.document.metrics.map(\.name)
    let isBacktest = !evaluated.result.windows.isEmpty
    // The metric that the verdict names, and what the intervals promise.
    let shown = Array(metrics.prefix(1)) + metrics.dropFirst().filter { $0.hasPrefix("coverage_") }
    return [
      // Where nothing differs the table says so.
      figures.forest.allSatisfy { $0.reading == .same }
        ? nil : Figures.forest(figures.forest, reference: evaluated.reference ?? "the reference", id: "\(id)-forest"),
      Figures.roc(figures.roc, reference: reference?.roc ?? [], id: "\(id)-roc"),
      Figures.precisionRecall(figures.precisionRecall, reference: reference?.precisionRecall ?? [], id: "\(id)-precision-recall"),
      Figures.calibration(figures.calibration, id: "\(id)-calibration"),
      figures.scores.flatMap { Figures.scores($0, threshold: figures.thresholds?.chosen, id: "\(id)-scores") },
      figures.thresholds.flatMap { Figures.thresholds($0, id: "\(id)-thresholds") },
      figures.confusion.flatMap { Figures.confusion($0, id: "\(id)-confusion") },
      Figures.gain(figures.gain, id: "\(id)-gain"),
      // What a backtest asks is when the errors came: these two are those of a model on one table.
      isBacktest
        ? nil : figures.predictedActual.flatMap { Figures.predictedActual($0, unit: unit, id: "\(id)-predicted-actual") },
      figures.residualFitted.flatMap { Figures.residualFitted($0, unit: unit, id: "\(id)-residual-fitted") },
      figures.errors.flatMap {
        Figures.histogram($0, title: "Errors", axis: "predicted − actual", unit: unit, id: "\(id)-errors", rule: 0)
      },
      isBacktest ? nil : figures.residualQuantiles.flatMap { Figures.residualQuantiles($0, unit: unit, id: "\(id)-residual-qq") },
      figures.coverage.flatMap { Figures.coverage($0, unit: unit, id: "\(id)-coverage") },
      // A backtest tells it by window.
      isBacktest ? nil : figures.coverage.flatMap { Figures.coverageOverTime($0, id: "\(id)-coverage-time") },
      figures.timeline.flatMap { Figures.timeline($0, unit: unit, id: "\(id)-timeline") },
      figures.groups.flatMap { Figures.histogram($0, title: "NDCG of the groups", axis: "NDCG", id: "\(id)-groups") },
    ].compactMap { $0 } + windowFigures(evaluated.result.windows, shown, id: "\(id)-windows")
  }

  // MARK: The verdict's line

  /// `eta: MAE 2.104 min (95% CI 2.081–2.127) on 29,874 rows; against main at 91be20f3aa −0.05 min […], better.`
  static func evaluationLine(_ evaluated: EvaluatedModel, registered: RegisteredModel? = nil) -> [Report.Inline]? {
    let document = evaluated.result.document
    guard let first = document.metrics.first else { return nil }
    var line: [Report.Inline] = [.strong(evaluated.name)]
    if let registered, registered.name == evaluated.name { line.append(.text(", registered as version \(registered.version)")) }
    line += [.text(": \(first.label) "), .strong(EstimateText.value(first))]
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
