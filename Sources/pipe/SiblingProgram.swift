// `pipe kit` and `pipe serve` are programs of their own beside `pipe`: it becomes them.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import Foundation
import Glibc
import KitCatalog

enum SiblingProgram {
  /// Absolute path of a program in the folder of this one.
  static func path(_ name: String) throws -> String {
    let program = try BuildSession.program()
    let folder = program.lastIndex(of: "/").map { String(program[..<$0]) } ?? "."
    let path = "\(folder)/\(name)"
    guard access(path, X_OK) == 0 else {
      throw Diagnostic(
        .input, "`\(name)` is not installed beside `pipe`",
        hints: ["it belongs in \(folder); `swift build --product \(name)` makes it"])
    }
    return path
  }

  /// Replaces this process; comes back only when that fails.
  static func become(_ name: String, _ arguments: [String]) throws -> Never {
    let path = try path(name)
    var pointers: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
    pointers.append(nil)
    signal(SIGPIPE, SIG_DFL)
    execv(path, pointers)
    throw Diagnostic(.bug, "cannot start `\(path)`: \(String(cString: strerror(errno)))")
  }
}

struct KitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kit",
    abstract: "Run a program of the stage kit: simulate, prepare, features, train, evaluate, register, backtest, predict.",
    discussion: """
      Examples:
        pipe kit --help
        pipe kit train --help
      """,
    helpNames: [])

  @Argument(parsing: .captureForPassthrough, help: "The program and its options.") var arguments: [String] = []

  func run() throws { try SiblingProgram.become("pipe-kit", arguments) }
}

struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve a bundle over HTTP on this machine.",
    discussion: """
      Example:
        pipe serve --bundle models/eta --port 8080
      """,
    helpNames: [])

  @Argument(parsing: .captureForPassthrough, help: "Options of pipe-serve.") var arguments: [String] = []

  func run() throws { try SiblingProgram.become("pipe-serve", arguments) }
}
