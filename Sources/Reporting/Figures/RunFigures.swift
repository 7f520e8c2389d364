// What a run did when: its stages along the clock.
// SPDX-License-Identifier: Apache-2.0

extension Figures {
  package struct StageSpan: Sendable, Equatable {
    package enum Outcome: String, Sendable, Equatable, CaseIterable { case ran, restored, failed, interrupted }
    package var stage: String
    /// Seconds since the run began.
    package var from: Double
    package var to: Double
    package var outcome: Outcome
    package init(_ stage: String, from: Double, to: Double, outcome: Outcome) {
      self.stage = stage
      self.from = from
      self.to = to
      self.outcome = outcome
    }
  }

  static let ganttStages = 60

  /// A bar a stage along the time since the run began. A run fact: it differs from run to run.
  package static func gantt(_ spans: [StageSpan], id: String = "gantt") -> Report.Figure? {
    let all = spans.filter { $0.from.isFinite && $0.to.isFinite && $0.to >= $0.from }.sorted {
      ($0.from, $0.stage) < ($1.from, $1.stage)
    }
    // Of many, the longest say where the time went.
    let kept = Set(all.indices.sorted { (all[$1].to - all[$1].from, $0) < (all[$0].to - all[$0].from, $1) }.prefix(ganttStages))
    let shown = all.indices.filter(kept.contains).map { all[$0] }
    guard let end = all.map(\.to).max(), end > 0 else { return nil }
    let (unit, length) = end < 180 ? ("s", 1.0) : end < 10_800 ? ("min", 60) : ("h", 3_600)
    let names = orderedNames(shown)
    let kinds: [(StageSpan.Outcome, Chart.Series)] = [
      (.ran, .first), (.restored, .third), (.failed, .second), (.interrupted, .muted),
    ]
    let present = kinds.filter { kind in shown.contains { $0.outcome == kind.0 } }
    let busy = all.reduce(0) { $0 + $1.to - $1.from }
    return Report.Figure(
      id: id,
      chart: Chart(
        title: "Stages over time", description: "\(all.count) stages in \(NumberText.duration(seconds: end)).",
        x: .init("since the start (\(unit))", .linear(0...Chart.Scale.range([0, end / length], fromZero: true).upperBound)),
        y: .init("", .bands(names.map { name in "\(worst(name, shown).map { mark($0) + " " } ?? "")\(name)" })),
        marks: [
          .spans(
            shown.map { span in
              .init(
                band: names.firstIndex(of: span.stage) ?? 0, from: span.from / length, to: span.to / length,
                series: kinds.first { $0.0 == span.outcome }?.1 ?? .muted)
            })
        ], legend: present.map { .init(.block, $0.1, "\(mark($0.0)) \($0.0.rawValue)") }, width: 460,
        height: 60 + Double(names.count) * 20),
      caption: caption(
        "Stages over time.",
        [
          "\(NumberText.duration(seconds: end)) in all; stages took \(NumberText.duration(seconds: busy)) together.",
          PointBudget.showing(shown.count, of: all.count, "stages, the longest"),
        ]),
      data: wholeTable(
        "Stages over time", ["Stage", "Outcome", "#Began", "#Took"],
        all.prefix(200).map {
          [$0.stage, $0.outcome.rawValue, NumberText.duration(seconds: $0.from), NumberText.duration(seconds: $0.to - $0.from)]
        }))
  }

  private static func mark(_ outcome: StageSpan.Outcome) -> String {
    switch outcome {
    case .ran: "▶"
    case .restored: "✓"
    case .failed: "✗"
    case .interrupted: "○"
    }
  }

  /// A stage that ran twice shows what went wrong.
  private static func worst(_ name: String, _ spans: [StageSpan]) -> StageSpan.Outcome? {
    let found = spans.filter { $0.stage == name }.map(\.outcome)
    return [.failed, .interrupted, .ran, .restored].first(where: found.contains)
  }

  private static func orderedNames(_ spans: [StageSpan]) -> [String] {
    var seen: Set<String> = []
    return spans.map(\.stage).filter { seen.insert($0).inserted }
  }
}
