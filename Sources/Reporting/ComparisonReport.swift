// A run beside one or more others: what was done differently, and whether that made it better.
// SPDX-License-Identifier: Apache-2.0
package import Evaluation
import SourceControl
package import Tracking

/// The page of `pipe report --compare`: values in, a document tree out.
package enum ComparisonReport {
  /// One of those that are compared.
  package struct Side: Sendable {
    /// `this run`, `main`, `eta@champion (version 3)`.
    package var name: String
    package var run: RunRecord
    /// Path → key → value of the metrics files.
    package var metrics: [String: [String: Double]]
    package var registered: RunReport.RegisteredModel?
    package init(
      name: String, run: RunRecord, metrics: [String: [String: Double]] = [:], registered: RunReport.RegisteredModel? = nil
    ) {
      self.name = name
      self.run = run
      self.metrics = metrics
      self.registered = registered
    }
  }

  /// Predictions of the current side, evaluated beside those of another.
  package struct Evaluated: Sendable {
    /// Place in `others`.
    package var side: Int
    package var model: RunReport.EvaluatedModel
    /// Of the reference, for the slices that moved.
    package var referenceSlices: [SliceEstimate]
    package init(side: Int, model: RunReport.EvaluatedModel, referenceSlices: [SliceEstimate] = []) {
      self.side = side
      self.model = model
      self.referenceSlices = referenceSlices
    }
  }

  package struct Input: Sendable {
    package var title: String
    package var description: String?
    package var current: Side
    package var others: [Side]
    package var evaluations: [Evaluated] = []
    /// What could not be compared, a sentence each.
    package var omissions: [String] = []
    package init(title: String, description: String? = nil, current: Side, others: [Side]) {
      self.title = title
      self.description = description
      self.current = current
      self.others = others
    }
  }

  /// A slice whose metric differs.
  package struct SliceChange: Sendable, Equatable {
    package var slice: SliceEstimate
    package var reference: SliceEstimate
    package var change: MetricChange
  }

  /// Rows of a table on the page; what is beyond is counted.
  static let tableRows = 100
  static let shownSlices = 12

  package static func document(_ input: Input) -> Report {
    var input = input
    // All tests on the page are read together.
    let corrected = EvaluationResult.correctedTogether(input.evaluations.map(\.model.result))
    for place in input.evaluations.indices { input.evaluations[place].model.result = corrected[place] }
    let changes = input.others.map { RunChanges(now: input.current.run, then: $0.run) }
    let sections =
      [atAGlance(input)] + input.evaluations.indices.map { evaluationSection(input, $0) } + [
        parameterSection(input), metricsSection(input), dataSection(input, changes), stagesSection(input, changes),
      ]
    let names = input.others.map(\.name).joined(separator: ", ")
    return Report(
      title: "\(input.title): compared with \(names)", summary: input.description, verdict: verdict(input, changes),
      runFacts: runFacts(input), sections: sections.compactMap { $0 })
  }

  // MARK: Verdict

  private static func verdict(_ input: Input, _ changes: [RunChanges]) -> Report.Verdict {
    let readings = input.evaluations.flatMap { $0.model.result.paired.compactMap(\.reading) }
    let (better, worse) = (readings.count { $0 == .better }, readings.count { $0 == .worse })
    let comparisons = readings.count == 1 ? "1 comparison" : "\(readings.count) comparisons"
    let (tone, headline): (Report.Tone, String) =
      switch (readings.isEmpty, better, worse) {
      case (true, _, _): (.neutral, differences(changes))
      case (_, 0, 0): (.neutral, "No evidence of a difference in \(comparisons)")
      case (_, _, 0): (.good, "Better in \(better) of \(comparisons), worse in none")
      case (_, 0, _): (.bad, "Worse in \(worse) of \(comparisons), better in none")
      default: (.caution, "Better in \(better) and worse in \(worse) of \(comparisons)")
      }
    let lines = input.evaluations.compactMap { RunReport.evaluationLine($0.model) }
    return Report.Verdict(
      tone: tone, headline: headline,
      blocks: input.omissions.map { .note(.caution, .message($0)) } + lines.map { .paragraph($0) })
  }

  private static func differences(_ changes: [RunChanges]) -> String {
    let (parameters, inputs) = (Set(changes.flatMap { $0.parameters.map(\.key) }), Set(changes.flatMap { $0.inputs.map(\.path) }))
    if parameters.isEmpty, inputs.isEmpty { return "Neither parameters nor input data differ" }
    let words = [(parameters.count, "parameter"), (inputs.count, "input")].filter { $0.0 > 0 }
    let list = words.map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")" }.joined(separator: " and ")
    return "\(list) \(parameters.count + inputs.count == 1 ? "differs" : "differ")"
  }

  private static func runFacts(_ input: Input) -> Report.RunFacts {
    let sides = [input.current] + input.others
    let rows = sides.map { side -> [[Report.Inline]] in
      let commit = side.run.git?.commit.map { Report.Inline.code(String($0.prefix(10))) } ?? .muted("–")
      let started = side.run.startedAt.isEmpty ? "–" : RunReport.minute(side.run.startedAt)
      return [[.text(side.name)], [.code(side.run.id)], [commit], [.text(started)]]
    }
    return Report.RunFacts(
      line: [.text("Compared: \(sides.map(\.name).joined(separator: ", ")).")],
      blocks: [
        .table(
          Report.Table(
            caption: "What is compared", columns: [.init("Side"), .init("Run or revision"), .init("Commit"), .init("Started")],
            rows: rows))
      ])
  }

  // MARK: Headline

  /// A row a side: the model, its main metric, and how that compares.
  private static func atAGlance(_ input: Input) -> Report.Section? {
    guard !input.evaluations.isEmpty else { return nil }
    var names: [String] = []
    for evaluated in input.evaluations where !names.contains(evaluated.model.name) { names.append(evaluated.model.name) }
    let tables = names.map { name -> Report.Block in
      let found = input.evaluations.filter { $0.model.name == name }
      let first = found.first?.model.result.document.metrics.first
      var rows: [[[Report.Inline]]] = []
      if let first { rows.append([sideCell(input.current), RunReport.estimate(first), [.muted("–")]]) }
      for evaluated in found {
        let document = evaluated.model.result.document
        guard let metric = document.metrics.first else { continue }
        let reference = document.baseline?.metrics.first { $0.name == metric.name }
        let pair = evaluated.model.result.paired.first { $0.metric == metric.name }
        let change = pair.map { MetricChange(metric, paired: $0) } ?? reference.map { MetricChange(metric, against: $0) }
        rows.append([
          sideCell(input.others[evaluated.side]), reference.map(RunReport.estimate) ?? [.muted("–")],
          change.map { RunReport.changeWords($0, metric) } ?? [.muted("–")],
        ])
      }
      return .table(
        Report.Table(
          caption: "\(name): \(first?.label ?? "")",
          columns: [.init("Side"), .init(first?.label ?? "Metric", .end), .init("This run less it")], rows: rows))
    }
    return Report.Section(id: "glance", title: "At a glance", priority: 100, blocks: tables)
  }

  private static func sideCell(_ side: Side) -> [Report.Inline] {
    guard let registered = side.registered else { return [.text(side.name)] }
    return [.text(side.name), .lineBreak, .muted("\(registered.name) version \(registered.version)")]
  }

  private static func evaluationSection(_ input: Input, _ place: Int) -> Report.Section {
    let evaluated = input.evaluations[place]
    let side = input.others[evaluated.side]
    let id = "comparison-\(place + 1)"
    var blocks = RunReport.comparisonBlocks(
      evaluated.model, tests: input.evaluations.reduce(0) { $0 + $1.model.result.paired.count { $0.p != nil } })
    if let figure = Figures.forest(evaluated.model.result.figures.forest, reference: side.name, id: "\(id)-forest") {
      blocks.append(.figures([figure]))
    }
    blocks += sliceBlocks(evaluated)
    return Report.Section(
      id: id, title: "\(evaluated.model.name) beside \(side.name)", priority: 99 - min(place, 20), blocks: blocks)
  }

  // MARK: Slices

  /// Those with evidence first, then by how far their metric moved in its own interval's width.
  package static func sliceChanges(_ evaluated: Evaluated) -> [SliceChange] {
    let changes = evaluated.model.result.document.slices.compactMap { slice -> SliceChange? in
      let reference = evaluated.referenceSlices.first {
        $0.column == slice.column && $0.value == slice.value && $0.metric.name == slice.metric.name
      }
      return reference.map { SliceChange(slice: slice, reference: $0, change: MetricChange(slice.metric, against: $0.metric)) }
    }
    func rank(_ change: MetricChange) -> (Int, Double) {
      let hasEvidence = [.better, .worse, .moved].contains(change.reading)
      let width = (change.high ?? 1) - (change.low ?? 0)
      return (hasEvidence ? 0 : 1, -abs(change.difference) / max(width, 1e-300))
    }
    let ranks = changes.map { rank($0.change) }
    return changes.indices.sorted { (ranks[$0].0, ranks[$0].1, $0) < (ranks[$1].0, ranks[$1].1, $1) }.map { changes[$0] }
  }

  private static func sliceBlocks(_ evaluated: Evaluated) -> [Report.Block] {
    let changes = sliceChanges(evaluated).filter { $0.change.reading != .same }
    guard !changes.isEmpty else { return [] }
    let shown = changes.prefix(shownSlices)
    let extent = shown.count < changes.count ? " (\(shown.count) of \(changes.count))" : ""
    return [
      .table(
        Report.Table(
          caption: "Slices that changed most\(extent)",
          columns: [.init("Slice"), .init("Rows", .end), .init("This run", .end), .init("Difference"), .init("Reference", .end)],
          rows: shown.map { change in
            [
              [.text("\(change.slice.column): \(change.slice.value)"), .lineBreak, .muted(change.slice.metric.label)],
              [.text(NumberText.count(change.slice.rows))], RunReport.estimate(change.slice.metric),
              RunReport.changeWords(change.change, change.slice.metric), RunReport.estimate(change.reference.metric),
            ]
          })),
      .paragraph([
        .muted(
          "Slices are compared unpaired and without a correction for their number: of twenty, one may stand out by chance alone.")
      ]),
    ]
  }

  // MARK: What was done differently

  private static func sideColumns(_ input: Input, _ first: String, _ alignment: Report.Table.Alignment = .start) -> [Report.Table
    .Column]
  {
    [.init(first), .init(input.current.name, alignment)] + input.others.map { .init($0.name, alignment) }
  }

  private static func parameterSection(_ input: Input) -> Report.Section? {
    let sides = ([input.current] + input.others).map { RunChanges.parameters(of: $0.run) }
    let keys = Set(sides.flatMap(\.keys)).sorted().filter { key in sides.dropFirst().contains { $0[key] != sides[0][key] } }
    let same = Set(sides.flatMap(\.keys)).count - keys.count
    var blocks: [Report.Block] = []
    if !keys.isEmpty {
      blocks.append(
        .table(
          Report.Table(
            caption: "Parameters that differ" + extent(keys.count), columns: sideColumns(input, "Parameter", .end),
            rows: keys.prefix(tableRows).map { key in [[.code(key)]] + sides.map { RunReport.valueCell($0[key]) } })))
    }
    if same > 0 {
      let others = keys.isEmpty ? "parameter" : "other"
      let words = same == 1 ? "The only \(others) is" : keys.isEmpty ? "All \(same) \(others)s are" : "\(same) \(others)s are"
      blocks.append(.paragraph([.muted("\(words) the same.")]))
    }
    return same + keys.count == 0 ? nil : Report.Section(id: "parameters", title: "Parameters", priority: 90, blocks: blocks)
  }

  private static func extent(_ count: Int) -> String { count > tableRows ? " (\(tableRows) of \(NumberText.count(count)))" : "" }

  private static func metricsSection(_ input: Input) -> Report.Section? {
    let sides = [input.current] + input.others
    let paths = Set(sides.flatMap(\.metrics.keys)).sorted()
    var rows: [[[Report.Inline]]] = []
    for path in paths {
      for key in Set(sides.flatMap { $0.metrics[path]?.keys.map(\.self) ?? [] }).sorted() {
        let values = sides.map { $0.metrics[path]?[key] }
        guard values.dropFirst().contains(where: { $0 != values[0] }) else { continue }
        rows.append(
          [[.code(key), .lineBreak, .muted(path)], [.text(values[0].map(NumberText.plain) ?? "–")]]
            + values.dropFirst().map { cell(values[0], $0) })
      }
    }
    guard !rows.isEmpty else { return nil }
    return Report.Section(
      id: "metrics", title: "Metrics files", priority: 80,
      blocks: [
        .table(
          Report.Table(
            caption: "Figures that differ, and this run less the other" + extent(rows.count),
            columns: sideColumns(input, "Figure", .end), rows: Array(rows.prefix(tableRows))))
      ])
  }

  private static func cell(_ now: Double?, _ then: Double?) -> [Report.Inline] {
    guard let then else { return [.muted("not there")] }
    guard let now else { return [.text(NumberText.plain(then))] }
    if now == then { return [.muted("same")] }
    return [.text(NumberText.plain(then)), .lineBreak, .muted((now > then ? "+" : "") + NumberText.plain(now - then))]
  }

  private static func dataSection(_ input: Input, _ changes: [RunChanges]) -> Report.Section? {
    let paths = Set(changes.flatMap { $0.inputs.map(\.path) }).sorted()
    var blocks: [Report.Block] = []
    if !paths.isEmpty {
      blocks.append(
        .table(
          Report.Table(
            caption: "Input data that differ" + extent(paths.count), columns: sideColumns(input, "Path"),
            rows: paths.prefix(tableRows).map { path in
              let now = changes.lazy.compactMap { $0.inputs.first { $0.path == path } }.first?.now
              return [[.code(path)], RunReport.fileCell(now)]
                + changes.map { change in
                  change.inputs.first { $0.path == path }.map { RunReport.fileCell($0.then) } ?? [.muted("same")]
                }
            })))
    }
    for (side, change) in zip(input.others, changes) where !change.outputs.isEmpty {
      blocks.append(.paragraph(RunReport.names("Outputs that differ from \(side.name)", change.outputs)))
    }
    if blocks.isEmpty { blocks.append(.paragraph([.text("All inputs and outputs are the same.")])) }
    return Report.Section(id: "data", title: "Data", priority: 85, blocks: blocks)
  }

  private static func stagesSection(_ input: Input, _ changes: [RunChanges]) -> Report.Section? {
    var blocks: [Report.Block] = []
    for (side, change) in zip(input.others, changes) {
      for (title, names) in [
        ("Stages whose command differs from \(side.name)", change.commands), ("Stages that \(side.name) lacks", change.added),
        ("Stages that only \(side.name) has", change.removed),
      ] where !names.isEmpty { blocks.append(.paragraph(RunReport.names(title, names))) }
    }
    return blocks.isEmpty ? nil : Report.Section(id: "stages", title: "Stages", priority: 70, blocks: blocks)
  }
}
