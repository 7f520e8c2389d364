// Calendar, ticks of time and of logarithms, widths of text.
// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reporting

@Suite struct TimeTicksTests {
  private func ticks(_ from: String, _ to: String, _ count: Int) throws -> [String] {
    let range = try #require(TimeTicks.seconds(iso: from))...(try #require(TimeTicks.seconds(iso: to)))
    return TimeTicks.ticks(range, count: count).map { $0.label + ($0.context.map { "/" + $0 } ?? "") }
  }

  // Seconds by `date -u -d TEXT +%s`.
  @Test(arguments: [
    ("1970-01-01", 0), ("2026-03-14", 1_773_446_400), ("2026-03", 1_772_323_200), ("2024-02-29", 1_709_164_800),
    ("1969-12-31", -86_400), ("2026-03-14T09:30:00Z", 1_773_480_600), ("2026-03-14 09:30:15", 1_773_480_615),
    ("2026-03-14T09:30:00+02:00", 1_773_473_400), ("1900-03-01", -2_203_891_200),
  ]) func `dates become seconds`(text: String, seconds: Double) {
    #expect(TimeTicks.seconds(iso: text) == seconds)
  }

  @Test(arguments: [
    "", "2026", "2026-13", "2026-02-30", "2026-3-14", "x026-03-14", "2026-03-14T25:00", "2026-03-14T09:30:00Q", "12.5",
  ])
  func `what is no date is none`(text: String) {
    #expect(TimeTicks.seconds(iso: text) == nil)
  }

  @Test func `days and years go there and back`() {
    for days in stride(from: -200_000, through: 200_000, by: 997) {
      #expect(CivilDate(daysSince1970: days).daysSince1970 == days)
    }
    #expect(CivilDate(daysSince1970: 20_526) == CivilDate(2026, 3, 14))
  }

  @Test func `hours have their day below the first and below each midnight`() throws {
    #expect(
      try ticks("2026-03-14T05:10:00Z", "2026-03-15T09:00:00Z", 6) == [
        "06:00/14 Mar 2026", "12:00", "18:00", "00:00/15 Mar 2026", "06:00",
      ])
    #expect(
      try ticks("2026-03-14T05:10:02Z", "2026-03-14T05:10:11Z", 5) == [
        "05:10:02/14 Mar 2026", "05:10:04", "05:10:06", "05:10:08", "05:10:10",
      ])
  }

  @Test func `weeks begin on Mondays`() throws {
    #expect(try ticks("2026-03-01", "2026-03-31", 5) == ["2 Mar/2026", "9 Mar", "16 Mar", "23 Mar", "30 Mar"])
  }

  @Test func `months have their year, years stand alone`() throws {
    #expect(try ticks("2025-10-15", "2026-03-20", 6) == ["Nov/2025", "Dec", "Jan/2026", "Feb", "Mar"])
    #expect(try ticks("2025-01-10", "2026-12-20", 8) == ["Apr/2025", "Jul", "Oct", "Jan/2026", "Apr", "Jul", "Oct"])
    #expect(try ticks("1998-05-01", "2026-05-01", 6) == ["2000", "2005", "2010", "2015", "2020", "2025"])
  }

  @Test func `logarithms are those of a table`() {
    #expect(abs(Logarithm.natural(2) - 0.6931471805599453) < 1e-15)
    #expect(abs(Logarithm.base10(1_000) - 3) < 1e-14)
    #expect(abs(Logarithm.base10(0.000_2) - -3.6989700043360187) < 1e-13)
    #expect(abs(Logarithm.natural(1.4142135623730951) - 0.34657359027997264) < 1e-15)
  }

  @Test func `a logarithmic axis has powers of ten, with twos and fives where there is room`() {
    #expect(LogTicks.ticks(0.5...60, count: 7).map(\.label) == ["0.5", "1", "2", "5", "10", "20", "50"])
    #expect(LogTicks.ticks(0.001...100, count: 7).map(\.label) == ["0.001", "0.01", "0.1", "1", "10", "100"])
    #expect(LogTicks.ticks(1...1e12, count: 5).map(\.label) == ["1", "1,000", "10⁶", "10⁹", "10¹²"])
    #expect(LogTicks.ticks(1e-9...1e-5, count: 7).map(\.label) == ["10⁻⁹", "10⁻⁸", "10⁻⁷", "10⁻⁶", "10⁻⁵"])
  }

  @Test func `half of a logarithmic axis is the geometric mean`() {
    #expect(abs(Chart.Scale.log(1...10_000).share(100) - 0.5) < 1e-12)
    #expect(Chart.Scale.log(1...10).share(0) == 0)
  }

  @Test func `text is measured letter by letter`() {
    // Hundredths of an em at 12.5: i 28, m 97, W 99, 中 105.
    #expect(
      TextWidth.of("iii") == 10.5 && TextWidth.of("mmm") == 36.375 && TextWidth.of("W") == 12.375 && TextWidth.of("中") == 13.125)
    #expect(TextWidth.shortened("temperature_of_the_oven", to: 80) == "tempe…ven")
    #expect(TextWidth.shortened("short", to: 80) == "short")
  }

  @Test func `a thinned line keeps first, lowest, highest and last of each pixel`() {
    let places = [(0.1, 5.0), (0.2, 9), (0.3, 1), (0.4, 4), (1.1, 3), (1.2, 3)].map { (x: $0.0, y: $0.1) }
    #expect(PointBudget.extremes(places).map(\.y) == [5, 9, 1, 4, 3, 3])
    let many = (0..<1_000).map { (x: Double($0) / 100, y: Double($0 % 7)) }
    #expect(PointBudget.extremes(many).count <= 44)
    #expect(PointBudget.thinned(Array(0..<10), to: 4) == [0, 2, 5, 7])
  }
}
