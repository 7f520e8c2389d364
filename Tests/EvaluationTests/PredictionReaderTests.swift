// Tables of predictions: what is read, and how each mistake is told.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Tabular
import TestSupport
import Testing

@testable import Evaluation

private func read(
  _ text: String, _ task: EvaluationTask, keepsIDs: Bool = true, _ change: (inout EvaluationRequest) -> Void = { _ in }
) throws -> PredictionTable {
  var request = EvaluationRequest(name: "e", task: task)
  change(&request)
  return try PredictionReader.table(bytes: Array(text.utf8), named: "p.csv", for: request, keepsIDs: keepsIDs)
}

private func mistake(
  _ text: String, _ task: EvaluationTask, _ change: (inout EvaluationRequest) -> Void = { _ in }
) -> String {
  do {
    _ = try read(text, task, change)
    return "no mistake"
  } catch let diagnostic as Diagnostic {
    return (diagnostic.location.map { "\($0): " } ?? "") + diagnostic.message
  } catch {
    return "\(error)"
  }
}

@Suite struct PredictionReaderTests {
  @Test func `numbers, bounds, weights, slices and missing slices are columns`() throws {
    let table = try read(
      "id,y_true,y_pred,y_low,y_high,weight,slice_zone,note\na,1,2,0.5,3,1,north,x\nb,4,3.5,2,6,0,,y\nc,5,5,4,6,2,north,\n",
      .regression)
    #expect(table.count == 3 && table.ids.count == 3)
    #expect(table.truths == [1, 4, 5] && table.predictions == [2, 3.5, 5])
    #expect(table.lows == [0.5, 2, 4] && table.highs == [3, 6, 6] && table.weights == [1, 0, 2])
    #expect(table.slices == [CategoryColumn(name: "zone", names: ["north", "(missing)"], rows: [0, 1, 0])])
  }

  @Test func `columns are found by the names that they have`() throws {
    let table = try read("key,actual,eta,zone\n1,2,3,n\n", .regression) {
      $0.columns.id = "key"
      $0.columns.truth = "actual"
      $0.columns.prediction = "eta"
      $0.slices = ["zone"]
    }
    #expect(table.truths == [2] && table.predictions == [3] && table.ids.count == 1)
    #expect(table.slices.map(\.name) == ["zone"])
  }

  @Test func `of a repeated id and another mistake the one that stands first is told`() {
    #expect(
      mistake("id,y_true,y_pred\na,2,3\na,1,1\nb,x,1\n", .regression) == "p.csv:3:1: id `a` stands twice, first in line 2")
    #expect(
      mistake("id,y_true,y_pred\na,2,3\nb,x,1\na,1,1\n", .regression)
        == "p.csv:3:3: `x` is not a number; `y_true` has to be one")
  }

  @Test func `ids that nobody will ask for are dropped, but still looked at`() throws {
    #expect(try read("id,y_true,y_pred\n1,2,3\n", .regression, keepsIDs: false).ids.isEmpty)
    #expect(
      mistake("id,y_true,y_pred\n1,2,3\n\"a,\nb\",2,3\n7,1,1\n\"a,\nb\",2,3\n", .regression)
        == "p.csv:6:2: id `a,\nb` stands twice, first in line 3")
  }

  @Test func `the positive class is the one that says so`() throws {
    #expect(try read("y_true,y_score\n1,0.5\n0.0,0.25\n", .binary).classes == ["0", "1"])
    #expect(try read("y_true,y_score\nFalse,0.5\nTrue,0.25\n", .binary).classes == ["False", "True"])
    let table = try read("y_true,y_pred\ngood,bad\nbad,bad\n", .binary) { $0.positive = "bad" }
    #expect(table.classes == ["good", "bad"] && table.labels == [0, 1] && table.predictedLabels == [1, 1])
    #expect(
      mistake("y_true,y_pred\ngood,bad\n", .binary) == "p.csv: which of `good` and `bad` is the positive class?")
  }

  @Test func `classes are in order, whatever the order of columns and rows`() throws {
    let table = try read("y_true,y_score_10,y_score_9,y_score_b\n10,0.5,0.2,0.3\nb,0,0,1\n", .multiclass)
    #expect(table.classes == ["9", "10", "b"] && table.labels == [1, 2])
    #expect(table.scores == [[0.2, 0], [0.5, 0], [0.3, 1]])
  }

  @Test func `rows of a backtest are put in order of time`() throws {
    let table = try read(
      "y_true,y_pred,time\n2,0,2026-01-02\n3,0,2026-01-02 12:00:00\n1,0,2026-01-01T23:00:00Z\n", .backtest)
    #expect(table.truths == [1, 2, 3])
    #expect(table.times == TimeColumn(values: [1_767_308_400, 1_767_312_000, 1_767_355_200], isCalendar: true))
    #expect(try read("y_true,y_pred,time\n2,0,10\n1,0,-1.5\n", .backtest).truths == [1, 2])
  }

  @Test(arguments: [
    ("id,y_tru,y_pred\n", "p.csv:1: the table has no column `y_true`"),
    ("y_true,y_pred\n1,2\nx,3\n", "p.csv:3:1: `x` is not a number; `y_true` has to be one"),
    ("y_true,y_pred\n1,\n", "p.csv:2:3: `y_pred` is empty, a number is wanted"),
    ("y_true,y_pred\n1,nan\n", "p.csv:2:3: `nan` is not a number; `y_pred` has to be one"),
    ("y_true,y_pred\n1\n", "p.csv:2:1: the row has 1 field, the header names 2 columns"),
    ("y_true,y_pred,weight\n1,2,-1\n", "p.csv:2:5: weight `-1` is below 0"),
    ("y_true,y_pred,weight\n1,2,0\n", "p.csv: all weights are 0"),
    ("y_true,y_pred\n", "p.csv: the table has no rows"),
    ("y_true,y_pred,y_low\n1,2,1\n", "p.csv:1: the table has no column `y_high`"),
    ("y_true,y_pred,y_pred\n1,2,1\n", "p.csv:1:15: the header names `y_pred` twice"),
    ("id,y_true,y_pred\n,2,1\n", "p.csv:2:1: the row has no `id`"),
    ("", "p.csv: the file is empty, a header line is wanted"),
  ])
  func `a mistake in numbers has its place`(text: String, message: String) {
    #expect(mistake(text, .regression) == message)
  }

  @Test(arguments: [
    (EvaluationTask.binary, "y_true,y_score\n1,1.5\n", "p.csv:2:3: score `1.5` lies outside 0...1"),
    (.binary, "y_true,y_pred\n1,0\n0,0.3\n", "p.csv:3:3: `0.3` is a third class beside `1` and `0`; a binary task has two"),
    (.binary, "y_true\n1\n", "p.csv:1: the table has no column `y_pred`"),
    (.multiclass, "y_true,y_score_a,y_score_b\nc,0.5,0.5\n", "p.csv:2:1: class `c` has no scores"),
    (
      .multiclass, "y_true,y_score_a,y_score_b\na,0.5,0.25\n",
      "p.csv:2:1: the scores of the row's classes add up to 0.75, not to 1"
    ),
    (.ranking, "y_true,y_pred\n1,0\n", "p.csv:1: the table has no column `group`"),
    (.backtest, "y_true,y_pred,time\n1,0,soon\n", "p.csv:2:5: `soon` is no time"),
    (.backtest, "y_true,y_pred,time\n1,0,2026-01-01\n1,0,5\n", "p.csv:3:5: `time` has both dates and numbers"),
  ])
  func `a mistake in other tasks has its place`(task: EvaluationTask, text: String, message: String) {
    #expect(mistake(text, task) == message)
  }

  @Test func `a column that was named has to be there`() {
    #expect(
      mistake("y_true,y_pred\n1,2\n", .regression) {
        $0.columns.weight = "w"
        $0.columns.named = ["weight"]
      } == "p.csv:1: the table has no column `w`")
  }

  @Test func `ids that share a hash are told from ids that stand twice`() throws {
    var stream = try CSVRowStream(bytes: Array("y_true,id\n1,a\n1,b\n1,a\n".utf8), named: "p.csv")
    let clash = try IDRepetition(first: 0, second: 1).diagnostic(&stream, EvaluationRequest(name: "e", task: .regression))
    #expect(clash.location?.line == 3)
    #expect(clash.message == "the ids `a` and `b` cannot be told apart: their 64-bit hashes are equal")
  }

  @Test func `each of many ids finds its row, and no other`() {
    let ids = (0..<50_000).map { TextHash.hash("row \($0)") }
    #expect(Set(ids).count == 50_000)
    let index = RowIndex(Array(ids[..<40_000]))
    #expect((0..<40_000).allSatisfy { index.row(of: ids[$0], in: ids) == $0 })
    #expect((40_000..<50_000).allSatisfy { index.row(of: ids[$0], in: ids) == nil })
  }
}
