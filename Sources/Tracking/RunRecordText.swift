// A run record as bytes and back.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import SourceControl

extension RunRecord {
  /// One line of JSON, keys sorted, absent values left out, a newline at the end.
  ///
  /// A number that is not finite becomes a string: a metric may well be `"NaN"`.
  /// - Complexity: one pass; a record of 10,000 stages has seven megabytes.
  package func encoded() -> [UInt8] {
    var writer = RecordWriter(room: 1 << 10 + stages.count << 10)
    writer.record(self)
    writer.bytes.append(UInt8(ascii: "\n"))
    return writer.bytes
  }

  /// Keys that this version does not know are passed over.
  ///
  /// - Parameter path: where the bytes came from, for the message.
  /// - Throws: `TrackingError.unknownSchema` when another version of `pipe` wrote it; `TrackingError.malformed`.
  package init(decoding bytes: [UInt8], path: String) throws(TrackingError) {
    if let record = RecordReader.read(bytes) {
      self = record
      return
    }
    self = try Self.decodeCarefully(bytes, path: path)
  }

  /// The same, whatever the bytes are: with keys of a later version, and with words for what is wrong.
  static func decodeCarefully(_ bytes: [UInt8], path: String) throws(TrackingError) -> RunRecord {
    let data = Data(bytes)
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    let record: RunRecord
    do {
      record = try decoder.decode(RunRecord.self, from: data)
    } catch {
      let found = try? decoder.decode(SchemaOnly.self, from: data).schema
      if let found, found != RunRecord.schema { throw .unknownSchema(path: path, found: found, known: RunRecord.schema) }
      throw .malformed(path: path, problem: words(of: error))
    }
    if record.schema != RunRecord.schema { throw .unknownSchema(path: path, found: record.schema, known: RunRecord.schema) }
    return record
  }
}

private struct SchemaOnly: Decodable {
  var schema: String
}

/// Foundation's decoding errors in a sentence.
private func words(of error: any Error) -> String {
  guard let error = error as? DecodingError else { return "not a run record" }
  func place(_ context: DecodingError.Context) -> String {
    context.codingPath.isEmpty ? "the document" : "`\(context.codingPath.map(\.stringValue).joined(separator: "."))`"
  }
  switch error {
  case .keyNotFound(let key, let context): return "\(place(context)) has no `\(key.stringValue)`"
  case .typeMismatch(_, let context), .valueNotFound(_, let context): return "\(place(context)) has another type than expected"
  case .dataCorrupted(let context) where context.codingPath.isEmpty: return "not JSON: it may be cut off"
  case .dataCorrupted(let context): return "\(place(context)) has a value that is not known"
  @unknown default: return "not a run record"
  }
}

// MARK: Writing

/// Members are written in the order of their names.
private struct RecordWriter {
  var bytes: [UInt8] = []

  init(room: Int) { bytes.reserveCapacity(room) }

  mutating func record(_ record: RunRecord) {
    object { writer in
      writer.texts("command", record.command)
      writer.number("durationSeconds", record.durationSeconds)
      writer.text("finishedAt", record.finishedAt)
      if let git = record.git { writer.git(git) }
      writer.member("host") { writer in
        writer.object { writer in
          writer.number("cores", record.host.cores)
          writer.text("name", record.host.name)
          writer.text("processor", record.host.processor)
          writer.text("system", record.host.system)
        }
      }
      writer.text("id", record.id)
      writer.text("outcome", record.outcome.rawValue)
      writer.text("pipeVersion", record.pipeVersion)
      writer.text("schema", record.schema)
      writer.list("stages", record.stages) { writer, stage in writer.stage(stage) }
      writer.text("startedAt", record.startedAt)
    }
  }

  private mutating func git(_ git: GitSnapshot) {
    member("git") { writer in
      writer.object { writer in
        writer.text("branch", git.branch)
        writer.text("commit", git.commit)
        writer.text("diffDigest", git.diffDigest)
        writer.texts("dirtyPaths", git.dirtyPaths)
        writer.text("remote", git.remote)
      }
    }
  }

  private mutating func stage(_ stage: StageRecord) {
    object { writer in
      writer.texts("command", stage.command)
      writer.list("dependencies", stage.dependencies) { writer, file in writer.file(file) }
      writer.text("description", stage.description)
      writer.number("durationSeconds", stage.durationSeconds)
      writer.text("failure", stage.failure)
      writer.text("fingerprint", stage.fingerprint)
      writer.text("log", stage.log)
      if let metrics = stage.metrics { writer.list("metrics", metrics) { writer, metric in writer.metric(metric) } }
      writer.text("name", stage.name)
      writer.text("notebook", stage.notebook)
      writer.text("outcome", stage.outcome.rawValue)
      writer.list("outputs", stage.outputs) { writer, file in writer.file(file) }
      writer.member("parameters") { writer in
        writer.object { writer in
          for (key, value) in stage.parameters.sorted(by: { precedes($0.key, $1.key) }) {
            writer.comma()
            writer.quoted(key)
            writer.bytes.append(UInt8(ascii: ":"))
            writer.quoted(value)
          }
        }
      }
      writer.number("peakMemoryBytes", stage.peakMemoryBytes)
      writer.texts("reasons", stage.reasons)
      writer.number("startedAfter", stage.startedAfter)
      writer.text("trace", stage.trace)
      writer.text("woven", stage.woven)
    }
  }

  private mutating func file(_ file: FileRecord) {
    object { writer in
      writer.text("digest", file.digest)
      writer.number("files", file.files)
      writer.text("kind", file.kind)
      writer.text("path", file.path)
      writer.number("size", file.size)
    }
  }

  private mutating func metric(_ metric: MetricRecord) {
    object { writer in
      writer.text("key", metric.key)
      writer.text("path", metric.path)
      writer.number("value", metric.value)
    }
  }

  // MARK: JSON

  private mutating func object(_ members: (inout RecordWriter) -> Void) {
    bytes.append(UInt8(ascii: "{"))
    members(&self)
    bytes.append(UInt8(ascii: "}"))
  }

  /// Before every member and item but the first.
  private mutating func comma() {
    if let last = bytes.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "[") { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func member(_ name: StaticString, _ value: (inout RecordWriter) -> Void) {
    comma()
    bytes.append(UInt8(ascii: "\""))
    bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
    value(&self)
  }

  private mutating func text(_ name: StaticString, _ text: String?) {
    if let text { member(name) { $0.quoted(text) } }
  }

  private mutating func number(_ name: StaticString, _ value: Int?) {
    if let value { member(name) { $0.bytes.append(contentsOf: String(value).utf8) } }
  }

  private mutating func number(_ name: StaticString, _ value: Double?) {
    guard let value else { return }
    member(name) { writer in
      if value.isNaN { return writer.quoted("NaN") }
      if value.isInfinite { return writer.quoted(value < 0 ? "-Infinity" : "Infinity") }
      let text = value.description
      writer.bytes.append(contentsOf: text.hasSuffix(".0") ? text.utf8.dropLast(2) : text.utf8[...])
    }
  }

  private mutating func list<Item>(_ name: StaticString, _ items: [Item], _ write: (inout RecordWriter, Item) -> Void) {
    member(name) { writer in
      writer.bytes.append(UInt8(ascii: "["))
      for item in items {
        writer.comma()
        write(&writer, item)
      }
      writer.bytes.append(UInt8(ascii: "]"))
    }
  }

  private mutating func texts(_ name: StaticString, _ texts: [String]) {
    list(name, texts) { writer, text in writer.quoted(text) }
  }

  private mutating func quoted(_ text: String) {
    var text = text
    bytes.append(UInt8(ascii: "\""))
    text.withUTF8 { utf8 in
      if utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
        bytes.append(contentsOf: utf8)
      } else {
        for byte in utf8 { escaped(byte) }
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func escaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
    case 8: bytes += Array("\\b".utf8)
    case 9: bytes += Array("\\t".utf8)
    case 10: bytes += Array("\\n".utf8)
    case 12: bytes += Array("\\f".utf8)
    case 13: bytes += Array("\\r".utf8)
    case 0..<0x20:
      let digits = Array("0123456789abcdef".utf8)
      bytes += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    default: bytes.append(byte)
    }
  }
}
