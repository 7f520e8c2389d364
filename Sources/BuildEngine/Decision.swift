// What is to be done about a stage, and why.
// SPDX-License-Identifier: Apache-2.0
package import PipelineModel

/// One difference between what a stage's result was made from and what there is now.
package enum Reason: Sendable, Equatable {
  case neverRun
  case commandChanged
  case notebookChanged(path: String)
  case workingDirectoryChanged
  case toolChanged(name: String, from: Int?, to: Int?)
  case inputChanged(path: String)
  case inputAdded(path: String)
  case inputRemoved(path: String)
  case parameterChanged(key: String, from: String, to: String)
  case parameterAdded(key: String)
  case parameterRemoved(key: String)
  case environmentChanged(name: String)
  case outputAdded(path: String)
  case outputRemoved(path: String)
  case outputMissing(path: String)
  case outputChanged(path: String)
  /// The result is known, but the store has lost a part of it.
  case objectMissing(path: String)
  /// A dependency is not there and nobody makes it.
  case inputMissing(path: String)
  case alwaysChanged
  case forced
  /// Only in a plan: what the stage reads is not known before that stage has run.
  case upstream(stage: String)
}

extension Reason: CustomStringConvertible {
  /// In a person's words.
  package var description: String {
    switch self {
    case .neverRun: "it has no result yet"
    case .commandChanged: "its command changed"
    case .notebookChanged(let path): "the code of \(path) changed"
    case .workingDirectoryChanged: "its working directory changed"
    case .toolChanged(let name, let from, let to):
      "`pipe kit \(name)` behaves differently (\(from.map(String.init) ?? "none") → \(to.map(String.init) ?? "none"))"
    case .inputChanged(let path): "\(path) changed"
    case .inputAdded(let path): "\(path) is a new dependency"
    case .inputRemoved(let path): "\(path) is no dependency any more"
    case .parameterChanged(let key, let from, let to): "\(key) changed (\(from) → \(to))"
    case .parameterAdded(let key): "\(key) is a new parameter"
    case .parameterRemoved(let key): "\(key) is no parameter any more"
    case .environmentChanged(let name): "environment variable \(name) changed"
    case .outputAdded(let path): "\(path) is a new output"
    case .outputRemoved(let path): "\(path) is no output any more"
    case .outputMissing(let path): "\(path) is missing"
    case .outputChanged(let path): "\(path) was changed"
    case .objectMissing(let path): "the store has lost \(path)"
    case .inputMissing(let path): "\(path) is not there and no stage makes it"
    case .alwaysChanged: "it is declared as always changed"
    case .forced: "forced"
    case .upstream(let stage): "stage \(stage) comes first"
    }
  }

  /// A word for scripts, stable over versions.
  package var code: String {
    switch self {
    case .neverRun: "never-run"
    case .commandChanged: "command-changed"
    case .notebookChanged: "notebook-changed"
    case .workingDirectoryChanged: "wdir-changed"
    case .toolChanged: "tool-changed"
    case .inputChanged: "input-changed"
    case .inputAdded: "input-added"
    case .inputRemoved: "input-removed"
    case .parameterChanged: "parameter-changed"
    case .parameterAdded: "parameter-added"
    case .parameterRemoved: "parameter-removed"
    case .environmentChanged: "environment-changed"
    case .outputAdded: "output-added"
    case .outputRemoved: "output-removed"
    case .outputMissing: "output-missing"
    case .outputChanged: "output-changed"
    case .objectMissing: "object-missing"
    case .inputMissing: "input-missing"
    case .alwaysChanged: "always-changed"
    case .forced: "forced"
    case .upstream: "upstream"
    }
  }
}

/// What the rebuilder says of a stage.
package enum Decision: Sendable, Equatable {
  /// The workspace holds the agreed result.
  case upToDate
  /// The result is known and kept; bring it back. Empty reasons never occur.
  case restore(Trace.Known, [Reason])
  /// Nothing runs: what is in the workspace becomes the agreed result. For data, for frozen stages, and where only the
  /// store lacks what the workspace still has.
  case record([Reason])
  case run([Reason])

  package var reasons: [Reason] {
    switch self {
    case .upToDate: []
    case .restore(_, let reasons), .record(let reasons), .run(let reasons): reasons
    }
  }
}

extension Trace {
  /// A result that can be brought back: from a trace, or from the lock file alone.
  package struct Known: Sendable, Equatable {
    package var outputs: [Trace.Result]
    private var source: Source

    private enum Source: Sendable {
      case id(TraceID)
      case recipe(Recipe)
    }

    package init(outputs: [Trace.Result], id: TraceID) {
      self.outputs = outputs
      source = .id(id)
    }

    /// The result of a recipe, whose trace is named when somebody asks: most builds never do.
    package init(outputs: [Trace.Result], of recipe: Recipe) {
      self.outputs = outputs
      source = .recipe(recipe)
    }

    /// - Complexity: two hashes for the result of a recipe; `identified` has them done.
    package var id: TraceID {
      switch source {
      case .id(let id): id
      case .recipe(let recipe): TraceID(fingerprint: Fingerprint(of: recipe), outputs: Trace.digest(of: outputs))
      }
    }

    package var identified: Known { Known(outputs: outputs, id: id) }

    package static func == (one: Known, other: Known) -> Bool { one.outputs == other.outputs && one.id == other.id }
  }
}
