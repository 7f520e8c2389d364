// `pipe verify`: does the commit give the same results again?
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import Foundation
import PipelineModel
import SourceControl
import Verification

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Run a commit's stages again and compare every output with the lock file.",
    discussion: """
      Each stage runs in an empty folder that holds what it declares and nothing else; no cache is read, and
      nothing of the project is changed. Exits with 1 when an output differs or a stage fails.

      Examples:
        pipe verify
        pipe verify v1.2 --json
      """)

  @Argument(help: "The commit. Default: HEAD.") var revision = "HEAD"
  @Flag(help: "Print JSON.") var json = false
  @Flag(name: .shortAndLong, help: "Print only the table.") var quiet = false

  func run() async throws {
    let project = try Project.find()
    guard let repository = try GitRepository.open(at: project.root) else {
      throw Diagnostic(.input, "the project is not in a Git repository, and verify runs a commit")
    }
    if revision == "HEAD", let snapshot = GitSnapshot.taken(of: project), snapshot.isDirty {
      Terminal.standard.say(
        Diagnostic(
          .warning, "\(snapshot.dirtyPaths.count) uncommitted paths are not verified",
          causes: [snapshot.dirtyPaths.prefix(5).joined(separator: ", ")]))
    }
    let scratch = try Self.makeScratch()
    defer { try? AtomicFile.removeAll(scratch) }
    _ = try repository.exportTree(revision, to: "\(scratch)/commit")
    let below = repository.path(below: project.root) ?? ""
    let root = below.isEmpty || below == "." ? "\(scratch)/commit" : "\(scratch)/commit/\(below)"
    try AtomicFile.makeFolder("\(root)/\(project.dialect.markerFolder)")
    let verdicts = try await verify(Project.find(from: root), project, scratch)
    Terminal.standard.out(json ? Self.json(verdicts) : Self.table(verdicts))
    if Interruption.shared.isRaised { throw ExitCode(Interruption.shared.exitCode) }
    if !verdicts.allSatisfy(\.isGood) { throw ExitCode(1) }
  }

  private func verify(_ commit: Project, _ project: Project, _ scratch: String) async throws -> [OutputVerdict] {
    guard FileStat(commit.manifestFile) != nil else {
      throw Diagnostic(.input, "`\(revision)` has no `\(commit.dialect.manifestName)`")
    }
    let loaded = try commit.load()
    let pipeline = loaded.pipeline
    let lock = loaded.lock
    guard !lock.entries.isEmpty else {
      throw Diagnostic(
        .input, "`\(revision)` has no `\(commit.dialect.lockName)` to compare with",
        hints: ["run `pipe repro` and commit the file"])
    }
    let executor = ProcessExecutor()
    Interruption.shared.watch(executor)
    let verification = Verification(
      graph: try StageGraph(pipeline.stages), lock: lock, source: commit.root, workspace: project.workspace(), scratch: scratch,
      program: try BuildSession.program(), environment: ProcessInfo.processInfo.environment, executor: executor,
      work: .live(commit))
    return try await verification.run(
      isInterrupted: { Interruption.shared.isRaised }, emit: BuildListener(isQuiet: quiet || json).handle)
  }

  private static func makeScratch() throws -> String {
    let folder = FileManager.default.temporaryDirectory.path + "/pipe-verify-\(UUID().uuidString)"
    try AtomicFile.makeFolder(folder)
    guard let real = realpath(folder, nil) else { throw StoreError.system("look at", path: folder, code: errno) }
    defer { free(real) }
    return String(cString: real)
  }

  private static func table(_ verdicts: [OutputVerdict]) -> String {
    let rows = verdicts.map { [$0.stage, $0.path, text($0.verdict)] }
    let bad = verdicts.count { !$0.isGood }
    let identical = verdicts.count { $0.verdict == .identical }
    let frozen = verdicts.count - bad - identical
    let summary =
      bad == 0 ? "all \(identical) outputs are identical" : "\(bad) of \(verdicts.count) outputs are not reproduced"
    return columns([["stage", "output", "verdict"]] + rows) + summary + (frozen == 0 ? "" : "; \(frozen) frozen, not run")
  }

  private static func text(_ verdict: OutputVerdict.Verdict) -> String {
    switch verdict {
    case .identical: "identical"
    case .different(let difference): "different: \(difference)"
    case .failed(let why): "failed: \(why.split(separator: "\n").joined(separator: " / "))"
    case .notRun(let after): "not run, after \(after)"
    case .notLocked: "not in the lock file"
    case .frozen: "frozen, not run"
    }
  }

  private static func json(_ verdicts: [OutputVerdict]) -> String {
    let rows = verdicts.map { verdict -> ParameterValue in
      let (word, detail): (String, String?) =
        switch verdict.verdict {
        case .identical: ("identical", nil)
        case .different(let difference): ("different", difference)
        case .failed(let why): ("failed", why)
        case .notRun(let after): ("not-run", after)
        case .notLocked: ("not-locked", nil)
        case .frozen: ("frozen", nil)
        }
      return .mapping([
        ("stage", .text(verdict.stage)), ("output", .text(verdict.path)), ("verdict", .text(word)),
        ("detail", detail.map { .text($0) } ?? .null),
      ])
    }
    return ParameterValue.mapping([("identical", .bool(verdicts.allSatisfy(\.isGood))), ("outputs", .list(rows))]).json
  }
}
