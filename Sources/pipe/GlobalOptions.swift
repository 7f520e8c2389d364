// What may stand before the subcommand: in which folder to work, how much to say, whether to wait.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics
import Glibc
import Synchronization

/// `pipe --cd FOLDER -q --wait-for-lock repro …`.
struct GlobalOptions: Equatable {
  var folder: String?
  var isQuiet = false
  var isVerbose = false
  var waitsForLock = false
  /// The subcommand with its arguments.
  var rest: [String] = []

  /// - Parameter arguments: without the program's name.
  /// - Throws: a `Diagnostic` when `--cd` has no folder, or -q and -v are both there.
  init(_ arguments: [String]) throws(Diagnostic) {
    var position = arguments.startIndex
    reading: while position < arguments.endIndex {
      let argument = arguments[position]
      switch argument {
      case "--cd":
        guard position + 1 < arguments.endIndex else { throw Diagnostic(.input, "`--cd` needs a folder") }
        folder = arguments[position + 1]
        position += 1
      case "-q", "--quiet": isQuiet = true
      case "-v", "--verbose": isVerbose = true
      case "--wait-for-lock": waitsForLock = true
      default:
        guard argument.hasPrefix("--cd=") else { break reading }
        folder = String(argument.dropFirst(5))
      }
      position += 1
    }
    if isQuiet, isVerbose { throw Diagnostic(.input, "`--quiet` and `--verbose` exclude each other") }
    rest = Array(arguments[position...])
    if rest == ["-V"] { rest = ["--version"] }
  }

  /// Makes them so for the whole process.
  func apply() throws(Diagnostic) {
    if let folder, chdir(folder) != 0 {
      throw Diagnostic(.input, "`--cd` leads nowhere: `\(folder)`", causes: [String(cString: strerror(errno))])
    }
    if isQuiet { Terminal.standard.silence() }
    if waitsForLock { Self.waiting.store(true, ordering: .relaxed) }
  }

  /// Whether commands wait for another holder of the workspace.
  static var waitsForLock: Bool { waiting.load(ordering: .relaxed) }
  private static let waiting = Atomic(false)
}

/// How much a command says beside what was asked for; scripts that were made for DVC pass these.
struct Volume: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Print no notes, only what was asked for and problems.") var quiet = false
  @Flag(name: .shortAndLong, help: ArgumentHelp("Changes nothing: notes are always complete.", visibility: .hidden))
  var verbose = false
}

/// A command with `-q` and `-v` after its name.
protocol HasVolume: ParsableCommand {
  var volume: Volume { get }
}
