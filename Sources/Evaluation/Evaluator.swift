// From a table of predictions, or two, to all that is said of them.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// Computes what a request asks for. A pure function: equal tables give equal results.
package struct Evaluator: Sendable {
  /// Values of one slice column that are told; the rest is said to exist.
  static let shownSlices = 50

  package let request: EvaluationRequest

  package init(_ request: EvaluationRequest) { self.request = request }

  /// - Parameters:
  ///   - table: read for the same request.
  ///   - reference: the baseline's table, read for the same request; rows are matched by id.
  ///   - name: what a reader calls the reference: a branch, a version, a run.
  /// - Throws: an `input` diagnostic at the request for a metric or gate that these tables do not have; a `storage` one where the
  ///   columns of large tables find no room.
  package func evaluate(
    _ table: PredictionTable, against reference: PredictionTable? = nil, called name: String = "baseline"
  ) throws(Diagnostic) -> EvaluationResult {
    let names = try request.chosenMetrics(table)
    let current = Estimator(request: request).estimation(table, names)
    try table.scratch.check()
    let metrics = current.metrics
    var notes = missing(names, metrics)
    var document = EvaluationDocument(
      task: request.task.rawValue, model: request.model, unit: request.unit, rows: table.count, metrics: metrics)
    if request.task == .ranking { document.groups = table.groups?.names.count }
    if !request.gates.isEmpty { document.gates = try GateRule.judge(request.gates, metrics: metrics) }
    document.slices = slices(
      table, request.sliceMetrics ?? [request.primary ?? metrics.first?.name].compactMap { $0 }, &notes)
    var result = EvaluationResult(document: document)
    result.windows = windows(table, names, &notes)
    result.figures = FigureMaker(request: request).figures(table)
    try table.scratch.check()
    if let reference {
      let other = Estimator(request: request).estimation(reference, names)
      try reference.scratch.check()
      result.document.baseline = .init(name: name, metrics: other.metrics)
      compare(table, reference, names, draws: (current.draws, other.draws), &result)
      try table.scratch.check()
    }
    result.notes = notes
    return result
  }

  /// The slices of a table alone, e.g. of a reference.
  package func slices(of table: PredictionTable) throws(Diagnostic) -> [SliceEstimate] {
    let names = try request.chosenMetrics(table)
    var notes: [String] = []
    let wanted = request.sliceMetrics ?? [request.primary ?? names.first].compactMap { $0 }
    let estimates = slices(table, wanted, &notes)
    try table.scratch.check()
    return estimates
  }

  private func missing(_ names: [String], _ metrics: [MetricEstimate]) -> [String] {
    let absent = names.filter { name in !metrics.contains { $0.name == name } }
    guard !absent.isEmpty else { return [] }
    return ["not defined on these rows: \(absent.map { "`\($0)`" }.joined(separator: ", "))"]
  }

  private func slices(
    _ table: PredictionTable, _ names: [String], _ notes: inout [String]
  ) -> [SliceEstimate] {
    guard !names.isEmpty else { return [] }
    var estimates: [SliceEstimate] = []
    for column in table.slices {
      let parts = RowParts(column.rows, parts: column.names.count)
      let parted = PartedTable(table, parts)
      var shown = parts.indices.filter { !parts.rows($0).isEmpty }
      if shown.count > Self.shownSlices {
        notes.append("slice `\(column.name)` has \(shown.count) values; the \(Self.shownSlices) with the most rows are shown")
        shown.sort { (parts.rows($1).count, $0) < (parts.rows($0).count, $1) }
        shown = Array(shown.prefix(Self.shownSlices))
      }
      for place in shown.sorted(by: { ClassNames.precedes(column.names[$0], column.names[$1]) }) {
        for metric in Estimator(request: request).estimates(parted[place], names) {
          estimates.append(
            SliceEstimate(column: column.name, value: column.names[place], rows: parts.rows(place).count, metric: metric))
        }
      }
    }
    return estimates
  }

  private func windows(_ table: PredictionTable, _ names: [String], _ notes: inout [String]) -> [EvaluationWindow] {
    guard request.task == .backtest, let times = table.times else { return [] }
    let scale = request.seasonality.map { RegressionSet.seasonalScale(table, $0) }
    let (windows, ordered) = BacktestWindows.of(table)
    if windows.count > BacktestWindows.maximum {
      notes.append("there are \(windows.count) windows; the first \(BacktestWindows.maximum) are shown")
    }
    return windows.prefix(BacktestWindows.maximum).map { window in
      let part = ordered.selecting(window.rows)
      return EvaluationWindow(
        label: window.label, rows: part.count, from: times.text(part.times?.values.first ?? 0),
        to: times.text(part.times?.values.last ?? 0),
        metrics: Estimator(request: request, scale: scale).estimates(part, names))
    }
  }

  private func compare(
    _ table: PredictionTable, _ reference: PredictionTable, _ names: [String],
    draws: (current: [[Double]], reference: [[Double]]), _ result: inout EvaluationResult
  ) {
    result.referenceFigures = FigureMaker(request: request).figures(reference)
    let shared = SharedRows(table, reference)
    result.pairing = shared.pairing
    guard shared.pairing.refusal == nil else { return }
    result.paired = PairedEvaluation(shared, request, names, draws: draws).differences()
    result.figures.forest = result.paired.compactMap { paired in
      result.document.metrics.first { $0.name == paired.metric }.map { forestRow(paired, $0) }
    }
  }

  private func forestRow(_ paired: PairedDifference, _ metric: MetricEstimate) -> EvaluationFigures.ForestRow {
    var row = EvaluationFigures.ForestRow(
      metric: paired.metric, label: metric.label, unit: metric.unit, better: metric.better, difference: paired.difference,
      low: paired.low, high: paired.high, reading: paired.reading)
    if let scale = paired.reference.map(abs), scale > 0 {
      (row.relative, row.relativeLow, row.relativeHigh) = (paired.difference / scale, paired.low / scale, paired.high / scale)
    }
    return row
  }
}
