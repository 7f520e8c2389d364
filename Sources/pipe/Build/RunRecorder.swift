// Turns what a build did into a run record.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import Foundation
import PipelineModel
import SourceControl
import Synchronization
import Tracking

/// Holds the facts of one run: its name, when it began, what Git said before the first stage ran.
final class RunRecorder: Sendable {
  let runID: String
  private let project: Project
  private let startedAt: Timestamp
  private let snapshot = Mutex<GitSnapshot?>(nil)

  init(project: Project) {
    self.project = project
    startedAt = .now
    runID = RunID(at: startedAt, random: UInt32.random(in: 0 ... .max)).text
  }

  var facts: BuildFacts {
    BuildFacts(
      run: runID, host: RunRecord.Host.currentName, now: { Timestamp.now.text },
      commit: { [self] in
        let taken = GitSnapshot.taken(of: project)
        snapshot.withLock { $0 = taken }
        return (taken?.commit, taken?.isDirty ?? false)
      })
  }

  func write(_ outcome: BuildOutcome, pipeline: Pipeline) throws {
    let finishedAt = Timestamp.now
    // A build that only restored has not asked Git yet.
    let git = snapshot.withLock { $0 } ?? GitSnapshot.taken(of: project)
    let record = RunRecord(
      id: runID, startedAt: startedAt.text, finishedAt: finishedAt.text,
      durationSeconds: Double(finishedAt.milliseconds - startedAt.milliseconds) / 1000, outcome: Self.outcome(outcome),
      command: ["pipe"] + CommandLine.arguments.dropFirst(), pipeVersion: pipeVersion, host: .current, git: git,
      stages: outcome.stages.map(stageRecord))
    try RunLog(folder: project.runsFolder).append(record)
  }

  private static func outcome(_ build: BuildOutcome) -> RunRecord.Outcome {
    if build.isInterrupted { return .interrupted }
    return build.storageFailure == nil && build.stages.allSatisfy(\.isGood) ? .finished : .failed
  }

  /// Whether a record says how a result came about that this run did not make: only a native project has a report of it.
  private func isTold(_ stage: StageOutcome) -> Bool {
    if case .upToDate = stage.result { return project.dialect.isNative }
    return true
  }

  private func stageRecord(_ stage: StageOutcome) -> StageRecord {
    let (outcome, failure) = Self.outcome(stage.result)
    let trace = isTold(stage) ? stage.known.flatMap { try? project.traces.trace("\($0.id)") } : nil
    let work: (command: [String], notebook: String?) =
      switch stage.stage.work {
      case .commands(let commands): (commands, nil)
      case .notebook(let path): ([], path.text)
      case .data: ([], nil)
      }
    return StageRecord(
      name: stage.stage.name, outcome: outcome, reasons: stage.reasons.map(\.description), command: work.command,
      notebook: work.notebook, description: stage.stage.description,
      fingerprint: stage.recipe.map { "\(Fingerprint(of: $0).digest)" }, trace: stage.known.map { "\($0.id)" },
      durationSeconds: trace?.facts.durationSeconds ?? (stage.seconds > 0 ? stage.seconds : nil),
      peakMemoryBytes: trace?.facts.peakMemoryBytes ?? (stage.peakMemoryBytes > 0 ? stage.peakMemoryBytes : nil),
      log: (stage.log ?? trace?.facts.log).map { "\($0)" }, woven: (stage.woven ?? trace?.facts.woven).map { "\($0)" },
      failure: failure,
      dependencies: (stage.recipe?.inputs ?? []).map {
        FileRecord(path: $0.path, digest: "\($0.digest)", size: $0.size, files: $0.files)
      },
      outputs: (stage.known?.outputs ?? []).map {
        FileRecord(path: $0.path, digest: "\($0.digest)", size: $0.size, files: $0.files, kind: $0.kind.rawValue)
      },
      parameters: Dictionary(
        (stage.recipe?.parameters ?? []).flatMap(Self.leaves), uniquingKeysWith: { first, _ in first }),
      metrics: metrics(of: stage))
  }

  /// A subtree as its values by full path, so that a reader sees which of them changed.
  private static func leaves(of parameter: Parameter) -> [(String, String)] {
    let leaves = parameter.value.leaves
    guard !leaves.isEmpty else { return [(parameter.label, parameter.value.json)] }
    return leaves.map {
      (parameter.key == nil ? "\(parameter.file): \($0.path)" : "\(parameter.label).\($0.path)", $0.value.json)
    }
  }

  /// Numbers of the stage's JSON metrics files.
  private func metrics(of stage: StageOutcome) -> [MetricRecord] {
    (stage.known?.outputs ?? []).filter { $0.kind == .metrics && $0.path.hasSuffix(".json") }.flatMap { output in
      guard let bytes = try? project.store.bytes(of: output.digest), let json = try? JSONValue(parsing: bytes) else {
        return [MetricRecord]()
      }
      return json.flattenedNumbers.sorted { $0.key < $1.key }.map {
        MetricRecord(path: output.path, key: $0.key, value: $0.value)
      }
    }
  }

  private static func outcome(_ result: StageOutcome.Result) -> (StageRecord.Outcome, failure: String?) {
    switch result {
    case .upToDate: (.upToDate, nil)
    case .frozen: (.frozen, nil)
    case .restored: (.restored, nil)
    // A run record knows no word of its own for it: nothing ran, and the result is in place.
    case .recorded: (.upToDate, nil)
    case .ran: (.ran, nil)
    case .failed(let diagnostic): (.failed, ([diagnostic.message] + diagnostic.causes).joined(separator: "\n"))
    case .skipped(let after): (.skipped, after.isEmpty ? nil : "after \(after)")
    case .interrupted: (.interrupted, nil)
    }
  }
}

extension GitSnapshot {
  /// What Git says of a project, what `pipe` itself writes left out; `nil` outside Git or when Git cannot be read.
  static func taken(of project: Project) -> GitSnapshot? {
    guard let repository = try? GitRepository.open(at: project.root) else { return nil }
    return try? repository.snapshot(
      below: project.root, ignoring: [project.dialect.markerFolder, project.dialect.lockName, "reports", "registry"])
  }
}

extension RunRecord.Host {
  /// As the kernel has it; no look-up on a network.
  static var currentName: String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  static var current: RunRecord.Host {
    let processor = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n")
      .first { $0.hasPrefix("model name") }?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
    let release = (try? String(contentsOfFile: "/etc/os-release", encoding: .utf8))?.split(separator: "\n")
      .first { $0.hasPrefix("PRETTY_NAME=") }?.dropFirst(12).trimmingCharacters(in: ["\""])
    return RunRecord.Host(
      name: currentName, system: release ?? "Linux", processor: processor ?? "unknown",
      cores: ProcessInfo.processInfo.activeProcessorCount)
  }
}

extension Timestamp {
  static var now: Timestamp { Timestamp(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded())) }
}
