// Comma- and tab-separated text as plot data: every value stays text.
// SPDX-License-Identifier: Apache-2.0
package import PipelineModel

/// Reads tables for plots, as Python's `csv` module does.
package enum PlotTable {
  /// A list of mappings, column → text; `null` where a row is short. What a row has too much is left out, and so are empty rows.
  ///
  /// - Parameter hasHeader: otherwise columns are named `0`, `1` …
  package static func read(_ text: String, delimiter: Character, hasHeader: Bool) -> ParameterValue {
    var rows = records(Array(text.utf8), delimiter.asciiValue ?? UInt8(ascii: ",")).filter { !$0.isEmpty }
    guard let first = rows.first else { return .list([]) }
    let names = hasHeader ? first : first.indices.map(String.init)
    if hasHeader { rows.removeFirst() }
    return .list(
      rows.map { row in
        .mapping(names.enumerated().map { index, name in (name, index < row.count ? .text(row[index]) : .null) })
      })
  }

  private static func records(_ bytes: [UInt8], _ delimiter: UInt8) -> [[String]] {
    var records: [[String]] = []
    var record: [String] = []
    var field: [UInt8] = []
    var isQuoted = false
    var hasAny = false
    var index = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if isQuoted {
        if byte != UInt8(ascii: "\"") {
          field.append(byte)
        } else if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
          field.append(byte)
          index += 1
        } else {
          isQuoted = false
        }
      } else if byte == UInt8(ascii: "\""), field.isEmpty {
        isQuoted = true
        hasAny = true
      } else if byte == delimiter {
        record.append(text(field))
        field = []
        hasAny = true
      } else if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
        if hasAny || !field.isEmpty { records.append(record + [text(field)]) }
        record = []
        field = []
        hasAny = false
      } else {
        field.append(byte)
      }
    }
    if hasAny || !field.isEmpty { records.append(record + [text(field)]) }
    return records
  }
}
