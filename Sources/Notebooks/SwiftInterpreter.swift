// The Swift cells of a stage: one compiled program that stops between cells.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Foundation

final class SwiftInterpreter: CellInterpreter {
  private let surroundings: CellSurroundings
  private let cells: [NumberedCell]
  private var process: InterpreterProcess?
  private(set) var parametersRead: Set<String> = []

  /// - Parameter cells: all Swift cells of the notebook, in order.
  init(_ surroundings: CellSurroundings, cells: [NumberedCell]) {
    self.surroundings = surroundings
    self.cells = cells
  }

  private struct Answer: Decodable {
    var event: String
  }

  /// Why there is no program to run.
  private enum BuildMistake: Error {
    case start(InterpreterStartError)
    case compiler(text: String, status: String)
    case interrupted(Int32)
  }

  func run(_ cell: NumberedCell, deadline: ContinuousClock.Instant?) -> CellResult {
    do throws(BuildMistake) {
      let process = try started(from: cell)
      return run(cell, deadline: deadline, in: process)
    } catch {
      switch error {
      case .start(let error): return CellResult(failure: startFailure(error, language: "swift", package: "swiftlang", cell: cell))
      case .interrupted(let signal): return CellResult(interruption: signal)
      case .compiler(let text, let status): return CellResult(failure: compileFailure(text, status, cell))
      }
    }
  }

  func finish(within limit: Duration) -> String? {
    finish(process, "the Swift program", within: limit, surroundings.interruption)
  }

  // MARK: Building

  /// Cells from this one on: after a failure that was expected, the program begins anew behind it.
  private func started(from cell: NumberedCell) throws(BuildMistake) -> InterpreterProcess {
    if let process { return process }
    let binary = try built(cells.filter { $0.number >= cell.number })
    var environment = surroundings.environment
    // A trap then names the line of the cell.
    environment["SWIFT_BACKTRACE"] =
      environment["SWIFT_BACKTRACE"] ?? "enable=yes,color=no,interactive=no,threads=crashed,output-to=stderr,sanitize=yes"
    environment["PIPE_CELLS_FOLDER"] = surroundings.folder
    do throws(InterpreterStartError) {
      let process = try InterpreterProcess(binary, [], environment: environment)
      self.process = process
      return process
    } catch {
      throw .start(error)
    }
  }

  /// The program for these cells: from the cache, or compiled now.
  private func built(_ cells: [NumberedCell]) throws(BuildMistake) -> String {
    let program = SwiftProgram(cells, file: surroundings.file, context: surroundings.context)
    guard let compiler = locate("swiftc", in: surroundings.environment["PATH"] ?? "") else { throw .start(.notFound("swiftc")) }
    let resolved = URL(fileURLWithPath: compiler).resolvingSymlinksInPath().path
    var writer = ByteWriter()
    writer.texts(["pipe.swift-cells/1", program.main, program.support, resolved, FileStamp(resolved).map { "\($0)" } ?? ""])
    let cache = "\(surroundings.context.root)/.pipe/cache/swift"
    let binary = "\(cache)/\(Digest.of(writer.bytes).hex)"
    if FileStat(binary) != nil { return binary }
    let folder = "\(surroundings.workFolder)/swift"
    try? AtomicFile.makeFolder(folder)
    try? AtomicFile.makeFolder(cache)
    try? program.main.write(toFile: "\(folder)/main.swift", atomically: false, encoding: .utf8)
    try? program.support.write(toFile: "\(folder)/Pipe.swift", atomically: false, encoding: .utf8)
    let arguments = [
      "-swift-version", "5", "-Onone", "-g", "-module-name", "Cells", "-o", "\(folder)/program", "\(folder)/main.swift",
      "\(folder)/Pipe.swift",
    ]
    try compile(compiler, arguments)
    // Another stage may do the same at this moment: the name appears whole or not at all.
    let moved = rename("\(folder)/program", binary) == 0
    return moved ? binary : "\(folder)/program"
  }

  private func compile(_ compiler: String, _ arguments: [String]) throws(BuildMistake) {
    let process: InterpreterProcess
    do throws(InterpreterStartError) {
      process = try InterpreterProcess(compiler, arguments, environment: surroundings.environment)
    } catch {
      throw .start(error)
    }
    while true {
      switch process.nextEvent(deadline: nil, interruption: surroundings.interruption) {
      case .message: continue
      case .ended(let end):
        guard end.manner != .exited(0) else { return }
        throw .compiler(text: process.standardError.text + process.standardOutput.text, status: "\(end.manner)")
      case .interrupted(let signal):
        process.terminateTree(signal, grace: .seconds(2))
        throw .interrupted(signal)
      case .channelClosed, .timedOut:
        process.killTree()
        throw .compiler(text: process.standardError.text, status: "it was lost")
      }
    }
  }

  /// The first error of the compiler, in the notebook's lines.
  private func compileFailure(_ text: String, _ status: String, _ cell: NumberedCell) -> CellFailure {
    let clean = surroundings.withoutMachinePaths(text)
    for line in textLines(text) {
      for place in places {
        guard line.begins(with: place + ":"), let error = line.range(of: ": error: ") else { continue }
        let number = line.dropping(place.utf8.count + 1).prefix { $0.isNumber }
        return CellFailure(
          line: Int(number) ?? cell.cell.firstLine, message: "it does not compile: \(line[error.upperBound...])", text: clean)
      }
    }
    return CellFailure(line: cell.cell.firstLine, message: "the Swift cells do not compile (\(status))", text: clean)
  }

  /// What lines are counted in, longer names first.
  private var places: [String] { Set(cells.map { $0.cell.place ?? surroundings.file }).sorted { $0.count > $1.count } }

  // MARK: Running

  private func run(_ cell: NumberedCell, deadline: ContinuousClock.Instant?, in process: InterpreterProcess) -> CellResult {
    var recording = CellRecording(process, surroundings)
    noteParameters(in: cell)
    _ = process.send(Data("run".utf8))
    let event = process.nextEvent(deadline: deadline, interruption: surroundings.interruption)
    if case .message(let line) = event, (try? JSONDecoder().decode(Answer.self, from: Data(line))) != nil {
      recording.close()
      return CellResult(outputs: recording.outputs)
    }
    return abandon(cell, event, process, &recording)
  }

  /// The compiler has checked the names; here is which of them stand in the text.
  private func noteParameters(in cell: NumberedCell) {
    for key in surroundings.context.params.keys where cell.cell.source.contains("params.\(key)") { parametersRead.insert(key) }
  }

  private func abandon(
    _ cell: NumberedCell, _ event: ProcessEvent, _ process: InterpreterProcess, _ recording: inout CellRecording
  ) -> CellResult {
    self.process = nil
    var result = abandoned(
      cell, event, process, &recording, program: "the Swift program", line: { crashLine($0, cell) })
    if let message = fatalMessage(result.outputs), let failure = result.failure {
      result.failure = CellFailure(line: failure.line, message: message, text: message)
    }
    return result
  }

  private func complaint(_ outputs: [CellOutput]) -> String? {
    outputs.last { $0.kind == .standardError }?.data["text/plain"]
  }

  /// `Fatal error: …` without its place.
  private func fatalMessage(_ outputs: [CellOutput]) -> String? {
    guard let text = complaint(outputs) else { return nil }
    for line in textLines(text) {
      for word in ["Fatal error", "Precondition failed", "Assertion failed"] {
        if let range = line.range(of: ": \(word)") { return String(line[range.lowerBound...].dropFirst(2)) }
        if line.begins(with: word) { return line }
      }
    }
    return nil
  }

  /// The innermost line of the cell in the backtrace, or the line that the message itself has.
  private func crashLine(_ outputs: [CellOutput], _ cell: NumberedCell) -> Int? {
    guard let text = complaint(outputs) else { return nil }
    let place = cell.cell.place ?? surroundings.file
    let name = place.split(separator: "/").last.map(String.init) ?? place
    for mark in ["\(place):", "/\(name):"] {
      if let range = text.range(of: mark), let line = Int(text[range.upperBound...].prefix(while: { $0.isNumber })) {
        return line
      }
    }
    return nil
  }
}
