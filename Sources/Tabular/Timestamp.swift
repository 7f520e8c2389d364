// Times as text (RFC 3339, UTC) and as whole seconds since 1970, exactly and without locale.
// SPDX-License-Identifier: Apache-2.0

/// RFC 3339 times to and from seconds since 1970-01-01T00:00:00Z, in the proleptic Gregorian calendar.
package enum Timestamp {
  package static let secondsPerDay: Int64 = 86_400

  /// `2026-03-01T08:15:00Z`; years 0 to 9999.
  package static func text(_ epochSeconds: Int64) -> String {
    var bytes = [UInt8]()
    append(epochSeconds, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the text of a time.
  package static func append(_ epochSeconds: Int64, to bytes: inout [UInt8]) {
    let day = startOfDay(epochSeconds) / secondsPerDay
    let second = epochSeconds - day * secondsPerDay
    let date = civilDate(daysSince1970: day)
    appendPadded(date.year, 4, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    appendPadded(Int64(date.month), 2, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    appendPadded(Int64(date.day), 2, to: &bytes)
    bytes.append(UInt8(ascii: "T"))
    appendPadded(second / 3600, 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    appendPadded(second / 60 % 60, 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    appendPadded(second % 60, 2, to: &bytes)
    bytes.append(UInt8(ascii: "Z"))
  }

  /// Reads `2026-03-01T08:15:00Z`, also with `t`, `z`, a blank for `T`, an offset as `+02:00`, and a fraction of the second, which
  /// is cut off; a date alone is its midnight. `nil` when the text is no such time (the 30th of February is none).
  package static func epochSeconds(_ text: String) -> Int64? {
    var text = text
    return text.withUTF8 { epochSeconds($0) }
  }

  package static func epochSeconds(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    guard bytes.count >= 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
      let year = number(bytes, 0, 4), let month = number(bytes, 5, 2), let day = number(bytes, 8, 2),
      (1...12).contains(month), day >= 1, day <= daysIn(month: month, year: year)
    else { return nil }
    let midnight = daysSince1970(year: year, month: month, day: day) * secondsPerDay
    if bytes.count == 10 { return midnight }
    guard bytes.count >= 20, [UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " ")].contains(bytes[10]),
      let second = secondOfDay(UnsafeBufferPointer(rebasing: bytes[11..<19]))
    else { return nil }
    var position = 19
    if bytes[position] == UInt8(ascii: ".") {
      position += 1
      let start = position
      while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
      guard position > start, position < bytes.count else { return nil }
    }
    guard let offset = offset(bytes, at: position) else { return nil }
    return midnight + second - offset
  }

  /// Seconds after midnight of `08:15` or `08:15:00`; `nil` when it is neither.
  package static func secondOfDay(_ text: String) -> Int64? {
    var text = text
    return text.withUTF8 { secondOfDay($0) }
  }

  private static func secondOfDay(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    guard bytes.count == 5 || bytes.count == 8, bytes[2] == UInt8(ascii: ":"),
      let hour = number(bytes, 0, 2), let minute = number(bytes, 3, 2), hour < 24, minute < 60
    else { return nil }
    var second: Int64 = 0
    if bytes.count == 8 {
      guard bytes[5] == UInt8(ascii: ":"), let value = number(bytes, 6, 2), value < 60 else { return nil }
      second = value
    }
    return hour * 3600 + minute * 60 + second
  }

  /// Seconds east of Greenwich; the text must end with it.
  private static func offset(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) -> Int64? {
    let sign = bytes[position]
    if sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") { return position + 1 == bytes.count ? 0 : nil }
    guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), bytes.count == position + 6,
      bytes[position + 3] == UInt8(ascii: ":"), let hour = number(bytes, position + 1, 2),
      let minute = number(bytes, position + 4, 2), hour < 24, minute < 60
    else { return nil }
    return (sign == UInt8(ascii: "-") ? -1 : 1) * (hour * 3600 + minute * 60)
  }

  /// Midnight UTC at or before a time.
  package static func startOfDay(_ epochSeconds: Int64) -> Int64 {
    let part = epochSeconds % secondsPerDay
    return epochSeconds - (part < 0 ? part + secondsPerDay : part)
  }

  /// Day of the week, 0 is Monday.
  package static func weekday(_ epochSeconds: Int64) -> Int {
    let day = startOfDay(epochSeconds) / secondsPerDay
    let part = (day + 3) % 7
    return Int(part < 0 ? part + 7 : part)
  }

  /// Days from 1970-01-01 to a date. Source: Hinnant, "chrono-compatible low-level date algorithms", 2013.
  package static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// The date that lies so many days after 1970-01-01. Source as above.
  package static func civilDate(daysSince1970 days: Int64) -> (year: Int64, month: Int, day: Int) {
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), Int(month), Int(dayOfYear - (153 * shifted + 2) / 5 + 1))
  }

  private static func daysIn(month: Int64, year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  private static func number(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int) -> Int64? {
    var value: Int64 = 0
    for index in start..<(start + count) {
      let digit = bytes[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value * 10 + Int64(digit)
    }
    return value
  }

  private static func appendPadded(_ value: Int64, _ width: Int, to bytes: inout [UInt8]) {
    var divisor: Int64 = 1
    for _ in 1..<width { divisor *= 10 }
    while divisor > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
      divisor /= 10
    }
  }
}
