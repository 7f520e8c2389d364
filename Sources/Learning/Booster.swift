// XGBoost's booster and matrix behind two classes that own their handles.
// SPDX-License-Identifier: Apache-2.0
import CXGBoost
package import Diagnostics

/// Calls XGBoost and turns its error text into a diagnostic.
private func check(_ status: Int32, _ what: String) throws(Diagnostic) {
  guard status != 0 else { return }
  let text = XGBGetLastError().map { String(cString: $0) } ?? ""
  // The first line says it; the rest is a stack trace of the library.
  let line = text.split(separator: "\n").first.map(String.init) ?? "no reason was given"
  throw Diagnostic(.work, "XGBoost cannot \(what)", causes: [line])
}

/// Rows inside XGBoost. Not `Sendable`: the handle stays in the task that made it.
package final class BoosterMatrix {
  let handle: DMatrixHandle
  package let rowCount: Int

  /// Copies the rows into XGBoost.
  package init(_ sample: SampleMatrix) throws(Diagnostic) {
    var made: DMatrixHandle?
    try check(
      XGDMatrixCreateFromMat_omp(
        sample.features, bst_ulong(sample.rowCount), bst_ulong(sample.width), .nan, &made, 1), "take the rows in")
    guard let made else { throw Diagnostic(.bug, "XGBoost made no matrix and no error") }
    handle = made
    rowCount = sample.rowCount
    try check(XGDMatrixSetFloatInfo(handle, "label", sample.labels, bst_ulong(sample.rowCount)), "take the labels in")
  }

  deinit { XGDMatrixFree(handle) }
}

/// A model that grows tree by tree. Not `Sendable`: the handle stays in the task that made it.
package final class Booster {
  private let handle: BoosterHandle

  /// - Parameters:
  ///   - parameters: XGBoost's own names and values, set in this order.
  ///   - matrices: the ones that predictions are wanted for in every round; XGBoost keeps their sums.
  package init(parameters: [(name: String, value: String)], matrices: [BoosterMatrix]) throws(Diagnostic) {
    var made: BoosterHandle?
    try check(XGBoosterCreate(matrices.map(\.handle), bst_ulong(matrices.count), &made), "make a model")
    guard let made else { throw Diagnostic(.bug, "XGBoost made no model and no error") }
    handle = made
    for (name, value) in parameters {
      try check(XGBoosterSetParam(handle, name, value), "use the parameter `\(name)` = `\(value)`")
    }
  }

  private init(handle: BoosterHandle) { self.handle = handle }

  deinit { XGBoosterFree(handle) }

  /// Adds one round of trees.
  package func update(round: Int, with matrix: BoosterMatrix) throws(Diagnostic) {
    try check(XGBoosterUpdateOneIter(handle, Int32(round), matrix.handle), "train round \(round)")
  }

  /// Predictions for all rows, with all trees so far.
  package func predict(_ matrix: BoosterMatrix) throws(Diagnostic) -> [Float] {
    try predict(matrix, type: 0)
  }

  /// Attribution along the decision path, row by row: one value per feature, then the bias.
  package func approximateContributions(_ matrix: BoosterMatrix) throws(Diagnostic) -> [Float] {
    try predict(matrix, type: 3)
  }

  private func predict(_ matrix: BoosterMatrix, type: Int) throws(Diagnostic) -> [Float] {
    let config = #"{"type": \#(type), "training": false, "iteration_begin": 0, "iteration_end": 0, "strict_shape": false}"#
    var shape: UnsafePointer<bst_ulong>?
    var dimensions: bst_ulong = 0
    var values: UnsafePointer<Float>?
    try check(
      XGBoosterPredictFromDMatrix(handle, matrix.handle, config, &shape, &dimensions, &values), "predict")
    guard let shape, let values else { throw Diagnostic(.bug, "XGBoost gave no predictions and no error") }
    let count = (0..<Int(dimensions)).reduce(1) { $0 * Int(shape[$1]) }
    return Array(UnsafeBufferPointer(start: values, count: count))
  }

  /// A model of only the first `rounds` rounds.
  package func prefix(rounds: Int) throws(Diagnostic) -> Booster {
    var made: BoosterHandle?
    try check(XGBoosterSlice(handle, 0, Int32(rounds), 1, &made), "cut the model after round \(rounds)")
    guard let made else { throw Diagnostic(.bug, "XGBoost cut a model to nothing and no error") }
    return Booster(handle: made)
  }

  /// The model in XGBoost's JSON, which any XGBoost from 1.0 on can load.
  package func json() throws(Diagnostic) -> [UInt8] {
    var count: bst_ulong = 0
    var text: UnsafePointer<CChar>?
    try check(XGBoosterSaveModelToBuffer(handle, #"{"format": "json"}"#, &count, &text), "write the model")
    guard let text else { throw Diagnostic(.bug, "XGBoost wrote no model and no error") }
    return UnsafeRawBufferPointer(start: text, count: Int(count)).map { $0 }
  }

  /// Gives the features the names that XGBoost writes into the model, in their order.
  package func name(features: [String]) throws(Diagnostic) {
    let texts = features.map { $0.utf8CString }
    // One block of all names, each with its closing zero, and a pointer to the start of each.
    let block = texts.flatMap { $0 }
    let status = block.withUnsafeBufferPointer { block in
      var offset = 0
      var starts: [UnsafePointer<CChar>?] = texts.map { text in
        defer { offset += text.count }
        return block.baseAddress.map { $0 + offset }
      }
      return XGBoosterSetStrFeatureInfo(handle, "feature_name", &starts, bst_ulong(starts.count))
    }
    try check(status, "take the feature names in")
  }

  /// The loss that all splits on a feature took away together, per feature; 0 for one that no split uses.
  ///
  /// To be asked before `name(features:)`, since XGBoost answers by name.
  package func totalGain(featureCount: Int) throws(Diagnostic) -> [Double] {
    var gains = [Double](repeating: 0, count: featureCount)
    var count: bst_ulong = 0
    var names: UnsafeMutablePointer<UnsafePointer<CChar>?>?
    var dimensions: bst_ulong = 0
    var shape: UnsafePointer<bst_ulong>?
    var scores: UnsafePointer<Float>?
    try check(
      XGBoosterFeatureScore(
        handle, #"{"importance_type": "total_gain"}"#, &count, &names, &dimensions, &shape, &scores), "score the features")
    guard let names, let scores else { return gains }
    for index in 0..<Int(count) {
      guard let name = names[index], let feature = Int(String(cString: name).dropFirst()), gains.indices.contains(feature)
      else { continue }
      gains[feature] = Double(scores[index])
    }
    return gains
  }
}
