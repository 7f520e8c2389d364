// The parts of a series that are told apart: by the table's own windows, or by the calendar.
// SPDX-License-Identifier: Apache-2.0
import Tabular

/// A stretch of the calendar.
enum CalendarUnit: String, CaseIterable {
  case minute, hour, day, week, month, year

  /// Whole units since 1970 up to a time.
  func number(_ seconds: Double) -> Int64 {
    let time = Int64(seconds.rounded(.down))
    let day = Timestamp.startOfDay(time) / Timestamp.secondsPerDay
    switch self {
    case .minute: return Self.floor(time, 60)
    case .hour: return Self.floor(time, 3600)
    case .day: return day
    // The first of January 1970 was a Thursday; weeks begin on Monday.
    case .week: return Self.floor(day + 3, 7)
    case .month:
      let date = Timestamp.civilDate(daysSince1970: day)
      return date.year * 12 + Int64(date.month) - 1
    case .year: return Timestamp.civilDate(daysSince1970: day).year
    }
  }

  /// Seconds since 1970 at which a unit begins.
  func start(_ number: Int64) -> Double {
    switch self {
    case .minute: return Double(number * 60)
    case .hour: return Double(number * 3600)
    case .day: return Double(number * Timestamp.secondsPerDay)
    case .week: return Double((number * 7 - 3) * Timestamp.secondsPerDay)
    case .month:
      let year = Self.floor(number, 12)
      return Double(Timestamp.daysSince1970(year: year, month: number - year * 12 + 1, day: 1) * Timestamp.secondsPerDay)
    case .year: return Double(Timestamp.daysSince1970(year: number, month: 1, day: 1) * Timestamp.secondsPerDay)
    }
  }

  /// `2026-03-14T08:15`, `2026-03-14T08`, `2026-03-14`, `2026-03`, `2026`.
  func label(_ number: Int64) -> String {
    let text = Timestamp.text(Int64(start(number)))
    switch self {
    case .minute: return String(text.prefix(16))
    case .hour: return String(text.prefix(13))
    case .day, .week: return String(text.prefix(10))
    case .month: return String(text.prefix(7))
    case .year: return String(text.prefix(4))
    }
  }

  private static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
    return rest < 0 ? quotient - 1 : quotient
  }

  /// The finest unit of which a span has no more than so many.
  static func fitting(_ from: Double, _ to: Double, atMost count: Int64) -> CalendarUnit {
    allCases.first { $0.number(to) - $0.number(from) < count } ?? .year
  }
}

/// Parts of a backtest, in order of time.
enum BacktestWindows {
  static let maximum = 60

  struct Window {
    var label: String
    /// Of the table that comes with the windows; by time, at least one.
    var rows: Range<Int>
  }

  /// The windows, and the table whose rows stand window by window.
  static func of(_ table: PredictionTable) -> (windows: [Window], table: PredictionTable) {
    if let column = table.windows {
      let parts = RowParts(column.rows, parts: column.names.count)
      var first = [Int](repeating: .max, count: column.names.count)
      for row in column.rows.indices.reversed() { first[Int(column.rows[row])] = row }
      let order = parts.indices.filter { !parts.rows($0).isEmpty }.sorted { first[$0] < first[$1] }
      return (order.map { Window(label: column.names[$0], rows: parts.rows($0)) }, PartedTable(table, parts).table)
    }
    return (byTime(table), table)
  }

  private static func byTime(_ table: PredictionTable) -> [Window] {
    guard let times = table.times, let first = times.values.first, let last = times.values.last else { return [] }
    guard times.isCalendar else { return equalParts(table.count, times) }
    let coarse: [CalendarUnit] = [.day, .week, .month, .year]
    let unit =
      coarse.first { $0.number(last) - $0.number(first) < 15 } ?? CalendarUnit.fitting(first, last, atMost: Int64(maximum))
    var windows: [Window] = []
    var current: Int64?
    for row in 0..<table.count {
      let number = unit.number(times.values[row])
      if number != current {
        windows.append(Window(label: unit.label(number), rows: row..<row))
        current = number
      }
      windows[windows.count - 1].rows = windows[windows.count - 1].rows.lowerBound..<row + 1
    }
    return windows
  }

  /// Ten parts of the steps, named by their first one.
  private static func equalParts(_ count: Int, _ times: TimeColumn) -> [Window] {
    let parts = min(10, count)
    return (0..<parts).map { part in
      let rows = part * count / parts..<(part + 1) * count / parts
      return Window(label: "from \(times.text(times.values[rows.lowerBound]))", rows: rows)
    }
  }
}
