// What `report: {drift: …}` says of a table that is to be compared with an earlier one.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import Diagnostics

/// A table whose columns may have moved. What is `nil` or empty was not said.
package struct DriftDeclaration: Sendable, Equatable {
  package static let keys = ["data", "baseline", "against", "columns", "ignore", "psi"]

  /// The table as the run has it.
  package var data: WorkspacePath
  /// Whose table to compare with: a revision, a version, a run, or `previous`; above `report.baseline`.
  package var baseline: String?
  /// Another table of the same run to compare with, e.g. what the model was trained on.
  package var against: WorkspacePath?
  /// Only these; `nil` is all.
  package var columns: [String]?
  package var ignored: [String] = []
  /// Population stability index from which on a column counts as drifted, above 0.
  package var threshold: Double?
  package var location: SourceLocation

  package init(data: WorkspacePath, location: SourceLocation) {
    self.data = data
    self.location = location
  }
}

extension ManifestReader {
  /// One mapping, or a list of them.
  mutating func drift(_ key: YAMLKey, _ node: YAMLNode) -> [DriftDeclaration] {
    (node.items ?? [node]).compactMap { driftEntry(key, $0) }
  }

  private mutating func driftEntry(_ key: YAMLKey, _ node: YAMLNode) -> DriftDeclaration? {
    guard let pairs = mapping(node, of: "report.drift") else { return nil }
    for (option, _) in pairs where !DriftDeclaration.keys.contains(option.text) {
      unknown(option, among: DriftDeclaration.keys, what: "key")
    }
    if node["data"] == nil { wrong(key, "`drift` has no `data`, the table to compare") }
    let data = node["data"].flatMap { workspacePath($0, in: folder, what: "table") }
    let baseline = node["baseline"].flatMap { text($0, of: "baseline") }
    let against = node["against"].flatMap { workspacePath($0, in: folder, what: "table") }
    let columns = node["columns"].map { texts($0, of: "columns") }
    let ignored = node["ignore"].map { texts($0, of: "ignore") } ?? []
    let threshold = node["psi"].flatMap { number($0, of: "psi", "above 0") { $0 > 0 } }
    if baseline != nil, against != nil {
      wrong(key, "`drift` has both `baseline` and `against`", hint: "one of them says what to compare with")
    }
    guard let data else { return nil }
    var declaration = DriftDeclaration(data: data, location: key.location(in: file))
    (declaration.baseline, declaration.against) = (baseline, against)
    (declaration.columns, declaration.ignored, declaration.threshold) = (columns, ignored, threshold)
    return declaration
  }
}
