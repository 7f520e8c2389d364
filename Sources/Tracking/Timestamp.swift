// A moment in UTC, to the millisecond, and its text.
// SPDX-License-Identifier: Apache-2.0

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted. Valid for the years 0000 to 9999.
package struct Timestamp: Hashable, Comparable, Sendable {
  package var milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// RFC 3339 with milliseconds: `2026-11-21T09:30:12.345Z`. Texts sort as the moments do.
  package var text: String {
    let (date, time) = parts
    return "\(padded(date.year, 4))-\(padded(date.month))-\(padded(date.day))T"
      + "\(padded(time.hour)):\(padded(time.minute)):\(padded(time.second)).\(padded(time.millisecond, 3))Z"
  }

  /// ISO 8601 without separators, fit for a file name: `20261121T093012.345Z`.
  package var compactText: String { text.filter { $0 != "-" && $0 != ":" } }

  /// Reads `2026-11-21`, `2026-11-21T09:30:12Z` or the same with a fraction; digits past the third are dropped.
  package init?(text: String) {
    let bytes = Array(text.utf8)
    func number(_ from: Int, _ count: Int) -> Int? {
      guard bytes.count >= from + count else { return nil }
      let digits = bytes[from..<from + count]
      return digits.allSatisfy { (48...57).contains($0) } ? digits.reduce(0) { $0 * 10 + Int($1) - 48 } : nil
    }
    guard let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), bytes[4] == 45, bytes[7] == 45,
      (1...12).contains(month), (1...daysInMonth(year, month)).contains(day)
    else { return nil }
    let midnight = Int64(dayNumber(year, month, day)) * 86_400_000
    if bytes.count == 10 {
      self.init(milliseconds: midnight)
      return
    }
    guard let hour = number(11, 2), let minute = number(14, 2), let second = number(17, 2), bytes.last == 90,
      bytes[10] == 84, bytes[13] == 58, bytes[16] == 58, hour < 24, minute < 60, second < 60
    else { return nil }
    let fraction = bytes[19..<bytes.count - 1]
    guard fraction.isEmpty || (fraction.first == 46 && fraction.count > 1) else { return nil }
    let digits = fraction.dropFirst()
    guard digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
    let thousandths = (Array(digits.prefix(3)) + [48, 48, 48]).prefix(3).reduce(0) { $0 * 10 + Int64($1) - 48 }
    self.init(milliseconds: midnight + Int64((hour * 60 + minute) * 60 + second) * 1000 + thousandths)
  }

  package static func < (a: Timestamp, b: Timestamp) -> Bool { a.milliseconds < b.milliseconds }

  private var parts: (date: (year: Int, month: Int, day: Int), time: (hour: Int, minute: Int, second: Int, millisecond: Int)) {
    let day = Int((milliseconds >= 0 ? milliseconds : milliseconds - 86_399_999) / 86_400_000)
    let rest = Int(milliseconds - Int64(day) * 86_400_000)
    return (civilDate(day), (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000))
  }
}

private func padded(_ number: Int, _ width: Int = 2) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

private func daysInMonth(_ year: Int, _ month: Int) -> Int {
  let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
///
/// Source: Hinnant, "chrono-compatible low-level date algorithms", 2013: years begin in March, eras last 400 years.
private func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int {
  let year = month <= 2 ? year - 1 : year
  let era = (year >= 0 ? year : year - 399) / 400
  let yearOfEra = year - era * 400
  let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
  return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}

/// The inverse of `dayNumber`.
private func civilDate(_ dayNumber: Int) -> (year: Int, month: Int, day: Int) {
  let shifted = dayNumber + 719_468
  let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
  let dayOfEra = shifted - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let marchMonth = (5 * dayOfYear + 2) / 153
  let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
}
