// `pipe kit prepare`: validate, deduplicate, clean, pseudonymise and split a raw table by declared rules.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import Evaluation
import FeatureStore
import Foundation
import Tabular

struct Prepare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Validate, deduplicate, clean, pseudonymise and split a raw table.",
    discussion: """
      Reads the parameters below `prepare`. Rows that break a rule go to quarantine with the reason; personal columns leave as \
      pseudonyms, masked, or not at all. Exit 1 when a check finds more rows than its limit allows.

      Example: pipe kit prepare --raw data/raw/orders.csv --out data/prepared --quarantine data/prepared/quarantine.csv \
      --quality data/prepared/data_quality.json --metrics metrics/prepare.json
      """,
    version: behaviorVersion(of: "prepare"))

  @Option(help: "The raw table, CSV.")
  var raw: String

  @Option(help: "Folder for train.csv, valid.csv, calibrate.csv, test.csv.")
  var out: String

  @Option(help: "File for the rows that broke a rule.")
  var quarantine: String

  @Option(help: "File for what was wrong with the data and what was done about it.")
  var quality: String

  @Option(help: "File for flat metrics.")
  var metrics: String

  @OptionGroup var parameters: ParameterOptions

  func run() throws {
    let rules = try PrepareRules(parameters.context().params["prepare"])
    var rows = try RawRows(CSVReader.table(file: raw, kinds: Self.kinds(rules)), rules)
    rows.judge()
    let parts = try rows.split()
    rows.impute(fittedOn: parts[0].rows)
    let prepared = rows.preparedTable()
    for part in parts { try CSVWriter.write(prepared.selecting(rows: part.rows), to: "\(out)/\(part.name).csv") }
    try CSVWriter.write(rows.quarantineTable(), to: quarantine)
    let document = QualitySummary(rows: rows, prepared: prepared, parts: parts).document
    try JSONText.write(document, to: quality)
    try JSONText.write(flat(document, rows), to: metrics)
    try refuse(document)
  }

  /// Text and times are read as they stand; numbers are told by their fields, so that a field that is none spoils its row only.
  private static func kinds(_ rules: PrepareRules) -> [String: Column.Kind] {
    let text = rules.columns.filter { $0.kind != .number }.map { ($0.name, Column.Kind.text) }
    return Dictionary(text) { first, _ in first }
  }

  private func flat(_ document: QualityDocument, _ rows: RawRows) -> [String: Double] {
    var flat: [String: Double] = [
      "rows_in": Double(document.rowsIn), "rows_out": Double(document.rowsOut), "score": document.score,
      "quarantined": Double(rows.count(.quarantined)), "dropped": Double(rows.count(.dropped)),
      "imputed_values": Double(rows.imputedValues),
    ]
    for split in document.splits { flat["\(split.name)_rows"] = Double(split.rows) }
    return flat
  }

  private func refuse(_ document: QualityDocument) throws {
    let failed = document.checks.filter { !$0.passed }
    guard let first = failed.first else { return }
    throw Diagnostic(
      .work, "the raw data miss \(failed.count) of their \(document.checks.count) checks", at: SourceLocation(file: raw),
      causes: failed.map {
        "\($0.label): \($0.count) rows, \(percent($0.share)) of all, at most \(percent($0.limit ?? 0)) are allowed"
      },
      hints: ["look at `\(quarantine)`, or raise the limit of `\(first.name)`"])
  }

  private func percent(_ share: Double) -> String { "\(NumberText.text(of: (share * 1e4).rounded() / 100)) %" }
}

/// Raw rows with a verdict on each.
struct RawRows {
  enum Verdict: Equatable { case kept, dropped, quarantined }
  enum Values {
    case number([Double])
    case text([String?])
    case time([Int64?])
  }
  struct Finding {
    var name: String
    var label: String
    var count: Int
    var limit: Double?
    var action: String
  }

  let rules: PrepareRules
  let rowCount: Int
  private(set) var findings: [Finding] = []
  private(set) var imputedValues = 0
  private var values: [String: Values] = [:]
  private var verdicts: [Verdict]
  private var reasons: [String?]
  /// Text of a number or time that could not be read, for the quarantine.
  private var unreadable: [String: [Int: String]] = [:]

  init(_ table: Table, _ rules: PrepareRules) throws {
    self.rules = rules
    rowCount = table.rowCount
    verdicts = Array(repeating: .kept, count: rowCount)
    reasons = Array(repeating: nil, count: rowCount)
    try Self.checkNames(table, rules)
    for rule in rules.columns { values[rule.name] = read(try table.column(rule.name), as: rule.kind) }
  }

  /// All columns that are too few or too many, in one go.
  private static func checkNames(_ table: Table, _ rules: PrepareRules) throws(DiagnosticList) {
    let location = table.source.map { SourceLocation(file: $0, line: 1) }
    let declared = rules.columns.map(\.name)
    var mistakes = DiagnosticList()
    for name in declared where !table.contains(name) {
      mistakes.add(
        Diagnostic(
          .input, "the table has no column `\(name)`", at: location,
          hints: closestMatch(to: name, among: table.names.filter { !declared.contains($0) }).map { ["is it `\($0)` now?"] } ?? []
        ))
    }
    for name in table.names where !declared.contains(name) {
      mistakes.add(
        Diagnostic(
          .input, "the table has a column `\(name)` that is not declared", at: location,
          hints: ["declare it below `prepare.columns`; with `drop: true` it is left out"]))
    }
    try mistakes.throwIfErrors()
  }

  private mutating func read(_ column: Column, as kind: PrepareRules.ColumnRule.Kind) -> Values {
    switch (kind, column.storage) {
    case (.number, .number(let numbers)): return .number(numbers)
    case (.text, _): return .text(column.texts)
    case (.number, .text(let texts)):
      return .number(texts.enumerated().map { row, text in parsed(text, row, column.name, NumberText.parse) ?? .nan })
    case (.time, _):
      return .time(column.texts.enumerated().map { row, text in parsed(text, row, column.name, Timestamp.epochSeconds) })
    }
  }

  private mutating func parsed<Value>(_ text: String?, _ row: Int, _ column: String, _ parse: (String) -> Value?) -> Value? {
    guard let text else { return nil }
    if let value = parse(text) { return value }
    unreadable[column, default: [:]][row] = text
    return nil
  }

  func count(_ verdict: Verdict) -> Int { verdicts.count { $0 == verdict } }
  var keptRows: [Int] { verdicts.indices.filter { verdicts[$0] == .kept } }
}

// MARK: - Verdicts

extension RawRows {
  /// Looks at every row, first rule first: a row is judged once.
  mutating func judge() {
    dropDuplicates()
    for rule in rules.columns { judge(rule) }
    for column in rules.derived { derive(column) }
    for check in rules.checks { judge(check) }
    for column in rules.derived { judgeBounds(column.name, column.least, column.most) }
  }

  private mutating func dropDuplicates() {
    guard let key = rules.key, let values = values[key] else { return }
    var seen = Set<String>(minimumCapacity: rowCount)
    var rows = [Int]()
    for row in 0..<rowCount {
      if let text = Self.text(values, row), !seen.insert(text).inserted { rows.append(row) }
    }
    settle(rows, as: .dropped, "duplicate", "rows that repeat a `\(key)`", limit: rules.duplicateLimit)
  }

  private mutating func judge(_ rule: PrepareRules.ColumnRule) {
    guard let values = values[rule.name] else { return }
    if let bad = unreadable[rule.name] {
      settle(
        bad.keys.sorted(), as: .quarantined, "\(rule.name)_unreadable", "rows whose `\(rule.name)` is no \(rule.kind.rawValue)",
        limit: nil)
    }
    let missing = (0..<rowCount).filter { verdicts[$0] == .kept && Self.isMissing(values, $0) }
    if rule.missing != .keep || rule.missingLimit != nil || !missing.isEmpty {
      let label = "rows without `\(rule.name)`"
      switch rule.missing {
      case .drop: settle(missing, as: .dropped, "\(rule.name)_missing", label, limit: rule.missingLimit)
      case .quarantine: settle(missing, as: .quarantined, "\(rule.name)_missing", label, limit: rule.missingLimit)
      case .keep: note(missing.count, "\(rule.name)_missing", label, limit: rule.missingLimit, action: "kept")
      case .median, .mostFrequent, .value:
        note(missing.count, "\(rule.name)_missing", label, limit: rule.missingLimit, action: "imputed")
      }
    }
    judgeBounds(rule.name, rule.least, rule.most)
    if let allowed = rule.values, case .text(let texts) = values {
      let rows = (0..<rowCount).filter { row in texts[row].map { !allowed.contains($0) } ?? false }
      settle(rows, as: .quarantined, "\(rule.name)_values", "rows with another `\(rule.name)` than the declared ones", limit: nil)
    }
  }

  private mutating func judgeBounds(_ name: String, _ least: Double?, _ most: Double?) {
    guard least != nil || most != nil, case .number(let numbers)? = values[name] else { return }
    let rows = (0..<rowCount).filter { numbers[$0] < least ?? -.infinity || numbers[$0] > most ?? .infinity }
    let range = "\(least.map(NumberText.text) ?? "…") to \(most.map(NumberText.text) ?? "…")"
    settle(rows, as: .quarantined, "\(name)_range", "rows whose `\(name)` is outside \(range)", limit: nil)
  }

  private mutating func judge(_ check: PrepareRules.RowCheck) {
    let rows = (0..<rowCount).filter { row in
      switch check.condition {
      case .order(let earlier, let later):
        guard let first = number(earlier, row), let second = number(later, row) else { return false }
        return second < first
      case .notAll(let names, let value): return names.allSatisfy { number($0, row) == value }
      }
    }
    settle(rows, as: check.action == .drop ? .dropped : .quarantined, check.name, check.label, limit: check.limit)
  }

  /// A number or a time as a number; `nil` when missing.
  private func number(_ column: String, _ row: Int) -> Double? {
    switch values[column] {
    case .number(let numbers)?: numbers[row].isNaN ? nil : numbers[row]
    case .time(let times)?: times[row].map(Double.init)
    case .text?, nil: nil
    }
  }

  private mutating func derive(_ column: PrepareRules.DerivedColumn) {
    var numbers = [Double](repeating: .nan, count: rowCount)
    switch column.formula {
    case .rowNumber: for row in 0..<rowCount { numbers[row] = Double(row + 1) }
    case .minutes(let from, let to):
      guard case .time(let starts)? = values[from], case .time(let ends)? = values[to] else { break }
      for row in 0..<rowCount {
        if let start = starts[row], let end = ends[row] { numbers[row] = FeatureRounding.rounded(Double(end - start) / 60) }
      }
    case .ratio(let above, let below):
      guard case .number(let a)? = values[above], case .number(let b)? = values[below] else { break }
      for row in 0..<rowCount where b[row] != 0 { numbers[row] = FeatureRounding.rounded(a[row] / b[row]) }
    }
    values[column.name] = .number(numbers)
  }

  /// Gives the rows that still count a verdict; what was judged before keeps its first reason.
  private mutating func settle(_ rows: [Int], as verdict: Verdict, _ name: String, _ label: String, limit: Double?) {
    var count = 0
    for row in rows where verdicts[row] == .kept {
      verdicts[row] = verdict
      reasons[row] = name
      count += 1
    }
    note(count, name, label, limit: limit, action: verdict == .dropped ? "dropped" : "quarantined")
  }

  private mutating func note(_ count: Int, _ name: String, _ label: String, limit: Double?, action: String) {
    findings.append(Finding(name: name, label: label, count: count, limit: limit, action: action))
  }

  private static func isMissing(_ values: Values, _ row: Int) -> Bool {
    switch values {
    case .number(let numbers): numbers[row].isNaN
    case .text(let texts): texts[row] == nil
    case .time(let times): times[row] == nil
    }
  }

  private static func text(_ values: Values, _ row: Int) -> String? {
    switch values {
    case .number(let numbers): numbers[row].isNaN ? nil : NumberText.text(of: numbers[row])
    case .text(let texts): texts[row]
    case .time(let times): times[row].map(Timestamp.text)
    }
  }
}

// MARK: - Parts, imputation, tables

extension RawRows {
  /// Row numbers of each part; by time they are in order of time.
  func split() throws(Diagnostic) -> [Split] {
    let kept = keptRows
    if kept.isEmpty { throw Diagnostic(.work, "no row is left after the checks", hints: ["the quarantine file says why"]) }
    switch rules.split {
    case .order(let shares):
      return try Split.byOrder(rowCount: kept.count, shares: shares).map { Split(name: $0.name, rows: $0.rows.map { kept[$0] }) }
    case .time(let column, let parts):
      guard case .time(let times)? = values[column] else {
        throw Diagnostic(.input, "the split goes by `\(column)`, which is no column of times")
      }
      let dated = kept.compactMap { row in times[row].map { (time: $0, row: row) } }.sorted {
        ($0.time, $0.row) < ($1.time, $1.row)
      }
      guard dated.count == kept.count, let first = dated.first, let last = dated.last else {
        throw Diagnostic(.input, "some rows have no `\(column)` to split by", hints: ["set `missing: quarantine` for the column"])
      }
      var end = Timestamp.startOfDay(last.time) + Timestamp.secondsPerDay
      var starts = [(name: String, from: Int64)]()
      for part in parts.dropFirst().reversed() {
        end -= Int64(part.days) * Timestamp.secondsPerDay
        starts.insert((part.name, end), at: 0)
      }
      if end <= first.time {
        throw Diagnostic(
          .input, "the later parts take all days, nothing is left for `train`", hints: ["shorten `prepare.split.parts`"])
      }
      starts.insert((parts[0].name, first.time), at: 0)
      return try Split.byTime(dated.map(\.time), starts: starts).map { Split(name: $0.name, rows: $0.rows.map { dated[$0].row }) }
    }
  }

  /// Fills what is missing by the rule of its column, fitted on the training rows only.
  mutating func impute(fittedOn train: [Int]) {
    let kept = keptRows
    for rule in rules.columns {
      guard let filling = filling(rule, train), let column = values[rule.name] else { continue }
      switch column {
      case .number(var numbers):
        guard let number = NumberText.parse(filling) else { continue }
        for row in kept where numbers[row].isNaN {
          numbers[row] = number
          imputedValues += 1
        }
        values[rule.name] = .number(numbers)
      case .text(var texts):
        for row in kept where texts[row] == nil {
          texts[row] = filling
          imputedValues += 1
        }
        values[rule.name] = .text(texts)
      case .time: continue
      }
    }
  }

  private func filling(_ rule: PrepareRules.ColumnRule, _ train: [Int]) -> String? {
    switch (rule.missing, values[rule.name]) {
    case (.value(let text), _): return text
    case (.median, .number(let numbers)?):
      let known = train.map { numbers[$0] }.filter { !$0.isNaN }.sorted()
      if known.isEmpty { return nil }
      let middle = known.count / 2
      return NumberText.text(of: known.count % 2 == 1 ? known[middle] : (known[middle - 1] + known[middle]) / 2)
    case (.mostFrequent, .text(let texts)?):
      var counts = [String: Int]()
      for row in train { if let text = texts[row] { counts[text, default: 0] += 1 } }
      return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    default: return nil
    }
  }

  /// All rows, in the columns that may leave: personal ones only as their rule allows.
  func preparedTable() -> Table {
    var table = Table(rules.columns.compactMap { outgoing($0) })
    for column in rules.derived {
      if case .number(let numbers)? = values[column.name] { table.append(Column(column.name, numbers: numbers)) }
    }
    return table
  }

  /// The rows in quarantine with the rule that each broke first.
  func quarantineTable() -> Table {
    let rows = verdicts.indices.filter { verdicts[$0] == .quarantined }
    var table = Table(rules.columns.compactMap { outgoing($0)?.selecting(rows: rows) })
    table.append(Column("reason", texts: rows.map { reasons[$0] }))
    return table
  }

  private func outgoing(_ rule: PrepareRules.ColumnRule) -> Column? {
    if rule.isDropped || rule.personal == .drop { return nil }
    switch values[rule.name] {
    case .number(let numbers)?: return withUnreadable(Column(rule.name, numbers: numbers))
    case .time(let times)?: return withUnreadable(Column(rule.name, texts: times.map { $0.map(Timestamp.text) }))
    case .text(let texts)?:
      switch rule.personal {
      case .mask?: return Column(rule.name, texts: texts.map { $0.map(Pseudonymizer.mask) })
      case .pseudonym?:
        var known = [String: String]()
        return Column(
          rule.name,
          texts: texts.map { text in
            guard let text, let pseudonymizer = rules.pseudonymizer else { return nil }
            if let pseudonym = known[text] { return pseudonym }
            let pseudonym = pseudonymizer.pseudonym(of: text, column: rule.name)
            known[text] = pseudonym
            return pseudonym
          })
      case .drop?, nil: return Column(rule.name, texts: texts)
      }
    case nil: return nil
    }
  }

  /// Fields that could not be read stand in the quarantine as they were.
  private func withUnreadable(_ column: Column) -> Column {
    guard let bad = unreadable[column.name] else { return column }
    var texts = column.texts
    for (row, text) in bad { texts[row] = text }
    return Column(column.name, texts: texts)
  }
}

/// What the report says about the raw data.
private struct QualitySummary {
  let rows: RawRows
  let prepared: Table
  let parts: [Split]

  var document: QualityDocument {
    let kept = rows.keptRows
    let checks = rows.findings.map { finding in
      let share = Double(finding.count) / Double(max(rows.rowCount, 1))
      return QualityDocument.Check(
        name: finding.name, label: finding.label, count: finding.count, share: FeatureRounding.rounded(share),
        limit: finding.limit,
        passed: finding.limit.map { share <= $0 } ?? true, action: finding.action)
    }
    return QualityDocument(
      rowsIn: rows.rowCount, rowsOut: kept.count, score: score(checks), checks: checks,
      columns: prepared.columns.map { summary($0.selecting(rows: kept)) }, splits: parts.map(split))
  }

  /// 100 × the share of rows without any finding (kept-as-missing counts as one), less 20 for each check over its limit.
  private func score(_ checks: [QualityDocument.Check]) -> Double {
    let touched = checks.reduce(0) { $0 + $1.count }
    let clean = 1 - Double(min(touched, rows.rowCount)) / Double(max(rows.rowCount, 1))
    return ((max(0, 100 * clean - 20 * Double(checks.count { !$0.passed }))) * 100).rounded() / 100
  }

  private func summary(_ column: Column) -> QualityDocument.ColumnSummary {
    let kind = rows.rules.columns.first { $0.name == column.name }?.kind.rawValue ?? "number"
    switch column.storage {
    case .number(let numbers):
      let known = numbers.filter { !$0.isNaN }
      let mean = known.reduce(0, +) / Double(max(known.count, 1))
      let variance = known.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(known.count, 1))
      return .init(
        name: column.name, kind: kind, missing: numbers.count - known.count, distinct: Set(known).count,
        min: known.min().map(NumberText.text), max: known.max().map(NumberText.text),
        mean: known.isEmpty ? nil : FeatureRounding.rounded(mean),
        standardDeviation: known.isEmpty ? nil : FeatureRounding.rounded(variance.squareRoot()))
    case .text(let texts):
      let known = Set(texts.compactMap { $0 })
      return .init(
        name: column.name, kind: kind, missing: texts.count { $0 == nil }, distinct: known.count, min: known.min(),
        max: known.max(),
        mean: nil, standardDeviation: nil)
    }
  }

  private func split(_ part: Split) -> QualityDocument.Split {
    guard case .time(let column, _) = rows.rules.split, let times = try? prepared.texts(column) else {
      return .init(name: part.name, rows: part.rows.count, from: nil, to: nil)
    }
    return .init(
      name: part.name, rows: part.rows.count, from: part.rows.first.flatMap { times[$0] },
      to: part.rows.last.flatMap { times[$0] })
  }
}
