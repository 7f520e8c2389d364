// Metrics with their intervals, against the previous run and against the baseline.
// SPDX-License-Identifier: Apache-2.0
import Evaluation
import Tracking

extension RunReport {
  static func metricsSection(_ input: Input) -> Report.Section? {
    var blocks: [Report.Block] = []
    if let evaluation = input.evaluation {
      blocks += evaluationBlocks(evaluation, input)
    }
    if !input.metrics.isEmpty {
      let tables = input.metrics.sorted { $0.path < $1.path }.filter { !$0.values.isEmpty }.map {
        Report.Block.table(metricsTable($0))
      }
      if input.evaluation == nil {
        blocks += tables
      } else if !tables.isEmpty {
        blocks.append(.details(summary: [.text("Metrics files")], id: nil, open: false, tables))
      }
    }
    guard !blocks.isEmpty else { return nil }
    return Report.Section(id: "metrics", title: "Metrics", priority: 100, blocks: blocks)
  }

  private static func evaluationBlocks(_ evaluation: EvaluationDocument, _ input: Input) -> [Report.Block] {
    guard !evaluation.metrics.isEmpty else { return [] }
    var blocks: [Report.Block] = []
    let computed = evaluated(evaluation, input)
    let told = Set(computed?.metrics.map(\.name) ?? [])
    let untold = evaluation.metrics.filter { !told.contains($0.name) }
    let previous = untold.isEmpty ? [] : input.previousEvaluation?.metrics ?? []
    let baseline = evaluation.baseline
    if !previous.isEmpty {
      blocks.append(
        .table(
          comparison(
            untold, previous, caption: "Against the previous run", reference: "Previous run",
            paired: input.pairedWithPrevious)))
    }
    if computed == nil, let caution = dataCaution(evaluation, input) { blocks.append(.note(.caution, [.text(caution)])) }
    // Only the document knows this baseline: it is told of all metrics.
    let (compared, alone) = evaluation.metrics.partitioned { metric in
      baseline?.metrics.contains { $0.name == metric.name } ?? false
    }
    if let baseline, !compared.isEmpty {
      blocks.append(
        .table(
          comparison(
            compared, baseline.metrics, caption: "Against the baseline: \(baseline.name)",
            reference: "Baseline", paired: input.pairedWithBaseline)))
    }
    let further = alone.filter { !told.contains($0.name) }
    if previous.isEmpty, !further.isEmpty {
      blocks.append(
        .table(metricTable(further, caption: compared.isEmpty ? "Metrics of this run" : "Further metrics of this run")))
    }
    if let line = irreducibleLine(evaluation) { blocks.append(.paragraph(line)) }
    if !blocks.isEmpty { blocks.append(.paragraph([.muted(methodLine(evaluation, input))])) }
    return blocks
  }

  /// A difference between runs on different data is not one between models.
  private static func dataCaution(_ evaluation: EvaluationDocument, _ input: Input) -> String? {
    guard let before = input.previousEvaluation else { return nil }
    if before.rows != evaluation.rows {
      return
        "The previous run was evaluated on \(NumberText.count(before.rows)) rows, this one on \(NumberText.count(evaluation.rows)): "
        + "the differences are those of model and data together."
    }
    guard let previous = input.previous, !RunChanges(now: input.run, then: previous).inputs.isEmpty else { return nil }
    return "Input data changed since the previous run: the differences may be those of model and data together."
  }

  static func change(
    _ current: MetricEstimate, _ reference: MetricEstimate, _ paired: [PairedDifference]
  ) -> MetricChange {
    if let row = paired.first(where: { $0.metric == current.name }) { return MetricChange(current, paired: row) }
    return MetricChange(current, against: reference)
  }

  private static func comparison(
    _ metrics: [MetricEstimate], _ references: [MetricEstimate], caption: String, reference title: String,
    paired: [PairedDifference]
  ) -> Report.Table {
    Report.Table(
      caption: caption,
      columns: [.init("Metric"), .init("This run", .end), .init("Difference"), .init(title, .end)],
      rows: metrics.map { metric in
        let reference = references.first { $0.name == metric.name && $0.unit == metric.unit }
        return [
          [.text(metric.label), .lineBreak, .muted(wish(metric))],
          estimate(metric),
          reference.map { changeWords(change(metric, $0, paired), metric) } ?? [.muted("–")],
          reference.map(estimate) ?? [.muted("–")],
        ]
      })
  }

  private static func metricTable(_ metrics: [MetricEstimate], caption: String) -> Report.Table {
    Report.Table(
      caption: caption, columns: [.init("Metric"), .init("Value", .end)],
      rows: metrics.map { [[.text($0.label), .lineBreak, .muted(wish($0))], estimate($0)] })
  }

  static func wish(_ metric: MetricEstimate) -> String {
    switch metric.better {
    case "lower": "lower\u{A0}is\u{A0}better"
    case "higher": "higher\u{A0}is\u{A0}better"
    default: target(metric)
    }
  }

  private static func target(_ metric: MetricEstimate) -> String {
    guard let target = MetricChange.target(of: metric.name) else { return "should hit its target" }
    return "should be\u{A0}" + (target == 0 ? "0" : NumberText.plain(target * 100) + "%")
  }

  static func estimate(_ metric: MetricEstimate) -> [Report.Inline] {
    var cell: [Report.Inline] = [.text(EstimateText.value(metric))]
    if let interval = EstimateText.interval(metric) { cell += [.lineBreak, .muted(interval)] }
    return cell
  }

  /// The difference, its interval, and what may be said of it: never more than the interval allows.
  static func changeWords(
    _ change: MetricChange, _ metric: MetricEstimate, separator: Report.Inline = .lineBreak
  ) -> [Report.Inline] {
    let decimals = EstimateText.decimals(metric)
    if change.reading == .same { return [.muted("no difference")] }
    let isGrey = change.reading == .noEvidence
    func piece(_ text: String) -> Report.Inline { isGrey ? .muted(text) : .text(text) }
    var line = [piece(EstimateText.signed(change.difference, unit: metric.unit, decimals: decimals))]
    if let low = change.low, let high = change.high {
      line += [
        separator == .lineBreak ? .lineBreak : .text(" "),
        piece(EstimateText.signedInterval(low, high, unit: metric.unit, decimals: decimals)),
      ]
    }
    return line + [separator] + verdict(change)
  }

  private static func verdict(_ change: MetricChange) -> [Report.Inline] {
    switch change.reading {
    case .better: [.badge(.good, "better")]
    case .worse: [.badge(.bad, "worse")]
    case .moved: [.badge(.neutral, "moved")]
    case .noEvidence: [.muted("no evidence of change" + (change.isPaired ? "" : " (unpaired)"))]
    case nil: [.muted("no interval, not judged")]
    case .same: []
    }
  }

  private static func irreducibleLine(_ evaluation: EvaluationDocument) -> [Report.Inline]? {
    guard let floor = evaluation.irreducible, floor.value > 0,
      let metric = evaluation.metrics.first(where: { $0.name == floor.name })
        ?? evaluation.metrics.first(where: { $0.unit == floor.unit })
    else { return nil }
    let above = (metric.value / floor.value - 1) * 100
    let words =
      above >= 0 ? "\(NumberText.fixed(above, decimals: 1))% above it" : "\(NumberText.fixed(-above, decimals: 1))% below it"
    return [
      .text("The smallest \(metric.label) that anyone could reach on this data is "),
      .strong(EstimateText.value(floor)), .text("; this model is \(words)."),
    ]
  }

  private static func methodLine(_ evaluation: EvaluationDocument, _ input: Input) -> String {
    var sentences: [String] = []
    var methods: [String] = []
    for metric in evaluation.metrics {
      guard let method = metric.method, metric.low != nil else { continue }
      let text = "\(EstimateText.level(metric.level)), \(method)"
      if !methods.contains(text) { methods.append(text) }
    }
    sentences.append("\(NumberText.count(evaluation.rows)) rows.")
    if !methods.isEmpty { sentences.append("Intervals: \(methods.joined(separator: "; ")).") }
    let pairs = input.pairedWithPrevious + input.pairedWithBaseline
    if let pair = pairs.first { sentences.append("Paired differences: \(pair.method), \(NumberText.count(pair.rows)) rows.") }
    let hasReference = input.previousEvaluation != nil || evaluation.baseline != nil
    if hasReference, pairs.count < evaluation.metrics.count {
      sentences.append(
        "Differences are unpaired unless said otherwise: their intervals treat the two estimates as independent, which on the same "
          + "rows makes them wider than a paired comparison would. Where zero is inside the interval there is no evidence of change."
      )
    }
    if hasReference { sentences.append("No correction is made for looking at several metrics.") }
    return sentences.joined(separator: " ")
  }

  private static func metricsTable(_ file: MetricsFile) -> Report.Table {
    var columns: [Report.Table.Column] = [.init("Key"), .init("Value", .end)]
    // Where nothing differs one line says so.
    let previous = file.previous == file.values ? nil : file.previous
    if previous != nil { columns += [.init("Previous run", .end), .init("Difference", .end)] }
    let keys = Set(file.values.keys).union(file.previous.map { Set($0.keys) } ?? []).sorted()
    return Report.Table(
      caption: file.path + (file.previous == file.values ? ": the same as in the previous run" : ""), columns: columns,
      rows: keys.map { key in
        let now = file.values[key]
        var row: [[Report.Inline]] = [[.code(key)], [.text(now.map(NumberText.plain) ?? "–")]]
        guard let previous else { return row }
        let then = previous[key]
        row.append([.muted(then.map(NumberText.plain) ?? "–")])
        guard let now, let then else { return row + [[.muted(now == nil ? "gone" : "new")]] }
        if now == then { return row + [[.muted("same")]] }
        return row + [[.text((now > then ? "+" : "") + NumberText.plain(now - then))]]
      })
  }

  // MARK: Slices

  static func sliceSection(_ input: Input) -> Report.Section? {
    guard var evaluation = input.evaluation else { return nil }
    let told = Set(evaluated(evaluation, input)?.slices.map(\.column) ?? [])
    evaluation.slices.removeAll { told.contains($0.column) }
    guard !evaluation.slices.isEmpty else { return nil }
    return Report.Section(id: "slices", title: "Slices", priority: 60, blocks: sliceBlocks(evaluation, id: "slice"))
  }

  /// A chart for each slice column, side by side, then those that are told by a table.
  static func sliceBlocks(_ evaluation: EvaluationDocument, id: String) -> [Report.Block] {
    var columns: [String] = []
    for slice in evaluation.slices where !columns.contains(slice.column) { columns.append(slice.column) }
    let overall = evaluation.metrics
    let blocks = columns.enumerated().map { number, column -> Report.Block in
      let slices = evaluation.slices.filter { $0.column == column }
      let table = sliceTable(column, slices)
      let shown = worst(slices)
      guard Set(slices.map(\.metric.name)).count == 1, let chart = sliceChart(column, shown, overall) else {
        return slices.count <= 40
          ? .table(table) : .details(summary: [.text("By \(column)")], id: nil, open: false, [.table(table)])
      }
      let extent =
        shown.count < slices.count
        ? "\(shown.count) of \(slices.count) values: the worst even at the better end of their interval. " : ""
      return .figures([
        Report.Figure(
          id: "\(id)-\(number + 1)-" + PlainText.slug(column), chart: chart,
          caption: [
            .strong("\(slices[0].metric.label) by \(column). "),
            .text("\(extent)Bars are \(EstimateText.level(slices[0].metric.level)); the dashed line is all rows."),
          ],
          data: table)
      ])
    }
    // Figures of several columns stand side by side.
    var figures: [Report.Figure] = []
    var rest: [Report.Block] = []
    for block in blocks {
      if case .figures(let some) = block { figures += some } else { rest.append(block) }
    }
    return (figures.isEmpty ? [] : [.figures(figures)]) + rest
  }

  /// All of a few; of many those that are bad whatever their interval allows, so that few rows alone do not make a slice bad.
  private static func worst(_ slices: [SliceEstimate]) -> [SliceEstimate] {
    guard slices.count > 24 else { return slices }
    func badness(_ metric: MetricEstimate) -> Double {
      metric.better == "higher" ? -(metric.high ?? metric.value) : metric.low ?? metric.value
    }
    let order = slices.indices.sorted { (-badness(slices[$0].metric), $0) < (-badness(slices[$1].metric), $1) }
    return order.prefix(12).map { slices[$0] }
  }

  private static func sliceTable(_ column: String, _ slices: [SliceEstimate]) -> Report.Table {
    if let metric = slices.first?.metric, slices.allSatisfy({ $0.metric.name == metric.name }) {
      let hasIntervals = slices.contains { EstimateText.interval($0.metric) != nil }
      return Report.Table(
        caption: "\(metric.label) by \(column)",
        columns: [.init(column), .init("Rows", .end), .init(metric.label, .end)]
          + (hasIntervals ? [.init(EstimateText.level(metric.level), .end)] : []),
        rows: slices.map { slice in
          [[.text(slice.value)], [.text(NumberText.count(slice.rows))], [.text(EstimateText.value(slice.metric))]]
            + (hasIntervals ? [[.text(EstimateText.interval(slice.metric) ?? "–")]] : [])
        })
    }
    return Report.Table(
      caption: "By \(column)",
      columns: [.init(column), .init("Rows", .end), .init("Metric"), .init("Value", .end)],
      rows: slices.map { [[.text($0.value)], [.text(NumberText.count($0.rows))], [.text($0.metric.label)], estimate($0.metric)] })
  }

  private static func sliceChart(_ column: String, _ slices: [SliceEstimate], _ overall: [MetricEstimate]) -> Chart? {
    let metric = slices[0].metric
    let all = overall.first { $0.name == metric.name }
    var values = slices.flatMap { [$0.metric.value, $0.metric.low, $0.metric.high].compactMap { $0 } }
    if let all { values.append(all.value) }
    guard let low = values.min(), let high = values.max(), low.isFinite, high.isFinite else { return nil }
    let range = Ticks.roundedRange(from: low, to: high, count: 6)
    var marks: [Chart.Mark] = []
    if let all { marks.append(.verticalRule(all.value)) }
    marks.append(
      .intervals(
        slices.enumerated().map {
          Chart.Point($0.element.metric.value, Double($0.offset), low: $0.element.metric.low, high: $0.element.metric.high)
        }, .first))
    let worst = slices.max { $0.metric.value < $1.metric.value }
    return Chart(
      title: "\(metric.label) by \(column)",
      description:
        "\(slices.count) values of \(column); the highest \(metric.label) is \(EstimateText.value(worst?.metric ?? metric)) for \(worst?.value ?? "").",
      x: Chart.Axis(metric.label + unit(metric.unit), metric.unit == "share" ? .share(range) : .linear(range)),
      y: Chart.Axis(column, .bands(slices.map { "\($0.value) (\(NumberText.count($0.rows)))" })),
      marks: marks, height: 78 + Double(slices.count) * 22)
  }

  static func unit(_ unit: String) -> String { unit.isEmpty || unit == "share" ? "" : " (\(unit))" }
}

extension Array {
  /// Those that fit and those that do not, each in order.
  fileprivate func partitioned(by fits: (Element) -> Bool) -> (fitting: [Element], others: [Element]) {
    (filter(fits), filter { !fits($0) })
  }
}
