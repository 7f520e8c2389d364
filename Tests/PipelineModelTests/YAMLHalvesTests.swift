// Long manifests are read by their halves, and come out as if they were read as a whole.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import TestSupport
import Testing

@testable import PipelineModel

/// Marks and all, so that a value's place counts.
private func whole(_ text: String) -> (text: String, mistakes: [Diagnostic]) {
  let (tree, mistakes) = YAMLReader.read(text, file: "f.yaml", atOnceFrom: .max)
  return ("\(tree as Any)", mistakes.diagnostics)
}

private func byHalves(_ text: String) -> (text: String, mistakes: [Diagnostic]) {
  let (tree, mistakes) = YAMLReader.read(text, file: "f.yaml", atOnceFrom: 0)
  return ("\(tree as Any)", mistakes.diagnostics)
}

@Suite struct `Manifests by halves` {
  @Test func `the cut is before an entry, and later lines keep their numbers`() throws {
    let text = """
      vars:
      - a: 1
      stages:
        one:
          cmd: echo 1
        two:
          cmd: echo 2
        three:
          cmd: echo 3
      plots:
      - p.csv
      """
    let halves = try #require(YAMLHalves(text, minimum: 0))
    #expect(halves.first + halves.second.dropFirst("stages:\n".count) == text)
    #expect(halves.first.hasSuffix("\n    cmd: echo 2\n") && halves.second.hasPrefix("stages:\n  three:\n"))
    #expect(halves.lineOffset == 6)
    let tree = try #require(YAMLReader.read(text, file: "f.yaml", atOnceFrom: 0).tree)
    #expect(tree["stages"]?.pairs?.map { "\($0.key.text) \($0.key.mark.line)" } == ["one 4", "two 6", "three 8"])
    #expect(tree.pairs?.map { "\($0.key.text) \($0.key.mark.line)" } == ["vars 1", "stages 3", "plots 10"])
    #expect(byHalves(text) == whole(text))
  }

  @Test(arguments: [
    // An entry's name in a quotation, a flow collection, a block of text.
    "stages:\n  a:\n    cmd: \"one\n  b:\n    two\"\n  c:\n    cmd: x\n",
    "stages:\n  a: {cmd: [x,\n  b:\n  1]}\n  c:\n    cmd: x\n",
    "stages:\n  a:\n    cmd: |\n      text\n      b:\n      c\n  d:\n    cmd: x\n  e:\n    cmd: x\n",
    // Anchors on the other side, names and keys that stand twice, a second document.
    "stages:\n  a: &x\n    cmd: one\n  b:\n    <<: *x\n  c:\n    cmd: x\n",
    "stages:\n  a:\n    cmd: one\n  b:\n    cmd: x\n  a:\n    cmd: x\n",
    "stages:\n  a:\n    cmd: one\n  b:\n    cmd: x\nstages:\n  c:\n    cmd: x\n",
    "plots: [x]\nstages:\n  a:\n    cmd: one\n  b:\n    cmd: x\nplots: [y]\n",
    "stages:\n  a:\n    cmd: one\n---\n  b:\n    cmd: x\n",
    // Nothing below an entry, and nothing between the margin and the cut.
    "stages:\n  a:\n  b:\n  c:\n", "stages:\n\n# note\n  a:\n    cmd: x\n# note\n  b:\n    cmd: x\n",
    "text: |\n  stages:\n  a:\n  b:\nstages:\n  c:\n    cmd: x\n  d:\n    cmd: x\n",
    "text: 'it\nstages:\n  a:\n  b:\n  c'\n", "stages:\n   a:\n     cmd: x\n  b:\n    cmd: x\n",
  ])
  func `what is not what it looks like is read as a whole`(text: String) {
    #expect(byHalves(text) == whole(text))
  }

  /// Lines that begin, end and hide things, in any order: most texts are no YAML, and both ways say the same of them.
  @Test func `random texts come out as they do as a whole`() {
    let lines = [
      "  a:", "  b:", "  c:", "    cmd: x", "    cmd: \"x", "    y\"", "    cmd: 'x", "  z'", "    cmd: |", "      text:",
      "    deps:",
      "    - d", "    - {e: 1,", "  f: 2}", "  g: [1,", "  h]", "# note", "", "stages:", "vars:", "- v", "    - &n 1", "    - *n",
      "  é: 1", "\tt", "---", "  ? k", "  : v", "      more:", "   odd:", "    <<: *n", "  - item:",
    ]
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SeededGenerator(seed: seed)
    var cuts = 0
    for _ in 0..<6_000 {
      let count = Int.random(in: 2...14, using: &generator)
      var text = "stages:\n"
      for index in 0..<count {
        // Names that differ, for else nearly all texts are refused for names that stand twice.
        let line = lines[Int.random(in: 0..<lines.count, using: &generator)]
        text += (line.hasPrefix("  ") && line.hasSuffix(":") && !line.hasPrefix("   ") ? "  n\(index):" : line) + "\n"
      }
      if YAMLHalves(text, minimum: 0) != nil { cuts += 1 }
      let (one, other) = (byHalves(text), whole(text))
      #expect(one == other, "seed \(seed): \(text)")
      if one != other { return }
    }
    #expect(cuts > 300, "seed \(seed)")
  }
}
