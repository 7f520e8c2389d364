// What may be said of a difference.
// SPDX-License-Identifier: Apache-2.0
import Evaluation
import Reporting
import Testing

@Suite struct MetricChangeTests {
  private func estimate(
    _ value: Double, _ low: Double?, _ high: Double?, better: String = "lower", name: String = "mae", level: Double? = 0.95
  ) -> MetricEstimate {
    MetricEstimate(name: name, label: name, value: value, low: low, high: high, level: level, better: better, unit: "")
  }

  // Bounds from Zou and Donner's formula, computed in Python.
  @Test func `the interval of a difference joins both intervals`() throws {
    let change = MetricChange(estimate(2.1, 2.08, 2.13), against: estimate(2.19, 2.165, 2.214))
    #expect(abs(try #require(change.low) - -0.1212409987) < 1e-9)
    #expect(abs(try #require(change.high) - -0.0509487516) < 1e-9)
    #expect(change.reading == .better)
    #expect(!change.isPaired)
  }

  @Test func `an interval that holds zero is no evidence`() {
    let change = MetricChange(estimate(2.9, 2.87, 2.95), against: estimate(2.94, 2.9, 2.98))
    #expect(change.reading == .noEvidence)
  }

  @Test func `overlapping intervals may still show a change`() {
    // 2.10–2.14 and 2.13–2.17 overlap; the difference −0.03 has the bounds −0.0583 and −0.0017.
    let change = MetricChange(estimate(2.12, 2.10, 2.14), against: estimate(2.15, 2.13, 2.17))
    #expect(change.reading == .better)
  }

  @Test func `more is better where it is`() {
    #expect(MetricChange(estimate(0.9, 0.89, 0.91, better: "higher"), against: estimate(0.8, 0.79, 0.81)).reading == .better)
    #expect(MetricChange(estimate(0.7, 0.69, 0.71, better: "higher"), against: estimate(0.8, 0.79, 0.81)).reading == .worse)
    #expect(MetricChange(estimate(0.9, 0.89, 0.91), against: estimate(0.8, 0.79, 0.81)).reading == .worse)
  }

  @Test func `coverage is better when it is nearer to its name`() {
    let reference = estimate(0.8811, 0.8776, 0.8845)
    #expect(
      MetricChange(estimate(0.9011, 0.8976, 0.9045, better: "target", name: "coverage_90"), against: reference).reading == .better
    )
    #expect(
      MetricChange(estimate(0.9611, 0.9576, 0.9645, better: "target", name: "coverage_90"), against: reference).reading == .worse)
    #expect(MetricChange(estimate(0.9611, 0.9576, 0.9645, better: "target", name: "share"), against: reference).reading == .moved)
  }

  @Test func `bias is better when it is nearer to nothing`() {
    let reference = estimate(-0.5, -0.55, -0.45)
    #expect(MetricChange(estimate(0.2, 0.15, 0.25, better: "target", name: "bias"), against: reference).reading == .better)
  }

  @Test func `without intervals of one level there is no judgement`() {
    #expect(MetricChange(estimate(1, nil, nil), against: estimate(2, 1.9, 2.1)).reading == nil)
    #expect(MetricChange(estimate(1, 0.9, 1.1, level: 0.9), against: estimate(2, 1.9, 2.1)).reading == nil)
    #expect(MetricChange(estimate(1, 0.9, 1.1, level: nil), against: estimate(2, 1.9, 2.1, level: nil)).reading == nil)
  }

  @Test func `the same value is no difference`() {
    #expect(MetricChange(estimate(1, nil, nil), against: estimate(1, nil, nil)).reading == .same)
  }

  @Test func `a paired difference is taken as it is`() {
    let pair = PairedDifference(
      metric: "mae", difference: -0.01, low: -0.015, high: -0.005, level: 0.95, rows: 100, method: "paired bootstrap")
    let change = MetricChange(estimate(2.1, 2.0, 2.2), paired: pair)
    #expect(change.isPaired)
    #expect(change.reading == .better)
    #expect(change.low == -0.015)
  }
}
