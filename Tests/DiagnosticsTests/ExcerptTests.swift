// The line shown under a message, in files as editors of all kinds leave them.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Testing

private func excerpt(_ text: String, line: Int, column: Int? = nil) -> String {
  let diagnostic = Diagnostic(.input, "m", at: SourceLocation(file: "f", line: line, column: column))
  let lines = DiagnosticRenderer(sourceText: { _ in text }).text(diagnostic).split(separator: "\n").dropFirst()
  return lines.joined(separator: "\n")
}

@Test func `lines that end in a carriage return are lines`() {
  #expect(excerpt("a: 1\r\nb: 2\r\nc: 3\r\n", line: 2, column: 4) == " 2 | b: 2\n   |    ^")
}

@Test func `a combining mark at the start of a line does not join it to the one before`() {
  #expect(excerpt("a\n\u{301}b\nc", line: 3, column: 1) == " 3 | c\n   | ^")
}

@Test func `a tab is shown as one space, so that the caret stands where it should`() {
  #expect(excerpt("\t\tx", line: 1, column: 3) == " 1 |   x\n   |   ^")
}

@Test func `a line that is not there shows nothing, and a long one its beginning`() {
  #expect(excerpt("a", line: 2) == "")
  #expect(excerpt("a", line: 0) == "")
  #expect(excerpt(String(repeating: "x", count: 500), line: 1, column: 400) == " 1 | " + String(repeating: "x", count: 160))
}
