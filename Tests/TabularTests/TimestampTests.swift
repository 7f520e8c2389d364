// Times to and from text, and parts of the rows.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Testing

@testable import Tabular

@Suite struct TimestampTests {
  // Seconds from `date -u -d TEXT +%s`.
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0), ("2026-03-01T08:15:00Z", 1_772_352_900), ("2000-02-29T23:59:59Z", 951_868_799),
    ("1969-12-31T23:59:58Z", -2), ("1900-03-01T00:00:00Z", -2_203_891_200), ("9999-12-31T23:59:59Z", 253_402_300_799),
  ])
  func `a time has one text and reads back`(text: String, seconds: Int) {
    #expect(Timestamp.epochSeconds(text) == Int64(seconds))
    #expect(Timestamp.text(Int64(seconds)) == text)
  }

  @Test(arguments: [
    ("2026-03-01T08:15:00.999Z", 1_772_352_900), ("2026-03-01T10:15:00+02:00", 1_772_352_900),
    ("2026-03-01 08:15:00z", 1_772_352_900), ("2026-03-01", 1_772_323_200),
  ])
  func `other spellings of RFC 3339 are read`(text: String, seconds: Int) {
    #expect(Timestamp.epochSeconds(text) == Int64(seconds))
  }

  @Test(arguments: [
    "", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T08:15:60Z", "2026-03-01T08:15:00",
    "2026-03-01T08:15:00.Z", "2026-03-01T08:15:00+2", "2026-3-1T08:15:00Z", "2026-03-01T08:15:00Zz", "yesterday at noon!",
  ])
  func `what is no time is refused`(text: String) {
    #expect(Timestamp.epochSeconds(text) == nil)
  }

  @Test func `weekdays and midnights hold before 1970 too`() {
    #expect(Timestamp.weekday(0) == 3)
    #expect(Timestamp.weekday(-1) == 2)
    #expect(Timestamp.weekday(1_772_352_900) == 6)
    #expect(Timestamp.startOfDay(-1) == -86_400)
    #expect(Timestamp.startOfDay(1_772_352_900) == 1_772_323_200)
  }

  @Test func `a time of day has hours and minutes and may have seconds`() {
    #expect(Timestamp.secondOfDay("08:15") == 29_700)
    #expect(Timestamp.secondOfDay("23:59:59") == 86_399)
    #expect(Timestamp.secondOfDay("24:00") == nil)
    #expect(Timestamp.secondOfDay("8:15") == nil)
  }
}

@Suite struct SplitTests {
  @Test func `parts by order cut at the floor and the last takes the rest`() throws {
    let parts = try Split.byOrder(rowCount: 11, shares: [("a", 0.1), ("b", 0.2), ("c", 0.5)])
    #expect(parts.map(\.rows) == [[0], [1, 2], [3, 4, 5, 6, 7, 8, 9, 10]])
  }

  @Test func `parts by time begin at their start and rows before the first go nowhere`() throws {
    let parts = try Split.byTime([5, 10, 9, 20, 3], starts: [("a", 5), ("b", 10)])
    #expect(parts == [Split(name: "a", rows: [0, 2]), Split(name: "b", rows: [1, 3])])
  }

  @Test func `parts out of order or too large are refused`() {
    #expect(throws: Diagnostic.self) { try Split.byTime([], starts: [("a", 5), ("b", 4)]) }
    #expect(throws: Diagnostic.self) { try Split.byOrder(rowCount: 3, shares: [("a", 0.6), ("b", 0.6)]) }
  }
}
