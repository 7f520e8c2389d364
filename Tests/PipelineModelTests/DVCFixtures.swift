// Files that DVC 3.67.1 wrote, which its text forms are held against.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Foundation
import PipelineModel
import TestSupport

/// The text of a file below `Fixtures/dvc`.
func dvcFixture(_ name: String, testFile: String = #filePath) throws -> String {
  let folder = URL(fileURLWithPath: testFile).deletingLastPathComponent().appendingPathComponent("Fixtures/dvc")
  return try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
}

/// A value with what DVC makes of it.
struct ValueSample {
  var value: ParameterValue
  var yaml: String
  var json: String
}

/// The rows of `values.jsonl`: the value in tagged form, its YAML and its JSON.
func valueSamples() throws -> [ValueSample] {
  try dvcFixture("values.jsonl").split(separator: "\n").compactMap { line in
    let row = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    guard let row, let yaml = row["yaml"] as? String, let json = row["json"] as? String else { return nil }
    return ValueSample(value: tagged(row["value"]), yaml: yaml, json: json)
  }
}

/// `["i", "12"]` is 12, `["m", [["a", ["n"]]]]` a mapping; doubles are given by their bits.
private func tagged(_ any: Any?) -> ParameterValue {
  guard let pair = any as? [Any], let tag = pair.first as? String else { return .null }
  let text = pair.last as? String ?? ""
  switch tag {
  case "b": return .bool(text == "1")
  case "i": return .integer(Int64(text) ?? 0)
  case "d": return .double(Double(bitPattern: UInt64(text) ?? 0))
  case "s": return .text(text)
  case "l": return .list((pair.last as? [Any] ?? []).map(tagged))
  case "m":
    return .mapping(
      (pair.last as? [[Any]] ?? []).compactMap { row in (row.first as? String).map { ($0, tagged(row.last)) } })
  default: return .null
  }
}

/// Texts that are `text` with some bytes changed, dropped, doubled or taken from `spice`.
func mutations(of text: String, count: Int, seed: UInt64) -> [String] {
  var random = SeededGenerator(seed: seed)
  let spice = Array("\n\r\t :-#'\"&*!|>{}[],?%@`~\0\u{85}\u{2028}é0.".utf8)
  let bytes = Array(text.utf8)
  return (0..<count).map { _ in
    var copy = bytes
    for _ in 0..<Int.random(in: 1...6, using: &random) where !copy.isEmpty {
      let place = Int.random(in: 0..<copy.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: copy.remove(at: place)
      case 1: copy.insert(spice.randomElement(using: &random) ?? 0, at: place)
      case 2: copy[place] = UInt8.random(in: 0...255, using: &random)
      case 3: copy.removeSubrange(place..<min(copy.count, place + Int.random(in: 1...80, using: &random)))
      default: copy.insert(contentsOf: copy[place..<min(copy.count, place + 40)], at: place)
      }
    }
    return String(decoding: copy, as: UTF8.self)
  }
}
