// The ledger's tables, as named steps that are only ever added to.
// SPDX-License-Identifier: Apache-2.0
import GRDB

extension Ledger {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("2026-11 runs, traces and their files") { try $0.execute(sql: firstTables) }
    return migrator
  }
}

/// A trace stands once however many runs name it; parameters, metrics and files hang on the trace.
private let firstTables = """
  CREATE TABLE run (
    id TEXT PRIMARY KEY NOT NULL, startedAt TEXT NOT NULL, durationSeconds REAL NOT NULL, outcome TEXT NOT NULL,
    commitID TEXT, branch TEXT, dirtyPaths INTEGER NOT NULL, host TEXT NOT NULL,
    fileSize INTEGER NOT NULL, fileModified INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE trace (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, stage TEXT NOT NULL, fingerprint TEXT);

  CREATE TABLE runStage (
    run TEXT NOT NULL REFERENCES run(id) ON DELETE CASCADE, position INTEGER NOT NULL, name TEXT NOT NULL,
    outcome TEXT NOT NULL, durationSeconds REAL, trace INTEGER REFERENCES trace(id), startedAt TEXT NOT NULL,
    PRIMARY KEY (run, position)
  ) WITHOUT ROWID;
  CREATE INDEX runStageByTrace ON runStage(trace, startedAt, run);

  -- Who says that the trace was executed when and where: a run (its id) or the trace itself ('').
  CREATE TABLE traceSource (
    trace INTEGER NOT NULL REFERENCES trace(id) ON DELETE CASCADE, source TEXT NOT NULL,
    commitID TEXT, startedAt TEXT, durationSeconds REAL, host TEXT,
    PRIMARY KEY (trace, source)
  ) WITHOUT ROWID;
  CREATE INDEX traceSourceBySource ON traceSource(source);

  CREATE TABLE traceFile (
    trace INTEGER NOT NULL REFERENCES trace(id) ON DELETE CASCADE, isOutput INTEGER NOT NULL, path TEXT NOT NULL,
    digest TEXT NOT NULL, PRIMARY KEY (trace, isOutput, path, digest)
  ) WITHOUT ROWID;
  CREATE INDEX traceFileByPath ON traceFile(path, isOutput, digest);
  CREATE INDEX traceFileByDigest ON traceFile(digest, isOutput);

  CREATE TABLE traceParameter (
    trace INTEGER NOT NULL REFERENCES trace(id) ON DELETE CASCADE, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (trace, key)
  ) WITHOUT ROWID;

  CREATE TABLE traceMetric (
    trace INTEGER NOT NULL REFERENCES trace(id) ON DELETE CASCADE, path TEXT NOT NULL, key TEXT NOT NULL, value REAL,
    PRIMARY KEY (trace, path, key)
  ) WITHOUT ROWID;
  """
