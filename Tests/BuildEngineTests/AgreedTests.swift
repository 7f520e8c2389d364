// The short question: is a stage word for word as its lock entry says?
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Foundation
import PipelineModel
import TestSupport
import Testing

/// A project with one stage that was built, and what may be done to it.
private struct Built {
  let scene: Scene
  var stage: Stage
  var locked: LockEntry
  var rules = Rebuilder.Rules.native
  var isInStore = true

  static let stage = BuildEngineTests.stage(
    "s", reads: ["b.txt", "a.txt"], writes: [output("z.txt"), output("m.txt", kind: .metrics, cached: false)],
    parameters: [parameter("lr", .double(0.5)), parameter("depth", .integer(6))])

  init(_ folder: URL) async throws {
    scene = Scene(folder)
    try scene.write("A", to: "a.txt")
    try scene.write("B", to: "b.txt")
    stage = Self.stage
    _ = try await scene.build([stage], copying([stage]))
    locked = try #require(scene.lock.entries["s"])
  }

  func isAsAgreed(_ sights: Sights? = nil) throws -> Bool {
    let graph = try StageGraph([stage])
    let inspector = Inspector(workspace: scene.workspace, work: Scene.noTools, graph: graph)
    return inspector.isAsAgreed(stage, locked, rules: rules, sights: sights, isInStore: { _ in isInStore })
  }
}

@Suite struct `A stage as agreed` {
  @Test func `is one that nothing changed of, in whatever order the manifest has its lists`() async throws {
    try await withFastDirectory { folder in
      var built = try await Built(folder)
      #expect(try built.isAsAgreed())
      built.stage.dependencies.reverse()
      built.stage.outputs.reverse()
      built.stage.parameters.reverse()
      #expect(try built.isAsAgreed())
    }
  }

  fileprivate static let changes: [(String, @Sendable (inout Built) throws -> Void)] = [
    ("another command", { $0.stage.work = .commands(["play"]) }),
    ("one command more", { $0.stage.work = .commands(["work", "work"]) }),
    ("a notebook", { $0.stage.work = .notebook(path("a.md")) }),
    ("another folder", { $0.stage.workingDirectory = path("sub") }),
    ("a variable", { $0.stage.environment = [EnvironmentVariable(name: "A", value: "1")] }),
    ("a changed input", { try $0.scene.write("A2", to: "a.txt") }),
    ("a missing input", { try $0.scene.remove("b.txt") }),
    (
      "an input that became a folder",
      {
        try $0.scene.remove("b.txt"); try $0.scene.write("B", to: "b.txt/b.txt")
      }
    ),
    (
      "an input that may be run now",
      { try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\($0.scene.root)/a.txt") }
    ),
    ("an input less", { $0.stage.dependencies.removeLast() }),
    (
      "an input instead, of the same bytes",
      {
        try $0.scene.write("B", to: "c.txt")
        $0.stage.dependencies[0] = BuildEngineTests.stage("t", reads: ["c.txt"]).dependencies[0]
      }
    ),
    ("another value", { $0.stage.parameters[0].value = .double(0.25) }),
    ("a parameter less", { $0.stage.parameters.removeLast() }),
    (
      "another key",
      { $0.stage.parameters[0] = BuildEngineTests.stage("t", parameters: [parameter("rate", .double(0.5))]).parameters[0] }
    ),
    ("a changed output", { try $0.scene.write("Z2", to: "z.txt") }),
    ("a missing output", { try $0.scene.remove("m.txt") }),
    (
      "an output that may be run now",
      { try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\($0.scene.root)/z.txt") }
    ),
    ("an output more", { $0.stage.outputs.append(output("n.txt")) }),
    ("an output that is cached no more", { $0.stage.outputs[0].isCached = false }),
    ("an output of another kind", { $0.stage.outputs[0].kind = .metrics }),
    ("an output that persists", { $0.stage.outputs[0].isPersistent = true }),
    ("an object that the store lost", { $0.isInStore = false }),
    ("a frozen stage", { $0.stage.isFrozen = true }),
    ("a stage that always runs", { $0.stage.alwaysChanged = true }),
    ("a tool that was", { $0.locked.recipe.tools = [Recipe.Tool(name: "features", version: 1)] }),
  ]

  @Test(arguments: changes.indices) func `is none of which anything is otherwise`(index: Int) async throws {
    let (name, change) = Self.changes[index]
    try await withFastDirectory { folder in
      var built = try await Built(folder)
      try change(&built)
      #expect(try !built.isAsAgreed(), "\(name)")
    }
  }

  @Test func `beside DVC need not agree in what its lock file leaves out`() async throws {
    try await withFastDirectory { folder in
      var built = try await Built(folder)
      for index in built.locked.recipe.inputs.indices { built.locked.recipe.inputs[index].size = 0 }
      #expect(try !built.isAsAgreed())
      let inspector = Inspector(workspace: built.scene.workspace, work: Scene.noTools, dialect: .dvc)
      #expect(inspector.isAsAgreed(built.stage, built.locked, rules: .dvc, sights: nil, isInStore: { _ in true }))
    }
  }

  @Test func `what was seen is not looked at again`() async throws {
    try await withFastDirectory { folder in
      let built = try await Built(folder)
      let sights = Sights()
      #expect(try built.isAsAgreed(sights))
      try built.scene.write("A2", to: "a.txt")
      #expect(try built.isAsAgreed(sights))
      #expect(try !built.isAsAgreed(Sights()))
    }
  }

  @Test func `a result names its trace as the trace itself is named`() {
    let made = trace(recipe(), [result("out.txt", "out")])
    let known = Trace.Known(outputs: made.outputs, of: made.recipe)
    #expect(known.id == made.id)
    #expect(known == known.identified)
    #expect(known != Trace.Known(outputs: made.outputs, of: recipe(["other"])))
  }
}
