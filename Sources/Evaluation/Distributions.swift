// The laws that intervals and tests are read from: normal, Student's t, binomial.
// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The standard normal law.
enum NormalLaw {
  /// Chance of a value at least as far from 0 as `z`, on either side.
  static func twoSided(_ z: Double) -> Double { erfc(abs(z) / 2.0.squareRoot()) }

  /// The value below which a share of all lies; infinite at 0 and 1.
  ///
  /// Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", 1988 (PPND16).
  static func quantile(_ share: Double) -> Double {
    guard share > 0 else { return share == 0 ? -.infinity : .nan }
    guard share < 1 else { return share == 1 ? .infinity : .nan }
    let q = share - 0.5
    if abs(q) <= 0.425 {
      let r = 0.180625 - q * q
      return q * ratio(r, central)
    }
    let tail = (-log(q < 0 ? share : 1 - share)).squareRoot()
    let value = tail <= 5 ? ratio(tail - 1.6, middle) : ratio(tail - 5, far)
    return q < 0 ? -value : value
  }

  private typealias Pair = (above: [Double], below: [Double])

  private static func ratio(_ x: Double, _ pair: Pair) -> Double {
    pair.above.reversed().reduce(0) { $0 * x + $1 } / pair.below.reversed().reduce(0) { $0 * x + $1 }
  }

  private static let central: Pair = (
    [
      3.387_132_872_796_366_608, 133.141_667_891_784_377_45, 1971.590_950_306_551_442_7, 13731.693_765_509_461_125,
      45921.953_931_549_871_457, 67265.770_927_008_700_853, 33430.575_583_588_128_105, 2509.080_928_730_122_672_7,
    ],
    [
      1, 42.313_330_701_600_911_252, 687.187_007_492_057_908_3, 5394.196_021_424_751_107_7, 21213.794_301_586_595_867,
      39307.895_800_092_710_61, 28729.085_735_721_942_674, 5226.495_278_852_854_561,
    ]
  )
  private static let middle: Pair = (
    [
      1.423_437_110_749_683_577_34, 4.630_337_846_156_545_295_9, 5.769_497_221_460_691_405_5, 3.647_848_324_763_204_605_04,
      1.270_458_252_452_368_382_58, 0.241_780_725_177_450_611_77, 0.022_723_844_989_269_184_583_3, 7.745_450_142_783_414_076_4e-4,
    ],
    [
      1, 2.053_191_626_637_758_821_87, 1.676_384_830_183_803_849_4, 0.689_767_334_985_100_004_55, 0.148_103_976_427_480_074_59,
      0.015_198_666_563_616_457_197, 5.475_938_084_995_344_946e-4, 1.050_750_071_644_416_843_24e-9,
    ]
  )
  private static let far: Pair = (
    [
      6.657_904_643_501_103_777_2, 5.463_784_911_164_114_369_9, 1.784_826_539_917_291_335_8, 0.296_560_571_828_504_891_23,
      0.026_532_189_526_576_123_093, 0.001_242_660_947_388_078_438_6, 2.711_555_568_743_487_578_15e-5,
      2.010_334_399_292_288_132_65e-7,
    ],
    [
      1, 0.599_832_206_555_887_937_69, 0.136_929_880_922_735_805_31, 0.014_875_361_290_850_615_025, 7.868_691_311_456_132_591e-4,
      1.846_318_317_510_054_681_8e-5, 1.421_511_758_316_445_888_7e-7, 2.044_263_103_389_939_785_64e-15,
    ]
  )
}

/// Student's law.
enum StudentLaw {
  /// Chance of a value at least as far from 0 as `t`, on either side.
  static func twoSided(_ t: Double, freedom: Double) -> Double {
    guard t.isFinite else { return t.isNaN ? .nan : 0 }
    return incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5)
  }

  /// The value that a share of all, in 0.5..<1, lies below.
  static func quantile(_ share: Double, freedom: Double) -> Double {
    let wanted = 2 * (1 - share)
    var (low, high) = (0.0, 1.0)
    while twoSided(high, freedom: freedom) > wanted { high *= 2 }
    for _ in 0..<200 where high - low > 1e-15 * high {
      let middle = (low + high) / 2
      if twoSided(middle, freedom: freedom) > wanted { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}

/// Chance of at most `hits` heads in `count` throws of a fair coin.
func fairCoin(atMost hits: Int, of count: Int) -> Double {
  guard hits >= 0 else { return 0 }
  guard hits < count else { return 1 }
  return incompleteBeta(0.5, Double(count - hits), Double(hits + 1))
}

/// The regularised incomplete beta function I_x(a, b), a and b above 0.
///
/// Source: continued fraction 26.5.8 of Abramowitz and Stegun, evaluated by Lentz's method as modified by Thompson and Barnett, 1986.
func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
  guard x > 0 else { return 0 }
  guard x < 1 else { return 1 }
  // The fraction converges fast on this side of the mean.
  if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
  let front = exp(a * log(x) + b * log1p(-x) - logBeta(a, b)) / a
  var c = 1.0
  var d = 1 / nonzero(1 - (a + b) * x / (a + 1))
  var fraction = d
  for step in 1...100_000 {
    let m = Double(step)
    let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / nonzero(1 + even * d)
    c = nonzero(1 + even / c)
    fraction *= d * c
    let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / nonzero(1 + odd * d)
    c = nonzero(1 + odd / c)
    let factor = d * c
    fraction *= factor
    if abs(factor - 1) < 1e-16 { break }
  }
  return front * fraction
}

private func nonzero(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }

/// log B(a, b). Above 10 by what is left of Stirling's series, whose large parts cancel here exactly instead of by rounding.
private func logBeta(_ a: Double, _ b: Double) -> Double {
  let (small, large) = (min(a, b), max(a, b))
  if small >= 10 {
    let rest = stirlingRest(small) + stirlingRest(large) - stirlingRest(small + large)
    return -0.5 * log(large) + 0.918_938_533_204_672_741_78 + rest + (small - 0.5) * log(small / (small + large))
      - large * log1p(small / large)
  }
  if large >= 10 {
    // lgamma(large) - lgamma(large + small) without the difference of two large numbers.
    let rest = stirlingRest(large) - stirlingRest(small + large)
    let difference = rest + small - small * log(small + large) - (large - 0.5) * log1p(small / large)
    return lgamma(small) + difference
  }
  return lgamma(small) + lgamma(large) - lgamma(small + large)
}

/// log Γ(x) less Stirling's formula, x from 10. Source: Abramowitz and Stegun, 6.1.41.
private func stirlingRest(_ x: Double) -> Double {
  let square = 1 / (x * x)
  let series = [1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360_360, 1.0 / 156]
  return series.reversed().reduce(0) { $0 * square + $1 } / x
}
