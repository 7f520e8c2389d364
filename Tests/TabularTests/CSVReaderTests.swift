// What the reader makes of good and bad files.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import TestSupport
import Testing

@testable import Tabular

private func read(_ text: String, kinds: [String: Column.Kind] = [:], only: Set<String>? = nil) throws -> Table {
  try CSVReader.table(bytes: Array(text.utf8), named: "x.csv", kinds: kinds, only: only)
}

private func mistake(_ text: String, kinds: [String: Column.Kind] = [:]) -> String {
  do {
    _ = try read(text, kinds: kinds)
    return "no mistake"
  } catch let diagnostic as Diagnostic {
    return "\(diagnostic.location.map { "\($0)" } ?? "?"): \(diagnostic.message)"
  } catch {
    return "\(error)"
  }
}

@Suite struct CSVReaderTests {
  @Test func `numbers and text are told apart and empty fields are missing`() throws {
    let table = try read("a,b,c\n1,x,\n-2.5e1,,3\n")
    #expect(
      table == Table([Column("a", numbers: [1, -25]), Column("b", texts: ["x", nil]), Column("c", numbers: [.nan, 3])]))
  }

  @Test func `quoted fields keep commas, line breaks and quotes`() throws {
    let table = try read("a,b\r\n\"x, \"\"y\"\"\n z\",\"2\"\r\n")
    #expect(table == Table([Column("a", texts: ["x, \"y\"\n z"]), Column("b", numbers: [2])]))
  }

  @Test func `a column that turns out to be text keeps its first values as they stood`() throws {
    let table = try read("a,b\n1.50,1\n2,2\nx,3\n")
    #expect(table == Table([Column("a", texts: ["1.50", "2", "x"]), Column("b", numbers: [1, 2, 3])]))
  }

  @Test(arguments: ["007", "+49", "12345678901234567", "nan", "inf", "0x1p3", "1e", "-", ".", "1_0"])
  func `what would lose its meaning as a number is text`(field: String) throws {
    #expect(try read("a\n\(field)\n") == Table([Column("a", texts: [field])]))
  }

  @Test func `a declared kind wins over what the fields look like`() throws {
    let table = try read("a,b\n007,1\n", kinds: ["a": .number, "b": .text])
    #expect(table == Table([Column("a", numbers: [7]), Column("b", texts: ["1"])]))
  }

  @Test func `the last line needs no line break and a byte order mark is no part of a name`() throws {
    #expect(try read("\u{FEFF}a,b\n1,2") == Table([Column("a", numbers: [1]), Column("b", numbers: [2])]))
  }

  @Test func `a header alone is a table without rows`() throws {
    let table = try read("a,b\n")
    #expect(table.names == ["a", "b"])
    #expect(table.rowCount == 0)
  }

  @Test func `only the wanted columns are kept`() throws {
    #expect(try read("a,b,c\n1,2,3\n", only: ["a", "c"]).names == ["a", "c"])
  }

  @Test func `mistakes say where they are`() {
    #expect(mistake("") == "x.csv: the file is empty, a header line is wanted")
    #expect(mistake("a,b\n1\n") == "x.csv:2:1: the row has 1 field, the header names 2 columns")
    #expect(mistake("a,b\n1,2\n1,2,3\n") == "x.csv:3:1: the row has 3 fields, the header names 2 columns")
    #expect(mistake("a,b\n\"é\",\"x\n") == "x.csv:2:5: the double quote that opens here is never closed")
    #expect(mistake("a\nx\"y\n") == "x.csv:2:2: a double quote stands inside a field that does not begin with one")
    #expect(mistake("a\n\"x\"y\n") == "x.csv:2:4: a comma or the end of the line is wanted after the closing double quote")
    #expect(mistake("a,a\n") == "x.csv:1:3: the header names `a` twice")
    #expect(mistake("a,,b\n") == "x.csv:1:3: column 2 of the header has no name")
    #expect(mistake("a,b\né,abc\n", kinds: ["b": .number]) == "x.csv:2:3: `abc` is not a number; column `b` is declared one")
  }

  @Test func `bytes that are not UTF-8 are a mistake with a place`() {
    #expect {
      try CSVReader.table(bytes: [0x61, 0x0A, 0x78, 0x0A, 0xC3, 0x28, 0x0A], named: "x.csv")
    } throws: { error in
      (error as? Diagnostic)?.location == SourceLocation(file: "x.csv", line: 3, column: 1)
    }
  }

  @Test func `a file that is not there is the user's to mend`() {
    #expect { try CSVReader.table(file: "/nonexistent/x.csv") } throws: { error in
      let diagnostic = error as? Diagnostic
      return diagnostic?.exitCode == 2 && diagnostic?.causes == ["no such file or directory"]
    }
  }

  @Test func `a mistyped column gets the nearest name as hint`() throws {
    let table = try read("distance,hour\n1,2\n")
    #expect { try table.numbers("distanec") } throws: { error in
      (error as? Diagnostic)?.hints == ["did you mean `distance`?"]
    }
  }
}
