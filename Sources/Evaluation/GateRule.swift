// A condition that a model has to meet, and the verdict on it.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// Bounds on one metric, as parameters say them.
package struct GateRule: Sendable, Equatable {
  /// Name of the metric.
  package var metric: String
  /// What a reader sees; made from the metric and the bounds when `nil`.
  package var label: String?
  package var atLeast: Double?
  package var atMost: Double?

  package init(metric: String, label: String? = nil, atLeast: Double? = nil, atMost: Double? = nil) {
    self.metric = metric
    self.label = label
    self.atLeast = atLeast
    self.atMost = atMost
  }

  /// The verdict on each rule. The metric's value decides, not its confidence interval; bounds themselves pass.
  ///
  /// - Throws: an `input` diagnostic for a rule without bounds or about a metric that was not computed.
  package static func judge(_ rules: [GateRule], metrics: [MetricEstimate]) throws(Diagnostic) -> GatesDocument {
    var gates: [GatesDocument.Gate] = []
    for rule in rules {
      guard rule.atLeast != nil || rule.atMost != nil else {
        throw Diagnostic(
          .input, "the gate on `\(rule.metric)` has no bound", hints: ["give it `at_least`, `at_most` or both"])
      }
      guard let metric = metrics.first(where: { $0.name == rule.metric }) else {
        let names = metrics.map(\.name)
        throw Diagnostic(
          .input, "the gate on `\(rule.metric)` has no metric to judge",
          hints: [
            closestMatch(to: rule.metric, among: names).map { "did you mean `\($0)`?" }
              ?? "computed here: \(names.map { "`\($0)`" }.joined(separator: ", "))"
          ])
      }
      let passed = metric.value >= rule.atLeast ?? -.infinity && metric.value <= rule.atMost ?? .infinity
      gates.append(
        .init(
          name: rule.metric, label: rule.label ?? rule.words(metric), value: metric.value, atLeast: rule.atLeast,
          atMost: rule.atMost, unit: metric.unit, passed: passed))
    }
    return GatesDocument(gates: gates)
  }

  private func words(_ metric: MetricEstimate) -> String {
    func number(_ value: Double) -> String {
      if metric.unit == "share" { return "\(RegressionEvaluation.plain(value * 100)) %" }
      return RegressionEvaluation.plain(value) + (metric.unit.isEmpty ? "" : " \(metric.unit)")
    }
    switch (atLeast, atMost) {
    case (let low?, let high?): return "\(metric.label) is between \(number(low)) and \(number(high))"
    case (let low?, nil): return "\(metric.label) is at least \(number(low))"
    case (nil, let high?): return "\(metric.label) is at most \(number(high))"
    case (nil, nil): return metric.label
    }
  }
}

extension GatesDocument.Gate {
  /// The verdict as one line: `MAE is at most 3 min: missed, it is 3.4 min`.
  package var sentence: String {
    let shown =
      unit == "share"
      ? "\(RegressionEvaluation.plain((value * 10_000).rounded() / 100)) %"
      : "\(RegressionEvaluation.plain((value * 10_000).rounded() / 10_000))" + (unit.isEmpty ? "" : " \(unit)")
    return "\(label): \(passed ? "held" : "missed"), it is \(shown)"
  }
}
