// What a kept result hangs on.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Testing

@testable import Evaluation

struct `The identity of an evaluation` {
  private func text(_ edit: (inout EvaluationRequest) -> Void = { _ in }) -> String {
    var request = EvaluationRequest(name: "eta", task: .binary)
    request.tolerance = ["auc": MetricTolerance(absolute: 0.1), "brier": MetricTolerance(relative: 0.2)]
    request.columns.named = ["id", "y_true", "weight"]
    request.gates = [GateRule(metric: "auc", atLeast: 0.8)]
    edit(&request)
    return EvaluationIdentity.text(request, table: "sha256:1", reference: ("sha256:2", "main"))
  }

  @Test func `every word of a declaration counts, its place does not`() {
    let edits: [(inout EvaluationRequest) -> Void] = [
      { $0.name = "b" }, { $0.task = .regression }, { $0.model = "m" }, { $0.unit = "s" }, { $0.columns.id = "key" },
      { $0.columns.scores = ["a": "p_a"] }, { $0.columns.named = ["id"] }, { $0.positive = "yes" }, { $0.threshold = 0.5 },
      { $0.metrics = ["auc"] }, { $0.metrics = [] }, { $0.primary = "auc" }, { $0.slices = ["a,b"] }, { $0.slices = ["a", "b"] },
      { $0.sliceMetrics = ["auc"] }, { $0.within = 1 }, { $0.intervalLevel = 0.8 }, { $0.cutoffs = [3] }, { $0.relevantFrom = 2 },
      { $0.tolerance["auc"]?.absolute = 0.2 }, { $0.gates[0].atLeast = 0.9 }, { $0.bootstrap.seed = 1 },
      { $0.bootstrap.resamples = 1 }, { $0.bootstrap.level = 0.9 }, { $0.seasonality = 7 }, { $0.horizon = 2 },
      { $0.blockLength = 9 },
    ]
    let texts = [text()] + edits.map { text($0) }
    #expect(Set(texts).count == texts.count)
    #expect(text { $0.location = SourceLocation(file: "pipeline.yaml", line: 9) } == text())
    let request = EvaluationRequest(name: "eta", task: .binary)
    let sides: [(String, (digest: String, name: String)?)] = [
      ("1", nil), ("2", nil), ("1", ("2", "main")), ("1", ("3", "main")), ("1", ("2", "v1")),
    ]
    #expect(Set(sides.map { EvaluationIdentity.text(request, table: $0.0, reference: $0.1) }).count == sides.count)
  }

  @Test func `sets and dictionaries are in one order`() {
    #expect(EvaluationIdentity.canonical(["b": 2, "a": 1]) == #"{(key:"a",value:1),(key:"b",value:2)}"#)
    #expect(EvaluationIdentity.canonical(Set(["c", "a", "b"])) == #"{"a","b","c"}"#)
    #expect(EvaluationIdentity.canonical([1.5, nil] as [Double?]) == "((some:1.5),())")
  }
}
