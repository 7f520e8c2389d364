// Run records as bytes: what the quick writer and reader say, Foundation's say too.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import SourceControl
import TestSupport
import Testing
import Tracking

/// One of everything that a record can hold.
private var full: RunRecord {
  var train = stage(
    "train \"α\" \\ /", trace: 1, .upToDate, in: [file("a b", 1)], out: [file("dir", 2, dir: true)],
    parameters: ["lr": "0.1", "Z": "\"x\"", "é": "null", "a10": "1", "a9": "2"],
    metrics: [
      MetricRecord(path: "m", key: "k", value: 1e300), MetricRecord(path: "m", key: "nan", value: .nan),
      MetricRecord(path: "m", key: "low", value: -.infinity), MetricRecord(path: "m", key: "zero", value: -0.0),
    ])
  train.reasons = ["`a` changed", ""]
  train.command = ["echo 'a' |\n\tcat\r\n", "\u{8}\u{c}\u{1}\u{1f}\u{7f}\u{2028}😀"]
  train.notebook = "n.md"
  train.description = "what it does"
  train.fingerprint = digest(3)
  train.durationSeconds = 0.125
  train.startedAfter = 2.25
  train.peakMemoryBytes = 1 << 40
  train.log = digest(4)
  train.woven = digest(5)
  train.failure = "exit 1"
  train.outputs[0].files = 3
  train.outputs[0].kind = "metrics"
  var record = run(at: 7, [train, stage("empty", trace: nil, .failed)], outcome: .failed, commit: "0123")
  record.git = GitSnapshot(commit: nil, branch: "b", remote: "r", dirtyPaths: ["x", "y"], diffDigest: "d")
  return record
}

private func byFoundation(_ record: RunRecord) throws -> [UInt8] {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  encoder.nonConformingFloatEncodingStrategy = .convertToString(
    positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
  return Array(try encoder.encode(record)) + [10]
}

private func byFoundation(_ bytes: [UInt8]) throws -> RunRecord {
  let decoder = JSONDecoder()
  decoder.nonConformingFloatDecodingStrategy = .convertFromString(
    positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
  return try decoder.decode(RunRecord.self, from: Data(bytes))
}

@Suite struct RunRecordTextTests {
  @Test func `a record has the bytes that it always had`() throws {
    for record in [full, run(at: 0, []), run(at: 1, [stage("s", trace: nil)])] {
      #expect(String(decoding: record.encoded(), as: UTF8.self) == String(decoding: try byFoundation(record), as: UTF8.self))
    }
  }

  @Test func `a record comes back with all that it says`() throws {
    var record = full
    // Not-a-number is equal to nothing.
    record.stages[0].metrics?.removeAll { $0.value.isNaN }
    #expect(try RunRecord(decoding: record.encoded(), path: "p") == record)
    record.stages[0].metrics = []
    record.git = nil
    #expect(try RunRecord(decoding: record.encoded(), path: "p") == record)
  }

  @Test(arguments: [
    ("\"command\"", "\"new\":{\"a\":[1]},\"command\""), ("\"cores\":2", "\"cores\":2,\"more\":null"),
    ("\"cores\":2", "\"cores\":2.0"), ("\"cores\":2", "\"cores\":-2"), ("\"cores\":2", "\"cores\":02"),
    ("\"cores\":2", "\"cores\":2e0"), ("\"cores\":2", "\"cores\":\"2\""), ("\"cores\":2", "\"cores\":9223372036854775808"),
    ("\"durationSeconds\":1.5", "\"durationSeconds\":15"), ("\"durationSeconds\":1.5", "\"durationSeconds\":1.5e2"),
    ("\"durationSeconds\":1.5", "\"durationSeconds\":+1.5"), ("\"durationSeconds\":1.5", "\"durationSeconds\":.5"),
    ("\"durationSeconds\":1.5", "\"durationSeconds\":\"NaN\""), ("\"durationSeconds\":1.5", "\"durationSeconds\":null"),
    ("\"name\":\"box\"", "\"name\":\"b\\u00e9\\ud83d\\ude00\""), ("\"name\":\"box\"", "\"name\":\"b\\/\\n\""),
    ("\"name\":\"box\"", "\"name\":\"b\u{1}\""), ("\"name\":\"box\"", "\"name\":\"b\\x\""), ("\"name\":\"box\"", "\"name\":null"),
    ("\"name\":\"box\"", "\"name\":\"a\",\"name\":\"b\""), ("\"name\":\"box\",", ""), (",", " ,\n\t"), ("{", "{ "), ("}", " }"),
    ("[", "[\r\n"), ("\"outcome\":\"failed\"", "\"outcome\":\"lost\""), ("\"log\":", "\"log\":null,\"l\":"),
    ("\"metrics\":[", "\"metrics\":null,\"m\":["), ("\"parameters\":{", "\"parameters\":{\"lr\":\"2\","),
    ("\"dirtyPaths\":[", "\"dirtyPaths\":[1,"), ("pipe.run/1", "pipe.run/0"), ("]", "],"), ("}\n", "}}\n"), ("}\n", ""),
    ("\"size\":1", "\"size\":1,\"size\":2"), ("\"size\":1", "\"size\":true"), ("\"reasons\":[", "\"reasons\":[["),
  ])
  func `what is unusual is read, or refused, as Foundation does`(change: (String, String)) throws {
    let text = String(decoding: full.encoded(), as: UTF8.self)
    let changed = text.replacing(change.0, with: change.1)
    #expect(changed != text)
    let bytes = Array(changed.utf8)
    let careful = (try? byFoundation(bytes)).flatMap { $0.schema == RunRecord.schema ? $0 : nil }
    let found = try? RunRecord(decoding: bytes, path: "p")
    // Not-a-number is equal to nothing: the bytes are compared.
    #expect(found?.encoded() == careful?.encoded())
  }

  @Test func `bytes that are no text are refused`() {
    let text = String(decoding: full.encoded(), as: UTF8.self)
    var bytes = Array(text.utf8)
    let place = bytes.firstIndex(of: UInt8(ascii: "2")) ?? 0
    bytes[place] = 0xFF
    #expect(throws: TrackingError.self) { try RunRecord(decoding: bytes, path: "p") }
  }
}
