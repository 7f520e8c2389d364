// Round numbers along an axis.
// SPDX-License-Identifier: Apache-2.0
import Reporting
import Testing

@Suite struct TicksTests {
  @Test func `ticks are multiples of one, two or five`() {
    #expect(Ticks(from: 0, to: 10, count: 5).values == [0, 2, 4, 6, 8, 10])
    // Their distance is no finite number.
    #expect(Ticks(from: -1.7e308, to: 1.7e308, count: 5).values == [-1.7e308])
    #expect(Ticks.roundedRange(from: -1.7e308, to: 1.7e308, count: 5) == -1.7e308...1.7e308)
    #expect(Ticks(from: 1.5, to: 4.1, count: 6).values == [1.5, 2, 2.5, 3, 3.5, 4])
    #expect(Ticks(from: -7, to: 93, count: 5).values == [0, 20, 40, 60, 80])
    #expect(Ticks(from: 0, to: 0.3, count: 3).values == [0, 0.1, 0.2, 0.3])
    #expect(Ticks(from: 1_200, to: 8_700, count: 4).values == [2_000, 4_000, 6_000, 8_000])
  }

  @Test func `either order of the ends gives the same ticks`() {
    #expect(Ticks(from: 10, to: 0, count: 5) == Ticks(from: 0, to: 10, count: 5))
  }

  @Test func `labels have the decimals of the step`() {
    let ticks = Ticks(from: 0.88, to: 0.92, count: 4)
    #expect(ticks.values.map(ticks.label) == ["0.88", "0.89", "0.90", "0.91", "0.92"])
    let large = Ticks(from: 0, to: 20_000, count: 4)
    #expect(large.values.map(large.label) == ["0", "5,000", "10,000", "15,000", "20,000"])
  }

  @Test func `one value, no number and hopeless ranges are borne`() {
    #expect(Ticks(from: 3, to: 3, count: 5).values == [3])
    #expect(Ticks(from: .nan, to: 1, count: 5).values == [])
    #expect(Ticks(from: 1e300, to: 1.0000000001e300, count: 5).values == [1e300])
    #expect(Ticks.roundedRange(from: 5, to: 5, count: 4) == 4...6)
  }

  @Test func `a range is widened to whole steps`() {
    #expect(Ticks.roundedRange(from: 0.13, to: 9.7, count: 5) == 0...10)
    #expect(Ticks.roundedRange(from: -1.2, to: 3.4, count: 5) == -2...4)
    #expect(Ticks.roundedRange(from: 0.885, to: 0.913, count: 4) == 0.88...0.92)
  }
}
