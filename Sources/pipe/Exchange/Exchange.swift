// Copying objects, traces and run records between two places.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import Glibc
import PipelineModel
import Tracking

/// What a transfer did.
struct ExchangeSummary {
  var copied = 0
  var alreadyThere = 0
  /// What neither side has.
  var missing: [Digest] = []
  /// Names for what is missing, for messages.
  var missingNames: [String] = []

  mutating func add(_ other: ExchangeSummary) {
    copied += other.copied
    alreadyThere += other.alreadyThere
    missing += other.missing
    missingNames += other.missingNames
  }
}

/// Copies what the destination lacks. Files go before the trees that list them, so a rerun goes on where it stopped.
struct Exchange {
  let source: DirectoryObjectStore
  let destination: DirectoryObjectStore
  /// `pushing`, `fetching`.
  let verb: String
  /// Objects at once.
  private let width: Int

  /// - Parameter jobs: objects at once; `nil` is what suits the machine.
  init(from source: DirectoryObjectStore, to destination: DirectoryObjectStore, verb: String, jobs: Int? = nil)
    throws(StoreError)
  {
    width = jobs ?? Transfer.usualWidth
    try AtomicFile.makeFolder(destination.root)
    self.source = source
    self.destination = destination
    self.verb = verb
  }

  func copy(_ digests: [Digest]) throws -> ExchangeSummary {
    try copy(digests.map { (name: $0.short, digest: $0, part: nil) })
  }

  func copy(_ items: [Shipment.Item]) throws -> ExchangeSummary {
    try copy(items.map { (name: $0.output.path.text, digest: $0.result.digest, part: $0.part) })
  }

  private func copy(_ items: [(name: String, digest: Digest, part: String?)]) throws -> ExchangeSummary {
    var summary = ExchangeSummary()
    var names: [Digest: String] = [:]
    var trees: [(digest: Digest, tree: FileTree, name: String)] = []
    var files: [Digest] = []
    func want(_ digest: Digest, _ name: String) { if names.updateValue(name, forKey: digest) == nil { files.append(digest) } }
    for (name, digest, part) in items {
      guard digest.isTree else {
        want(digest, name)
        continue
      }
      guard let tree = try tree(digest) else {
        summary.missing.append(digest)
        summary.missingNames.append(name)
        continue
      }
      trees.append((digest, tree, name))
      for entry in tree.entries where part.map({ entry.path == $0 || entry.path.hasPrefix($0 + "/") }) ?? true {
        want(entry.digest, "\(name)/\(entry.path)")
      }
    }
    let lacking = try destination.missing(among: files)
    summary.alreadyThere += files.count - lacking.count
    let lost = Set(try source.missing(among: lacking))
    for digest in lacking where lost.contains(digest) {
      summary.missing.append(digest)
      summary.missingNames.append(names[digest] ?? digest.short)
    }
    summary.copied += try copyFiles(lacking.filter { !lost.contains($0) })
    var seen: Set<Digest> = []
    for (digest, tree, name) in trees where seen.insert(digest).inserted {
      if try destination.contains(digest) {
        summary.alreadyThere += 1
      } else if verb == "fetching" || !tree.entries.contains(where: { lost.contains($0.digest) }) {
        // A tree at a remote tells others that its files are there too.
        guard try source.contains(digest) else {
          summary.missing.append(digest)
          summary.missingNames.append(name)
          continue
        }
        try destination.insert(source.bytes(of: digest), as: digest)
        summary.copied += 1
      }
    }
    if summary.copied > 0 { try destination.flush() }
    return summary
  }

  /// A directory list from whichever side has it; `nil` when none has.
  private func tree(_ digest: Digest) throws(StoreError) -> FileTree? {
    if try destination.contains(digest) { return try destination.tree(digest) }
    return try source.contains(digest) ? try source.tree(digest) : nil
  }

  private func copyFiles(_ digests: [Digest]) throws(StoreError) -> Int {
    guard !digests.isEmpty else { return 0 }
    var progress = TransferProgress(verb: verb, total: digests.count)
    let summary = try Transfer(from: source, to: destination, width: width).copy(digests) {
      progress.show($0.copied + $0.alreadyThere)
    }
    progress.end()
    return summary.copied
  }

  // MARK: What names objects

  static func copyTraces(_ ids: Set<String>, from source: DirectoryTraceStore, to destination: DirectoryTraceStore)
    throws(StoreError)
  {
    let there = Set(try destination.list())
    for id in ids.subtracting(there).sorted() { if let trace = try source.trace(id) { try destination.insert(trace) } }
  }

  static func copyRuns(_ runs: [RunRecord], to folder: String) throws {
    try AtomicFile.makeFolder(folder)
    let log = RunLog(folder: folder)
    let there = Set(try log.ids())
    for run in runs where !there.contains(run.id) { try log.append(run) }
  }

  /// Copies entries of DVC's run cache; each file is one result, named by its content, and stays as it is once there.
  ///
  /// - Returns: how many were copied.
  static func copyRunCache(from source: String, to destination: String) throws -> Int {
    var copied = 0
    for fan in try AtomicFile.list(source) where fan.utf8.count == 2 {
      for key in try AtomicFile.list("\(source)/\(fan)") where key.utf8.count == 64 && key.hasPrefix(fan) {
        for value in try AtomicFile.list("\(source)/\(fan)/\(key)") where value.utf8.count == 64 {
          let path = "\(fan)/\(key)/\(value)"
          guard FileStat("\(destination)/\(path)") == nil,
            FileStat("\(source)/\(path)", followingLinks: false)?.kind == .file,
            let bytes = try AtomicFile.read("\(source)/\(path)", limit: 16 << 20)
          else { continue }
          try AtomicFile.makeFolder("\(destination)/\(fan)/\(key)")
          try AtomicFile.write(bytes, to: "\(destination)/\(path)")
          copied += 1
        }
      }
    }
    return copied
  }
}

/// A line that is written over on a terminal, and now and then a line elsewhere.
struct TransferProgress {
  let verb: String
  let total: Int
  private let start = ContinuousClock.now
  private var last = ContinuousClock.now
  private var isShown = false

  init(verb: String, total: Int) {
    self.verb = verb
    self.total = total
  }

  mutating func show(_ done: Int) {
    let now = ContinuousClock.now
    let isTerminal = Terminal.standard.isInteractive
    guard now - last >= (isTerminal ? .milliseconds(100) : .seconds(10)) else { return }
    last = now
    let seconds = Self.seconds(now - start)
    let rate = Double(done) / max(seconds, 0.001)
    let left = rate > 0 ? Double(total - done) / rate : 0
    let text = "\(verb) \(done) of \(total) objects, \(Int(rate.rounded())) a second, \(durationText(left)) left"
    if isTerminal {
      Terminal.standard.write("\r\u{1B}[K\(text)", to: STDERR_FILENO)
      isShown = true
    } else {
      Terminal.standard.note(text)
    }
  }

  func end() { if isShown { Terminal.standard.write("\r\u{1B}[K", to: STDERR_FILENO) } }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }
}
