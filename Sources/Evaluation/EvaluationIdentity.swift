// What an evaluation's result hangs on, as one text: what is equal need not be computed again.
// SPDX-License-Identifier: Apache-2.0

package enum EvaluationIdentity {
  /// Goes up with each change that lets `Evaluator` say anything else of the same tables.
  package static let revision = 1

  /// All that a result is a function of, but for the program.
  ///
  /// - Parameters:
  ///   - table: digest of the predictions.
  ///   - reference: digest of those to compare with, and what they are called; `nil` without any.
  package static func text(_ request: EvaluationRequest, table: String, reference: (digest: String, name: String)?) -> String {
    var request = request
    // Where it stands in the manifest decides no figure.
    request.location = nil
    return [
      "revision \(revision)", "table \(table)", "reference \(reference?.digest ?? "none")", "called \(reference?.name ?? "")",
      canonical(request),
    ].joined(separator: "\n")
  }

  /// A value with the names of its fields, whatever fields it has; sets and dictionaries in one order.
  static func canonical(_ value: Any) -> String {
    let mirror = Mirror(reflecting: value)
    let parts = mirror.children.map { child in (child.label.map { $0 + ":" } ?? "") + canonical(child.value) }
    return switch mirror.displayStyle {
    case .set, .dictionary: "{" + parts.sorted().joined(separator: ",") + "}"
    case .struct, .tuple, .collection, .optional: "(" + parts.joined(separator: ",") + ")"
    case .enum where !parts.isEmpty: "(" + parts.joined(separator: ",") + ")"
    default: String(reflecting: value)
    }
  }
}
