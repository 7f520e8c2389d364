// The laws that the tests of drift are read from: Kolmogorov's and χ².
// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Kolmogorov's limiting law of √n · D.
package enum KolmogorovLaw {
  /// Chance of a value above `x`, x at least 0.
  ///
  /// Source: Kolmogorov 1933; below 1 by the other form of the theta function, which converges there.
  package static func above(_ x: Double) -> Double {
    guard x > 0 else { return 1 }
    if x < 1 {
      let scale = -Double.pi * Double.pi / (8 * x * x)
      var sum = 0.0
      for k in stride(from: 1.0, through: 19, by: 2) { sum += exp(scale * k * k) }
      return 1 - (2 * Double.pi).squareRoot() / x * sum
    }
    var sum = 0.0
    for k in 1...20 {
      let term = exp(-2 * Double(k * k) * x * x)
      sum += k % 2 == 1 ? term : -term
    }
    return min(1, max(0, 2 * sum))
  }
}

/// The χ² law.
package enum ChiSquareLaw {
  /// Chance of a value above `x`; `freedom` at least 1.
  package static func above(_ x: Double, freedom: Int) -> Double {
    guard x > 0 else { return 1 }
    return upperGamma(Double(freedom) / 2, x / 2)
  }

  /// The regularised upper incomplete gamma function Q(a, x), a above 0.
  ///
  /// Source: Abramowitz and Stegun, 6.5.29 (series) and 6.5.31 (continued fraction, by Lentz's method).
  static func upperGamma(_ a: Double, _ x: Double) -> Double {
    let front = exp(-x + a * log(x) - lgamma(a))
    if x < a + 1 {
      var term = 1 / a
      var sum = term
      var n = a
      while abs(term) > abs(sum) * 1e-17 {
        n += 1
        term *= x / n
        sum += term
      }
      return 1 - sum * front
    }
    var b = x + 1 - a
    var c = 1e300
    var d = 1 / b
    var fraction = d
    for i in 1...10_000 {
      let factor = -Double(i) * (Double(i) - a)
      b += 2
      d = 1 / nonzero(factor * d + b)
      c = nonzero(b + factor / c)
      fraction *= d * c
      if abs(d * c - 1) < 1e-16 { break }
    }
    return front * fraction
  }

  private static func nonzero(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }
}
