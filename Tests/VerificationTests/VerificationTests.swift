// A commit run again: what is found identical, different, failed or not run, and that the project stays as it is.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import Foundation
import PipelineModel
import TestSupport
import Testing
import Verification

private func path(_ text: String) -> WorkspacePath {
  guard let path = WorkspacePath(text) else { preconditionFailure("`\(text)` is no path in a workspace") }
  return path
}

private func stage(_ name: String, _ command: String, reads: [String] = [], writes: [String], frozen: Bool = false) -> Stage {
  let place = Diagnostics.SourceLocation(file: "pipeline.yaml", line: 1, column: 1)
  return Stage(
    name: name, location: place, work: .commands([command]),
    dependencies: reads.map { Dependency(name: nil, place: .workspace(path($0)), location: place) },
    outputs: writes.map { Output(name: nil, path: path($0), kind: .data, isCached: true, isPersistent: false, location: place) },
    isFrozen: frozen)
}

/// A project that was built once, and the folder with its commit's files.
private struct Scene {
  let folder: URL
  var project: String { "\(folder.path)/project" }
  var commit: String { "\(folder.path)/commit" }
  private static let noTools = WorkReader(notebookCode: { _ in [] }, tools: { _ in [] })
  private static let environment = ["PATH": "/usr/bin:/bin"]

  func write(_ text: String, to name: String, committed: Bool = true) throws {
    try folder.write(text, to: "project/\(name)")
    if committed { try folder.write(text, to: "commit/\(name)") }
  }

  var workspace: Workspace { Workspace(root: project, statCacheFile: "\(folder.path)/stat") }

  func build(_ stages: [Stage]) async throws -> LockFile {
    let graph = try StageGraph(stages)
    try AtomicFile.makeFolder(project)
    try AtomicFile.makeFolder(commit)
    let build = Build(
      graph: graph, order: graph.order, options: BuildOptions(),
      place: BuildPlace(
        workspace: workspace, store: DirectoryObjectStore(root: "\(folder.path)/store"), scratch: "\(folder.path)/tmp/b",
        program: "/usr/bin/pipe", environment: Self.environment), inspector: Inspector(workspace: workspace, work: Self.noTools),
      traces: MemoryTraceStore(), executor: ProcessExecutor(),
      facts: BuildFacts(run: "r", host: "h", now: { "2026-01-02T03:04:05Z" }, commit: { (nil, false) }), isInterrupted: { false },
      emit: { _ in })
    return await build.run(lock: LockFile()).lock
  }

  func verify(_ stages: [Stage], _ lock: LockFile) async throws -> [OutputVerdict] {
    try AtomicFile.makeFolder("\(folder.path)/scratch")
    defer { try? AtomicFile.removeAll("\(folder.path)/scratch") }
    return try await Verification(
      graph: StageGraph(stages), lock: lock, source: commit, workspace: workspace, scratch: "\(folder.path)/scratch",
      program: "/usr/bin/pipe", environment: Self.environment, executor: ProcessExecutor(), work: Self.noTools
    ).run(isInterrupted: { false }, emit: { _ in })
  }

  /// Path → bytes and inode of everything in the project.
  func snapshot() throws -> [String: String] {
    var seen: [String: String] = [:]
    for case let name as String in FileManager.default.enumerator(atPath: project) ?? .init() {
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(project)/\(name)")
      seen[name] = "\(attributes[.systemFileNumber] ?? 0) \(attributes[.modificationDate] ?? 0) \(attributes[.size] ?? 0)"
    }
    return seen
  }
}

/// `output: verdict`, in order.
private func words(_ verdicts: [OutputVerdict]) -> [String] {
  verdicts.map { verdict in
    switch verdict.verdict {
    case .identical: "\(verdict.path): identical"
    case .different(let why): "\(verdict.path): different, \(why)"
    case .failed(let why): "\(verdict.path): failed, \(why)"
    case .notRun(let after): "\(verdict.path): not run after \(after)"
    case .notLocked: "\(verdict.path): not locked"
    case .frozen: "\(verdict.path): frozen"
    }
  }
}

@Suite struct `A verification` {
  @Test func `of stages that do the same again finds every output identical and changes nothing`() async throws {
    try await withTemporaryDirectory { folder in
      let scene = Scene(folder: folder)
      try scene.write("b\na\n", to: "raw.txt")
      let stages = [
        stage("sort", "sort raw.txt > sorted.txt", reads: ["raw.txt"], writes: ["sorted.txt"]),
        stage(
          "parts", "mkdir -p parts/deep && cp sorted.txt parts/deep/x && echo y > parts/y", reads: ["sorted.txt"],
          writes: ["parts"]),
        stage("one", "cat parts/deep/x > one.txt", reads: ["parts/deep/x"], writes: ["one.txt"]),
      ]
      let lock = try await scene.build(stages)
      let before = try scene.snapshot()
      let verdicts = try await scene.verify(stages, lock)
      #expect(words(verdicts) == ["sorted.txt: identical", "parts: identical", "one.txt: identical"])
      #expect(verdicts.allSatisfy { $0.isGood })
      let after = try scene.snapshot()
      #expect(after == before)
    }
  }

  @Test func `of a result that hangs on the clock names the file and the line`() async throws {
    try await withTemporaryDirectory { folder in
      let scene = Scene(folder: folder)
      let stages = [
        stage("clock", "printf 'first\\nsecond\\n' > out.txt; date +%N-%s >> out.txt", writes: ["out.txt"]),
        stage("deep", "mkdir -p d/e && echo same > d/a && date +%N-%s > d/e/b", writes: ["d"]),
      ]
      let lock = try await scene.build(stages)
      let verdicts = try await scene.verify(stages, lock)
      let said = words(verdicts)
      #expect(said[0].hasPrefix("out.txt: different, out.txt:3 was `"))
      #expect(said[1].hasPrefix("d: different, d/e/b:1 was `"))
      #expect(!verdicts.contains { $0.isGood })
    }
  }

  @Test func `says where bytes differ that are no text`() async throws {
    try await withTemporaryDirectory { folder in
      let scene = Scene(folder: folder)
      // Different lengths, so that two runs can never be equal: the time in the second run is later.
      let stages = [stage("s", "printf 'ab\\0' > out.bin; date +%s%N >> out.bin", writes: ["out.bin"])]
      let lock = try await scene.build(stages)
      let said = words(try await scene.verify(stages, lock))
      #expect(said.first?.hasPrefix("out.bin: different, out.bin differs from byte ") == true)
      #expect(said.first?.hasSuffix("(23 and 23 bytes)") == true)
    }
  }

  @Test func `of a stage that reads what it does not declare fails there and runs nothing after it`() async throws {
    try await withTemporaryDirectory { folder in
      let scene = Scene(folder: folder)
      try scene.write("hidden\n", to: "secret.txt")
      try scene.write("open\n", to: "open.txt")
      let stages = [
        stage("sly", "cat secret.txt > a.txt", writes: ["a.txt"]),
        stage("next", "cp a.txt b.txt", reads: ["a.txt"], writes: ["b.txt"]),
        stage("last", "cp b.txt c.txt", reads: ["b.txt"], writes: ["c.txt"]),
        stage("honest", "cp open.txt d.txt", reads: ["open.txt"], writes: ["d.txt"]),
      ]
      let lock = try await scene.build(stages)
      #expect(lock.entries.count == 4)
      let said = words(try await scene.verify(stages, lock))
      #expect(said[0].hasPrefix("a.txt: failed, stage `sly` failed: exit status 1"))
      #expect(said[0].contains("secret.txt: No such file or directory"))
      #expect(said.dropFirst() == ["b.txt: not run after sly", "c.txt: not run after sly", "d.txt: identical"])
    }
  }

  @Test func `does not see a parent folder's files nor an old output`() async throws {
    try await withTemporaryDirectory { folder in
      let scene = Scene(folder: folder)
      let stages = [stage("s", "ls -A . > list.txt", writes: ["list.txt"])]
      try scene.write("x\n", to: "stray.txt")
      let lock = try await scene.build(stages)
      let said = words(try await scene.verify(stages, lock))
      #expect(said.first?.hasPrefix("list.txt: different, list.txt:2 was `stray.txt`, is ``") == true, "\(said)")
    }
  }

  @Test func `takes a declared file that Git does not keep from the workspace if it is the locked one`() async throws {
    try await withTemporaryDirectory { folder in
      let scene = Scene(folder: folder)
      try scene.write("big\n", to: "data.csv", committed: false)
      let stages = [stage("s", "cp data.csv out.csv", reads: ["data.csv"], writes: ["out.csv"])]
      let lock = try await scene.build(stages)
      let said = words(try await scene.verify(stages, lock))
      #expect(said == ["out.csv: identical"])
      try scene.write("other\n", to: "data.csv", committed: false)
      await #expect(throws: Diagnostic.self) { try await scene.verify(stages, lock) }
    }
  }

  @Test func `takes the commit's file, not the changed one of the workspace`() async throws {
    try await withTemporaryDirectory { folder in
      let scene = Scene(folder: folder)
      try scene.write("committed\n", to: "in.txt")
      let stages = [stage("s", "cp in.txt out.txt", reads: ["in.txt"], writes: ["out.txt"])]
      let lock = try await scene.build(stages)
      try scene.write("edited since\n", to: "in.txt", committed: false)
      #expect(words(try await scene.verify(stages, lock)) == ["out.txt: identical"])
    }
  }

  @Test func `names an output that the lock file does not have`() async throws {
    try await withTemporaryDirectory { folder in
      let scene = Scene(folder: folder)
      let stages = [stage("s", "echo 1 > a; echo 2 > b", writes: ["a", "b"])]
      var lock = try await scene.build(stages)
      lock.entries["s"]?.outputs.removeAll { $0.path == "b" }
      let verdicts = try await scene.verify(stages, lock)
      #expect(words(verdicts) == ["a: identical", "b: not locked"])
      #expect(verdicts.map(\.isGood) == [true, false])
    }
  }

  @Test func `does not run a frozen stage, and gives its locked outputs to those after it`() async throws {
    try await withTemporaryDirectory { folder in
      let scene = Scene(folder: folder)
      let melted = [
        stage("slow", "date +%N-%s > a.txt", writes: ["a.txt"]),
        stage("next", "cp a.txt b.txt", reads: ["a.txt"], writes: ["b.txt"]),
      ]
      let lock = try await scene.build(melted)
      var stages = melted
      stages[0].isFrozen = true
      let verdicts = try await scene.verify(stages, lock)
      #expect(words(verdicts) == ["a.txt: frozen", "b.txt: identical"])
    }
  }
}
