// Order, needs and conflicts of stages.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import TestSupport
import Testing

private func complaint(_ stages: [Stage]) -> String {
  do {
    _ = try StageGraph(stages)
    return ""
  } catch {
    return lines(error)
  }
}

private func names(_ graph: StageGraph, _ indices: [Int]) -> [String] { indices.map { graph.stages[$0].name } }

@Test func `stages come after those they need, else in the order of the manifest`() throws {
  let graph = try StageGraph([
    stage("report", ["model", "clean"], ["report.html"]), stage("lint", [], []), stage("train", ["clean"], ["model"]),
    stage("prepare", ["raw"], ["clean"]), stage("other", ["raw"], ["x"]),
  ])
  #expect(names(graph, graph.order) == ["lint", "prepare", "train", "report", "other"])
  #expect(graph.upstream == [[2, 3], [], [3], [], []])
  #expect(graph.downstream == [[], [], [0], [0, 2], []])
}

@Test func `a directory dependency needs every stage that writes below it, a dependency in a directory the one that writes it`()
  throws
{
  let graph = try StageGraph([
    stage("all", ["data"], []), stage("a", [], ["data/a/x"]), stage("b", [], ["data/b"]), stage("like", [], ["data-b"]),
    stage("one", ["data/b/deep/file"], []), stage("exact", ["data/a/x"], []), stage("none", ["data/c"], []),
  ])
  #expect(graph.upstream == [[1, 2], [], [], [], [2], [1], []])
  #expect(graph.producer(of: try #require(WorkspacePath("data/b/deep/file")))?.name == "b")
  #expect(graph.producer(of: try #require(WorkspacePath("data")))?.name == nil)
}

@Test func `a file outside the workspace has no producer`() throws {
  var reader = try stage("reader", [], [])
  reader.dependencies = [Dependency(name: nil, place: .external("/data"), location: reader.location)]
  #expect(try StageGraph([reader, stage("writer", [], ["data"])]).upstream == [[], []])
}

@Test func `a circle is named in the order of the data, with the place of each stage`() throws {
  let stages = try [
    stage("free", [], ["f"], line: 2), stage("clean", ["joined", "f"], ["cleaned"], line: 5),
    stage("join", ["cleaned"], ["joined"], line: 9), stage("after", ["joined"], [], line: 12),
  ]
  #expect(
    complaint(stages) == """
      pipeline.yaml:9:3: error: stages depend on one another in a circle: `join` → `clean` → `join`
      cause: `join` is declared at pipeline.yaml:9:3
      cause: `clean` is declared at pipeline.yaml:5:3

      """)
}

@Test func `a stage before a circle's reader is not taken for a part of it`() throws {
  let stages = try [
    stage("reader", ["b"], []), stage("x", ["c"], ["a"]), stage("y", ["a"], ["b"]), stage("z", ["b"], ["c"]),
  ]
  #expect(complaint(stages).contains("in a circle: `z` → `x` → `y` → `z`\n"))
}

@Test func `a stage that reads what it writes is told about persist`() throws {
  for (dep, out) in [("state", "state"), ("state/a", "state"), ("state", "state/a")] {
    #expect(
      complaint([try stage("s", [dep], [out], line: 3)]) == """
        pipeline.yaml:3:3: error: stage `s` reads what it writes itself
        hint: a file that stays between runs is an output with `persist: true`

        """)
  }
}

@Test func `every output with two makers, or inside another, is told at once`() throws {
  let stages = try [
    stage("a", [], ["x", "dir"], line: 2), stage("b", [], ["x", "dir/deep/file"], line: 4), stage("c", [], ["y", "y"], line: 6),
    stage("d", [], ["x.txt", "dir2/file"], line: 8),
  ]
  #expect(
    complaint(stages) == """
      pipeline.yaml:4:3: error: `x` is already an output of stage `a`
      cause: declared first at pipeline.yaml:2:3
      pipeline.yaml:6:3: error: `y` is already an output of the same stage
      cause: declared first at pipeline.yaml:6:3
      pipeline.yaml:4:3: error: output `dir/deep/file` lies inside output `dir`
      cause: `dir` is declared at pipeline.yaml:2:3
      hint: declare the folder, or the files in it, not both

      """)
}

@Test func `a closure holds the targets and what they need, in order`() throws {
  let graph = try StageGraph([
    stage("d", ["b", "c"], ["d"]), stage("a", [], ["a"]), stage("b", ["a"], ["b"]), stage("c", ["a"], ["c"]),
    stage("e", ["d"], []),
  ])
  #expect(names(graph, graph.closure(of: [0])) == ["a", "b", "c", "d"])
  #expect(names(graph, graph.closure(of: [2, 3, 2])) == ["a", "b", "c"])
  #expect(graph.closure(of: []) == [])
}

@Test func `10,000 stages in one chain, and 10,000 beside one another, have an order`() throws {
  let chain = try StageGraph((0..<10_000).reversed().map { try stage("s\($0)", $0 == 0 ? [] : ["f\($0 - 1)"], ["f\($0)"]) })
  #expect(chain.order == Array((0..<10_000).reversed()))
  #expect(chain.closure(of: [0]).count == 10_000)
  let wide = try StageGraph((0..<10_000).map { try stage("s\($0)", ["raw"], ["out/\($0)"]) } + [stage("all", ["out"], [])])
  #expect(wide.order == Array(0...10_000))
  #expect(wide.upstream[10_000].count == 10_000)
  let circle = try (0..<10_000).map { try stage("s\($0)", ["f\(($0 + 1) % 10_000)"], ["f\($0)"]) }
  #expect(throws: DiagnosticList.self) { try StageGraph(circle) }
}

@Test(arguments: [UInt64(1), .random(in: 0 ... .max)])
func `in a random graph every stage comes after all it needs, and the order is the smallest`(_ seed: UInt64) throws {
  var generator = SeededGenerator(seed: seed)
  let count = 60
  // A hidden order that differs from the manifest's.
  let rank = Array(0..<count).shuffled(using: &generator)
  var needs = [[Int]](repeating: [], count: count)
  for a in 0..<count {
    for b in 0..<count where rank[b] < rank[a] && Int.random(in: 0..<12, using: &generator) == 0 { needs[a].append(b) }
  }
  let graph = try StageGraph((0..<count).map { a in try stage("s\(a)", needs[a].map { "f\($0)" }, ["f\(a)"]) })
  #expect(graph.upstream == needs, "seed \(seed)")
  var done: Set<Int> = []
  for next in graph.order {
    let free = (0..<count).first { !done.contains($0) && done.isSuperset(of: needs[$0]) }
    #expect(next == free, "seed \(seed)")
    done.insert(next)
  }
  #expect(done.count == count)
}
