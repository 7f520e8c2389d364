// The folder of run records: written once, never changed.
// SPDX-License-Identifier: Apache-2.0

/// A record that cannot be read; the others can.
package struct UnreadableRecord: Sendable, Equatable {
  package var id: String
  package var error: TrackingError
}

/// Records in order of time, and those that were passed over.
package struct RunListing: Sendable, Equatable {
  /// Newest first.
  package var records: [RunRecord]
  package var unreadable: [UnreadableRecord]
}

/// `.pipe/runs/<id>.json`: one immutable document a run.
package struct RunLog: Sendable {
  package let folder: String

  package init(folder: String) { self.folder = folder }

  package func path(of id: String) -> String { "\(folder)/\(id).json" }

  /// Writes a record; it appears whole or not at all. The same record twice is fine.
  ///
  /// - Throws: `TrackingError.runExists` when the id is taken by other content; `TrackingError.file`.
  package func append(_ record: RunRecord) throws(TrackingError) {
    guard RunID.isUsable(record.id) else { throw .badName(record.id) }
    let bytes = record.encoded()
    if try createFile(path(of: record.id), bytes) { return }
    guard try readFile(path(of: record.id)) == bytes else { throw .runExists(id: record.id) }
  }

  /// Ids in order of time, oldest first. Reads names only.
  package func ids() throws(TrackingError) -> [String] { try names(in: folder, endingIn: ".json") }

  /// `nil` when there is no such record.
  package func record(_ id: String) throws(TrackingError) -> RunRecord? {
    guard RunID.isUsable(id), let bytes = try readFile(path(of: id)) else { return nil }
    let record = try RunRecord(decoding: bytes, path: path(of: id))
    guard record.id == id else { throw .malformed(path: path(of: id), problem: "it says that it is run `\(record.id)`") }
    return record
  }

  /// The newest records, at most `limit`; damaged ones are reported and passed over.
  package func newest(_ limit: Int = .max) throws(TrackingError) -> RunListing {
    var listing = RunListing(records: [], unreadable: [])
    for id in try ids().reversed() where listing.records.count < limit {
      do throws(TrackingError) {
        if let record = try record(id) { listing.records.append(record) }
      } catch {
        listing.unreadable.append(UnreadableRecord(id: id, error: error))
      }
    }
    return listing
  }

  /// The id that a person means: the whole, a beginning that fits one run, or `latest`.
  ///
  /// - Throws: `TrackingError.unknownRun`, `TrackingError.ambiguousRun`.
  package func resolve(_ text: String) throws(TrackingError) -> String {
    let ids = try ids()
    if text == "latest", let newest = ids.last { return newest }
    if ids.contains(text) { return text }
    let candidates = text.isEmpty ? [] : ids.filter { $0.hasPrefix(text) || $0.hasSuffix("-" + text) }
    if let only = candidates.first, candidates.count == 1 { return only }
    if candidates.isEmpty { throw .unknownRun(id: text, nearest: nearestName(to: text, among: ids)) }
    throw .ambiguousRun(prefix: text, candidates: Array(candidates.suffix(10)))
  }

  /// The run that this one is to be compared with: the newest earlier finished run whose traces differ.
  ///
  /// Runs differ when a stage that both have has another trace. A run that only did part of what this one did is passed
  /// over, so that `pipe repro train` followed by `pipe repro` compares with the result before both. When no run differs in
  /// a common stage, the newest one with another set of stages stands in. Damaged records are passed over.
  ///
  /// - Parameter known: a record that was read already; `nil` is none.
  package func previous(of run: RunRecord, known: RunRecord? = nil) throws(TrackingError) -> RunRecord? {
    let traces = run.traces
    var otherStages: RunRecord?
    for id in try ids().reversed() where precedes(id, run.id) {
      guard let earlier = id == known?.id ? known : try? record(id), earlier.outcome == .finished else { continue }
      let theirs = earlier.traces
      if theirs.contains(where: { traces[$0.key] != nil && traces[$0.key] != $0.value }) { return earlier }
      if otherStages == nil, Set(theirs.keys) != Set(traces.keys) { otherStages = earlier }
    }
    return otherStages
  }
}

extension RunRecord {
  /// Stage → digest of its trace, for the stages that have one.
  package var traces: [String: String] {
    Dictionary(stages.compactMap { stage in stage.trace.map { (stage.name, $0) } }, uniquingKeysWith: { _, last in last })
  }
}
