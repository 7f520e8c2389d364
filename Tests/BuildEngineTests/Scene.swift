// A project in a temporary folder, and executors that are not processes.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import Foundation
import PipelineModel
import Synchronization
import TestSupport

/// Does what the test says for a stage instead of starting a process; remembers who ran, in order.
final class ScriptedExecutor: Executor {
  typealias Script = @Sendable (_ stage: String, _ command: Command) throws -> CommandResult.End
  private let script: Script
  private let started = Mutex<[String]>([])

  init(_ script: @escaping Script) { self.script = script }

  var ran: [String] { started.withLock { $0 } }

  func run(_ command: Command, onOutput: (UnsafeRawBufferPointer) -> Void) -> CommandResult {
    let stage = command.environment["PIPE_STAGE"] ?? "?"
    started.withLock { $0.append(stage) }
    do {
      return CommandResult(end: try script(stage, command), peakMemoryBytes: 4096)
    } catch {
      Array("\(error)".utf8).withUnsafeBytes(onOutput)
      return CommandResult(end: .exited(1))
    }
  }
}

/// A traces' keep that refuses to keep anything.
struct FullTraceStore: TraceStore {
  func traces(of recipe: Recipe, stage: String) throws(StoreError) -> [Trace] { [] }
  func insert(_ trace: Trace) throws(StoreError) -> Trace.Facts { throw .system("write", path: "traces", code: 28) }
  func flush() throws(StoreError) {}
  func trace(_ id: String) throws(StoreError) -> Trace? { nil }
  func list() throws(StoreError) -> [String] { [] }
}

/// One project: what lasts between builds.
final class Scene {
  let folder: URL
  let traces: any TraceStore
  var lock = LockFile()
  private(set) var events: [String] = []

  init(_ folder: URL, traces: any TraceStore = MemoryTraceStore()) {
    self.folder = folder
    self.traces = traces
  }

  var root: String { folder.path + "/project" }
  var store: DirectoryObjectStore { DirectoryObjectStore(root: folder.path + "/store") }
  var scratch: String { folder.path + "/scratch" }
  /// As a new process would see it.
  var workspace: Workspace { Workspace(root: root, statCacheFile: folder.path + "/stat") }

  func write(_ text: String, to name: String) throws { try folder.write(text, to: "project/\(name)") }
  func text(_ name: String) -> String? { try? folder.text(of: "project/\(name)") }
  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(root)/\(name)") }
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(root)/\(name)") }

  static let noTools = WorkReader(notebookCode: { _ in [] }, tools: { _ in [] })

  /// Builds as a process of its own would; the lock file is kept for the next one.
  func build(
    _ stages: [Stage], _ executor: any Executor, targets: [String]? = nil, options: BuildOptions = BuildOptions(),
    isInterrupted: @escaping @Sendable () -> Bool = { false }
  ) async throws -> BuildOutcome {
    try AtomicFile.makeFolder(root)
    let graph = try StageGraph(stages)
    let workspace = workspace
    try Build.recover(scratch: scratch, workspace: workspace)
    let order = targets.map { names in
      graph.closure(of: graph.stages.indices.filter { names.contains(graph.stages[$0].name) })
    }
    let heard = Mutex<[String]>([])
    let build = Build(
      graph: graph, order: order ?? graph.order, options: options,
      place: BuildPlace(
        workspace: workspace, store: store, scratch: "\(scratch)/build", program: "/usr/bin/pipe", environment: ["HOME": "/"]),
      inspector: Inspector(workspace: workspace, work: Self.noTools), traces: traces, executor: executor,
      facts: BuildFacts(run: "run", host: "host", now: { "2026-01-02T03:04:05Z" }, commit: { ("c0ffee", true) }),
      isInterrupted: isInterrupted,
      emit: { event in
        switch event {
        case .started(let stage, _, let position, let total): heard.withLock { $0.append("\(position)/\(total) \(stage) starts") }
        case .finished(let outcome, let position, let total):
          heard.withLock { $0.append("\(position)/\(total) \(outcome.stage.name) \(word(outcome))") }
        case .output: break
        }
      })
    let outcome = await build.run(lock: lock)
    lock = outcome.lock
    events = heard.withLock { $0 }
    try workspace.saveStatCache()
    return outcome
  }
}

extension BuildOutcome {
  /// `name: how it ended`, in order.
  var words: [String] { stages.map { "\($0.stage.name): \(word($0))" } }
}

/// An executor for stages that write their own name and all they read.
///
/// - Parameter failing: stages that end with exit status 1, having written half of what they should.
func copying(_ stages: [Stage], failing: Set<String> = []) -> ScriptedExecutor {
  let byName = Dictionary(uniqueKeysWithValues: stages.map { ($0.name, $0) })
  return ScriptedExecutor { name, command in
    guard let stage = byName[name] else { return .exited(127) }
    var text = name
    for dependency in stage.dependencies {
      text += "(" + (try String(contentsOfFile: "\(command.folder)/\(dependency.place.text)", encoding: .utf8)) + ")"
    }
    for output in stage.outputs {
      try (failing.contains(name) ? "half" : text).write(
        toFile: "\(command.folder)/\(output.path)", atomically: false, encoding: .utf8)
    }
    return .exited(failing.contains(name) ? 1 : 0)
  }
}

/// Runs a body in a folder in memory where there is one: these tests write much and keep nothing.
func withFastDirectory<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
  let memory = URL(fileURLWithPath: "/dev/shm")
  guard FileManager.default.isWritableFile(atPath: memory.path) else { return try await withTemporaryDirectory(body) }
  let folder = memory.appendingPathComponent("pipe-test-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try await body(folder)
}
