// What a trace says of one execution, as lineage needs it.
// SPDX-License-Identifier: Apache-2.0
import SourceControl

/// A path with the digest of what stood there.
package struct TracedFile: Codable, Sendable, Hashable {
  package var path: String
  /// `sha256:…`; of a directory with `.dir` at the end.
  package var digest: String

  package init(path: String, digest: String) {
    self.path = path
    self.digest = digest
  }
}

/// One trace with its own facts, so that it needs no run record to be understood.
package struct TraceFact: Codable, Sendable, Equatable {
  /// Digest that names the trace.
  package var trace: String
  package var stage: String
  package var fingerprint: String?
  package var inputs: [TracedFile]
  package var outputs: [TracedFile]
  package var commit: String?
  /// RFC 3339 in UTC.
  package var startedAt: String?
  package var durationSeconds: Double?
  package var host: String?

  package init(
    trace: String, stage: String, fingerprint: String?, inputs: [TracedFile], outputs: [TracedFile], commit: String?,
    startedAt: String?, durationSeconds: Double?, host: String?
  ) {
    self.trace = trace
    self.stage = stage
    self.fingerprint = fingerprint
    self.inputs = inputs
    self.outputs = outputs
    self.commit = commit
    self.startedAt = startedAt
    self.durationSeconds = durationSeconds
    self.host = host
  }
}

extension RunRecord {
  /// The traces that a run names; commit, time and host stand only in those that it executed itself.
  var traceFacts: [(fact: TraceFact, wasExecuted: Bool)] {
    stages.compactMap { stage in
      guard let trace = stage.trace else { return nil }
      let ran = stage.outcome == .ran
      let fact = TraceFact(
        trace: trace, stage: stage.name, fingerprint: stage.fingerprint, inputs: stage.dependencies.map(TracedFile.init),
        outputs: stage.outputs.map(TracedFile.init), commit: ran ? git?.commit : nil, startedAt: ran ? startedAt : nil,
        durationSeconds: ran ? stage.durationSeconds : nil, host: ran ? host.name : nil)
      return (fact, ran)
    }
  }
}

extension TracedFile {
  init(_ record: FileRecord) { self.init(path: record.path, digest: record.digest) }
}
