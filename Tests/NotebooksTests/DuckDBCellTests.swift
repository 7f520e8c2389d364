// SQL cells for DuckDB: the same tables, parameters and displays as SQLite's, and failures at their line.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Notebooks

private let path =
  (ProcessInfo.processInfo.environment["PIPE_PYTHON_VENV"].map { "\($0)/bin:" } ?? "")
  + (ProcessInfo.processInfo.environment["PATH"] ?? "")
private let hasDuckDB = locate("duckdb", in: path) != nil

struct `SQL for DuckDB` {
  @Test func `is cut at its semicolons, with strings, names, comments and dollar quotes passed over`() {
    let script = SQLScript(
      """
      -- first; comment
      SELECT ';' AS "a;b", :lr::DOUBLE, l[1:n], E'\\';' /* ;
       two */ FROM t; ;
        SELECT $$;:no$$, $x$ ; $x$,
        :train_lr
      """
    ) { "<\($0)>" }
    #expect(
      script.statements == [
        .init(
          text: "SELECT ';' AS \"a;b\", <lr>::DOUBLE, l[1:n], E'\\';'  \n FROM t", line: 2, placeholders: ["lr"]),
        .init(text: "SELECT $$;:no$$, $x$ ; $x$,\n  <train_lr>\n".trimmingLast, line: 4, placeholders: ["train_lr"]),
      ])
    #expect(SQLScript("  (select 1)") { $0 }.statements.first?.keyword == "(")
    #expect(SQLScript("select 1") { $0 }.statements.first?.keyword == "SELECT")
    #expect(SQLScript(" -- nothing\n;;") { $0 }.statements == [])
  }

  @Test(arguments: [
    ("SELECT 1;\nSELECT 'a", "'", 2), ("SELECT \"a", "\"", 1), ("SELECT $x$ $$", "$x$", 1), ("\n/* a /* b */", "/*", 2),
    ("SELECT E'\\'", "'", 1),
  ])
  func `that does not close what it opens is told where it opens`(_ source: String, _ mark: String, _ line: Int) throws {
    let unclosed = try #require(SQLScript(source) { $0 }.unclosed)
    #expect(unclosed.mark == mark && unclosed.line == line)
    let ran = try run("```{sql}\n#| connection: duckdb\n\(source)\n```", environment: ["PATH": "/nowhere"])
    #expect(ran.failure == "\(line + 2): cell 1 (1 of 1) failed: what `\(mark)` opens here is not closed")
  }

  @Test func `has comments in comments`() {
    let script = SQLScript("SELECT 1 /* a /* b; */ c; */ AS x; SELECT 2") { $0 }
    #expect(script.statements.map(\.text) == ["SELECT 1   AS x", "SELECT 2"] && script.unclosed == nil)
  }

  @Test func `without DuckDB the cell says what is missing`() throws {
    let ran = try run("```{sql}\n#| connection: duckdb\nSELECT 1\n```", environment: ["PATH": "/nowhere"])
    #expect(ran.failure == "3: cell 1 (1 of 1) failed: `duckdb` is not on PATH, and the cell is in SQL for DuckDB")
    #expect(ran.diagnostic?.hints == ["install DuckDB's command line, for example `pip install duckdb-cli`"])
  }

  private func runDuck(
    _ cells: String..., params: [String: ContextValue] = [:], deps: [String: String] = [:], outs: [String: String] = [:],
    files: [String: String] = [:], look: (URL) throws -> Void = { _ in }
  ) throws -> Ran {
    let text = cells.map { "```{sql}\n#| connection: duckdb\n\($0)\n```\n" }.joined()
    return try run(text, params: params, deps: deps, outs: outs, files: files, environment: ["PATH": path], look: look)
  }

  @Test(.enabled(if: hasDuckDB, "`duckdb` is not on PATH"))
  func `shows what SQLite shows for the same tables and statements`() throws {
    let query = """
      CREATE TABLE t AS SELECT * FROM orders WHERE price IS NOT NULL;
      SELECT 1;
      SELECT id, code, price, price / 2 AS half, NULL AS none, count(*) OVER () AS n, :zone AS zone FROM t ORDER BY id;
      """
    let params: [String: ContextValue] = ["zone": .text("x'; DROP TABLE orders; --")]
    let files = ["data/raw.csv": "id,code,price\n1,007,0.5\n2,008,\n10,\"a,\"\"b\",12.25\n"]
    let duck = try runDuck(query, "SELECT count(*) AS n FROM t", params: params, deps: ["orders": "data/raw.csv"], files: files)
    let lite = try run(
      "```{sql}\n\(query)\n```\n```{sql}\nSELECT count(*) AS n FROM t\n```", params: params, deps: ["orders": "data/raw.csv"],
      files: files)
    #expect(duck.outcome == .done, "\(duck.failure ?? "")")
    #expect(duck.cells.map(\.outputs) == lite.cells.map(\.outputs))
    #expect(
      duck.cells[0].outputs.first?.data["application/vnd.pipe.table+json"]
        == ##"{"columns":["id","code","price","half","none","n","zone"],"rows":[["1","007","0.5","0.25",null,"2","x'; DROP TABLE orders; --"],["10","a,\"b","12.25","6.125",null,"2","x'; DROP TABLE orders; --"]],"totalRows":2}"##
    )
  }

  @Test(.enabled(if: hasDuckDB, "`duckdb` is not on PATH"))
  func `shows fifty rows, writes all of them, and gives the same bytes on every run`() throws {
    var written = ""
    let query = "SELECT i % 7 AS k, sum(i / 3) AS s FROM range(100000) r(i) GROUP BY i % 997, k"
    func once() throws -> Ran {
      try runDuck("#| out: rows\n" + query, outs: ["rows": "rows.csv"]) { written = try $0.text(of: "rows.csv") }
    }
    let first = try once()
    let bytes = written
    #expect(first.outcome == .done, "\(first.failure ?? "")")
    #expect(bytes.split(separator: "\n").count == 6980 && bytes.hasPrefix("k,s\n"))
    #expect(first.cells[0].outputs.first?.data["text/plain"]?.hasSuffix("(50 of 6979 rows)") == true)
    #expect(try once().woven == first.woven)
    #expect(written == bytes)
  }

  @Test(.enabled(if: hasDuckDB, "`duckdb` is not on PATH"))
  func `fails at the line of the statement, and at that in it`() throws {
    let ran = try runDuck("SELECT 1;\n\n-- a comment\nSELECT\n  foo\nFROM (SELECT 1 AS bar)")
    #expect(ran.failure?.hasPrefix("7: cell 1 (1 of 1) failed: Binder Error: Referenced column \"foo\" not found") == true)
    let table = try runDuck("SELECT *\nFROM ordres", deps: ["orders": "o.csv"], files: ["o.csv": "a\n1\n"])
    #expect(table.failure == "4: cell 1 (1 of 1) failed: there is no table `ordres`")
    #expect(table.diagnostic?.hints == ["did you mean `orders`?"])
    let parameter = try runDuck("SELECT 1;\nSELECT :size", params: ["sizes": .integer(1)])
    #expect(parameter.failure == "4: cell 1 (1 of 1) failed: parameter `:size` is not declared by stage `train`")
    #expect(parameter.diagnostic?.hints == ["did you mean `:sizes`?"])
    let placeholder = try runDuck("SELECT 1;\nSELECT ?")
    #expect(placeholder.failure == "4: cell 1 (1 of 1) failed: a placeholder has no parameter")
    // What ends too early is told at the last line that there is.
    #expect(try runDuck("SELECT\n  (1").failure == "4: cell 1 (1 of 1) failed: Parser Error: syntax error at or near \";\"")
    #expect(try runDuck(".shell touch x").failure == "3: cell 1 (1 of 1) failed: `.shell` is for DuckDB’s own shell")
  }

  @Test(.enabled(if: hasDuckDB, "`duckdb` is not on PATH"))
  func `a database that is declared is made, read, and not written when it is a dependency`() throws {
    let ran = try run(
      """
      ```{sql}
      #| connection: warehouse
      CREATE TABLE t AS SELECT 42 AS a;
      ```
      ```{sql}
      #| connection: warehouse
      SELECT a FROM t
      ```
      """, outs: ["warehouse": "w.duckdb"], environment: ["PATH": path]
    ) { folder in
      let again = try run(
        "```{sql}\n#| connection: w\nSELECT a + 1 AS b FROM t\n```\n```{sql}\n#| connection: w\nDROP TABLE t\n```",
        deps: ["w": folder.appendingPathComponent("w.duckdb").path], environment: ["PATH": path])
      #expect(again.cells[0].outputs.first?.data["text/plain"] == " b\n--\n43\n(1 row)")
      #expect(again.failure?.contains("read-only") == true, "\(again.failure ?? "")")
    }
    #expect(ran.cells.last?.outputs.first?.data["text/plain"] == " a\n--\n42\n(1 row)")
  }

  @Test(.enabled(if: hasDuckDB, "`duckdb` is not on PATH"))
  func `a timeout ends it`() throws {
    let ran = try runDuck(
      "#| timeout: 500ms\nSELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range % 7 = b.range % 5")
    #expect(ran.failure == "4: cell 1 (1 of 1) failed: it ran longer than 500ms")
  }
}

extension String {
  fileprivate var trimmingLast: String { String(dropLast()) }
}
