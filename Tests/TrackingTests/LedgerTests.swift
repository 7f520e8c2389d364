// The index: the same answers however it came to be.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport
import Testing
import Tracking

@Suite struct LedgerTests {
  private func log(_ folder: URL) -> RunLog { RunLog(folder: folder.path + "/runs") }

  private func ledger(_ folder: URL) throws -> Ledger { try Ledger.open(at: folder.path + "/cache/ledger.sqlite") }

  @Test func `runs are listed newest first with their stages counted`() throws {
    try withTemporaryDirectory { folder in
      try log(folder).append(run(at: 0, [stage("a", trace: 1), stage("b", trace: nil, .failed)], outcome: .failed))
      try log(folder).append(run(at: 5, [stage("a", trace: 1, .upToDate), stage("b", trace: 2)], commit: "c0ffee"))
      let ledger = try ledger(folder)
      #expect(try ledger.sync(with: log(folder)) == SyncReport(added: 2))
      let runs = try ledger.runs()
      #expect(runs.map(\.id) == ["20261121T000005.000Z-000001", "20261121T000000.000Z-000001"])
      #expect(runs.map(\.outcome) == ["finished", "failed"])
      #expect(runs.map(\.stages) == [["upToDate": 1, "ran": 1], ["ran": 1, "failed": 1]])
      #expect(runs.map(\.commit) == ["c0ffee", nil])
      #expect(try ledger.runs(limit: 1).count == 1)
    }
  }

  @Test func `a second sync reads and writes nothing`() throws {
    try withTemporaryDirectory { folder in
      try log(folder).append(run(at: 0, [stage("a", trace: 1)]))
      let ledger = try ledger(folder)
      try ledger.sync(with: log(folder))
      let wal = folder.path + "/cache/ledger.sqlite-wal"
      let before = try FileManager.default.attributesOfItem(atPath: wal)[.size] as? Int
      #expect(try ledger.sync(with: log(folder)) == SyncReport())
      #expect(try ledger.sync(traces: []) == SyncReport())
      #expect(try FileManager.default.attributesOfItem(atPath: wal)[.size] as? Int == before)
    }
  }

  @Test func `a record that is gone is forgotten, and one that was damaged meanwhile too`() throws {
    try withTemporaryDirectory { folder in
      let runs = (0..<3).map { run(at: $0, [stage("a", trace: $0, out: [file("out", $0)])]) }
      for record in runs { try log(folder).append(record) }
      let ledger = try ledger(folder)
      try ledger.sync(with: log(folder))
      try FileManager.default.removeItem(atPath: log(folder).path(of: runs[2].id))
      try folder.write("{", to: "runs/\(runs[1].id).json")
      let report = try ledger.sync(with: log(folder))
      #expect(report.removed == 2)
      #expect(report.unreadable.map(\.id) == [runs[1].id])
      #expect(try ledger.runs().map(\.id) == [runs[0].id])
      #expect(throws: TrackingError.self) { try ledger.lineage(of: digest(2)) }
    }
  }

  @Test func `metrics go from run to run, kept results left out`() throws {
    try withTemporaryDirectory { folder in
      func evaluate(_ trace: Int, _ outcome: StageRecord.Outcome, _ mae: Double) -> StageRecord {
        stage("evaluate", trace: trace, outcome, metrics: [MetricRecord(path: "m.json", key: "mae", value: mae)])
      }
      try log(folder).append(run(at: 0, [evaluate(1, .ran, 3)]))
      try log(folder).append(run(at: 1, [evaluate(1, .upToDate, 3)]))
      try log(folder).append(run(at: 2, [evaluate(2, .ran, 2.5)]))
      try log(folder).append(run(at: 3, [evaluate(1, .restored, 3)]))
      let ledger = try ledger(folder)
      try ledger.sync(with: log(folder))
      #expect(try ledger.history(ofMetric: "mae", in: "m.json").map(\.value) == [3, 2.5, 3])
      #expect(try ledger.history(ofMetric: "mae", in: "other").isEmpty)
    }
  }

  @Test(arguments: ["not a database, but somebody's notes", ""])
  func `a file that is no ledger is kept under another name`(_ content: String) throws {
    try withTemporaryDirectory { folder in
      try folder.write(content, to: "cache/ledger.sqlite")
      let ledger = try ledger(folder)
      #expect(try ledger.sync(with: log(folder)) == SyncReport())
      if content.isEmpty {
        #expect(ledger.notice == nil)
      } else {
        #expect(ledger.notice == LedgerNotice(reason: .foreign, movedTo: folder.path + "/cache/ledger.sqlite.foreign"))
        #expect(try folder.text(of: "cache/ledger.sqlite.foreign") == content)
      }
    }
  }

  @Test func `a ledger with overwritten pages is made again`() throws {
    try withTemporaryDirectory { folder in
      for second in 0..<50 { try log(folder).append(run(at: second, [stage("a", trace: second, out: [file("o", second)])])) }
      do { try ledger(folder).sync(with: log(folder)) }
      let path = folder.path + "/cache/ledger.sqlite"
      for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      try #require(bytes.count > 20_000)
      for position in 5000..<20_000 { bytes[position] = 0x5A }
      try bytes.write(to: URL(fileURLWithPath: path))
      let ledger = try ledger(folder)
      #expect(ledger.notice == LedgerNotice(reason: .corrupt, movedTo: path + ".corrupt"))
      #expect(try ledger.sync(with: log(folder)).added == 50)
      #expect(try ledger.lineage(of: "o").digest == digest(49))
    }
  }

  @Test func `a ledger of a later version is set aside`() throws {
    try withTemporaryDirectory { folder in
      do { try ledger(folder).sync(with: log(folder)) }
      try sqlite(folder.path + "/cache/ledger.sqlite", "INSERT INTO grdb_migrations VALUES ('2031-01 novelty')")
      #expect(try ledger(folder).notice?.reason == .newer)
      #expect(try ledger(folder).notice == nil)
    }
  }

  @Test func `somebody else's database is not written into`() throws {
    try withTemporaryDirectory { folder in
      try folder.write("", to: "cache/x")
      let path = folder.path + "/cache/ledger.sqlite"
      try sqlite(path, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)")
      let before = try Data(contentsOf: URL(fileURLWithPath: path))
      #expect(try ledger(folder).notice?.reason == .foreign)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path + ".foreign")) == before)
    }
  }

  @Test func `eight at once on one file all succeed, and each run stands once`() async throws {
    try await withTemporaryDirectory { folder in
      for second in 0..<60 {
        try log(folder).append(
          run(at: second, [stage("a", trace: second % 7, in: [file("i", second % 7)], out: [file("o", second % 5)])]))
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<8 {
          group.addTask {
            let ledger = try ledger(folder)
            try ledger.sync(with: log(folder))
            #expect(try ledger.runs().count == 60)
          }
        }
        try await group.waitForAll()
      }
      #expect(try ledger(folder).runs().count == 60)
    }
  }

  @Test func `a ledger in memory gives the answers of one on disk`() throws {
    try withTemporaryDirectory { folder in
      for second in 0..<9 {
        try log(folder).append(
          run(at: second, [stage("a", trace: second % 4, in: [file("i", second % 4)], out: [file("o", second % 3)])]))
      }
      let (memory, disk) = (try Ledger.inMemory(), try ledger(folder))
      try memory.sync(with: log(folder))
      try disk.sync(with: log(folder))
      #expect(try memory.runs() == disk.runs())
      #expect(try memory.lineage(of: "i") == disk.lineage(of: "i"))
      #expect(try memory.lineage(of: "i").usedBy.count == 1)
    }
  }

  @Test func `a folder that cannot be written to is an error with the way out`() throws {
    try withTemporaryDirectory { folder in
      try folder.write("a file", to: "cache")
      let error = #expect(throws: TrackingError.self) { try ledger(folder) }
      #expect(error?.diagnostic.exitCode == 4)
    }
  }

  private func sqlite(_ path: String, _ sql: String) throws {
    let command = Process()
    command.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    command.arguments = [
      "python3", "-c", "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.commit()", path, sql,
    ]
    try command.run()
    command.waitUntilExit()
    #expect(command.terminationStatus == 0)
  }
}
