// A word that is no command, told with the nearest one or with what there is in its place.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Diagnostics

enum UnknownCommand {
  /// What is wrong with a command line whose commands are not all known; `nil` when they are.
  ///
  /// - Parameter arguments: without the program's name and what may stand before the command.
  static func diagnostic(in arguments: [String]) -> Diagnostic? {
    var command: any ParsableCommand.Type = Pipe.self
    var path = "pipe"
    for argument in arguments {
      let known = command.configuration.subcommands
      guard !known.isEmpty, command.configuration.defaultSubcommand == nil, !argument.hasPrefix("-"), argument != "help" else {
        return nil
      }
      guard let next = known.first(where: { names(of: $0).contains(argument) }) else {
        return unknown(argument, after: path, among: known.filter { $0.configuration.shouldDisplay }.flatMap(names))
      }
      command = next
      path += " \(argument)"
    }
    return nil
  }

  private static func names(of command: any ParsableCommand.Type) -> [String] {
    [command._commandName] + command.configuration.aliases
  }

  private static func unknown(_ word: String, after path: String, among known: [String]) -> Diagnostic {
    if path == "pipe", let instead = ofDVC[word] {
      return Diagnostic(.input, "`\(word)` is a command of DVC's that `pipe` does not have", hints: [instead])
    }
    let near = closestMatch(to: word, among: known)
    return Diagnostic(
      .input, "`\(word)` is not a command of `\(path)`",
      hints: [near.map { "did you mean `\(path) \($0)`?" } ?? "`\(path) --help` lists them"])
  }

  /// What DVC's users may look for, and what there is instead.
  private static let ofDVC: [String: String] = {
    let runs = "every `pipe repro` is kept: `pipe runs list` shows them, `pipe report --compare A B` compares two"
    let imports = "a stage with `curl` or `cp` brings data in; `pipe add` takes what is there"
    let files = "`pipe pull` brings data of a remote; for another project's, clone it and run `pipe pull` there"
    let nothing = "docs/dvc.md lists what is not there"
    return [
      "exp": runs, "experiments": runs, "queue": runs, "import": imports, "import-url": imports, "import-db": imports,
      "update": imports, "get": files, "get-url": files, "list": files, "ls": files, "list-url": files, "ls-url": files,
      "artifacts": "`pipe model` has versions and aliases of models", "studio": nothing, "daemon": nothing, "destroy": nothing,
      "doctor": "`pipe version` says what there is", "du": nothing, "install": nothing, "machine": nothing, "purge": nothing,
    ]
  }()
}
