// What people say of a model that no figure says: whose it is, what it is for, and where it must not be trusted.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
import PipelineModel

/// A model card as its file has it.
///
/// Source of the fields: Mitchell et al., "Model Cards for Model Reporting", 2019.
package struct ModelCard: Sendable, Equatable {
  /// Parts in reading order. Limits and risks stand before all figures: they are what readers look for next after the verdict.
  package enum Part: String, Sendable, CaseIterable {
    case intendedUse = "intended_use"
    case outOfScope = "out_of_scope"
    case limitations
    case ethicalConsiderations = "ethical_considerations"
    case trainingData = "training_data"

    package var title: String {
      switch self {
      case .intendedUse: "Intended use"
      case .outOfScope: "Out of scope"
      case .limitations: "Limitations"
      case .ethicalConsiderations: "Ethical considerations"
      case .trainingData: "Training data"
      }
    }

    /// A card without it is not finished.
    package var isExpected: Bool { self == .intendedUse || self == .limitations || self == .ethicalConsiderations }
  }

  package var name: String?
  package var version: String?
  package var description: String?
  package var owner: String?
  package var contact: String?
  /// An SPDX identifier.
  package var license: String?
  package var tags: [String] = []
  /// Markdown.
  package var parts: [Part: String] = [:]

  package init() {}

  /// The parts that a finished card has and this one has not.
  package var missing: [Part] { Part.allCases.filter { $0.isExpected && parts[$0] == nil } }

  private static let words = ["name", "version", "description", "owner", "contact", "license"]
  private static var keys: [String] { words + ["tags"] + Part.allCases.map(\.rawValue) }

  /// Reads `modelcard.yaml`. A part is text in Markdown, or a list of such texts.
  ///
  /// - Throws: all mistakes of the file at once.
  package init(text: String, file: String) throws(DiagnosticList) {
    var (tree, mistakes) = YAMLReader.read(text, file: file)
    if let tree, let pairs = tree.pairs {
      for (key, value) in pairs { read(key, value, file, &mistakes) }
    } else if !mistakes.hasErrors {
      mistakes.add(Diagnostic(.input, "a model card is a mapping", at: SourceLocation(file: file)))
    }
    if mistakes.hasErrors { throw mistakes }
  }

  private mutating func read(_ key: YAMLKey, _ value: YAMLNode, _ file: String, _ mistakes: inout DiagnosticList) {
    guard Self.keys.contains(key.text) else {
      let hint = closestMatch(to: key.text, among: Self.keys).map { "did you mean `\($0)`?" }
      return mistakes.add(
        Diagnostic(
          .input, "unknown key `\(key.text)` in a model card", at: key.location(in: file),
          hints: [hint ?? "known are \(Self.keys.map { "`\($0)`" }.joined(separator: ", "))"]))
    }
    if key.text == "tags" {
      tags = (value.items ?? [value]).compactMap(\.text)
    } else if let part = Part(rawValue: key.text) {
      parts[part] = Self.markdown(value)
    } else if let text = value.text {
      switch key.text {
      case "name": name = text
      case "version": version = text
      case "description": description = text
      case "owner": owner = text
      case "contact": contact = text
      default: license = text
      }
    } else if value.value != .null {
      mistakes.add(Diagnostic(.input, "`\(key.text)` is text, not \(value.kindName)", at: value.location(in: file)))
    }
  }

  /// `nil` when there is nothing to read.
  private static func markdown(_ value: YAMLNode) -> String? {
    let text = value.items.map { items in items.compactMap(\.text).map { "- \($0)" }.joined(separator: "\n") } ?? value.text ?? ""
    return text.allSatisfy(\.isWhitespace) ? nil : text
  }
}
