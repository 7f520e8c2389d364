// What the ledger knows of runs without opening their records.
// SPDX-License-Identifier: Apache-2.0
import GRDB

/// One line of `pipe runs`.
package struct RunSummary: Sendable, Equatable {
  package var id: String
  package var startedAt: String
  package var durationSeconds: Double
  package var outcome: String
  package var commit: String?
  package var branch: String?
  package var isDirty: Bool
  package var host: String
  /// Number of stages by outcome: `ran`, `restored`, `upToDate` …
  package var stages: [String: Int]
}

/// A metric's value in one run.
package struct MetricPoint: Sendable, Equatable {
  package var run: String
  package var startedAt: String
  package var commit: String?
  package var value: Double
}

extension Ledger {
  /// The newest runs, newest first.
  package func runs(limit: Int = .max) throws(TrackingError) -> [RunSummary] {
    try read("list runs") { database in
      let rows = try Row.fetchAll(
        database,
        sql:
          "SELECT id, startedAt, durationSeconds, outcome, commitID, branch, dirtyPaths, host FROM run ORDER BY id DESC LIMIT ?",
        arguments: [limit])
      let counts = try database.makeStatement(
        sql: "SELECT outcome, COUNT(*) FROM runStage WHERE run = ? GROUP BY outcome")
      return try rows.map { row in
        var summary = RunSummary(
          id: row[0], startedAt: row[1], durationSeconds: row[2], outcome: row[3], commit: row[4], branch: row[5],
          isDirty: row[6] > 0, host: row[7], stages: [:])
        let stages = try Row.fetchCursor(counts, arguments: [summary.id])
        while let stage = try stages.next() { summary.stages[stage[0]] = stage[1] }
        return summary
      }
    }
  }

  /// How a metric went from run to run, oldest first; runs that merely kept a result are left out.
  package func history(ofMetric key: String, in path: String) throws(TrackingError) -> [MetricPoint] {
    try read("read metrics") { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT r.id, r.startedAt, r.commitID, m.value FROM traceMetric m JOIN runStage s ON s.trace = m.trace
          JOIN run r ON r.id = s.run WHERE m.path = ? AND m.key = ? AND s.outcome IN ('ran', 'restored') AND m.value IS NOT NULL
          ORDER BY r.id, s.position
          """, arguments: [path, key]
      ).map { MetricPoint(run: $0[0], startedAt: $0[1], commit: $0[2], value: $0[3]) }
    }
  }
}
