// Printed bytes as plain, bounded text.
// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Notebooks

struct CapturedTextTests {
  private func captured(_ text: String, inPiecesOf size: Int, keeping: Int = 1 << 20) -> String {
    var capture = CapturedText(keeping: keeping)
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      bytes[start..<min(start + size, bytes.count)].withUnsafeBufferPointer { capture.append($0) }
    }
    return capture.text
  }

  @Test(arguments: [
    ("a\nb", "a\nb"),
    ("a\r\nb\r\n", "a\nb\n"),
    ("10 %\r50 %\r100 %\ndone\n", "100 %\ndone\n"),
    ("50 %\r", "50 %"),
    ("\u{1B}[1;31mred\u{1B}[0m\u{1B}]0;title\u{07}x\u{1B}]8;;u\u{1B}\\link\u{1B}(B", "redxlink"),
    ("ab\u{08}c\u{07}\u{0}d\te", "acd\te"),
    ("größe\n…\n", "größe\n…\n"),
  ])
  func `text is what a terminal would leave, however it was cut into reads`(text: String, expected: String) {
    for size in [1, 2, 3, 1000] { #expect(captured(text, inPiecesOf: size) == expected) }
  }

  @Test func `a long text keeps whole lines of its head and its tail`() {
    let lines = (10...99).map { "\($0)\n" }.joined()
    #expect(captured(lines, inPiecesOf: 7, keeping: 20) == "10\n11\n12\n[… 252 bytes cut out here …]\n97\n98\n99\n")
    #expect(captured(lines, inPiecesOf: 1000, keeping: 20) == captured(lines, inPiecesOf: 1, keeping: 20))
  }

  @Test func `a line without end is cut between characters`() {
    let text = captured(String(repeating: "€", count: 100_000), inPiecesOf: 4096, keeping: 100_000)
    #expect(!text.contains("\u{FFFD}"))
    #expect(text.utf8.count < 100_100)
    #expect(text.contains("bytes cut out here …]"))
  }
}
