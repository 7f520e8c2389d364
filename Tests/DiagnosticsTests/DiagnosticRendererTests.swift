// How a message looks, and which name is suggested for a mistyped one.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Testing

@Test func `a diagnostic shows place, line with caret, cause and hint`() {
  let diagnostic = Diagnostic(
    .input, "parameter `train.lr` is not in params.yaml", at: SourceLocation(file: "pipeline.yaml", line: 2, column: 5),
    causes: ["the stage names it"], hints: ["did you mean `train.rate`?"])
  let renderer = DiagnosticRenderer(sourceText: { _ in "stages:\n    train.lr\n" })
  #expect(
    renderer.text(diagnostic) == """
      pipeline.yaml:2:5: error: parameter `train.lr` is not in params.yaml
       2 |     train.lr
         |     ^
      cause: the stage names it
      hint: did you mean `train.rate`?

      """)
}

@Test func `a caret never points past the end of its line`() {
  let diagnostic = Diagnostic(.input, "x", at: SourceLocation(file: "a", line: 9, column: 99))
  #expect(DiagnosticRenderer(sourceText: { _ in "short" }).text(diagnostic) == "a:9:99: error: x\n")
}

@Test(arguments: [("trian", "train"), ("evalute", "evaluate"), ("zzz", nil), ("prepar", "prepare")] as [(String, String?)])
func `the nearest name is suggested only when it is near`(_ typed: String, _ suggested: String?) {
  #expect(closestMatch(to: typed, among: ["prepare", "train", "evaluate"]) == suggested)
}

@Test func `what would command a terminal is spelled out, and an endless name is cut`() {
  let renderer = DiagnosticRenderer(sourceText: { _ in "a\u{1B}]0;owned\u{7}b\n" })
  let diagnostic = Diagnostic(
    .input, "`a\u{1B}[2J\u{202E}b` is not there", at: SourceLocation(file: "x\u{9B}y", line: 1, column: 1), hints: ["\u{8}"])
  #expect(
    renderer.text(diagnostic) == """
      x\\u{9b}y:1:1: error: `a\\u{1b}[2J\\u{202e}b` is not there
       1 | a\u{FFFD}]0;owned\u{FFFD}b
         | ^
      hint: \\u{8}

      """)
  let long = renderer.text(Diagnostic(.input, String(repeating: "k", count: 1_000_000)))
  #expect(long == "error: " + String(repeating: "k", count: 2000) + "…\n")
}

@Test func `no name is near one of more than 200 bytes`() {
  let long = String(repeating: "k", count: 200)
  #expect(closestMatch(to: long, among: [long + "x"]) == long + "x")
  #expect(closestMatch(to: long + "k", among: [long]) == nil)
}

@Test func `the exit code of a list is that of its first error, warnings aside`() {
  let list = DiagnosticList([Diagnostic(.warning, "w"), Diagnostic(.storage, "s"), Diagnostic(.input, "i")])
  #expect(list.exitCode == 4)
  #expect(DiagnosticList([Diagnostic(.warning, "w")]).exitCode == 0)
}
