// Run records on disk.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport
import Testing
import Tracking

@Suite struct RunLogTests {
  private func log(_ folder: URL) -> RunLog { RunLog(folder: folder.path + "/.pipe/runs") }

  @Test func `a record is one line of JSON with sorted keys`() {
    let text = String(decoding: run(at: 0, [stage("s", trace: nil, .failed)]).encoded(), as: UTF8.self)
    #expect(
      text == """
        {"command":["pipe","repro"],"durationSeconds":1.5,"finishedAt":"2026-11-21T00:00:00.000Z","host":{"cores":2,\
        "name":"box","processor":"x86_64","system":"Linux"},"id":"20261121T000000.000Z-000001","outcome":"finished",\
        "pipeVersion":"0.1.0","schema":"pipe.run/1","stages":[{"command":["true"],"dependencies":[],"durationSeconds":1,\
        "name":"s","outcome":"failed","outputs":[],"parameters":{},"reasons":[]}],"startedAt":"2026-11-21T00:00:00.000Z"}

        """)
  }

  @Test func `a record comes back as it was, a metric that is no number included`() throws {
    try withTemporaryDirectory { folder in
      let metrics = [
        MetricRecord(path: "m.json", key: "mae", value: 0.1), MetricRecord(path: "m.json", key: "bad", value: .infinity),
      ]
      let record = run(
        at: 3, [stage("train", trace: 1, in: [file("a", 1)], out: [file("b", 2)], parameters: ["lr": "0.1"], metrics: metrics)],
        commit: "0123456789012345678901234567890123456789")
      try log(folder).append(record)
      #expect(try log(folder).record(record.id) == record)
    }
  }

  @Test func `keys of a later version are passed over`() throws {
    let text = String(decoding: run(at: 0, []).encoded(), as: UTF8.self)
    let later = text.replacing("{\"command\"", with: "{\"novelty\":{\"x\":[1]},\"command\"")
    #expect(later != text)
    #expect(try RunRecord(decoding: Array(later.utf8), path: "p") == run(at: 0, []))
  }

  @Test func `another schema is refused with what to do`() throws {
    let text = String(decoding: run(at: 0, []).encoded(), as: UTF8.self).replacing("pipe.run/1", with: "pipe.run/2")
    let error = #expect(throws: TrackingError.self) { try RunRecord(decoding: Array(text.utf8), path: ".pipe/runs/a.json") }
    #expect(error == .unknownSchema(path: ".pipe/runs/a.json", found: "pipe.run/2", known: "pipe.run/1"))
    #expect(error?.diagnostic.message == "`.pipe/runs/a.json` has schema `pipe.run/2`, and this `pipe` reads `pipe.run/1`")
  }

  @Test func `a record is written once: again is fine, otherwise is refused`() throws {
    try withTemporaryDirectory { folder in
      let record = run(at: 0, [])
      try log(folder).append(record)
      try log(folder).append(record)
      var other = record
      other.outcome = .failed
      #expect(throws: TrackingError.runExists(id: record.id)) { try log(folder).append(other) }
      #expect(try log(folder).record(record.id) == record)
      #expect(try FileManager.default.contentsOfDirectory(atPath: log(folder).folder) == [record.id + ".json"])
    }
  }

  @Test func `an id that is a path elsewhere is refused`() throws {
    try withTemporaryDirectory { folder in
      var record = run(at: 0, [])
      record.id = "../../escaped"
      #expect(throws: TrackingError.badName("../../escaped")) { try log(folder).append(record) }
      let nothing = try log(folder).record("../../escaped")
      #expect(nothing == nil)
    }
  }

  @Test func `no folder is no runs`() throws {
    try withTemporaryDirectory { folder in
      let listing = try log(folder).newest()
      #expect(listing.records == [])
      #expect(listing.unreadable == [])
    }
  }

  @Test func `damaged records are named and the others listed, newest first`() throws {
    try withTemporaryDirectory { folder in
      let runs = (0..<4).map { run(at: $0, []) }
      for record in runs { try log(folder).append(record) }
      let half = String(decoding: runs[1].encoded().prefix(100), as: UTF8.self)
      try folder.write(half, to: ".pipe/runs/\(runs[1].id).json")
      try folder.write(String(decoding: runs[3].encoded(), as: UTF8.self), to: ".pipe/runs/\(runs[2].id).json")
      let listing = try log(folder).newest()
      #expect(listing.records == [runs[3], runs[0]])
      #expect(listing.unreadable.map(\.id) == [runs[2].id, runs[1].id])
      #expect(
        listing.unreadable.last?.error
          == .malformed(path: log(folder).path(of: runs[1].id), problem: "not JSON: it may be cut off"))
      #expect(try log(folder).newest(1).records == [runs[3]])
    }
  }

  @Test func `a run is found by its beginning, by its chance digits and as the latest`() throws {
    try withTemporaryDirectory { folder in
      for second in [0, 1] { try log(folder).append(run(at: second, [])) }
      #expect(try log(folder).resolve("20261121T000000") == "20261121T000000.000Z-000001")
      #expect(try log(folder).resolve("latest") == "20261121T000001.000Z-000001")
      #expect(
        throws: TrackingError.ambiguousRun(
          prefix: "2026", candidates: ["20261121T000000.000Z-000001", "20261121T000001.000Z-000001"])
      ) { try log(folder).resolve("2026") }
      #expect(throws: TrackingError.unknownRun(id: "20261121T000009.000Z-000001", nearest: "20261121T000000.000Z-000001")) {
        try log(folder).resolve("20261121T000009.000Z-000001")
      }
    }
  }

  @Test func `the previous run is the newest earlier finished one whose traces differ`() throws {
    try withTemporaryDirectory { folder in
      let runs = [
        run(at: 0, [stage("a", trace: 1), stage("b", trace: 2)]),
        run(at: 1, [stage("a", trace: 1), stage("b", trace: 3)]),
        run(at: 2, [stage("a", trace: 1), stage("b", trace: 4)], outcome: .failed),
        run(at: 3, [stage("a", trace: 1, .upToDate), stage("b", trace: 5, .restored)]),
        run(at: 4, [stage("a", trace: 1), stage("b", trace: 5)]),
      ]
      for record in runs { try log(folder).append(record) }
      #expect(try log(folder).previous(of: runs[4])?.id == runs[1].id)
      #expect(try log(folder).previous(of: runs[1])?.id == runs[0].id)
      let nothing = try log(folder).previous(of: runs[0])
      #expect(nothing == nil)
    }
  }

  @Test func `a run of one stage on the way to the whole is not the previous one`() throws {
    try withTemporaryDirectory { folder in
      let runs = [
        run(at: 0, [stage("train", trace: 1), stage("evaluate", trace: 2)]),
        run(at: 1, [stage("train", trace: 3)]),
        run(at: 2, [stage("train", trace: 3, .upToDate), stage("evaluate", trace: 4)]),
      ]
      for record in runs { try log(folder).append(record) }
      #expect(try log(folder).previous(of: runs[2])?.id == runs[0].id)
    }
  }
}
