// The scheduler: order, width, failures, interruption, and what is recorded.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import Foundation
import PipelineModel
import Synchronization
import TestSupport
import Testing

/// raw.txt → clean → {left, right} → join, and `alone` beside them.
private let diamond = [
  stage("clean", reads: ["raw.txt"], writes: [output("clean.txt")]),
  stage("left", reads: ["clean.txt"], writes: [output("left.txt")]),
  stage("right", reads: ["clean.txt"], writes: [output("right.txt")]),
  stage("join", reads: ["left.txt", "right.txt"], writes: [output("join.txt")]),
  stage("alone", reads: ["raw.txt"], writes: [output("alone.txt")]),
]

@Suite struct `A build` {
  @Test func `runs every stage after those it needs, among free ones in the order of the manifest`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      let executor = copying(diamond)
      let outcome = try await scene.build(diamond, executor)
      #expect(executor.ran == ["clean", "left", "right", "join", "alone"])
      #expect(outcome.words == ["clean: ran", "left: ran", "right: ran", "join: ran", "alone: ran"])
      #expect(scene.text("join.txt") == "join(left(clean(R)))(right(clean(R)))")
      #expect(outcome.didWork)
      #expect(scene.lock.entries.keys.sorted() == ["alone", "clean", "join", "left", "right"])
    }
  }

  @Test func `a second build runs nothing and does no work`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      _ = try await scene.build(diamond, copying(diamond))
      let lock = scene.lock
      let executor = copying(diamond)
      let outcome = try await scene.build(diamond, executor)
      #expect(executor.ran == [])
      #expect(!outcome.didWork)
      #expect(outcome.words.allSatisfy { $0.hasSuffix(": up to date") })
      #expect(scene.lock == lock)
    }
  }

  @Test func `numbers its stages by their place in the order`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      _ = try await scene.build(diamond, copying(diamond), targets: ["left"])
      #expect(scene.events == ["1/2 clean starts", "1/2 clean ran", "2/2 left starts", "2/2 left ran"])
    }
  }

  @Test func `at width 8 ends with the same files, lock and traces as at width 1`() async throws {
    try await withFastDirectory { folder in
      var seen: [(LockFile, [String], [String?])] = []
      for jobs in [1, 8] {
        let scene = Scene(folder.appendingPathComponent("\(jobs)"))
        try scene.write("R", to: "raw.txt")
        _ = try await scene.build(diamond, copying(diamond), options: BuildOptions(jobs: jobs))
        let files = ["clean", "left", "right", "join", "alone"].map { scene.text("\($0).txt") }
        seen.append((scene.lock, try scene.traces.list(), files))
      }
      #expect(seen[0].0 == seen[1].0)
      #expect(seen[0].1 == seen[1].1)
      #expect(seen[0].1.count == 5)
      #expect(seen[0].2 == seen[1].2)
    }
  }

  @Test func `never has more stages at once than its width, and reaches it`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      let stages = (1...6).map { stage("s\($0)", writes: [output("o\($0)")]) }
      let now = Mutex((running: 0, most: 0))
      let executor = ScriptedExecutor { name, command in
        now.withLock {
          $0.running += 1
          $0.most = max($0.most, $0.running)
        }
        Thread.sleep(forTimeInterval: 0.05)
        try "x".write(toFile: "\(command.folder)/o\(name.dropFirst())", atomically: false, encoding: .utf8)
        now.withLock { $0.running -= 1 }
        return .exited(0)
      }
      _ = try await scene.build(stages, executor, options: BuildOptions(jobs: 3))
      #expect(now.withLock { $0.most } == 3)
    }
  }

  @Test func `a changed input whose stage writes the same again stops there`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      let stages = [
        stage("upper", reads: ["raw.txt"], writes: [output("upper.txt")]),
        stage("after", reads: ["upper.txt"], writes: [output("after.txt")]),
      ]
      let executor = ScriptedExecutor { name, command in
        let (from, to) = name == "upper" ? ("raw.txt", "upper.txt") : ("upper.txt", "after.txt")
        let text = try String(contentsOfFile: "\(command.folder)/\(from)", encoding: .utf8).uppercased()
        try text.write(toFile: "\(command.folder)/\(to)", atomically: false, encoding: .utf8)
        return .exited(0)
      }
      try scene.write("abc", to: "raw.txt")
      _ = try await scene.build(stages, executor)
      try scene.write("aBc", to: "raw.txt")
      let outcome = try await scene.build(stages, executor)
      #expect(outcome.words == ["upper: ran", "after: up to date"])
    }
  }

  @Test func `among many stages, those that are out of date run, wherever they stand`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      let stages = (0..<300).map { stage("s\($0)", reads: ["in\($0)"], writes: [output("out\($0)")]) }
      for index in 0..<300 { try scene.write("1", to: "in\(index)") }
      _ = try await scene.build(stages, copying(stages))
      #expect(try await scene.build(stages, copying(stages)).words.allSatisfy { $0.hasSuffix(": up to date") })
      for index in [0, 1, 40, 170, 299] { try scene.write("22", to: "in\(index)") }
      try scene.remove("out200")
      let executor = copying(stages)
      let outcome = try await scene.build(stages, executor)
      #expect(executor.ran == ["s0", "s1", "s40", "s170", "s299"])
      #expect(
        outcome.words.filter { !$0.hasSuffix(": up to date") } == [
          "s0: ran", "s1: ran", "s40: ran", "s170: ran", "s200: restored", "s299: ran",
        ])
    }
  }

  @Test func `what a stage changes without saying so is seen by those after it`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      let stages = (0..<300).map { stage("s\($0)", reads: ["in\($0)"], writes: [output("out\($0)")]) }
      for index in 0..<300 { try scene.write("1", to: "in\(index)") }
      _ = try await scene.build(stages, copying(stages))
      try scene.write("22", to: "in100")
      let copies = copying(stages)
      let executor = ScriptedExecutor { name, command in
        // Stands right behind `s100`, and far enough to have been looked at with it.
        for other in name == "s100" ? [101, 140, 250] : [] {
          try "333".write(toFile: "\(command.folder)/in\(other)", atomically: false, encoding: .utf8)
        }
        return copies.run(command) { _ in }.end
      }
      let outcome = try await scene.build(stages, executor)
      #expect(executor.ran == ["s100", "s101", "s140", "s250"])
      #expect(outcome.words.filter { $0.hasSuffix(": ran") }.count == 4)
    }
  }

  @Test func `an input put back to what it was brings the old results back and runs nothing`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      _ = try await scene.build(diamond, copying(diamond))
      let lock = scene.lock
      try scene.write("S", to: "raw.txt")
      _ = try await scene.build(diamond, copying(diamond))
      try scene.write("R", to: "raw.txt")
      let executor = copying(diamond)
      let outcome = try await scene.build(diamond, executor)
      #expect(executor.ran == [])
      #expect(outcome.words.allSatisfy { $0.hasSuffix(": restored") })
      #expect(scene.text("join.txt") == "join(left(clean(R)))(right(clean(R)))")
      #expect(scene.lock == lock)
    }
  }

  @Test func `told to force what comes after, it runs what reads a result that was only brought back`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      _ = try await scene.build(diamond, copying(diamond))
      try scene.remove("left.txt")
      var options = BuildOptions()
      options.forceDownstream = true
      let outcome = try await scene.build(diamond, copying(diamond), options: options)
      #expect(
        outcome.words == ["clean: up to date", "left: restored", "right: up to date", "join: ran", "alone: up to date"])
    }
  }

  @Test func `a frozen stage is left alone, whatever changed`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      _ = try await scene.build(diamond, copying(diamond))
      try scene.write("S", to: "raw.txt")
      var stages = diamond
      stages[0].isFrozen = true
      let executor = copying(stages)
      let outcome = try await scene.build(stages, executor)
      #expect(outcome.words == ["clean: frozen", "left: up to date", "right: up to date", "join: up to date", "alone: ran"])
      #expect(scene.text("clean.txt") == "clean(R)")
    }
  }

  // MARK: Failures

  @Test func `after a failure nothing more is started`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      let executor = copying(diamond, failing: ["left"])
      let outcome = try await scene.build(diamond, executor)
      #expect(executor.ran == ["clean", "left"])
      #expect(
        outcome.words.filter { !$0.contains("left: failed") } == [
          "clean: ran", "right: skipped after left", "join: skipped after left", "alone: skipped after left",
        ])
      #expect(outcome.words[1].hasPrefix("left: failed: stage `left` failed: exit status 1 after "))
      #expect(scene.lock.entries.keys.sorted() == ["clean"])
    }
  }

  @Test func `told to keep going, it skips only what needs the failed stage`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      let executor = copying(diamond, failing: ["left"])
      let outcome = try await scene.build(diamond, executor, options: BuildOptions(keepGoing: true))
      #expect(executor.ran == ["clean", "left", "right", "alone"])
      #expect(
        outcome.words.filter { !$0.contains("left: failed") } == [
          "clean: ran", "right: ran", "join: skipped after left", "alone: ran",
        ])
    }
  }

  @Test func `a stage that lacks an input nobody makes fails and names the file`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      let outcome = try await scene.build(diamond, copying(diamond))
      #expect(
        outcome.words.first
          == "clean: failed: `raw.txt`, a dependency of stage `clean`, is not there and no stage makes it")
      guard case .failed(let diagnostic) = outcome.stages.first?.result else { return }
      #expect(diagnostic.category == .input)
      #expect(diagnostic.location?.description == "pipeline.yaml:7:3")
    }
  }

  @Test func `a failed stage leaves the outputs that were there before`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      _ = try await scene.build(diamond, copying(diamond))
      let entry = scene.lock.entries["clean"]
      try scene.write("S", to: "raw.txt")
      _ = try await scene.build(diamond, copying(diamond, failing: ["clean"]))
      #expect(scene.text("clean.txt") == "clean(R)")
      #expect(scene.lock.entries["clean"] == entry)
      #expect(FileManager.default.fileExists(atPath: "\(scene.scratch)/build/clean") == false)
    }
  }

  @Test func `a failed first run leaves no output`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      _ = try await scene.build(diamond, copying(diamond, failing: ["clean"]))
      #expect(!scene.exists("clean.txt"))
    }
  }

  @Test func `a stage starts without its old outputs, but with those that persist`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      let stages = [stage("s", reads: ["raw.txt"], writes: [output("fresh.txt"), output("kept.txt", persistent: true)])]
      let found = Mutex<[String]>([])
      let executor = ScriptedExecutor { _, command in
        let names = try FileManager.default.contentsOfDirectory(atPath: command.folder).sorted()
        found.withLock { $0 = names }
        for name in ["fresh.txt", "kept.txt"] {
          try "x".write(toFile: "\(command.folder)/\(name)", atomically: false, encoding: .utf8)
        }
        return .exited(0)
      }
      try scene.write("R", to: "raw.txt")
      _ = try await scene.build(stages, executor)
      #expect(found.withLock { $0 } == ["raw.txt"])
      try scene.write("S", to: "raw.txt")
      _ = try await scene.build(stages, executor)
      #expect(found.withLock { $0 } == ["kept.txt", "raw.txt"])
    }
  }

  @Test func `a stage that does not write its output fails, with the place where it is declared`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      let outcome = try await scene.build([stage("s", writes: [output("out.txt")])], ScriptedExecutor { _, _ in .exited(0) })
      #expect(outcome.words == ["s: failed: stage `s` did not write its output `out.txt`"])
      guard case .failed(let diagnostic) = outcome.stages.first?.result else { return }
      #expect(diagnostic.location?.description == "pipeline.yaml:9:3")
      #expect(scene.lock.entries.isEmpty)
    }
  }

  @Test func `a result whose input changed meanwhile is not recorded`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      let stages = [stage("s", reads: ["raw.txt"], writes: [output("out.txt")])]
      let executor = ScriptedExecutor { _, command in
        try "out".write(toFile: "\(command.folder)/out.txt", atomically: false, encoding: .utf8)
        try "S".write(toFile: "\(command.folder)/raw.txt", atomically: false, encoding: .utf8)
        return .exited(0)
      }
      let outcome = try await scene.build(stages, executor)
      #expect(outcome.words == ["s: failed: raw.txt changed while stage `s` ran, so its result is not recorded"])
      let kept = try scene.traces.list()
      #expect(kept == [])
      #expect(scene.lock.entries.isEmpty)
      #expect(!scene.exists("out.txt"))
    }
  }

  @Test(arguments: [
    (CommandResult.End.exited(3), "stage `s` failed: exit status 3 after "),
    (.signalled(9), "stage `s` was killed by signal 9 after "),
    (.notStarted(2), "stage `s` could not be started: No such file or directory"),
  ])
  func `each way to fail has its words`(end: CommandResult.End, message: String) async throws {
    try await withFastDirectory { folder in
      let outcome = try await Scene(folder).build([stage("s")], ScriptedExecutor { _, _ in end })
      guard case .failed(let diagnostic) = outcome.stages.first?.result else {
        Issue.record("the stage did not fail")
        return
      }
      #expect(diagnostic.message.hasPrefix(message))
      #expect(diagnostic.category == .work)
    }
  }

  @Test func `of several commands the first that fails ends the stage`() async throws {
    try await withFastDirectory { folder in
      var twice = stage("s")
      twice.work = .commands(["one", "two", "three"])
      let heard = Mutex<[String]>([])
      _ = try await Scene(folder).build(
        [twice],
        ScriptedExecutor { _, command in
          heard.withLock { $0.append(command.arguments.last ?? "") }
          return .exited(command.arguments.last == "two" ? 1 : 0)
        })
      #expect(heard.withLock { $0 } == ["one", "two"])
    }
  }

  // MARK: Interruption

  @Test func `once interrupted, nothing more starts and what ends is not recorded`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      _ = try await scene.build(diamond, copying(diamond), targets: ["clean"])
      let isRaised = Mutex(false)
      let copier = copying(diamond)
      let executor = ScriptedExecutor { name, command in
        isRaised.withLock { $0 = true }
        return copier.run(command) { _ in }.end
      }
      let outcome = try await scene.build(diamond, executor, isInterrupted: { isRaised.withLock { $0 } })
      #expect(executor.ran == ["left"])
      #expect(outcome.isInterrupted)
      #expect(outcome.words.prefix(2) == ["clean: up to date", "left: interrupted"])
      #expect(outcome.words.dropFirst(2).allSatisfy { $0.contains("skipped") })
      #expect(!scene.exists("left.txt"))
      #expect(scene.lock.entries.keys.sorted() == ["clean"])
    }
  }

  @Test func `a killed build's outputs come back with the next one`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("old result", to: "data/out.txt")
      try scene.write("new result", to: "other.txt")
      // As a build leaves it that was killed while `s` and `t` ran: `t` had written its new output already.
      try folder.write("data/out.txt", to: "scratch/killed/s/aside/paths")
      try FileManager.default.moveItem(
        atPath: "\(scene.root)/data/out.txt", toPath: "\(scene.scratch)/killed/s/aside/0")
      try folder.write("other.txt", to: "scratch/killed/t/aside/paths")
      try folder.write("previous", to: "scratch/killed/t/aside/0")
      try Build.recover(scratch: scene.scratch, workspace: scene.workspace)
      #expect(scene.text("data/out.txt") == "old result")
      #expect(scene.text("other.txt") == "new result")
      let left = try FileManager.default.contentsOfDirectory(atPath: scene.scratch)
      #expect(left == [])
    }
  }

  @Test func `a build clears away what a killed one left in the scratch folder, whatever it is`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try folder.write("", to: "scratch/pipeline.lock.5-6.tmp")
      try folder.write("a restore's copy", to: "scratch/put-7-8/aside/paths")
      try folder.write("a restore's copy", to: "scratch/put-9-1")
      try folder.write("", to: "scratch/killed/s/log")
      try Build.recover(scratch: scene.scratch, workspace: scene.workspace)
      #expect(try FileManager.default.contentsOfDirectory(atPath: scene.scratch) == [])
    }
  }

  @Test func `recovery outside the workspace is refused`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("x", to: "x.txt")
      try folder.write("../escaped.txt", to: "scratch/killed/s/aside/paths")
      try folder.write("bytes", to: "scratch/killed/s/aside/0")
      try Build.recover(scratch: scene.scratch, workspace: scene.workspace)
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/escaped.txt"))
    }
  }

  // MARK: Storage

  @Test func `what ended is recorded while a stage that started later runs on`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      let quick = (1...5).map { stage("quick\($0)", reads: $0 == 1 ? ["raw.txt"] : ["q\($0 - 1)"], writes: [output("q\($0)")]) }
      let stages = quick + [stage("slow", reads: ["q5"], writes: [output("slow.txt")])]
      let copying = copying(stages)
      let traces = scene.traces
      let known = Mutex(0)
      let executor = ScriptedExecutor { name, command in
        for _ in 0..<500 where name == "slow" && known.withLock({ $0 }) < 5 {
          Thread.sleep(forTimeInterval: 0.01)
          let count = try traces.list().count
          known.withLock { $0 = count }
        }
        return copying.run(command) { _ in }.end
      }
      let outcome = try await scene.build(stages, executor)
      #expect(known.withLock { $0 } == 5)
      #expect(outcome.words.allSatisfy { $0.hasSuffix(": ran") })
      #expect(try traces.list().count == 6)
    }
  }

  @Test func `a trace that lost its bytes is written again`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder, traces: DirectoryTraceStore(root: folder.path + "/traces"))
      let stages = [stage("one", writes: [output("one.txt")])]
      let executor = ScriptedExecutor { _, command in
        try "1".write(toFile: "\(command.folder)/one.txt", atomically: false, encoding: .utf8)
        return .exited(0)
      }
      _ = try await scene.build(stages, executor)
      let id = try #require(try scene.traces.list().first)
      let path = DirectoryTraceStore(root: folder.path + "/traces").path(of: id)
      try "".write(toFile: path, atomically: false, encoding: .utf8)
      _ = try await scene.build(stages, executor, options: BuildOptions(force: true))
      #expect(try scene.traces.trace(id)?.stage == "one")
    }
  }

  @Test func `a result that comes out the same keeps the facts of its first execution`() async throws {
    try await withFastDirectory { folder in
      let stages = [stage("one", writes: [output("one.txt")])]
      let executor = ScriptedExecutor { _, command in
        try "1".write(toFile: "\(command.folder)/one.txt", atomically: false, encoding: .utf8)
        return .exited(0)
      }
      for traces: any TraceStore in [DirectoryTraceStore(root: folder.path + "/traces"), MemoryTraceStore()] {
        let scene = Scene(folder, traces: traces)
        let first = try await scene.build(stages, executor, options: BuildOptions(force: true))
        let again = try await scene.build(stages, executor, options: BuildOptions(force: true))
        #expect(first.facts["one"] != nil)
        #expect(again.facts == first.facts)
        let id = try #require(try traces.list().first)
        #expect(try traces.trace(id)?.facts == first.facts["one"])
      }
    }
  }

  @Test func `when traces cannot be kept the build stops and the lock file names none of them`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder, traces: FullTraceStore())
      try scene.write("R", to: "raw.txt")
      let outcome = try await scene.build(diamond, copying(diamond))
      #expect(outcome.storageFailure?.category == .storage)
      #expect(outcome.storageFailure?.message == "cannot write `traces`: No space left on device")
      #expect(outcome.words.first == "clean: failed: cannot write `traces`: No space left on device")
      #expect(!outcome.words.contains { $0.hasSuffix(": ran") })
      #expect(scene.lock.entries.isEmpty)
    }
  }

  @Test func `when the stage's own folder cannot be made its old outputs stay`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("precious", to: "out.txt")
      // Longer than a name may be.
      let long = stage(String(repeating: "s", count: 300), writes: [output("out.txt")])
      let executor = ScriptedExecutor { _, _ in .exited(0) }
      let outcome = try await scene.build([long], executor)
      #expect(outcome.words.first?.contains("File name too long") == true)
      #expect(executor.ran == [])
      #expect(scene.text("out.txt") == "precious")
    }
  }

  @Test func `when one output cannot be moved aside all stay where they were`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("precious", to: "a.txt")
      try scene.write("a file, not a folder", to: "b")
      let executor = ScriptedExecutor { _, _ in .exited(0) }
      let outcome = try await scene.build([stage("s", writes: [output("a.txt"), output("b/c.txt")])], executor)
      #expect(outcome.words.first?.contains("Not a directory") == true)
      #expect(executor.ran == [])
      #expect(scene.text("a.txt") == "precious")
      #expect(scene.text("b") == "a file, not a folder")
    }
  }

  @Test func `an object that was damaged is taken out, and the stage runs instead`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      _ = try await scene.build(diamond, copying(diamond))
      let object = scene.store.path(of: Digest.of("clean(R)"))
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: object)
      try "rotten".write(toFile: object, atomically: false, encoding: .utf8)
      try scene.remove("clean.txt")
      let outcome = try await scene.build(diamond, copying(diamond))
      #expect(outcome.words.first == "clean: ran")
      #expect(scene.text("clean.txt") == "clean(R)")
      let mended = try scene.store.bytes(of: Digest.of("clean(R)"))
      #expect(mended == Array("clean(R)".utf8))
    }
  }

  @Test func `a directory's outputs are taken whole and brought back whole`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      let stages = [stage("s", reads: ["raw.txt"], writes: [output("model")])]
      let executor = ScriptedExecutor { _, command in
        let place = "\(command.folder)/model/deep"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try "a".write(toFile: "\(place)/a", atomically: false, encoding: .utf8)
        try "b".write(toFile: "\(command.folder)/model/b", atomically: false, encoding: .utf8)
        return .exited(0)
      }
      _ = try await scene.build(stages, executor)
      try scene.write("stray", to: "model/stray")
      try scene.remove("model/b")
      let outcome = try await scene.build(stages, executor)
      #expect(outcome.words == ["s: restored"])
      #expect(scene.text("model/deep/a") == "a")
      #expect(scene.text("model/b") == "b")
      #expect(!scene.exists("model/stray"))
    }
  }

  @Test func `a trace tells when, where and from which commit its result came`() async throws {
    try await withFastDirectory { folder in
      let scene = Scene(folder)
      try scene.write("R", to: "raw.txt")
      _ = try await scene.build(diamond, copying(diamond), targets: ["clean"])
      let trace = try #require(scene.traces.list().first.flatMap { try scene.traces.trace($0) })
      #expect(trace.stage == "clean")
      #expect(trace.facts.run == "run")
      #expect(trace.facts.host == "host")
      #expect(trace.facts.finishedAt == "2026-01-02T03:04:05Z")
      #expect(trace.facts.commit == "c0ffee")
      #expect(trace.facts.isDirty)
      #expect(trace.facts.peakMemoryBytes == 4096)
      #expect(trace.outputs.map(\.path) == ["clean.txt"])
      // printf 'clean(R)' | sha256sum
      #expect(trace.outputs.map(\.digest.digits) == ["c8bbf7a80b30cde87f24138e3df01c318f04c108bf6baad7f09432276115bd7b"])
    }
  }
}
