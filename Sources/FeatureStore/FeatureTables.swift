// Training tables that are correct to the point in time, and the snapshots that continue them online.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
package import Tabular

/// Makes a feature set's tables from prepared rows.
///
/// A row sees looked-up values as of the last midnight (UTC) at or before its time, which is what the online store would have
/// answered that day.
package struct FeatureTables: Sendable {
  package let featureSet: FeatureSet
  private let history: Table
  private let lookups: [EntityLookup]

  /// - Parameters:
  ///   - set: the features; categories must have their values.
  ///   - history: all prepared rows, in a fixed order.
  ///   - knownAt: column of the time at which a row's outcome is known; needed when something is looked up.
  ///   - entityTables: what is known of the entities beside their history, by entity; the key column names the row.
  package init(
    _ set: FeatureSet, history: Table, knownAt: String?, entityTables: [String: Table] = [:]
  ) throws(Diagnostic) {
    var set = set
    self.history = history
    var lookups = [EntityLookup]()
    if !set.snapshotEntities.isEmpty {
      guard let knownAt, let time = set.time else {
        throw Diagnostic(
          .input, "lookups need `time`, when a row began, and `known_at`, when its outcome was known",
          hints: ["declare both, or take the lookups out"])
      }
      let known = try history.times(knownAt)
      let last = try history.times(time).compactMap { $0 }.max() ?? 0
      set.asOf = Timestamp.text(Timestamp.startOfDay(last) + Timestamp.secondsPerDay)
      for entity in set.snapshotEntities {
        lookups.append(
          try EntityLookup(
            entity, of: set, history: history, knownAt: known, table: entityTables[entity.name],
            through: lookups.first { $0.entity.name == entity.via }))
      }
    }
    featureSet = set
    self.lookups = lookups
  }

  /// The columns `id`, `time`, target, `slice_…`, then the features, for rows of the prepared data.
  package func table(_ rows: Table) throws(Diagnostic) -> Table {
    var table = Table([Column(featureSet.id, texts: try rows.texts(featureSet.id))])
    var times: [Int64] = []
    if let time = featureSet.time {
      times = try Self.complete(try rows.times(time), time)
      table.append(Column(time, texts: times.map { Timestamp.text($0) }))
    }
    table.append(try rows.column(featureSet.target.column))
    for slice in featureSet.slices {
      var column = try rows.column(slice)
      column.name = "slice_\(slice)"
      table.append(column)
    }
    var found = [String: [Int?]]()
    for lookup in lookups { found[lookup.entity.name] = try lookup.entities(of: rows) }
    let holidays = featureSet.holidayDays
    for feature in featureSet.features {
      table.append(Column(feature.name, numbers: try values(feature, rows, times, found, holidays)))
    }
    return table
  }

  private func values(
    _ feature: FeatureSet.Feature, _ rows: Table, _ times: [Int64], _ found: [String: [Int?]], _ holidays: Set<Int64>
  ) throws(Diagnostic) -> [Double] {
    switch feature.source {
    case .request:
      guard feature.kind == .category else { return try rows.numbers(feature.field ?? feature.name) }
      let codes = Dictionary((feature.categories ?? []).enumerated().map { ($0.element, Double($0.offset)) }) { first, _ in first
      }
      return try rows.texts(feature.field ?? feature.name).map { $0.flatMap { codes[$0] } ?? .nan }
    case .calendar:
      guard let part = feature.part, !times.isEmpty || rows.rowCount == 0 else {
        throw Diagnostic(.input, "calendar feature `\(feature.name)` needs a `time` column")
      }
      return times.map { part.value(at: $0, holidays: holidays) }
    case .lookup:
      guard let lookup = lookups.first(where: { $0.entity.name == feature.entity }), let entities = found[lookup.entity.name]
      else {
        throw Diagnostic(.input, "feature `\(feature.name)` looks up an entity that is not declared")
      }
      return lookup.values(feature, entities: entities, times: times)
    }
  }

  /// The snapshots as of the midnight after the last row, one table an entity.
  package func snapshots() throws(Diagnostic) -> [(entity: String, table: Table)] {
    guard let text = featureSet.asOf, let asOf = Timestamp.epochSeconds(text) else { return [] }
    return lookups.map { ($0.entity.name, $0.snapshot(featureSet, asOf: asOf)) }
  }

  private static func complete(_ times: [Int64?], _ name: String) throws(Diagnostic) -> [Int64] {
    let known = times.compactMap { $0 }
    guard known.count == times.count else {
      throw Diagnostic(.input, "column `\(name)` has \(times.count - known.count) rows without a time")
    }
    return known
  }
}

/// One entity: its names, its links to others, and its history by looked-up column.
private struct EntityLookup: Sendable {
  let entity: FeatureSet.Entity
  private let keys: [String]
  private let positions: [String: Int]
  /// By link: the key of the other entity for each of this one.
  private let links: [String: [String?]]
  /// By aggregated column; the empty name counts rows.
  private var histories: [String: EntityHistory] = [:]
  /// How rows name this entity: themselves, or through another one.
  private let through: [EntityLookup]

  init(
    _ entity: FeatureSet.Entity, of set: FeatureSet, history: Table, knownAt: [Int64?], table: Table?, through: EntityLookup?
  ) throws(Diagnostic) {
    self.entity = entity
    self.through = through.map { [$0] } ?? []
    let linkNames = set.links(from: entity.name)
    guard table != nil || linkNames.isEmpty else {
      throw Diagnostic(
        .input, "entity `\(entity.name)` leads to `\(linkNames.joined(separator: "`, `"))`, so it needs a table of its own")
    }
    var known = Set<String>()
    if let table { known.formUnion(try table.texts(entity.key).compactMap { $0 }) }
    known.formUnion(try Self.keys(of: history, entity, through).compactMap { $0 })
    keys = known.sorted()
    let positions = Dictionary(uniqueKeysWithValues: keys.enumerated().map { ($0.element, $0.offset) })
    self.positions = positions
    var links = [String: [String?]]()
    for name in linkNames {
      var targets = [String?](repeating: nil, count: keys.count)
      if let table {
        for (key, target) in zip(try table.texts(entity.key), try table.texts(name)) {
          if let position = key.flatMap({ positions[$0] }) { targets[position] = target }
        }
      }
      links[name] = targets
    }
    self.links = links
    let entities = try self.entities(of: history)
    for feature in set.lookups(of: entity.name) where histories[feature.field ?? ""] == nil {
      let values = try feature.field.map { name throws(Diagnostic) in try history.numbers(name) }
      histories[feature.field ?? ""] = EntityHistory(
        entityCount: keys.count, entities: entities, knownAt: knownAt, values: values)
    }
  }

  /// The entity of each row, `nil` when it is not known.
  func entities(of rows: Table) throws(Diagnostic) -> [Int?] {
    try Self.keys(of: rows, entity, through.first).map { $0.flatMap { positions[$0] } }
  }

  private static func keys(of rows: Table, _ entity: FeatureSet.Entity, _ through: EntityLookup?) throws(Diagnostic) -> [String?]
  {
    guard let through, let targets = through.links[entity.key] else { return try rows.texts(entity.key) }
    return try through.entities(of: rows).map { $0.flatMap { targets[$0] } }
  }

  /// The feature of each row as of the midnight before its time; each state is computed once.
  func values(_ feature: FeatureSet.Feature, entities: [Int?], times: [Int64]) -> [Double] {
    var states = [Int64: Double]()
    let count = Int64(keys.count)
    return zip(entities, times).map { entity, time in
      guard let entity else { return .nan }
      let midnight = Timestamp.startOfDay(time)
      let state = midnight / Timestamp.secondsPerDay * count + Int64(entity)
      if let value = states[state] { return value }
      let value = value(feature, entity: entity, asOf: midnight)
      states[state] = value
      return value
    }
  }

  private func value(_ feature: FeatureSet.Feature, entity: Int, asOf midnight: Int64) -> Double {
    guard let history = histories[feature.field ?? ""], let aggregate = feature.aggregate else { return .nan }
    return history.value(of: aggregate, entity: entity, days: feature.days ?? 0, asOf: midnight)
  }

  /// Key, links, looked-up features and `as_of`, by key.
  func snapshot(_ set: FeatureSet, asOf midnight: Int64) -> Table {
    var table = Table([Column(entity.key, texts: keys)])
    for name in set.links(from: entity.name) { table.append(Column(name, texts: links[name] ?? [])) }
    for feature in set.lookups(of: entity.name) {
      table.append(Column(feature.name, numbers: keys.indices.map { value(feature, entity: $0, asOf: midnight) }))
    }
    table.append(Column("as_of", texts: Array(repeating: Timestamp.text(midnight), count: keys.count)))
    return table
  }
}
