// Numbers that a time alone gives.
// SPDX-License-Identifier: Apache-2.0
import Glibc
import Tabular

/// What a calendar feature takes from a time (UTC).
package enum CalendarPart: String, Codable, Sendable, CaseIterable {
  /// 0...23, and the minutes since midnight, 0...1439.
  case hour
  case minuteOfDay = "minute_of_day"
  /// The time of day as a point on a circle, so that 23:59 lies beside 00:00; six decimals.
  case hourSin = "hour_sin"
  case hourCos = "hour_cos"
  /// 0 is Monday.
  case weekday
  case isWeekend = "is_weekend"
  case isHoliday = "is_holiday"

  /// - Parameters:
  ///   - epochSeconds: the time.
  ///   - holidays: days since 1970.
  package func value(at epochSeconds: Int64, holidays: Set<Int64>) -> Double {
    let midnight = Timestamp.startOfDay(epochSeconds)
    let second = epochSeconds - midnight
    let angle = 2 * Double.pi * Double(second) / Double(Timestamp.secondsPerDay)
    switch self {
    case .hour: return Double(second / 3600)
    case .minuteOfDay: return Double(second / 60)
    case .hourSin: return FeatureRounding.rounded(sin(angle))
    case .hourCos: return FeatureRounding.rounded(cos(angle))
    case .weekday: return Double(Timestamp.weekday(epochSeconds))
    case .isWeekend: return Timestamp.weekday(epochSeconds) >= 5 ? 1 : 0
    case .isHoliday: return holidays.contains(midnight / Timestamp.secondsPerDay) ? 1 : 0
    }
  }
}

/// Computed features have six decimals: last-bit differences of mathematical libraries vanish, and files stay small.
package enum FeatureRounding {
  package static func rounded(_ value: Double) -> Double {
    let scaled = (value * 1e6).rounded()
    return scaled.magnitude < 1e15 ? scaled / 1e6 : value
  }
}
