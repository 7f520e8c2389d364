// Results to compare with: those of a run, of a registered version, or of a commit's lock file.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Evaluation
import PipelineModel
import Reporting
import SourceControl
import Tracking

/// One side of a comparison, whatever it was named by.
struct ComparedRun {
  enum Found {
    case found(ComparedRun)
    /// Why it is not there, as a sentence.
    case missing(String)
  }

  /// As a reader should see it.
  let name: String
  /// Of a revision: what its lock file agreed on, without times.
  let record: RunRecord
  let project: Project
  /// The same for two names of one run or of one commit.
  let identity: String
  /// Where files that Git has come from; `nil` for a run.
  private let view: RevisionView?

  init(_ record: RunRecord, called name: String, in project: Project) {
    (self.name, self.record, self.project, self.identity, self.view) = (name, record, project, "run \(record.id)", nil)
  }

  private init(_ view: RevisionView, called name: String, in project: Project) throws {
    (self.name, self.record, self.project, self.view) = (name, RunRecord(agreedIn: view), project, view)
    let isWorkspace = name == RevisionView.workspaceName
    let commit = try isWorkspace ? nil : GitRepository.open(at: project.root)?.resolve(name)
    identity = commit.map { "commit \($0)" } ?? name
  }

  /// - Parameters:
  ///   - text: `previous`, a registered version (`eta@champion`, `eta/3`), a run, or a Git revision.
  ///   - previous: the run before the one that is looked at.
  /// - Throws: a `Diagnostic` for a revision whose files have mistakes, errors of the store and of Git.
  static func find(_ text: String, previous: RunRecord?, in project: Project) throws -> Found {
    if text == "previous" {
      guard let previous else { return .missing("there is no previous run to compare with") }
      return .found(ComparedRun(previous, called: "the previous run", in: project))
    }
    let runs = RunLog(folder: project.runsFolder)
    if text.contains("@") || text.contains("/"), let version = try? Registry(folder: project.registryFolder).resolve(text) {
      guard let record = try version.run.flatMap({ try runs.record($0) }) else {
        return .missing("the run of \(version.reference) is not here; `pipe fetch` may bring it")
      }
      let name = text == version.reference ? text : "\(text) (version \(version.number))"
      return .found(ComparedRun(record, called: name, in: project))
    }
    if let id = try? runs.resolve(text), let record = try runs.record(id) {
      return .found(ComparedRun(record, called: "run \(id)", in: project))
    }
    return try revision(text, project)
  }

  private static func revision(_ text: String, _ project: Project) throws -> Found {
    do {
      return .found(try ComparedRun(RevisionView(project, revision: text), called: text, in: project))
    } catch let error as GitError {
      return .missing("`\(text)` is no revision, version or run: \(error.diagnostic.message)")
    } catch let mistakes as DiagnosticList {
      // One mistake of the comparison, however many the revision has: a report goes on without it.
      guard var first = mistakes.diagnostics.first(where: { $0.category != .warning }) else { throw mistakes }
      first.message = "`\(text)` cannot be read: \(first.message)"
      let others = mistakes.diagnostics.count { $0.category != .warning } - 1
      if others > 0 { first.causes.append(others == 1 ? "it has another mistake" : "it has \(others) more mistakes") }
      throw first
    }
  }

  var objects: RunObjects { RunObjects(run: record, project: project) }

  /// An output or an input as a file; `nil` when it is not to be had as one.
  func file(of path: WorkspacePath) throws -> String? { try objects.file(of: path) }

  /// A table of predictions, also one that only Git has; `nil` when it is neither here nor there.
  func predictions(at path: WorkspacePath) throws -> StoredPredictions? {
    if let file = try file(of: path) { return .file(file) }
    guard let digest = objects.digest(of: path), let bytes = try view?.bytes(of: path),
      Digest.of(bytes, digest.algorithm) == digest
    else { return nil }
    return .bytes(bytes)
  }

  /// Why predictions that this side should have cannot be read, as a sentence.
  func absence(of path: WorkspacePath, in pipeline: Pipeline) -> String {
    let output = pipeline.stages.flatMap(\.outputs).first { path.isWithin($0.path) }
    if output?.isStored == false {
      return "the predictions of \(name) are gone: `\(path)` is not kept in the store (`cache: false`)"
    }
    return "the predictions of \(name) at `\(path)` are not here; `pipe fetch` may bring them"
  }

  /// An output or an input, also one that Git has; `nil` when it is neither here nor there.
  func bytes(of path: WorkspacePath) throws -> [UInt8]? { try objects.bytes(of: path) ?? view?.bytes(of: path) }

  /// Numbers of the metrics files, by path and key.
  func metrics() throws -> [String: [String: Double]] {
    var found: [String: [String: Double]] = [:]
    let outputs = record.stages.flatMap(\.outputs).filter { $0.kind == "metrics" && $0.path.hasSuffix(".json") }
    for output in outputs {
      guard let path = WorkspacePath(output.path), let bytes = try bytes(of: path), let json = try? JSONValue(parsing: bytes)
      else { continue }
      found[output.path] = json.flattenedNumbers
    }
    return found
  }
}

/// A table of predictions of some run.
enum StoredPredictions {
  case file(String)
  case bytes([UInt8])

  /// - Throws: the table's first mistake.
  func table(
    named name: String, for request: EvaluationRequest, keepsIDs: Bool = true, in scratch: Scratch
  ) throws -> PredictionTable {
    switch self {
    case .file(let file): try PredictionReader.table(file: file, named: name, for: request, keepsIDs: keepsIDs, in: scratch)
    case .bytes(let bytes): try PredictionReader.table(bytes: bytes, named: name, for: request, keepsIDs: keepsIDs, in: scratch)
    }
  }
}

extension RunRecord {
  /// What a commit's lock file agreed on, in the form of a run that finished; no time, no host.
  init(agreedIn view: RevisionView) {
    let stages = view.loaded.pipeline.stages.compactMap { stage in
      view.loaded.lock.entries[stage.name].map { StageRecord(stage, $0) }
    }
    self.init(
      id: view.name, startedAt: "", finishedAt: "", durationSeconds: 0, outcome: .finished, command: [], pipeVersion: "",
      host: .init(name: "", system: "", processor: "", cores: 0), git: nil, stages: stages)
  }
}

extension StageRecord {
  fileprivate init(_ stage: Stage, _ entry: LockEntry) {
    let work: (command: [String], notebook: String?) =
      switch stage.work {
      case .commands(let commands): (commands, nil)
      case .notebook(let path): ([], path.text)
      case .data: ([], nil)
      }
    self.init(
      name: stage.name, outcome: .upToDate, reasons: [], command: work.command, notebook: work.notebook,
      description: stage.description, fingerprint: nil, trace: nil, durationSeconds: nil, peakMemoryBytes: nil, log: nil,
      woven: nil, failure: nil,
      dependencies: entry.recipe.inputs.map {
        FileRecord(path: $0.path, digest: "\($0.digest)", size: $0.size, files: $0.files)
      },
      outputs: entry.outputs.map {
        FileRecord(path: $0.path, digest: "\($0.digest)", size: $0.size, files: $0.files, kind: $0.kind.rawValue)
      },
      parameters: Dictionary(
        entry.recipe.parameters.flatMap(RunRecorder.leaves), uniquingKeysWith: { first, _ in first }))
  }
}
