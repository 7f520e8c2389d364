// A Vega-Lite chart that a cell displayed, as the table of what it draws.
// SPDX-License-Identifier: Apache-2.0
import Notebooks

/// What Altair leaves of a chart: a specification with its rows inside. Without a program that draws it, a reader has the rows.
struct VegaChart {
  private static let mostCharacters = 4_000_000

  let table: CellTable
  /// `point`, or the marks of its layers.
  let marks: [String]
  /// Channel and field, in the order of the channels.
  let fields: [(channel: String, field: String)]

  /// `nil` when there is no such specification, or one without rows of its own.
  init?(_ data: [String: String]) {
    let type = data.keys.sorted().first { $0.hasPrefix("application/vnd.vegalite.") }
    guard let text = type.flatMap({ data[$0] }), text.utf8.count <= Self.mostCharacters,
      let spec = try? JSONTree(parsing: Array(text.utf8)).asObject
    else { return nil }
    let rows = Self.rows(of: spec)
    let views = Self.views(of: .object(spec), depth: 0)
    marks = Self.distinct(views.compactMap { $0["mark"] }.compactMap { $0.asText ?? $0.asObject?["type"]?.asText })
    var known: [(channel: String, field: String)] = []
    for encoding in views.compactMap({ $0["encoding"]?.asObject }) {
      for channel in encoding.keys.sorted(by: { Self.rank($0) < Self.rank($1) }) {
        guard let field = encoding[channel]?.asObject?["field"]?.asText, !known.contains(where: { $0 == (channel, field) })
        else { continue }
        known.append((channel, field))
      }
    }
    fields = known
    let used = Self.distinct(known.map(\.field)).filter { field in rows.contains { $0[field] != nil } }
    let columns = used.isEmpty ? Set(rows.flatMap(\.keys)).sorted() : used
    guard !rows.isEmpty, !columns.isEmpty else { return nil }
    table = CellTable(
      columns: columns, rows: rows.prefix(CellTable.mostRows).map { row in columns.map { row[$0].flatMap(Self.text) } },
      totalRows: rows.count)
  }

  /// The channels that a person reads first stand first.
  private static func rank(_ channel: String) -> (Int, String) {
    (["x", "y", "color", "row", "column"].firstIndex(of: channel) ?? 9, channel)
  }

  private static func distinct(_ texts: [String]) -> [String] {
    var seen: Set<String> = []
    return texts.filter { seen.insert($0).inserted }
  }

  private static func rows(of spec: [String: JSONTree]) -> [[String: JSONTree]] {
    let inline = spec["data"]?.asObject?["values"]?.asList
    let named = spec["data"]?.asObject?["name"]?.asText
    let sets = spec["datasets"]?.asObject ?? [:]
    let kept = named.flatMap { sets[$0] } ?? sets.keys.sorted().first.flatMap { sets[$0] }
    return (inline ?? kept?.asList ?? []).compactMap(\.asObject)
  }

  /// The specification and the views inside it.
  private static func views(of spec: JSONTree, depth: Int) -> [[String: JSONTree]] {
    guard let view = spec.asObject, depth < 8 else { return [] }
    let inner = ["layer", "concat", "hconcat", "vconcat"].flatMap { view[$0]?.asList ?? [] } + (view["spec"].map { [$0] } ?? [])
    return [view] + inner.flatMap { views(of: $0, depth: depth + 1) }
  }

  private static func text(_ value: JSONTree) -> String? {
    switch value {
    case .null: nil
    case .text(let text): text
    case .number(let text): text
    case .boolean(let isTrue): isTrue ? "true" : "false"
    default: "…"
    }
  }

  func blocks(caption: String?, line: Int) -> [Report.Block] {
    let kind = marks.isEmpty ? "" : " of \(marks.joined(separator: " and ")) marks"
    let shown = fields.prefix(8).map { "\($0.channel): \($0.field)" }.joined(separator: ", ")
    let intro = "A Vega-Lite chart\(kind)\(shown.isEmpty ? "" : ", \(shown)"). "
    return [
      .paragraph([.muted(intro), .code("vl-convert"), .muted(" on the search path would draw it.")]),
      .details(
        summary: [.text("Its rows")], id: nil, open: false, table.blocks(caption: caption ?? "Chart of the cell at line \(line)")),
    ]
  }
}
