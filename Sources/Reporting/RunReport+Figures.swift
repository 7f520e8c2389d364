// What stages wrote for drawing: the importance of features, and a backtest that comes as a document.
// SPDX-License-Identifier: Apache-2.0
import Evaluation

extension RunReport {
  static func importanceSection(_ input: Input) -> Report.Section? {
    let features = input.importance.map { Figures.FeatureImportance($0.feature, $0.share) }
    guard let figure = Figures.importance(features, measure: "share of the gain", isShare: true) else { return nil }
    return Report.Section(id: "importance-section", title: "Importance", priority: 45, blocks: [.figures([figure])])
  }

  // MARK: Backtest

  /// A document of windows. Predictions that `evaluations:` names have a section of their own.
  static func backtestSection(_ input: Input) -> Report.Section? {
    guard let backtest = input.backtest, let first = backtest.windows.first else { return nil }
    let windows = backtest.windows.map {
      EvaluationWindow(label: $0.label, rows: $0.testRows, from: $0.testFrom, to: $0.testTo, metrics: $0.metrics)
    }
    let figures = windowFigures(windows, first.metrics.prefix(4).map(\.name), id: "backtest")
    var blocks: [Report.Block] = [
      .paragraph([
        .text("Walk-forward: \(backtest.windows.count) windows, each trained on what came before it and tested on what followed.")
      ])
    ]
    if !figures.isEmpty { blocks.append(.figures(figures)) }
    blocks.append(.table(windowTable(windows, trainedOn: backtest.windows.map(\.trainRows))))
    return Report.Section(id: "backtest", title: "Backtest", priority: 70, blocks: blocks)
  }

  /// A drawing for each of these metrics that the windows have.
  static func windowFigures(_ windows: [EvaluationWindow], _ metrics: [String], id: String) -> [Report.Figure] {
    metrics.enumerated().compactMap { number, name in
      let isTarget = windows.first?.metrics.first { $0.name == name }?.better == "target"
      return Figures.windows(
        windows, metric: name, nominal: isTarget ? MetricChange.target(of: name) : nil,
        id: "\(id)-\(number + 1)-" + PlainText.slug(name))
    }
  }

  /// - Parameter trainedOn: rows, one for each window; empty where nobody says.
  static func windowTable(_ windows: [EvaluationWindow], trainedOn: [Int] = []) -> Report.Table {
    let metrics = windows.first?.metrics ?? []
    return Report.Table(
      caption: "Windows",
      columns: [.init("Window")] + (trainedOn.isEmpty ? [] : [.init("Trained on", .end)]) + [.init("Tested on", .end)]
        + metrics.map { .init($0.label, .end) },
      rows: windows.enumerated().map { number, window in
        let trained: [[Report.Inline]] = trainedOn.isEmpty ? [] : [[.text(NumberText.count(trainedOn[number]))]]
        return [[.text(window.label), .lineBreak, .muted("\(window.from.prefix(10)) to \(window.to.prefix(10))")]] + trained
          + [[.text(NumberText.count(window.rows))]]
          + metrics.map { metric in window.metrics.first { $0.name == metric.name }.map(estimate) ?? [.muted("–")] }
      })
  }

  static func percent(_ share: Double, decimals: Int = 1) -> String { NumberText.fixed(share * 100, decimals: decimals) + "%" }
}
