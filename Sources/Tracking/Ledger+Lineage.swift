// Questions of lineage: which file is meant, what made it, what used it.
// SPDX-License-Identifier: Apache-2.0
import GRDB

extension Ledger {
  /// The lineage of what a person names: a path (its newest content), a digest, or the beginning of one (4 digits or more).
  ///
  /// A path inside a directory that a stage makes or reads stands for that directory.
  /// - Throws: `TrackingError.unknownLineage` with the nearest path; `TrackingError.ambiguousLineage` with the digests.
  package func lineage(of query: String) throws(TrackingError) -> LineageTree {
    try read("answer a question of lineage") { database in
      var walk = LineageWalk(database: database)
      let subject = try walk.resolve(query)
      return try walk.tree(of: subject)
    }
  }
}

/// What a question is about.
private struct Subject {
  var path: String
  var digest: String
  var inside: String?
}

/// A trace with what orders it among others.
private struct Execution {
  var id: Int64
  var facts: LineageExecution
  /// When it was last part of a result.
  var lastSeen: String
}

/// One walk over the graph of traces; each is unfolded once in each direction.
private struct LineageWalk {
  let database: Database
  private var executions: [Int64: Execution] = [:]
  private var unfoldedUp: Set<Int64> = []
  private var unfoldedDown: Set<Int64> = []

  init(database: Database) { self.database = database }
}

// MARK: What is meant

extension LineageWalk {
  mutating func resolve(_ query: String) throws -> Subject {
    let path = normalised(query)
    if let digest = try newestDigest(at: path) { return Subject(path: path, digest: digest) }
    for folder in ancestors(of: path) {
      if let digest = try newestDigest(at: folder) { return Subject(path: folder, digest: digest, inside: path) }
    }
    if let digest = try digest(beginningWith: query) { return Subject(path: try newestPath(of: digest), digest: digest) }
    let paths = try String.fetchAll(database, sql: "SELECT DISTINCT path FROM traceFile ORDER BY path")
    throw TrackingError.unknownLineage(query: query, nearest: nearestName(to: path, among: paths))
  }

  private func normalised(_ query: String) -> String {
    (query.hasPrefix("/") ? "/" : "") + query.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
  }

  private mutating func newestDigest(at path: String) throws -> String? {
    let rows = try Row.fetchAll(
      database, sql: "SELECT trace, isOutput, digest FROM traceFile WHERE path = ?", arguments: [path])
    let ranked = try rows.map { row in (digest: row[2] as String, isOutput: row[1] as Bool, trace: try execution(row[0])) }
    return ranked.max { a, b in
      (a.trace.lastSeen, a.isOutput ? 1 : 0, a.digest) < (b.trace.lastSeen, b.isOutput ? 1 : 0, b.digest)
    }?.digest
  }

  private func digest(beginningWith query: String) throws -> String? {
    let hex = query.hasPrefix("sha256:") ? String(query.dropFirst(7)) : query
    let digits = hex.hasSuffix(".dir") ? String(hex.dropLast(4)) : hex
    let isHex = digits.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    guard isHex, (4...64).contains(digits.utf8.count) else { return nil }
    let found = try String.fetchAll(
      database, sql: "SELECT DISTINCT digest FROM traceFile WHERE digest >= ? AND digest < ? ORDER BY digest LIMIT 11",
      arguments: ["sha256:\(hex)", "sha256:\(hex)~"])
    if found.count > 1 { throw TrackingError.ambiguousLineage(prefix: query, candidates: try found.map(described)) }
    return found.first
  }

  private func described(_ digest: String) throws -> String {
    let path = try String.fetchOne(
      database, sql: "SELECT path FROM traceFile WHERE digest = ? ORDER BY isOutput DESC, path", arguments: [digest])
    return "\(digest)  \(path ?? "")"
  }

  private mutating func newestPath(of digest: String) throws -> String {
    let rows = try Row.fetchAll(
      database, sql: "SELECT trace, isOutput, path FROM traceFile WHERE digest = ?", arguments: [digest])
    let ranked = try rows.map { row in (path: row[2] as String, isOutput: row[1] as Bool, trace: try execution(row[0])) }
    return ranked.max { a, b in
      (a.isOutput ? 1 : 0, a.trace.lastSeen, b.path) < (b.isOutput ? 1 : 0, b.trace.lastSeen, a.path)
    }?.path ?? ""
  }
}

// MARK: The tree

extension LineageWalk {
  mutating func tree(of subject: Subject) throws -> LineageTree {
    let makers = try makers(path: subject.path, digest: subject.digest, consumer: nil, below: [])
    let up = try steps(makers, below: [])
    let down = try uses(path: subject.path, digest: subject.digest, maker: makers.first?.id)
    return LineageTree(path: subject.path, digest: subject.digest, inside: subject.inside, madeBy: up, usedBy: down)
  }

  /// - Parameter below: the traces between here and the file that was asked for.
  private mutating func steps(_ makers: [Execution], below: [Int64]) throws -> [LineageStep] {
    var steps: [LineageStep] = []
    for (index, maker) in makers.enumerated() {
      guard index == 0, unfoldedUp.insert(maker.id).inserted else {
        steps.append(LineageStep(execution: maker.facts, inputs: [], isFolded: true))
        continue
      }
      var inputs: [LineageInput] = []
      for file in try files(of: maker.id, areOutputs: false) {
        let above = try self.makers(path: file.path, digest: file.digest, consumer: maker, below: below + [maker.id])
        let madeBy = try self.steps(above, below: below + [maker.id])
        inputs.append(LineageInput(path: file.path, digest: file.digest, madeBy: madeBy))
      }
      steps.append(LineageStep(execution: maker.facts, inputs: inputs, isFolded: false))
    }
    return steps
  }

  private mutating func uses(path: String, digest: String, maker: Int64?) throws -> [LineageUse] {
    var uses: [LineageUse] = []
    for user in try users(path: path, digest: digest, maker: maker) {
      guard unfoldedDown.insert(user.id).inserted else {
        uses.append(LineageUse(execution: user.facts, outputs: [], isFolded: true))
        continue
      }
      var outputs: [LineageOutput] = []
      for file in try files(of: user.id, areOutputs: true) {
        let usedBy = try self.uses(path: file.path, digest: file.digest, maker: user.id)
        outputs.append(LineageOutput(path: file.path, digest: file.digest, usedBy: usedBy))
      }
      uses.append(LineageUse(execution: user.facts, outputs: outputs, isFolded: false))
    }
    return uses
  }

  private func files(of trace: Int64, areOutputs: Bool) throws -> [TracedFile] {
    try Row.fetchAll(
      database, sql: "SELECT path, digest FROM traceFile WHERE trace = ? AND isOutput = ? ORDER BY path",
      arguments: [trace, areOutputs]
    ).map { TracedFile(path: $0[0], digest: $0[1]) }
  }
}

// MARK: Edges

extension LineageWalk {
  /// The traces that made what stood at a path, the likeliest first.
  ///
  /// In this order: the same bytes at the same path; a directory output around the path; outputs inside it, when it is a
  /// directory; the same bytes at another path, made by a stage that did not read them already. A directory's digest says
  /// nothing of a file inside, so there a run in which both took part decides, and without one, time.
  private mutating func makers(path: String, digest: String, consumer: Execution?, below: [Int64]) throws -> [Execution] {
    let same = try traces("path = ? AND isOutput = 1 AND digest = ?", [path, digest], except: below)
    if !same.isEmpty { return try ordered(same, for: consumer) }
    for folder in ancestors(of: path) {
      let around = try traces("path = ? AND isOutput = 1", [folder], except: below)
      if let one = try ordered(around, for: consumer).first { return [one] }
    }
    let inside = try makersInside(path, consumer, below)
    if !inside.isEmpty { return inside }
    if digest == emptyDigest { return [] }
    let elsewhere = try traces("digest = ? AND isOutput = 1", [digest], except: below).filter { trace in
      try !files(of: trace.id, areOutputs: false).contains { $0.digest == digest }
    }
    return try ordered(elsewhere, for: consumer)
  }

  /// One trace for each output below a folder.
  private mutating func makersInside(_ folder: String, _ consumer: Execution?, _ below: [Int64]) throws -> [Execution] {
    let paths = try String.fetchAll(
      database, sql: "SELECT DISTINCT path FROM traceFile WHERE isOutput = 1 AND path > ? AND path < ? ORDER BY path",
      arguments: [folder + "/", folder + "0"])
    var found: [Execution] = []
    for path in paths {
      let candidates = try ordered(traces("path = ? AND isOutput = 1", [path], except: below), for: consumer)
      if let one = candidates.first, !found.contains(where: { $0.id == one.id }) { found.append(one) }
    }
    return found
  }

  /// The traces that read these bytes, or part of the directory they are, or the directory they are part of; newest first.
  private mutating func users(path: String, digest: String, maker: Int64?) throws -> [Execution] {
    var found = try traces("digest = ? AND isOutput = 0", [digest], except: [])
    if let maker {
      var near = try Row.fetchAll(
        database, sql: "SELECT trace, path, digest FROM traceFile WHERE isOutput = 0 AND path > ? AND path < ?",
        arguments: [path + "/", path + "0"])
      for folder in ancestors(of: path) {
        near += try Row.fetchAll(
          database, sql: "SELECT trace, path, digest FROM traceFile WHERE isOutput = 0 AND path = ?", arguments: [folder])
      }
      for row in near {
        let user = try execution(row[0])
        let makers = try self.makers(path: row[1], digest: row[2], consumer: user, below: [user.id])
        if makers.contains(where: { $0.id == maker }), !found.contains(where: { $0.id == user.id }) { found.append(user) }
      }
    }
    return found.sorted { a, b in (a.lastSeen, b.facts.stage, b.facts.trace) > (b.lastSeen, a.facts.stage, a.facts.trace) }
  }

  private mutating func traces(_ condition: String, _ arguments: [String], except: [Int64]) throws -> [Execution] {
    let ids = try Int64.fetchAll(
      database, sql: "SELECT DISTINCT trace FROM traceFile WHERE \(condition)", arguments: StatementArguments(arguments))
    return try ids.filter { !except.contains($0) }.map { try execution($0) }
  }

  /// Those that shared a run with the consumer, newest first; else the last before it; else the newest.
  private func ordered(_ traces: [Execution], for consumer: Execution?) throws -> [Execution] {
    let newestFirst = traces.sorted { ($0.lastSeen, $0.facts.trace) > ($1.lastSeen, $1.facts.trace) }
    guard let consumer, newestFirst.count > 1 else { return newestFirst }
    let together = try newestFirst.filter { try shareRun($0.id, consumer.id) }
    let start = consumer.facts.startedAt ?? consumer.lastSeen
    let before = newestFirst.filter { ($0.facts.startedAt ?? "") <= start }
    let preferred = (together.isEmpty ? before : together).map(\.id)
    return newestFirst.filter { preferred.contains($0.id) } + newestFirst.filter { !preferred.contains($0.id) }
  }

  private func shareRun(_ a: Int64, _ b: Int64) throws -> Bool {
    let sql = "SELECT EXISTS (SELECT 1 FROM runStage x JOIN runStage y ON y.run = x.run WHERE x.trace = ? AND y.trace = ?)"
    return try Bool.fetchOne(database, sql: sql, arguments: [a, b]) ?? false
  }

  private mutating func execution(_ id: Int64) throws -> Execution {
    if let known = executions[id] { return known }
    let sql = """
      SELECT t.stage, t.digest,
        (SELECT commitID FROM traceSource WHERE trace = t.id AND commitID IS NOT NULL ORDER BY startedAt, source) AS commitID,
        s.startedAt, s.durationSeconds, s.host,
        (SELECT source FROM traceSource WHERE trace = t.id AND source <> '' ORDER BY startedAt, source) AS run,
        (SELECT COUNT(*) FROM runStage WHERE trace = t.id) AS runs,
        (SELECT MAX(startedAt) FROM runStage WHERE trace = t.id) AS lastRun
      FROM trace t LEFT JOIN traceSource s ON s.trace = t.id AND s.startedAt IS NOT NULL
      WHERE t.id = ? ORDER BY s.startedAt, s.source LIMIT 1
      """
    guard let row = try Row.fetchOne(database, sql: sql, arguments: [id]) else {
      preconditionFailure("the files of a trace go with it")
    }
    let facts = LineageExecution(
      stage: row[0], trace: row[1], commit: row[2], startedAt: row[3], durationSeconds: row[4], host: row[5], run: row[6],
      runs: row[7])
    let known = Execution(id: id, facts: facts, lastSeen: max(row[8] ?? "", facts.startedAt ?? ""))
    executions[id] = known
    return known
  }
}

/// The folders around a path, the nearest first.
private func ancestors(of path: String) -> [String] {
  var found: [String] = []
  var rest = path[...]
  while let slash = rest.lastIndex(of: "/") {
    rest = rest[..<slash]
    if !rest.isEmpty { found.append(String(rest)) }
  }
  return found
}

/// SHA-256 of no bytes: equal content says nothing here.
private let emptyDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
