// Rows of a CSV file as a stream: the same fields and the same places as the whole-file reader.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Tabular

private func rows(_ text: String) throws -> [[String]] {
  var stream = try CSVRowStream(bytes: Array(text.utf8), named: "t.csv")
  return try rows(&stream)
}

private func rows(_ stream: inout CSVRowStream) throws -> [[String]] {
  var rows: [[String]] = []
  while try stream.next() {
    var row: [String] = []
    for index in 0..<stream.count { row.append(try stream.text(index)) }
    rows.append(row)
  }
  return rows
}

@Suite struct CSVRowStreamTests {
  @Test func `quotes, carriage returns, a byte order mark and a last line without end are understood`() throws {
    let text = "\u{FEFF}a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n,\n\"\",2"
    #expect(try rows(text) == [["a", "b"], ["1", "x, \"y\"\nz"], ["", ""], ["", "2"]])
  }

  @Test func `places count lines within quotes and characters of more than one byte`() throws {
    var stream = try CSVRowStream(bytes: Array("a,b\n\"1\n2\",3\né,ü\n".utf8), named: "t.csv")
    var places: [String] = []
    while try stream.next() { places.append(stream.location(1).description) }
    #expect(places == ["t.csv:1:3", "t.csv:3:4", "t.csv:4:3"])
  }

  @Test(arguments: [
    ("a\n\"b", "t.csv:2:1"), ("a\nb\"c\n", "t.csv:2:2"), ("a,b\n1,\"x\"y\n", "t.csv:2:6"), ("", "t.csv"),
  ])
  func `a mistake has its place`(text: String, place: String) {
    let error = #expect(throws: Diagnostic.self) { try rows(text) }
    #expect(error?.location?.description == place)
  }

  /// Rows of many lengths, so that the ends of the buffer fall on every kind of byte.
  @Test func `a file longer than the buffer has the rows that were written`() throws {
    let seed = UInt64.random(in: 0...9999)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    var expected: [[String]] = [["n", "text"]]
    var text = "n,text\r\n"
    while text.utf8.count < 2_600_000 {
      let part = ["x", "é", "\"\"", ",", "\r\n"].randomElement(using: &random) ?? ""
      let filler = String(repeating: part, count: .random(in: 0...9, using: &random))
      expected.append(["\(expected.count)", filler.replacing("\"\"", with: "\"")])
      text += "\(expected.count - 1),\"\(filler)\"" + (Bool.random(using: &random) ? "\n" : "\r\n")
    }
    try withTemporaryDirectory { folder in
      let path = folder.appendingPathComponent("t.csv").path
      try FileBytes.write(text, to: path)
      var stream = try CSVRowStream(file: path)
      #expect(try rows(&stream) == expected)
      #expect(CSVRowStream.lineCount(file: path) == text.utf8.count { $0 == 10 } + 1)
    }
  }

  @Test func `a row longer than the buffer is read whole`() throws {
    let long = String(repeating: "abc", count: 1_000_000)
    try withTemporaryDirectory { folder in
      let path = folder.appendingPathComponent("t.csv").path
      try FileBytes.write("a,b\n\(long),1\n", to: path)
      var stream = try CSVRowStream(file: path)
      #expect(try rows(&stream) == [["a", "b"], [long, "1"]])
    }
  }
}
