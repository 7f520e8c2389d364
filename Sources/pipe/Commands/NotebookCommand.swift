// `pipe notebook run-stage`: the process that a notebook stage is.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import Foundation
import Notebooks

struct NotebookCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "notebook", abstract: "Run the cells of a stage; `repro` calls it.", shouldDisplay: false,
    subcommands: [RunStage.self])

  struct RunStage: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "run-stage", abstract: "Run a notebook's cells in the environment of a stage.")

    @Argument(help: "The notebook, relative to the project.") var notebook: String
    @Option(help: "The stage's context document.") var context: String
    @Option(help: "Where the executed notebook goes.") var woven: String

    func run() throws {
      let context = try StageNotebookContext(json: Data(contentsOf: URL(fileURLWithPath: context)))
      guard let text = try AtomicFile.readText("\(context.root)/\(notebook)") else {
        throw Diagnostic(.input, "the notebook `\(notebook)` is not there")
      }
      let parsed = try NotebookParser.parse(text, file: notebook)
      let runner = CellRunner(
        folder: FileManager.default.currentDirectoryPath, environment: ProcessInfo.processInfo.environment,
        interruption: InterruptionWatch())
      let (result, outcome) = try runner.run(parsed, context, progress: report)
      try AtomicFile.write([UInt8](try result.canonicalJSON()), to: woven)
      switch outcome {
      case .done: return
      case .interrupted(let signal): throw ExitCode(128 + signal)
      case .failed:
        Terminal.standard.write(WovenText.terminal(result, outcome), to: STDERR_FILENO)
        throw ExitCode(1)
      }
    }

    private func report(_ progress: NotebookProgress) {
      switch progress {
      case .warning(let warning): Terminal.standard.say(warning)
      case .started: break
      case .finished(let number, let count, let name, let duration, let outcome):
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        let word = outcome == .done ? "" : " \(outcome.rawValue)"
        let label = name == "\(number)" ? "" : ", \(name)"
        Terminal.standard.note("cell \(number) of \(count)\(label):\(word) \(durationText(seconds))")
      }
    }
  }
}
