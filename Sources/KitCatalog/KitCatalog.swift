// The programs of the stage kit: their names and behaviour versions.
// SPDX-License-Identifier: Apache-2.0

/// One program of `pipe kit`.
package struct KitProgram: Sendable, Hashable {
  package var name: String
  /// One line for help and completions.
  package var summary: String
  /// Raised when the same input would give other bytes. It is part of a stage's fingerprint, the binary is not.
  package var behaviorVersion: Int

  package init(name: String, summary: String, behaviorVersion: Int) {
    self.name = name
    self.summary = summary
    self.behaviorVersion = behaviorVersion
  }
}

/// All programs, in the order of a pipeline.
package let kitPrograms: [KitProgram] = [
  KitProgram(name: "simulate", summary: "make raw data whose law, and so whose irreducible error, is known", behaviorVersion: 1),
  KitProgram(name: "prepare", summary: "validate, deduplicate, clean, pseudonymise and split raw tables", behaviorVersion: 1),
  KitProgram(name: "features", summary: "make feature tables that are correct to the point in time", behaviorVersion: 1),
  KitProgram(name: "train", summary: "train a gradient-boosted model with early stopping", behaviorVersion: 1),
  KitProgram(name: "evaluate", summary: "metrics with confidence intervals, and the gates", behaviorVersion: 1),
  KitProgram(name: "register", summary: "write a version document, if the gates hold", behaviorVersion: 1),
  KitProgram(name: "backtest", summary: "walk forward through time, training and testing by month", behaviorVersion: 1),
  KitProgram(name: "predict", summary: "score a table with a bundle", behaviorVersion: 1),
]

extension KitProgram {
  /// The program of this name, if the kit has it.
  package static func named(_ name: some StringProtocol) -> KitProgram? {
    kitPrograms.first { $0.name == name }
  }
}
