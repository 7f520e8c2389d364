// Differences of metrics and parameters, in DVC's shape.
// SPDX-License-Identifier: Apache-2.0
import Testing
import Tracking

@Suite struct DocumentDiffTests {
  private func document(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

  // python3 -c 'print(0.91-0.9)' → 0.010000000000000009
  @Test func `changed keys have old, new and difference; missing sides are null`() throws {
    let diff = DocumentDiff(
      old: ["metrics.json": try document(#"{"test": {"auc": 0.9, "n": 10, "same": 1}, "name": "a", "gone": [1]}"#)],
      new: ["metrics.json": try document(#"{"test": {"auc": 0.91, "n": 12, "same": 1.0}, "name": "b", "came": null}"#)])
    #expect(
      diff.json.canonicalText
        == #"{"metrics.json":{"came":{"new":null,"old":null},"gone":{"new":null,"old":[1]},"name":{"new":"b","old":"a"},"#
        + #""test.auc":{"diff":0.010000000000000009,"new":0.91,"old":0.9},"test.n":{"diff":2,"new":12,"old":10}}}"#)
  }

  @Test func `equal documents differ in nothing, and are listed when asked`() throws {
    let same = ["p": try document(#"{"a": 1, "b": {"c": "x"}}"#)]
    #expect(DocumentDiff(old: same, new: same).isEmpty)
    #expect(DocumentDiff(old: same, new: same, includingUnchanged: true).files["p"]?.keys.sorted() == ["a", "b.c"])
  }

  @Test func `a file on one side only has all its keys`() throws {
    let diff = DocumentDiff(old: [:], new: ["m": try document(#"{"a": 1}"#)])
    #expect(diff.files == ["m": ["a": ValueDiff(old: nil, new: .number("1"))]])
  }

  @Test func `a document that is a bare number has the empty key`() throws {
    let diff = DocumentDiff(old: ["m": .number("1")], new: ["m": .number("3")])
    #expect(diff.json.canonicalText == #"{"m":{"":{"diff":2,"new":3,"old":1}}}"#)
  }

  @Test func `flattening keeps lists and empty mappings whole`() throws {
    #expect(
      try document(#"{"a": {"b": {"c": 1}, "d": []}, "e": {}}"#).flattened
        == ["a.b.c": .number("1"), "a.d": .array([]), "e": .object([:])])
    #expect(try document(#"{"a": {"b": 1.5}, "c": "x", "d": true}"#).flattenedNumbers == ["a.b": 1.5])
  }
}
