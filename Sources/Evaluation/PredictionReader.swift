// A CSV of predictions to columns of numbers, without the file ever being in memory.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// Reads tables of predictions for a request.
package enum PredictionReader {
  /// Reads a file as a stream.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - name: what messages call it; `path` by default (an object of the store has no name of its own).
  ///   - keepsIDs: whether rows shall be matched with another table's later.
  /// - Throws: the first mistake, as a diagnostic at file:line:column.
  package static func table(
    file path: String, named name: String? = nil, for request: EvaluationRequest, keepsIDs: Bool = true
  ) throws(Diagnostic) -> PredictionTable {
    throw Diagnostic(.bug, "predictions are not read yet")
  }

  /// The same for bytes in memory.
  package static func table(
    bytes: [UInt8], named name: String, for request: EvaluationRequest, keepsIDs: Bool = true
  ) throws(Diagnostic) -> PredictionTable {
    throw Diagnostic(.bug, "predictions are not read yet")
  }
}
