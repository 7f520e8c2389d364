// Random numbers by key instead of by turn: each is a pure function of seed, stream, entity and step.
// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A generator without state. Asking for more, in any order, never changes what was asked before; a longer simulation therefore
/// extends a shorter one.
///
/// The key's parts are absorbed one after the other by the finaliser of SplitMix64, which is a bijection with full avalanche.
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014; for the idea of counters Salmon et al.,
/// "Parallel random numbers: as easy as 1, 2, 3", 2011.
struct CounterRandom {
  let seed: UInt64

  /// What a draw is for. The raw values are part of the simulator's behaviour: never renumber.
  enum Stream: UInt64 {
    case weather = 1, traffic, orderCount, orderSecond, pickupZone, driver, dropoffZone, pickupPlace, dropoffPlace, vehicle
    case noise, customer, dirt, zoneTraits, driverTraits, customerTraits
  }

  func bits(_ stream: Stream, _ entity: Int, _ step: Int = 0) -> UInt64 {
    var state = Self.mixed(seed ^ 0x9E37_79B9_7F4A_7C15)
    state = Self.mixed(state ^ stream.rawValue &* 0xD1B5_4A32_D192_ED03)
    state = Self.mixed(state ^ UInt64(bitPattern: Int64(entity)) &* 0x8CB9_2BA7_2F3D_8DD7)
    return Self.mixed(state ^ UInt64(bitPattern: Int64(step)) &* 0xABC9_8388_FB8F_AC03)
  }

  /// Uniform in the open interval 0...1.
  func unit(_ stream: Stream, _ entity: Int, _ step: Int = 0) -> Double {
    (Double(bits(stream, entity, step) >> 11) + 0.5) * 0x1p-53
  }

  /// Standard normal, by Box and Muller's transform of the draws at `step` and `step + 1`.
  func normal(_ stream: Stream, _ entity: Int, _ step: Int = 0) -> Double {
    (-2 * log(unit(stream, entity, step))).squareRoot() * cos(2 * .pi * unit(stream, entity, step + 1))
  }

  /// A whole number in `0..<count`.
  func index(below count: Int, _ stream: Stream, _ entity: Int, _ step: Int = 0) -> Int {
    Int(bits(stream, entity, step).multipliedFullWidth(by: UInt64(count)).high)
  }

  /// An index with probability in proportion to the step of `cumulative` at it.
  func index(weighted cumulative: [Double], _ stream: Stream, _ entity: Int, _ step: Int = 0) -> Int {
    let target = unit(stream, entity, step) * (cumulative.last ?? 0)
    var low = 0
    var high = cumulative.count - 1
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > target { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Poisson with this mean, by inversion, in parts of at most 100 so that `exp` keeps its digits.
  func poisson(mean: Double, _ stream: Stream, _ entity: Int) -> Int {
    var rest = mean
    var total = 0
    var step = 0
    while rest > 0 {
      let part = min(rest, 100)
      var probability = exp(-part)
      var cumulative = probability
      let target = unit(stream, entity, step)
      var count = 0
      while cumulative < target, count < 1000 {
        count += 1
        probability *= part / Double(count)
        cumulative += probability
      }
      total += count
      rest -= part
      step += 1
    }
    return total
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
