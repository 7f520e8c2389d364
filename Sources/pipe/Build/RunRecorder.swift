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
  private let workspace: Workspace
  private let startedAt: Timestamp
  private let git: Background<GitSnapshot?>?
  private let snapshot = Mutex<GitSnapshot?>(nil)
  /// Stage → seconds from the run's beginning to its own.
  private let starts = Mutex<[String: Double]>([:])

  /// - Parameter git: what Git says of the project, where it was asked already.
  init(project: Project, workspace: Workspace, git: Background<GitSnapshot?>? = nil) {
    self.git = git
    self.project = project
    self.workspace = workspace
    startedAt = .now
    runID = RunID(at: startedAt, random: UInt32.random(in: 0 ... .max)).text
  }

  var facts: BuildFacts {
    BuildFacts(
      run: runID, host: RunRecord.Host.currentName, now: { Timestamp.now.text },
      commit: { [self] in
        let taken = git.map { $0.wait() } ?? GitSnapshot.taken(of: project, workspace)
        snapshot.withLock { $0 = taken }
        return (taken?.commit, taken?.isDirty ?? false)
      })
  }

  /// Keeps when stages begin; all else of them is in the outcome.
  func note(_ event: BuildEvent) {
    guard case .started(let stage, _, _, _) = event else { return }
    let seconds = Double(Timestamp.now.milliseconds - startedAt.milliseconds) / 1000
    starts.withLock { $0[stage] = seconds }
  }

  /// A record that was written, and the newest one before it where it was read.
  struct Written {
    var record: RunRecord
    var earlier: RunRecord?
  }

  func write(_ outcome: BuildOutcome) throws -> Written {
    let log = RunLog(folder: project.runsFolder)
    let earlier = try newest(in: log, for: outcome)
    let facts = ExecutionFacts(outcome.facts, earlier, project.traces)
    let finishedAt = Timestamp.now
    // A build that only restored has not asked Git yet.
    let git = snapshot.withLock { $0 } ?? GitSnapshot.taken(of: project, workspace)
    let record = RunRecord(
      id: runID, startedAt: startedAt.text, finishedAt: finishedAt.text,
      durationSeconds: Double(finishedAt.milliseconds - startedAt.milliseconds) / 1000, outcome: Self.outcome(outcome),
      command: ["pipe"] + CommandLine.arguments.dropFirst(), pipeVersion: pipeVersion, host: .current, git: git,
      stages: Workers.map(outcome.stages.count, piece: 64) { self.stageRecord(outcome.stages[$0], facts) })
    try log.append(record)
    return Written(record: record, earlier: earlier)
  }

  /// The newest record says of nearly all results how they came about, and the report compares with it.
  private func newest(in log: RunLog, for outcome: BuildOutcome) throws -> RunRecord? {
    guard project.dialect.isNative, outcome.stages.contains(where: isTold), let id = try log.ids().last else { return nil }
    return try? log.record(id)
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

  private func stageRecord(_ stage: StageOutcome, _ known: ExecutionFacts) -> StageRecord {
    var stage = stage
    stage.known = stage.known?.identified
    let (outcome, failure) = Self.outcome(stage.result)
    let facts = isTold(stage) ? known.facts(of: stage) : nil
    let work: (command: [String], notebook: String?) =
      switch stage.stage.work {
      case .commands(let commands): (commands, nil)
      case .notebook(let path): ([], path.text)
      case .data: ([], nil)
      }
    var record = StageRecord(
      name: stage.stage.name, outcome: outcome, reasons: stage.reasons.map(\.description), command: work.command,
      notebook: work.notebook, description: stage.stage.description,
      fingerprint: Self.fingerprint(of: stage).map { "\($0.digest)" }, trace: stage.known.map { "\($0.id)" },
      durationSeconds: facts?.durationSeconds ?? (stage.seconds > 0 ? stage.seconds : nil),
      peakMemoryBytes: facts?.peakMemoryBytes ?? (stage.peakMemoryBytes > 0 ? stage.peakMemoryBytes : nil),
      log: stage.log.map { "\($0)" } ?? facts?.log, woven: stage.woven.map { "\($0)" } ?? facts?.woven,
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
    record.startedAfter = starts.withLock { $0[stage.stage.name] }
    return record
  }

  private static func fingerprint(of stage: StageOutcome) -> Fingerprint? {
    // A result that was brought back may be that of a recipe which only counts as the same.
    if case .restored = stage.result { return stage.recipe.map { Fingerprint(of: $0) } }
    return stage.recipe.map { stage.known?.id.fingerprint ?? Fingerprint(of: $0) }
  }

  /// A subtree as its values by full path, so that a reader sees which of them changed.
  static func leaves(of parameter: Parameter) -> [(String, String)] {
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

/// How results came about: of this build's own, of what an earlier record says of the same trace, else of the trace itself.
private struct ExecutionFacts: Sendable {
  struct Facts: Sendable {
    var durationSeconds: Double?
    var peakMemoryBytes: Int?
    var log: String?
    var woven: String?
  }

  private let own: [String: Trace.Facts]
  private let earlier: [String: StageRecord]
  private let traces: DirectoryTraceStore

  init(_ own: [String: Trace.Facts], _ earlier: RunRecord?, _ traces: DirectoryTraceStore) {
    self.own = own
    self.earlier = Dictionary((earlier?.stages ?? []).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.traces = traces
  }

  func facts(of stage: StageOutcome) -> Facts? {
    guard let id = stage.known?.id else { return nil }
    if let own = own[stage.stage.name] { return Facts(own) }
    let text = "\(id)"
    if let told = earlier[stage.stage.name], told.trace == text, told.tellsOfTrace {
      return Facts(
        durationSeconds: told.durationSeconds, peakMemoryBytes: told.peakMemoryBytes, log: told.log, woven: told.woven)
    }
    return (try? traces.trace(text)).map { Facts($0.facts) }
  }
}

extension StageRecord {
  /// Whether its facts are those of the trace: without a duration there was none to ask, and the log of a run is its own.
  fileprivate var tellsOfTrace: Bool { durationSeconds != nil && (outcome != .ran || log == nil && woven == nil) }
}

extension ExecutionFacts.Facts {
  fileprivate init(_ facts: Trace.Facts) {
    self.init(
      durationSeconds: facts.durationSeconds, peakMemoryBytes: facts.peakMemoryBytes, log: facts.log.map { "\($0)" },
      woven: facts.woven.map { "\($0)" })
  }
}

extension GitSnapshot {
  /// What Git says of a project, what `pipe` itself writes left out; `nil` outside Git or when Git cannot be read.
  ///
  /// - Parameter workspace: knows digests of files, which need not be read then.
  static func taken(of project: Project, _ workspace: Workspace? = nil) -> GitSnapshot? {
    guard let repository = try? GitRepository.open(at: project.root) else { return nil }
    return try? repository.snapshot(
      below: project.root, ignoring: [project.dialect.markerFolder, project.dialect.lockName, "reports", "registry"],
      knownDigest: { path in WorkspacePath(path).flatMap { workspace?.knownDigest(of: $0, .sha256)?.digits } })
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
