// Which rows go to which part of a table: by time, or by their order.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// A named part of a table's rows.
package struct Split: Sendable, Equatable {
  package var name: String
  /// Row numbers from 0, ascending.
  package var rows: [Int]

  package init(name: String, rows: [Int]) {
    self.name = name
    self.rows = rows
  }

  /// Parts in the order of the rows: each takes its share of them, the last takes the rest.
  ///
  /// - Parameter shares: each in 0...1, together at most 1. Cuts fall at `floor(rowCount × shares so far)`.
  package static func byOrder(rowCount: Int, shares: [(name: String, share: Double)]) throws(Diagnostic) -> [Split] {
    let total = shares.reduce(0) { $0 + $1.share }
    guard shares.allSatisfy({ (0...1).contains($0.share) }), total <= 1 + 1e-9 else {
      throw Diagnostic(.input, "the shares of a split add up to \(NumberText.text(of: total))", hints: ["they may add up to 1"])
    }
    var start = 0
    var sum = 0.0
    return shares.enumerated().map { index, part in
      sum += part.share
      // The small term keeps 0.1 + 0.2 from losing a row.
      let end = index == shares.count - 1 ? rowCount : min(rowCount, Int(Double(rowCount) * sum + 1e-9))
      defer { start = end }
      return Split(name: part.name, rows: Array(start..<end))
    }
  }

  /// Parts by time: a row goes to the last part that begins at or before it. Rows before the first part go nowhere.
  ///
  /// - Parameters:
  ///   - times: seconds since 1970, one a row, in any order.
  ///   - starts: where each part begins, ascending.
  package static func byTime(_ times: [Int64], starts: [(name: String, from: Int64)]) throws(Diagnostic) -> [Split] {
    for (earlier, later) in zip(starts, starts.dropFirst()) where earlier.from > later.from {
      throw Diagnostic(
        .input, "split `\(later.name)` begins before `\(earlier.name)`", hints: ["put the splits in order of time"])
    }
    var parts = starts.map { Split(name: $0.name, rows: []) }
    for (row, time) in times.enumerated() {
      guard let part = starts.lastIndex(where: { $0.from <= time }) else { continue }
      parts[part].rows.append(row)
    }
    return parts
  }
}
