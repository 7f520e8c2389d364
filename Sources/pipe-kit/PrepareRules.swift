// The declared rules of `pipe kit prepare`: what a raw table should look like, and what to do where it does not.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import Tabular

/// The parameters below `prepare`.
struct PrepareRules {
  /// Column that names a row; later rows with the same one are dropped.
  var key: String?
  var duplicateLimit: Double?
  var columns: [ColumnRule]
  var derived: [DerivedColumn]
  var checks: [RowCheck]
  var split: SplitRule
  var pseudonymizer: Pseudonymizer?

  struct ColumnRule {
    enum Kind: String, CaseIterable { case number, text, time }
    var name: String
    var kind: Kind
    var missing: MissingRule
    /// Share of rows that may lack a value.
    var missingLimit: Double?
    /// Bounds of a number; a row outside goes to quarantine.
    var least: Double?
    var most: Double?
    /// The only values that a text may have; a row with another goes to quarantine.
    var values: Set<String>?
    var personal: PersonalRule?
    /// Left out of the prepared tables though it is not personal.
    var isDropped: Bool
  }

  enum MissingRule: Equatable {
    case keep, drop, quarantine
    /// Of the training rows.
    case median, mostFrequent
    case value(String)
  }

  struct DerivedColumn {
    enum Formula {
      case rowNumber
      /// Minutes from the first time to the second.
      case minutes(from: String, to: String)
      case ratio(of: String, to: String)
    }
    var name: String
    var formula: Formula
    var least: Double?
    var most: Double?
  }

  /// A condition across columns that every row should meet.
  struct RowCheck {
    enum Condition {
      /// The time in `later` is not before the one in `earlier`.
      case order(earlier: String, later: String)
      /// Not all the columns have this value at once.
      case notAll([String], equal: Double)
    }
    var name: String
    var label: String
    var condition: Condition
    var action: Action
    var limit: Double?
    enum Action: String, CaseIterable { case quarantine, drop }
  }

  enum SplitRule {
    /// The last part is the newest; `days` of the first is not used, it takes what is left.
    case time(column: String, parts: [(name: String, days: Int)])
    case order([(name: String, share: Double)])
  }
}

// MARK: - From parameters

extension PrepareRules {
  init(_ node: ParameterNode) throws(Diagnostic) {
    try node.keys(known: [
      "key", "duplicate_limit", "columns", "derive", "checks", "split", "pseudonym_key", "pseudonym_key_env",
    ])
    key = node["key"].isPresent ? try node["key"].text() : nil
    duplicateLimit = try Self.share(node["duplicate_limit"])
    columns = []
    for element in try node["columns"].list() { columns.append(try ColumnRule(element)) }
    derived = []
    for element in try node["derive"].list(orEmpty: true) { derived.append(try DerivedColumn(element)) }
    checks = []
    for element in try node["checks"].list(orEmpty: true) { checks.append(try RowCheck(element)) }
    split = try SplitRule(node["split"])
    pseudonymizer = try Self.pseudonymizer(node)
    if pseudonymizer == nil, let column = columns.first(where: { $0.personal == .pseudonym }) {
      throw node["pseudonym_key"].mistake(
        "is missing, column `\(column.name)` is to become a pseudonym",
        hints: ["name an environment variable with the key in `\(node.path).pseudonym_key_env`"])
    }
    try checkNames(node)
  }

  /// The key itself (fit only for made-up people) or the name of the environment variable that has it.
  private static func pseudonymizer(_ node: ParameterNode) throws(Diagnostic) -> Pseudonymizer? {
    if node["pseudonym_key_env"].isPresent {
      let name = try node["pseudonym_key_env"].text()
      guard let key = ProcessInfo.processInfo.environment[name], !key.isEmpty else {
        throw node["pseudonym_key_env"].mistake(
          "names `\(name)`, which is not set", hints: ["export \(name) with a secret of its own"])
      }
      return Pseudonymizer(key: key)
    }
    return node["pseudonym_key"].isPresent ? Pseudonymizer(key: try node["pseudonym_key"].text()) : nil
  }

  /// Every column that a rule names is declared.
  private func checkNames(_ node: ParameterNode) throws(Diagnostic) {
    var known = columns.map(\.name)
    func expect(_ name: String, _ place: String) throws(Diagnostic) {
      if known.contains(name) { return }
      throw node[place].mistake(
        "names the column `\(name)`, which is not declared",
        hints: closestMatch(to: name, among: known).map { ["did you mean `\($0)`?"] } ?? [])
    }
    for column in derived {
      switch column.formula {
      case .rowNumber: break
      case .minutes(let from, let to): for name in [from, to] { try expect(name, "derive") }
      case .ratio(let above, let below): for name in [above, below] { try expect(name, "derive") }
      }
      known.append(column.name)
    }
    if let key { try expect(key, "key") }
    for check in checks {
      switch check.condition {
      case .order(let earlier, let later): for name in [earlier, later] { try expect(name, "checks") }
      case .notAll(let names, _): for name in names { try expect(name, "checks") }
      }
    }
    if case .time(let column, _) = split { try expect(column, "split") }
  }

  fileprivate static func share(_ node: ParameterNode) throws(Diagnostic) -> Double? {
    node.isPresent ? try node.number(in: 0...1) : nil
  }
}

extension PrepareRules.ColumnRule {
  init(_ node: ParameterNode) throws(Diagnostic) {
    try node.keys(known: ["name", "kind", "missing", "impute", "missing_limit", "min", "max", "values", "personal", "drop"])
    name = try node["name"].text()
    kind = try node["kind"].choice(Kind.self)
    missing = try PrepareRules.MissingRule(node, kind)
    missingLimit = try PrepareRules.share(node["missing_limit"])
    least = node["min"].isPresent ? try node["min"].number() : nil
    most = node["max"].isPresent ? try node["max"].number() : nil
    values = node["values"].isPresent ? Set(try node["values"].texts()) : nil
    personal = node["personal"].isPresent ? try node["personal"].choice(PersonalRule.self) : nil
    isDropped = try node["drop"].bool(or: false)
    if kind != .number, least != nil || most != nil { throw node.mistake("has bounds, but column `\(name)` is no number") }
    if kind != .text, values != nil { throw node["values"].mistake("lists values, but column `\(name)` is no text") }
    if kind != .text, personal != nil, personal != .drop {
      throw node["personal"].mistake("can only be `drop`, since column `\(name)` is no text")
    }
  }
}

extension PrepareRules.MissingRule {
  init(_ node: ParameterNode, _ kind: PrepareRules.ColumnRule.Kind) throws(Diagnostic) {
    let impute = node["impute"]
    switch (try node["missing"].text(or: impute.isPresent ? "impute" : "keep"), impute.isPresent) {
    case ("keep", false): self = .keep
    case ("drop", false): self = .drop
    case ("quarantine", false): self = .quarantine
    case ("impute", true):
      let how = try impute.scalarText()
      switch how {
      case "median" where kind == .number: self = .median
      case "most_frequent" where kind == .text: self = .mostFrequent
      case "median", "most_frequent": throw impute.mistake("is `\(how)`, which does not suit a \(kind.rawValue)")
      default:
        if kind == .number, NumberText.parse(how) == nil { throw impute.mistake("is `\(how)`, a number or `median` is wanted") }
        if kind == .time { throw impute.mistake("is given, but a time cannot be imputed") }
        self = .value(how)
      }
    default: throw node["missing"].mistake("must be `keep`, `drop` or `quarantine`, or `impute` must be given instead")
    }
  }
}

extension PrepareRules.DerivedColumn {
  init(_ node: ParameterNode) throws(Diagnostic) {
    try node.keys(known: ["name", "minutes_between", "ratio", "row_number", "min", "max"])
    name = try node["name"].text()
    least = node["min"].isPresent ? try node["min"].number() : nil
    most = node["max"].isPresent ? try node["max"].number() : nil
    if node["row_number"].isPresent {
      formula = .rowNumber
      return
    }
    let isRatio = node["ratio"].isPresent
    let pair = try node[isRatio ? "ratio" : "minutes_between"].texts()
    guard pair.count == 2 else {
      throw node[isRatio ? "ratio" : "minutes_between"].mistake("needs two columns, has \(pair.count)")
    }
    formula = isRatio ? .ratio(of: pair[0], to: pair[1]) : .minutes(from: pair[0], to: pair[1])
  }
}

extension PrepareRules.RowCheck {
  init(_ node: ParameterNode) throws(Diagnostic) {
    try node.keys(known: ["name", "label", "in_order", "not_all", "equal", "action", "limit"])
    name = try node["name"].text()
    label = try node["label"].text()
    action = try node["action"].choice(Action.self, or: .quarantine)
    limit = try PrepareRules.share(node["limit"])
    if node["not_all"].isPresent {
      condition = .notAll(try node["not_all"].texts(), equal: try node["equal"].number())
      return
    }
    let pair = try node["in_order"].texts()
    guard pair.count == 2 else { throw node["in_order"].mistake("needs two columns, has \(pair.count)") }
    condition = .order(earlier: pair[0], later: pair[1])
  }
}

extension PrepareRules.SplitRule {
  init(_ node: ParameterNode) throws(Diagnostic) {
    try node.keys(known: ["by", "column", "parts"])
    let parts = try node["parts"].list()
    let names = ["train", "valid", "calibrate", "test"]
    var found = [String]()
    for part in parts {
      let name = try part["name"].text()
      guard names.contains(name), !found.contains(name) else {
        throw part["name"].mistake(
          "is `\(name)`", hints: ["parts are \(names.map { "`\($0)`" }.joined(separator: ", ")), each once"])
      }
      found.append(name)
    }
    guard found == names.filter(found.contains), found.first == "train" else {
      throw node["parts"].mistake("must begin with `train` and keep the order \(names.joined(separator: ", "))")
    }
    switch try node["by"].text() {
    case "time":
      var days = [(name: String, days: Int)]()
      for (index, part) in parts.enumerated() {
        days.append((found[index], index == 0 ? 0 : try part["days"].int(in: 1...100_000)))
      }
      self = .time(column: try node["column"].text(), parts: days)
    case "order":
      var shares = [(name: String, share: Double)]()
      for (index, part) in parts.enumerated() { shares.append((found[index], try part["share"].number(in: 0...1))) }
      self = .order(shares)
    default: throw node["by"].mistake("must be `time` or `order`")
    }
  }
}
