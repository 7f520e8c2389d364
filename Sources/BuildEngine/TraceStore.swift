// Where traces are kept: what makes a result found again on another day or another machine.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
internal import Glibc
package import PipelineModel
internal import Synchronization

package protocol TraceStore: Sendable {
  /// Traces of a recipe, the newest first. Unreadable ones are passed over.
  ///
  /// - Parameter stage: name of the stage that asks; results of any stage with this recipe count.
  func traces(of recipe: Recipe, stage: String) throws(StoreError) -> [Trace]

  /// Keeps a trace; one that says the same is kept already and stays as it is.
  ///
  /// - Returns: the facts of the trace that is kept: of the first execution that led to this result.
  @discardableResult
  func insert(_ trace: Trace) throws(StoreError) -> Trace.Facts

  /// Puts all traces on the disk: one call for any number of them.
  func flush() throws(StoreError)

  /// One trace by its name; `nil` when it is not there.
  func trace(_ id: String) throws(StoreError) -> Trace?

  /// Names of all traces, sorted.
  func list() throws(StoreError) -> [String]
}

/// `<root>/<first two digits>/<fingerprint>-<outputs>.json`, one document a trace.
package struct DirectoryTraceStore: TraceStore {
  package let root: String

  package init(root: String) { self.root = root }

  package func path(of id: String) -> String { "\(root)/\(id.prefix(2))/\(id).json" }

  package func traces(of recipe: Recipe, stage: String) throws(StoreError) -> [Trace] {
    let digits = Fingerprint(of: recipe).digest.digits
    var found: [Trace] = []
    for name in try AtomicFile.list("\(root)/\(digits.prefix(2))") where name.hasPrefix(digits) && name.hasSuffix(".json") {
      if let trace = try trace(String(name.dropLast(5))) { found.append(trace) }
    }
    return found.sorted { ($0.facts.finishedAt, "\($0.id)") > ($1.facts.finishedAt, "\($1.id)") }
  }

  @discardableResult
  package func insert(_ trace: Trace) throws(StoreError) -> Trace.Facts {
    let id = "\(trace.id)"
    let path = path(of: id)
    // One that the machine's crash left without its bytes is written again.
    if FileStat(path) != nil, let known = try self.trace(id) { return known.facts }
    try AtomicFile.makeFolder("\(root)/\(id.prefix(2))")
    try AtomicFile.write(trace.json, to: path)
    return trace.facts
  }

  package func flush() throws(StoreError) { try AtomicFile.flush(fileSystemOf: root) }

  package func trace(_ id: String) throws(StoreError) -> Trace? {
    guard id.utf8.count > 2, !id.contains("/") else { return nil }
    let path = path(of: id)
    guard let bytes = try AtomicFile.read(path, limit: 64 << 20), let text = String(validating: bytes, as: UTF8.self),
      let trace = try? Trace(json: text, file: path), "\(trace.id)" == id
    else { return nil }
    return trace
  }

  package func list() throws(StoreError) -> [String] {
    var names: [String] = []
    for folder in try AtomicFile.list(root) where folder.utf8.count == 2 {
      names += try AtomicFile.list("\(root)/\(folder)").filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
    }
    return names
  }
}

/// Traces in memory, for tests.
package final class MemoryTraceStore: TraceStore {
  private let kept = Mutex<[String: Trace]>([:])

  package init() {}

  package func traces(of recipe: Recipe, stage: String) -> [Trace] {
    let fingerprint = Fingerprint(of: recipe)
    return kept.withLock { $0.values.filter { $0.fingerprint == fingerprint } }.sorted {
      $0.facts.finishedAt > $1.facts.finishedAt
    }
  }

  @discardableResult
  package func insert(_ trace: Trace) -> Trace.Facts {
    kept.withLock { kept in
      if let known = kept["\(trace.id)"] { return known.facts }
      kept["\(trace.id)"] = trace
      return trace.facts
    }
  }

  package func flush() {}

  package func trace(_ id: String) -> Trace? { kept.withLock { $0[id] } }

  package func list() -> [String] { kept.withLock { $0.keys.sorted() } }
}
