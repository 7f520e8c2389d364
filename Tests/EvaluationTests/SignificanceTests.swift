// Laws and tests against SciPy 1.17 and statsmodels 0.15.
// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Evaluation

private func close(_ a: Double?, _ b: Double, _ tolerance: Double = 1e-12) -> Bool { abs((a ?? .nan) - b) <= tolerance }

private let differences: [Double] = [0.5, -0.2, 0.3, 0.3, -0.1, 0.8, 0, 0.4, -0.3, 0.6]

@Suite struct SignificanceTests {
  /// scipy.stats.norm.ppf
  @Test(arguments: [
    (0.975, 1.959963984540054), (0.6, 0.2533471031357997), (0.001, -3.090232306167813), (1e-12, -7.034483825301131),
  ])
  func `normal quantiles are SciPy's`(share: Double, expected: Double) {
    #expect(close(NormalLaw.quantile(share), expected))
  }

  /// 2 * scipy.stats.t.sf
  @Test(arguments: [
    (2.1, 9.0, 0.06511828241215196), (0.3, 1, 0.8144528418445154), (5, 29999, 5.765317765236128e-07),
    (40, 3, 3.4380680789158506e-05),
  ])
  func `Student's law is SciPy's`(t: Double, freedom: Double, expected: Double) {
    #expect(close(StudentLaw.twoSided(t, freedom: freedom), expected))
  }

  /// scipy.stats.t.ppf(0.975, …)
  @Test(arguments: [(1.0, 12.706204736174694), (9, 2.262157162798205), (99, 1.9842169515864174)])
  func `Student's quantiles are SciPy's`(freedom: Double, expected: Double) {
    #expect(close(StudentLaw.quantile(0.975, freedom: freedom), expected, 1e-11))
  }

  /// statsmodels.stats.contingency_tables.mcnemar(exact=True)
  @Test(arguments: [
    (3, 9, 0.14599609375), (0, 5, 0.0625), (4, 4, 1.0), (120, 160, 0.019606727290281328), (5000, 5300, 0.003215819673645259),
    (0, 0, 1),
  ])
  func `McNemar's exact test is statsmodels', either way round`(a: Int, b: Int, expected: Double) {
    #expect(close(PairedTests.mcnemar(onlyFirst: a, onlySecond: b), expected, 1e-11))
    #expect(PairedTests.mcnemar(onlyFirst: a, onlySecond: b) == PairedTests.mcnemar(onlyFirst: b, onlySecond: a))
  }

  /// scipy.stats.ttest_1samp, scipy.stats.wilcoxon(correction=False, method="asymptotic")
  @Test func `tests of paired differences are SciPy's`() {
    #expect(close(PairedTests.student(differences), 0.0776677235235704))
    #expect(close(PairedTests.wilcoxon(differences), 0.06536424567212028))
    #expect(PairedTests.student([1]) == nil && PairedTests.student([2, 2]) == nil && PairedTests.wilcoxon([0, 0]) == nil)
  }

  /// One step ahead the test is Student's; further, numpy with the formula of Harvey, Leybourne and Newbold.
  @Test func `Diebold and Mariano's test is the formula's`() {
    #expect(close(PairedTests.dieboldMariano(differences, horizon: 1), 0.0776677235235704))
    let slow: [Double] = [0.1, 0.2, 0.4, 0.5, 0.3, 0.1, -0.1, -0.2, 0.0, 0.3, 0.6, 0.5]
    #expect(close(PairedTests.dieboldMariano(slow, horizon: 2), 0.0886432837839371))
    #expect(close(PairedTests.dieboldMariano(slow, horizon: 3), 0.11012577760018627))
    #expect(PairedTests.dieboldMariano([1, 1, 1], horizon: 1) == nil)
  }

  /// statsmodels.stats.multitest.multipletests(method="holm")
  @Test func `Holm's correction is statsmodels', in the order given`() {
    let adjusted = PairedTests.holm([0.01, 0.04, 0.03, 0.005, 0.2])
    #expect(zip(adjusted, [0.04, 0.09, 0.09, 0.025, 0.2]).allSatisfy { close($0, $1) })
  }

  @Test func `Holm's correction keeps the order and never helps`() {
    let seed = UInt64.random(in: 0...99_999)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    for _ in 0..<100 {
      let chances = (0..<Int.random(in: 1...12, using: &random)).map { _ in Double.random(in: 0...1, using: &random) }
      let adjusted = PairedTests.holm(chances)
      #expect(zip(chances, adjusted).allSatisfy { $0 <= $1 && $1 <= 1 })
      for a in chances.indices {
        for b in chances.indices where chances[a] < chances[b] { #expect(adjusted[a] <= adjusted[b]) }
      }
    }
  }

  /// statsmodels.stats.proportion.proportion_confint(method="wilson")
  @Test(arguments: [
    (7.0, 10.0, 0.95, 0.39677814746114537, 0.8922087325936989), (0, 10, 0.9, 0, 0.2129419700834071),
    (12345, 30000, 0.95, 0.40594308102143845, 0.4170795806838034),
  ])
  func `Wilson's interval is statsmodels'`(hits: Double, count: Double, level: Double, low: Double, high: Double) {
    let bounds = wilsonInterval(hits, of: count, level: level)
    #expect(close(bounds?.low, low) && close(bounds?.high, high))
    #expect(wilsonInterval(0, of: 0, level: level) == nil)
  }
}
