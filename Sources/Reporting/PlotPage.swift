// Plots as one page that needs no network: a drawing of each, its rows as a table, pictures of revisions side by side.
// SPDX-License-Identifier: Apache-2.0
internal import Foundation

package enum PlotPage {
  /// How a plot of a template of the project's own is shown.
  package enum Custom: Sendable, Equatable {
    /// An SVG that a program made of the Vega-Lite document.
    case drawn(svg: String)
    /// Why there is only the table.
    case tableOnly(reason: String)
  }

  /// A plot with what was made of its template; `nil` for a built-in one.
  package struct Entry: Sendable {
    package var plot: Plot
    package var custom: Custom?
    package init(_ plot: Plot, custom: Custom? = nil) {
      self.plot = plot
      self.custom = custom
    }
  }

  package struct Picture: Sendable, Equatable {
    package var name: String
    package var revision: String
    package var bytes: [UInt8]
    package init(name: String, revision: String, bytes: [UInt8]) {
      self.name = name
      self.revision = revision
      self.bytes = bytes
    }
  }

  /// - Returns: HTML.
  package static func render(_ plots: [Entry], pictures: [Picture], problems: [String] = []) -> String {
    let parts = parts(plots, pictures: pictures, prefix: "", rows: 200)
    let (figures, others) = apart(parts)
    let drawn = Report.Section(id: "drawings", title: "Drawings", priority: 2, blocks: [.figures(figures)])
    let notes = problems.map { Report.Block.note(.caution, .message($0)) }
    return HTMLText.render(
      Report(
        title: "Plots", summary: nil,
        verdict: Report.Verdict(tone: .neutral, headline: parts.count == 1 ? "1 plot" : "\(parts.count) plots", blocks: notes),
        runFacts: Report.RunFacts(line: [], blocks: []),
        sections: (figures.isEmpty ? [] : [drawn])
          + others.map { Report.Section(id: $0.id, title: $0.title, priority: 1, blocks: $0.blocks) }))
  }

  typealias Part = (id: String, title: String, blocks: [Report.Block])

  /// Drawings stand side by side, their captions naming them; what else there is has a heading of its own.
  static func apart(_ parts: [Part]) -> (figures: [Report.Figure], others: [Part]) {
    var figures: [Report.Figure] = []
    var others: [Part] = []
    for part in parts {
      if part.blocks.count == 1, case .figures(let own)? = part.blocks.first { figures += own } else { others.append(part) }
    }
    return (figures, others)
  }

  /// Title and blocks of each plot, then of each picture's name.
  static func parts(_ plots: [Entry], pictures: [Picture], prefix: String, rows: Int) -> [Part] {
    var names: [String] = []
    for picture in pictures where !names.contains(picture.name) { names.append(picture.name) }
    return plots.enumerated().map { index, entry in
      ("\(prefix)plot-\(index + 1)", entry.plot.title, blocks(entry, id: "\(prefix)drawing-\(index + 1)", rows: rows))
    }
      + names.enumerated().map { index, name in
        let images = pictures.filter { $0.name == name }.map(image)
        return ("\(prefix)picture-\(index + 1)", name, [.images(images)])
      }
  }

  private static let openRows = 25

  private static func blocks(_ entry: Entry, id: String, rows: Int) -> [Report.Block] {
    switch entry.custom {
    case nil: entry.plot.blocks(id: id, rows: rows)
    case .drawn(let svg):
      [
        .images([
          Report.Image(
            format: .svg, data: svg, alternative: entry.plot.title, caption: "Drawn by template “\(entry.plot.template ?? "")”.")
        ]),
        .details(summary: [.text("Numbers")], id: nil, open: false, [.table(entry.plot.table(rows: rows))]),
      ]
    case .tableOnly(let reason):
      [
        .note(.neutral, .message(reason)),
        .details(
          summary: [.text("Rows")], id: nil, open: entry.plot.points.count <= openRows, [.table(entry.plot.table(rows: rows))]),
      ]
    }
  }

  private static func image(_ picture: Picture) -> Report.Image {
    let isText = picture.name.lowercased().hasSuffix(".svg")
    return Report.Image(
      format: isText ? .svg : format(picture),
      data: isText ? String(decoding: picture.bytes, as: UTF8.self) : Data(picture.bytes).base64EncodedString(),
      alternative: "\(picture.name) of \(picture.revision)",
      caption: "\(picture.revision), \(NumberText.bytes(picture.bytes.count))")
  }

  /// By what the file begins with: names can be wrong.
  private static func format(_ picture: Picture) -> Report.Image.Format {
    if picture.bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) { return .png }
    if picture.bytes.starts(with: Array("GIF8".utf8)) { return .gif }
    if picture.bytes.starts(with: [0xFF, 0xD8]) { return .jpeg }
    let name = picture.name.lowercased()
    return name.hasSuffix(".png") ? .png : name.hasSuffix(".gif") ? .gif : .jpeg
  }
}
