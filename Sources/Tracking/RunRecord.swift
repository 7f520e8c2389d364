// What one `pipe repro` did, as an immutable document.
// SPDX-License-Identifier: Apache-2.0
package import SourceControl

/// One run: which commit, which stages with which outcome, which metrics. Written once, never changed.
package struct RunRecord: Codable, Sendable, Equatable {
  package static let schema = "pipe.run/1"

  package enum Outcome: String, Codable, Sendable { case finished, failed, interrupted }

  package var schema: String = Self.schema
  /// A `RunID`, sortable by time: `20261121T093012.345Z-3f9a1c`.
  package var id: String
  /// RFC 3339 in UTC, with milliseconds.
  package var startedAt: String
  package var finishedAt: String
  package var durationSeconds: Double
  package var outcome: Outcome
  /// The command line, without the binary's folder.
  package var command: [String]
  package var pipeVersion: String
  package var host: Host
  /// `nil` outside Git.
  package var git: GitSnapshot?
  /// In graph order; stages that were up to date stand here too, with the trace that says so.
  package var stages: [StageRecord]

  package struct Host: Codable, Sendable, Equatable {
    package var name: String
    package var system: String
    package var processor: String
    package var cores: Int
    package init(name: String, system: String, processor: String, cores: Int) {
      self.name = name
      self.system = system
      self.processor = processor
      self.cores = cores
    }
  }

  package init(
    id: String, startedAt: String, finishedAt: String, durationSeconds: Double, outcome: Outcome, command: [String],
    pipeVersion: String, host: Host, git: GitSnapshot?, stages: [StageRecord]
  ) {
    self.id = id
    self.startedAt = startedAt
    self.finishedAt = finishedAt
    self.durationSeconds = durationSeconds
    self.outcome = outcome
    self.command = command
    self.pipeVersion = pipeVersion
    self.host = host
    self.git = git
    self.stages = stages
  }
}

/// One stage in a run.
package struct StageRecord: Codable, Sendable, Equatable {
  package enum Outcome: String, Codable, Sendable { case ran, restored, upToDate, failed, skipped, interrupted, frozen }

  package var name: String
  package var outcome: Outcome
  /// Why it ran, in words, as `pipe status` prints them.
  package var reasons: [String]
  /// The commands, or the notebook's path.
  package var command: [String]
  package var notebook: String?
  package var description: String?
  /// Digest of what decided the result; `nil` when it could not be made.
  package var fingerprint: String?
  /// Digest that names the trace with this result.
  package var trace: String?
  /// Of the execution that made the outputs, also when that was in an earlier run.
  package var durationSeconds: Double?
  package var peakMemoryBytes: Int?
  /// Seconds from the run's beginning to that of the stage's execution in this run; `nil` when it was not executed, and in records
  /// of versions that did not keep it.
  package var startedAfter: Double?
  /// Digest of the log, and of the `WovenNotebook`, in the store.
  package var log: String?
  package var woven: String?
  package var failure: String?
  package var dependencies: [FileRecord]
  package var outputs: [FileRecord]
  /// Full key path → value as JSON text.
  package var parameters: [String: String]
  /// Numbers of the stage's metrics files; `nil` when they were not read.
  package var metrics: [MetricRecord]?

  package init(
    name: String, outcome: Outcome, reasons: [String], command: [String], notebook: String?, description: String?,
    fingerprint: String?, trace: String?, durationSeconds: Double?, peakMemoryBytes: Int?, log: String?,
    woven: String?, failure: String?, dependencies: [FileRecord], outputs: [FileRecord],
    parameters: [String: String], metrics: [MetricRecord]? = nil
  ) {
    self.name = name
    self.outcome = outcome
    self.reasons = reasons
    self.command = command
    self.notebook = notebook
    self.description = description
    self.fingerprint = fingerprint
    self.trace = trace
    self.durationSeconds = durationSeconds
    self.peakMemoryBytes = peakMemoryBytes
    self.log = log
    self.woven = woven
    self.failure = failure
    self.dependencies = dependencies
    self.outputs = outputs
    self.parameters = parameters
    self.metrics = metrics
  }
}

/// One number of a metrics file.
package struct MetricRecord: Codable, Sendable, Equatable {
  package var path: String
  /// Dotted, as `JSONValue.flattened` gives it: `test.mae`.
  package var key: String
  package var value: Double

  package init(path: String, key: String, value: Double) {
    self.path = path
    self.key = key
    self.value = value
  }
}

/// A file or directory by content.
package struct FileRecord: Codable, Sendable, Equatable {
  package var path: String
  /// `sha256:…`; a directory's is that of its tree, with `.dir` at the end.
  package var digest: String
  package var size: Int
  /// Files below it, for a directory.
  package var files: Int?
  /// For an output: `data`, `metrics`, `plot`.
  package var kind: String?

  package init(path: String, digest: String, size: Int, files: Int? = nil, kind: String? = nil) {
    self.path = path
    self.digest = digest
    self.size = size
    self.files = files
    self.kind = kind
  }
}
