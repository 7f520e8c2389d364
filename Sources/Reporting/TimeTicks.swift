// Ticks at hours, days, weeks, months and years that a person would choose.
// SPDX-License-Identifier: Apache-2.0

/// A day of the calendar without a library: proleptic Gregorian, UTC.
struct CivilDate: Equatable, Comparable {
  var year: Int
  /// 1...12
  var month: Int
  var day: Int

  init(_ year: Int, _ month: Int, _ day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// Source: Hinnant, "chrono-compatible low-level date algorithms", 2013.
  init(daysSince1970 days: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let ofEra = shifted - era * 146_097
    let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * ofYear + 2) / 153
    day = ofYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  var daysSince1970: Int {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let ofEra = shiftedYear - era * 400
    let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
  }

  var seconds: Double { Double(daysSince1970) * 86_400 }

  static func < (a: CivilDate, b: CivilDate) -> Bool { (a.year, a.month, a.day) < (b.year, b.month, b.day) }

  static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
  var monthName: String { Self.months[month - 1] }
}

enum TimeTicks {
  private enum Step: Equatable {
    case seconds(Int)
    case days(Int)
    case months(Int)
    case years(Int)

    /// Roughly, in seconds.
    var length: Double {
      switch self {
      case .seconds(let count): Double(count)
      case .days(let count): Double(count) * 86_400
      case .months(let count): Double(count) * 2_629_746
      case .years(let count): Double(count) * 31_556_952
      }
    }
  }

  private static let steps: [Step] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200].map { .seconds($0) }
    + [1, 2, 7, 14].map { .days($0) } + [1, 2, 3, 6].map { .months($0) }
    + [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000].map { .years($0) }

  /// - Parameters:
  ///   - range: seconds since 1970.
  ///   - count: about the most that are wanted.
  static func ticks(_ range: ClosedRange<Double>, count: Int) -> [AxisTick] {
    let (low, high) = (range.lowerBound, range.upperBound)
    guard low.isFinite, high.isFinite, low > -6e10, high < 3e11 else { return [] }
    let wanted = (high - low) / Double(max(1, count))
    let step = steps.first { $0.length >= wanted * (1 - 1e-9) } ?? .years(1_000)
    return labelled(values(step, low, high), step)
  }

  private static func values(_ step: Step, _ low: Double, _ high: Double) -> [Double] {
    switch step {
    case .seconds(let count):
      let width = Double(count)
      return multiples(from: low, to: high, by: width, offset: 0)
    // Weeks begin on Mondays; 5 January 1970 was one.
    case .days(let count):
      let width = Double(count) * 86_400
      return multiples(from: low, to: high, by: width, offset: count % 7 == 0 ? 4 * 86_400 : 0)
    case .months(let count): return months(by: count, low, high)
    case .years(let count): return months(by: 12 * count, low, high)
    }
  }

  private static func multiples(from low: Double, to high: Double, by width: Double, offset: Double) -> [Double] {
    let first = Int(((low - offset) / width - 1e-9).rounded(.up))
    let last = Int(((high - offset) / width + 1e-9).rounded(.down))
    return first <= last ? (first...last).map { Double($0) * width + offset } : []
  }

  private static func months(by count: Int, _ low: Double, _ high: Double) -> [Double] {
    let begin = CivilDate(daysSince1970: Int((low / 86_400).rounded(.down)))
    var index = (begin.year * 12 + begin.month - 1) / count * count
    var found: [Double] = []
    while true {
      let value = CivilDate(index / 12, index % 12 + 1, 1).seconds
      if value > high { return found }
      if value >= low { found.append(value) }
      index += count
    }
  }

  private static func labelled(_ values: [Double], _ step: Step) -> [AxisTick] {
    var last = ""
    return values.map { value in
      let (label, context) = words(value, step)
      defer { last = context }
      return AxisTick(value: value, label: label, context: context == last || context.isEmpty ? nil : context)
    }
  }

  private static func words(_ value: Double, _ step: Step) -> (label: String, context: String) {
    let days = (value / 86_400).rounded(.down)
    let date = CivilDate(daysSince1970: Int(days))
    switch step {
    case .seconds(let count):
      let seconds = Int((value - days * 86_400).rounded())
      let clock = twoDigits(seconds / 3_600) + ":" + twoDigits(seconds / 60 % 60)
      return (count < 60 ? clock + ":" + twoDigits(seconds % 60) : clock, "\(date.day) \(date.monthName) \(date.year)")
    case .days: return ("\(date.day) \(date.monthName)", "\(date.year)")
    case .months: return (date.monthName, "\(date.year)")
    case .years: return ("\(date.year)", "")
    }
  }

  private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

  /// Seconds since 1970 of `2026-03-14`, `2026-03`, `2026-03-14T09:30:00Z`, with a space for the `T`, fractions and offsets.
  package static func seconds(iso text: String) -> Double? {
    let bytes = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int? {
      guard range.upperBound <= bytes.count else { return nil }
      var value = 0
      for index in range {
        guard (0x30...0x39).contains(bytes[index]) else { return nil }
        value = value * 10 + Int(bytes[index] - 0x30)
      }
      return value
    }
    func has(_ character: Character, at index: Int) -> Bool { index < bytes.count && bytes[index] == character.asciiValue }
    guard bytes.count >= 7, let year = number(0..<4), has("-", at: 4), let month = number(5..<7), (1...12).contains(month) else {
      return nil
    }
    if bytes.count == 7 { return CivilDate(year, month, 1).seconds }
    guard has("-", at: 7), let day = number(8..<10), (1...31).contains(day) else { return nil }
    let date = CivilDate(year, month, day)
    guard CivilDate(daysSince1970: date.daysSince1970) == date else { return nil }
    if bytes.count == 10 { return date.seconds }
    guard has("T", at: 10) || has(" ", at: 10), let hour = number(11..<13), hour < 24, has(":", at: 13),
      let minute = number(14..<16), minute < 60
    else { return nil }
    var seconds = Double(hour * 3_600 + minute * 60)
    var index = 16
    if has(":", at: 16), let whole = number(17..<19), whole < 61 {
      seconds += Double(whole)
      index = 19
      if has(".", at: 19) {
        index = 20
        var unit = 0.1
        while index < bytes.count, let digit = number(index..<index + 1) {
          seconds += Double(digit) * unit
          unit /= 10
          index += 1
        }
      }
    }
    if index == bytes.count || (has("Z", at: index) && index + 1 == bytes.count) { return date.seconds + seconds }
    guard has("+", at: index) || has("-", at: index), let hours = number(index + 1..<index + 3) else { return nil }
    let colon = has(":", at: index + 3) ? 1 : 0
    let minutes = number(index + 3 + colon..<index + 5 + colon) ?? 0
    let offset = Double(hours * 3_600 + minutes * 60) * (has("-", at: index) ? -1 : 1)
    return date.seconds + seconds - offset
  }
}
