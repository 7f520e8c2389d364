// Manifests: every form that is read, and every mistake with its place, all at once.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Foundation
import PipelineModel
import TestSupport
import Testing

private let params = """
  train:
    lr: 0.1
    layers: [8, 4]
  seed: 42
  data.url: here

  """

/// The one stage of a manifest that holds these lines below its name.
private func only(_ body: String, _ files: [String: String] = ["params.yaml": params]) throws -> Stage {
  let indented = body.split(separator: "\n").map { "    \($0)\n" }.joined()
  let stages = try pipeline("stages:\n  s:\n\(indented)", files).stages
  return try #require(stages.first)
}

/// The mistakes of a stage that has a `cmd` and these lines.
private func wrong(_ body: String, _ files: [String: String] = ["params.yaml": params]) -> String {
  let indented = body.split(separator: "\n").map { "    \($0)\n" }.joined()
  return complaints("stages:\n  s:\n    cmd: x\n\(indented)", files)
}

@Suite struct `A manifest is read when it holds` {
  @Test func `a title, a description, report sources, models and stages in their order`() throws {
    let result = try pipeline(
      """
      title: Delivery
      desc: when it comes
      meta: {anything: [1]}
      report: {evaluation: m/e.json, gates: ./m/gates.json}
      models:
        eta: {version: v.json, bundle: models/eta}
      stages:
        b: {cmd: x}
        a: {cmd: y}
      """)
    #expect(result.title == "Delivery" && result.description == "when it comes")
    #expect(result.reportSources.map { "\($0.role) \($0.path)" } == ["evaluation m/e.json", "gates m/gates.json"])
    let version = try #require(WorkspacePath("v.json"))
    let bundle = try #require(WorkspacePath("models/eta"))
    #expect(result.models == [ModelDeclaration(name: "eta", version: version, bundle: bundle)])
    #expect(result.stages.map(\.name) == ["b", "a"])
    #expect(result.stage(named: "a")?.location == SourceLocation(file: "pipeline.yaml", line: 9, column: 3))
    #expect(try pipeline("stages: {}").stages.isEmpty)
    #expect(try pipeline("stages:").stages.isEmpty)
  }

  @Test func `evaluations with all that they may say, and the report's baseline`() throws {
    let result = try pipeline(
      """
      report: {baseline: main}
      evaluations:
        short: {predictions: p.csv, task: regression}
        long:
          predictions: ./out/p.csv
          task: multiclass
          model: churn
          unit: min
          columns: {id: key, y_score: {a: p_a, 1: p_1}, slices: by_}
          positive: 1
          threshold: 0.25
          metrics: [accuracy, f1_macro]
          primary: f1_macro
          slices: [zone]
          slice_metrics: accuracy
          within: 5
          interval: 0.8
          at: [1, 3]
          relevant_from: 2
          baseline: v1.0
          tolerance: {accuracy: {abs: 0.01, rel: 0.1}, f1_macro: 0.02}
          gates:
            - {metric: accuracy, at_least: 0.7, label: good enough}
          bootstrap: {resamples: 500, seed: 7, level: 0.9}
          seasonality: 7
          horizon: 2
          block: 24
      stages: {}
      """)
    #expect(result.reportBaseline == "main")
    let place = { (line: Int) in SourceLocation(file: "pipeline.yaml", line: line, column: 3) }
    let short = EvaluationDeclaration(
      name: "short", predictions: try #require(WorkspacePath("p.csv")), task: "regression", location: place(3))
    var long = EvaluationDeclaration(
      name: "long", predictions: try #require(WorkspacePath("out/p.csv")), task: "multiclass", location: place(4))
    (long.model, long.unit, long.positive, long.threshold) = ("churn", "min", "1", 0.25)
    (long.columns, long.scoreColumns) = (["id": "key", "slices": "by_"], ["a": "p_a", "1": "p_1"])
    (long.metrics, long.primary) = (["accuracy", "f1_macro"], "f1_macro")
    (long.slices, long.sliceMetrics) = (["zone"], ["accuracy"])
    (long.within, long.interval, long.cutoffs, long.relevantFrom, long.baseline) = (5, 0.8, [1, 3], 2, "v1.0")
    long.tolerance = ["accuracy": .init(absolute: 0.01, relative: 0.1), "f1_macro": .init(absolute: 0.02)]
    long.gates = [.init(metric: "accuracy", label: "good enough", atLeast: 0.7)]
    (long.resamples, long.seed, long.level) = (500, 7, 0.9)
    (long.seasonality, long.horizon, long.blockLength) = (7, 2, 24)
    #expect(result.evaluations == [short, long])
  }

  @Test func `drift is one table or several, and its mistakes are told`() throws {
    let text = """
      report:
        baseline: main
        drift:
          - {data: a.csv, ignore: [id], psi: 0.1}
          - {data: b.csv, against: a.csv, columns: [x, y]}
      stages: {}
      """
    let drift = try pipeline(text).drift
    #expect(drift.map(\.data.text) == ["a.csv", "b.csv"] && drift.map(\.threshold) == [0.1, nil])
    #expect(drift[0].ignored == ["id"] && drift[0].columns == nil && drift[0].against == nil)
    #expect(drift[1].against?.text == "a.csv" && drift[1].columns == ["x", "y"])
    #expect(
      complaints("report: {drift: {baseline: x, against: y, psi: 0, column: [z]}}\nstages: {}\n") == """
        pipeline.yaml:1:10: error: `drift` has no `data`, the table to compare
        pipeline.yaml:1:10: error: `drift` has both `baseline` and `against`
        hint: one of them says what to compare with
        pipeline.yaml:1:48: error: `psi` has to be a number above 0, not `0`
        pipeline.yaml:1:51: error: key `column` is not known
        hint: did you mean `columns`?

        """)
  }

  @Test func `all mistakes of evaluations are told at once`() {
    let text = """
      report: {baseline: [a], evaluatoin: e.json}
      evaluations:
        a:
          predictions: ../p.csv
          task: regresion
          treshold: 0.5
          threshold: 2
        b: {within: 0, at: [0], tolerance: {mae: {absolute: 1}}, gates: [{metric: mae}, {at_most: 1}]}
        c: {predictions: p.csv, task: binary, columns: {truth: y}, bootstrap: {resamples: many, level: 1}, gates: [{metric: auc, at_least: x}]}
        "d e": {}
      stages: {}
      """
    #expect(
      complaints(text) == """
        pipeline.yaml:1:20: error: `baseline` has to be text, not a list
        pipeline.yaml:1:25: error: report role `evaluatoin` is not known
        hint: did you mean `evaluation`?
        pipeline.yaml:4:18: error: table of predictions `../p.csv` is not a path inside the project
        pipeline.yaml:5:11: error: task `regresion` is not known
        hint: did you mean `regression`?
        pipeline.yaml:6:5: error: key `treshold` is not known
        hint: did you mean `threshold`?
        pipeline.yaml:7:16: error: `threshold` has to be a number from 0 to 1, not `2`
        pipeline.yaml:8:3: error: evaluation `b` has no `predictions`, the table to evaluate
        pipeline.yaml:8:3: error: evaluation `b` has no `task`
        hint: tasks are regression, binary, multiclass, ranking, backtest
        pipeline.yaml:8:15: error: `within` has to be a number above 0, not `0`
        pipeline.yaml:8:23: error: `at` has to be a whole number from 1, not `0`
        pipeline.yaml:8:45: error: bound `absolute` is not known
        hint: known are abs, rel
        pipeline.yaml:8:68: error: the gate on `mae` has no bound
        hint: give it `at_least`, `at_most` or both
        pipeline.yaml:8:83: error: a gate needs a `metric`
        pipeline.yaml:9:51: error: column role `truth` is not known
        hint: known are id, y_true, y_pred, y_score, y_low, y_high, weight, group, time, window, slices
        pipeline.yaml:9:85: error: `resamples` has to be a whole number from 1, not `many`
        pipeline.yaml:9:98: error: `level` has to be a number between 0 and 1, not `1`
        pipeline.yaml:9:134: error: `at_least` has to be a number, not `x`
        pipeline.yaml:10:3: error: evaluation name `d e` has characters other than letters, digits, `-` and `_`

        """)
  }

  @Test func `one command, several, or a notebook`() throws {
    #expect(try only("cmd: echo \\${HOME} yes").work == .commands(["echo ${HOME} yes"]))
    #expect(try only("cmd: [a, 'b c']").work == .commands(["a", "b c"]))
    #expect(try only("cmd: |\n  one\n  two").work == .commands(["one\ntwo\n"]))
    #expect(try only("notebook: stages/a.qmd\nwdir: sub").work == .notebook(#require(WorkspacePath("stages/a.qmd"))))
  }

  @Test func `a working folder that paths are relative to`() throws {
    let stage = try only("cmd: x\nwdir: ./sub/\ndeps: [a, ../b, /etc/hosts]\nouts: [c]\nparams: [k]", ["sub/params.yaml": "k: 1"])
    #expect(stage.workingDirectory?.text == "sub")
    #expect(stage.dependencies.map(\.place.text) == ["sub/a", "b", "/etc/hosts"])
    #expect(stage.dependencies[2].path == nil)
    #expect(stage.outputs.map(\.path.text) == ["sub/c"])
    #expect(stage.parameters.map(\.file.text) == ["sub/params.yaml"])
    #expect(try only("cmd: x\nwdir: .").workingDirectory == nil)
  }

  @Test func `dependencies and outputs as lists, with options, or by name`() throws {
    let stage = try only(
      """
      cmd: x
      deps: {raw: data/raw, dir: {path: data/dir}}
      outs:
      - plain
      - kept: {cache: false, persist: true, desc: why, type: t, labels: [a], meta: {b: c}}
      - bare:
      metrics:
        score: m.json
        other: {path: n.json, cache: false}
      plots:
      - p.csv: {x: a, y: b, template: t, title: T, x_label: X, y_label: Y, header: false}
      """)
    #expect(stage.dependencies.map(\.name) == ["raw", "dir"])
    #expect(stage.dependencies.map(\.place.text) == ["data/raw", "data/dir"])
    #expect(
      stage.outputs.map { "\($0.name ?? "-") \($0.path) \($0.kind) \($0.isCached) \($0.isPersistent) \($0.isStored)" } == [
        "- plain data true false true", "- kept data false true false", "- bare data true false true",
        "score m.json metrics true false true", "other n.json metrics false false true", "- p.csv plot true false true",
      ])
    #expect(stage.outputs.map(\.location.line) == [6, 7, 8, 10, 11, 13])
    #expect(stage.dependencies[0].location == SourceLocation(file: "pipeline.yaml", line: 4, column: 17))
    #expect(try only("cmd: x\ndeps:\nouts:").dependencies.isEmpty)
  }

  @Test func `parameters by key, by file, whole files, and what is named twice once`() throws {
    let stage = try only(
      "cmd: x\nparams: [train.lr, train, train.layers.1, data.url, train.lr, {params.yaml: [seed, train.lr], conf/o.json: , e.yml: [a]}]",
      ["params.yaml": params, "conf/o.json": #"{"b": [1.5]}"#, "e.yml": "a: on"])
    #expect(
      stage.parameters.map { "\($0.file) \($0.key ?? "*") \($0.value?.json ?? "-")" } == [
        "params.yaml train.lr 0.1", #"params.yaml train {"lr": 0.1, "layers": [8, 4]}"#, "params.yaml train.layers.1 4",
        #"params.yaml data.url "here""#, "params.yaml seed 42", #"conf/o.json * {"b": [1.5]}"#, #"e.yml a "on""#,
      ])
  }

  @Test func `variables, flags and a description`() throws {
    let stage = try only(
      "cmd: x\nenv: {A: text, B: 1, C: 1.50, D: true, E: , F: '01'}\nfrozen: true\nalways_changed: True\ndesc: why\nmeta: 5")
    #expect(stage.environment.map { "\($0.name)=\($0.value)" } == ["A=text", "B=1", "C=1.5", "D=true", "E=null", "F=01"])
    #expect(stage.isFrozen && stage.alwaysChanged && stage.description == "why")
    let plain = try only("cmd: x")
    #expect(!plain.isFrozen && !plain.alwaysChanged && plain.description == nil && plain.environment.isEmpty)
  }
}

@Suite struct `Mistakes of a manifest` {
  @Test func `are all told at once, each with its place`() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let manifest = try folder.text(of: "Fixtures/mistakes.yaml")
    let found = complaints(manifest, ["params.yaml": params, "broken.yaml": "a: [1\nb: 2\n"])
    #expect(goldenMismatch(found, "mistakes.txt") == nil)
  }

  @Test func `that are six of different kinds give six messages with their places`() {
    let text = """
      stages:
        prepare:
          comand: ./prepare
          outs: [data/clean]
        train:
          cmd: ./train
          deps: [../outside]
          params: [train.lrr]
          frozen: yes
        bad name:
          cmd: x
      titel: six
      """
    #expect(
      complaints(text, ["params.yaml": params]) == """
        pipeline.yaml:2:3: error: stage `prepare` has no `cmd` and no `notebook`
        hint: did you mean `cmd` where `comand` stands?
        pipeline.yaml:3:5: error: stage key `comand` is not known
        hint: known are cmd, wdir, deps, outs, params, metrics, plots, vars, desc, frozen, always_changed, meta, notebook, env, mutex, resources, timeout, retries
        pipeline.yaml:7:12: error: dependency `../outside` is not a path inside the project
        pipeline.yaml:8:14: error: parameter `train.lrr` is not in params.yaml
        hint: did you mean `train.lr` (params.yaml:2)?
        pipeline.yaml:9:13: error: `frozen` has to be `true` or `false`, not `yes`
        pipeline.yaml:10:3: error: stage name `bad name` has characters other than letters, digits, `-` and `_`
        pipeline.yaml:12:1: error: key `titel` is not known
        hint: did you mean `title`?

        """)
  }

  @Test(arguments: [
    ("", "pipeline.yaml: error: `pipeline.yaml` is empty\nhint: `pipe init` writes a first pipeline\n"),
    ("[a]", "pipeline.yaml:1:1: error: `pipeline.yaml` has to be a mapping with `stages`, not a list\n"),
    ("title: x", "pipeline.yaml:1:1: error: `pipeline.yaml` has no `stages`\n"),
    ("stages: [a]", "pipeline.yaml:1:9: error: `stages` has to be a mapping, not a list\n"),
    ("stages: {a: }", "pipeline.yaml:1:13: error: stage `a` has to be a mapping, not nothing\n"),
  ])
  func `at the top`(_ text: String, _ message: String) {
    #expect(complaints(text) == message)
  }

  @Test func `about a missing parameter suggest a near one`() {
    #expect(
      wrong("params: [sed, nothing.like.it]") == """
        pipeline.yaml:4:14: error: parameter `sed` is not in params.yaml
        hint: did you mean `seed` (params.yaml:4)?
        pipeline.yaml:4:19: error: parameter `nothing.like.it` is not in params.yaml

        """)
  }

  @Test func `in a parameter file are told once, however many stages name it`() {
    let text = "stages:\n  a: {cmd: x, params: [lr, seed]}\n  b: {cmd: x, params: [lr, {other.json: [a, b]}]}\n"
    #expect(
      complaints(text, ["params.yaml": "lr: 1\nlr: 2\n"]) == """
        pipeline.yaml:3:42: error: parameter file `other.json` is not there
        params.yaml:2:1: error: key `lr` stands twice
        cause: the first is on line 1

        """)
    #expect(
      complaints(text) == """
        pipeline.yaml:2:24: error: parameter file `params.yaml` is not there
        pipeline.yaml:3:42: error: parameter file `other.json` is not there

        """)
  }

  @Test func `of names that a shell or a stage cannot tell apart are told`() {
    #expect(
      wrong("params: [a.b, a_b]", ["params.yaml": "a: {b: 1}\na_b: 2"])
        == "pipeline.yaml:2:3: error: parameters `a.b` and `a_b` are both `PIPE_PARAM_a_b` to a shell\n")
    #expect(
      wrong("params: [a, {o.yaml: [a]}]", ["params.yaml": "a: 1", "o.yaml": "a: 1"])
        == "pipeline.yaml:2:3: error: parameter `a` is named from `params.yaml` and from `o.yaml`, and a stage knows it by one name\n"
    )
    #expect(
      wrong("deps: {a-b: x}\nouts: {a_b: y}")
        == "pipeline.yaml:5:17: error: names `a-b` and `a_b` of stage `s` are the same to a shell\n")
  }

  @Test(arguments: [
    ("env: {'': x}", "pipeline.yaml:4:11: error: `` cannot be the name of a variable\n"),
    ("env: {A=B: x}", "pipeline.yaml:4:11: error: `A=B` cannot be the name of a variable\n"),
    (#"env: {A: "x\0"}"#, "pipeline.yaml:4:14: error: variable `A` holds a NUL, which no program can be given\n"),
    ("env: {A: [x]}", "pipeline.yaml:4:14: error: variable `A` has to be text, not a list\n"),
    ("env: text", "pipeline.yaml:4:10: error: `env` has to be a mapping, not text\n"),
    ("deps: [a: true]", "pipeline.yaml:4:15: error: the options of `a` have to be a mapping, not true or false\n"),
    ("deps: [a: {cache: false}]", "pipeline.yaml:4:15: error: a dependency has no options\n"),
    (
      "deps: {a/b: }",
      "pipeline.yaml:4:12: error: `deps` as a mapping is `name: path`; `a/b` is not a name\nhint: write `- a/b` in a list, or give it a name\n"
    ),
    ("deps: {a: {cache: false}}", "pipeline.yaml:4:12: error: `a` has no `path`\n"),
    ("deps: text", "pipeline.yaml:4:11: error: `deps` has to be a list of paths or a mapping `name: path`, not text\n"),
    ("deps: [[a]]", "pipeline.yaml:4:12: error: `deps` has to be text, not a list\n"),
    ("outs: [{}]", "pipeline.yaml:4:12: error: an entry of `outs` is a path, or one path with its options\n"),
    ("outs: [/abs]", "pipeline.yaml:4:12: error: output `/abs` is not a path inside the project\n"),
    ("outs: [a: {cach: false}]", "pipeline.yaml:4:16: error: option `cach` is not known\nhint: did you mean `cache`?\n"),
    ("outs: [a: {cache: no}]", "pipeline.yaml:4:23: error: `cache` has to be `true` or `false`, not `no`\n"),
    (
      "outs: [a: {x: y}]",
      "pipeline.yaml:4:16: error: option `x` is not known\nhint: known are cache, persist, push, remote, desc, type, labels, meta\n"
    ),
    (
      "params: seed",
      "pipeline.yaml:4:13: error: `params` has to be a list, not text\nhint: write `- train.lr`, or `- other.yaml: [key]`\n"
    ),
    ("params: [{params.yaml: seed}]", "pipeline.yaml:4:28: error: the keys of `params.yaml` have to be a list, not text\n"),
    ("params: [{../p.yaml: [a]}]", "pipeline.yaml:4:15: error: `../p.yaml` is not a path inside the project\n"),
    ("wdir: ..", "pipeline.yaml:4:11: error: wdir `..` is not a path inside the project\n"),
    ("notebook: a.qmd", "pipeline.yaml:4:15: error: stage `s` has both `cmd` and `notebook`\nhint: keep one\n"),
    ("desc: [a]", "pipeline.yaml:4:11: error: `desc` has to be text, not a list\n"),
  ])
  func `in a stage say what is wrong and where`(_ body: String, _ message: String) {
    #expect(wrong(body) == message)
  }

  @Test(arguments: [
    ("{cmd: ''}", "pipeline.yaml:2:12: error: `cmd` is empty\n"),
    ("{cmd: []}", "pipeline.yaml:2:12: error: `cmd` is an empty list\n"),
    ("{cmd: }", "pipeline.yaml:2:12: error: `cmd` has to be text, not nothing\n"),
    (#"{cmd: "a\0b"}"#, "pipeline.yaml:2:12: error: `cmd` holds a NUL, which no program can be given\n"),
    ("{cmd: [a, [b]]}", "pipeline.yaml:2:16: error: `cmd` has to be text, not a list\n"),
    ("{}", "pipeline.yaml:2:3: error: stage `s` has no `cmd` and no `notebook`\n"),
    ("{notebook: ../n.qmd}", "pipeline.yaml:2:17: error: notebook `../n.qmd` is not a path inside the project\n"),
  ])
  func `in what a stage runs say what is wrong and where`(_ stage: String, _ message: String) {
    #expect(complaints("stages:\n  s: \(stage)\n") == message)
  }
}

@Test func `a name becomes part of a variable by replacing what a shell does not take`() {
  #expect(environmentName("train.lr-2 é") == "train_lr_2__")
}

@Test func `several manifests are one pipeline, with the title of the one at the root`() throws {
  let sub = try reading("title: Sub\nparams: [p.yaml]\nstages: {s: {cmd: x}}", at: "sub/pipeline.yaml").pipeline
  let root = try reading("title: Root\nmetrics: [m.json]\nstages: {s: {cmd: x}}").pipeline
  let merged = Pipeline.merging([sub, root])
  #expect(merged.title == "Root" && merged.file == "pipeline.yaml")
  #expect(merged.stages.map(\.name) == ["sub/pipeline.yaml:s", "s"])
  #expect(merged.parameterFiles.map(\.text) == ["sub/p.yaml"] && merged.metricsFiles.map(\.text) == ["m.json"])
  #expect(Pipeline.merging([sub]).title == "Sub")
}
