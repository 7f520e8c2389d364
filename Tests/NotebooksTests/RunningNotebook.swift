// A notebook in a folder of its own, run.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport

@testable import Notebooks

/// What a test looks at after a run.
struct Ran {
  var woven: WovenNotebook
  var outcome: NotebookOutcome
  var warnings: [Diagnostic] = []

  /// The code cells.
  var cells: [WovenCell] { woven.cells.filter { $0.outcome != .prose } }

  /// Standard output of all cells.
  var printed: String { texts(.standardOutput) }
  var complained: String { texts(.standardError) }

  func texts(_ kind: CellOutput.Kind) -> String {
    woven.cells.flatMap(\.outputs).filter { $0.kind == kind }.compactMap { $0.data["text/plain"] }.joined()
  }

  /// `line: message` of a failure, `nil` when there was none.
  var failure: String? {
    if case .failed(_, let line, let diagnostic) = outcome { return "\(line): \(diagnostic.message)" }
    return nil
  }

  var diagnostic: Diagnostic? {
    if case .failed(_, _, let diagnostic) = outcome { return diagnostic }
    return nil
  }
}

/// Runs a notebook's text as the stage `train` in a temporary folder.
///
/// - Parameters:
///   - files: text by path, written before.
///   - look: what to read of the folder afterwards.
func run(
  _ text: String, params: [String: ContextValue] = [:], deps: [String: String] = [:], outs: [String: String] = [:],
  files: [String: String] = [:], environment: [String: String] = [:], keptBytes: Int = 1 << 20,
  interruption: InterruptionWatch? = nil,
  look: (URL) throws -> Void = { _ in }
) throws -> Ran {
  try run(
    try NotebookParser.parse(text, file: "stages/train.qmd"), params: params, deps: deps, outs: outs, files: files,
    environment: environment, keptBytes: keptBytes, interruption: interruption, look: look)
}

/// The same for a notebook of any form.
func run(
  _ notebook: Notebook, params: [String: ContextValue] = [:], deps: [String: String] = [:], outs: [String: String] = [:],
  files: [String: String] = [:], environment: [String: String] = [:], keptBytes: Int = 1 << 20,
  interruption: InterruptionWatch? = nil,
  look: (URL) throws -> Void = { _ in }
) throws -> Ran {
  try withTemporaryDirectory { folder in
    for (path, text) in files { try folder.write(text, to: path) }
    let context = StageNotebookContext(
      stage: "train", root: folder.path, params: params, deps: deps, outs: outs, tmp: folder.path + "/.tmp")
    var runner = CellRunner(
      folder: folder.path, environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
      interruption: interruption)
    runner.keptBytes = keptBytes
    var warnings: [Diagnostic] = []
    let (woven, outcome) = try runner.run(notebook, context) { progress in
      if case .warning(let warning) = progress { warnings.append(warning) }
    }
    try look(folder)
    return Ran(woven: woven, outcome: outcome, warnings: warnings)
  }
}
