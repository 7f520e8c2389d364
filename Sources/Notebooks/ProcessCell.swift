// One cell in an interpreter of its own process: what bash and Python have in common.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation

/// The outputs of a running cell, in the order that does not hang on timing: before each display what was printed until
/// then, standard output before standard error.
struct CellRecording {
  /// More displays of one cell than this, or more bytes of them, are left out.
  static let mostDisplays = 1000
  static let mostDisplayBytes = 64 << 20

  let surroundings: CellSurroundings
  let process: InterpreterProcess
  var outputs: [CellOutput] = []
  private var displays = 0
  private var displayBytes = 0
  private var displaysLeftOut = 0
  private var printedBytes = 0

  init(_ process: InterpreterProcess, _ surroundings: CellSurroundings) {
    self.process = process
    self.surroundings = surroundings
    startCapture()
  }

  /// What the parts between displays may keep shrinks as the cell prints, but never below a few lines.
  private func startCapture() {
    let kept = max(surroundings.keptBytes - printedBytes, min(surroundings.keptBytes, 4096))
    process.standardOutput = CapturedText(keeping: kept)
    process.standardError = CapturedText(keeping: kept)
  }

  mutating func add(display data: [String: String]) {
    let bytes = data.values.reduce(0) { $0 + $1.utf8.count }
    guard displays < Self.mostDisplays, displayBytes + bytes <= Self.mostDisplayBytes else {
      displaysLeftOut += 1
      return
    }
    takePrinted()
    displays += 1
    displayBytes += bytes
    outputs.append(CellOutput(kind: .display, data: cleaned(data)))
  }

  /// The cell is at its end: the rest of what it printed, and what was left out.
  mutating func close(_ mend: (String) -> String = { $0 }) {
    takePrinted(mend)
    guard displaysLeftOut > 0 else { return }
    let note = "[… \(displaysLeftOut) more displays left out …]\n"
    outputs.append(CellOutput(kind: .standardError, data: ["text/plain": note]))
  }

  private mutating func takePrinted(_ mend: (String) -> String = { $0 }) {
    for (kind, text) in [
      (CellOutput.Kind.standardOutput, process.standardOutput.text), (.standardError, process.standardError.text),
    ] where !text.isEmpty {
      printedBytes += text.utf8.count
      outputs.append(CellOutput(kind: kind, data: ["text/plain": surroundings.withoutMachinePaths(mend(text))]))
    }
    startCapture()
  }

  private func cleaned(_ data: [String: String]) -> [String: String] {
    var data = data
    for (mime, text) in data where mime.hasPrefix("text/") { data[mime] = surroundings.withoutMachinePaths(text) }
    return data
  }
}

extension CellInterpreter {
  func finish(
    _ process: InterpreterProcess?, _ program: String, within limit: Duration, _ interruption: InterruptionWatch?
  ) -> String? {
    guard let process else { return nil }
    guard process.finish(within: limit, interruption: interruption), let end = process.end else {
      return "\(program) did not end within \(limit / .seconds(1)) s after its last cell, and was stopped"
    }
    switch end.manner {
    case .exited(0): return nil
    case .exited(let status): return "\(program) ended with exit status \(status) after its last cell"
    case .signalled(let signal): return "\(program) was killed by \(signalName(signal)) after its last cell"
    }
  }

  /// A cell whose interpreter gave no answer: the interpreter is ended, and what it printed is kept.
  ///
  /// - Parameters:
  ///   - mend: what is done to printed text.
  ///   - line: the line that failed, by what was printed.
  func abandoned(
    _ cell: NumberedCell, _ event: ProcessEvent, _ process: InterpreterProcess, _ recording: inout CellRecording,
    program: String, mend: (String) -> String = { $0 }, line: ([CellOutput]) -> Int? = { _ in nil }
  ) -> CellResult {
    if case .interrupted(let signal) = event {
      process.terminateTree(signal, grace: .seconds(2))
    } else if process.end == nil {
      process.killTree()
    }
    recording.close(mend)
    var result = CellResult(outputs: recording.outputs, endedInterpreter: true)
    if case .interrupted(let signal) = event { result.interruption = signal }
    if case .ended(let end) = event, end.manner == .exited(0), !cell.isFollowed { return result }
    result.failure = failure(
      event, of: cell, program: program, line: line(result.outputs), meaningOfKill: recording.surroundings.meaningOfKill)
    return result
  }

  /// The failure of a cell whose interpreter is gone or had to go.
  func failure(
    _ event: ProcessEvent, of cell: NumberedCell, program: String, line: Int?, meaningOfKill: String
  ) -> CellFailure {
    let line = line ?? cell.cell.firstLine
    switch event {
    case .ended(let end): return failure(end, of: cell, program: program, line: line, meaningOfKill)
    case .timedOut:
      let limit = cell.cell.options[CellOption.timeout.rawValue] ?? "its timeout"
      return CellFailure(
        line: line, message: "it ran longer than \(limit)", text: "stopped after \(limit) (option `timeout`)",
        hints: ["raise `#| timeout:` of the cell, or find out what it waits for"])
    case .channelClosed, .message:
      return CellFailure(
        line: line,
        message: "it closed or used descriptor \(InterpreterProcess.channelDescriptor), over which `pipe` runs the cells",
        text: "descriptor \(InterpreterProcess.channelDescriptor) was closed or used",
        hints: ["leave descriptor \(InterpreterProcess.channelDescriptor) alone"])
    case .interrupted:
      return CellFailure(line: line, message: "it was interrupted", text: "interrupted")
    }
  }

  private func failure(
    _ end: ProcessEnd, of cell: NumberedCell, program: String, line: Int, _ meaningOfKill: String
  ) -> CellFailure {
    switch end.manner {
    case .exited(let status):
      var failure = CellFailure(line: line, message: "exit status \(status)", text: "exit status \(status)")
      if status == 0 {
        failure.message = "it ended its \(program) with status 0, but later cells need it"
        failure.text = failure.message
        failure.hints = ["leave a cell early with `return` (bash) or an `if` (Python)"]
      }
      return failure
    case .signalled(let signal):
      let peak = "peak \(humanSize(end.peakBytes))"
      let why = signal == 9 ? ", \(meaningOfKill) (\(peak))" : " (\(signalMeaning(signal)), \(peak))"
      let message = "\(program) was killed by \(signalName(signal))\(why)"
      return CellFailure(line: line, message: message, text: message)
    }
  }
}

func signalName(_ signal: Int32) -> String { knownSignals[signal]?.name ?? "signal \(signal)" }

func signalMeaning(_ signal: Int32) -> String { knownSignals[signal]?.meaning ?? "unknown" }

let knownSignals: [Int32: (name: String, meaning: String)] = [
  2: ("SIGINT", "interrupt"), 3: ("SIGQUIT", "quit"), 4: ("SIGILL", "illegal instruction"), 6: ("SIGABRT", "abort"),
  7: ("SIGBUS", "bus error"), 8: ("SIGFPE", "arithmetic error"), 9: ("SIGKILL", "kill"),
  11: ("SIGSEGV", "segmentation fault"), 13: ("SIGPIPE", "broken pipe"), 15: ("SIGTERM", "terminate"),
]

/// The failure of a language whose program does not start.
func startFailure(_ error: InterpreterStartError, language: String, package: String, cell: NumberedCell) -> CellFailure {
  let message: String
  var hints: [String] = []
  switch error {
  case .notFound(let program):
    message = "`\(program)` is not on PATH, and the cell is in \(language)"
    hints = ["install it, for example `apt install \(package)`"]
  case .noDescriptors(let code): message = "no pipe for \(language): \(String(cString: strerror(code)))"
  case .refused(let path, let code): message = "`\(path)` does not start: \(String(cString: strerror(code)))"
  }
  return CellFailure(line: cell.cell.firstLine, message: message, isInput: true, text: message, hints: hints)
}
