// What every language does with a cell, and the facts that all of them need.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation

/// Runs the cells of one language of one stage, one at a time, and keeps state between them.
protocol CellInterpreter: AnyObject {
  /// Runs one cell. A mistake of the cell is a failure in the result.
  func run(_ cell: NumberedCell, deadline: ContinuousClock.Instant?) -> CellResult
  /// Ends it after the last cell, so that what runs at its exit runs.
  ///
  /// - Returns: what is worth a warning: it did not end in time, or not well.
  func finish(within limit: Duration) -> String?
  /// Declared parameters that its cells read while they ran.
  var parametersRead: Set<String> { get }
}

/// A code cell with its place among the code cells of the notebook.
struct NumberedCell {
  var cell: Cell
  /// From 1.
  var number: Int
  /// Whether a later cell has the same language.
  var isFollowed: Bool

  var name: String { cell.label.map { "`\($0)`" } ?? "\(number)" }
  var isExpectedToFail: Bool { cell.options[CellOption.error.rawValue] == "true" }
}

/// What came of a cell.
struct CellResult {
  var outputs: [CellOutput] = []
  var failure: CellFailure?
  /// Set when a signal to this process stopped the cell.
  var interruption: Int32?
  /// The interpreter is gone, and its state with it.
  var endedInterpreter = false
  var warnings: [Diagnostic] = []
}

/// Why a cell failed.
struct CellFailure {
  /// Line of the notebook, from 1.
  var line: Int
  /// What happened, without the cell's name: `ZeroDivisionError: division by zero`.
  var message: String
  /// Whether the mistake is in what the stage declares, rather than in what the code did.
  var isInput = false
  /// What a report shows: a traceback, or the message.
  var text: String
  var causes: [String] = []
  var hints: [String] = []
}

/// The stage as all interpreters of one notebook see it.
struct CellSurroundings {
  /// The notebook, as messages name it.
  var file: String
  var context: StageNotebookContext
  /// The stage's folder, absolute.
  var folder: String
  var environment: [String: String]
  /// A folder for drivers and cell files, absolute.
  var workFolder: String
  var interruption: InterruptionWatch?
  /// Bytes of one stream that a cell keeps.
  var keptBytes: Int
  /// Processes that the kernel had ended for want of memory when the notebook began.
  var memoryKills: Int? = OutOfMemory.kills()

  /// Why a process got SIGKILL, for a sentence.
  var meaningOfKill: String { OutOfMemory.meaning(before: memoryKills, after: OutOfMemory.kills()) }

  /// A path of the stage, from its folder.
  func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }

  /// Text as it may stand in an output: the paths of this machine by their names.
  func withoutMachinePaths(_ text: String) -> String {
    guard text.contains("/") else { return text }
    var text = text
    for (folder, name) in [(context.tmp, "$PIPE_TMP"), (context.root, "$PIPE_ROOT")] {
      // Programs tell their folder with symbolic links resolved.
      let resolved = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
      for path in Set([folder, resolved]).sorted() where path.count > 1 { text = replacing(path, with: name, in: text) }
    }
    return text
  }

  private func replacing(_ path: String, with name: String, in text: String) -> String {
    guard text.contains(path) else { return text }
    var result = "", rest = text[...]
    while let range = rest.firstRange(of: path) {
      let isWhole = rest[range.upperBound...].first.map { !($0.isLetter || $0.isNumber || "_-.".contains($0)) } ?? true
      result += rest[..<range.lowerBound] + (isWhole ? name : path)
      rest = rest[range.upperBound...]
    }
    return result + rest
  }
}

/// `null`, `kB`, `MB` or `GB` with one decimal.
func humanSize(_ bytes: Int) -> String {
  let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)]
  for (unit, size) in units where Double(bytes) >= size {
    let tenths = Int((Double(bytes) / size * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(unit)"
  }
  return "\(bytes) bytes"
}
