// A CSV of predictions to columns of numbers, without the file ever being in memory.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
import Tabular

/// Reads tables of predictions for a request.
package enum PredictionReader {
  /// Different values that a slice may have, and classes that a task may have.
  static let maximumSliceValues = 10_000
  static let maximumClasses = 1000

  /// Reads a file as a stream.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - name: what messages call it; `path` by default (an object of the store has no name of its own).
  ///   - keepsIDs: whether rows shall be matched with another table's later.
  ///   - scratch: where columns go that are too large for memory.
  /// - Throws: the first mistake, as a diagnostic at file:line:column; a `storage` one when the columns find no room.
  /// - Complexity: O(rows); 8 bytes a row and column of numbers, 4 a column of categories, and 28 for ids while it reads.
  package static func table(
    file path: String, named name: String? = nil, for request: EvaluationRequest, keepsIDs: Bool = true,
    in scratch: Scratch = .memory
  ) throws(Diagnostic) -> PredictionTable {
    let rows = CSVRowStream.lineCount(file: path)
    var stream = try CSVRowStream(file: path, named: name)
    var pass = try PredictionPass(&stream, request, expecting: rows.map { max($0 - 1, 0) } ?? 0, in: scratch)
    if let repetition = try pass.read(&stream) {
      var again = try CSVRowStream(file: path, named: name)
      throw try repetition.diagnostic(&again, request)
    }
    return try pass.table(keepsIDs: keepsIDs)
  }

  /// The same for bytes in memory.
  package static func table(
    bytes: [UInt8], named name: String, for request: EvaluationRequest, keepsIDs: Bool = true, in scratch: Scratch = .memory
  ) throws(Diagnostic) -> PredictionTable {
    var stream = try CSVRowStream(bytes: bytes, named: name)
    var pass = try PredictionPass(&stream, request, expecting: 0, in: scratch)
    if let repetition = try pass.read(&stream) {
      var again = try CSVRowStream(bytes: bytes, named: name)
      throw try repetition.diagnostic(&again, request)
    }
    return try pass.table(keepsIDs: keepsIDs)
  }
}

/// Two rows, counted from 0, whose ids have one hash.
struct IDRepetition {
  var first: Int
  var second: Int

  /// Reads as far as the second row again, since ids are not kept as text.
  func diagnostic(_ stream: inout CSVRowStream, _ request: EvaluationRequest) throws(Diagnostic) -> Diagnostic {
    guard try stream.next() else { return Diagnostic(.bug, "a table lost its header", at: SourceLocation(file: stream.name)) }
    var column = 0
    for index in 0..<stream.count where try stream.text(index) == request.columns.id { column = index }
    var row = 0
    var text = ""
    var line = 0
    while try stream.next() {
      if row == first { (text, line) = (try stream.text(column), stream.line) }
      if row == second {
        let other = try stream.text(column)
        if other == text {
          return Diagnostic(
            .input, "id `\(text)` stands twice, first in line \(line)", at: stream.location(column),
            hints: ["each row needs an id of its own, so that runs can be compared row by row"])
        }
        return Diagnostic(
          .input, "the ids `\(text)` and `\(other)` cannot be told apart: their 64-bit hashes are equal",
          at: stream.location(column),
          hints: ["change one of them by any letter"])
      }
      row += 1
    }
    return Diagnostic(.input, "the file changed while it was read", at: SourceLocation(file: stream.name))
  }
}

/// One walk over a file.
private struct PredictionPass {
  private let request: EvaluationRequest
  private let plan: PredictionPlan
  private let isClassifier: Bool
  private var table: PredictionTable
  private var weightSum = 0.0
  private var labels = TextNumbers()
  /// Number of a label's text → place in `seen`, which has one spelling of each.
  private var canonical: [UInt32] = []
  private var seen: [String] = []
  private var groups = TextNumbers()
  private var windows = TextNumbers()
  private var slices: [TextNumbers]
  private var sliceRows: [RowValues<UInt32>]
  private var groupRows: RowValues<UInt32>
  private var windowRows: RowValues<UInt32>
  private var times: RowValues<Double>
  private var isCalendar: Bool?
  private var readsTimes = false

  init(
    _ stream: inout CSVRowStream, _ request: EvaluationRequest, expecting rows: Int, in scratch: Scratch
  ) throws(Diagnostic) {
    self.request = request
    guard try stream.next() else { throw Diagnostic(.input, "the file is empty", at: SourceLocation(file: stream.name)) }
    var header: [String] = []
    for field in 0..<stream.count {
      let name = try stream.text(field)
      if header.contains(name) { throw Diagnostic(.input, "the header names `\(name)` twice", at: stream.location(field)) }
      header.append(name)
    }
    plan = try PredictionPlan(header, for: request, at: SourceLocation(file: stream.name, line: 1))
    isClassifier = request.task == .binary || request.task == .multiclass
    table = PredictionTable(source: stream.name, task: request.task, in: scratch)
    table.scores = [RowValues<Double>](repeating: RowValues(in: scratch), count: plan.scoreCount)
    (groupRows, windowRows, times) = (RowValues(in: scratch), RowValues(in: scratch), RowValues(in: scratch))
    slices = [TextNumbers](repeating: TextNumbers(), count: plan.slices.count)
    sliceRows = [RowValues<UInt32>](repeating: RowValues(in: scratch), count: plan.slices.count)
    for label in plan.scoredClasses { _ = place(of: label) }
    // Coverage along time is told of intervals.
    readsTimes = request.task == .backtest || request.task == .regression && plan.roles.contains { $0.role == .low }
    reserve(rows)
  }

  /// Exact room, so that no column is copied while it grows.
  private mutating func reserve(_ rows: Int) {
    func reserve<Value>(_ column: inout RowValues<Value>) { column = RowValues(in: table.scratch, reserving: rows) }
    for (_, role) in plan.roles {
      switch role {
      case .id: reserve(&table.ids)
      case .truth: if isClassifier { reserve(&table.labels) } else { reserve(&table.truths) }
      case .prediction: if isClassifier { reserve(&table.predictedLabels) } else { reserve(&table.predictions) }
      case .score(let place): reserve(&table.scores[place])
      case .low: reserve(&table.lows)
      case .high: reserve(&table.highs)
      case .weight: reserve(&table.weights)
      case .group: reserve(&groupRows)
      case .window: reserve(&windowRows)
      case .time: if readsTimes { reserve(&times) }
      case .slice(let place): reserve(&sliceRows[place])
      }
    }
  }

  /// Reads to the end; gives the first row whose id another row has.
  mutating func read(_ stream: inout CSVRowStream) throws(Diagnostic) -> IDRepetition? {
    do throws(Diagnostic) {
      try readRows(&stream)
    } catch {
      // What stands before the mistake is the first one.
      if let repetition = repetition() { return repetition }
      throw error
    }
    return repetition()
  }

  private func repetition() -> IDRepetition? {
    IDBuckets.firstRepetition(table.ids).map { IDRepetition(first: $0.first, second: $0.second) }
  }

  private mutating func readRows(_ stream: inout CSVRowStream) throws(Diagnostic) {
    while try stream.next() {
      guard stream.count == plan.width else {
        throw Diagnostic(
          .input,
          "the row has \(stream.count) \(stream.count == 1 ? "field" : "fields"), the header names \(plan.width) columns",
          at: stream.location, hints: ["a comma or line break within a field needs double quotes round the field"])
      }
      for (field, role) in plan.roles { try add(stream, field, role) }
      if plan.scoreCount > 1 { try checkScoreSum(stream) }
      table.count += 1
      if table.count & 0xFFF == 0 { try table.scratch.check() }
      if table.count == Int(UInt32.max) - 1 {
        throw Diagnostic(.input, "the table has more than 4 billion rows", at: SourceLocation(file: stream.name))
      }
    }
    guard table.count > 0 else {
      throw Diagnostic(
        .input, "the table has no rows", at: SourceLocation(file: stream.name),
        hints: ["an evaluation needs at least one prediction"])
    }
    try table.scratch.check()
  }

  private mutating func add(
    _ stream: borrowing CSVRowStream, _ field: Int, _ role: PredictionRole
  ) throws(Diagnostic) {
    switch role {
    case .id:
      if stream.isEmpty(field) { throw wrong(stream, field, "the row has no `\(request.columns.id)`") }
      table.ids.append(TextHash.hash(stream.bytes(field)))
    case .truth where isClassifier:
      let label = try label(stream, field, request.columns.truth)
      table.labels.append(label)
    case .truth: table.truths.append(try number(stream, field, request.columns.truth))
    case .prediction where isClassifier:
      let label = try label(stream, field, request.columns.prediction)
      table.predictedLabels.append(label)
    case .prediction: table.predictions.append(try number(stream, field, request.columns.prediction))
    case .score(let place): table.scores[place].append(try score(stream, field))
    case .low: table.lows.append(try number(stream, field, request.columns.low))
    case .high: table.highs.append(try number(stream, field, request.columns.high))
    case .weight:
      let weight = try number(stream, field, request.columns.weight)
      if weight < 0 { throw wrong(stream, field, "weight `\(try stream.text(field))` is below 0") }
      weightSum += weight
      table.weights.append(weight)
    case .group:
      let number = try groups.number(stream, field)
      groupRows.append(number)
    case .window:
      let number = try windows.number(stream, field)
      windowRows.append(number)
    case .time:
      guard readsTimes else { break }
      do throws(Diagnostic) {
        let time = try time(stream, field)
        times.append(time)
      } catch {
        // Only a backtest cannot do without them.
        if request.task == .backtest { throw error }
        readsTimes = false
        times = []
      }
    case .slice(let place):
      let number = try slices[place].number(stream, field)
      sliceRows[place].append(number)
      if slices[place].texts.count > PredictionReader.maximumSliceValues {
        throw wrong(
          stream, field, "slice `\(plan.slices[place])` has more than \(PredictionReader.maximumSliceValues) different values",
          hint: "name the columns to slice by with `slices: […]`")
      }
    }
  }

  // MARK: Fields

  private func wrong(
    _ stream: borrowing CSVRowStream, _ field: Int, _ message: String, hint: String? = nil
  ) -> Diagnostic {
    Diagnostic(.input, message, at: stream.location(field), hints: hint.map { [$0] } ?? [])
  }

  @inline(__always)
  private func number(_ stream: borrowing CSVRowStream, _ field: Int, _ name: String) throws(Diagnostic) -> Double {
    if let parsed = NumberText.parse(stream.bytes(field)) { return parsed.value }
    if stream.isEmpty(field) { throw wrong(stream, field, "`\(name)` is empty, a number is wanted") }
    throw wrong(stream, field, "`\(try stream.text(field))` is not a number; `\(name)` has to be one")
  }

  private func score(_ stream: borrowing CSVRowStream, _ field: Int) throws(Diagnostic) -> Double {
    let score = try number(stream, field, request.columns.score)
    if score >= 0, score <= 1 { return score }
    throw wrong(
      stream, field, "score `\(try stream.text(field))` lies outside 0...1", hint: "a score is the probability of its class")
  }

  private func checkScoreSum(_ stream: borrowing CSVRowStream) throws(Diagnostic) {
    var sum = 0.0
    for column in table.scores { sum += column[table.count] }
    if abs(sum - 1) > 0.01 {
      throw Diagnostic(
        .input, "the scores of the row's classes add up to \(NumberText.text(of: (sum * 1e4).rounded() / 1e4)), not to 1",
        at: stream.location, hints: ["a score is the probability of its class"])
    }
  }

  private mutating func time(_ stream: borrowing CSVRowStream, _ field: Int) throws(Diagnostic) -> Double {
    let bytes = stream.bytes(field)
    let value: (Double, Bool)? =
      if let parsed = NumberText.parse(bytes) { (parsed.value, false) } else if let seconds = Self.seconds(bytes) {
        (Double(seconds), true)
      } else { nil }
    guard let (time, isDate) = value else {
      throw wrong(
        stream, field, "`\(try stream.text(field))` is no time", hint: "write `2026-03-01T08:15:00Z`, `2026-03-01`, or a number")
    }
    if let isCalendar, isCalendar != isDate { throw wrong(stream, field, "`\(request.columns.time)` has both dates and numbers") }
    isCalendar = isDate
    return time
  }

  /// RFC 3339; without a zone it is UTC.
  private static func seconds(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    if let seconds = Timestamp.epochSeconds(bytes) { return seconds }
    guard bytes.count >= 19 else { return nil }
    return Timestamp.epochSeconds(String(decoding: bytes, as: UTF8.self) + "Z")
  }

  private mutating func label(
    _ stream: borrowing CSVRowStream, _ field: Int, _ name: String
  ) throws(Diagnostic) -> UInt32 {
    if stream.isEmpty(field) { throw wrong(stream, field, "`\(name)` is empty, a class is wanted") }
    let number = Int(try labels.number(stream, field))
    if number < canonical.count { return canonical[number] }
    let text = ClassNames.canonical(try stream.text(field))
    if !plan.scoredClasses.isEmpty, !plan.scoredClasses.contains(text) {
      throw wrong(
        stream, field, "class `\(text)` has no scores",
        hint: closestMatch(to: text, among: plan.scoredClasses).map { "did you mean `\($0)`?" }
          ?? "scored are \(plan.scoredClasses.prefix(20).map { "`\($0)`" }.joined(separator: ", "))")
    }
    let place = place(of: text)
    canonical.append(place)
    if request.task == .binary { try checkBinary(stream, field, text, name) }
    if seen.count > PredictionReader.maximumClasses {
      throw wrong(stream, field, "`\(name)` has more than \(PredictionReader.maximumClasses) different classes")
    }
    return place
  }

  private mutating func place(of label: String) -> UInt32 {
    if let known = seen.firstIndex(of: label) { return UInt32(known) }
    seen.append(label)
    return UInt32(seen.count - 1)
  }

  private func checkBinary(
    _ stream: borrowing CSVRowStream, _ field: Int, _ text: String, _ name: String
  ) throws(Diagnostic) {
    guard seen.count > 2 else { return }
    let isProbability = name == request.columns.prediction && NumberText.parse(text).map { $0 > 0 && $0 < 1 } ?? false
    throw wrong(
      stream, field, "`\(text)` is a third class beside `\(seen[0])` and `\(seen[1])`; a binary task has two",
      hint: isProbability ? "a probability belongs into `\(request.columns.score)`" : "use the task `multiclass` for more")
  }

  // MARK: The whole

  mutating func table(keepsIDs: Bool) throws(Diagnostic) -> PredictionTable {
    if !table.weights.isEmpty, weightSum <= 0 {
      throw Diagnostic(.input, "all weights are 0", at: SourceLocation(file: table.source))
    }
    if isClassifier { try settleClasses() }
    if !keepsIDs { table.ids = [] }
    table.groups = Self.categories(request.columns.group, groups, groupRows)
    table.windows = Self.categories(request.columns.window, windows, windowRows)
    for place in slices.indices {
      if let column = Self.categories(plan.slices[place], slices[place], sliceRows[place]) { table.slices.append(column) }
      sliceRows[place] = []
    }
    if !times.isEmpty { table.times = TimeColumn(values: times, isCalendar: isCalendar ?? false) }
    times = []
    if request.task == .backtest { table.sortByTime() }
    return table
  }

  private static func categories(_ name: String, _ numbers: TextNumbers, _ rows: RowValues<UInt32>) -> CategoryColumn? {
    guard !rows.isEmpty else { return nil }
    return CategoryColumn(name: name, names: numbers.texts.map { $0.isEmpty ? "(missing)" : $0 }, rows: rows)
  }

  /// Puts classes in their order, and labels accordingly.
  private mutating func settleClasses() throws(Diagnostic) {
    table.classes = request.task == .binary ? try binaryClasses() : seen.sorted(by: ClassNames.precedes)
    let places = seen.map { label in UInt32(table.classes.firstIndex(of: label) ?? 0) }
    if places.enumerated().allSatisfy({ $0.offset == Int($0.element) }) { return }
    for row in table.labels.indices { table.labels[row] = places[Int(table.labels[row])] }
    for row in table.predictedLabels.indices { table.predictedLabels[row] = places[Int(table.predictedLabels[row])] }
  }

  /// Negative, positive.
  private func binaryClasses() throws(Diagnostic) -> [String] {
    let place = SourceLocation(file: table.source)
    if let positive = request.positive.map(ClassNames.canonical) {
      guard seen.contains(positive) || seen.count == 1 else {
        throw Diagnostic(
          .input, "the positive class `\(positive)` is not in the table", at: place,
          hints: ["it has \(seen.map { "`\($0)`" }.joined(separator: " and "))"])
      }
      return [seen.first { $0 != positive } ?? "not \(positive)", positive]
    }
    for (negative, positive) in ClassNames.knownPairs {
      guard seen.allSatisfy({ [negative, positive].contains($0.lowercased()) }) else { continue }
      let spelled = { (name: String) in seen.first { $0.lowercased() == name } ?? name }
      return [spelled(negative), spelled(positive)]
    }
    throw Diagnostic(
      .input, "which of \(seen.map { "`\($0)`" }.joined(separator: " and ")) is the positive class?", at: place,
      hints: ["say so with `positive: \(seen.last ?? "")`"])
  }
}
