// Canonical bytes out, and the same values back.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import Tabular

@Suite struct CSVWriterTests {
  @Test func `fields are quoted only where they must be`() {
    let table = Table([
      Column("id", texts: ["a", "b,c", nil, "say \"x\"\nagain"]), Column("v", numbers: [1, .nan, -0.5, 1234567.125]),
    ])
    #expect(
      String(decoding: CSVWriter.bytes(table), as: UTF8.self)
        == "id,v\na,1\n\"b,c\",\n,-0.5\n\"say \"\"x\"\"\nagain\",1234567.125\n")
  }

  @Test(arguments: [
    (0.1, "0.1"), (-0.0, "0"), (3.0, "3"), (1e15, "1000000000000000"), (0.000001, "0.000001"), (1e-7, "1e-07"),
    (0.1 + 0.2, "0.30000000000000004"), (123456789.123456, "123456789.123456"), (Double.leastNonzeroMagnitude, "5e-324"),
    (-17.25, "-17.25"),
    (1e300, "1e+300"),
  ])
  func `a number has one shortest spelling`(value: Double, text: String) {
    #expect(NumberText.text(of: value) == text)
  }

  @Test func `random doubles survive the way out and back to the last bit`() throws {
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<20_000 {
      let bits = Double(bitPattern: generator.next())
      let plain = Double(Int64(truncatingIfNeeded: generator.next() >> 20) - (1 << 43)) / 1e6
      for value in [bits, plain] where value.isFinite {
        #expect(NumberText.parse(NumberText.text(of: value)) == value)
      }
    }
  }

  @Test func `numbers read as the standard library reads them`() {
    var generator = SeededGenerator(seed: 8)
    for _ in 0..<20_000 {
      let digits = String(generator.next() >> (generator.next() % 60))
      let point = Int(generator.next() % UInt64(digits.count + 1))
      let text =
        "\(digits.prefix(point).isEmpty ? "0" : digits.prefix(point)).\(digits.dropFirst(point))0e\(generator.next() % 20)"
      #expect(NumberText.parse(text) == strtod(text, nil))
    }
  }

  @Test func `a written table replaces the old file and reads back equal`() throws {
    try withTemporaryDirectory { folder in
      let path = folder.appendingPathComponent("deep/er/x.csv").path
      let table = Table([Column("a", numbers: [1.5, .nan]), Column("b", texts: [nil, "ü"])])
      try FileBytes.write("old", to: path)
      try CSVWriter.write(table, to: path)
      #expect(try CSVReader.table(file: path) == table)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("deep/er").path) == ["x.csv"])
    }
  }

  @Test func `random tables with every kind of field read back equal`() throws {
    var generator = SeededGenerator(seed: 9)
    let pieces = ["a", "\"", ",", "\n", "\r\n", " ", "é", "0", "-", "1.5", "\"\"", "\r"]
    for round in 0..<300 {
      let rows = Int(generator.next() % 6)
      let columns = 1 + Int(generator.next() % 4)
      let table = Table(
        (0..<columns).map { column in
          if generator.next() % 2 == 0 {
            return Column(
              "n\(column)",
              numbers: (0..<rows).map { _ in
                generator.next() % 4 == 0 ? .nan : Double(Int64(truncatingIfNeeded: generator.next()) >> 30) / 1000
              })
          }
          return Column(
            "t\(column)",
            texts: (0..<rows).map { _ in
              let count = Int(generator.next() % 5)
              let text = (0..<count).map { _ in pieces[Int(generator.next() % UInt64(pieces.count))] }.joined()
              return text.isEmpty ? nil : text
            })
        })
      let kinds = Dictionary(uniqueKeysWithValues: table.columns.map { ($0.name, $0.kind) })
      #expect(try CSVReader.table(bytes: CSVWriter.bytes(table), named: "x.csv", kinds: kinds) == table, "round \(round)")
    }
  }
}
