// Where a file comes from and what became of it, as a value.
// SPDX-License-Identifier: Apache-2.0

/// The answer to `pipe lineage`: one file by content, what made it, and what used it.
package struct LineageTree: Codable, Sendable, Equatable {
  package var path: String
  package var digest: String
  /// What was asked for, when that is a path inside the directory `path`.
  package var inside: String?
  /// The executions known to make these bytes, the likeliest first, which alone is followed further; empty for raw data.
  package var madeBy: [LineageStep]
  /// Newest first.
  package var usedBy: [LineageUse]
}

/// An execution of a stage, seen from what it made.
package struct LineageStep: Codable, Sendable, Equatable {
  package var execution: LineageExecution
  /// Empty when `isFolded`.
  package var inputs: [LineageInput]
  /// What it was made from stands elsewhere in the tree, or this is not the likeliest of several makers.
  package var isFolded: Bool
}

/// A file that a stage read; raw data when nothing made it.
package struct LineageInput: Codable, Sendable, Equatable {
  package var path: String
  package var digest: String
  package var madeBy: [LineageStep]
}

/// An execution of a stage, seen from what it read.
package struct LineageUse: Codable, Sendable, Equatable {
  package var execution: LineageExecution
  package var outputs: [LineageOutput]
  /// What it made stands elsewhere in the tree.
  package var isFolded: Bool
}

/// A file that a stage made, and what used it.
package struct LineageOutput: Codable, Sendable, Equatable {
  package var path: String
  package var digest: String
  package var usedBy: [LineageUse]
}

/// Which stage, from which commit, when and where.
package struct LineageExecution: Codable, Sendable, Equatable {
  package var stage: String
  package var trace: String
  package var commit: String?
  package var startedAt: String?
  package var durationSeconds: Double?
  package var host: String?
  /// The run that executed it, if its record is here.
  package var run: String?
  /// How many runs have it in their result.
  package var runs: Int
}
