// One request in, one model input out: the feature set and its snapshots in memory.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Tabular

/// A value of a request's field.
package enum RequestValue: Sendable, Equatable {
  case text(String)
  case number(Double)
}

/// The input of a model for one request.
package struct FeatureVector: Sendable, Equatable {
  /// In the order of the feature set, NaN where missing.
  package var values: [Float]
  /// Hours between the snapshots' midnight and the clock; `nil` when nothing was looked up.
  package var ageHours: Double?
  /// Names of the features that are missing, in order.
  package var missing: [String]
}

/// Makes feature vectors from a folder with features.json and its snapshots. A value without mutable state: any number of threads
/// may ask at once.
package struct OnlineFeatures: Sendable {
  package let featureSet: FeatureSet
  /// The snapshots' midnight, seconds since 1970; `nil` when nothing is looked up.
  package let asOf: Int64?
  private let holidays: Set<Int64>
  private let timeField: Int?
  private let entities: [Snapshot]
  private let steps: [Step]

  package var names: [String] { featureSet.features.map(\.name) }

  private enum Step {
    case number(field: Int)
    case category(field: Int, codes: [String: Float])
    case calendar(CalendarPart)
    case lookup(entity: Int, column: Int)
  }

  /// Opens the folder of a feature set or of a bundle.
  package static func load(directory: String) throws -> OnlineFeatures {
    let set = try FeatureSet.load(file: "\(directory)/features.json")
    var snapshots = [Snapshot]()
    for entity in set.snapshotEntities {
      snapshots.append(try Snapshot(entity, of: set, snapshots: snapshots, directory: directory))
    }
    return try OnlineFeatures(set, snapshots)
  }

  private init(_ set: FeatureSet, _ snapshots: [Snapshot]) throws(Diagnostic) {
    featureSet = set
    entities = snapshots
    holidays = set.holidayDays
    timeField = set.request.firstIndex { $0.kind == .time }
    asOf = set.asOf.flatMap { Timestamp.epochSeconds($0) }
    var steps = [Step]()
    for feature in set.features {
      guard let step = Self.step(feature, set, snapshots, hasTime: timeField != nil) else {
        throw Diagnostic(.input, "feature `\(feature.name)` of features.json names a field or entity that is not there")
      }
      steps.append(step)
    }
    self.steps = steps
  }

  private static func step(
    _ feature: FeatureSet.Feature, _ set: FeatureSet, _ snapshots: [Snapshot], hasTime: Bool
  ) -> Step? {
    switch feature.source {
    case .request:
      guard let field = set.request.firstIndex(where: { $0.name == feature.field }) else { return nil }
      guard feature.kind == .category else { return set.request[field].kind == .number ? .number(field: field) : nil }
      let codes = (feature.categories ?? []).enumerated().map { ($0.element, Float($0.offset)) }
      return .category(field: field, codes: Dictionary(codes) { first, _ in first })
    case .calendar: return hasTime ? feature.part.map { .calendar($0) } : nil
    case .lookup:
      guard let entity = snapshots.firstIndex(where: { $0.name == feature.entity }),
        let column = set.lookups(of: snapshots[entity].name).firstIndex(of: feature)
      else { return nil }
      return .lookup(entity: entity, column: column)
    }
  }

  /// The model's input for a request.
  ///
  /// - Parameters:
  ///   - request: the fields of the feature set's `request`; others are ignored.
  ///   - epochSeconds: now, seconds since 1970; it gives the date to a time of day.
  /// - Throws: the first field that is wrong. An entity that nobody has heard of is no error: what is looked up of it is missing.
  package func vector(request: [String: RequestValue], at epochSeconds: Int64) throws(FeatureError) -> FeatureVector {
    let fields = try fields(of: request)
    let time = try timeField.map { index throws(FeatureError) in try self.time(fields[index], index, now: epochSeconds) }
    let rows = rows(fields)
    var vector = FeatureVector(values: [], ageHours: nil, missing: [])
    vector.values.reserveCapacity(steps.count)
    for (index, step) in steps.enumerated() {
      let value: Float
      switch step {
      case .number(let field):
        guard case .number(let number) = fields[field] else { preconditionFailure("the field's type was checked") }
        value = Float(number)
      case .category(let field, let codes):
        value = try code(fields[field], codes, index)
      case .calendar(let part):
        value = Float(part.value(at: time ?? epochSeconds, holidays: holidays))
      case .lookup(let entity, let column):
        value = rows[entity].map { entities[entity].value(row: $0, column: column) } ?? .nan
      }
      if value.isNaN { vector.missing.append(featureSet.features[index].name) }
      vector.values.append(value)
    }
    if let asOf, rows.contains(where: { $0 != nil }) { vector.ageHours = Double(epochSeconds - asOf) / 3600 }
    return vector
  }

  private func fields(of request: [String: RequestValue]) throws(FeatureError) -> [RequestValue] {
    var fields = [RequestValue]()
    fields.reserveCapacity(featureSet.request.count)
    for field in featureSet.request {
      guard let value = request[field.name] else { throw .missingField(field.name) }
      switch (field.kind, value) {
      case (.number, .number(let number)) where number.isFinite: break
      case (.text, .text), (.time, .text): break
      case (.number, _): throw .wrongType(field: field.name, expected: "a number")
      case (.text, _): throw .wrongType(field: field.name, expected: "a text")
      case (.time, _): throw .wrongType(field: field.name, expected: "a time")
      }
      fields.append(value)
    }
    return fields
  }

  private func time(_ value: RequestValue, _ index: Int, now: Int64) throws(FeatureError) -> Int64 {
    guard case .text(let text) = value else { return now }
    if let second = Timestamp.secondOfDay(text) { return Timestamp.startOfDay(now) + second }
    if let time = Timestamp.epochSeconds(text) { return time }
    throw .badTime(field: featureSet.request[index].name, value: text)
  }

  private func code(_ value: RequestValue, _ codes: [String: Float], _ feature: Int) throws(FeatureError) -> Float {
    guard case .text(let text) = value else { return .nan }
    if let code = codes[text] { return code }
    let feature = featureSet.features[feature]
    throw .unknownCategory(field: feature.field ?? feature.name, value: text, known: feature.categories ?? [])
  }

  /// The row of each entity in its snapshot, `nil` when the entity is not known.
  private func rows(_ fields: [RequestValue]) -> [Int?] {
    var rows = [Int?]()
    rows.reserveCapacity(entities.count)
    for entity in entities {
      switch entity.access {
      case .field(let field):
        if case .text(let key) = fields[field] { rows.append(entity.row(of: key)) } else { rows.append(nil) }
      case .link(let through, let link):
        rows.append(rows[through].flatMap { entities[through].linkedKey(row: $0, link: link) }.flatMap { entity.row(of: $0) })
      }
    }
    return rows
  }
}

/// The newest values of one entity's looked-up features.
struct Snapshot: Sendable {
  enum Access: Sendable {
    /// The key is this field of the request.
    case field(Int)
    /// The key is that link of the row of another entity.
    case link(through: Int, link: Int)
  }

  let name: String
  let access: Access
  private let rows: [String: Int]
  /// Row by row.
  private let values: [Float]
  private let width: Int
  private let links: [[String?]]

  /// - Parameter snapshots: those read already, the one that this entity is reached through among them.
  init(_ entity: FeatureSet.Entity, of set: FeatureSet, snapshots: [Snapshot], directory: String) throws(Diagnostic) {
    let file = "\(directory)/\(FeatureSet.snapshotFile(of: entity.name))"
    name = entity.name
    if let via = entity.via {
      guard let through = snapshots.firstIndex(where: { $0.name == via }),
        let link = set.links(from: via).firstIndex(of: entity.key)
      else { throw Diagnostic(.input, "entity `\(entity.name)` is reached through `\(via)`, which must come before it") }
      access = .link(through: through, link: link)
    } else {
      guard let field = set.request.firstIndex(where: { $0.name == entity.key }) else {
        throw Diagnostic(.input, "entity `\(entity.name)` has the key `\(entity.key)`, which no request has")
      }
      access = .field(field)
    }
    let links = set.links(from: entity.name)
    let kinds = Dictionary(([entity.key] + links).map { ($0, Column.Kind.text) }) { first, _ in first }
    let table = try CSVReader.table(file: file, kinds: kinds)
    let keys = try table.texts(entity.key)
    rows = Dictionary(keys.enumerated().compactMap { row, key in key.map { ($0, row) } }) { first, _ in first }
    var columns = [[Double]]()
    for feature in set.lookups(of: entity.name) { columns.append(try table.numbers(feature.name)) }
    width = columns.count
    values = (0..<table.rowCount).flatMap { row in columns.map { Float($0[row]) } }
    var linkColumns = [[String?]]()
    for link in links { linkColumns.append(try table.texts(link)) }
    self.links = linkColumns
  }

  func row(of key: String) -> Int? { rows[key] }
  func value(row: Int, column: Int) -> Float { values[row * width + column] }
  func linkedKey(row: Int, link: Int) -> String? { links[link][row] }
}
