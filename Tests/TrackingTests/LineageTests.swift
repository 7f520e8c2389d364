// Where files come from and what became of them.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing
import Tracking

@Suite struct LineageTests {
  /// raw → prepare → clean → train (with params) → model → evaluate → metrics
  private func history(lr: Int, at second: Int, ran: Set<String>) -> RunRecord {
    let raw = file("data/raw.csv", 100)
    let clean = file("data/clean", 101, dir: true)
    let model = file("models/eta", 200 + lr, dir: true)
    func outcome(_ name: String) -> StageRecord.Outcome { ran.contains(name) ? .ran : .upToDate }
    return run(
      at: second,
      [
        stage("prepare", trace: 1, outcome("prepare"), in: [raw], out: [clean]),
        stage("train", trace: 10 + lr, outcome("train"), in: [file("data/clean/train.csv", 102)], out: [model]),
        stage("evaluate", trace: 20 + lr, outcome("evaluate"), in: [clean, model], out: [file("metrics.json", 300 + lr)]),
      ], commit: lr == 1 ? "aaaaaaaaaa" : "bbbbbbbbbb")
  }

  private func filled(_ folder: URL) throws -> Ledger {
    let log = RunLog(folder: folder.path + "/runs")
    try log.append(history(lr: 1, at: 0, ran: ["prepare", "train", "evaluate"]))
    try log.append(history(lr: 2, at: 60, ran: ["train", "evaluate"]))
    let ledger = try Ledger.open(at: folder.path + "/ledger.sqlite")
    try ledger.sync(with: log)
    return ledger
  }

  @Test func `a path leads up to raw data and commit, and down to what used it`() throws {
    try withTemporaryDirectory { folder in
      let tree = try filled(folder).lineage(of: "models/eta")
      #expect(
        tree.text == """
          models/eta  \(digest(202).prefix(19)).dir
          ├─ made by train  commit bbbbbbb  2026-11-21T00:01:00.000Z  run 20261121T000100.000Z-000001
          │  └─ data/clean/train.csv  \(digest(102).prefix(19))
          │     └─ made by prepare  commit aaaaaaa  2026-11-21T00:00:00.000Z  run 20261121T000000.000Z-000001
          │        └─ data/raw.csv  \(digest(100).prefix(19))  raw data
          └─ used by evaluate  commit bbbbbbb  2026-11-21T00:01:00.000Z  run 20261121T000100.000Z-000001
             └─ metrics.json  \(digest(302).prefix(19))

          """)
    }
  }

  @Test func `raw data leads down through all that was made of it`() throws {
    try withTemporaryDirectory { folder in
      let text = try filled(folder).lineage(of: "./data/raw.csv").text
      #expect(
        text == """
          data/raw.csv  \(digest(100).prefix(19))
          ├─ raw data: no known stage made it
          └─ used by prepare  commit aaaaaaa  2026-11-21T00:00:00.000Z  run 20261121T000000.000Z-000001
             └─ data/clean  \(digest(101).prefix(19)).dir
                ├─ used by evaluate  commit bbbbbbb  2026-11-21T00:01:00.000Z  run 20261121T000100.000Z-000001
                │  └─ metrics.json  \(digest(302).prefix(19))
                ├─ and by 1 other execution of `evaluate`
                ├─ used by train  commit bbbbbbb  2026-11-21T00:01:00.000Z  run 20261121T000100.000Z-000001
                │  └─ models/eta  \(digest(202).prefix(19)).dir
                │     └─ used by evaluate  commit bbbbbbb  2026-11-21T00:01:00.000Z  run 20261121T000100.000Z-000001  (see above)
                └─ and by 1 other execution of `train`

          """)
    }
  }

  @Test func `every use is followed when asked for`() throws {
    try withTemporaryDirectory { folder in
      let tree = try filled(folder).lineage(of: "data/raw.csv", everyUse: true)
      let outputs = tree.usedBy.flatMap(\.outputs).flatMap(\.usedBy).flatMap(\.outputs)
      #expect(outputs.map(\.digest) == [digest(302), digest(202, dir: true), digest(301), digest(201, dir: true)])
    }
  }

  @Test func `an earlier content is asked for by its digest or the beginning of it`() throws {
    try withTemporaryDirectory { folder in
      let ledger = try filled(folder)
      let whole = try ledger.lineage(of: digest(201, dir: true))
      #expect(whole.path == "models/eta")
      #expect(whole.madeBy.first?.execution.commit == "aaaaaaaaaa")
      #expect(try ledger.lineage(of: String(digest(201).dropFirst(7).prefix(12))) == whole)
      #expect(try ledger.lineage(of: String(digest(201).prefix(20))) == whole)
    }
  }

  @Test func `a path with its digest is that file, not another with equal bytes, and not a newer content`() throws {
    try withTemporaryDirectory { folder in
      let ledger = try filled(folder)
      let log = RunLog(folder: folder.path + "/runs")
      try log.append(run(at: 90, [stage("other", trace: 90, in: [file("x", 7)], out: [file("zzz", 201, dir: true)])]))
      try ledger.sync(with: log)
      #expect(try ledger.lineage(of: digest(201, dir: true)).path == "zzz")
      let tree = try ledger.lineage(ofPath: "models/eta", digest: digest(201, dir: true))
      #expect(tree.path == "models/eta")
      #expect(tree.madeBy.map(\.execution.stage) == ["train"])
      #expect(tree.madeBy.first?.execution.commit == "aaaaaaaaaa")
      #expect(try ledger.lineage(ofPath: "models/eta", digest: digest(999)) == ledger.lineage(of: "models/eta"))
    }
  }

  @Test func `an ambiguous beginning lists the digests and their paths`() throws {
    try withTemporaryDirectory { folder in
      let ledger = try Ledger.open(at: folder.path + "/l")
      let (a, b) = ("sha256:abcd" + String(repeating: "0", count: 60), "sha256:abcd" + String(repeating: "1", count: 60))
      try ledger.sync(traces: [
        TraceFact(
          trace: digest(1), stage: "s", fingerprint: nil, inputs: [TracedFile(path: "in", digest: a)],
          outputs: [TracedFile(path: "out", digest: b)], commit: nil, startedAt: nil, durationSeconds: nil, host: nil)
      ])
      #expect(throws: TrackingError.ambiguousLineage(prefix: "abcd", candidates: ["\(a)  in", "\(b)  out"])) {
        try ledger.lineage(of: "abcd")
      }
      #expect(try ledger.lineage(of: "abcd0").path == "in")
    }
  }

  @Test func `a path inside a directory output stands for the directory`() throws {
    try withTemporaryDirectory { folder in
      let tree = try filled(folder).lineage(of: "models/eta/model.json")
      #expect(tree.path == "models/eta")
      #expect(tree.inside == "models/eta/model.json")
      #expect(tree.digest == digest(202, dir: true))
    }
  }

  @Test func `what nobody knows is refused with the nearest path`() throws {
    try withTemporaryDirectory { folder in
      let ledger = try filled(folder)
      #expect(throws: TrackingError.unknownLineage(query: "metrics.jsn", nearest: "metrics.json")) {
        try ledger.lineage(of: "metrics.jsn")
      }
      #expect(throws: TrackingError.unknownLineage(query: "0123456789", nearest: nil)) { try ledger.lineage(of: "0123456789") }
    }
  }

  @Test func `a file inside a directory leads to the execution of the run in which it was read`() throws {
    try withTemporaryDirectory { folder in
      let log = RunLog(folder: folder.path + "/runs")
      for version in [1, 2, 3] {
        try log.append(
          run(
            at: version,
            [
              stage("prepare", trace: version, in: [file("raw", version)], out: [file("clean", 10 + version, dir: true)]),
              stage("train", trace: 20 + version, in: [file("clean/a.csv", 30)], out: [file("model", 40 + version)]),
            ]))
      }
      let ledger = try Ledger.open(at: folder.path + "/l")
      try ledger.sync(with: log)
      let tree = try ledger.lineage(of: digest(42))
      #expect(tree.madeBy.first?.inputs.first?.madeBy.first?.inputs.map(\.digest) == [digest(2)])
      #expect(try ledger.lineage(of: digest(12, dir: true)).usedBy.map(\.execution.trace) == [digest(22)])
    }
  }

  @Test func `traces that came without their runs answer on their own`() throws {
    try withTemporaryDirectory { folder in
      let ledger = try Ledger.open(at: folder.path + "/l")
      try ledger.sync(traces: [
        TraceFact(
          trace: digest(1), stage: "prepare", fingerprint: nil, inputs: [TracedFile(path: "raw", digest: digest(10))],
          outputs: [TracedFile(path: "clean", digest: digest(11))], commit: "cccccccccc",
          startedAt: "2026-11-20T10:00:00.000Z", durationSeconds: 2, host: "ci"),
        TraceFact(
          trace: digest(2), stage: "train", fingerprint: nil, inputs: [TracedFile(path: "clean", digest: digest(11))],
          outputs: [TracedFile(path: "model", digest: digest(12))], commit: "dddddddddd",
          startedAt: "2026-11-20T10:01:00.000Z", durationSeconds: 2, host: "ci"),
      ])
      let tree = try ledger.lineage(of: "model")
      #expect(tree.madeBy.first?.execution.commit == "dddddddddd")
      #expect(tree.madeBy.first?.execution.run == nil)
      #expect(tree.madeBy.first?.inputs.first?.madeBy.first?.execution.host == "ci")
      #expect(try ledger.sync(traces: []).removed == 2)
      #expect(throws: TrackingError.self) { try ledger.lineage(of: "model") }
    }
  }

  @Test func `a stage that copies bytes is not the maker of what it copied`() throws {
    try withTemporaryDirectory { folder in
      let ledger = try Ledger.open(at: folder.path + "/l")
      func copy(_ trace: Int, _ name: String, _ from: String, _ to: String) -> TraceFact {
        TraceFact(
          trace: digest(trace), stage: name, fingerprint: nil, inputs: [TracedFile(path: from, digest: digest(50))],
          outputs: [TracedFile(path: to, digest: digest(50))], commit: nil, startedAt: nil, durationSeconds: nil, host: nil)
      }
      try ledger.sync(traces: [copy(1, "first", "a", "b"), copy(2, "second", "a", "c")])
      let tree = try ledger.lineage(of: "b")
      #expect(tree.madeBy.map(\.execution.stage) == ["first"])
      #expect(tree.madeBy.first?.inputs.first?.madeBy == [])
    }
  }

  @Test func `a file moved by hand keeps its origin`() throws {
    try withTemporaryDirectory { folder in
      let ledger = try Ledger.open(at: folder.path + "/l")
      func fact(_ trace: Int, _ name: String, _ from: (String, Int), _ to: (String, Int)) -> TraceFact {
        TraceFact(
          trace: digest(trace), stage: name, fingerprint: nil, inputs: [TracedFile(path: from.0, digest: digest(from.1))],
          outputs: [TracedFile(path: to.0, digest: digest(to.1))], commit: nil, startedAt: nil, durationSeconds: nil, host: nil)
      }
      try ledger.sync(traces: [fact(1, "make", ("raw", 1), ("old/name", 2)), fact(2, "use", ("new/name", 2), ("out", 3))])
      #expect(try ledger.lineage(of: "out").madeBy.first?.inputs.first?.madeBy.first?.execution.stage == "make")
    }
  }

  @Test func `forty diamonds in a row give a tree that ends`() throws {
    try withTemporaryDirectory { folder in
      let ledger = try Ledger.open(at: folder.path + "/l")
      let facts = (0..<40).map { level in
        TraceFact(
          trace: digest(level), stage: "s\(level)", fingerprint: nil,
          inputs: level == 0
            ? []
            : ["l", "r"].map { TracedFile(path: "\($0)\(level - 1)", digest: digest(1000 + level - 1 + ($0 == "l" ? 0 : 500))) },
          outputs: ["l", "r"].map { TracedFile(path: "\($0)\(level)", digest: digest(1000 + level + ($0 == "l" ? 0 : 500))) },
          commit: nil, startedAt: nil, durationSeconds: nil, host: nil)
      }
      try ledger.sync(traces: facts)
      #expect(try ledger.lineage(of: "l39").text.split(separator: "\n").count == 158)
    }
  }

  @Test func `a deleted ledger answers as before, over random histories`() throws {
    for seed in UInt64(1)...3 {
      try withTemporaryDirectory { folder in
        var generator = SeededGenerator(seed: seed)
        let log = RunLog(folder: folder.path + "/runs")
        let path = folder.path + "/ledger.sqlite"
        var facts: [TraceFact] = []
        // Runs arrive in no order of time, as by fetch; the first ledger follows them step by step.
        for second in (0..<20).shuffled(using: &generator) {
          let record = randomRun(at: second, &generator)
          try log.append(record)
          if Bool.random(using: &generator) { facts += randomFacts(of: record, &generator) }
          if Int.random(in: 0..<8, using: &generator) == 0, let id = try log.ids().randomElement(using: &generator) {
            try FileManager.default.removeItem(atPath: log.path(of: id))
          }
          let ledger = try Ledger.open(at: path)
          try ledger.sync(with: log)
          try ledger.sync(traces: facts)
        }
        let before = try answers(Ledger.open(at: path))
        for suffix in ["", "-wal", "-shm", ".lock"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        let anew = try Ledger.open(at: path)
        try anew.sync(traces: facts)
        try anew.sync(with: log)
        let after = try answers(anew)
        let differing = zip(after, before).filter { $0 != $1 }.count
        #expect(differing == 0, "seed \(seed)")
        #expect(after.count == before.count)
        #expect(before.count > 20)
      }
    }
  }

  /// A chain of four stages with few possible contents, so that histories meet again and again.
  private func randomRun(at second: Int, _ generator: inout SeededGenerator) -> RunRecord {
    var stages: [StageRecord] = []
    var content = Int.random(in: 0..<3, using: &generator)
    for level in 0..<4 {
      let input = file(level == 2 ? "d1/part" : "d\(level)", level * 10 + content, dir: false)
      let choice = Int.random(in: 0..<3, using: &generator)
      let trace = 1000 + level * 100 + content * 10 + choice
      let outcome: StageRecord.Outcome = Bool.random(using: &generator) ? .ran : .upToDate
      content = choice
      stages.append(
        stage(
          "s\(level)", trace: trace, outcome, in: [input], out: [file("d\(level + 1)", (level + 1) * 10 + content)],
          parameters: ["p": "\(choice)"], metrics: [MetricRecord(path: "m", key: "k", value: Double(trace))]))
    }
    return run(at: second, stages, commit: "c\(second % 5)")
  }

  private func randomFacts(of record: RunRecord, _ generator: inout SeededGenerator) -> [TraceFact] {
    record.stages.compactMap { stage in
      guard let trace = stage.trace, Bool.random(using: &generator) else { return nil }
      return TraceFact(
        trace: trace, stage: stage.name, fingerprint: nil,
        inputs: stage.dependencies.map { TracedFile(path: $0.path, digest: $0.digest) },
        outputs: stage.outputs.map { TracedFile(path: $0.path, digest: $0.digest) }, commit: "f", startedAt: record.startedAt,
        durationSeconds: 9, host: "other")
    }
  }

  /// Every question there is, asked.
  private func answers(_ ledger: Ledger) throws -> [String] {
    var found =
      try ledger.runs().map { "\($0.id) \($0.stages.sorted { $0.key < $1.key })" }
      + ledger.history(ofMetric: "k", in: "m").map { "\($0)" }
    let questions = (0...4).map { "d\($0)" } + ["d1/part", "d4/x"] + (0..<50).map { digest($0) }
    for question in questions { found.append((try? ledger.lineage(of: question).json) ?? "unknown \(question)") }
    return found
  }
}
