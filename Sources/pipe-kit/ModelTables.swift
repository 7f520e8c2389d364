// A folder of feature tables as a learner takes it: matrices, with the id, time and slices of each row.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import FeatureStore
import Foundation
import Learning
import Tabular

/// One feature table.
struct ModelTable {
  var sample: SampleMatrix
  /// The targets as the table has them; `sample` holds them in single precision, as the learner takes them.
  var truths: [Double]
  var ids: [String]
  /// RFC 3339; empty for data without time.
  var times: [String]
  /// Columns `slice_…` of the table, without the prefix.
  var slices: [(name: String, values: [String?])]

  var rowCount: Int { sample.rowCount }

  func slice(_ name: String) throws(Diagnostic) -> [String?] {
    if let slice = slices.first(where: { $0.name == name }) { return slice.values }
    let names = slices.map(\.name)
    throw Diagnostic(
      .input, "the features have no slice column `\(name)`",
      hints: [
        closestMatch(to: name, among: names).map { "did you mean `\($0)`?" }
          ?? "`features.slices` declares: \(names.map { "`\($0)`" }.joined(separator: ", "))"
      ])
  }

  /// These rows, in this order.
  func selecting(rows: some Collection<Int>) -> ModelTable {
    ModelTable(
      sample: sample.selecting(rows: rows), truths: rows.map { truths[$0] }, ids: rows.map { ids[$0] },
      times: times.isEmpty ? [] : rows.map { times[$0] },
      slices: slices.map { slice in (slice.name, rows.map { slice.values[$0] }) })
  }

  /// The rows of both, `other` after these.
  func appending(_ other: ModelTable) -> ModelTable {
    ModelTable(
      sample: SampleMatrix(
        width: sample.width, features: sample.features + other.sample.features,
        labels: sample.labels + other.sample.labels),
      truths: truths + other.truths, ids: ids + other.ids, times: times + other.times,
      slices: zip(slices, other.slices).map { ($0.name, $0.values + $1.values) })
  }
}

/// The folder that `features` writes (docs/formats.md, "Feature tables").
struct ModelTables {
  let folder: String
  let featureSet: FeatureSet

  static let slicePrefix = "slice_"

  init(folder: String) throws(Diagnostic) {
    self.folder = folder
    featureSet = try FeatureSet.load(file: "\(folder)/features.json")
  }

  var featureNames: [String] { featureSet.features.map(\.name) }

  /// features.json and the snapshots, which a bundle takes along.
  var lookupFiles: [URL] {
    let names = ["features.json"] + featureSet.snapshotEntities.map { FeatureSet.snapshotFile(of: $0.name) }
    return names.map { URL(fileURLWithPath: "\(folder)/\($0)") }
  }

  /// The table of a split; `nil` when the features have no such split.
  func tableIfPresent(_ split: String) throws(Diagnostic) -> ModelTable? {
    guard FileManager.default.fileExists(atPath: path(split)) else { return nil }
    return try table(split)
  }

  func path(_ split: String) -> String { "\(folder)/\(split).csv" }

  /// The table of a split.
  ///
  /// - Throws: an `input` diagnostic for a table that is not there, lacks a column, or has a row without a target.
  func table(_ split: String) throws(Diagnostic) -> ModelTable { try table(file: path(split)) }

  /// Any file with the columns of this feature set.
  func table(file: String, withTarget: Bool = true) throws(Diagnostic) -> ModelTable {
    var kinds: [String: Column.Kind] = [featureSet.id: .text]
    if let time = featureSet.time { kinds[time] = .text }
    for slice in featureSet.slices { kinds[Self.slicePrefix + slice] = .text }
    for feature in featureSet.features { kinds[feature.name] = .number }
    let table = try CSVReader.table(file: file, kinds: kinds)
    let truths =
      withTarget
      ? try Self.truths(table, featureSet.target.column, file) : [Double](repeating: .nan, count: table.rowCount)
    var slices: [(name: String, values: [String?])] = []
    for name in featureSet.slices where withTarget { slices.append((name, try table.texts(Self.slicePrefix + name))) }
    return ModelTable(
      sample: SampleMatrix(width: featureNames.count, features: try matrix(table), labels: truths.map(Float.init)),
      truths: truths,
      ids: try table.texts(featureSet.id).map { $0 ?? "" },
      times: try featureSet.time.map { name throws(Diagnostic) in try table.texts(name).map { $0 ?? "" } } ?? [],
      slices: slices)
  }

  private func matrix(_ table: Table) throws(Diagnostic) -> [Float] {
    let width = featureNames.count
    guard width > 0 else { throw Diagnostic(.input, "features.json declares no features", at: SourceLocation(file: folder)) }
    var matrix = [Float](repeating: .nan, count: table.rowCount * width)
    for (column, name) in featureNames.enumerated() {
      for (row, value) in try table.numbers(name).enumerated() { matrix[row * width + column] = Float(value) }
    }
    return matrix
  }

  private static func truths(_ table: Table, _ column: String, _ file: String) throws(Diagnostic) -> [Double] {
    let values = try table.numbers(column)
    if let row = values.firstIndex(where: { !$0.isFinite }) {
      throw Diagnostic(
        .input, "row \(row + 1) has no `\(column)`, which is what the model learns",
        at: SourceLocation(file: file, line: row + 2),
        hints: ["let `prepare` quarantine rows without it"])
    }
    return values
  }
}
