// What the manifest says of an evaluation, as the evaluator understands it.
// SPDX-License-Identifier: Apache-2.0
package import Evaluation
package import PipelineModel

extension EvaluationRequest {
  package init(_ declaration: EvaluationDeclaration) {
    // The manifest's reader knows the tasks by name.
    self.init(
      name: declaration.name, task: EvaluationTask(rawValue: declaration.task) ?? .regression, model: declaration.model)
    unit = declaration.unit ?? ""
    columns = PredictionColumnNames(declaration)
    positive = declaration.positive
    threshold = declaration.threshold
    metrics = declaration.metrics
    primary = declaration.primary
    slices = declaration.slices
    sliceMetrics = declaration.sliceMetrics
    within = declaration.within
    intervalLevel = declaration.interval ?? intervalLevel
    cutoffs = declaration.cutoffs
    relevantFrom = declaration.relevantFrom ?? relevantFrom
    tolerance = declaration.tolerance.mapValues { MetricTolerance(absolute: $0.absolute ?? 0, relative: $0.relative ?? 0) }
    gates = declaration.gates.map { GateRule(metric: $0.metric, label: $0.label, atLeast: $0.atLeast, atMost: $0.atMost) }
    bootstrap = Bootstrap(
      seed: UInt64(declaration.seed ?? 42), resamples: declaration.resamples ?? 2000, level: declaration.level ?? 0.95)
    seasonality = declaration.seasonality
    horizon = declaration.horizon ?? 1
    blockLength = declaration.blockLength
    location = declaration.location
  }
}

extension PredictionColumnNames {
  fileprivate init(_ declaration: EvaluationDeclaration) {
    self.init()
    for (role, name) in declaration.columns {
      switch role {
      case "id": id = name
      case "y_true": truth = name
      case "y_pred": prediction = name
      case "y_score": score = name
      case "y_low": low = name
      case "y_high": high = name
      case "weight": weight = name
      case "group": group = name
      case "time": time = name
      case "window": window = name
      case "slices": slicePrefix = name
      default: break
      }
    }
    scores = declaration.scoreColumns
    named = Set(declaration.columns.keys)
  }
}
