// Log lines as JSON objects on standard error, one write a line.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Logging
import Serving
import Tabular

/// Writes `{"time", "level", "message", …}` with the metadata as further members, all as text.
struct JSONLogHandler: LogHandler {
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]

  init(level: Logger.Level) { logLevel = level }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var json = JSONWriter(reserving: 256)
    json.beginObject()
    json.text("time", Timestamp.text(Int64(Date().timeIntervalSince1970)))
    json.text("level", event.level.rawValue)
    json.text("message", "\(event.message)")
    let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
    for (key, value) in all.sorted(by: { $0.key < $1.key }) where !Self.ownKeys.contains(key) { json.text(key, "\(value)") }
    json.endObject()
    standardError(json.bytes + [UInt8(ascii: "\n")])
  }

  private static let ownKeys: Set<String> = ["time", "level", "message"]
}

/// Writes bytes to standard error; what cannot be written is lost.
func standardError(_ bytes: [UInt8]) {
  bytes.withUnsafeBytes { _ = write(2, $0.baseAddress, $0.count) }
}
