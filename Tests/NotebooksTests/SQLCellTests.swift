// SQL cells: tables of CSV files, bound parameters, shown and written rows.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Notebooks

struct SQLCellTests {
  @Test func `a CSV dependency is a table with typed columns, and the last SELECT is displayed`() throws {
    let ran = try run(
      """
      ```{sql}
      CREATE TEMP TABLE t AS SELECT * FROM orders WHERE price IS NOT NULL;
      SELECT 1;
      SELECT id, code, price, typeof(id) AS i, typeof(code) AS c, typeof(price) AS p FROM t ORDER BY id;
      ```
      ```{sql}
      SELECT count(*) AS n FROM t
      ```
      """,
      deps: ["orders": "data/raw.csv"],
      files: ["data/raw.csv": "id,code,price\n1,007,0.5\n2,008,\n10,\"a,b\",12.25\n"])
    #expect(ran.outcome == .done)
    #expect(
      ran.cells[0].outputs == [
        CellOutput(
          kind: .display,
          data: [
            "application/vnd.pipe.table+json":
              #"{"columns":["id","code","price","i","c","p"],"rows":[["1","007","0.5","integer","text","real"],["10","a,b","12.25","integer","text","real"]],"totalRows":2}"#,
            "text/plain": """
            id  code  price  i        c     p
            --  ----  -----  -------  ----  ----
             1  007     0.5  integer  text  real
            10  a,b   12.25  integer  text  real
            (2 rows)
            """,
          ])
      ])
    #expect(ran.cells[1].outputs.first?.data["text/plain"] == "n\n-\n2\n(1 row)")
  }

  @Test func `files of a folder, unnamed files and outputs are tables, and a file written anew is read anew`() throws {
    let ran = try run(
      """
      ```{sql}
      SELECT (SELECT sum(x) FROM features_train) AS a, (SELECT sum(x) FROM zones) AS b
      ```
      ```{bash}
      printf 'y\\n5\\n' > out.csv
      ```
      ```{sql}
      SELECT y FROM out
      ```
      ```{bash}
      printf 'y\\n66\\n' > out.csv
      ```
      ```{sql}
      SELECT y FROM OUT
      ```
      """,
      deps: ["features": "data/f", "work/data/zones.csv": "data/zones.csv"], outs: ["out.csv": "out.csv"],
      files: ["data/f/train.csv": "x\n1\n2\n", "data/f/note.txt": "", "data/zones.csv": "x\n40\n"])
    #expect(ran.outcome == .done)
    #expect(
      ran.texts(.display) == "a   b\n-  --\n3  40\n(1 row)" + "y\n-\n5\n(1 row)"
        + "y\n--\n66\n(1 row)".replacing("y\n", with: " y\n"))
  }

  @Test func `a parameter is bound and never pasted`() throws {
    let evil = "x'; DROP TABLE orders; --"
    let ran = try run(
      """
      ```{sql}
      SELECT :name AS name, :train_lr * 2 AS twice, :grid_depth + 1 AS depth, (SELECT count(*) FROM orders WHERE zone = :name) AS n;
      ```
      ```{sql}
      SELECT count(*) AS n FROM orders
      ```
      """,
      params: ["name": .text(evil), "train.lr": .number(0.1), "grid": .mapping(["depth": .integer(3)])],
      deps: ["orders": "o.csv"], files: ["o.csv": "zone\na\nb\n"])
    #expect(ran.outcome == .done)
    #expect(
      ran.cells[0].outputs[0].data["application/vnd.pipe.table+json"]
        == #"{"columns":["name","twice","depth","n"],"rows":[["x'; DROP TABLE orders; --","0.2","4","0"]],"totalRows":1}"#)
    #expect(ran.texts(.display).hasSuffix("n\n-\n2\n(1 row)"))
    #expect(ran.warnings == [])
  }

  @Test(arguments: [
    ("SELECT 1;\n\nSELECT :train_lrr", 4, "parameter `:train_lrr` is not declared by stage `train`"),
    ("SELECT ?", 2, "the placeholder `?` has no parameter"),
    ("-- a comment\nSELECT 1;\nSELEC 2", 4, "near \"SELEC\": syntax error"),
    ("SELECT 1 AS a,\n  2 AS b\n FROM\n  ordres", 5, "there is no table `ordres`"),
    ("SELECT\n  zone,\n  pric\nFROM orders", 4, "no such column: pric"),
    ("SELECT zone\nFROM orders\nWHERE \"text\" = zone", 4, "no such column: text"),
    ("SELECT 1; /* a\n */ SELECT abs(-9223372036854775807 - 1)", 3, "integer overflow"),
  ])
  func `a mistake has the notebook's line`(source: String, line: Int, message: String) throws {
    let ran = try run(
      "```{sql}\n\(source)\n```", params: ["train.lr": .number(0.1)], deps: ["orders": "o.csv"], files: ["o.csv": "zone\na\n"])
    #expect(ran.failure == "\(line): cell 1 (1 of 1) failed: \(message)")
  }

  @Test func `a name with signs that SQL has no use for becomes an identifier`() throws {
    let ran = try run(
      "```{sql}\nSELECT (SELECT sum(x) FROM raw_orders_2) + (SELECT sum(x) FROM _7_days) AS s\n```",
      deps: ["raw.orders-2": "a.csv", "7-days.csv": "7-days.csv"], files: ["a.csv": "x\n1\n", "7-days.csv": "x\n2\n"])
    #expect(ran.texts(.display) == "s\n-\n3\n(1 row)")
  }

  @Test func `a name that could be two files is an error`() throws {
    let ran = try run(
      "```{sql}\nSELECT * FROM orders\n```", deps: ["a/orders.csv": "a/orders.csv", "b/orders.csv": "b/orders.csv"],
      files: ["a/orders.csv": "x\n1\n", "b/orders.csv": "x\n1\n"])
    #expect(
      ran.failure == "2: cell 1 (1 of 1) failed: table `orders` could be any of `a/orders.csv` and `b/orders.csv`")
  }

  @Test func `a broken CSV file is named with its line`() throws {
    let ran = try run("```{sql}\nSELECT * FROM o\n```", deps: ["o": "o.csv"], files: ["o.csv": "a,b\n1,2\n3\n"])
    #expect(
      ran.failure
        == "2: cell 1 (1 of 1) failed: `o.csv` is not a table: the row has 1 field, the header names 2 columns")
    #expect(ran.diagnostic?.causes == ["o.csv:3: the row has 1 field, the header names 2 columns"])
  }

  @Test func `out writes all rows as canonical CSV while fifty are shown`() throws {
    var written = ""
    let ran = try run(
      """
      ```{sql}
      --| out: big
      WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 120)
      SELECT i, i / 8.0 AS x, CASE WHEN i % 2 THEN 'a "q", b' END AS t FROM n
      ```
      """, outs: ["big": "results/big.csv"]
    ) { written = try $0.text(of: "results/big.csv") }
    #expect(ran.outcome == .done)
    let lines = written.split(separator: "\n")
    #expect(lines.count == 121)
    #expect(lines[0...2] == ["i,x,t", #"1,0.125,"a ""q"", b""#, "2,0.25,"])
    #expect(ran.texts(.display).hasSuffix("\n(50 of 120 rows)"))
  }

  @Test func `out of a cell without rows and out that is not declared are errors`() throws {
    let outs = ["a.csv": "a.csv", "b.json": "b.json"]
    let cell = { (path: String) in "```{sql}\n--| out: \(path)\nCREATE TABLE t(x)\n```" }
    #expect(try run(cell("a.csv"), outs: outs).failure == "3: cell 1 (1 of 1) failed: it has no rows to write to `a.csv`")
    let undeclared = try run(cell("aa.csv"), outs: outs)
    #expect(undeclared.failure == "3: cell 1 (1 of 1) failed: `out: aa.csv` is not an output of stage `train`")
    #expect(undeclared.diagnostic?.hints == ["did you mean `a.csv`?"])
    #expect(
      try run(cell("b.json"), outs: outs).failure
        == "3: cell 1 (1 of 1) failed: `out: b.json` is not a CSV file, and SQL rows become nothing else")
  }

  @Test func `a timeout stops a query that never ends`() throws {
    let ran = try run(
      "```{sql}\n--| timeout: 200ms\nWITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n\n```"
    )
    #expect(ran.failure == "3: cell 1 (1 of 1) failed: it ran longer than 200ms")
  }

  @Test func `a connection is a declared SQLite file: an output is made, a dependency is only read`() throws {
    let cells =
      "```{sql}\n#| connection: base\nCREATE TABLE t (a INTEGER); INSERT INTO t VALUES (:n)\n```\n```{sql}\n#| connection: base\nSELECT a + 1 AS b FROM t\n```"
    let made = try run(cells, params: ["n": .integer(2)], outs: ["base": "base.sqlite"])
    #expect(made.outcome == .done, "\(made.failure ?? "")")
    #expect(
      made.cells[1].outputs.first?.data["application/vnd.pipe.table+json"] == #"{"columns":["b"],"rows":[["3"]],"totalRows":1}"#)
    let read = try run(
      "```{bash}\ncp empty.sqlite base.sqlite\n```\n```{sql}\n#| connection: base\nCREATE TABLE t (a)\n```",
      deps: ["base": "base.sqlite"], files: ["empty.sqlite": ""])
    #expect(read.failure == "6: cell 2 (2 of 2) failed: attempt to write a readonly database")
    let table = try run("```{sql}\n#| connection: base\nSELECT 1\nFROM orders\n```", outs: ["base": "base.sqlite"])
    #expect(table.failure == "4: cell 1 (1 of 1) failed: there is no table `orders` in `base`")
    let unknown = try run("```{sql}\n#| connection: bas\nSELECT 1\n```", outs: ["base": "base.sqlite"])
    #expect(
      unknown.failure == "3: cell 1 (1 of 1) failed: `connection: bas` is neither a dependency nor an output of stage `train`")
    #expect(unknown.diagnostic?.hints == ["did you mean `base`?"])
  }
}
