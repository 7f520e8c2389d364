// Numbers that a time alone gives.
// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import FeatureStore

@Suite struct CalendarPartTests {
  // 2026-03-01 is a Sunday; sines and cosines from numpy: round(sin(2*pi*8.25/24), 6) and cos.
  @Test(
    arguments: [
      (CalendarPart.hour, 8), (.minuteOfDay, 495), (.hourSin, 0.83147), (.hourCos, -0.55557), (.weekday, 6), (.isWeekend, 1),
      (.isHoliday, 0),
    ] as [(CalendarPart, Double)])
  func `a Sunday morning`(part: CalendarPart, value: Double) {
    #expect(part.value(at: 1_772_352_900, holidays: [20_512]) == value)
  }

  @Test func `a holiday lasts from midnight to midnight`() {
    let day: Int64 = 20_513  // 2026-03-01
    #expect(CalendarPart.isHoliday.value(at: day * 86_400, holidays: [day]) == 1)
    #expect(CalendarPart.isHoliday.value(at: day * 86_400 + 86_399, holidays: [day]) == 1)
    #expect(CalendarPart.isHoliday.value(at: day * 86_400 + 86_400, holidays: [day]) == 0)
  }
}
