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
