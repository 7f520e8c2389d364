// From a table of predictions, or two, to all that is said of them.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// Computes what a request asks for. A pure function: equal tables give equal results.
package struct Evaluator: Sendable {
  package let request: EvaluationRequest

  package init(_ request: EvaluationRequest) { self.request = request }

  /// - Parameters:
  ///   - table: read for the same request.
  ///   - reference: the baseline's table, read for the same request; rows are matched by id.
  /// - Throws: an `input` diagnostic at the request for a metric, slice or gate that these tables do not have.
  package func evaluate(
    _ table: PredictionTable, against reference: PredictionTable? = nil
  ) throws(Diagnostic) -> EvaluationResult {
    throw Diagnostic(.bug, "evaluations are not computed yet")
  }
}
