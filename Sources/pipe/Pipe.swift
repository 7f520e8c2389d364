// The command line: parse, compose, print, exit.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import Diagnostics
import Glibc

/// The version that `pipe --version` and run records name.
let pipeVersion = "0.1.0"

@main
struct Pipe: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pipe",
    abstract: "Reproducible pipelines: run what changed, keep what is known, show why.",
    discussion: """
      A project is a folder with `pipeline.yaml`. `pipe repro` brings it up to date: stages whose command,
      code, parameters or inputs changed run, the others are left alone or brought back from the store.

      Example:
        pipe init && pipe repro && pipe status
        pipe --cd study repro

      Before the subcommand: --cd FOLDER works in that folder, -q prints no notes, --wait-for-lock waits for another
      `pipe` in the project instead of ending with 5.

      Exit codes: 0 done, 1 a stage failed or a result differs, 2 mistakes in arguments or files,
      3 out of date (with --check), 4 store or Git trouble, 5 locked, 70 a bug, 130 interrupted.
      """,
    version: pipeVersion,
    groupedSubcommands: [
      CommandGroup(
        name: "Pipeline",
        subcommands: [
          InitCommand.self, ReproCommand.self, WatchCommand.self, StatusCommand.self, DagCommand.self, StageCommand.self,
          FreezeCommand.self,
          UnfreezeCommand.self,
        ]),
      CommandGroup(
        name: "Results",
        subcommands: [
          ParamsCommand.self, MetricsCommand.self, PlotsCommand.self, RunsCommand.self, LineageCommand.self, VerifyCommand.self,
          ReportCommand.self,
        ]),
      CommandGroup(
        name: "Data",
        subcommands: [
          AddCommand.self, CommitCommand.self, CheckoutCommand.self, MoveCommand.self, RemoveCommand.self,
          UnprotectCommand.self, GCCommand.self,
          PushCommand.self, FetchCommand.self, PullCommand.self, DiffCommand.self, DataCommand.self,
        ]),
      CommandGroup(
        name: "Models", subcommands: [ModelCommand.self, ExportCommand.self, ServeCommand.self, KitCommand.self]),
      CommandGroup(name: "Settings", subcommands: [ConfigCommand.self, RemoteCommand.self, CacheCommand.self]),
      CommandGroup(
        name: "More",
        subcommands: [
          RootCommand.self, VersionCommand.self, CheckIgnoreCommand.self, CompletionCommand.self, NotebookCommand.self,
        ]),
    ])

  static func main() async {
    ProcessMemory.useRoomyHeaps()
    // A reader that goes away (`pipe status | head`) is no crash of ours.
    signal(SIGPIPE, SIG_IGN)
    // Editors and prompts ask this often; reading the whole command tree would double what it costs.
    if CommandLine.arguments.dropFirst() == ["--version"] { return Terminal.standard.out(pipeVersion) }
    // Before the command line is parsed, which takes longer.
    if SealedAnswer.give() { return }
    do {
      let options = try GlobalOptions(Array(CommandLine.arguments.dropFirst()))
      try options.apply()
      var command = try parsed(options.rest)
      if let command = command as? any HasVolume, command.volume.quiet { Terminal.standard.silence() }
      if var waiting = command as? any AsyncParsableCommand {
        try await waiting.run()
      } else {
        try command.run()
      }
    } catch {
      Exit.with(error)
    }
  }

  /// The commands that are asked most are parsed without the tree of all others; mistakes are told with it.
  private static func parsed(_ arguments: [String]) throws -> any ParsableCommand {
    let frequent: [String: any ParsableCommand.Type] = ["repro": ReproCommand.self, "status": StatusCommand.self]
    if let type = arguments.first.flatMap({ frequent[$0] }),
      let command = try? type.parseAsRoot(Array(arguments.dropFirst()))
    {
      return command
    }
    do {
      return try parseAsRoot(arguments)
    } catch {
      throw UnknownCommand.diagnostic(in: arguments) ?? error
    }
  }
}
