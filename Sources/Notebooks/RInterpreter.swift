// The R cells of a stage: one Rscript under our driver.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Foundation

final class RInterpreter: CellInterpreter {
  private let surroundings: CellSurroundings
  private var process: InterpreterProcess?
  let parametersRead: Set<String> = []

  init(_ surroundings: CellSurroundings) { self.surroundings = surroundings }

  private struct Answer: Decodable {
    var event: String
    var data: [String: String]?
    var line: Int?
    var text: String?
    var message: String?
  }

  func run(_ cell: NumberedCell, deadline: ContinuousClock.Instant?) -> CellResult {
    do throws(InterpreterStartError) {
      let process = try started()
      return run(cell, deadline: deadline, in: process)
    } catch {
      return CellResult(failure: startFailure(error, language: "r", package: "r-base-core", cell: cell))
    }
  }

  func finish(within limit: Duration) -> String? { finish(process, "Rscript", within: limit, surroundings.interruption) }

  private var folder: String { "\(surroundings.workFolder)/r" }

  private func started() throws(InterpreterStartError) -> InterpreterProcess {
    if let process { return process }
    guard locate("Rscript", in: surroundings.environment["PATH"] ?? "") != nil else { throw .notFound("Rscript") }
    // A second R, after the first had to go, finds the place as the first one did.
    try? AtomicFile.removeAll(folder)
    try? AtomicFile.makeFolder(folder)
    let program = "setwd(\(quoted(surroundings.folder)))\n\(stage)\n\(rDriver)"
    try? program.write(toFile: "\(folder)/driver.R", atomically: false, encoding: .utf8)
    try? rRelay.write(toFile: "\(folder)/relay.bash", atomically: false, encoding: .utf8)
    var environment = surroundings.environment
    environment["PIPE_R_FOLDER"] = folder
    environment["BASH_ENV"] = nil
    let process = try InterpreterProcess("bash", ["--noprofile", "--norc", "\(folder)/relay.bash"], environment: environment)
    self.process = process
    return process
  }

  /// `pipe$params$train$lr`, `pipe$deps$raw`; what is not declared is an error that names it.
  private var stage: String {
    let context = surroundings.context
    let paths = { (entries: [String: String]) in ContextValue.mapping(entries.mapValues { .text($0) }) }
    return """
      pipe <- local({
        declared <- function(kind, values) structure(values, class = "pipe_names", kind = kind)
        list(params = \(literal(.mapping(context.parameterTree), kind: "parameter")),
          deps = \(literal(paths(context.deps), kind: "dependency")),
          outs = \(literal(paths(context.outs), kind: "output")), stage = \(quoted(context.stage)), root = \(quoted(context.root)),
          tmp = \(quoted(context.tmp)))
      })
      `$.pipe_names` <- function(x, name) x[[name]]
      `[[.pipe_names` <- function(x, name) {
        values <- unclass(x)
        if (!is.character(name)) return(values[[name]])
        if (name %in% names(values)) return(values[[name]])
        for (part in strsplit(name, ".", fixed = TRUE)[[1]]) {
          if (!(part %in% names(values))) {
            stop(attr(x, "kind"), " `", name, "` is not declared by stage `\(context.stage)`", call. = FALSE)
          }
          values <- unclass(values[[part]])
        }
        values
      }
      """
  }

  private func literal(_ value: ContextValue, kind: String) -> String {
    switch value {
    case .null: return "NULL"
    case .boolean(let flag): return flag ? "TRUE" : "FALSE"
    case .integer(let number): return abs(number) < 2_147_483_647 ? "\(number)L" : "\(number)"
    case .number(let number): return number.isFinite ? "\(number)" : "NA_real_"
    case .text(let text): return quoted(text)
    case .list(let values): return "list(\(values.map { literal($0, kind: kind) }.joined(separator: ", ")))"
    case .mapping(let entries):
      let pairs = entries.sorted { $0.key < $1.key }.map { "\(quoted($0.key)) = \(literal($0.value, kind: kind))" }
      return "declared(\(quoted(kind)), list(\(pairs.joined(separator: ", "))))"
    }
  }

  /// A text as R writes one; every byte that is no plain letter as its code.
  private func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" || scalar == "\\" {
        out += "\\\(scalar)"
      } else if scalar.value >= 0x20, scalar.value < 0x7F {
        out.unicodeScalars.append(scalar)
      } else {
        out += "\\U{\(String(scalar.value, radix: 16))}"
      }
    }
    return out + "\""
  }

  private func run(_ cell: NumberedCell, deadline: ContinuousClock.Instant?, in process: InterpreterProcess) -> CellResult {
    let source = "\(folder)/cell-\(cell.number).R"
    let request = "\(folder)/request-\(cell.number).R"
    let name = cell.cell.place ?? surroundings.file
    try? (cell.cell.source + "\n").write(toFile: source, atomically: false, encoding: .utf8)
    try? ".pipe_cell(\(cell.number), \(quoted(source)), \(quoted(name)), \(cell.cell.firstLine))\n".write(
      toFile: request, atomically: false, encoding: .utf8)
    var recording = CellRecording(process, surroundings)
    _ = process.send(Data(request.utf8))
    while true {
      let event = process.nextEvent(deadline: deadline, interruption: surroundings.interruption)
      guard case .message(let line) = event, let answer = try? JSONDecoder().decode(Answer.self, from: Data(line)) else {
        return abandon(cell, event, process, &recording)
      }
      if answer.event == "display" {
        recording.add(display: answer.data ?? [:])
        _ = process.send(Data("{}".utf8))
        continue
      }
      recording.close()
      return result(of: cell, answer, recording.outputs)
    }
  }

  private func result(of cell: NumberedCell, _ answer: Answer, _ outputs: [CellOutput]) -> CellResult {
    var result = CellResult(outputs: outputs)
    guard answer.event == "failed" else { return result }
    let message = answer.message ?? "it failed"
    let isInput = message.hasSuffix("is not declared by stage `\(surroundings.context.stage)`")
    result.failure = CellFailure(
      line: answer.line ?? cell.cell.firstLine, message: message, isInput: isInput,
      text: surroundings.withoutMachinePaths(answer.text ?? message),
      hints: isInput ? ["declare it for the stage in pipeline.yaml"] : [])
    return result
  }

  private func abandon(
    _ cell: NumberedCell, _ event: ProcessEvent, _ process: InterpreterProcess, _ recording: inout CellRecording
  ) -> CellResult {
    self.process = nil
    return abandoned(cell, event, process, &recording, program: "Rscript")
  }
}
