// Runs the cells of a notebook in order and weaves what they put out.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
import Foundation

/// How a notebook's run ended.
package enum NotebookOutcome: Sendable, Equatable {
  case done
  /// - Parameters:
  ///   - cell: index in `WovenNotebook.cells`.
  ///   - line: line of the notebook, from 1.
  case failed(cell: Int, line: Int, Diagnostic)
  /// This process got a signal; the cells were stopped.
  case interrupted(signal: Int32)
}

/// What happens while a notebook runs.
package enum NotebookProgress: Sendable {
  /// `number` of `count` code cells, from 1.
  case started(number: Int, count: Int, name: String, language: String, line: Int)
  case finished(number: Int, count: Int, name: String, duration: Duration, outcome: WovenCell.Outcome)
  case warning(Diagnostic)
}

/// Runs a stage's cells one at a time, in the order of the document, in one fresh interpreter a language.
///
/// Interpreters stay in the process group of this process; the stage's own time limit is the engine's business.
package struct CellRunner {
  /// The stage's folder, absolute.
  package var folder: String
  /// What the interpreters find in their environment.
  package var environment: [String: String]
  package var interruption: InterruptionWatch?
  /// Bytes of one stream that a cell keeps, head and tail.
  package var keptBytes = 1 << 20

  package init(folder: String, environment: [String: String], interruption: InterruptionWatch? = nil) {
    self.folder = folder
    self.environment = environment
    self.interruption = interruption
  }

  /// Runs all cells, or those up to the first that fails.
  ///
  /// A mistake in a cell is an outcome.
  ///
  /// - Throws: a storage diagnostic when the folder for temporary files cannot be written.
  package func run(
    _ notebook: Notebook, _ context: StageNotebookContext, progress: (NotebookProgress) -> Void = { _ in }
  ) throws(Diagnostic) -> (WovenNotebook, NotebookOutcome) {
    let workFolder = "\(context.tmp)/notebook"
    do {
      try FileManager.default.createDirectory(atPath: workFolder, withIntermediateDirectories: true)
    } catch {
      throw Diagnostic(.storage, "`\(workFolder)` cannot be made", causes: ["\(error)"])
    }
    let surroundings = CellSurroundings(
      file: notebook.file, context: context, folder: folder, environment: environment, workFolder: workFolder,
      interruption: interruption, keptBytes: keptBytes)
    var run = NotebookRun(context.params.isEmpty ? notebook : notebook.withoutInjectedValues, surroundings)
    for warning in notebook.warnings { progress(.warning(warning)) }
    let outcome = run.execute(progress)
    return (run.woven, outcome)
  }
}

/// A notebook on its way.
private struct NotebookRun {
  let notebook: Notebook
  let surroundings: CellSurroundings
  var woven: WovenNotebook
  private var interpreters: [String: any CellInterpreter] = [:]
  private let codeIndices: [Int]
  private var read: Set<String> = []

  init(_ notebook: Notebook, _ surroundings: CellSurroundings) {
    self.notebook = notebook
    self.surroundings = surroundings
    codeIndices = notebook.cells.indices.filter { notebook.cells[$0].language != nil }
    woven = WovenNotebook(
      file: notebook.file, title: notebook.title,
      cells: notebook.cells.map { WovenCell($0, outcome: $0.language == nil ? .prose : .notRun) })
  }

  mutating func execute(_ progress: (NotebookProgress) -> Void) -> NotebookOutcome {
    let outcome = checkBeforeRunning() ?? runCells(progress)
    // What a failed notebook left half done need not end well.
    let limit = outcome == .done ? Duration.seconds(30) : .seconds(1)
    for (_, interpreter) in interpreters.sorted(by: { $0.key < $1.key }) {
      if let warning = interpreter.finish(within: limit), outcome == .done {
        progress(.warning(Diagnostic(.warning, warning, at: SourceLocation(file: notebook.file))))
      }
    }
    if outcome == .done { for warning in unreadParameters() { progress(.warning(warning)) } }
    return outcome
  }

  private mutating func runCells(_ progress: (NotebookProgress) -> Void) -> NotebookOutcome {
    for (position, index) in codeIndices.enumerated() {
      let cell = numbered(index, position)
      let language = notebook.cells[index].language ?? ""
      progress(
        .started(
          number: cell.number, count: codeIndices.count, name: cell.name, language: language, line: cell.cell.firstLine))
      let start = ContinuousClock.now
      var result = run(cell, language)
      if cell.cell.isParameters, result.failure == nil, result.interruption == nil { inject(after: cell, language, &result) }
      for warning in result.warnings { progress(.warning(warning)) }
      let outcome = record(result, of: cell, at: index)
      progress(
        .finished(
          number: cell.number, count: codeIndices.count, name: cell.name, duration: ContinuousClock.now - start,
          outcome: woven.cells[index].outcome))
      if let outcome { return outcome }
    }
    return .done
  }

  private func numbered(_ index: Int, _ position: Int) -> NumberedCell {
    let language = notebook.cells[index].language
    let isFollowed = codeIndices.dropFirst(position + 1).contains { notebook.cells[$0].language == language }
    return NumberedCell(cell: notebook.cells[index], number: position + 1, isFollowed: isFollowed)
  }

  private func numberedCells(in language: String) -> [NumberedCell] {
    codeIndices.enumerated().filter { notebook.cells[$0.element].language == language }.map { numbered($0.element, $0.offset) }
  }

  // MARK: One cell

  private mutating func run(_ cell: NumberedCell, _ language: String) -> CellResult {
    let interpreter = interpreter(for: language)
    let limit = cell.cell.options[CellOption.timeout.rawValue].flatMap(CellOption.duration)
    var result = interpreter.run(cell, deadline: limit.map { ContinuousClock.now + $0 })
    read.formUnion(interpreter.parametersRead)
    if result.endedInterpreter { interpreters[language] = nil }
    if result.failure == nil, ["python", "r"].contains(language), let out = cell.cell.options[CellOption.out.rawValue] {
      do throws(Diagnostic) {
        try StageOutput.write(result.outputs, to: out, in: surroundings)
      } catch {
        result.failure = CellFailure(
          line: cell.cell.firstLine, message: error.message, text: error.message, causes: error.causes, hints: error.hints)
      }
    }
    return result
  }

  /// Gives the variables of a cell that is tagged `parameters` the stage's values.
  private mutating func inject(after cell: NumberedCell, _ language: String, _ result: inout CellResult) {
    let injection = ParameterInjection(cell.cell, language, surroundings.context)
    for (name, path) in injection.near {
      result.warnings.append(
        Diagnostic(
          .warning, "the cell tagged `parameters` keeps its own `\(name)`: the stage's parameter is `\(path)`",
          at: SourceLocation(file: cell.cell.place ?? notebook.file, line: cell.cell.firstLine),
          hints: ["name the variable `\(ParameterBindings.name(path))`, and it takes the parameter's value"]))
    }
    guard !injection.isEmpty else { return }
    var injected = cell
    injected.cell.source = injection.source
    injected.cell.options = [:]
    let assigned = run(injected, language)
    result.failure = assigned.failure
    if let message = assigned.failure?.message {
      result.failure?.message = "after the cell, its variables do not take the stage's values: \(message)"
      result.outputs += assigned.outputs
    }
    result.interruption = assigned.interruption
    result.endedInterpreter = assigned.endedInterpreter
    read.formUnion(injection.declared)
    result.outputs.append(CellOutput(kind: .display, data: [ParameterInjection.mime: "{}", "text/plain": injection.shown]))
  }

  private mutating func interpreter(for language: String) -> any CellInterpreter {
    if let known = interpreters[language] { return known }
    let new: any CellInterpreter =
      switch language {
      case "bash": BashInterpreter(surroundings)
      case "python": PythonInterpreter(surroundings)
      case "r": RInterpreter(surroundings)
      case "swift": SwiftInterpreter(surroundings, cells: numberedCells(in: language))
      default: SQLInterpreter(surroundings)
      }
    interpreters[language] = new
    return new
  }

  /// Weaves a result in; the notebook's outcome when this cell is its last.
  private mutating func record(_ result: CellResult, of cell: NumberedCell, at index: Int) -> NotebookOutcome? {
    woven.cells[index].outputs = result.outputs
    if let signal = result.interruption {
      woven.cells[index].outcome = .interrupted
      return .interrupted(signal: signal)
    }
    guard let failure = result.failure else {
      guard cell.isExpectedToFail else {
        woven.cells[index].outcome = .done
        return nil
      }
      let message = "it succeeded, although `error: true` says that it fails"
      return fail(
        CellFailure(line: cell.cell.firstLine, message: message, text: message, hints: ["take `error: true` away"]), cell, index)
    }
    if cell.isExpectedToFail, !failure.isInput {
      woven.cells[index].outcome = .done
      woven.cells[index].outputs.append(CellOutput(kind: .failure, data: ["text/plain": failure.text]))
      return nil
    }
    return fail(failure, cell, index)
  }

  private mutating func fail(_ failure: CellFailure, _ cell: NumberedCell, _ index: Int) -> NotebookOutcome {
    woven.cells[index].outcome = .failed
    woven.cells[index].outputs.append(CellOutput(kind: .failure, data: ["text/plain": failure.text]))
    let diagnostic = Diagnostic(
      failure.isInput ? .input : .work, "cell \(cell.name) (\(cell.number) of \(codeIndices.count)) failed: \(failure.message)",
      at: SourceLocation(file: cell.cell.place ?? notebook.file, line: failure.line), causes: failure.causes, hints: failure.hints
    )
    return .failed(cell: index, line: failure.line, diagnostic)
  }

  // MARK: Parameters and outputs, before and after

  /// What can be known to be wrong before anything runs.
  private mutating func checkBeforeRunning() -> NotebookOutcome? {
    for (position, index) in codeIndices.enumerated() {
      let cell = notebook.cells[index]
      let failure =
        StageOutput.problem(with: cell, context: surroundings.context)
        ?? ParameterScan.undeclared(in: cell, context: surroundings.context)
      if let failure { return fail(failure, numbered(index, position), index) }
    }
    return nil
  }

  private func unreadParameters() -> [Diagnostic] {
    let unread = ParameterScan.unread(in: notebook, context: surroundings.context, read: read)
    guard !unread.isEmpty else { return [] }
    let names = unread.map { "`\($0)`" }.joined(separator: ", ")
    let stage = surroundings.context.stage
    return [
      Diagnostic(
        .warning, "stage `\(stage)` declares \(names), and no cell reads \(unread.count == 1 ? "it" : "them")",
        at: SourceLocation(file: notebook.file),
        hints: ["a declared parameter reruns the stage when it changes; take it away if nothing depends on it"])
    ]
  }
}
