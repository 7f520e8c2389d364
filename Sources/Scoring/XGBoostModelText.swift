// XGBoost's JSON model file read into a tree ensemble, with nothing in it taken on trust.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// Reads the model files of XGBoost 1.x (`gbtree`, one target, numeric splits, an objective without a link function).
///
/// Format: the keys of `doc/model.schema` in XGBoost's sources; only those that prediction needs are read.
package enum XGBoostModelText {
  /// Limits far beyond any sensible model, so that a hostile file cannot ask for memory without bringing the bytes.
  static let maximumTrees = 100_000
  static let maximumFeatures = 100_000

  /// Objectives whose prediction is the plain sum of leaves.
  static let identityObjectives = ["reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror"]

  /// Reads a model.
  ///
  /// - Parameters:
  ///   - text: the file's bytes.
  ///   - file: its name, for messages.
  /// - Throws: a `storage` diagnostic for a text that is not such a model or whose trees are not trees.
  /// - Complexity: one pass over the bytes; about 150 MB/s.
  package static func read(_ text: [UInt8], file: String) throws(Diagnostic) -> TreeEnsemble {
    do {
      return try text.withUnsafeBufferPointer { bytes in
        var scanner = JSONScanner(bytes)
        let document = try ModelDocument(&scanner)
        try scanner.end()
        return try document.ensemble()
      }
    } catch let error as JSONSyntaxError {
      throw Diagnostic(
        .storage, "`\(file)` is not the model that XGBoost wrote: \(error.message)", at: SourceLocation(file: file),
        causes: ["at byte \(error.offset)"], hints: rebuildHint)
    } catch let error as ModelFault {
      throw Diagnostic(
        .storage, "`\(file)` is not a model that can be scored: \(error.message)", at: SourceLocation(file: file),
        hints: rebuildHint)
    } catch {
      throw Diagnostic(.bug, "reading a model failed in a way that was not foreseen", causes: ["\(error)"])
    }
  }

  private static let rebuildHint = ["`pipe repro` makes the model again; `pipe checkout` restores it"]
}

/// Well-formed JSON that does not describe a model that this scorer knows.
struct ModelFault: Error {
  var message: String
}

/// What prediction needs of a model file.
private struct ModelDocument {
  var baseScore: Float?
  var featureCount: Int?
  var objective: String?
  var booster: String?
  var parallelTrees = 1
  var bestIteration: Int?
  var statedTrees: Int?
  var trees: [TreeDocument] = []

  init(_ scanner: inout JSONScanner) throws {
    try scanner.object { scanner, key in
      guard key == "learner" else { return try scanner.skip() }
      try scanner.object { try readLearner(&$0, $1) }
    }
  }

  private mutating func readLearner(_ scanner: inout JSONScanner, _ key: String) throws {
    switch key {
    case "attributes":
      try scanner.object { scanner, key in
        guard key == "best_iteration" else { return try scanner.skip() }
        bestIteration = try Self.whole(scanner.string(), key, in: 0...XGBoostModelText.maximumTrees)
      }
    case "gradient_booster": try scanner.object { try readBooster(&$0, $1) }
    case "learner_model_param": try scanner.object { try readParameters(&$0, $1) }
    case "objective":
      try scanner.object { scanner, key in
        guard key == "name" else { return try scanner.skip() }
        objective = try scanner.string()
      }
    default: try scanner.skip()
    }
  }

  private mutating func readParameters(_ scanner: inout JSONScanner, _ key: String) throws {
    switch key {
    case "base_score":
      let text = try scanner.string()
      guard let value = Float(text), value.isFinite else { throw ModelFault(message: "its `base_score` is `\(text)`") }
      baseScore = value
    case "num_feature":
      featureCount = try Self.whole(scanner.string(), key, in: 1...XGBoostModelText.maximumFeatures)
    case "num_class": _ = try Self.whole(scanner.string(), key, in: 0...1)
    case "num_target": _ = try Self.whole(scanner.string(), key, in: 0...1)
    default: try scanner.skip()
    }
  }

  private mutating func readBooster(_ scanner: inout JSONScanner, _ key: String) throws {
    switch key {
    case "name": booster = try scanner.string()
    case "model": try scanner.object { try readForest(&$0, $1) }
    default: try scanner.skip()
    }
  }

  private mutating func readForest(_ scanner: inout JSONScanner, _ key: String) throws {
    switch key {
    case "gbtree_model_param":
      try scanner.object { scanner, key in
        switch key {
        case "num_parallel_tree":
          // 0 stands for "not said" and means one.
          parallelTrees = max(1, try Self.whole(scanner.string(), key, in: 0...10_000))
        case "num_trees":
          statedTrees = try Self.whole(scanner.string(), key, in: 0...XGBoostModelText.maximumTrees)
        default: try scanner.skip()
        }
      }
    case "trees":
      try scanner.array { scanner in
        guard trees.count < XGBoostModelText.maximumTrees else {
          throw ModelFault(message: "it has more than \(XGBoostModelText.maximumTrees) trees")
        }
        trees.append(try TreeDocument(&scanner))
      }
    default: try scanner.skip()
    }
  }

  private static func whole(_ text: String, _ key: String, in range: ClosedRange<Int>) throws -> Int {
    guard let value = Int(text), range.contains(value) else {
      throw ModelFault(
        message: "its `\(key)` is `\(text.prefix(40))`, not a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// The checked ensemble, cut off after the best iteration where one is named.
  func ensemble() throws -> TreeEnsemble {
    guard booster == "gbtree" else {
      throw ModelFault(message: "its booster is `\(booster ?? "not named")`, only `gbtree` is scored")
    }
    guard let objective, XGBoostModelText.identityObjectives.contains(objective) else {
      let known = XGBoostModelText.identityObjectives.map { "`\($0)`" }.joined(separator: ", ")
      throw ModelFault(message: "its objective is `\(objective ?? "not named")`, not one of \(known)")
    }
    guard let featureCount, let baseScore else { throw ModelFault(message: "`learner_model_param` is missing") }
    guard statedTrees == trees.count else {
      throw ModelFault(message: "it says \(statedTrees.map(String.init) ?? "nothing of its") trees and has \(trees.count)")
    }
    let used = bestIteration.map { min(trees.count, ($0 + 1) * parallelTrees) } ?? trees.count
    var builder = EnsembleBuilder(featureCount: featureCount)
    for (index, tree) in trees.prefix(used).enumerated() {
      do { try builder.append(tree) } catch let fault as ModelFault {
        throw ModelFault(message: "tree \(index): \(fault.message)")
      }
    }
    return builder.ensemble(baseScore: baseScore)
  }
}

/// One tree as the file has it: parallel arrays, children by index, -1 for a leaf.
struct TreeDocument {
  var left: [Int32] = []
  var right: [Int32] = []
  var splitFeatures: [Int32] = []
  /// The threshold of an inner node, the value of a leaf.
  var conditions: [Float] = []
  var missingGoesLeft: [Bool] = []
  /// Cover: the sum of second derivatives in training.
  var cover: [Float] = []
  var splitTypes: [Int32] = []

  init(_ scanner: inout JSONScanner) throws {
    try scanner.object { scanner, key in
      switch key {
      case "left_children": left = try scanner.integers()
      case "right_children": right = try scanner.integers()
      case "split_indices": splitFeatures = try scanner.integers()
      case "split_conditions": conditions = try scanner.floats()
      case "default_left": missingGoesLeft = try scanner.flags()
      case "sum_hessian": cover = try scanner.floats()
      case "split_type": splitTypes = try scanner.integers()
      default: try scanner.skip()
      }
    }
  }
}

/// Checks trees and lays them out.
struct EnsembleBuilder {
  let featureCount: Int
  private var trees: [TreeEnsemble.Tree] = []
  private var nodes: [TreeEnsemble.Node] = []
  private var leafValues: [Float] = []
  private var expectations: [Double] = []

  init(featureCount: Int) { self.featureCount = featureCount }

  func ensemble(baseScore: Float) -> TreeEnsemble {
    TreeEnsemble(
      featureCount: featureCount, baseScore: baseScore, trees: trees, nodes: nodes, leafValues: leafValues,
      expectations: expectations)
  }

  /// Copies a tree in breadth-first order, so that siblings stand side by side and parents before children.
  mutating func append(_ tree: TreeDocument) throws {
    try checkCounts(tree)
    let order = try breadthFirst(tree)
    let base = nodes.count
    guard base + order.count <= Int(Int32.max) else { throw ModelFault(message: "the model has too many nodes") }
    var nextChild = base + 1
    var depth: [Int32] = [0]
    for (offset, index) in order.enumerated() {
      if tree.left[index] < 0 {
        nodes.append(.init(threshold: 0, leftChild: Int32(base + offset), feature: 0, flags: 0))
        leafValues.append(tree.conditions[index])
      } else {
        let missing = tree.missingGoesLeft[index] ? TreeEnsemble.Node.missingGoesLeft : 0
        nodes.append(
          .init(
            threshold: tree.conditions[index], leftChild: Int32(nextChild), feature: tree.splitFeatures[index],
            flags: TreeEnsemble.Node.inner | missing))
        leafValues.append(0)
        nextChild += 2
        depth += [depth[offset] + 1, depth[offset] + 1]
      }
    }
    trees.append(.init(root: Int32(base), depth: depth.max() ?? 0))
    appendExpectations(tree, order, base)
  }

  private func checkCounts(_ tree: TreeDocument) throws {
    let count = tree.left.count
    guard count > 0 else { throw ModelFault(message: "it has no nodes") }
    let lengths = [
      ("right_children", tree.right.count), ("split_indices", tree.splitFeatures.count),
      ("split_conditions", tree.conditions.count), ("default_left", tree.missingGoesLeft.count),
      ("sum_hessian", tree.cover.count),
    ]
    for (name, length) in lengths where length != count {
      throw ModelFault(message: "`\(name)` has \(length) values for \(count) nodes")
    }
    guard tree.splitTypes.allSatisfy({ $0 == 0 }) else {
      throw ModelFault(message: "it has a categorical split, only numeric ones are scored")
    }
  }

  /// Node indices from the root downward; fails for a child outside of the tree and for one that is reached twice.
  private func breadthFirst(_ tree: TreeDocument) throws -> [Int] {
    let count = tree.left.count
    var order = [0]
    var isReached = [Bool](repeating: false, count: count)
    isReached[0] = true
    var next = 0
    while next < order.count {
      let index = order[next]
      next += 1
      let (left, right) = (Int(tree.left[index]), Int(tree.right[index]))
      if left == -1, right == -1 { continue }
      let feature = Int(tree.splitFeatures[index])
      guard (0..<featureCount).contains(feature) else {
        throw ModelFault(message: "node \(index) splits on feature \(feature), the model has \(featureCount)")
      }
      for child in [left, right] {
        guard (0..<count).contains(child) else {
          throw ModelFault(message: "node \(index) has the child \(child), the tree has \(count) nodes")
        }
        guard !isReached[child] else { throw ModelFault(message: "node \(child) is reached twice, so it is no tree") }
        isReached[child] = true
        order.append(child)
      }
    }
    return order
  }

  /// From the leaves upward: children stand after their parent, so one backward pass does.
  private mutating func appendExpectations(_ tree: TreeDocument, _ order: [Int], _ base: Int) {
    var means = [Double](repeating: 0, count: order.count)
    for offset in order.indices.reversed() {
      let node = nodes[base + offset]
      if node.flags & TreeEnsemble.Node.inner == 0 {
        means[offset] = Double(leafValues[base + offset])
        continue
      }
      let left = Int(node.leftChild) - base
      let (leftCover, rightCover) = (Double(tree.cover[order[left]]), Double(tree.cover[order[left + 1]]))
      let cover = leftCover + rightCover
      means[offset] =
        cover > 0
        ? (means[left] * leftCover + means[left + 1] * rightCover) / cover : (means[left] + means[left + 1]) / 2
    }
    expectations += means
  }
}
