// The bash cells of a stage: one shell, each cell sourced.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation

final class BashInterpreter: CellInterpreter {
  private let surroundings: CellSurroundings
  private var process: InterpreterProcess?
  let parametersRead: Set<String> = []
  /// Number of a cell → what its lines are counted in.
  private var places: [Int: String] = [:]

  init(_ surroundings: CellSurroundings) { self.surroundings = surroundings }

  /// What the driver says, a line of JSON each.
  private struct Answer: Decodable {
    var event: String
    var status: Int
    var line: Int?
    var depth: Int?
    var flags: String?
  }

  func run(_ cell: NumberedCell, deadline: ContinuousClock.Instant?) -> CellResult {
    do throws(InterpreterStartError) {
      let process = try started()
      return run(cell, deadline: deadline, in: process)
    } catch {
      return CellResult(failure: startFailure(error, language: "bash", package: "bash", cell: cell))
    }
  }

  func finish(within limit: Duration) -> String? { finish(process, "bash", within: limit, surroundings.interruption) }

  private func started() throws(InterpreterStartError) -> InterpreterProcess {
    if let process { return process }
    let driver = "\(surroundings.workFolder)/driver.bash"
    try? "cd -- \(quoted(surroundings.folder)) || exit\n\(bashDriver)".write(toFile: driver, atomically: false, encoding: .utf8)
    var environment = surroundings.environment
    // Either would run a file of the user's before the first cell.
    environment["BASH_ENV"] = nil
    environment["ENV"] = nil
    let process = try InterpreterProcess("bash", ["--noprofile", "--norc", driver], environment: environment)
    self.process = process
    return process
  }

  private func run(_ cell: NumberedCell, deadline: ContinuousClock.Instant?, in process: InterpreterProcess) -> CellResult {
    let path = "\(surroundings.workFolder)/cell-\(cell.number).bash"
    // Behind as many empty lines as precede the cell in the notebook, so that bash's line numbers are the notebook's.
    let text = String(repeating: "\n", count: cell.cell.firstLine - 1) + cell.cell.source + "\n"
    try? text.write(toFile: path, atomically: false, encoding: .utf8)
    places[cell.number] = cell.cell.place ?? surroundings.file
    var recording = CellRecording(process, surroundings)
    var failed: [Answer] = []
    _ = process.send(Data(path.utf8))
    while true {
      let event = process.nextEvent(deadline: deadline, interruption: surroundings.interruption)
      if case .message(let line) = event, let answer = try? JSONDecoder().decode(Answer.self, from: Data(line)) {
        if answer.event == "failed" {
          failed.append(answer)
          continue
        }
        recording.close(withNotebookName)
        return result(of: cell, answer, failed, recording.outputs)
      }
      return abandon(cell, event, failed, process, &recording)
    }
  }

  /// The cell came to its end.
  private func result(of cell: NumberedCell, _ answer: Answer, _ failed: [Answer], _ outputs: [CellOutput]) -> CellResult {
    var result = CellResult(outputs: outputs)
    let isStrict = answer.flags?.contains("e") ?? true
    // The trap reports only while `set -e` holds; a cell that switched it off fails by a syntax error alone.
    let stopped = failed.contains { $0.depth == 0 }
    let complaint = complaintLine(outputs)
    guard answer.status != 0, stopped || isStrict || complaint?.isSyntax == true else { return result }
    let line = failingLine(failed, status: answer.status) ?? complaint?.line ?? cell.cell.firstLine
    result.failure = CellFailure(
      line: line, message: "exit status \(answer.status)", text: "exit status \(answer.status)",
      causes: deathOfCommand(status: answer.status))
    return result
  }

  /// What a status says of a command that a signal ended: bash adds 128 to the signal's number.
  private func deathOfCommand(status: Int) -> [String] {
    let signal = Int32(clamping: status - 128)
    guard knownSignals[signal] != nil else { return [] }
    return ["a command was killed by \(signalName(signal))" + (signal == 9 ? ", \(surroundings.meaningOfKill)" : "")]
  }

  /// The line of the command that stopped the cell: inside the subshell, when a subshell failed just before with the same status.
  private func failingLine(_ failed: [Answer], status: Int) -> Int? {
    guard let stop = failed.firstIndex(where: { $0.depth == 0 }) else { return nil }
    if stop > 0, failed[stop - 1].status == failed[stop].status { return failed[stop - 1].line }
    return failed[stop].line
  }

  private func abandon(
    _ cell: NumberedCell, _ event: ProcessEvent, _ failed: [Answer], _ process: InterpreterProcess,
    _ recording: inout CellRecording
  ) -> CellResult {
    self.process = nil
    return abandoned(cell, event, process, &recording, program: "bash", mend: withNotebookName) {
      failed.last?.line ?? complaintLine($0)?.line
    }
  }

  // MARK: Messages of bash

  /// `…/cell-3.bash: line 31: ` as the notebook's name.
  private func withNotebookName(_ text: String) -> String {
    guard text.contains(surroundings.workFolder) else { return text }
    var text = text
    for (number, name) in places {
      text = text.replacingOccurrences(of: "\(surroundings.workFolder)/cell-\(number).bash", with: name)
    }
    return text
  }

  /// The last line number that bash itself complained about: an unset variable and a syntax error end the shell untrapped.
  private func complaintLine(_ outputs: [CellOutput]) -> (line: Int, isSyntax: Bool)? {
    guard let text = outputs.last(where: { $0.kind == .standardError })?.data["text/plain"] else { return nil }
    for line in text.split(separator: "\n").reversed() {
      guard let name = places.values.first(where: { line.hasPrefix("\($0): line ") }) else { continue }
      let rest = line.dropFirst(name.count + 7)
      guard let number = Int(rest.prefix { $0.isNumber }) else { continue }
      return (number, rest.contains("syntax error"))
    }
    return nil
  }

  private func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}
