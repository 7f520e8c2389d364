// The parameters of the model stages as the values that learning and evaluation take.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Evaluation
import Learning

/// The parameters below `train`.
struct TrainParameters {
  /// Name of the model, and of its bundle.
  let name: String
  let boosting: BoostingParameters
  let interval: BundleWriter.IntervalOptions

  static let keys = [
    "name", "objective", "rounds", "early_stopping_rounds", "learning_rate", "max_depth", "min_child_weight", "subsample",
    "colsample_bytree", "reg_lambda", "reg_alpha", "gamma", "max_bin", "huber_slope", "seed", "interval",
  ]

  init(_ node: ParameterNode) throws(Diagnostic) {
    try node.keys(known: Self.keys)
    name = try node["name"].text()
    guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) }) else {
      throw node["name"].mistake("is no name for a model", hints: ["use letters, digits, `_` and `-`"])
    }
    var all = BoostingParameters()
    all.objective = try node["objective"].choice(BoostingParameters.Objective.self, or: all.objective)
    all.rounds = try node["rounds"].int(or: all.rounds, in: 1...100_000)
    all.earlyStoppingRounds = try node["early_stopping_rounds"].int(or: all.earlyStoppingRounds, in: 0...100_000)
    all.learningRate = try node["learning_rate"].number(or: all.learningRate, in: 1e-6...1)
    all.maxDepth = try node["max_depth"].int(or: all.maxDepth, in: 1...20)
    all.minChildWeight = try node["min_child_weight"].number(or: all.minChildWeight, in: 0...1e12)
    all.subsample = try node["subsample"].number(or: all.subsample, in: 1e-3...1)
    all.columnSample = try node["colsample_bytree"].number(or: all.columnSample, in: 1e-3...1)
    all.lambda = try node["reg_lambda"].number(or: all.lambda, in: 0...1e12)
    all.alpha = try node["reg_alpha"].number(or: all.alpha, in: 0...1e12)
    all.minSplitGain = try node["gamma"].number(or: all.minSplitGain, in: 0...1e12)
    all.maxBins = try node["max_bin"].int(or: all.maxBins, in: 2...65_535)
    all.huberSlope = try node["huber_slope"].number(or: all.huberSlope, in: 1e-6...1e9)
    all.seed = try node["seed"].int(or: all.seed, in: 0...Int(Int32.max))
    boosting = all
    interval = try Self.interval(node["interval"])
  }

  private static func interval(_ node: ParameterNode) throws(Diagnostic) -> BundleWriter.IntervalOptions {
    if node.isPresent { try node.keys(known: ["level", "tolerance", "bins"]) }
    return BundleWriter.IntervalOptions(
      level: try node["level"].number(or: 0.9, in: 0.01...0.999), tolerance: try node["tolerance"].number(or: 5, in: 1e-9...1e9),
      bins: try node["bins"].int(or: 10, in: 1...1000))
  }
}

/// The parameters below `evaluate`.
struct EvaluateParameters {
  let tolerance: Double
  let bootstrap: Bootstrap
  /// Slice columns whose group median in the train split is the baseline; `nil` for none.
  let baselineColumns: [String]?
  /// Slice columns to report; `nil` for all.
  let slices: [String]?
  let gates: [GateRule]

  init(_ node: ParameterNode) throws(Diagnostic) {
    try node.keys(known: ["tolerance", "bootstrap", "baseline", "slices", "gates"])
    tolerance = try node["tolerance"].number(or: 5, in: 0...1e9)
    bootstrap = try Self.bootstrap(node["bootstrap"])
    if node["baseline"].isPresent { try node["baseline"].keys(known: ["median_of"]) }
    baselineColumns = node["baseline"].isPresent ? try node["baseline"]["median_of"].texts() : nil
    slices = node["slices"].isPresent ? try node["slices"].texts() : nil
    var rules: [GateRule] = []
    for gate in try node["gates"].list(orEmpty: true) {
      try gate.keys(known: ["metric", "label", "at_least", "at_most"])
      rules.append(
        GateRule(
          metric: try gate["metric"].text(), label: gate["label"].isPresent ? try gate["label"].text() : nil,
          atLeast: gate["at_least"].isPresent ? try gate["at_least"].number() : nil,
          atMost: gate["at_most"].isPresent ? try gate["at_most"].number() : nil))
    }
    gates = rules
  }

  static func bootstrap(_ node: ParameterNode) throws(Diagnostic) -> Bootstrap {
    if node.isPresent { try node.keys(known: ["resamples", "seed", "level"]) }
    return Bootstrap(
      seed: UInt64(try node["seed"].int(or: 42, in: 0...(1 << 53))),
      resamples: try node["resamples"].int(or: 2000, in: 100...100_000),
      level: try node["level"].number(or: 0.95, in: 0.5...0.999))
  }
}

/// The parameters below `backtest`; the learner's are those of `train`.
struct BacktestParameters {
  /// Rounds of every window: a window has no valid split of its own to stop early on.
  let rounds: Int
  /// Share of each tree that is added; fewer rounds want a larger one.
  let learningRate: Double?
  /// Months before the first test month.
  let trainMonths: Int
  /// Last days before each test month that set the interval instead of training.
  let calibrateDays: Int
  let tolerance: Double
  let bootstrap: Bootstrap

  init(_ node: ParameterNode) throws(Diagnostic) {
    try node.keys(known: ["rounds", "learning_rate", "train_months", "calibrate_days", "tolerance", "bootstrap"])
    rounds = try node["rounds"].int(or: 150, in: 1...100_000)
    learningRate = node["learning_rate"].isPresent ? try node["learning_rate"].number(in: 1e-6...1) : nil
    trainMonths = try node["train_months"].int(or: 2, in: 1...1200)
    calibrateDays = try node["calibrate_days"].int(or: 14, in: 1...3660)
    tolerance = try node["tolerance"].number(or: 5, in: 0...1e9)
    bootstrap = try EvaluateParameters.bootstrap(node["bootstrap"])
  }
}
