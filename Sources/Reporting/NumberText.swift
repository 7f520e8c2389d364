// Numbers as a reader sees them, the same on every machine.
// SPDX-License-Identifier: Apache-2.0

/// Numbers to text without locale: a point for decimals, a comma between thousands, `−` for less than nothing.
package enum NumberText {
  /// A number with a fixed count of decimals, halves away from zero; `–` when it is not finite.
  package static func fixed(_ value: Double, decimals: Int) -> String {
    guard value.isFinite else { return "–" }
    let places = max(0, min(9, decimals))
    let scaled = (abs(value) * powerOfTen(places)).rounded(.toNearestOrAwayFromZero)
    guard scaled < 9e15 else { return value < 0 ? "−\(-value)" : "\(value)" }
    var digits = String(Int(scaled))
    while digits.count <= places { digits = "0" + digits }
    let whole = grouped(digits.dropLast(places))
    let sign = value < 0 && scaled > 0 ? "−" : ""
    return places == 0 ? sign + whole : sign + whole + "." + digits.suffix(places)
  }

  /// The same with a leading `+` above zero.
  package static func signed(_ value: Double, decimals: Int) -> String {
    let text = fixed(value, decimals: decimals)
    return value > 0 && text.contains(where: { ("1"..."9").contains($0) }) ? "+" + text : text
  }

  /// A count: `12,345`.
  package static func count(_ value: Int) -> String {
    (value < 0 ? "−" : "") + grouped(Substring(String(value.magnitude)))
  }

  /// A number with about four significant digits: `0.01234`, `2.104`, `12,345`.
  package static func plain(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    if value == value.rounded(), abs(value) < 1e15 { return fixed(value, decimals: 0) }
    var text = fixed(value, decimals: decimals(forStep: abs(value), digits: 4))
    if text.contains(".") {
      while text.hasSuffix("0") { text.removeLast() }
      if text.hasSuffix(".") { text.removeLast() }
    }
    return text
  }

  /// A number as digits and a power of ten, `2.5e−7`, with decimals that tell steps apart.
  static func scientific(_ value: Double, step: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : "–" }
    var exponent = 0
    var digits = abs(value)
    while digits >= 10, exponent < 308 {
      digits /= 10
      exponent += 1
    }
    while digits < 0.99999999, exponent > -308 {
      digits *= 10
      exponent -= 1
    }
    let ratio = exponent >= 0 ? step / powerOfTen(exponent) : step * powerOfTen(-exponent)
    let places = decimals(forStep: ratio, digits: 1)
    return (value < 0 ? "−" : "") + fixed(digits, decimals: places) + "e" + (exponent < 0 ? "−" : "") + "\(exponent.magnitude)"
  }

  /// A size in bytes: `512 B`, `18.2 MB`, decimal units.
  package static func bytes(_ value: Int) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    var size = Double(value)
    var unit = 0
    while size >= 999.5, unit < units.count - 1 {
      size /= 1000
      unit += 1
    }
    return fixed(size, decimals: unit == 0 || size >= 99.95 ? 0 : 1) + " " + units[unit]
  }

  /// A stretch of time: `83 ms`, `4.2 s`, `2 min 31 s`, `1 h 04 min`.
  package static func duration(seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "–" }
    if seconds < 0.9995 { return fixed(seconds * 1000, decimals: 0) + " ms" }
    if seconds < 59.95 { return fixed(seconds, decimals: 1) + " s" }
    let whole = Int(seconds.rounded())
    if whole < 3600 { return "\(whole / 60) min \(twoDigits(whole % 60)) s" }
    return "\(whole / 3600) h \(twoDigits(whole % 3600 / 60)) min"
  }

  /// A coordinate in a drawing: at most one decimal, ASCII.
  package static func coordinate(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    let sign = tenths < 0 ? "-" : ""
    let magnitude = tenths.magnitude
    return magnitude % 10 == 0 ? "\(sign)\(magnitude / 10)" : "\(sign)\(magnitude / 10).\(magnitude % 10)"
  }

  /// Tenths of a unit as a coordinate: `-3`, `.5`, `12.5`.
  static func tenths(_ tenths: Int) -> String {
    let sign = tenths < 0 ? "-" : ""
    let (whole, rest) = tenths.magnitude.quotientAndRemainder(dividingBy: 10)
    if rest == 0 { return "\(sign)\(whole)" }
    return "\(sign)\(whole == 0 ? "" : "\(whole)").\(rest)"
  }

  /// Decimals that show `digits` significant digits of a quantity of this size, in 0...6.
  package static func decimals(forStep step: Double, digits: Int) -> Int {
    guard step.isFinite, step > 0 else { return 0 }
    var magnitude = 0
    var rest = step
    while rest >= 10, magnitude < 300 {
      rest /= 10
      magnitude += 1
    }
    while rest < 1, magnitude > -300 {
      rest *= 10
      magnitude -= 1
    }
    return max(0, min(6, digits - 1 - magnitude))
  }

  static func powerOfTen(_ exponent: Int) -> Double {
    var result = 1.0
    for _ in 0..<exponent { result *= 10 }
    return result
  }

  private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

  private static func grouped(_ digits: Substring) -> String {
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return result
  }
}
