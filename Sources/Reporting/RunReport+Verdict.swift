// The first thing on the page: may this go on?
// SPDX-License-Identifier: Apache-2.0
import Evaluation
import Tracking

extension RunReport {
  /// A missed gate is the verdict; then one that cannot be judged; then a failed stage; then what could not be shown; then
  /// columns that drifted; then gates that hold; then that all stages are done.
  static func verdict(_ input: Input) -> Report.Verdict {
    let failed = input.run.stages.filter { $0.outcome == .failed }
    let (tone, headline) = judgement(input, failed: failed)
    let told = input.evaluations.map { evaluationLine($0, registered: input.registered) }
    let lines = ([modelLine(input)] + told).compactMap { $0.map { Report.Block.paragraph($0) } }
    let judged = allGates(input)
    let gates = judged.isEmpty ? [] : [Report.Block.table(gatesTable(judged))]
    let isMissed = judged.contains { !$0.passed }
    // Good news on the model does not stand above a gate that it missed.
    var blocks = isMissed ? gates + lines : lines + gates
    blocks = input.omissions.map { .note(.caution, .message($0)) } + blocks + driftNotes(input)
    if !failed.isEmpty, isMissed { blocks.append(.paragraph(stageList("Failed", failed))) }
    return Report.Verdict(tone: tone, headline: headline, blocks: blocks)
  }

  private static func judgement(_ input: Input, failed: [StageRecord]) -> (Report.Tone, String) {
    let gates = allGates(input)
    let missed = gates.filter { !$0.passed }
    if missed.count == 1, gates.count == 1 { return (.bad, "The gate is missed") }
    if !missed.isEmpty { return (.bad, "\(missed.count) of \(gates.count) gates \(missed.count == 1 ? "is" : "are") missed") }
    if !input.unjudged.isEmpty {
      return (.bad, input.unjudged.count == 1 ? "A gate cannot be judged" : "\(input.unjudged.count) gates cannot be judged")
    }
    if let first = failed.first {
      return (.bad, failed.count == 1 ? "Stage \(first.name) failed" : "\(failed.count) stages failed")
    }
    let undone = input.run.stages.filter { !$0.outcome.isDone }
    if input.run.outcome == .interrupted || undone.contains(where: { $0.outcome == .interrupted }) {
      return (.caution, "The run was interrupted")
    }
    if input.run.outcome == .failed { return (.bad, "The run failed") }
    if !undone.isEmpty { return (.caution, "\(undone.count) of \(input.run.stages.count) stages have no result") }
    if !input.omissions.isEmpty { return (.caution, "The report is incomplete") }
    if let drifted = driftHeadline(input.drift) { return (.caution, drifted) }
    if gates.count == 1 { return (.good, "The gate holds") }
    if !gates.isEmpty { return (.good, "All \(gates.count) gates hold") }
    if input.evaluation != nil || !input.evaluations.isEmpty { return (.neutral, "Evaluated; no gates are declared") }
    let count = input.run.stages.count
    return (.good, count == 1 ? "The stage is done" : "All \(count) stages are done")
  }

  /// Those of `gates.json`, then those of each evaluation, by its name where several have gates.
  private static func allGates(_ input: Input) -> [GatesDocument.Gate] {
    let evaluated = input.evaluations.filter { $0.result.document.gates?.gates.isEmpty == false }
    let isNamed = evaluated.count + (input.gates == nil ? 0 : 1) > 1
    return (input.gates?.gates ?? [])
      + evaluated.flatMap { model in
        (model.result.document.gates?.gates ?? []).map { gate in
          var gate = gate
          if isNamed { gate.label = "\(model.name): \(gate.label)" }
          return gate
        }
      }
  }

  /// `eta version 3: MAE 2.104 min (95% CI 2.081–2.127), −0.05 min against the previous run …`
  private static func modelLine(_ input: Input) -> [Report.Inline]? {
    guard let evaluation = input.evaluation, let first = evaluation.metrics.first, evaluated(evaluation, input) == nil else {
      return nil
    }
    var line: [Report.Inline] = [.strong(evaluation.model)]
    if let registered = input.registered, registered.name == evaluation.model {
      line.append(.text(", registered as version \(registered.version)"))
    }
    line += [.text(": \(first.label) "), .strong(EstimateText.value(first))]
    if let interval = EstimateText.interval(first) { line.append(.text(" (\(EstimateText.level(first.level)) \(interval))")) }
    line.append(.text(" on \(NumberText.count(evaluation.rows)) rows"))
    if let reference = input.previousEvaluation?.metrics.first(where: { $0.name == first.name && $0.unit == first.unit }) {
      let change = change(first, reference, input.pairedWithPrevious)
      line += [.text("; against the previous run ")] + changeWords(change, first, separator: .text(", "))
    }
    return line + [.text(".")]
  }

  static func stageList(_ verb: String, _ stages: [StageRecord]) -> [Report.Inline] {
    var line: [Report.Inline] = [.text("\(verb): ")]
    for (index, stage) in stages.enumerated() {
      if index > 0 { line.append(.text(", ")) }
      line.append(.code(stage.name))
    }
    return line + [.text(".")]
  }

  private static func gatesTable(_ gates: [GatesDocument.Gate]) -> Report.Table {
    Report.Table(
      caption: "Gates",
      columns: [.init("Gate"), .init("Value", .end), .init("Allowed", .end), .init("Result")],
      rows: (gates.filter { !$0.passed } + gates.filter(\.passed)).map { gate in
        let decimals = gateDecimals(gate)
        return [
          [.text(gate.label)],
          [.text(EstimateText.value(gate.value, unit: gate.unit, decimals: decimals))],
          [.text(bounds(gate, decimals))],
          [gate.passed ? .badge(.good, "holds") : .badge(.bad, "missed")],
        ]
      })
  }

  /// Enough decimals that a value just past its bound does not read as equal to it.
  private static func gateDecimals(_ gate: GatesDocument.Gate) -> Int {
    let factor = EstimateText.factor(gate.unit)
    var decimals = min(3, NumberText.decimals(forStep: abs(gate.value) * factor, digits: 3))
    for bound in [gate.atLeast, gate.atMost].compactMap({ $0 }) where bound != gate.value {
      let isShown: (Int) -> Bool = {
        NumberText.fixed(bound * factor, decimals: $0) != NumberText.fixed(gate.value * factor, decimals: $0)
      }
      while decimals < 6, !isShown(decimals) { decimals += 1 }
    }
    return decimals
  }

  private static func bounds(_ gate: GatesDocument.Gate, _ decimals: Int) -> String {
    func text(_ value: Double) -> String {
      NumberText.plain(value * EstimateText.factor(gate.unit)) + EstimateText.suffix(gate.unit)
    }
    return switch (gate.atLeast, gate.atMost) {
    case (let low?, let high?):
      "\(NumberText.plain(low * EstimateText.factor(gate.unit)))–\(text(high))"
    case (let low?, nil): "≥ \(text(low))"
    case (nil, let high?): "≤ \(text(high))"
    case (nil, nil): "–"
    }
  }
}
