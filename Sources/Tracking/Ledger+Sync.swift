// Bringing the index up to what the records and traces say: adds what is missing, drops what is gone.
// SPDX-License-Identifier: Apache-2.0
import GRDB
import SourceControl

/// What a `sync` changed.
package struct SyncReport: Sendable, Equatable {
  package var added = 0
  package var removed = 0
  package var unreadable: [UnreadableRecord] = []

  package init(added: Int = 0, removed: Int = 0, unreadable: [UnreadableRecord] = []) {
    self.added = added
    self.removed = removed
    self.unreadable = unreadable
  }
}

extension Ledger {
  /// Indexes the run records that are new or whose file changed, and forgets those that are gone.
  ///
  /// - Complexity: one `stat` a record, and one read for each that is missing. Writes nothing when nothing changed.
  @discardableResult
  package func sync(with log: RunLog) throws(TrackingError) -> SyncReport {
    let known = try read("list its runs", knownRuns)
    var report = SyncReport()
    var present: Set<String> = []
    var missing: [(id: String, stamp: FileStamp)] = []
    for id in try log.ids() {
      guard let stamp = fileStamp(log.path(of: id)) else { continue }
      present.insert(id)
      if known[id] != stamp { missing.append((id, stamp)) }
    }
    var gone = known.keys.filter { !present.contains($0) }
    for start in stride(from: 0, to: missing.count, by: 500) {
      var batch: [(RunRecord, FileStamp)] = []
      for (id, stamp) in missing[start..<min(start + 500, missing.count)] {
        do throws(TrackingError) {
          if let record = try log.record(id) { batch.append((record, stamp)) }
        } catch {
          report.unreadable.append(UnreadableRecord(id: id, error: error))
          if known[id] != nil { gone.append(id) }
        }
      }
      try write("record runs") { database in
        var writer = TraceWriter(database: database)
        for (record, stamp) in batch { try insert(record, stamp, &writer) }
      }
      report.added += batch.count
    }
    try remove(runs: gone)
    report.removed = gone.count
    return report
  }

  /// Indexes all traces there are: those that are not named are forgotten.
  ///
  /// - Parameters:
  ///   - names: digests of every trace at hand.
  ///   - fact: reads one of them; called only for those that the ledger does not know. `nil` passes it over.
  @discardableResult
  package func sync(
    traces names: [String], reading fact: (String) throws(TrackingError) -> TraceFact?
  ) throws(TrackingError) -> SyncReport {
    let known = try read("list its traces") { database in
      try Set(
        String.fetchAll(database, sql: "SELECT t.digest FROM traceSource s JOIN trace t ON t.id = s.trace WHERE s.source = ''"))
    }
    var report = SyncReport()
    var facts: [TraceFact] = []
    for name in Set(names).subtracting(known).sorted(by: precedes) {
      do throws(TrackingError) {
        if let fact = try fact(name) { facts.append(fact) }
      } catch {
        report.unreadable.append(UnreadableRecord(id: name, error: error))
      }
    }
    let gone = known.subtracting(names)
    if facts.isEmpty, gone.isEmpty { return report }
    try write("record traces") { database in
      var writer = TraceWriter(database: database)
      for fact in facts { try writer.insert(fact, source: "") }
      for name in gone {
        try database.execute(
          sql: "DELETE FROM traceSource WHERE source = '' AND trace = (SELECT id FROM trace WHERE digest = ?)",
          arguments: [name])
      }
      if !gone.isEmpty { try removeUnnamedTraces(database) }
    }
    report.added = facts.count
    report.removed = gone.count
    return report
  }

  /// The same for facts at hand.
  @discardableResult
  package func sync(traces facts: [TraceFact]) throws(TrackingError) -> SyncReport {
    let byName = Dictionary(facts.map { ($0.trace, $0) }, uniquingKeysWith: { first, _ in first })
    return try sync(traces: Array(byName.keys)) { name throws(TrackingError) in byName[name] }
  }

  private func knownRuns(_ database: Database) throws -> [String: FileStamp] {
    var known: [String: FileStamp] = [:]
    let rows = try Row.fetchCursor(database, sql: "SELECT id, fileSize, fileModified FROM run")
    while let row = try rows.next() { known[row[0]] = FileStamp(size: row[1], modifiedNanoseconds: row[2]) }
    return known
  }

  private func insert(_ record: RunRecord, _ stamp: FileStamp, _ writer: inout TraceWriter) throws {
    let database = writer.database
    try forget(run: record.id, database)
    try database.cachedStatement(sql: "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)").execute(arguments: [
      record.id, record.startedAt, record.durationSeconds, record.outcome.rawValue, record.git?.commit, record.git?.branch,
      record.git?.dirtyPaths.count ?? 0, record.host.name, stamp.size, stamp.modifiedNanoseconds,
    ])
    var traces: [String: Int64] = [:]
    for (fact, wasExecuted) in record.traceFacts {
      traces[fact.trace] = try writer.insert(fact, source: wasExecuted ? record.id : nil)
    }
    let insert = try database.cachedStatement(sql: "INSERT INTO runStage VALUES (?, ?, ?, ?, ?, ?, ?)")
    for (position, stage) in record.stages.enumerated() {
      let trace = stage.trace.flatMap { traces[$0] }
      try insert.execute(arguments: [
        record.id, position, stage.name, stage.outcome.rawValue, stage.durationSeconds, trace, record.startedAt,
      ])
      if let trace { try writer.insert(stage, trace) }
    }
  }

  private func remove(runs ids: [String]) throws(TrackingError) {
    if ids.isEmpty { return }
    try write("forget runs") { database in
      for id in ids { try forget(run: id, database) }
      try removeUnnamedTraces(database)
    }
  }

  private func forget(run id: String, _ database: Database) throws {
    try database.cachedStatement(sql: "DELETE FROM traceSource WHERE source = ?").execute(arguments: [id])
    try database.cachedStatement(sql: "DELETE FROM run WHERE id = ?").execute(arguments: [id])
  }

  private func removeUnnamedTraces(_ database: Database) throws {
    try database.execute(
      sql: """
        DELETE FROM trace WHERE NOT EXISTS (SELECT 1 FROM traceSource WHERE trace = trace.id)
          AND NOT EXISTS (SELECT 1 FROM runStage WHERE trace = trace.id)
        """)
  }
}

/// Writes traces within one transaction; remembers what it wrote, since most runs name the traces of the run before.
private struct TraceWriter {
  let database: Database
  private var ids: [String: Int64] = [:]
  private var written: [Int64: TraceFact] = [:]
  private var details: [Int64: StageRecord] = [:]

  init(database: Database) { self.database = database }

  /// - Parameter source: who says so; `nil` when the teller did not execute it.
  @discardableResult
  mutating func insert(_ fact: TraceFact, source: String?) throws -> Int64 {
    let id = try id(of: fact)
    if written[id]?.inputs != fact.inputs || written[id]?.outputs != fact.outputs {
      try insertFiles(fact.inputs, id, isOutput: false)
      try insertFiles(fact.outputs, id, isOutput: true)
      written[id] = fact
    }
    if let source {
      try database.cachedStatement(sql: "INSERT OR REPLACE INTO traceSource VALUES (?, ?, ?, ?, ?, ?)").execute(
        arguments: [id, source, fact.commit, fact.startedAt, fact.durationSeconds, fact.host])
    }
    return id
  }

  /// Parameters and metrics of a stage's record.
  mutating func insert(_ stage: StageRecord, _ trace: Int64) throws {
    if let before = details[trace], before.parameters == stage.parameters, before.metrics == stage.metrics { return }
    details[trace] = stage
    let parameter = try database.cachedStatement(sql: "INSERT OR IGNORE INTO traceParameter VALUES (?, ?, ?)")
    for (key, value) in stage.parameters { try parameter.execute(arguments: [trace, key, value]) }
    let metric = try database.cachedStatement(sql: "INSERT OR IGNORE INTO traceMetric VALUES (?, ?, ?, ?)")
    for record in stage.metrics ?? [] { try metric.execute(arguments: [trace, record.path, record.key, record.value]) }
  }

  private mutating func id(of fact: TraceFact) throws -> Int64 {
    if let id = ids[fact.trace] { return id }
    try database.cachedStatement(sql: "INSERT OR IGNORE INTO trace (digest, stage, fingerprint) VALUES (?, ?, ?)")
      .execute(arguments: [fact.trace, fact.stage, fact.fingerprint])
    let select = try database.cachedStatement(sql: "SELECT id FROM trace WHERE digest = ?")
    guard let id = try Int64.fetchOne(select, arguments: [fact.trace]) else {
      preconditionFailure("a trace that was just inserted is there")
    }
    ids[fact.trace] = id
    return id
  }

  private func insertFiles(_ files: [TracedFile], _ trace: Int64, isOutput: Bool) throws {
    let insert = try database.cachedStatement(sql: "INSERT OR IGNORE INTO traceFile VALUES (?, ?, ?, ?)")
    for file in files { try insert.execute(arguments: [trace, isOutput, file.path, file.digest]) }
  }
}
