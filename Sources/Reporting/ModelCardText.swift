// A model card as the README of a model repository: fields for machines first, then text for people.
// SPDX-License-Identifier: Apache-2.0
package import Evaluation
import PipelineModel

/// A card with its figures as Markdown behind a YAML header.
///
/// Source of the header: the Hugging Face Hub's model card metadata (`license`, `tags`, `model-index`).
package enum ModelCardText {
  /// - Parameter name: of the model, where the card does not say one.
  package static func text(_ card: ModelCard, name: String, evaluations: [EvaluationDocument]) -> String {
    let title = card.name ?? name
    var out = "---\n" + RoundTripYAML.text(header(card, title, evaluations)) + "---\n\n# \(MarkdownWriter.escaped(title))\n\n"
    if let description = card.description { out += description + "\n\n" }
    for (label, value) in [("Version", card.version), ("Owner", card.owner), ("Contact", card.contact)] {
      if let value { out += "- \(label): \(MarkdownWriter.escaped(value))\n" }
    }
    if !out.hasSuffix("\n\n") { out += "\n" }
    for part in ModelCard.Part.allCases {
      guard let text = card.parts[part] ?? (part.isExpected ? "_Nobody has written this down yet._" : nil) else { continue }
      out += "## \(part.title)\n\n\(text)\n\n"
    }
    for evaluation in evaluations { out += figures(evaluation) }
    return out
  }

  private static func figures(_ evaluation: EvaluationDocument) -> String {
    var out = "## Evaluation: \(MarkdownWriter.escaped(evaluation.model))\n\n"
    out += "On \(NumberText.count(evaluation.rows)) rows.\n\n| Metric | Value | Interval |\n| --- | ---: | --- |\n"
    for metric in evaluation.metrics {
      let interval = EstimateText.interval(metric).map { "\(EstimateText.level(metric.level)) \($0)" } ?? "–"
      out += "| \(MarkdownWriter.escaped(metric.label)) | \(EstimateText.value(metric)) | \(interval) |\n"
    }
    return out + "\n"
  }

  private static func header(_ card: ModelCard, _ title: String, _ evaluations: [EvaluationDocument]) -> ParameterValue {
    var pairs: [(String, ParameterValue)] = []
    if let license = card.license { pairs.append(("license", .text(license))) }
    if !card.tags.isEmpty { pairs.append(("tags", .list(card.tags.map { .text($0) }))) }
    if !evaluations.isEmpty {
      let index: ParameterValue = .mapping([("name", .text(title)), ("results", .list(evaluations.map(result)))])
      pairs.append(("model-index", .list([index])))
    }
    return .mapping(pairs)
  }

  private static func result(_ evaluation: EvaluationDocument) -> ParameterValue {
    let kind = ["regression": "tabular-regression", "backtest": "time-series-forecasting", "ranking": "tabular-ranking"]
    let task: ParameterValue = .mapping([("type", .text(kind[evaluation.task] ?? "tabular-classification"))])
    let dataset: ParameterValue = .mapping([("name", .text("held-out rows")), ("type", .text("tabular"))])
    let metrics = evaluation.metrics.map { metric in
      ParameterValue.mapping([("type", .text(metric.name)), ("name", .text(metric.label)), ("value", .double(metric.value))])
    }
    return .mapping([("task", task), ("dataset", dataset), ("metrics", .list(metrics))])
  }
}
