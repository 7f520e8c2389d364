// The ledger, brought up to date with the records and traces that it indexes.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import PipelineModel
import Tracking

enum IndexedLedger {
  /// Opens the index; what is missing in it is read from the records, so it may be deleted at any time.
  static func open(_ project: Project) throws -> Ledger {
    try project.makeStateFolders()
    let ledger = try Ledger.open(at: project.ledgerFile)
    if let notice = ledger.notice {
      Terminal.standard.say(
        Diagnostic(.warning, "the ledger could not be read and was made anew", causes: ["the old file is \(notice.movedTo)"]))
    }
    let report = try ledger.sync(with: RunLog(folder: project.runsFolder))
    for record in report.unreadable {
      Terminal.standard.say(Diagnostic(.warning, "run record `\(record.id)` cannot be read and is passed over"))
    }
    let traces = project.traces
    try ledger.sync(traces: try traces.list()) { (id) throws(TrackingError) -> TraceFact? in
      guard let trace = try? traces.trace(id) else { return nil }
      return TraceFact(id: id, trace)
    }
    return ledger
  }
}

extension TraceFact {
  init(id: String, _ trace: Trace) {
    self.init(
      trace: id, stage: trace.stage, fingerprint: "\(trace.fingerprint.digest)",
      inputs: trace.recipe.inputs.map { TracedFile(path: $0.path, digest: "\($0.digest)") },
      outputs: trace.outputs.map { TracedFile(path: $0.path, digest: "\($0.digest)") }, commit: trace.facts.commit,
      startedAt: trace.facts.finishedAt, durationSeconds: trace.facts.durationSeconds, host: trace.facts.host)
  }
}
