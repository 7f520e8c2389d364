// Questions of lineage: which file is meant, what made it, what used it.
// SPDX-License-Identifier: Apache-2.0
import GRDB

extension Ledger {
  /// The lineage of what a person names: a path (its newest content), a digest, or the beginning of one (4 digits or more).
  ///
  /// A path inside a directory that a stage makes or reads stands for that directory.
  /// - Parameter everyUse: follow all executions that read a file, not only the newest of each stage.
  /// - Throws: `TrackingError.unknownLineage` with the nearest path; `TrackingError.ambiguousLineage` with the digests.
  package func lineage(of query: String, everyUse: Bool = false) throws(TrackingError) -> LineageTree {
    try read("answer a question of lineage") { database in
      var walk = LineageWalk(database: database, everyUse: everyUse)
      let subject = try walk.resolve(query)
      return try walk.tree(of: subject)
    }
  }
}

extension Ledger {
  /// The lineage of what stands at a path now, when the caller knows its digest (from the lock file, say).
  ///
  /// Equal bytes at another path are not taken for it. A digest that no trace has there gives what `lineage(of:)` gives.
  package func lineage(
    ofPath path: String, digest: String, everyUse: Bool = false
  ) throws(TrackingError) -> LineageTree {
    try read("answer a question of lineage") { database in
      var walk = LineageWalk(database: database, everyUse: everyUse)
      let isKnown = try walk.isKnown(path: path, digest: digest)
      return try walk.tree(of: isKnown ? Subject(path: path, digest: digest) : walk.resolve(path))
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
private struct Candidate {
  var id: Int64
  var digest: String
  var stage: String
  /// When it was executed first, as far as known.
  var startedAt: String
  /// When it was last part of a result.
  var lastSeen: String
  var hasRun: Bool
}

/// One walk over the graph of traces; each is unfolded once in each direction.
private struct LineageWalk {
  let database: Database
  let everyUse: Bool
  private var unfoldedUp: Set<Int64> = []
  private var unfoldedDown: Set<Int64> = []

  init(database: Database, everyUse: Bool) {
    self.database = database
    self.everyUse = everyUse
  }
}

// MARK: What is meant

extension LineageWalk {
  func resolve(_ query: String) throws -> Subject {
    let path = normalised(query)
    if let digest = try newestDigest(at: path) { return Subject(path: path, digest: digest) }
    for folder in ancestors(of: path) {
      if let digest = try newestDigest(at: folder) { return Subject(path: folder, digest: digest, inside: path) }
    }
    if let digest = try digest(beginningWith: query) { return Subject(path: try newestPath(of: digest), digest: digest) }
    let paths = try String.fetchAll(database, sql: "SELECT DISTINCT path FROM traceFile ORDER BY path")
    throw TrackingError.unknownLineage(query: query, nearest: nearestName(to: path, among: paths))
  }

  func isKnown(path: String, digest: String) throws -> Bool {
    try Bool.fetchOne(
      database, sql: "SELECT EXISTS (SELECT 1 FROM traceFile WHERE path = ? AND digest = ?)", arguments: [path, digest]) ?? false
  }

  private func normalised(_ query: String) -> String {
    (query.hasPrefix("/") ? "/" : "") + query.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
  }

  private func newestDigest(at path: String) throws -> String? {
    try String.fetchOne(
      database,
      sql: "SELECT f.digest FROM traceFile f WHERE f.path = ? ORDER BY \(lastSeen) DESC, f.isOutput DESC, f.digest DESC LIMIT 1",
      arguments: [path])
  }

  private func newestPath(of digest: String) throws -> String {
    try String.fetchOne(
      database,
      sql: "SELECT f.path FROM traceFile f WHERE f.digest = ? ORDER BY f.isOutput DESC, \(lastSeen) DESC, f.path LIMIT 1",
      arguments: [digest]) ?? ""
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

  private func described(_ digest: String) throws -> String { "\(digest)  \(try newestPath(of: digest))" }
}

// MARK: The tree

extension LineageWalk {
  mutating func tree(of subject: Subject) throws -> LineageTree {
    let makers = try makers(path: subject.path, digest: subject.digest, consumer: nil, below: [])
    let up = try steps(makers, below: [])
    let down = try uses(path: subject.path, digest: subject.digest, maker: makers.first?.best.id)
    return LineageTree(path: subject.path, digest: subject.digest, inside: subject.inside, madeBy: up, usedBy: down)
  }

  /// - Parameter below: the traces between here and the file that was asked for.
  private mutating func steps(_ makers: [Maker], below: [Int64]) throws -> [LineageStep] {
    var steps: [LineageStep] = []
    for maker in makers {
      let isFolded = !unfoldedUp.insert(maker.best.id).inserted
      var inputs: [LineageInput] = []
      for file in isFolded ? [] : try files(of: maker.best.id, areOutputs: false) {
        let chain = below + [maker.best.id]
        let above = try self.makers(path: file.path, digest: file.digest, consumer: maker.best, below: chain)
        inputs.append(LineageInput(path: file.path, digest: file.digest, madeBy: try self.steps(above, below: chain)))
      }
      let execution = try execution(maker.best.id)
      steps.append(LineageStep(execution: execution, inputs: inputs, isFolded: isFolded, others: maker.others))
    }
    return steps
  }

  private mutating func uses(path: String, digest: String, maker: Int64?) throws -> [LineageUse] {
    var uses: [LineageUse] = []
    let users = try users(path: path, digest: digest, maker: maker)
    let ofStage = Dictionary(users.map { ($0.stage, 1) }, uniquingKeysWith: +)
    var seen: Set<String> = []
    for user in users where everyUse || seen.insert(user.stage).inserted {
      let isFolded = !unfoldedDown.insert(user.id).inserted
      var outputs: [LineageOutput] = []
      for file in isFolded ? [] : try files(of: user.id, areOutputs: true) {
        let usedBy = try self.uses(path: file.path, digest: file.digest, maker: user.id)
        outputs.append(LineageOutput(path: file.path, digest: file.digest, usedBy: usedBy))
      }
      let others = everyUse ? 0 : (ofStage[user.stage] ?? 1) - 1
      uses.append(LineageUse(execution: try execution(user.id), outputs: outputs, isFolded: isFolded, others: others))
    }
    return uses
  }

  private func files(of trace: Int64, areOutputs: Bool) throws -> [TracedFile] {
    try Row.fetchAll(
      database, sql: "SELECT path, digest FROM traceFile WHERE trace = ? AND isOutput = ? ORDER BY path, digest",
      arguments: [trace, areOutputs]
    ).map { TracedFile(path: $0[0], digest: $0[1]) }
  }

  private func execution(_ id: Int64) throws -> LineageExecution {
    let sql = """
      SELECT t.stage, t.digest,
        (SELECT commitID FROM traceSource WHERE trace = t.id AND commitID IS NOT NULL ORDER BY startedAt, source) AS commitID,
        s.startedAt, s.durationSeconds, s.host,
        (SELECT source FROM traceSource WHERE trace = t.id AND source <> '' ORDER BY startedAt, source) AS run,
        (SELECT COUNT(*) FROM runStage WHERE trace = t.id) AS runs
      FROM trace t LEFT JOIN traceSource s ON s.trace = t.id AND s.startedAt IS NOT NULL
      WHERE t.id = ? ORDER BY s.startedAt, s.source LIMIT 1
      """
    guard let row = try Row.fetchOne(database, sql: sql, arguments: [id]) else {
      preconditionFailure("the files of a trace go with it")
    }
    return LineageExecution(
      stage: row[0], trace: row[1], commit: row[2], startedAt: row[3], durationSeconds: row[4], host: row[5], run: row[6],
      runs: row[7])
  }
}

// MARK: Edges

/// The likeliest of those that made some bytes.
private struct Maker {
  var best: Candidate
  var others: Int
}

extension LineageWalk {
  /// The traces that made what stood at a path; several only when it is a directory that several stages filled.
  ///
  /// In this order: the same bytes at the same path; a directory output around the path; outputs inside it, when it is a
  /// directory; the same bytes at another path, made by a stage that did not read them already. A directory's digest says
  /// nothing of a file inside, so there a run in which both took part decides, and without one, time.
  private func makers(path: String, digest: String, consumer: Candidate?, below: [Int64]) throws -> [Maker] {
    let same = try candidates("f.path = ? AND f.isOutput = 1 AND f.digest = ?", [path, digest], except: below)
    if let best = try likeliest(of: same, for: consumer) { return [Maker(best: best, others: same.count - 1)] }
    for folder in ancestors(of: path) {
      let around = try candidates("f.path = ? AND f.isOutput = 1", [folder], except: below)
      if let best = try likeliest(of: around, for: consumer) { return [Maker(best: best, others: 0)] }
    }
    let inside = try makersInside(path, consumer, below)
    if !inside.isEmpty || digest == emptyDigest { return inside }
    let elsewhere = try candidates("f.digest = ? AND f.isOutput = 1", [digest], except: below).filter { trace in
      try !files(of: trace.id, areOutputs: false).contains { $0.digest == digest }
    }
    guard let best = try likeliest(of: elsewhere, for: consumer) else { return [] }
    return [Maker(best: best, others: elsewhere.count - 1)]
  }

  /// One trace for each output below a folder.
  private func makersInside(_ folder: String, _ consumer: Candidate?, _ below: [Int64]) throws -> [Maker] {
    let paths = try String.fetchAll(
      database, sql: "SELECT DISTINCT path FROM traceFile WHERE isOutput = 1 AND path > ? AND path < ? ORDER BY path",
      arguments: [folder + "/", folder + "0"])
    var found: [Maker] = []
    for path in paths {
      let traces = try candidates("f.path = ? AND f.isOutput = 1", [path], except: below)
      guard let best = try likeliest(of: traces, for: consumer) else { continue }
      if !found.contains(where: { $0.best.id == best.id }) { found.append(Maker(best: best, others: 0)) }
    }
    return found
  }

  /// The traces that read these bytes, or part of the directory they are, or the directory they are part of; newest first.
  private func users(path: String, digest: String, maker: Int64?) throws -> [Candidate] {
    var found = try candidates("f.digest = ? AND f.isOutput = 0", [digest], except: [])
    guard let maker else { return found }
    var seen = Set(found.map(\.id))
    let around = ancestors(of: path)
    let marks = Array(repeating: "?", count: around.count).joined(separator: ", ")
    let near = try candidates(
      "f.isOutput = 0 AND ((f.path > ? AND f.path < ?) OR f.path IN (\(marks)))", [path + "/", path + "0"] + around, except: [])
    for user in near where seen.insert(user.id).inserted {
      if try shareRun(maker, user.id) || (!user.hasRun && isMade(by: maker, aFileOf: user, near: path)) { found.append(user) }
    }
    return found.sorted { ($0.lastSeen, $1.stage, $1.digest) > ($1.lastSeen, $0.stage, $0.digest) }
  }

  /// Whether a trace is the likeliest maker of an input that lies inside a path or around it.
  private func isMade(by maker: Int64, aFileOf user: Candidate, near path: String) throws -> Bool {
    let inputs = try files(of: user.id, areOutputs: false).filter { file in
      file.path.hasPrefix(path + "/") || ancestors(of: path).contains(file.path)
    }
    return try inputs.contains { file in
      try makers(path: file.path, digest: file.digest, consumer: user, below: [user.id]).contains { $0.best.id == maker }
    }
  }

  /// The traces with such a file, the last seen first.
  private func candidates(_ condition: String, _ arguments: [String], except: [Int64]) throws -> [Candidate] {
    let sql = """
      SELECT f.trace, t.digest, t.stage, \(firstStart) AS startedAt, \(lastSeen) AS lastSeen,
        EXISTS (SELECT 1 FROM runStage WHERE trace = f.trace) AS hasRun
      FROM traceFile f JOIN trace t ON t.id = f.trace WHERE \(condition)
      GROUP BY f.trace ORDER BY lastSeen DESC, t.digest DESC
      """
    return try Row.fetchAll(database, sql: sql, arguments: StatementArguments(arguments)).compactMap { row in
      let candidate = Candidate(
        id: row[0], digest: row[1], stage: row[2], startedAt: row[3], lastSeen: row[4], hasRun: row[5])
      return except.contains(candidate.id) ? nil : candidate
    }
  }

  /// The newest that shared a run with the consumer; else the last that began before it; else the newest.
  private func likeliest(of newestFirst: [Candidate], for consumer: Candidate?) throws -> Candidate? {
    guard let consumer, newestFirst.count > 1 else { return newestFirst.first }
    if let together = try newestFirst.first(where: { try shareRun($0.id, consumer.id) }) { return together }
    let start = consumer.startedAt.isEmpty ? consumer.lastSeen : consumer.startedAt
    let before = newestFirst.filter { $0.startedAt <= start }
    return before.max { $0.startedAt < $1.startedAt } ?? newestFirst.first
  }

  private func shareRun(_ a: Int64, _ b: Int64) throws -> Bool {
    let statement = try database.cachedStatement(
      sql: "SELECT EXISTS (SELECT 1 FROM runStage x JOIN runStage y ON y.run = x.run WHERE x.trace = ? AND y.trace = ?)")
    return try Bool.fetchOne(statement, arguments: [a, b]) ?? false
  }
}

/// SQL: when the trace of row `f` was executed first; empty when nobody says.
private let firstStart = "COALESCE((SELECT MIN(startedAt) FROM traceSource WHERE trace = f.trace), '')"

/// SQL: when it was last part of a run's result, or executed.
private let lastSeen = "MAX(COALESCE((SELECT MAX(startedAt) FROM runStage WHERE trace = f.trace), ''), \(firstStart))"

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
