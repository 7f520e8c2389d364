// A manifest of DVC's dialect without templates: expected values are what DVC 3.67.1 made of it.
// SPDX-License-Identifier: Apache-2.0
import PipelineModel
import Testing

@Suite struct `DVC's dialect` {
  @Test func `has outputs with their options, joined when one stands twice`() throws {
    let stage = try #require(
      try dvc(
        """
        stages:
          s:
            cmd: x
            outs: [a, {a: {cache: false}, b: {persist: true, push: false, remote: r, checkpoint: true}}]
            plots: [p: {x: u, header: false, cache: false}, q]
        """
      ).stages.first)
    #expect(
      stage.outputs.map {
        "\($0.path) \($0.isCached) \($0.isPersistent) \($0.isPushed) \($0.remote ?? "-") \($0.plotOptions.json)"
      } == [
        "a false false true - null", "b true true false r null", #"p false false true - {"x": "u", "header": false}"#,
        "q true false true - null",
      ])
  }

  @Test func `names whole files by nothing or an empty list, which then hide their keys`() throws {
    let stage = try #require(
      try dvc("stages: {s: {cmd: x, params: [a, {params.yaml: }, {o.yaml: []}, {p.yaml: [k, k]}]}}").stages.first)
    #expect(stage.parameters.map { "\($0.file) \($0.key ?? "*")" } == ["params.yaml *", "o.yaml *", "p.yaml k"])
  }

  @Test(arguments: ["", "# nothing", "stages: {}", "plots: [p.csv]", "datasets: []"])
  func `takes a manifest without stages`(_ text: String) throws {
    #expect(try dvc(text).stages.isEmpty)
  }

  @Test(arguments: [
    ("stages:", "1:8: error: `stages` has to be a mapping, not nothing"),
    ("stages: {s: {}}", "1:10: error: stage `s` has no `cmd`"),
    ("stages: {s: {cmd: 5}}", "1:19: error: `cmd` has to be text, not a number\nhint: put it in quotes: `\"5\"`"),
    ("stages: {s: {cmd: x, deps: [5]}}", "1:29: error: `deps` has to be text, not a number\nhint: put it in quotes: `\"5\"`"),
    ("stages: {s: {cmd: x, outs: }}", "1:28: error: `outs` has to be a list of paths, not nothing"),
    ("stages: {s: {cmd: x, outs: [o: ]}}", "1:32: error: the options of `o` have to be a mapping, not nothing"),
    ("stages: {s: {cmd: x, frozen: yes}}", "1:30: error: `frozen` has to be `true` or `false`, not `yes`"),
    ("stages: {s: {cmd: x, wdir: ..}}", "1:28: error: wdir `..` is not a path inside the project"),
    ("stages: {a@b: {cmd: x}}", "1:10: error: stage name `a@b` has `@`, which only `foreach` and `matrix` put there"),
    ("stages: {s: {cmd: x, dep: [a]}}", "1:22: error: stage key `dep` is not known\nhint: did you mean `deps`?"),
    (
      "stages: {s: {cmd: x, deps: ['s3://b/k']}}",
      "1:29: error: dependency `s3://b/k` is an address elsewhere, and only files are read\nhint: fetch it in a stage of its own"
    ),
    ("plots: {p: {x: a}}", "1:8: error: `plots` has to be a list, not a mapping"),
    ("plots: [p: {x: 5}]", "1:16: error: `x` has to be text, not a number\nhint: put it in quotes: `\"5\"`"),
    ("plots: [p: {z: a}]", "1:13: error: option `z` is not known\nhint: did you mean `x`?"),
    ("artifacts: {m: {type: x}}", "1:13: error: artifact `m` has no `path`"),
    ("metrics: m.json", "1:10: error: `metrics` has to be a list, not text"),
  ])
  func `is as strict as DVC`(_ text: String, _ message: String) {
    #expect(dvcComplaints(text) == "dvc.yaml:\(message)\n")
  }

  @Test func `names stages more freely`() throws {
    #expect(try dvc("stages: {'a b': {cmd: x}, é: {cmd: x}, a.b: {cmd: x}}").stages.map(\.name) == ["a b", "é", "a.b"])
  }

  @Test func `leaves a command of several lines as one text`() throws {
    let stage = try #require(try dvc("stages:\n  s:\n    cmd: |\n      cd x\n      pwd\n").stages.first)
    #expect(stage.work == .commands(["cd x\npwd\n"]) && !stage.isCommandList)
  }
}
