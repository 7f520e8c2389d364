// Random pipelines under random edits, against values computed from scratch.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Foundation
import PipelineModel
import Synchronization
import TestSupport
import Testing

/// A pipeline small enough to compute in the head: stage i reads some sources and outputs of earlier stages and a
/// parameter, and writes one or two values.
private struct Model {
  struct Node {
    var reads: [String]
    var operation: Int
    var parameter: Int
    var outputs: Int
    /// Directory outputs hold two files.
    var isFolder: Bool
    /// Few different values, so that a changed input often leads to the same output.
    var modulus: UInt64
    var width: [String] { (0..<outputs).map { "\($0)" } }
  }

  var sources: [String: Int] = [:]
  var nodes: [Node] = []

  func outputs(_ index: Int) -> [String] { nodes[index].width.map { "out/s\(index)-\($0)" } }

  var stages: [Stage] {
    nodes.indices.map { index in
      let node = nodes[index]
      return stage(
        "s\(index)", "op\(node.operation)", reads: node.reads, writes: outputs(index).map { output($0) },
        parameters: [parameter("p\(index)", .integer(Int64(node.parameter)))])
    }
  }

  /// FNV-1a, 64 bits: what a stage does to the text of all it reads.
  static func mix(_ text: String, _ modulus: UInt64) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash % modulus
  }

  /// From scratch: every file there has to be, with its text. A folder's files are named below it.
  ///
  /// Source: `correctBuild` in Mokhov, Mitchell, Peyton Jones, "Build systems à la carte", 2018, section 3.
  var correct: [String: String] {
    var files: [String: String] = [:]
    for (name, value) in sources { files[name] = "source \(value)" }
    for index in nodes.indices {
      let node = nodes[index]
      let read = node.reads.sorted().map { name in
        files.filter { $0.key == name || $0.key.hasPrefix(name + "/") }.sorted { $0.key < $1.key }
          .map { "\($0.key)=\($0.value)" }.joined(separator: ";")
      }
      for (number, name) in outputs(index).enumerated() {
        let value = Self.mix("op\(node.operation) \(node.parameter) \(number) \(read.joined(separator: "|"))", node.modulus)
        if node.isFolder {
          files["\(name)/a"] = "\(value)"
          files["\(name)/sub/b"] = "\(value / 2)"
        } else {
          files[name] = "\(value)"
        }
      }
    }
    return files
  }

  static func random(_ random: inout SeededGenerator) -> Model {
    var model = Model()
    for index in 0..<Int.random(in: 1...4, using: &random) {
      model.sources["src/\(index)"] = Int.random(in: 0..<3, using: &random)
    }
    for _ in 0..<Int.random(in: 3...12, using: &random) {
      model.nodes.append(
        Node(
          reads: [], operation: Int.random(in: 0..<3, using: &random), parameter: Int.random(in: 0..<3, using: &random),
          outputs: Int.random(in: 1...2, using: &random), isFolder: Int.random(in: 0..<4, using: &random) == 0,
          modulus: Bool.random(using: &random) ? 2 : 1 << 60))
      model.rewire(model.nodes.count - 1, &random)
    }
    return model
  }

  mutating func rewire(_ index: Int, _ random: inout SeededGenerator) {
    let earlier = sources.keys.sorted() + (0..<index).flatMap { outputs($0) }
    nodes[index].reads = earlier.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }.prefix(4).sorted()
  }

  mutating func edit(_ random: inout SeededGenerator) -> String {
    let index = Int.random(in: 0..<nodes.count, using: &random)
    switch Int.random(in: 0..<6, using: &random) {
    case 0, 1:
      let name = sources.keys.sorted()[Int.random(in: 0..<sources.count, using: &random)]
      sources[name] = Int.random(in: 0..<3, using: &random)
      return "\(name) = \(sources[name] ?? 0)"
    case 2:
      nodes[index].parameter = Int.random(in: 0..<3, using: &random)
      return "p\(index) = \(nodes[index].parameter)"
    case 3:
      nodes[index].operation = Int.random(in: 0..<3, using: &random)
      return "s\(index) does op\(nodes[index].operation)"
    case 4:
      rewire(index, &random)
      return "s\(index) reads \(nodes[index].reads)"
    default:
      nodes[index].outputs = 3 - nodes[index].outputs
      // Who read an output that is gone reads something else now.
      for later in nodes.indices where later > index { nodes[later].reads.removeAll { $0 == "out/s\(index)-1" } }
      return "s\(index) has \(nodes[index].outputs) outputs"
    }
  }
}

/// Runs a model's stages from what is really in the folder; says who ran, and from what.
private func executor(for model: Model, _ history: @escaping @Sendable (_ stage: String, _ from: String) -> Void)
  -> ScriptedExecutor
{
  let nodes = model.nodes
  let outputs = nodes.indices.map { model.outputs($0) }
  return ScriptedExecutor { name, command in
    guard let index = Int(name.dropFirst()), let operation = command.arguments.last,
      let value = command.environment["PIPE_PARAM_p\(index)"]
    else { return .exited(2) }
    let read = try nodes[index].reads.sorted().map { try text(below: command.folder, $0) }
    history(name, "\(operation) \(value) \(outputs[index].count) \(read.joined(separator: "|"))")
    for (number, output) in outputs[index].enumerated() {
      let result = Model.mix("\(operation) \(value) \(number) \(read.joined(separator: "|"))", nodes[index].modulus)
      let place = "\(command.folder)/\(output)"
      if nodes[index].isFolder {
        try FileManager.default.createDirectory(atPath: "\(place)/sub", withIntermediateDirectories: true)
        try "\(result)".write(toFile: "\(place)/a", atomically: false, encoding: .utf8)
        try "\(result / 2)".write(toFile: "\(place)/sub/b", atomically: false, encoding: .utf8)
      } else {
        try "\(result)".write(toFile: place, atomically: false, encoding: .utf8)
      }
    }
    return .exited(0)
  }
}

private func text(below folder: String, _ name: String) throws -> String {
  var isFolder: ObjCBool = false
  _ = FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder)
  let names = isFolder.boolValue ? ["\(name)/a", "\(name)/sub/b"] : [name]
  return try names.map { "\($0)=\(try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8))" }.joined(separator: ";")
}

@Suite struct `Random pipelines` {
  /// What somebody does to a workspace or a store behind the back of `pipe`.
  private func damage(_ scene: Scene, _ files: [String], _ random: inout SeededGenerator) throws -> String {
    let outputs = files.filter { $0.hasPrefix("out/") }.sorted()
    let name = outputs[Int.random(in: 0..<outputs.count, using: &random)]
    switch Int.random(in: 0..<5, using: &random) {
    case 0:
      try scene.remove(name)
      return "\(name) is deleted"
    case 1:
      try scene.write("scribble", to: name)
      return "\(name) is overwritten"
    case 2:
      try FileManager.default.removeItem(atPath: "\(scene.root)/out")
      return "all outputs are deleted"
    case 3:
      let objects = try scene.store.list()
      let object = objects[Int.random(in: 0..<objects.count, using: &random)]
      try scene.store.remove(object)
      return "object \(object.short) is lost"
    default:
      scene.lock = LockFile()
      return "the lock file is lost"
    }
  }

  @Test(arguments: 1...40) func `after any edits every output is what a build from scratch makes`(seed: UInt64) async throws {
    try await withFastDirectory { folder in
      var random = SeededGenerator(seed: seed)
      var model = Model.random(&random)
      let narrow = Scene(folder.appendingPathComponent("narrow"))
      let wide = Scene(folder.appendingPathComponent("wide"))
      let ever = Mutex<Set<String>>([])
      var isDamaged = false
      var story: [String] = []
      for step in 0..<8 {
        if step > 0 {
          for _ in 0..<Int.random(in: 1...2, using: &random) { story.append(model.edit(&random)) }
          if Int.random(in: 0..<3, using: &random) == 0 {
            var same = random
            story.append(try damage(narrow, model.correct.keys.filter { narrow.exists($0) }, &random))
            _ = try damage(wide, model.correct.keys.filter { wide.exists($0) }, &same)
            isDamaged = true
          }
        }
        var ran: [[String]] = []
        for (scene, jobs) in [(narrow, 1), (wide, 8)] {
          for (name, value) in model.sources where scene.text(name) != "source \(value)" {
            try scene.write("source \(value)", to: name)
          }
          let recorded = Mutex<[String]>([])
          let executor = executor(for: model) { stage, from in recorded.withLock { $0.append("\(stage) \(from)") } }
          let outcome = try await scene.build(model.stages, executor, options: BuildOptions(jobs: jobs))
          let isGood = outcome.stages.allSatisfy(\.isGood)
          #expect(isGood, "seed \(seed): \(story): \(outcome.words)")
          #expect(Set(executor.ran).count == executor.ran.count, "seed \(seed): a stage ran twice: \(executor.ran)")
          for (name, text) in model.correct where scene.text(name) != text {
            Issue.record("seed \(seed), width \(jobs), after \(story): \(name) is \(scene.text(name) ?? "missing"), not \(text)")
          }
          if jobs == 1, !isDamaged {
            let again = recorded.withLock { runs in ever.withLock { ever in runs.filter { !ever.insert($0).inserted } } }
            #expect(again.isEmpty, "seed \(seed): made once more though it is known: \(again)")
          }
          ran.append(executor.ran.sorted())
          let second = ScriptedExecutor { _, _ in .exited(1) }
          let nothing = try await scene.build(model.stages, second, options: BuildOptions(jobs: jobs))
          #expect(!nothing.didWork && second.ran.isEmpty, "seed \(seed): a second build ran \(second.ran) after \(story)")
        }
        #expect(ran[0] == ran[1], "seed \(seed): width 1 ran other stages than width 8 after \(story)")
        #expect(narrow.lock == wide.lock, "seed \(seed): the lock differs by width after \(story)")
      }
    }
  }

  @Test(arguments: 100...115) func `a plan foresees what the build then does`(seed: UInt64) async throws {
    try await withFastDirectory { folder in
      var random = SeededGenerator(seed: seed)
      var model = Model.random(&random)
      let scene = Scene(folder)
      for step in 0..<6 {
        if step > 0 { _ = model.edit(&random) }
        for (name, value) in model.sources { try scene.write("source \(value)", to: name) }
        let graph = try StageGraph(model.stages)
        var planner = Planner(
          inspector: Inspector(workspace: scene.workspace, work: Scene.noTools), rebuilder: Rebuilder(), lock: scene.lock,
          traces: scene.traces, store: scene.store)
        let plan = try planner.plan(graph, order: graph.order)
        let executor = executor(for: model) { _, _ in }
        let outcome = try await scene.build(model.stages, executor)
        for (step, stage) in zip(plan.steps, outcome.stages) {
          switch step.decision {
          case .upToDate: #expect(word(stage) == "up to date", "seed \(seed)")
          case .restore: #expect(word(stage) == "restored", "seed \(seed)")
          case .record: #expect(word(stage) == "recorded", "seed \(seed)")
          // What depends on a stage that has to run is not known before; it may turn out to be as it was.
          case .run(let reasons):
            let isCertain = !reasons.contains { if case .upstream = $0 { true } else { false } }
            if isCertain { #expect(word(stage) == "ran", "seed \(seed)") }
          }
        }
        #expect(plan.isUpToDate == !outcome.didWork, "seed \(seed)")
      }
    }
  }
}
