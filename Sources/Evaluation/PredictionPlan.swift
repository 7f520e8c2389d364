// Which column of a table of predictions has which part, by its header.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Tabular

/// What a column is to the evaluation. Places count columns of their kind.
enum PredictionRole: Equatable {
  case id, truth, prediction, low, high, weight, group, time, window
  case score(Int)
  case slice(Int)
}

/// The columns of a file that an evaluation reads.
struct PredictionPlan {
  /// Columns in all; a row has as many fields.
  var width: Int
  /// In the order of the file.
  var roles: [(column: Int, role: PredictionRole)] = []
  /// Classes that the score columns stand for; empty for binary tasks and without scores.
  var scoredClasses: [String] = []
  var scoreCount = 0
  /// Names of slice columns, without their prefix.
  var slices: [String] = []

  private let header: [String]
  private let names: PredictionColumnNames
  private let location: SourceLocation

  /// - Throws: a diagnostic for a header that lacks what the task needs.
  init(_ header: [String], for request: EvaluationRequest, at location: SourceLocation) throws(Diagnostic) {
    self.header = header
    self.location = location
    names = request.columns
    width = header.count
    try add(names.id, .id, "id")
    try add(names.truth, .truth, "y_true", isNeeded: true)
    try add(names.weight, .weight, "weight")
    switch request.task {
    case .regression:
      try add(names.prediction, .prediction, "y_pred", isNeeded: true)
      try addBand()
    case .backtest:
      try add(names.prediction, .prediction, "y_pred", isNeeded: true)
      try addBand()
      try add(names.time, .time, "time", isNeeded: true)
      try add(names.group, .group, "group")
      try add(names.window, .window, "window")
    case .ranking:
      try add(names.prediction, .prediction, "y_pred", isNeeded: true)
      try add(names.group, .group, "group", isNeeded: true)
    case .binary:
      try add(names.score, .score(0), "y_score")
      scoreCount = roles.contains { $0.role == .score(0) } ? 1 : 0
      try add(names.prediction, .prediction, "y_pred", isNeeded: scoreCount == 0)
    case .multiclass:
      try addScores()
      try add(names.prediction, .prediction, "y_pred", isNeeded: scoreCount == 0)
    }
    if request.task != .backtest { try add(names.time, .time, "time") }
    try addSlices(request.slices)
    roles.sort { $0.column < $1.column }
  }

  private mutating func add(
    _ name: String, _ role: PredictionRole, _ key: String, isNeeded: Bool = false
  ) throws(Diagnostic) {
    if let column = header.firstIndex(of: name) {
      roles.append((column, role))
    } else if isNeeded || names.named.contains(key) {
      throw missing(name, key)
    }
  }

  private func missing(_ name: String, _ key: String) -> Diagnostic {
    let near = closestMatch(to: name, among: header)
    let shown = header.prefix(12).map { "`\($0)`" }.joined(separator: ", ") + (header.count > 12 ? ", …" : "")
    return Diagnostic(
      .input, "the table has no column `\(name)`", at: location, causes: ["its columns are \(shown)"],
      hints: [
        near.map { "did you mean `\($0)`? Say so with `columns: {\(key): \($0)}`" }
          ?? "say which it is with `columns: {\(key): …}`"
      ])
  }

  /// Lower and upper bound: both or none.
  private mutating func addBand() throws(Diagnostic) {
    let hasLow = header.contains(names.low)
    let hasHigh = header.contains(names.high)
    try add(names.low, .low, "y_low", isNeeded: hasHigh)
    try add(names.high, .high, "y_high", isNeeded: hasLow)
  }

  private mutating func addScores() throws(Diagnostic) {
    let prefix = names.score + "_"
    var columns: [(label: String, column: Int)] = []
    if names.scores.isEmpty {
      for (column, name) in header.enumerated() where name.hasPrefix(prefix) && name.count > prefix.count {
        columns.append((ClassNames.canonical(String(name.dropFirst(prefix.count))), column))
      }
      if names.named.contains("y_score"), columns.isEmpty { throw missing(prefix + "…", "y_score") }
    } else {
      for (label, name) in names.scores.sorted(by: { $0.key < $1.key }) {
        guard let column = header.firstIndex(of: name) else { throw missing(name, "y_score") }
        columns.append((ClassNames.canonical(label), column))
      }
    }
    columns.sort { ClassNames.precedes($0.label, $1.label) }
    for (place, entry) in columns.enumerated() {
      if place > 0, columns[place - 1].label == entry.label {
        throw Diagnostic(.input, "two columns have scores of class `\(entry.label)`", at: location)
      }
      roles.append((entry.column, .score(place)))
    }
    if columns.count == 1 {
      throw Diagnostic(
        .input, "one class alone has scores: `\(columns[0].label)`", at: location,
        hints: ["give each class a column `\(prefix)CLASS`, or use the task `binary`"])
    }
    scoredClasses = columns.map(\.label)
    scoreCount = columns.count
  }

  private mutating func addSlices(_ wanted: [String]?) throws(Diagnostic) {
    let taken = Set(roles.map(\.column))
    let prefix = names.slicePrefix
    guard let wanted else {
      for (column, name) in header.enumerated() where name.hasPrefix(prefix) && !taken.contains(column) {
        roles.append((column, .slice(slices.count)))
        slices.append(String(name.dropFirst(prefix.count)))
      }
      return
    }
    for name in wanted {
      guard let column = header.firstIndex(of: prefix + name) ?? header.firstIndex(of: name) else {
        let known = header.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
        throw Diagnostic(
          .input, "the table has no slice column `\(prefix)\(name)`", at: location,
          hints: [
            closestMatch(to: name, among: known).map { "did you mean `\($0)`?" }
              ?? "it has \(known.map { "`\($0)`" }.joined(separator: ", "))"
          ])
      }
      roles.append((column, .slice(slices.count)))
      slices.append(name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name)
    }
  }
}

/// How classes are spelled and ordered.
enum ClassNames {
  /// Pairs of which the second one is positive without being asked.
  static let knownPairs: [(String, String)] = [
    ("0", "1"), ("-1", "1"), ("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"), ("negative", "positive"),
  ]

  /// `1.0` and `1` are one class: the same program writes both.
  static func canonical(_ text: String) -> String {
    guard let number = NumberText.parse(text), text.utf8.count < 20 else { return text }
    return NumberText.text(of: number)
  }

  /// Numbers by size, then text by its bytes.
  static func precedes(_ a: String, _ b: String) -> Bool {
    switch (Double(a), Double(b)) {
    case (let x?, let y?) where x != y: x < y
    case (.some, nil): true
    case (nil, .some): false
    default: a.utf8.lexicographicallyPrecedes(b.utf8)
    }
  }
}
