// A run record as this version writes it, read in one pass: what is unusual is left to the careful reader.
// SPDX-License-Identifier: Apache-2.0
import SourceControl

/// Reads members in whatever order. Unknown and repeated ones, `null`, rare escapes and all that is wrong end it without
/// an answer.
struct RecordReader {
  private struct Unusual: Error {}

  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0

  /// - Returns: `nil` when the bytes have to be read carefully.
  static func read(_ bytes: [UInt8]) -> RunRecord? {
    bytes.withUnsafeBufferPointer { bytes in
      var reader = RecordReader(bytes: bytes)
      guard let record = try? reader.record(), record.schema == RunRecord.schema else { return nil }
      reader.skipSpace()
      return reader.position == bytes.count ? record : nil
    }
  }

  private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  // MARK: Values

  private mutating func record() throws(Unusual) -> RunRecord {
    var texts = Texts()
    var command: [String]?
    var duration: Double?
    var host: RunRecord.Host?
    var git: GitSnapshot?
    var stages: [StageRecord]?
    try members { (reader, name) throws(Unusual) in
      switch name {
      case "command": try Self.once(&command, try reader.texts())
      case "durationSeconds": try Self.once(&duration, try reader.double())
      case "host": try Self.once(&host, try reader.host())
      case "git": try Self.once(&git, try reader.git())
      case "stages":
        try Self.once(&stages, try reader.list { (reader) throws(Unusual) in try reader.stage() })
      case "finishedAt", "id", "outcome", "pipeVersion", "schema", "startedAt": try texts.add(name, try reader.text())
      default: throw Unusual()
      }
    }
    guard let command, let duration, let host, let stages, let outcome = RunRecord.Outcome(rawValue: try texts["outcome"]) else {
      throw Unusual()
    }
    var record = RunRecord(
      id: try texts["id"], startedAt: try texts["startedAt"], finishedAt: try texts["finishedAt"], durationSeconds: duration,
      outcome: outcome, command: command, pipeVersion: try texts["pipeVersion"], host: host, git: git, stages: stages)
    record.schema = try texts["schema"]
    return record
  }

  private mutating func host() throws(Unusual) -> RunRecord.Host {
    var texts = Texts()
    var cores: Int?
    try members { (reader, name) throws(Unusual) in
      switch name {
      case "cores": try Self.once(&cores, try reader.integer())
      case "name", "processor", "system": try texts.add(name, try reader.text())
      default: throw Unusual()
      }
    }
    guard let cores else { throw Unusual() }
    return RunRecord.Host(
      name: try texts["name"], system: try texts["system"], processor: try texts["processor"], cores: cores)
  }

  private mutating func git() throws(Unusual) -> GitSnapshot {
    var texts = Texts()
    var dirty: [String]?
    try members { (reader, name) throws(Unusual) in
      switch name {
      case "dirtyPaths": try Self.once(&dirty, try reader.texts())
      case "branch", "commit", "diffDigest", "remote": try texts.add(name, try reader.text())
      default: throw Unusual()
      }
    }
    guard let dirty else { throw Unusual() }
    return GitSnapshot(
      commit: texts.find("commit"), branch: texts.find("branch"), remote: texts.find("remote"), dirtyPaths: dirty,
      diffDigest: texts.find("diffDigest"))
  }

  private mutating func stage() throws(Unusual) -> StageRecord {
    var stage = StageRecord(
      name: "", outcome: .ran, reasons: [], command: [], notebook: nil, description: nil, fingerprint: nil, trace: nil,
      durationSeconds: nil, peakMemoryBytes: nil, log: nil, woven: nil, failure: nil, dependencies: [], outputs: [],
      parameters: [:])
    var name: String?
    var outcome: StageRecord.Outcome?
    var command: [String]?
    var reasons: [String]?
    var dependencies: [FileRecord]?
    var outputs: [FileRecord]?
    var parameters: [String: String]?
    try members { (reader, key) throws(Unusual) in
      switch key {
      case "command": try Self.once(&command, try reader.texts())
      case "dependencies": try Self.once(&dependencies, try reader.files())
      case "description": try Self.once(&stage.description, try reader.text())
      case "durationSeconds": try Self.once(&stage.durationSeconds, try reader.double())
      case "failure": try Self.once(&stage.failure, try reader.text())
      case "fingerprint": try Self.once(&stage.fingerprint, try reader.text())
      case "log": try Self.once(&stage.log, try reader.text())
      case "metrics": try Self.once(&stage.metrics, try reader.list { (reader) throws(Unusual) in try reader.metric() })
      case "name": try Self.once(&name, try reader.text())
      case "notebook": try Self.once(&stage.notebook, try reader.text())
      case "outcome":
        guard let found = StageRecord.Outcome(rawValue: try reader.text()) else { throw Unusual() }
        try Self.once(&outcome, found)
      case "outputs": try Self.once(&outputs, try reader.files())
      case "parameters": try Self.once(&parameters, try reader.parameters())
      case "peakMemoryBytes": try Self.once(&stage.peakMemoryBytes, try reader.integer())
      case "reasons": try Self.once(&reasons, try reader.texts())
      case "startedAfter": try Self.once(&stage.startedAfter, try reader.double())
      case "trace": try Self.once(&stage.trace, try reader.text())
      case "woven": try Self.once(&stage.woven, try reader.text())
      default: throw Unusual()
      }
    }
    guard let name, let outcome, let command, let reasons, let dependencies, let outputs, let parameters else { throw Unusual() }
    stage.name = name
    stage.outcome = outcome
    stage.command = command
    stage.reasons = reasons
    stage.dependencies = dependencies
    stage.outputs = outputs
    stage.parameters = parameters
    return stage
  }

  private mutating func files() throws(Unusual) -> [FileRecord] {
    try list { (reader) throws(Unusual) in
      var path: String?
      var digest: String?
      var size: Int?
      var file = FileRecord(path: "", digest: "", size: 0)
      try reader.members { (reader, name) throws(Unusual) in
        switch name {
        case "digest": try Self.once(&digest, try reader.text())
        case "files": try Self.once(&file.files, try reader.integer())
        case "kind": try Self.once(&file.kind, try reader.text())
        case "path": try Self.once(&path, try reader.text())
        case "size": try Self.once(&size, try reader.integer())
        default: throw Unusual()
        }
      }
      guard let path, let digest, let size else { throw Unusual() }
      file.path = path
      file.digest = digest
      file.size = size
      return file
    }
  }

  private mutating func metric() throws(Unusual) -> MetricRecord {
    var texts = Texts()
    var value: Double?
    try members { (reader, name) throws(Unusual) in
      switch name {
      case "value": try Self.once(&value, try reader.double())
      case "key", "path": try texts.add(name, try reader.text())
      default: throw Unusual()
      }
    }
    guard let value else { throw Unusual() }
    return MetricRecord(path: try texts["path"], key: try texts["key"], value: value)
  }

  private mutating func parameters() throws(Unusual) -> [String: String] {
    var found: [String: String] = [:]
    try members { (reader, name) throws(Unusual) in
      guard found.updateValue(try reader.text(), forKey: name) == nil else { throw Unusual() }
    }
    return found
  }

  /// Members that are texts, by name.
  private struct Texts {
    private var found: [(name: String, text: String)] = []

    mutating func add(_ name: String, _ text: String) throws(Unusual) {
      guard find(name) == nil else { throw Unusual() }
      found.append((name, text))
    }

    func find(_ name: String) -> String? { found.first { $0.name == name }?.text }

    subscript(name: String) -> String {
      get throws(Unusual) {
        guard let text = find(name) else { throw Unusual() }
        return text
      }
    }
  }

  /// Sets what must not be set yet.
  private static func once<Value>(_ place: inout Value?, _ value: Value) throws(Unusual) {
    guard place == nil else { throw Unusual() }
    place = value
  }

  // MARK: JSON

  private mutating func skipSpace() {
    while position < bytes.count, bytes[position] == 32 || bytes[position] == 10 { position += 1 }
  }

  /// Takes a mark, and the space before it.
  private mutating func take(_ mark: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: mark) else { return false }
    position += 1
    return true
  }

  private mutating func members(_ read: (inout RecordReader, String) throws(Unusual) -> Void) throws(Unusual) {
    guard take("{") else { throw Unusual() }
    if take("}") { return }
    repeat {
      let name = try text()
      guard take(":") else { throw Unusual() }
      try read(&self, name)
    } while take(",")
    guard take("}") else { throw Unusual() }
  }

  private mutating func list<Item>(_ read: (inout RecordReader) throws(Unusual) -> Item) throws(Unusual) -> [Item] {
    guard take("[") else { throw Unusual() }
    var items: [Item] = []
    if take("]") { return items }
    repeat { items.append(try read(&self)) } while take(",")
    guard take("]") else { throw Unusual() }
    return items
  }

  private mutating func texts() throws(Unusual) -> [String] { try list { (reader) throws(Unusual) in try reader.text() } }

  private mutating func text() throws(Unusual) -> String {
    guard take("\"") else { throw Unusual() }
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        let range = start..<position
        position += 1
        return try text(bytes[range])
      }
      if byte == UInt8(ascii: "\\") { return try escapedText(from: start) }
      if byte < 0x20 { throw Unusual() }
      position += 1
    }
    throw Unusual()
  }

  private func text(_ part: Slice<UnsafeBufferPointer<UInt8>>) throws(Unusual) -> String {
    guard let text = String(validating: UnsafeBufferPointer(rebasing: part), as: UTF8.self) else { throw Unusual() }
    return text
  }

  /// From the first `\` on.
  private mutating func escapedText(from start: Int) throws(Unusual) -> String {
    var out = Array(bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\"") {
        guard let text = String(validating: out, as: UTF8.self) else { throw Unusual() }
        return text
      }
      guard byte >= 0x20 else { throw Unusual() }
      guard byte == UInt8(ascii: "\\") else {
        out.append(byte)
        continue
      }
      guard position < bytes.count else { throw Unusual() }
      switch bytes[position] {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(bytes[position])
      case UInt8(ascii: "n"): out.append(10)
      case UInt8(ascii: "t"): out.append(9)
      case UInt8(ascii: "r"): out.append(13)
      default: throw Unusual()
      }
      position += 1
    }
    throw Unusual()
  }

  private mutating func word() throws(Unusual) -> String {
    skipSpace()
    let start = position
    while position < bytes.count, isInNumber(bytes[position]) { position += 1 }
    guard position > start else { throw Unusual() }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private func isInNumber(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "e")
      || byte == UInt8(ascii: "+")
  }

  private mutating func integer() throws(Unusual) -> Int {
    let word = try word()
    // As it is written: no sign but `-`, no zero before other digits.
    guard let value = Int(word), String(value) == word else { throw Unusual() }
    return value
  }

  private mutating func double() throws(Unusual) -> Double {
    let word = try word()
    guard let first = word.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "."), let value = Double(word),
      value.isFinite
    else { throw Unusual() }
    return value
  }
}
