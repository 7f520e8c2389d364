// Numbers as text.
// SPDX-License-Identifier: Apache-2.0
import Reporting
import Testing

@Suite struct NumberTextTests {
  @Test(arguments: [
    (0.0, 2, "0.00"), (2.105, 2, "2.11"), (-2.105, 1, "−2.1"), (-0.001, 2, "0.00"), (1_234_567.5, 0, "1,234,568"),
    (0.05, 1, "0.1"), (999.999, 2, "1,000.00"), (.nan, 2, "–"), (-.infinity, 2, "–"), (12, 0, "12"),
  ])
  func `decimals are fixed, halves go away from zero`(value: Double, decimals: Int, text: String) {
    #expect(NumberText.fixed(value, decimals: decimals) == text)
  }

  @Test func `a sign stands before what is not zero`() {
    #expect(NumberText.signed(0.25, decimals: 1) == "+0.3")
    #expect(NumberText.signed(-0.25, decimals: 1) == "−0.3")
    #expect(NumberText.signed(0.0001, decimals: 2) == "0.00")
  }

  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (99_949, "99.9 kB"), (123_456, "123 kB"), (18_240_000, "18.2 MB"),
    (999_600, "1.0 MB"), (2_500_000_000, "2.5 GB"),
  ])
  func `sizes use decimal units`(bytes: Int, text: String) { #expect(NumberText.bytes(bytes) == text) }

  @Test(arguments: [
    (0.083, "83 ms"), (0.9999, "1.0 s"), (4.24, "4.2 s"), (59.96, "1 min 00 s"), (151.4, "2 min 31 s"), (3_840.0, "1 h 04 min"),
  ])
  func `durations use two units at most`(seconds: Double, text: String) {
    #expect(NumberText.duration(seconds: seconds) == text)
  }

  @Test(arguments: [(0.012345, "0.01235"), (2.1043, "2.104"), (12_345.678, "12,346"), (3, "3"), (-0.5, "−0.5"), (1e-12, "0")])
  func `plain numbers have four significant digits`(value: Double, text: String) { #expect(NumberText.plain(value) == text) }

  @Test(arguments: [(1.25, "1.3"), (-1.25, "-1.3"), (3.0, "3"), (0.04, "0"), (-0.04, "0")])
  func `coordinates have one decimal and an ASCII minus`(value: Double, text: String) {
    #expect(NumberText.coordinate(value) == text)
  }
}
