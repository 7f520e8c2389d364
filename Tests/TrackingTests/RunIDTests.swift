// Moments, their texts, and names of runs.
// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing
import Tracking

// date -u -d @SECONDS +%FT%TZ
@Test(
  arguments: [
    (1_795_253_412_345, "2026-11-21T09:30:12.345Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
    (-1, "1969-12-31T23:59:59.999Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    (-11_644_473_600_000, "1601-01-01T00:00:00.000Z"), (0, "1970-01-01T00:00:00.000Z"),
  ] as [(Int64, String)])
func `a moment has the text that date gives, and is read from it`(_ milliseconds: Int64, _ text: String) {
  #expect(Timestamp(milliseconds: milliseconds).text == text)
  #expect(Timestamp(text: text)?.milliseconds == milliseconds)
}

@Test func `a date alone, whole seconds and long fractions are read too`() {
  #expect(Timestamp(text: "2026-11-21")?.text == "2026-11-21T00:00:00.000Z")
  #expect(Timestamp(text: "2026-11-21T09:30:12Z")?.text == "2026-11-21T09:30:12.000Z")
  #expect(Timestamp(text: "2026-11-21T09:30:12.5Z")?.text == "2026-11-21T09:30:12.500Z")
  #expect(Timestamp(text: "2026-11-21T09:30:12.123456Z")?.text == "2026-11-21T09:30:12.123Z")
}

@Test(arguments: [
  "", "2026", "2026-13-01", "2026-02-29", "2026-11-21T09:30", "2026-11-21T24:00:00Z", "2026-11-21T09:30:12",
  "2026-11-21T09:30:12+01:00", "2026-11-21T09:30:12.Z", "2026/11/21", "2026-11-21 09:30:12Z",
])
func `what is no moment in UTC is not read`(_ text: String) {
  #expect(Timestamp(text: text) == nil)
}

@Test func `the name of a run is its start and six digits of chance`() {
  #expect(RunID(at: Timestamp(milliseconds: 1_795_253_412_345), random: 0xFF3F_9A1C).text == "20261121T093012.345Z-3f9a1c")
  #expect(RunID(at: Timestamp(milliseconds: 1_795_253_412_000), random: 5).text == "20261121T093012.000Z-000005")
}

@Test func `names of runs sort as their starts do`() {
  var generator = SeededGenerator(seed: 7)
  let starts = (0..<500).map { _ in Int64.random(in: 0..<4_000_000_000_000, using: &generator) }
  let names = starts.sorted().map { RunID(at: Timestamp(milliseconds: $0), using: &generator) }
  #expect(names == names.sorted())
}
