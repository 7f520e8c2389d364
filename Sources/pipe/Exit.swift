// From an error to a message and an exit code: the only way out.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import Glibc

enum Exit {
  /// Says what is wrong and ends the process with the documented code.
  static func with(_ error: any Error) -> Never {
    if let code = code(saying: error) { exit(code) }
    fromParser(error)
  }

  /// Says what is wrong.
  ///
  /// - Returns: the documented exit code; `nil`, with nothing said, when the error is the argument parser's.
  static func code(saying error: any Error) -> Int32? {
    switch error {
    case let code as ExitCode: return code.rawValue
    case let list as DiagnosticList:
      for diagnostic in list.diagnostics { Terminal.standard.say(diagnostic) }
      let count = list.diagnostics.count { $0.category != .warning }
      if count > 1 { Terminal.standard.note("\(count) mistakes") }
      return list.exitCode
    case let error as any DiagnosticConvertible:
      Terminal.standard.say(error.diagnostic)
      return error.diagnostic.exitCode
    default: return nil
    }
  }

  private static func fromParser(_ error: any Error) -> Never {
    let message = Pipe.fullMessage(for: error)
    guard Pipe.exitCode(for: error) != .success else {
      print(message)
      exit(0)
    }
    if error is CleanExit || "\(type(of: error))" == "CommandError" || error is ValidationError {
      Terminal.standard.write(message + "\n", to: STDERR_FILENO)
      exit(2)
    }
    Terminal.standard.say(
      Diagnostic(.bug, "an error that nobody expected: \(error)", hints: ["this is a mistake in `pipe`; please report it"]))
    exit(70)
  }
}
