// Every figure: what it draws, what it says of what it left out, and its bytes.
// SPDX-License-Identifier: Apache-2.0
import Evaluation
import Foundation
import TestSupport
import Testing

@testable import Reporting

@Suite struct FiguresTests {
  private static let families: [(name: String, figures: [Report.Figure?])] = [
    ("classifier", FigureSamples.classifier), ("regression", FigureSamples.regression),
    ("explanation", FigureSamples.explanation),
    ("timelines", FigureSamples.timelines), ("comparison", FigureSamples.comparison), ("odd", FigureSamples.odd),
  ]

  /// The drawings in one file a family: one for each would be forty.
  @Test(arguments: ["classifier", "regression", "explanation", "timelines", "comparison", "odd"])
  func `drawings are as expected`(family: String) throws {
    let figures = try #require(Self.families.first { $0.name == family }).figures
    let text = figures.compactMap { $0.map { $0.chart.svg(id: $0.id) } }.joined(separator: "\n")
    #expect(!figures.contains { $0 == nil })
    let problem = goldenMismatch(text, "figures-\(family).svg.txt")
    #expect(problem == nil, "\(problem ?? "")")
  }

  @Test func `every drawing is well formed, named, and has its numbers`() {
    for figure in FigureSamples.all { checkForm(figure) }
  }

  private func checkForm(_ figure: Report.Figure) {
    let svg = figure.chart.svg(id: figure.id)
    #expect(svg.contains("role=img aria-labelledby=\"\(figure.id) \(figure.id)d\""))
    // A `/` right behind a word would be read as a part of it.
    #expect(svg.firstMatch(of: /[^"]\/>/) == nil)
    for word in ["nan", "inf", "NaN", "Optional", "<script", "style=", "href"] { #expect(!svg.contains(word), "\(word)") }
    #expect(!figure.data.columns.isEmpty && figure.data.rows.allSatisfy { $0.count == figure.data.columns.count })
    #expect(svg.utf8.count < 40_000, "\(figure.id) has \(svg.utf8.count) bytes")
    #expect(figure.chart.svg(id: figure.id) == svg)
  }

  @Test func `labels keep clear of one another and inside the drawing`() {
    for figure in FigureSamples.all { checkLabels(figure) }
  }

  private func checkLabels(_ figure: Report.Figure) {
    let sheet = ChartSheet(figure.chart)
    for (panel, layout) in zip(figure.chart.panels, sheet.layouts) {
      var end = -Double.infinity
      for tick in layout.xTicks where !layout.isSlanted {
        let half = TextWidth.of(tick.label) / 2
        #expect(tick.position - half > end, "\(figure.id): \(tick.label)")
        end = tick.position + half
        #expect(end <= figure.chart.width + 1, "\(figure.id): \(tick.label) leaves the drawing")
      }
      for tick in layout.yTicks {
        #expect(layout.left - 7 - TextWidth.of(tick.label) >= layout.originX - 0.1, "\(figure.id): \(tick.label)")
      }
      if layout.isSlanted {
        for (a, b) in zip(layout.xTicks, layout.xTicks.dropFirst()) { #expect(b.position - a.position >= 15.9) }
        for tick in layout.xTicks { #expect(tick.position - TextWidth.of(tick.label) * 0.7072 >= layout.originX - 4) }
      }
      #expect(layout.right > layout.left + 20 && layout.bottom > layout.top + 20, "\(figure.id)")
      if !panel.x.label.isEmpty { #expect(layout.xLabelY <= sheet.height, "\(figure.id)") }
    }
    for (entry, place) in zip(figure.chart.legend, sheet.legend) where place.x > 4 {
      #expect(place.x + entry.symbolWidth + 6 + TextWidth.of(entry.text) <= figure.chart.width)
    }
  }

  @Test func `captions say what was binned, thinned or left out`() throws {
    func words(_ id: String) throws -> String { try #require(FigureSamples.all.first { $0.id == id }).caption.plainText }
    #expect(try words("roc").contains("Showing 201 of 9,214 points of the curve."))
    #expect(try words("predicted-actual").contains("41,203 rows, binned; the stronger the colour, the more (logarithmic)."))
    #expect(try words("shap").contains("Showing 500 of 3,000 rows."))
    #expect(try words("dependence-rows").contains("5,200 points, binned;"))
    #expect(try words("residual-qq").contains("Showing 120 of 41,203 points."))
    #expect(try words("parallel").contains("60 trials"))
  }

  @Test func `a swarm is few paths on a grid of whole numbers`() throws {
    let figure = try #require(FigureSamples.explanation[1])
    let svg = figure.chart.svg(id: "s")
    // The legend has eight dots of its own.
    #expect(svg.components(separatedBy: "<path class=\"cloud v v").count - 1 == 16)
    #expect(svg.components(separatedBy: "<circle").count == 1)
  }

  @Test func `a long line keeps its peak`() throws {
    let svg = try #require(FigureSamples.odd[1]).chart.svg(id: "d")
    let peak = Chart(
      title: "", description: "", x: .init("step", .linear(0...4_000)), y: .init("value", .linear(-6...10)), marks: [])
    let layout = ChartSheet(peak).layouts[0]
    #expect(svg.utf8.count < 25_000)
    let top = svg.split(separator: "L").compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.min() ?? 0
    #expect(top < layout.py(8))
  }

  @Test func `one class's confusion shows count and share, strong cells have light text`() throws {
    let matrix = EvaluationFigures.ConfusionMatrix(classes: ["a", "b"], counts: [[90, 10], [0, 40]], merged: 0, rows: 140)
    let figure = try #require(Figures.confusion(matrix))
    let svg = figure.chart.svg(id: "c")
    #expect(svg.contains(">90</text>") && svg.contains(">90%</text>") && svg.contains(">10%</text>"))
    #expect(
      svg.contains("<text class=\"on m\" x=") && svg.contains("<text class=\"in m\""))
    #expect(figure.chart.description.contains("92.9% lie on the diagonal"))
    #expect(figure.data.rows.map { $0.map(\.plainText) } == [["a", "90", "10"], ["b", "0", "40"]])
  }

  @Test func `values of a column that find no room in its panel are drawn together`() throws {
    let many = Figures.DriftColumn(
      name: "day", categories: (1...20).map { "day \($0)" } + ["(8 other values)"],
      current: Array(repeating: 10, count: 20) + [200],
      baseline: Array(repeating: 20, count: 20) + [0], test: "PSI", value: 1, threshold: 0.25, hasDrifted: true)
    let figure = try #require(Figures.drift([many], baseline: "the previous run"))
    let panel = figure.chart.panels[0]
    #expect(panel.x.scale == .bands((1...7).map { "day \($0)" } + ["all others"]))
    let heights = panel.marks.compactMap { mark in
      if case .steps(_, let heights, _, _) = mark { heights.map { ($0 * 1000).rounded() } } else { nil }
    }
    #expect(heights == [Array(repeating: 50, count: 7) + [650], Array(repeating: 25, count: 7) + [825]])
    #expect(figure.caption.plainText.hasPrefix("Distribution of columns, now and in the previous run."))
  }

  @Test func `figures without data are none`() {
    #expect(Figures.roc([]) == nil)
    #expect(Figures.calibration([]) == nil)
    #expect(Figures.gain([]) == nil)
    #expect(Figures.importance([], measure: "m") == nil)
    #expect(Figures.swarm([]) == nil)
    #expect(Figures.drift([]) == nil)
    #expect(Figures.forest([]) == nil)
    #expect(Figures.gantt([]) == nil)
    #expect(Figures.parallel([.init("a", [1])], trials: ["t"]) == nil)
    #expect(Figures.learningCurves([.init("a", [])], x: "x", y: "y") == nil)
    #expect(Figures.confusion(.init(classes: [], counts: [], merged: 0, rows: 0)) == nil)
    #expect(Figures.sparkline([1], title: "t") == nil)
  }

  /// Set PIPE_CHART_PAGES to a folder to get the page there.
  @Test func `a page with one of each keeps the contract and has them all`() throws {
    let report = Report(
      title: "Charts", summary: "One of each.", verdict: .init(tone: .neutral, headline: "For a look", blocks: []),
      runFacts: .init(line: [], blocks: []),
      sections: Self.families.map { name, figures in
        .init(id: name, title: name.capitalized, priority: 1, blocks: [.figures(figures.compactMap { $0 })])
      })
    let page = HTMLText.render(report)
    #expect(ReportContract.findings(in: page).map { "\($0.line): \($0.rule): \($0.message)" } == [])
    #expect(page.components(separatedBy: "<svg class=chart").count - 1 == FigureSamples.all.count)
    guard let folder = ProcessInfo.processInfo.environment["PIPE_CHART_PAGES"] else { return }
    try page.write(toFile: folder + "/charts.html", atomically: true, encoding: .utf8)
  }
}
