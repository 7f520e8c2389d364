// What decides a boosted model besides its data.
// SPDX-License-Identifier: Apache-2.0
package import Scoring

/// Hyperparameters of gradient-boosted trees, by XGBoost's names in `settings`.
package struct BoostingParameters: Sendable, Equatable {
  /// What a round of trees makes smaller.
  package enum Objective: String, Sendable, CaseIterable {
    /// The mean absolute error; leaves hold medians.
    case absoluteError = "absoluteerror"
    /// Squared error; leaves hold means.
    case squaredError = "squarederror"
    /// Squared near zero and absolute beyond `huberSlope`.
    case pseudoHuber = "pseudohuber"

    /// XGBoost's name.
    var name: String {
      switch self {
      case .absoluteError: "reg:absoluteerror"
      case .squaredError: "reg:squarederror"
      case .pseudoHuber: "reg:pseudohubererror"
      }
    }
  }

  package var objective: Objective = .squaredError
  /// Most rounds that are tried, at least 1.
  package var rounds: Int = 400
  /// Rounds without a better error on the valid split after which training ends; 0 never ends it early.
  package var earlyStoppingRounds: Int = 50
  /// Share of each tree that is added, in 0...1.
  package var learningRate: Double = 0.1
  package var maxDepth: Int = 6
  /// Least cover of a leaf.
  package var minChildWeight: Double = 1
  /// Share of rows, and of features, that each tree sees, in 0...1.
  package var subsample: Double = 1
  package var columnSample: Double = 1
  /// L2 and L1 penalty on leaf values.
  package var lambda: Double = 1
  package var alpha: Double = 0
  /// Least gain of a split.
  package var minSplitGain: Double = 0
  /// Buckets that a feature's values are put in, 2...65535.
  package var maxBins: Int = 256
  /// Where pseudo-Huber turns from squared to absolute, in the target's unit.
  package var huberSlope: Double = 1
  package var seed: Int = 42
  /// Threads of XGBoost. The model's bytes are the same for any number.
  package var threads: Int = 1

  package init() {}

  /// As a bundle keeps them. Threads are left out: they do not decide the model.
  package var settings: [String: Setting] {
    var all: [String: Setting] = [
      "objective": .text(objective.name), "rounds": .number(Double(rounds)),
      "early_stopping_rounds": .number(Double(earlyStoppingRounds)), "learning_rate": .number(learningRate),
      "max_depth": .number(Double(maxDepth)), "min_child_weight": .number(minChildWeight),
      "subsample": .number(subsample), "colsample_bytree": .number(columnSample), "reg_lambda": .number(lambda),
      "reg_alpha": .number(alpha), "gamma": .number(minSplitGain), "max_bin": .number(Double(maxBins)),
      "seed": .number(Double(seed)), "tree_method": .text("hist"),
    ]
    if objective == .pseudoHuber { all["huber_slope"] = .number(huberSlope) }
    return all
  }

  /// For `XGBoosterSetParam`, in a fixed order.
  var boosterParameters: [(name: String, value: String)] {
    var all: [(name: String, value: String)] = [
      ("objective", objective.name), ("booster", "gbtree"), ("tree_method", "hist"), ("eta", "\(learningRate)"),
      ("max_depth", "\(maxDepth)"), ("min_child_weight", "\(minChildWeight)"), ("subsample", "\(subsample)"),
      ("colsample_bytree", "\(columnSample)"), ("lambda", "\(lambda)"), ("alpha", "\(alpha)"),
      ("gamma", "\(minSplitGain)"), ("max_bin", "\(maxBins)"), ("seed", "\(seed)"), ("nthread", "\(threads)"),
      ("verbosity", "0"), ("disable_default_eval_metric", "1"),
    ]
    if objective == .pseudoHuber { all.append(("huber_slope", "\(huberSlope)")) }
    return all
  }
}
