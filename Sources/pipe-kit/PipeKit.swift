// The bundled stage programs as one executable: `pipe kit simulate`, `pipe kit prepare` and so on.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import Foundation
import KitCatalog

/// The programs, in the order of a pipeline.
private let programs: [any ParsableCommand.Type] = [
  Simulate.self, Prepare.self, Features.self, Train.self, Evaluate.self, Register.self, Backtest.self, Predict.self,
]

@main struct PipeKit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pipe kit", abstract: "The bundled stage programs.",
    discussion:
      "Each reads the files it is given and the stage's parameters, and writes its outputs under a temporary name first.",
    version: "0.1.0", subcommands: programs)

  /// Runs a program and says what went wrong: exit 0 done, 1 the work failed, 2 the input needs mending (docs/design.md).
  static func main() {
    do {
      var program = try parseAsRoot()
      try program.run()
    } catch {
      Foundation.exit(report(error))
    }
  }

  private static func report(_ error: any Error) -> Int32 {
    let renderer = DiagnosticRenderer { try? String(contentsOfFile: $0, encoding: .utf8) }
    switch error {
    case let list as DiagnosticList:
      for diagnostic in list.diagnostics { say(renderer.text(diagnostic)) }
      return list.exitCode
    case let error as any DiagnosticConvertible:
      say(renderer.text(error.diagnostic))
      return error.diagnostic.exitCode
    case let code as ExitCode:
      return code.rawValue
    default:
      return reportArguments(error, renderer)
    }
  }

  /// Help and versions go to standard output; arguments that do not parse are the caller's to mend, the rest is a bug of ours.
  private static func reportArguments(_ error: any Error, _ renderer: DiagnosticRenderer) -> Int32 {
    let text = fullMessage(for: error)
    if exitCode(for: error) == .success {
      print(text)
      return 0
    }
    if exitCode(for: error) == .validationFailure {
      say(text + "\n")
      return 2
    }
    let diagnostic = Diagnostic(.bug, "an error without a message reached the end of the program", causes: ["\(error)"])
    say(renderer.text(diagnostic))
    return diagnostic.exitCode
  }

  private static func say(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

/// What `pipe kit NAME --version` says: raised when the same input would give other bytes.
func behaviorVersion(of program: String) -> String { "\(KitProgram.named(program)?.behaviorVersion ?? 0)" }
