// What is decided about a stage, case by case.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import PipelineModel
import Testing

/// What there is at the moment of a decision; by default all is as agreed.
private struct Moment {
  var now = recipe()
  var locked: LockEntry? = LockEntry(recipe: recipe(), outputs: [result("out.txt", "out")])
  var traces: [Trace] = []
  var disk: [String: String] = ["out.txt": "out"]
  var executables: Set<String> = []
  var kept: Set<String> = ["out"]
  var alwaysChanged = false
  var force = false

  var decision: Decision {
    let keptDigests = Set(kept.map { Digest.of($0) })
    return Rebuilder(force: force).decide(
      Rebuilder.Situation(
        recipe: now, alwaysChanged: alwaysChanged, locked: locked, traces: { traces },
        onDisk: { name in disk[name].map { (Digest.of($0), executables.contains(name)) } },
        isKept: { keptDigests.contains($0.digest) }))
  }
}

private func known(_ recipe: Recipe, _ outputs: [Trace.Result]) -> Trace.Known {
  Trace.Known(outputs: outputs, id: trace(recipe, outputs).id)
}

@Suite struct `The rebuilder` {
  @Test func `a stage whose inputs and outputs are as locked is up to date`() {
    #expect(Moment().decision == .upToDate)
  }

  @Test func `a stage that nobody ran yet runs`() {
    #expect(Moment(locked: nil, disk: [:], kept: []).decision == .run([.neverRun]))
  }

  @Test func `an output that lies there is no proof: without a lock entry and a trace the stage runs`() {
    #expect(Moment(locked: nil).decision == .run([.neverRun]))
  }

  @Test(arguments: [
    (recipe(["other"]), [Reason.commandChanged]),
    (recipe([], notebook: .init(path: "n.qmd", code: Digest.of("code"))), [.commandChanged]),
    (recipe(folder: "sub"), [.workingDirectoryChanged]),
    (recipe(tools: [.init(name: "train", version: 2)]), [.toolChanged(name: "train", from: nil, to: 2)]),
    (recipe(reads: ["in.txt": "new"]), [.inputChanged(path: "in.txt")]),
    (recipe(reads: ["in.txt": "in", "b.txt": "b"]), [.inputAdded(path: "b.txt")]),
    (recipe(reads: [:]), [.inputRemoved(path: "in.txt")]),
    (recipe(parameters: [parameter("lr", .double(0.1))]), [.parameterAdded(key: "lr")]),
    (recipe(environment: [.init(name: "SEED", value: "1")]), [.environmentChanged(name: "SEED")]),
    (recipe(writes: [target("out.txt"), target("b.txt")]), [.outputAdded(path: "b.txt")]),
    (recipe(writes: []), [.outputRemoved(path: "out.txt")]),
    (
      recipe(["other"], reads: ["in.txt": "new"]),
      [.commandChanged, .inputChanged(path: "in.txt")]
    ),
  ])
  func `each difference from the locked recipe is a reason to run`(now: Recipe, reasons: [Reason]) {
    #expect(Moment(now: now).decision == .run(reasons))
  }

  @Test func `changed code of a notebook is a reason of its own`() {
    let before = recipe([], notebook: .init(path: "n.qmd", code: Digest.of("code")))
    let now = recipe([], notebook: .init(path: "n.qmd", code: Digest.of("other code")))
    let scene = Moment(now: now, locked: LockEntry(recipe: before, outputs: [result("out.txt", "out")]))
    #expect(scene.decision == .run([.notebookChanged(path: "n.qmd")]))
  }

  @Test func `a kit program that behaves differently, or is called no more, is named with its versions`() {
    let before = recipe(tools: [.init(name: "train", version: 1), .init(name: "prepare", version: 3)])
    let now = recipe(tools: [.init(name: "train", version: 2)])
    #expect(
      Rebuilder().differences(from: before, to: now) == [
        .toolChanged(name: "prepare", from: 3, to: nil), .toolChanged(name: "train", from: 1, to: 2),
      ])
  }

  @Test func `a parameter tells its old and its new value`() {
    let before = recipe(parameters: [parameter("lr", .double(0.1)), parameter("depth", .integer(6))])
    let now = recipe(parameters: [parameter("lr", .double(0.05))])
    #expect(
      Rebuilder().differences(from: before, to: now) == [
        .parameterRemoved(key: "depth"), .parameterChanged(key: "lr", from: "0.1", to: "0.05"),
      ])
  }

  @Test func `a changed subtree of parameters is told by its first changed leaf`() {
    let before = recipe(parameters: [parameter("train", .mapping([("lr", .double(0.1)), ("depth", .integer(6))]))])
    let changed = recipe(parameters: [parameter("train", .mapping([("lr", .double(0.1)), ("depth", .integer(8))]))])
    let shorter = recipe(parameters: [parameter("train", .mapping([("lr", .double(0.1))]))])
    #expect(
      Rebuilder().differences(from: before, to: changed) == [.parameterChanged(key: "train.depth", from: "6", to: "8")])
    #expect(Rebuilder().differences(from: before, to: shorter) == [.parameterRemoved(key: "train.depth")])
  }

  @Test func `a parameter of another file is named with its file`() {
    let now = recipe(parameters: [parameter("lr", .integer(1), file: "model.yaml")])
    #expect(Rebuilder().differences(from: recipe(), to: now) == [.parameterAdded(key: "model.yaml: lr")])
  }

  @Test func `a missing output is brought back as the lock file has it`() {
    let outputs = [result("out.txt", "out")]
    #expect(Moment(disk: [:]).decision == .restore(known(recipe(), outputs), [.outputMissing(path: "out.txt")]))
  }

  @Test func `a changed output is brought back as the lock file has it`() {
    let outputs = [result("out.txt", "out")]
    #expect(
      Moment(disk: ["out.txt": "scribbled"]).decision == .restore(known(recipe(), outputs), [.outputChanged(path: "out.txt")]))
  }

  @Test func `an output that lost its executable bit is a changed output`() {
    let outputs = [result("out.txt", "out", executable: true)]
    let scene = Moment(locked: LockEntry(recipe: recipe(), outputs: outputs))
    #expect(scene.decision == .restore(known(recipe(), outputs), [.outputChanged(path: "out.txt")]))
    #expect(Moment(locked: LockEntry(recipe: recipe(), outputs: outputs), executables: ["out.txt"]).decision == .upToDate)
  }

  @Test func `a result known from a trace is brought back instead of made again`() {
    let now = recipe(reads: ["in.txt": "yesterday"])
    let outputs = [result("out.txt", "old out")]
    let scene = Moment(now: now, traces: [trace(now, outputs)], kept: ["out", "old out"])
    #expect(scene.decision == .restore(known(now, outputs), [.inputChanged(path: "in.txt")]))
  }

  @Test func `of several traces the first that the store can give back is taken`() {
    let now = recipe(reads: ["in.txt": "yesterday"])
    let lost = trace(now, [result("out.txt", "lost")])
    let whole = trace(now, [result("out.txt", "whole")])
    let scene = Moment(now: now, traces: [lost, whole], kept: ["whole"])
    #expect(scene.decision == .restore(known(now, [result("out.txt", "whole")]), [.inputChanged(path: "in.txt")]))
  }

  @Test func `a trace of another recipe under the same name is not trusted`() {
    let now = recipe(reads: ["in.txt": "yesterday"])
    let scene = Moment(now: now, traces: [trace(recipe(["forged"]), [result("out.txt", "whole")])], kept: ["whole"])
    #expect(scene.decision == .run([.inputChanged(path: "in.txt")]))
  }

  @Test func `an output that is in place needs no object to be called whole`() {
    let two = recipe(writes: [target("a"), target("b")])
    let outputs = [result("a", "A"), result("b", "B")]
    let scene = Moment(now: two, locked: LockEntry(recipe: two, outputs: outputs), disk: ["a": "A"], kept: ["B"])
    #expect(scene.decision == .restore(known(two, outputs), [.outputMissing(path: "b")]))
  }

  @Test func `when the store has lost an object the stage runs and says so`() {
    #expect(
      Moment(disk: [:], kept: []).decision == .run([.outputMissing(path: "out.txt"), .objectMissing(path: "out.txt")]))
  }

  @Test func `an uncached output that is missing is no fault of the store`() {
    let uncached = recipe(writes: [target("out.txt", cached: false)])
    let scene = Moment(
      now: uncached, locked: LockEntry(recipe: uncached, outputs: [result("out.txt", "out")]), disk: [:], kept: [])
    #expect(scene.decision == .run([.outputMissing(path: "out.txt")]))
  }

  @Test func `a stage with an output that stays in place is not restored from an older trace`() {
    let before = recipe(writes: [target("out.txt", persistent: true)])
    let now = recipe(reads: ["in.txt": "yesterday"], writes: [target("out.txt", persistent: true)])
    let scene = Moment(
      now: now, locked: LockEntry(recipe: before, outputs: [result("out.txt", "out")]),
      traces: [trace(now, [result("out.txt", "old out")])], kept: ["out", "old out"])
    #expect(scene.decision == .run([.inputChanged(path: "in.txt")]))
  }

  @Test func `a stage that is always changed runs though nothing differs`() {
    #expect(Moment(alwaysChanged: true).decision == .run([.alwaysChanged]))
  }

  @Test func `force runs what is up to date`() {
    #expect(Moment(force: true).decision == .run([.forced]))
  }

  @Test(arguments: [
    (Reason.neverRun, "never-run", "it has no result yet"),
    (.commandChanged, "command-changed", "its command changed"),
    (.notebookChanged(path: "n.qmd"), "notebook-changed", "the code of n.qmd changed"),
    (.workingDirectoryChanged, "wdir-changed", "its working directory changed"),
    (.toolChanged(name: "train", from: 1, to: 2), "tool-changed", "`pipe kit train` behaves differently (1 → 2)"),
    (.inputChanged(path: "a"), "input-changed", "a changed"),
    (.inputAdded(path: "a"), "input-added", "a is a new dependency"),
    (.inputRemoved(path: "a"), "input-removed", "a is no dependency any more"),
    (.parameterChanged(key: "lr", from: "1", to: "2"), "parameter-changed", "lr changed (1 → 2)"),
    (.parameterAdded(key: "lr"), "parameter-added", "lr is a new parameter"),
    (.parameterRemoved(key: "lr"), "parameter-removed", "lr is no parameter any more"),
    (.environmentChanged(name: "E"), "environment-changed", "environment variable E changed"),
    (.outputAdded(path: "o"), "output-added", "o is a new output"),
    (.outputRemoved(path: "o"), "output-removed", "o is no output any more"),
    (.outputMissing(path: "o"), "output-missing", "o is missing"),
    (.outputChanged(path: "o"), "output-changed", "o was changed"),
    (.objectMissing(path: "o"), "object-missing", "the store has lost o"),
    (.alwaysChanged, "always-changed", "it is declared as always changed"),
    (.forced, "forced", "forced"),
    (.upstream(stage: "prepare"), "upstream", "stage prepare comes first"),
  ])
  func `every reason has a word for scripts and one for people`(reason: Reason, code: String, text: String) {
    #expect(reason.code == code)
    #expect(reason.description == text)
  }
}
