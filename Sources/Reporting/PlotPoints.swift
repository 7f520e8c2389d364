// From a plot's definition and its documents to rows of data, by DVC's rules.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
package import PipelineModel

/// A row of a plot: fields in the order in which they came.
package struct PlotPoint: Sendable, Equatable {
  package var fields: [(key: String, value: ParameterValue)]

  package init(_ fields: [(key: String, value: ParameterValue)]) { self.fields = fields }

  package static func == (a: PlotPoint, b: PlotPoint) -> Bool {
    a.fields.count == b.fields.count && zip(a.fields, b.fields).allSatisfy { $0.key == $1.key && $0.value == $1.value }
  }

  package subscript(key: String) -> ParameterValue? {
    get { fields.first { $0.key == key }?.value }
    set {
      let place = fields.firstIndex { $0.key == key }
      switch (place, newValue) {
      case (let place?, let value?): fields[place].value = value
      case (let place?, nil): fields.remove(at: place)
      case (nil, let value?): fields.append((key, value))
      case (nil, nil): break
      }
    }
  }

  package var value: ParameterValue { .mapping(fields.map { ($0.key, $0.value) }) }
}

/// One column of one file.
package struct PlotSeries: Sendable, Hashable {
  package var file: String
  package var field: String

  package init(file: String, field: String) {
    self.file = file
    self.field = field
  }
}

/// What a plot says of itself: `x`, `y`, labels, title, template, whether its table has a header.
package struct PlotOptions: Sendable, Equatable {
  package enum Axis: Sendable, Equatable {
    /// A field of the plot's own file, or of every file of the other axis.
    case field(String)
    /// Several fields of the plot's own file.
    case fields([String])
    /// File → fields, in order.
    case files([(file: String, fields: [String], isList: Bool)])

    package static func == (a: Axis, b: Axis) -> Bool {
      switch (a, b) {
      case (.field(let x), .field(let y)): x == y
      case (.fields(let x), .fields(let y)): x == y
      case (.files(let x), .files(let y)):
        x.count == y.count && zip(x, y).allSatisfy { $0.file == $1.file && $0.fields == $1.fields && $0.isList == $1.isList }
      default: false
      }
    }
  }

  package var x: Axis?
  package var y: Axis?
  package var xLabel: String?
  package var yLabel: String?
  package var title: String?
  package var template: String?
  package var hasHeader: Bool?

  package init() {}

  /// - Parameter options: a mapping as written in a manifest; `place` turns its files into paths as they are shown.
  package init(_ options: ParameterValue, place: (String) -> String = { $0 }) {
    guard case .mapping(let pairs) = options else { return }
    for (key, value) in pairs {
      switch key {
      case "x": x = Self.axis(value, place)
      case "y": y = Self.axis(value, place)
      case "x_label": xLabel = value.label
      case "y_label": yLabel = value.label
      case "title": title = value.label
      case "template": template = value.label
      case "header": if case .bool(let value) = value { hasHeader = value }
      default: break
      }
    }
  }

  private static func axis(_ value: ParameterValue, _ place: (String) -> String) -> Axis? {
    switch value {
    case .null: return nil
    case .list(let items): return .fields(items.compactMap(\.label))
    case .mapping(let pairs):
      return .files(
        pairs.map { file, fields in
          if case .list(let items) = fields { return (place(file), items.compactMap(\.label), true) }
          return (place(file), fields.label.map { [$0] } ?? [], false)
        })
    default: return value.label.map { .field($0) }
    }
  }

  /// These options where they are set, else those.
  package func over(_ other: PlotOptions) -> PlotOptions {
    var result = self
    result.x = x ?? other.x
    result.y = y ?? other.y
    result.xLabel = xLabel ?? other.xLabel
    result.yLabel = yLabel ?? other.yLabel
    result.title = title ?? other.title
    result.template = template ?? other.template
    result.hasHeader = hasHeader ?? other.hasHeader
    return result
  }

  /// The files that a plot reads.
  package func sources(of id: String) -> [String] {
    var files = [id]
    if case .files(let named)? = y { files = named.map(\.file) }
    if case .files(let named)? = x, let first = named.first { files.append(first.file) }
    var seen: Set<String> = []
    return files.filter { seen.insert($0).inserted }
  }
}

extension ParameterValue {
  /// Text as it is, numbers as they are written, nothing for the rest.
  fileprivate var label: String? {
    switch self {
    case .null, .list, .mapping: nil
    default: display
    }
  }
}

/// The rows of one plot at one revision, with the names of the columns to draw.
package struct PlotData: Sendable {
  package var points: [PlotPoint]
  package var x: String
  package var y: String?
  package var xLabel: String
  package var yLabel: String?
  /// Short file name and field of every y series.
  package var series: [PlotSeries]

  /// Field of the row's number where no x is named.
  private static let index = "step"
  private static let mixedX = "dvc_inferred_x_value"
  private static let mixedY = "dvc_inferred_y_value"

  /// - Parameters:
  ///   - id: the plot's name; the file itself when `options.y` names no files.
  ///   - documents: content of each source that could be read.
  ///   - revision: what every row carries as `rev`.
  /// - Throws: a `Diagnostic` when a field is not in the data, or x and y cannot be joined.
  /// - Returns: `nil` when there are no rows.
  package init?(id: String, options: PlotOptions, documents: [String: ParameterValue], revision: String) throws(Diagnostic) {
    let rows = documents.mapValues(Self.rows)
    let ys = Self.ys(id, options, documents)
    let xs = Self.xs(id, options, ys)
    for series in xs + ys { try Self.verify(series, rows) }
    let isMixedX = xs.count > 1 && Set(xs.map(\.field)).count > 1
    let isMixedY = Set(ys.map(\.field)).count > 1
    guard xs.count <= 1 || xs.count == ys.count else {
      throw Diagnostic(
        .input, "plot `\(id)` has \(xs.count) columns for x and \(ys.count) for y", hints: ["name one x, or one for each y"])
    }
    let field = isMixedX ? Self.mixedX : xs.first?.field ?? Self.index
    let prefix = Self.commonFolder(ys.map(\.file))
    points = []
    for (position, series) in ys.enumerated() {
      var own = rows[series.file] ?? []
      if isMixedY { for index in own.indices { own[index][Self.mixedY] = own[index][series.field] } }
      if xs.isEmpty {
        for index in own.indices { own[index][field] = .integer(Int64(index)) }
      } else {
        try Self.join(&own, xs.count > 1 ? xs[position] : xs[0], as: field, rows, with: series)
      }
      let short = Self.short(series.file, prefix)
      for index in own.indices {
        own[index]["rev"] = .text(revision)
        own[index]["filename"] = .text(short)
        own[index]["field"] = .text(series.field)
      }
      points += own
    }
    guard !points.isEmpty else { return nil }
    x = field
    y = isMixedY ? Self.mixedY : ys.first?.field
    xLabel = options.xLabel ?? Self.label(xs, of: options.x) ?? Self.index
    yLabel = options.yLabel ?? Self.label(ys, of: .field(""), several: "y")
    self.series = ys.map { PlotSeries(file: Self.short($0.file, prefix), field: $0.field) }
  }

  private static func label(_ series: [PlotSeries], of axis: PlotOptions.Axis?, several: String = "x") -> String? {
    guard axis != nil else { return nil }
    let fields = Set(series.map(\.field))
    return fields.count == 1 ? fields.first : several
  }

  private static func ys(_ id: String, _ options: PlotOptions, _ documents: [String: ParameterValue]) -> [PlotSeries] {
    switch options.y {
    case .field(let field): [PlotSeries(file: id, field: field)]
    case .fields(let fields): fields.map { PlotSeries(file: id, field: $0) }
    case .files(let files): files.flatMap { file in file.fields.map { PlotSeries(file: file.file, field: $0) } }
    case nil: lastColumn(documents[id]).map { [PlotSeries(file: id, field: $0)] } ?? []
    }
  }

  private static func xs(_ id: String, _ options: PlotOptions, _ ys: [PlotSeries]) -> [PlotSeries] {
    switch options.x {
    case nil: return []
    case .files(let files): return files.flatMap { file in file.fields.map { PlotSeries(file: file.file, field: $0) } }
    case .fields(let fields): return fields.map { PlotSeries(file: id, field: $0) }
    case .field(let field):
      // The same name in every file that y reads.
      if case .files? = options.y { return ys.map { PlotSeries(file: $0.file, field: field) } }
      return [PlotSeries(file: id, field: field)]
    }
  }

  private static func verify(_ series: PlotSeries, _ rows: [String: [PlotPoint]]) throws(Diagnostic) {
    guard let rows = rows[series.file] else { return }
    let fields = rows.first?.fields.map(\.key) ?? []
    guard !fields.contains(series.field) else { return }
    let near = closestMatch(to: series.field, among: fields)
    throw Diagnostic(
      .input, "`\(series.file)` has no field `\(series.field)`", at: SourceLocation(file: series.file),
      hints: [
        near.map { "did you mean `\($0)`?" }
          ?? (fields.isEmpty ? "it has no rows" : "fields are \(fields.joined(separator: ", "))")
      ])
  }

  private static func join(
    _ own: inout [PlotPoint], _ x: PlotSeries, as field: String, _ rows: [String: [PlotPoint]], with y: PlotSeries
  ) throws(Diagnostic) {
    let source = rows[x.file] ?? []
    guard source.count == own.count else {
      throw Diagnostic(
        .input, "`\(x.field)` of `\(x.file)` has \(source.count) rows and `\(y.field)` of `\(y.file)` has \(own.count)",
        hints: ["x and y are joined row by row, so both need the same number"])
    }
    for index in own.indices { if let value = source[index][x.field] { own[index][field] = value } }
  }

  // MARK: Rows of a document

  /// Every list of mappings with equal keys, side by side: row n of each makes row n.
  static func rows(_ document: ParameterValue) -> [PlotPoint] {
    var rows: [PlotPoint] = []
    for list in lists(document) {
      guard let points = points(list) else { continue }
      for (index, point) in points.enumerated() {
        if index == rows.count { rows.append(PlotPoint([])) }
        if rows[index].fields.isEmpty {
          rows[index] = point
        } else {
          for (key, value) in point.fields { rows[index][key] = value }
        }
      }
    }
    return rows
  }

  /// `nil` unless all items are mappings with the keys of the first.
  private static func points(_ list: [ParameterValue]) -> [PlotPoint]? {
    var keys: Set<String> = []
    var points: [PlotPoint] = []
    points.reserveCapacity(list.count)
    for item in list {
      guard case .mapping(let pairs) = item else { return nil }
      if points.isEmpty { keys = Set(pairs.map(\.0)) }
      guard pairs.allSatisfy({ keys.contains($0.0) }) else { return nil }
      points.append(PlotPoint(pairs.map { (key: $0.0, value: $0.1) }))
    }
    return points.isEmpty ? nil : points
  }

  private static func lists(_ document: ParameterValue) -> [[ParameterValue]] {
    switch document {
    case .list(let items): [items]
    case .mapping(let pairs):
      pairs.flatMap { _, value -> [[ParameterValue]] in
        switch value {
        case .mapping: lists(value)
        case .list(let items): [items]
        default: []
        }
      }
    default: []
    }
  }

  private static func lastColumn(_ document: ParameterValue?) -> String? {
    guard let document else { return nil }
    for list in lists(document) {
      guard case .mapping(let pairs)? = list.first else { continue }
      let areRows = list.allSatisfy { if case .mapping = $0 { true } else { false } }
      if areRows { return pairs.last?.0 }
    }
    return nil
  }

  // MARK: Names of files

  private static func commonFolder(_ files: [String]) -> Int {
    let all = Set(files).map { $0.split(separator: "/") }
    guard all.count > 1, let first = all.first else { return 0 }
    let shared = first.indices.prefix { index in all.allSatisfy { $0.count > index && $0[index] == first[index] } }
    return first.prefix(shared.count).joined(separator: "/").count
  }

  private static func short(_ file: String, _ prefix: Int) -> String {
    var text = file.dropFirst(prefix)
    while text.first == "/" { text.removeFirst() }
    while text.last == "/" { text.removeLast() }
    return String(text)
  }
}
