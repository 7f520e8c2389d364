// Where a file comes from and what became of it, as a value.
// SPDX-License-Identifier: Apache-2.0

/// The answer to `pipe lineage`: one file by content, what made it, and what used it.
package struct LineageTree: Codable, Sendable, Equatable {
  package var path: String
  package var digest: String
  /// What was asked for, when that is a path inside the directory `path`.
  package var inside: String?
  /// The likeliest execution that made these bytes; several when a directory was filled by several; empty for raw data.
  package var madeBy: [LineageStep]
  /// Newest first; of each stage only the newest, unless every use was asked for.
  package var usedBy: [LineageUse]
}

/// An execution of a stage, seen from what it made.
package struct LineageStep: Codable, Sendable, Equatable {
  package var execution: LineageExecution
  /// Empty when `isFolded`.
  package var inputs: [LineageInput]
  /// What it was made from stands elsewhere in the tree.
  package var isFolded: Bool
  /// How many other executions came to the same bytes.
  package var others: Int
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
  /// How many older executions of the stage read the same and are left out.
  package var others: Int
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
