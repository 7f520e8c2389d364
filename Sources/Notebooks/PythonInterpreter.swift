// The Python cells of a stage: one interpreter under our driver.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation

final class PythonInterpreter: CellInterpreter {
  private let surroundings: CellSurroundings
  private var process: InterpreterProcess?
  private(set) var parametersRead: Set<String> = []

  init(_ surroundings: CellSurroundings) { self.surroundings = surroundings }

  private struct Start: Encodable {
    var notebook: String
    var stage: String
    var folder: String
    var root: String
    var tmp: String
    /// JSON in JSON, so that `1.0` stays a float.
    var params: String
    var deps: [String: String]
    var outs: [String: String]
  }

  private struct Request: Encodable {
    var cell: Int
    /// What the lines are counted in.
    var file: String
    var line: Int
    var source: String
  }

  private struct Answer: Decodable {
    var event: String
    var data: [String: String]?
    var line: Int?
    var text: String?
    var message: String?
    var undeclared: Bool?
    var read: [String]?
    var warnings: [Warning]?

    struct Warning: Decodable {
      var line: Int
      var text: String
    }
  }

  func run(_ cell: NumberedCell, deadline: ContinuousClock.Instant?) -> CellResult {
    do throws(InterpreterStartError) {
      let process = try started()
      return run(cell, deadline: deadline, in: process)
    } catch {
      return CellResult(failure: startFailure(error, language: "python", package: "python3", cell: cell))
    }
  }

  func finish(within limit: Duration) -> String? { finish(process, "python3", within: limit, surroundings.interruption) }

  private func started() throws(InterpreterStartError) -> InterpreterProcess {
    if let process { return process }
    let folder = surroundings.workFolder
    try? pythonDriver.write(toFile: "\(folder)/driver.py", atomically: false, encoding: .utf8)
    try? FileManager.default.createDirectory(atPath: "\(folder)/python", withIntermediateDirectories: true)
    try? pythonFigureBackend.write(toFile: "\(folder)/python/pipe_figures.py", atomically: false, encoding: .utf8)
    var environment = surroundings.environment
    // A compiled file in the folder of a dependency would change that dependency.
    environment["PYTHONDONTWRITEBYTECODE"] = environment["PYTHONDONTWRITEBYTECODE"] ?? "1"
    // A crash in native code then names the line of the cell.
    environment["PYTHONFAULTHANDLER"] = "1"
    environment["MPLBACKEND"] = "module://pipe_figures"
    environment["PYTHONPATH"] = [environment["PYTHONPATH"], "\(folder)/python"].compactMap { $0 }.joined(separator: ":")
    let process = try InterpreterProcess("python3", ["\(folder)/driver.py"], environment: environment)
    let context = surroundings.context
    _ = send(
      Start(
        notebook: surroundings.file, stage: context.stage, folder: surroundings.folder, root: context.root, tmp: context.tmp,
        params: ContextValue.mapping(context.params).jsonText, deps: context.deps, outs: context.outs), to: process)
    self.process = process
    return process
  }

  private func send(_ message: some Encodable, to process: InterpreterProcess) -> Bool {
    guard let data = try? JSONEncoder().encode(message) else { return false }
    return process.send(data)
  }

  private func run(_ cell: NumberedCell, deadline: ContinuousClock.Instant?, in process: InterpreterProcess) -> CellResult {
    var recording = CellRecording(process, surroundings)
    _ = send(
      Request(cell: cell.number, file: cell.cell.place ?? surroundings.file, line: cell.cell.firstLine, source: cell.cell.source),
      to: process)
    while true {
      let event = process.nextEvent(deadline: deadline, interruption: surroundings.interruption)
      guard case .message(let line) = event else { return abandon(cell, event, process, &recording) }
      guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(line)) else {
        return abandon(cell, .channelClosed, process, &recording)
      }
      if answer.event == "display" {
        recording.add(display: answer.data ?? [:])
        _ = process.send(Data("{}".utf8))
        continue
      }
      recording.close()
      parametersRead.formUnion(answer.read ?? [])
      return result(of: cell, answer, recording.outputs)
    }
  }

  private func result(of cell: NumberedCell, _ answer: Answer, _ outputs: [CellOutput]) -> CellResult {
    var result = CellResult(outputs: outputs)
    result.warnings = (answer.warnings ?? []).map {
      Diagnostic(.warning, $0.text, at: SourceLocation(file: cell.cell.place ?? surroundings.file, line: $0.line))
    }
    guard answer.event == "failed" else { return result }
    let message = answer.message ?? "it failed"
    result.failure = CellFailure(
      line: answer.line ?? cell.cell.firstLine, message: message, isInput: answer.undeclared == true,
      text: surroundings.withoutMachinePaths(answer.text ?? message))
    if answer.undeclared == true {
      result.failure?.hints = ["declare it for the stage in pipeline.yaml"]
    }
    return result
  }

  /// The innermost line of the notebook in what Python's fault handler printed.
  private func crashLine(_ outputs: [CellOutput], _ file: String) -> Int? {
    guard let text = outputs.last(where: { $0.kind == .standardError })?.data["text/plain"],
      let start = text.range(of: "Fatal Python error: "),
      let mention = text[start.upperBound...].range(of: "File \"\(file)\", line ")
    else { return nil }
    return Int(text[mention.upperBound...].prefix { $0.isNumber })
  }

  private func abandon(
    _ cell: NumberedCell, _ event: ProcessEvent, _ process: InterpreterProcess, _ recording: inout CellRecording
  ) -> CellResult {
    self.process = nil
    return abandoned(
      cell, event, process, &recording, program: "python3", line: { crashLine($0, cell.cell.place ?? surroundings.file) })
  }
}
