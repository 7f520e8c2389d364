// Values as YAML and JSON, held against what DVC makes of them.
// SPDX-License-Identifier: Apache-2.0
import PipelineModel
import Testing

@Suite struct RoundTripYAMLTests {
  @Test func `nasty values come out byte for byte as DVC writes them`() throws {
    let samples = try valueSamples()
    #expect(samples.count == 110)
    for sample in samples {
      #expect(RoundTripYAML.text(sample.value) == sample.yaml)
      #expect(sample.value.pythonJSON(sortKeys: true) == sample.json)
    }
  }

  @Test func `a long line is broken at a space, which stays at its end`() {
    let command = String(repeating: "word ", count: 20) + "end"
    let first = String(repeating: "word ", count: 15)
    #expect(
      RoundTripYAML.text(.mapping([("cmd", .text(command))])) == "cmd: \(first)\n  word word word word word end\n")
  }

  @Test func `texts that would be read as something else are quoted`() {
    let quoted = ["10", "1e3", "true", "null", "~", "", "0x10", "1_000", "2020-01-01", "<<", "=", "- a", "a: b", "a "]
    for text in quoted { #expect(RoundTripYAML.text(.list([.text(text)])) == "- '\(text)'\n") }
    let plain = ["yes", "off", ".5e3", "1:30", "-a", "a:b", "a#b", "é", "2020-1-1"]
    for text in plain { #expect(RoundTripYAML.text(.list([.text(text)])) == "- \(text)\n") }
  }

  @Test func `lines of a mapping begin at the column asked for`() {
    #expect(
      RoundTripYAML.lines([("a", .list([.integer(1)])), ("b", .mapping([("c", .null)]))], indent: 4)
        == "    a:\n    - 1\n    b:\n      c:\n")
  }

  @Test func `floats are spelled as Python spells them`() {
    let pairs: [(Double, String)] = [
      (1, "1.0"), (-0.0, "-0.0"), (0.0001, "0.0001"), (0.00001, "1e-05"), (1e16, "1e+16"),
      (123456789012345.6, "123456789012345.6"),
      (9999999999999998, "9999999999999998.0"), (1.5e20, "1.5e+20"), (5e-324, "5e-324"), (1e100, "1e+100"), (0.1, "0.1"),
      (100, "100.0"), (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"),
    ]
    for (number, text) in pairs { #expect(number.pythonRepr == text) }
  }

  @Test func `JSON keeps the order of keys unless it is asked to sort them`() {
    let value = ParameterValue.mapping([("é", .text("\u{1F600}\u{7F}")), ("b", .double(.nan)), ("a", .list([]))])
    #expect(value.pythonJSON(sortKeys: false) == #"{"\u00e9": "\ud83d\ude00\u007f", "b": NaN, "a": []}"#)
    #expect(value.pythonJSON(sortKeys: true) == #"{"a": [], "b": NaN, "\u00e9": "\ud83d\ude00\u007f"}"#)
  }

  @Test func `plain scalars are read as DVC reads them`() {
    let (tree, _) = YAMLReader.read("[1_000, 0b11, 0o17, 017, .5e3, 1_0.5, -.inf, 1., '1', yes, -0x1F]", file: "x")
    #expect(
      tree?.dvcValue
        == .list([
          .integer(1000), .integer(3), .integer(15), .integer(17), .text(".5e3"), .double(10.5), .double(-.infinity),
          .double(1), .text("1"), .text("yes"), .integer(-31),
        ]))
  }
}
