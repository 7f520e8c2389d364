// The plots that manifests declare, as the run has them.
// SPDX-License-Identifier: Apache-2.0

extension RunReport {
  /// What a run's plots are drawn from.
  package struct Plots: Sendable {
    package var entries: [PlotPage.Entry] = []
    package var pictures: [PlotPage.Picture] = []
    /// What could not be read, a sentence each.
    package var problems: [String] = []
    package init(entries: [PlotPage.Entry] = [], pictures: [PlotPage.Picture] = [], problems: [String] = []) {
      self.entries = entries
      self.pictures = pictures
      self.problems = problems
    }
  }

  /// The page of a run has many parts: `pipe plots show` has more rows.
  private static let tableRows = 50

  static func plotsSection(_ input: Input) -> Report.Section? {
    let parts = PlotPage.parts(input.plots.entries, pictures: input.plots.pictures, prefix: "run-", rows: tableRows)
    guard !parts.isEmpty || !input.plots.problems.isEmpty else { return nil }
    let problems = input.plots.problems.map { Report.Block.note(.caution, .message($0)) }
    let (figures, others) = PlotPage.apart(parts)
    let apart = others.flatMap { part in [Report.Block.heading(level: 1, part.title, id: part.id)] + part.blocks }
    return Report.Section(
      id: "plots", title: "Plots", priority: 55, blocks: problems + (figures.isEmpty ? [] : [.figures(figures)]) + apart)
  }
}
