// `pipe runs`: what was run, when, from which commit.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import Foundation
import PipelineModel
import SourceControl
import Tracking

struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "List runs, or show one.", subcommands: [List.self, Show.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list",
      abstract: "List runs, the newest first.",
      discussion: """
        Example:
          pipe runs list -n 5 --json
        """)

    @Option(name: [.customShort("n", allowingJoined: true), .long], help: "At most this many.") var number = 20
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let runs = try IndexedLedger.open(Project.find()).runs(limit: max(number, 0))
      if json {
        return Terminal.standard.out(JSONValue.array(runs.map(\.json)).canonicalText)
      }
      let rows = runs.map { run in
        [
          run.id, run.outcome, durationText(run.durationSeconds), "\(run.commit?.prefix(8) ?? "-")\(run.isDirty ? "+" : "")",
          run.stages.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "),
        ]
      }
      Terminal.standard.out(rows.isEmpty ? "no runs yet" : columns([["run", "outcome", "time", "commit", "stages"]] + rows))
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show",
      abstract: "Show one run: its stages, why they ran, what they read and wrote.",
      discussion: """
        Examples:
          pipe runs show                      the newest run
          pipe runs show 20261121T09 --log train
        """)

    @Argument(help: "The run, or the beginning of its name. Default: the newest.") var name: String?
    @Option(help: "Print all that this stage wrote to standard output and error.", completion: .custom(completeStages)) var log:
      String?
    @Flag(help: "Print the record as JSON.") var json = false

    func run() throws {
      let project = try Project.find()
      let record = try project.run(name)
      if let log { return try printLog(of: log, record, project) }
      if json {
        return Terminal.standard.out(String(decoding: record.encoded(), as: UTF8.self))
      }
      var text = "run \(record.id): \(record.outcome.rawValue) in \(durationText(record.durationSeconds))\n"
      text += "\(record.startedAt) on \(record.host.name)\n"
      if let git = record.git {
        text += "commit \(git.commit ?? "none")\(git.isDirty ? ", \(git.dirtyPaths.count) paths uncommitted" : "")\n"
      }
      let rows = record.stages.map { stage in
        [
          stage.name, stage.outcome.rawValue, stage.durationSeconds.map(durationText) ?? "-",
          stage.reasons.joined(separator: "; "),
        ]
      }
      Terminal.standard.out(text + columns([["stage", "outcome", "time", "why"]] + rows))
    }

    private func printLog(of name: String, _ record: RunRecord, _ project: Project) throws {
      guard let stage = record.stages.first(where: { $0.name == name }) else {
        let near = closestMatch(to: name, among: record.stages.map(\.name))
        throw Diagnostic(.input, "run \(record.id) has no stage `\(name)`", hints: near.map { ["did you mean `\($0)`?"] } ?? [])
      }
      guard let digest = stage.log.flatMap({ Digest($0) }) else {
        return Terminal.standard.note("stage `\(name)` wrote nothing")
      }
      Terminal.standard.write(try project.store.bytes(of: digest), to: STDOUT_FILENO)
    }
  }
}

extension Project {
  /// A run by its name or the beginning of it; the newest without.
  func run(_ name: String?) throws -> RunRecord {
    let log = RunLog(folder: runsFolder)
    if let name {
      let id = try log.resolve(name)
      if let record = try log.record(id) { return record }
    } else if let record = try log.newest(1).records.first {
      return record
    }
    throw Diagnostic(.input, "there are no runs yet", hints: ["`pipe repro` makes one"])
  }
}

extension RunSummary {
  fileprivate var json: JSONValue {
    .object([
      "id": .string(id), "started_at": .string(startedAt), "duration_seconds": .number("\(durationSeconds)"),
      "outcome": .string(outcome), "commit": commit.map { .string($0) } ?? .null, "dirty": .bool(isDirty),
      "branch": branch.map { .string($0) } ?? .null, "host": .string(host),
      "stages": .object(stages.mapValues { .number("\($0)") }),
    ])
  }
}
