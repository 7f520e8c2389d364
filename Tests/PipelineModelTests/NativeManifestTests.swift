// What a manifest of the native dialect may say beyond DVC's: defaults, stages from files, resources, times.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import Testing

@Suite struct `The native dialect` {
  private func native(
    _ text: String, _ files: [String: String] = [:], matches: [String] = [], variables: [String: String] = [:],
    at manifest: String = "pipeline.yaml"
  ) throws(DiagnosticList) -> ManifestReading {
    try reading(text, files, at: manifest, matches: matches, variables: variables)
  }

  @Test func `reads the environment, defaults and names made from values`() throws {
    let read = try native(
      "stages: {s: {cmd: 'x ${env.GPU} ${env.NONE:-none} ${env.EMPTY:-e} ${lr:-0.5} ${nothing:-was null} ${a:-7} ${m.${which}} ${zz:-${a}} ${env.NONE:-}'}}",
      ["params.yaml": "a: 1\nnothing:\nm: {k: 2}\nwhich: k"], variables: ["GPU": "1", "EMPTY": ""])
    #expect(read.pipeline.stages.map(\.line) == ["s: x 1 none e 0.5 was null 1 2 1 "])
    #expect(read.variablesRead == ["GPU", "NONE", "EMPTY"])
    #expect(
      try native("stages: {s: {cmd: x, frozen: '${f:-true}', env: {N: '${a:-1.50}'}}}").pipeline.stages.map {
        "\($0.isFrozen) \($0.environment)"
      } == [#"true [PipelineModel.EnvironmentVariable(name: "N", value: "1.5")]"#])
    #expect(
      try native("stages: {s: {cmd: 'x ${env.A}'}}", ["params.yaml": "env: {A: mine}"]).pipeline.stages[0].command == "x mine")
  }

  @Test func `makes a stage for each file`() throws {
    let read = try native(
      "stages: {s: {foreach: {files: 'data/*.csv'}, do: {cmd: 'x ${item} ${item.name} ${item.stem} ${key}', deps: ['${item}'], outs: ['out/${item.stem}.txt']}}}",
      matches: ["data/b.tar.csv", "data/a.csv"])
    #expect(
      read.pipeline.stages.map(\.line) == [
        "s@a: x data/a.csv a.csv a a > out/a.txt", "s@b.tar: x data/b.tar.csv b.tar.csv b.tar b.tar > out/b.tar.txt",
      ])
    let sub = try native(
      "stages: {s: {foreach: {files: ['../in/*.csv']}, do: {cmd: 'x ${item}', deps: ['${item}']}}}", matches: ["in/a.csv"],
      at: "sub/pipeline.yaml")
    #expect(
      sub.pipeline.stages.map { "\($0.name) \($0.command) \($0.dependencies[0].place.text)" } == [
        "sub/pipeline.yaml:s@a x ../in/a.csv in/a.csv"
      ])
  }

  @Test func `takes a mapping of files without a pattern as DVC does`() throws {
    #expect(
      try native("stages: {s: {foreach: {files: all}, do: {cmd: 'x ${item} ${key}'}}}").pipeline.stages.map(\.line) == [
        "s@files: x all files"
      ])
  }

  @Test func `has patterns, exclusion, resources, a time limit and further attempts`() throws {
    let stage = try #require(
      try native(
        "stages: {s: {cmd: x, deps: ['data/**/*.csv', plain], mutex: [gpu, db], resources: {gpu: 1, memory_gb: 8}, timeout: 5m, retries: 2}}"
      ).pipeline.stages.first)
    guard case .pattern(let pattern) = stage.dependencies[0].place else {
      Issue.record("no pattern")
      return
    }
    #expect(pattern.text == "data/**/*.csv" && stage.dependencies[1].path?.text == "plain")
    #expect(stage.mutexes == ["gpu", "db"] && stage.resources == ["gpu": 1, "memory_gb": 8])
    #expect(stage.timeoutSeconds == 300 && stage.retries == 2)
    #expect(try native("stages: {s: {cmd: x, mutex: one, timeout: 90}}").pipeline.stages.map(\.mutexes) == [["one"]])
    #expect(try dvc("stages: {s: {cmd: x, deps: ['data/*.csv']}}").stages[0].dependencies[0].path?.text == "data/*.csv")
  }

  @Test(arguments: [("30s", 30.0), ("1.5", 1.5), ("2h", 7200), ("1d", 86400), ("0.5m", 30)])
  func `reads times`(_ text: String, _ seconds: Double) throws {
    #expect(try native("stages: {s: {cmd: x, timeout: \(text)}}").pipeline.stages[0].timeoutSeconds == seconds)
  }

  @Test(arguments: [
    ("timeout: 0", "`timeout` has to be a time above 0, not `0`\nhint: write `90` or `90s` for seconds, `5m`, `2h`, `1d`"),
    ("timeout: soon", "`timeout` has to be a time above 0, not `soon`\nhint: write `90` or `90s` for seconds, `5m`, `2h`, `1d`"),
    ("retries: -1", "`retries` has to be a whole number from 0 to 1000, not `-1`"),
    ("retries: 1.5", "`retries` has to be a whole number from 0 to 1000, not `1.5`"),
    ("mutex: {a: 1}", "`mutex` has to be text, not a mapping"),
    ("resources: [gpu]", "`resources` has to be a mapping, not a list"),
  ])
  func `tells what is wrong with them`(_ field: String, _ message: String) {
    let column = 22 + (field.firstIndex(of: " ").map { field.distance(from: field.startIndex, to: $0) } ?? 0) + 1
    #expect(complaints("stages: {s: {cmd: x, \(field)}}") == "pipeline.yaml:1:\(column): error: \(message)\n")
  }

  @Test func `refuses a variable that is not there, files of one name, and nesting without end`() {
    #expect(
      complaints("stages: {s: {cmd: 'x ${env.NO}'}}")
        == "pipeline.yaml:1:22: error: the environment has no variable `NO`\nhint: give a default: `${env.NO:-text}`\n")
    do {
      _ = try native("stages:\n  s: {foreach: {files: '**/*.csv'}, do: {cmd: x}}", matches: ["a/x.csv", "b/x.csv"])
      Issue.record("read")
    } catch {
      #expect(
        lines(error) == """
          pipeline.yaml:2:3: error: files `a/x.csv` and `b/x.csv` would both be stage `s@x`
          hint: name one of them otherwise, or give each folder a stage of its own

          """)
    }
    let deep = String(repeating: "${a.", count: 40) + "a" + String(repeating: "}", count: 40)
    #expect(complaints("stages: {s: {cmd: 'x \(deep)'}}").contains("error: `${…}` nests deeper than 16"))
  }

  @Test(arguments: [
    ("notebook: n.qmd", "stage key `notebook` is not one of DVC's"), ("env: {A: b}", "stage key `env` is not one of DVC's"),
    ("mutex: [a]", "stage key `mutex` is not one of DVC's"), ("resources: {}", "stage key `resources` is not one of DVC's"),
    ("timeout: 5", "stage key `timeout` is not one of DVC's"), ("retries: 1", "stage key `retries` is not one of DVC's"),
  ])
  func `is pointed to where DVC's has no such key`(_ field: String, _ message: String) {
    #expect(
      dvcComplaints("stages: {s: {cmd: x, \(field)}}")
        == "dvc.yaml:1:22: error: \(message)\nhint: native only: rename `dvc.yaml` to `pipeline.yaml`\n")
  }

  @Test func `is pointed to at the top and for names of paths`() {
    #expect(
      dvcComplaints("title: t\nmodels: {}\nstages: {s: {cmd: x, deps: {a: b}}}") == """
        dvc.yaml:1:1: error: key `title` is not one of DVC's
        hint: native only: rename `dvc.yaml` to `pipeline.yaml`
        dvc.yaml:2:1: error: key `models` is not one of DVC's
        hint: native only: rename `dvc.yaml` to `pipeline.yaml`
        dvc.yaml:3:28: error: `deps` has to be a list of paths, not a mapping
        hint: native only: rename `dvc.yaml` to `pipeline.yaml`

        """)
  }

  @Test func `leaves a parameter alone that a stage makes`() throws {
    let read = try native("stages: {a: {cmd: x, outs: [made]}, b: {cmd: y, params: [made/p.yaml: [k]]}}")
    #expect(read.pipeline.stages[1].parameters.map(\.value) == [nil])
    #expect(
      complaints("stages: {b: {cmd: y, params: [made/p.yaml: [k]]}}")
        == "pipeline.yaml:1:45: error: parameter file `made/p.yaml` is not there\n")
  }
}
