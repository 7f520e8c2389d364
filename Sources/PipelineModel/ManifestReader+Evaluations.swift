// `evaluations:` and the baseline of the report: native only.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics

extension ManifestReader {
  static let evaluationKeys = [
    "predictions", "task", "model", "unit", "columns", "positive", "threshold", "metrics", "primary", "slices", "slice_metrics",
    "within", "interval", "at", "relevant_from", "baseline", "tolerance", "gates", "bootstrap", "seasonality", "horizon", "block",
  ]

  mutating func evaluations(_ node: YAMLNode) -> [EvaluationDeclaration] {
    guard let pairs = mapping(resolved(node), of: "evaluations") else { return [] }
    var declarations: [EvaluationDeclaration] = []
    for (key, value) in pairs {
      guard key.text.utf8.allSatisfy(Self.isNameByte), !key.text.isEmpty else {
        wrong(key, "evaluation name `\(key.text)` has characters other than letters, digits, `-` and `_`")
        continue
      }
      if let declaration = evaluation(key, value) { declarations.append(declaration) }
    }
    return declarations
  }

  private mutating func evaluation(_ key: YAMLKey, _ node: YAMLNode) -> EvaluationDeclaration? {
    guard let pairs = mapping(node, of: "evaluations.\(key.text)") else { return nil }
    for (option, _) in pairs where !Self.evaluationKeys.contains(option.text) {
      unknown(option, among: Self.evaluationKeys, what: "key")
    }
    let path = node["predictions"].flatMap { workspacePath($0, in: folder, what: "table of predictions") }
    if node["predictions"] == nil { wrong(key, "evaluation `\(key.text)` has no `predictions`, the table to evaluate") }
    let task = node["task"].flatMap { choice($0, of: "task", among: EvaluationDeclaration.tasks) }
    if node["task"] == nil {
      wrong(
        key, "evaluation `\(key.text)` has no `task`", hint: "tasks are \(EvaluationDeclaration.tasks.joined(separator: ", "))")
    }
    // A stand-in lets the other options be read, so that their mistakes are told too.
    guard let place = path ?? manifest.parent ?? WorkspacePath("predictions.csv") else { return nil }
    var declaration = EvaluationDeclaration(
      name: key.text, predictions: place, task: task ?? "regression", location: key.location(in: file))
    for (option, value) in pairs { read(option, value, &declaration) }
    return path == nil || task == nil ? nil : declaration
  }

  private mutating func read(_ option: YAMLKey, _ value: YAMLNode, _ declaration: inout EvaluationDeclaration) {
    switch option.text {
    case "model": declaration.model = text(value, of: "model")
    case "unit": declaration.unit = text(value, of: "unit")
    case "columns": columns(value, &declaration)
    case "positive": declaration.positive = text(value, of: "positive")
    case "threshold": declaration.threshold = number(value, of: "threshold", "from 0 to 1") { (0...1).contains($0) }
    case "metrics": declaration.metrics = texts(value, of: "metrics")
    case "primary": declaration.primary = text(value, of: "primary")
    case "slices": declaration.slices = texts(value, of: "slices")
    case "slice_metrics": declaration.sliceMetrics = texts(value, of: "slice_metrics")
    case "within": declaration.within = number(value, of: "within", "above 0") { $0 > 0 }
    case "interval": declaration.interval = number(value, of: "interval", "between 0 and 1") { $0 > 0 && $0 < 1 }
    case "at":
      for item in value.items ?? [value] {
        if let cutoff = whole(item, of: "at", 1...1_000_000) { declaration.cutoffs.append(cutoff) }
      }
    case "relevant_from": declaration.relevantFrom = number(value, of: "relevant_from", "above 0") { $0 > 0 }
    case "baseline": declaration.baseline = text(value, of: "baseline")
    case "tolerance": tolerance(value, &declaration)
    case "gates": declaration.gates = gates(value)
    case "bootstrap": bootstrap(value, &declaration)
    case "seasonality": declaration.seasonality = whole(value, of: "seasonality", 1...1_000_000)
    case "horizon": declaration.horizon = whole(value, of: "horizon", 1...1_000_000)
    case "block": declaration.blockLength = whole(value, of: "block", 1...1_000_000_000)
    default: break
    }
  }

  private mutating func columns(_ node: YAMLNode, _ declaration: inout EvaluationDeclaration) {
    for (role, value) in mapping(node, of: "columns") ?? [] {
      guard EvaluationDeclaration.columnRoles.contains(role.text) else {
        unknown(role, among: EvaluationDeclaration.columnRoles, what: "column role")
        continue
      }
      if role.text == "y_score", let classes = value.pairs {
        for (label, column) in classes { declaration.scoreColumns[label.text] = text(column, of: label.text) }
      } else if let name = text(value, of: role.text) {
        declaration.columns[role.text] = name
      }
    }
  }

  private mutating func tolerance(_ node: YAMLNode, _ declaration: inout EvaluationDeclaration) {
    for (metric, bounds) in mapping(node, of: "tolerance") ?? [] {
      var tolerance = EvaluationDeclaration.Tolerance()
      if bounds.isScalar {
        tolerance.absolute = number(bounds, of: metric.text, "from 0") { $0 >= 0 }
      } else {
        for (bound, value) in mapping(bounds, of: "tolerance.\(metric.text)") ?? [] {
          switch bound.text {
          case "abs": tolerance.absolute = number(value, of: "abs", "from 0") { $0 >= 0 }
          case "rel": tolerance.relative = number(value, of: "rel", "from 0") { $0 >= 0 }
          default: unknown(bound, among: ["abs", "rel"], what: "bound")
          }
        }
      }
      declaration.tolerance[metric.text] = tolerance
    }
  }

  private mutating func gates(_ node: YAMLNode) -> [EvaluationDeclaration.Gate] {
    let known = ["metric", "label", "at_least", "at_most"]
    var gates: [EvaluationDeclaration.Gate] = []
    for item in list(node, of: "gates") ?? [] {
      guard let pairs = mapping(item, of: "gate") else { continue }
      for (option, _) in pairs where !known.contains(option.text) { unknown(option, among: known, what: "key") }
      guard let metric = item["metric"].flatMap({ text($0, of: "metric") }) else {
        if item["metric"] == nil { wrong(item, "a gate needs a `metric`") }
        continue
      }
      var gate = EvaluationDeclaration.Gate(metric: metric)
      gate.label = item["label"].flatMap { text($0, of: "label") }
      gate.atLeast = item["at_least"].flatMap { number($0, of: "at_least", "") { _ in true } }
      gate.atMost = item["at_most"].flatMap { number($0, of: "at_most", "") { _ in true } }
      if item["at_least"] == nil, item["at_most"] == nil {
        wrong(item, "the gate on `\(metric)` has no bound", hint: "give it `at_least`, `at_most` or both")
      }
      gates.append(gate)
    }
    return gates
  }

  private mutating func bootstrap(_ node: YAMLNode, _ declaration: inout EvaluationDeclaration) {
    for (option, value) in mapping(node, of: "bootstrap") ?? [] {
      switch option.text {
      case "resamples": declaration.resamples = whole(value, of: "resamples", 1...1_000_000)
      case "seed": declaration.seed = whole(value, of: "seed", 0...Int.max)
      case "level": declaration.level = number(value, of: "level", "between 0 and 1") { $0 > 0 && $0 < 1 }
      default: unknown(option, among: ["resamples", "seed", "level"], what: "key")
      }
    }
  }

  // MARK: Small readers

  private mutating func choice(_ node: YAMLNode, of key: String, among known: [String]) -> String? {
    guard let typed = text(node, of: key) else { return nil }
    if known.contains(typed) { return typed }
    let near = closestMatch(to: typed, among: known)
    wrong(
      node, "\(key) `\(typed)` is not known",
      hint: near.map { "did you mean `\($0)`?" } ?? "known are \(known.joined(separator: ", "))")
    return nil
  }

  mutating func texts(_ node: YAMLNode, of key: String) -> [String] {
    if node.isScalar, node.value != .null { return [text(node, of: key)].compactMap { $0 } }
    return (list(node, of: key) ?? []).compactMap { text($0, of: key) }
  }

  /// - Parameter rule: what the number has to be, in words.
  mutating func number(
    _ node: YAMLNode, of key: String, _ rule: String, _ holds: (Double) -> Bool
  ) -> Double? {
    switch node.value {
    case .integer(let value) where holds(Double(value)): return Double(value)
    case .double(let value) where value.isFinite && holds(value): return value
    default:
      let said = node.text.map { "`\($0)`" } ?? node.kindName
      wrong(node, "`\(key)` has to be a number\(rule.isEmpty ? "" : " \(rule)"), not \(said)")
      return nil
    }
  }

  private mutating func whole(_ node: YAMLNode, of key: String, _ range: ClosedRange<Int>) -> Int? {
    if case .integer(let value) = node.value, let number = Int(exactly: value), range.contains(number) { return number }
    wrong(
      node, "`\(key)` has to be a whole number from \(range.lowerBound), not \(node.text.map { "`\($0)`" } ?? node.kindName)")
    return nil
  }
}
