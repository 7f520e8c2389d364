// What a model's inputs are and where each comes from: the document features.json.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
import Foundation
import Tabular

/// The declared features of one model, in the order of its input vector, with all that was fitted (the codes of categories).
///
/// The same value drives the training tables and the online lookups, so that the two cannot differ.
package struct FeatureSet: Codable, Sendable, Equatable {
  package static let schema = "pipe.features/1"

  package var schema: String = Self.schema
  package var name: String
  /// Column that names a row, in every table.
  package var id: String
  /// Column of the time at which the prediction is asked for; `nil` for data without time.
  package var time: String?
  package var target: Target
  /// Columns that tell groups of rows apart; in the feature tables they have the prefix `slice_`.
  package var slices: [String]
  /// What a request for a prediction has to say.
  package var request: [RequestField]
  /// What can be looked up. An entity comes after the one that it is reached through.
  package var entities: [Entity]
  /// Dates as `2026-01-01` on which the calendar feature `is_holiday` is 1.
  package var holidays: [String]
  package var features: [Feature]
  /// Lookups hold what was known at midnight UTC; the snapshots' midnight, RFC 3339.
  package var asOf: String?

  package struct Target: Codable, Sendable, Equatable {
    package var column: String
    package var unit: String
    package init(column: String, unit: String) {
      self.column = column
      self.unit = unit
    }
  }

  package struct RequestField: Codable, Sendable, Equatable {
    package enum Kind: String, Codable, Sendable, CaseIterable {
      case text, number
      /// `08:15`, `08:15:00` (today, UTC) or an RFC 3339 time; in tables the time column.
      case time
    }
    package var name: String
    package var kind: Kind
    package init(name: String, kind: Kind) {
      self.name = name
      self.kind = kind
    }
  }

  package struct Entity: Codable, Sendable, Equatable {
    package var name: String
    /// The request field and table column that names the entity, or, with `via`, that column of the other entity's table.
    package var key: String
    /// The entity through which this one is reached.
    package var via: String?
    package init(name: String, key: String, via: String? = nil) {
      self.name = name
      self.key = key
      self.via = via
    }
  }

  package struct Feature: Codable, Sendable, Equatable {
    package enum Kind: String, Codable, Sendable { case number, category }
    package enum Source: String, Codable, Sendable { case request, calendar, lookup }

    package var name: String
    package var kind: Kind
    package var source: Source
    /// `request`: the field. `lookup`: the column that is aggregated; `nil` counts rows.
    package var field: String?
    /// `category`: the values; the code of each is its position.
    package var categories: [String]?
    /// `calendar`: what is taken from the time.
    package var part: CalendarPart?
    /// `lookup`: the entity, how its history is summed up, and over how many days before the midnight.
    package var entity: String?
    package var aggregate: Aggregate?
    package var days: Int?

    package init(
      name: String, kind: Kind, source: Source, field: String? = nil, categories: [String]? = nil, part: CalendarPart? = nil,
      entity: String? = nil, aggregate: Aggregate? = nil, days: Int? = nil
    ) {
      self.name = name
      self.kind = kind
      self.source = source
      self.field = field
      self.categories = categories
      self.part = part
      self.entity = entity
      self.aggregate = aggregate
      self.days = days
    }
  }

  package init(
    name: String, id: String, time: String?, target: Target, slices: [String], request: [RequestField], entities: [Entity],
    holidays: [String], features: [Feature], asOf: String? = nil
  ) {
    self.name = name
    self.id = id
    self.time = time
    self.target = target
    self.slices = slices
    self.request = request
    self.entities = entities
    self.holidays = holidays
    self.features = features
    self.asOf = asOf
  }

  /// Days since 1970 of the holidays.
  package var holidayDays: Set<Int64> {
    Set(holidays.compactMap { Timestamp.epochSeconds($0).map { $0 / Timestamp.secondsPerDay } })
  }

  /// The looked-up features of an entity, in order.
  package func lookups(of entity: String) -> [Feature] { features.filter { $0.source == .lookup && $0.entity == entity } }

  /// The columns of an entity's table by which others are reached through it, in order.
  package func links(from entity: String) -> [String] { entities.filter { $0.via == entity }.map(\.key) }

  /// The entities that a snapshot is kept of: those with lookups, and those on the way to them.
  package var snapshotEntities: [Entity] { entities.filter { !lookups(of: $0.name).isEmpty || !links(from: $0.name).isEmpty } }

  /// File name of an entity's snapshot, beside features.json.
  package static func snapshotFile(of entity: String) -> String { "snapshot-\(entity).csv" }

  /// Reads features.json.
  package static func load(file: String) throws(Diagnostic) -> FeatureSet {
    let bytes = try FileBytes.read(file)
    do {
      let set = try JSONDecoder().decode(FeatureSet.self, from: Data(bytes))
      guard set.schema == schema else {
        throw Diagnostic(
          .input, "the feature set has the schema `\(set.schema)`, this build reads `\(schema)`", at: SourceLocation(file: file))
      }
      return set
    } catch let diagnostic as Diagnostic {
      throw diagnostic
    } catch {
      throw Diagnostic(.input, "the file is no feature set", at: SourceLocation(file: file), causes: ["\(error)"])
    }
  }
}
