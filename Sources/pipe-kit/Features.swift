// `pipe kit features`: feature tables that are correct to the point in time, and the snapshots that serving looks things up in.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import FeatureStore
import Foundation
import Tabular

struct Features: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make feature tables that are correct to the point in time.",
    discussion: """
      Reads the parameters below `features` and the parts that `prepare` wrote. A row sees of its driver, zone or other entity what \
      was known at the midnight (UTC) before it.

      Example: pipe kit features --prepared data/prepared --table driver=data/raw/drivers.csv --out data/features \
      --stats metrics/feature_stats.json --metrics metrics/features.json
      """,
    version: behaviorVersion(of: "features"))

  @Option(help: "Folder with train.csv, valid.csv, calibrate.csv, test.csv.")
  var prepared: String

  @Option(help: "What is known of an entity, as `entity=FILE.csv`; may be given several times.")
  var table: [String] = []

  @Option(help: "Folder for the feature tables, features.json and the snapshots.")
  var out: String

  @Option(help: "File for the distribution of each feature.")
  var stats: String

  @Option(help: "File for flat metrics.")
  var metrics: String

  @OptionGroup var parameters: ParameterOptions

  func run() throws {
    let node = try parameters.context().params["features"]
    var set = try FeatureDeclaration.read(node)
    let parts = try PreparedParts(folder: prepared, text: FeatureDeclaration.textColumns(set))
    try FeatureDeclaration.fit(&set, on: parts.train)
    let knownAt = node["known_at"].isPresent ? try node["known_at"].text() : nil
    let tables = try FeatureTables(set, history: parts.all(), knownAt: knownAt, entityTables: entityTables())
    var flat = ["features": Double(set.features.count)]
    var statistics = [FeatureStatistics]()
    for (name, rows) in parts.parts {
      let made = try tables.table(rows)
      try CSVWriter.write(made, to: "\(out)/\(name).csv")
      flat["\(name)_rows"] = Double(made.rowCount)
      for feature in set.features {
        statistics.append(FeatureStatistics(feature.name, part: name, try made.numbers(feature.name)))
      }
    }
    for (entity, snapshot) in try tables.snapshots() {
      try CSVWriter.write(snapshot, to: "\(out)/\(FeatureSet.snapshotFile(of: entity))")
      flat["\(entity)_entities"] = Double(snapshot.rowCount)
    }
    try JSONText.write(tables.featureSet, to: "\(out)/features.json")
    try JSONText.write(statistics, to: stats)
    let missing = statistics.filter { $0.part == "train" }.map(\.missing_share)
    flat["train_missing_share"] = FeatureRounding.rounded(missing.reduce(0, +) / Double(max(missing.count, 1)))
    try JSONText.write(flat, to: metrics)
  }

  private func entityTables() throws -> [String: Table] {
    var tables = [String: Table]()
    for argument in table {
      let parts = argument.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else {
        throw Diagnostic(.input, "`--table \(argument)` names no entity", hints: ["write `--table driver=data/raw/drivers.csv`"])
      }
      tables[String(parts[0])] = try CSVReader.table(file: String(parts[1]))
    }
    return tables
  }
}

/// The tables that `prepare` wrote, in order of time; a part may be absent.
struct PreparedParts {
  let parts: [(name: String, table: Table)]

  init(folder: String, text: Set<String>) throws(Diagnostic) {
    let kinds = Dictionary(text.map { ($0, Column.Kind.text) }) { first, _ in first }
    var parts = [(name: String, table: Table)]()
    for name in ["train", "valid", "calibrate", "test"] {
      let file = "\(folder)/\(name).csv"
      guard FileManager.default.fileExists(atPath: file) else { continue }
      parts.append((name, try CSVReader.table(file: file, kinds: kinds)))
    }
    guard parts.first?.name == "train" else {
      throw Diagnostic(.input, "`\(folder)` has no train.csv", hints: ["`pipe kit prepare` makes it"])
    }
    self.parts = parts
  }

  var train: Table { parts[0].table }

  /// All rows, part after part.
  func all() throws(Diagnostic) -> Table {
    var all = train
    for part in parts.dropFirst() { try all.append(rowsOf: part.table) }
    return all
  }
}

/// The parameters below `features` as a feature set.
enum FeatureDeclaration {
  static func read(_ node: ParameterNode) throws(Diagnostic) -> FeatureSet {
    try node.keys(known: ["name", "id", "time", "known_at", "target", "slices", "request", "entities", "holidays", "features"])
    try node["target"].keys(known: ["column", "unit"])
    var request = [FeatureSet.RequestField]()
    for field in try node["request"].list() {
      try field.keys(known: ["name", "kind"])
      request.append(.init(name: try field["name"].text(), kind: try field["kind"].choice(FeatureSet.RequestField.Kind.self)))
    }
    var entities = [FeatureSet.Entity]()
    for entity in try node["entities"].list(orEmpty: true) {
      try entity.keys(known: ["name", "key", "via"])
      let via = entity["via"].isPresent ? try entity["via"].text() : nil
      if let via, !entities.contains(where: { $0.name == via }) {
        throw entity["via"].mistake("names `\(via)`, which is not declared above it")
      }
      entities.append(.init(name: try entity["name"].text(), key: try entity["key"].text(), via: via))
    }
    var features = [FeatureSet.Feature]()
    for declared in try node["features"].list() {
      let feature = try self.feature(declared, entities: entities, request: request)
      if features.contains(where: { $0.name == feature.name }) {
        throw declared["name"].mistake("is `\(feature.name)` a second time")
      }
      features.append(feature)
    }
    return FeatureSet(
      name: try node["name"].text(), id: try node["id"].text(), time: node["time"].isPresent ? try node["time"].text() : nil,
      target: .init(column: try node["target"]["column"].text(), unit: try node["target"]["unit"].text()),
      slices: try node["slices"].texts(orEmpty: true), request: request, entities: entities,
      holidays: try node["holidays"].texts(orEmpty: true), features: features)
  }

  /// One element of `features.features`: the key beside `name` says where it comes from.
  private static func feature(
    _ node: ParameterNode, entities: [FeatureSet.Entity], request: [FeatureSet.RequestField]
  ) throws(Diagnostic) -> FeatureSet.Feature {
    try node.keys(known: ["name", "number", "category", "values", "calendar", "lookup", "aggregate", "of", "days"])
    let name = try node["name"].text()
    let sources = ["number", "category", "calendar", "lookup"].filter { node[$0].isPresent }
    guard sources.count == 1 else {
      throw node.mistake("needs one of `number`, `category`, `calendar`, `lookup`, and has \(sources.count) of them")
    }
    switch sources[0] {
    case "number":
      return .init(name: name, kind: .number, source: .request, field: try requestField(node["number"], request))
    case "category":
      let values = node["values"].isPresent ? try node["values"].texts() : nil
      return .init(
        name: name, kind: .category, source: .request, field: try requestField(node["category"], request), categories: values)
    case "calendar":
      return .init(name: name, kind: .number, source: .calendar, part: try node["calendar"].choice(CalendarPart.self))
    default:
      let entity = try node["lookup"].text()
      guard entities.contains(where: { $0.name == entity }) else {
        throw node["lookup"].mistake("is `\(entity)`, which is not among `features.entities`")
      }
      let aggregate = try node["aggregate"].choice(Aggregate.self)
      let column = aggregate == .count && !node["of"].isPresent ? nil : try node["of"].text()
      return .init(
        name: name, kind: .number, source: .lookup, field: column, entity: entity, aggregate: aggregate,
        days: try node["days"].int(in: 1...36_500))
    }
  }

  private static func requestField(_ node: ParameterNode, _ request: [FeatureSet.RequestField]) throws(Diagnostic) -> String {
    let name = try node.text()
    guard request.contains(where: { $0.name == name }) else {
      let hint = closestMatch(to: name, among: request.map(\.name)).map { "did you mean `\($0)`?" }
      throw node.mistake("is `\(name)`, which is not among `features.request`", hints: hint.map { [$0] } ?? [])
    }
    return name
  }

  /// Columns that are text whatever their fields look like.
  static func textColumns(_ set: FeatureSet) -> Set<String> {
    Set([set.id] + set.entities.map(\.key) + set.features.filter { $0.kind == .category }.compactMap(\.field))
  }

  /// Gives categories without declared values those of the training rows, sorted by their bytes.
  static func fit(_ set: inout FeatureSet, on train: Table) throws(Diagnostic) {
    for index in set.features.indices where set.features[index].kind == .category && set.features[index].categories == nil {
      let values = Set(try train.texts(set.features[index].field ?? set.features[index].name).compactMap { $0 })
      set.features[index].categories = values.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    }
  }
}

/// How one feature is distributed in one part.
private struct FeatureStatistics: Encodable {
  var feature: String
  var part: String
  var rows: Int
  var missing_share: Double
  var distinct: Int
  var mean: Double?
  var standard_deviation: Double?
  var min: Double?
  var p05: Double?
  var p50: Double?
  var p95: Double?
  var max: Double?

  init(_ name: String, part: String, _ values: [Double]) {
    feature = name
    self.part = part
    rows = values.count
    let known = values.filter { !$0.isNaN }.sorted()
    missing_share = FeatureRounding.rounded(Double(values.count - known.count) / Double(Swift.max(values.count, 1)))
    distinct = zip(known, known.dropFirst()).reduce(known.isEmpty ? 0 : 1) { $0 + ($1.0 == $1.1 ? 0 : 1) }
    guard let first = known.first, let last = known.last else { return }
    let mean = known.reduce(0, +) / Double(known.count)
    let variance = known.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(known.count)
    self.mean = FeatureRounding.rounded(mean)
    standard_deviation = FeatureRounding.rounded(variance.squareRoot())
    (min, max) = (first, last)
    func quantile(_ share: Double) -> Double { known[Int((Double(known.count - 1) * share).rounded())] }
    (p05, p50, p95) = (quantile(0.05), quantile(0.5), quantile(0.95))
  }
}
