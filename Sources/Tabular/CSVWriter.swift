// Writes canonical CSV: RFC 4180, LF, one header line, shortest numbers, missing as an empty field.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// Builds canonical CSV field by field; `write(_:to:)` does a whole table.
package struct CSVWriter: Sendable {
  package private(set) var bytes: [UInt8] = []
  private var isAtLineStart = true

  /// Begins with the header line.
  package init(header: [String]) {
    for name in header { add(name) }
    endRow()
  }

  package mutating func add(_ text: String?) {
    separate()
    guard var text else { return }
    text.withUTF8 { field in
      if field.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }) {
        bytes.append(0x22)
        for byte in field {
          if byte == 0x22 { bytes.append(0x22) }
          bytes.append(byte)
        }
        bytes.append(0x22)
      } else {
        bytes.append(contentsOf: field)
      }
    }
  }

  /// A number in its shortest form; NaN is missing.
  package mutating func add(_ value: Double) {
    separate()
    NumberText.append(value, to: &bytes)
  }

  package mutating func add(_ value: Int64) {
    separate()
    NumberText.append(value, to: &bytes)
  }

  /// A time as `2026-03-01T08:15:00Z`.
  package mutating func add(time epochSeconds: Int64?) {
    separate()
    if let epochSeconds { Timestamp.append(epochSeconds, to: &bytes) }
  }

  package mutating func endRow() {
    bytes.append(0x0A)
    isAtLineStart = true
  }

  private mutating func separate() {
    if isAtLineStart { isAtLineStart = false } else { bytes.append(0x2C) }
  }

  /// Puts what was built in the place of a file.
  package func write(to path: String) throws(Diagnostic) { try FileBytes.write(bytes, to: path) }

  /// The canonical bytes of a table.
  package static func bytes(_ table: Table) -> [UInt8] {
    var writer = CSVWriter(header: table.names)
    writer.bytes.reserveCapacity(table.rowCount * table.columns.count * 8)
    let columns = table.columns.map(\.storage)
    for row in 0..<table.rowCount {
      for column in columns {
        switch column {
        case .number(let values): writer.add(values[row])
        case .text(let values): writer.add(values[row])
        }
      }
      writer.endRow()
    }
    return writer.bytes
  }

  /// Writes a table to a file.
  package static func write(_ table: Table, to path: String) throws(Diagnostic) {
    try FileBytes.write(bytes(table), to: path)
  }
}
