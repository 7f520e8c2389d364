// Models that are read, and models that are refused.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import TestSupport
import Testing

@testable import Scoring

/// Two trees over two features. Tree 0: x0 < 1.5 ? (x1 < 0.25 ? -1 : 2) : 4, missing x0 right, missing x1 left.
/// Tree 1: x1 < -3 ? 0.5 : 0.125, missing left.
private let left0 = "[1, 3, -1, -1, -1]"
private func model(
  left: String = left0, right: String = "[2, 4, -1, -1, -1]", indices: String = "[0, 1, 0, 0, 0]",
  conditions: String = "[1.5E0, 2.5E-1, 4E0, -1E0, 2E0]", defaults: String = "[0, 1, 0, 0, 0]",
  cover: String = "[10, 8, 2, 6, 2]", types: String = "[0, 0, 0, 0, 0]", trees: String = "2",
  objective: String = "reg:absoluteerror", booster: String = "gbtree", features: String = "2", attributes: String = "{}",
  more: String = ""
) -> [UInt8] {
  Array(
    """
    {"learner": {"attributes": \(attributes), "feature_names": [], "gradient_booster": {"model": {
      "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "\(trees)", "size_leaf_vector": "0"},
      "tree_info": [0, 0], "trees": [
        {"left_children": \(left), "right_children": \(right), "split_indices": \(indices),
         "split_conditions": \(conditions), "default_left": \(defaults), "sum_hessian": \(cover),
         "split_type": \(types), "categories": [], "tree_param": {"num_nodes": "5"}, "id": 0},
        {"left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [1, 0, 0],
         "split_conditions": [-3, 0.5, 0.125], "default_left": [1, 0, 0], "sum_hessian": [4, 1, 3],
         "split_type": [0, 0, 0]}]}, "name": "\(booster)"},
      "learner_model_param": {"base_score": "1.5E1", "num_class": "0", "num_feature": "\(features)", "num_target": "1"},
      "objective": {"name": "\(objective)", "reg_loss_param": {"scale_pos_weight": "1"}}}, "version": [1, 7, 4]}\(more)
    """.utf8)
}

private func read(_ text: [UInt8]) throws -> TreeEnsemble { try XGBoostModelText.read(text, file: "model.json") }

@Suite struct XGBoostModelTextTests {
  private static let rows: [(row: [Float], expected: Float)] = [
    ([0, 0], 14.125), ([0, 0.25], 17.125), ([1.5, 0], 19.125), ([.nan, 0], 19.125),
    ([0, .nan], 14.5), ([1.4, -4], 14.5), ([.infinity, .infinity], 19.125), ([-.infinity, -.infinity], 14.5),
  ]
  @Test(arguments: rows)
  func `a row goes left when it is less, and by default when it is missing`(row: [Float], expected: Float) throws {
    let ensemble = try read(model())
    #expect(ensemble.predict(row) == expected)
    #expect(ensemble.predict(rows: row + row) == [expected, expected])
  }

  @Test func `contributions are the changes of the cover-weighted mean along the path`() throws {
    // Tree 0 by hand: node 1 = (-1·6 + 2·2)/8 = -0.25; root = (-0.25·8 + 4·2)/10 = 0.6.
    // Tree 1: root = (0.5·1 + 0.125·3)/4 = 0.21875. Row (0, 0) takes -1 and 0.125.
    let found = try read(model()).attribution(of: [0, 0])
    #expect(abs(found.bias - 15.81875) < 1e-12)
    #expect(abs(found.contributions[0] - -0.85) < 1e-12)
    #expect(abs(found.contributions[1] - (-0.75 - 0.09375)) < 1e-12)
    #expect(found.strongest(1) == [0])
    #expect(found.strongest(5) == [0, 1])
  }

  @Test func `trees after the best iteration do not count`() throws {
    let ensemble = try read(model(attributes: #"{"best_iteration": "0", "best_score": "1.5"}"#))
    #expect(ensemble.treeCount == 1)
    #expect(ensemble.predict([0, 0]) == 14)
  }

  private static let unfit: [(text: [UInt8], message: String)] = [
    (model(left: "[1, 0, -1, -1, -1]"), "tree 0: node 0 is reached twice, so it is no tree"),
    (model(left: "[1, 1, -1, -1, -1]"), "tree 0: node 1 is reached twice, so it is no tree"),
    (model(left: "[1, 5, -1, -1, -1]"), "tree 0: node 1 has the child 5, the tree has 5 nodes"),
    (model(left: "[1, -7, -1, -1, -1]"), "tree 0: node 1 has the child -7, the tree has 5 nodes"),
    (model(right: "[-1, 4, -1, -1, -1]"), "tree 0: node 0 has the child -1, the tree has 5 nodes"),
    (model(right: "[2, 4, -1]"), "tree 0: `right_children` has 3 values for 5 nodes"),
    (model(cover: "[]"), "tree 0: `sum_hessian` has 0 values for 5 nodes"),
    (model(left: "[]"), "tree 0: it has no nodes"),
    (model(indices: "[0, 2, 0, 0, 0]"), "tree 0: node 1 splits on feature 2, the model has 2"),
    (model(indices: "[0, -1, 0, 0, 0]"), "tree 0: node 1 splits on feature -1, the model has 2"),
    (model(types: "[1, 0, 0, 0, 0]"), "tree 0: it has a categorical split, only numeric ones are scored"),
    (model(trees: "3"), "it says 3 trees and has 2"),
    (model(trees: "99999999999"), "its `num_trees` is `99999999999`, not a whole number from 0 to 100000"),
    (model(features: "-1"), "its `num_feature` is `-1`, not a whole number from 1 to 100000"),
    (
      model(objective: "multi:softprob"),
      "its objective is `multi:softprob`, not one of `reg:squarederror`, `reg:absoluteerror`, `reg:pseudohubererror`"
    ),
    (model(booster: "dart"), "its booster is `dart`, only `gbtree` is scored"),
  ]
  @Test(arguments: unfit)
  func `a model that is no model is refused in words`(text: [UInt8], message: String) {
    let error = #expect(throws: Diagnostic.self) { try read(text) }
    #expect(error?.category == .storage)
    #expect(error?.message == "`model.json` is not a model that can be scored: \(message)")
  }

  private static let malformed: [(text: [UInt8], message: String)] = [
    (model(more: "x"), "something follows the end of the document"),
    (model(conditions: "[1.5E0, NaN, 4E0, -1E0, 2E0]"), "a finite number was expected, not `NaN`"),
    (model(conditions: "[1.5E0, 1e999, 4E0, -1E0, 2E0]"), "a finite number was expected, not `1e999`"),
    (model(left: "[1, 3.5, -1, -1, -1]"), "a whole number was expected, not `3.5`"),
    (model(left: "[1, 99999999999, -1, -1, -1]"), "a whole number was expected, not `99999999999`"),
    (model(defaults: "[0, 2, 0, 0, 0]"), "0 or 1 was expected, not `2`"),
    (Array("{\"learner\": [".utf8), "`{` was expected"), (Array(model().dropLast(4)), "the text ends early"),
    ([], "the text ends early"), (Array("{\"learner".utf8), "the text ends within a string"),
    (Array("{\"learner\\".utf8), "the text ends within a string"),
    (Array(("{\"other\":" + String(repeating: "[", count: 100_000)).utf8), "values are nested more than 64 deep"),
  ]
  @Test(arguments: malformed)
  func `a text that is no such JSON is refused in words`(text: [UInt8], message: String) {
    let error = #expect(throws: Diagnostic.self) { try read(text) }
    #expect(error?.message == "`model.json` is not the model that XGBoost wrote: \(message)")
  }

  @Test func `a model cut anywhere is refused`() {
    let whole = model()
    for count in 0..<whole.count { #expect(throws: Diagnostic.self) { try read(Array(whole.prefix(count))) } }
  }
}

@Suite struct DamagedModelTests {
  @Test func `a model with changed bytes is refused or scored, and never crashes`() throws {
    let whole = model()
    var random = SeededGenerator(seed: 11)
    let alphabet = Array("0123456789-+.,:eE[]{}\"\\ \u{7F}".utf8)
    var scored = 0
    for _ in 0..<3000 {
      var damaged = whole
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<damaged.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: damaged[place] = alphabet.randomElement(using: &random) ?? 0
        case 1: damaged.remove(at: place)
        default: damaged.insert(alphabet.randomElement(using: &random) ?? 0, at: place)
        }
      }
      guard let ensemble = try? read(damaged) else { continue }
      scored += 1
      let row = [Float](repeating: 0, count: ensemble.featureCount)
      _ = ensemble.predict(row)
      _ = ensemble.attribution(of: row)
    }
    // Most damage hits a number or a part that is not read, so a good share still scores.
    #expect(scored > 100 && scored < 3000)
  }
}

@Suite struct FloatTextTests {
  /// Nearest singles by numpy: `numpy.float32(text).view('uint32')`.
  @Test(
    arguments: [
      ("1E0", 0x3F80_0000), ("-2.5E-1", 0xBE80_0000), ("1.6777217E7", 0x4B80_0000), ("3.4028235E38", 0x7F7F_FFFF),
      ("1E-45", 0x0000_0001), ("0.1", 0x3DCC_CCCD), ("1.17549435E-38", 0x0080_0000), ("16777219", 0x4B80_0002),
      ("8388608.5", 0x4B00_0000), ("8388609.5", 0x4B00_0002), ("0", 0), ("-0", 0x8000_0000), ("123456789012345678", 0x5BDB_4DA6),
    ] as [(String, UInt32)])
  func `a decimal becomes the nearest single`(text: String, bits: UInt32) throws {
    let value = try Array(text.utf8).withUnsafeBufferPointer { bytes in
      var scanner = JSONScanner(bytes)
      return try scanner.float()
    }
    #expect(value.bitPattern == bits)
  }
}
