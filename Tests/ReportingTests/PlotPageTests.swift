// Plots by the built-in templates as drawings, and the page that holds them.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import PipelineModel
import TestSupport
import Testing

@testable import Reporting

@Suite struct PlotPageTests {
  private func plot(_ csv: String, _ options: String, revisions: [(String, String)]? = nil, id: String = "p.csv") throws -> Plot {
    let (tree, mistakes) = YAMLReader.read(options, file: "t")
    try mistakes.throwIfErrors()
    let parsed = PlotOptions(try #require(tree).value)
    let data = try (revisions ?? [("workspace", csv)]).map { revision, text in
      let table = PlotTable.read(text, delimiter: ",", hasHeader: true)
      return (revision, try #require(try PlotData(id: id, options: parsed, documents: [id: table], revision: revision)))
    }
    return try #require(Plot(name: id, options: parsed, data: data))
  }

  private func drawing(_ plot: Plot) throws -> Chart { try #require(PlotFigure(plot).chart).chart }

  private static let loss: String = {
    let rows = (0..<40).map { step -> String in
      let (train, test) = (100 / (step + 1), 120 / (step + 1) + step / 8 + step % 3)
      return "\(step),\(train),\(test)"
    }
    return "step,train,test\n" + rows.joined(separator: "\n")
  }()
  private static let pairs =
    "actual,predicted\n" + ["cat,cat", "cat,cat", "cat,dog", "dog,dog", "dog,dog", "dog,dog", "hen,cat"].joined(separator: "\n")
  private static let scores = "model,share\nsmall,0.4\nlarge,0.9\nmedium,0.7"

  static let samples: [(name: String, make: @Sendable () throws -> Plot)] = [
    ("linear", { try PlotPageTests().plot(loss, "{x: step, y: [train, test]}") }),
    (
      "simple",
      {
        try PlotPageTests().plot(loss, "{x: step, y: test, template: simple}", revisions: [("main", loss), ("workspace", loss)])
      }
    ),
    ("smooth", { try PlotPageTests().plot(loss, "{x: step, y: test, template: smooth}") }),
    (
      "scatter",
      {
        try PlotPageTests().plot(
          loss, "{x: train, y: test, template: scatter}", revisions: [("main", loss), ("workspace", loss)])
      }
    ),
    ("jitter", { try PlotPageTests().plot(pairs, "{x: actual, y: predicted, template: scatter_jitter}") }),
    ("confusion", { try PlotPageTests().plot(pairs, "{x: actual, y: predicted, template: confusion}") }),
    (
      "confusion-normalized",
      {
        try PlotPageTests().plot(
          pairs, "{x: actual, y: predicted, template: confusion_normalized}", revisions: [("main", pairs), ("workspace", pairs)])
      }
    ),
    (
      "bars",
      {
        try PlotPageTests().plot(
          scores, "{x: share, y: model, template: bar_horizontal}", revisions: [("main", scores), ("workspace", scores)])
      }
    ),
    ("bars-sorted", { try PlotPageTests().plot(scores, "{x: share, y: model, template: bar_horizontal_sorted}") }),
  ]

  @Test func `every built-in template is drawn`() throws {
    let text = try Self.samples.map { name, make in try drawing(make()).svg(id: name) }.joined(separator: "\n")
    let problem = goldenMismatch(text, "plots.svg.txt")
    #expect(problem == nil, "\(problem ?? "")")
    for name in PlotTemplate.builtInNames { #expect(Plot.isDrawn(name)) }
    #expect(Plot.isDrawn(nil) && !Plot.isDrawn("mine"))
  }

  @Test func `a revision and a series each have a line of their own`() throws {
    let chart = try drawing(
      try plot(Self.loss, "{x: step, y: [train, test]}", revisions: [("main", Self.loss), ("workspace", Self.loss)]))
    #expect(chart.legend.map(\.text) == ["main train", "main test", "workspace train", "workspace test"])
    #expect(chart.legend.map(\.series) == [.first, .second, .third, .fourth])
    #expect(chart.panels.count == 1)
  }

  @Test func `more lines than can be told apart get a panel a series`() throws {
    let revisions = (1...5).map { ("r\($0)", Self.loss) }
    let chart = try drawing(try plot(Self.loss, "{x: step, y: [train, test]}", revisions: revisions))
    #expect(chart.panels.map(\.title) == ["train", "test"])
    #expect(chart.legend.map(\.text) == ["r1", "r2", "r3", "r4", "r5"])
  }

  @Test func `a confusion matrix counts pairs, normalised ones are shares of the row`() throws {
    func cells(_ template: String) throws -> [[String]] {
      let chart = try drawing(try plot(Self.pairs, "{x: actual, y: predicted, template: \(template)}"))
      guard case .cells(let cells)? = chart.panels[0].marks.first else { return [] }
      return cells.map { ["\($0.row)\($0.column)"] + $0.text }
    }
    // Rows are predictions cat, dog; columns the actual cat, dog, hen.
    #expect(try cells("confusion") == [["00", "2"], ["01", "0"], ["02", "1"], ["10", "1"], ["11", "3"], ["12", "0"]])
    #expect(
      try cells("confusion_normalized") == [
        ["00", "0.67"], ["01", "0.00"], ["02", "0.33"], ["10", "0.25"], ["11", "0.75"], ["12", "0.00"],
      ])
  }

  @Test func `a confusion matrix has its counts as numbers, other plots their rows`() throws {
    let matrix = try plot(Self.pairs, "{x: actual, y: predicted, template: confusion}").table(rows: 200)
    #expect(matrix.columns.map(\.title) == ["predicted", "cat", "dog", "hen"])
    #expect(matrix.rows.map { $0.map(\.plainText) } == [["cat", "2", "0", "1"], ["dog", "1", "3", "0"]])
    let rows = try plot(Self.scores, "{x: share, y: model, template: bar_horizontal}").table(rows: 2)
    #expect(rows.caption == "p.csv, the first 2 of 3 rows")
    #expect(rows.rows.map { $0.map(\.plainText) } == [["workspace", "0.4", "small"], ["workspace", "0.9", "large"]])
  }

  @Test func `bars stand in order of their names, or of their size`() throws {
    func names(_ template: String) throws -> [String]? {
      try drawing(try plot(Self.scores, "{x: share, y: model, template: \(template)}")).panels[0].y.scale.bandNames
    }
    #expect(try names("bar_horizontal") == ["large", "medium", "small"])
    #expect(try names("bar_horizontal_sorted") == ["large", "medium", "small"])
    let other = "model,share\na,0.1\nb,0.9\nc,0.5"
    #expect(
      try drawing(try plot(other, "{x: share, y: model, template: bar_horizontal_sorted}")).panels[0].y.scale.bandNames == [
        "b", "c", "a",
      ])
  }

  @Test func `jitter is the same every time and stays by its place`() throws {
    let plot = try plot(Self.pairs, "{x: actual, y: predicted, template: scatter_jitter}")
    let chart = try drawing(plot)
    guard case .dots(let dots, .first)? = chart.panels[0].marks.first else {
      Issue.record("no dots")
      return
    }
    #expect(dots.count == 7)
    #expect(dots.allSatisfy { abs($0.x - $0.x.rounded()) <= 0.36 && abs($0.y - $0.y.rounded()) <= 0.36 })
    #expect(Set(dots.prefix(2).map(\.x)).count == 2)
    #expect(try drawing(plot) == chart)
  }

  @Test func `dates stand on an axis of time, names in their order`() throws {
    let days = "day,v\n2026-03-01,1\n2026-03-09,2\n2026-04-20,4"
    guard case .time(let range) = try drawing(try plot(days, "{x: day, y: v}")).panels[0].x.scale else {
      Issue.record("no axis of time")
      return
    }
    #expect(range == 1_772_323_200...1_776_643_200)
    #expect(try drawing(try plot("k,v\nb,1\na,2", "{x: k, y: v}")).panels[0].x.scale == .bands(["b", "a"]))
  }

  @Test func `rows without a number are left out, and that is said`() throws {
    let found = try #require(PlotFigure(try plot("step,v\n0,1\n1,nan\n2,\n3,4", "{x: step, y: v}")).chart)
    #expect(found.notes.compactMap { $0 } == ["2 rows without a number are left out."])
    #expect(PlotFigure(try plot("step,v\n0,x\n1,y", "{x: step, y: v}")).chart == nil)
  }

  @Test func `a cloud of thousands is binned, two of them are thinned, and the page says so`() throws {
    let rows = (0..<5_000).map { row -> String in
      let (a, b) = (row * 7_919 % 1_000, row * 104_729 % 997)
      return "\(a),\(b)"
    }
    let many = "a,b\n" + rows.joined(separator: "\n")
    let one = try #require(PlotFigure(try plot(many, "{x: a, y: b, template: scatter}")).chart)
    #expect(one.notes.compactMap { $0 } == ["5,000 points, binned; the stronger the colour, the more (logarithmic)."])
    #expect(one.chart.svg(id: "c").utf8.count < 40_000)
    let two = try #require(
      PlotFigure(try plot(many, "{x: a, y: b, template: scatter}", revisions: [("main", many), ("workspace", many)])).chart)
    #expect(two.notes.compactMap { $0 } == ["Showing 2,000 of 10,000 points."])
  }

  @Test func `smoothing agrees with statsmodels and follows a line exactly`() {
    let line = (0..<20).map { Chart.Point(Double($0), 3 * Double($0) - 4) }
    for (a, b) in zip(Loess.smoothed(line, bandwidth: 0.3), line) { #expect(abs(a.y - b.y) < 1e-9) }
    // By `lowess(y, x, frac=0.5, it=2, delta=0)` of statsmodels.
    let points = (0..<24).map { Chart.Point(Double($0 * $0) / 10, Double($0 * 7_919 % 23)) }
    let smoothed = Loess.smoothed(points, bandwidth: 0.5)
    for (index, value) in [(0, 9.6122), (5, 10.3344), (11, 11.5504), (17, 11.7474), (23, 5.9291)] {
      #expect(abs(smoothed[index].y - value) < 1e-3, "\(index): \(smoothed[index].y)")
    }
  }

  private func page() throws -> String {
    let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    let own = try plot(Self.loss, "{x: step, y: test, template: mine}")
    var entries = try Self.samples.map { PlotPage.Entry(try $0.make()) }
    entries.append(.init(own, custom: .drawn(svg: "<svg onload='x()'></svg>")))
    entries.append(.init(own, custom: .tableOnly(reason: "No `vl-convert`.")))
    return PlotPage.render(
      entries,
      pictures: [
        .init(name: "i.png", revision: "main", bytes: png), .init(name: "i.png", revision: "workspace", bytes: png),
        .init(name: "d.svg", revision: "workspace", bytes: Array("<svg/>".utf8)),
      ], problems: ["`gone.json` in main: `gone.json` is not there"])
  }

  @Test func `the page is one file without script and network, pictures stand side by side with their size`() throws {
    let page = try page()
    for word in ["<script", "http://", "https://", "<link", "onload"] { #expect(!page.contains(word), "\(word)") }
    // The built-in ones are drawn on the page itself.
    #expect(page.components(separatedBy: "<svg class=chart").count - 1 == 9)
    #expect(
      page.contains(
        "<div class=\"figures\">\n<figure><img src=\"data:image/png;base64,iVBORw0KGgo=\" alt=\"i.png of main\"><figcaption>main, 8 B</figcaption></figure>\n<figure>"
      ))
    #expect(page.contains("data:image/svg+xml;base64,"))
    #expect(page.contains("No <code>vl-convert</code>."))
    #expect(page.contains("<code>gone.json</code> is not there"))
    #expect(try page == self.page())
  }

  /// Set PIPE_CHART_PAGES to a folder to get the page there.
  @Test func `the page keeps the contract of reports`() throws {
    let page = try page()
    #expect(ReportContract.findings(in: page).map { "\($0.line): \($0.rule): \($0.message)" } == [])
    guard let folder = ProcessInfo.processInfo.environment["PIPE_CHART_PAGES"] else { return }
    try page.write(toFile: folder + "/plots.html", atomically: true, encoding: .utf8)
  }
}
