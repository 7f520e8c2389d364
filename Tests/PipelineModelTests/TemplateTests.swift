// `vars`, `${…}`, `foreach` and `matrix`: expected values are what DVC 3.67.1 made of the same manifest.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import TestSupport
import Testing

private let params = """
  a: 1
  f: 1.50
  big: 1e10
  small: 0.00001
  neg: -0.0
  b: true
  n:
  t: text
  l: [1, 'a b', true, null, 1.5]
  d: {x: 1, y: {z: 'q w', t: true, u: false, n: null, l: [1, 'a b', true], e: [], ed: {}}}
  m: {k: {z: 9}}
  x-y: dash
  a b: space

  """

private func dvc(
  _ text: String, _ files: [String: String] = ["params.yaml": params], at manifest: String = "dvc.yaml",
  settings: InterpolationSettings = InterpolationSettings()
) throws(DiagnosticList) -> Pipeline {
  try reading(text, files, at: manifest, .dvc, settings: settings).pipeline
}

private func dvcComplaints(_ text: String, _ files: [String: String] = ["params.yaml": params]) -> String {
  do {
    _ = try dvc(text, files)
    return ""
  } catch {
    return lines(error)
  }
}

extension Stage {
  fileprivate var command: String {
    if case .commands(let commands) = work { return commands.joined(separator: " ;; ") }
    return "-"
  }

  /// Name, command and outputs.
  fileprivate var line: String { "\(localName): \(command)" + outputs.map { " > \($0.path)" }.joined() }
}

@Suite struct `An expression` {
  @Test(arguments: [
    ("${a} ${f} ${big} ${small} ${neg}", "1 1.5 10000000000.0 1e-05 -0.0"), ("${b} ${n} ${t}", "true None text"),
    ("${l[0]} ${l[-1]} ${l.1} ${l[ 0 ]} ${l[+0]}", "1 1.5 a b 1 1"), ("${m.k.z} ${m[k][z]} ${m.k[z]} ${ m . k . z }", "9 9 9 9"),
    ("${x-y} ${a b}", "dash space"), ("$${a} {${a}} ${a}}", "$1 {1} 1}"), ("$ {a} #{a} ${a", "$ {a} #{a} ${a"),
    (#"\${a} ${a} \${"#, "${a} 1 ${"), (#"\\${a}"#, #"\${a}"#), ("a\n${a}\n${a\n}", "a\n1\n${a\n}"), ("${a}${a}", "11"),
    ("x ${d} y", "x --x 1 --y.z 'q w' --y.t --y.n None --y.l 1 'a b' True y"), ("x ${m.k}", "x --z 9"),
  ])
  func `in a command is replaced`(_ text: String, _ command: String) throws {
    let stage = try #require(try dvc("stages:\n  s:\n    cmd: \(jsonQuoted("e " + text))\n").stages.first)
    #expect(stage.command == "e " + command)
  }

  @Test func `makes options as the configuration says`() throws {
    let text = "stages: {s: {cmd: 'x ${d}'}}"
    let files = ["params.yaml": "d: {a: [x, \"it's\"], t: true, f: false, e: '', u: é, sp: '~', p: a/b.c@d=e}"]
    func command(_ flags: InterpolationSettings.Flags, _ lists: InterpolationSettings.Lists) throws -> String? {
      try dvc(text, files, settings: InterpolationSettings(flags: flags, lists: lists)).stages.first?.command
    }
    #expect(
      try command(.storeTrue, .nargs) == #"x --a x 'it'"'"'s' --t --e '' --u 'é' --sp '~' --p a/b.c@d=e"#)
    #expect(
      try command(.booleanOptional, .append) == #"x --a x --a 'it'"'"'s' --t --no-f --e '' --u 'é' --sp '~' --p a/b.c@d=e"#)
  }

  @Test func `that is the whole text keeps the type of its value`() throws {
    let stage = try #require(
      try dvc(
        """
        plots: [p.csv: {x: '${t}', y: '${cols}', title: 'a ${a}'}]
        artifacts: {'m${a}': {path: '${t}', labels: ['${t}'], meta: {flag: '${b}', text: 'is ${b}'}}}
        metrics: ['${t}/m.json']
        params: ['${t}.yaml']
        stages: {s: {cmd: x}}
        """, ["params.yaml": "a: 1\nb: true\nt: text\ncols: [u, v]"]) as Pipeline?)
    #expect(stage.plots.map(\.options.json) == [#"{"x": "text", "y": ["u", "v"], "title": "a 1"}"#])
    #expect(
      stage.artifacts.map { "\($0.name) \($0.path) \($0.annotations.json)" } == [
        #"m1 text {"labels": ["text"], "meta": {"flag": true, "text": "is true"}}"#
      ])
    #expect(stage.metricsFiles.map(\.text) == ["text/m.json"] && stage.parameterFiles.map(\.text) == ["text.yaml"])
  }

  @Test func `stands in every field, keys of outputs and parameters included`() throws {
    let stage = try #require(
      try dvc(
        """
        stages:
          s:
            cmd: [x, 'y ${a}']
            wdir: ${t}
            desc: of ${t}
            deps: ['${t}.in']
            outs: ['${t}': {cache: false, desc: '${t}'}]
            params: ['${t}', '${t}.json': ['${x-y}']]
            plots: ['${t}.csv': {x: '${x-y}'}]
        """
      ).stages.first)
    #expect(stage.line == "s: x ;; y 1 > text/text > text/text.csv")
    #expect(stage.isCommandList && stage.description == "of text" && stage.workingDirectory?.text == "text")
    #expect(stage.dependencies.map(\.place.text) == ["text/text.in"])
    #expect(stage.parameters.map { "\($0.file) \($0.key ?? "*")" } == ["text/params.yaml text", "text/text.json dash"])
    #expect(stage.outputs.map(\.plotOptions.json) == ["null", #"{"x": "dash"}"#])
  }

  @Test(arguments: [
    ("x ${a.}", "8: error: `${a.}` is not a name\nhint: a name is keys and places in lists, as in `${train.layers[0]}`"),
    ("x ${}", "8: error: `${}` is not a name\nhint: a name is keys and places in lists, as in `${train.layers[0]}`"),
    ("x ${l[0]x}", "8: error: `${l[0]x}` is not a name\nhint: a name is keys and places in lists, as in `${train.layers[0]}`"),
    ("x ${l[9]}", "8: error: `${l[9]}` names nothing\nhint: names come from params.yaml beside the manifest and from `vars`"),
    ("x ${m.kk}", "8: error: `${m.kk}` names nothing\nhint: did you mean `${m.k}`?"),
    ("x ${a} ${HOME}", "13: error: `${HOME}` names nothing\nhint: write `\\${HOME}` when the shell is to read it"),
    (
      "x \\${a} é ${t.u}",
      "16: error: `${t.u}` names nothing\nhint: names come from params.yaml beside the manifest and from `vars`"
    ),
    ("x ${l}", "8: error: `${l}` is a list, and text cannot hold one\nhint: name one of its items: `${NAME[0]}`"),
    ("x ${env.HOME}", "8: error: `${env.HOME}` names nothing\nhint: native only: rename `dvc.yaml` to `pipeline.yaml`"),
    ("x ${zz:-1}", "8: error: `${zz:-1}` names nothing\nhint: native only: rename `dvc.yaml` to `pipeline.yaml`"),
    ("x ${m.${t}}", "8: error: `${m.${t}` names nothing\nhint: native only: rename `dvc.yaml` to `pipeline.yaml`"),
  ])
  func `that is wrong is told where it stands`(_ command: String, _ message: String) {
    // The command begins in column 6 of line 4, on a line of its own.
    #expect(dvcComplaints("stages:\n  s:\n    cmd: |\n     \(command)\n") == "dvc.yaml:4:\(message)\n")
  }

  @Test func `that is a mapping and all of a command is refused`() {
    #expect(
      dvcComplaints("stages: {s: {cmd: '${d}'}}")
        == "dvc.yaml:1:20: error: `${d}` is a mapping, which becomes options: a program has to stand before it\n")
  }

  @Test func `in a field of flags, or of a list in other fields, is refused as by DVC`() {
    #expect(
      dvcComplaints("stages: {s: {cmd: x, frozen: '${b}', outs: [o: {cache: '${b}'}], meta: {frozen: '${b}'}}}") == """
        dvc.yaml:1:30: error: `frozen` has to be `true` or `false`, not `${b}`
        dvc.yaml:1:56: error: `cache` has to be `true` or `false`, not `${b}`

        """)
    #expect(
      dvcComplaints("stages: {s: {cmd: x, deps: ['${l}', '${d}']}}") == """
        dvc.yaml:1:30: error: `${l}` is a list, and text cannot hold one
        hint: name one of its items: `${NAME[0]}`
        dvc.yaml:1:38: error: `${d}` is a mapping, and text cannot hold one
        hint: name one of its keys: `${NAME.key}`

        """)
  }
}

@Suite struct `Variables` {
  @Test func `come from params.yaml, from files in four formats, from chosen keys and from the manifest`() throws {
    let pipeline = try dvc(
      """
      vars: [conf/v.yaml, j.json, t.toml, p.py, 'k.yaml:one,two', {in: {line: 5}}, params.yaml]
      stages: {s: {cmd: 'x ${a} ${v} ${j} ${t.u} ${P.Q} ${one} ${two} ${in.line}'}}
      """,
      [
        "params.yaml": "a: 1", "conf/v.yaml": "v: 2", "j.json": #"{"j": null}"#, "t.toml": "[t]\nu = true",
        "p.py": "class P:\n  Q = 1.50",
        "k.yaml": "one: 1\ntwo: 2\na: 3",
      ])
    #expect(pipeline.stages.map(\.line) == ["s: x 1 2 None true 1.5 1 2 5"])
  }

  @Test func `are joined mapping by mapping`() throws {
    let pipeline = try dvc(
      "vars: [a.yaml, b.yaml, {m: {k: 3}}]\nstages: {s: {cmd: 'x ${m} ${m.k}'}}", ["a.yaml": "m: {i: 1}", "b.yaml": "m: {j: 2}"])
    #expect(pipeline.stages.map(\.line) == ["s: x --i 1 --j 2 --k 3 3"])
  }

  @Test func `of a stage are its own, from files in its folder`() throws {
    let pipeline = try dvc(
      """
      stages:
        s: {cmd: 'x ${v} ${a}', wdir: '${a}', vars: [k.yaml]}
        t: {cmd: 'y ${v}', vars: [{v: 3}]}
      """, ["params.yaml": "a: dir", "dir/k.yaml": "v: 2"])
    #expect(pipeline.stages.map(\.line) == ["s: x 2 dir", "t: y 3"])
  }

  @Test func `and paths are relative to the manifest's folder`() throws {
    let pipeline = try dvc(
      """
      vars: [v.yaml, ../w.yaml]
      metrics: [m.json]
      stages:
        s: {cmd: 'x ${a} ${b} ${p}', wdir: '${a}', deps: [d, ../e], params: [p, ../o.yaml: [k]], outs: [o]}
        t: {cmd: y, wdir: .., deps: [q]}
      """, ["sub/v.yaml": "a: dir", "w.yaml": "b: 2", "sub/params.yaml": "p: 1", "params.yaml": "p: 2"], at: "sub/dvc.yaml")
    #expect(pipeline.stages.map(\.name) == ["sub/dvc.yaml:s", "sub/dvc.yaml:t"])
    #expect(pipeline.stages.map(\.line) == ["s: x dir 2 1 > sub/dir/o", "t: y"])
    #expect(pipeline.stages.map { $0.workingDirectory?.text } == ["sub/dir", nil])
    #expect(pipeline.stages.flatMap { $0.dependencies.map(\.place.text) } == ["sub/dir/d", "sub/e", "q"])
    #expect(pipeline.stages[0].parameters.map(\.file.text) == ["sub/dir/params.yaml", "sub/o.yaml"])
    #expect(pipeline.stages.allSatisfy { $0.manifest?.text == "sub/dvc.yaml" && $0.location.file == "sub/dvc.yaml" })
    #expect(pipeline.metricsFiles.map(\.text) == ["sub/m.json"])
  }

  @Test(arguments: [
    (
      "[{a: 1}]",
      "1:8: error: `a` is given by `dvc.yaml:1` and by `params.yaml`\nhint: values are joined key by key, and one is never put in another's place"
    ),
    (
      "[{l: [3]}]",
      "1:8: error: `l` is given by `dvc.yaml:1` and by `params.yaml`\nhint: values are joined key by key, and one is never put in another's place"
    ),
    (
      "[{m: {k: {z: 9}}}]",
      "1:8: error: `m.k.z` is given by `dvc.yaml:1` and by `params.yaml`\nhint: values are joined key by key, and one is never put in another's place"
    ),
    (
      "['params.yaml:a']",
      "1:8: error: `params.yaml:a` takes in what `vars` has already from `params.yaml`\nhint: all of `params.yaml` is there without it"
    ),
    (
      "['v.yaml:q', 'v.yaml:r,q']",
      "1:20: error: `v.yaml:r,q` takes in what `vars` has already from `v.yaml`\nhint: name each key of a file once"
    ),
    (
      "['v.yaml:q', v.yaml]",
      "1:20: error: `v.yaml` takes in what `vars` has already from `v.yaml`\nhint: name each key of a file once"
    ),
    ("['v.yaml:qq']", "1:8: error: key `qq` is not in v.yaml\nhint: did you mean `q`?"),
    ("[nope.yaml]", "1:8: error: file `nope.yaml` of `vars` is not there"),
    ("['${a}']", "1:8: error: `vars` takes nothing of the kind `${…}`"),
    ("[{z: ['${a}']}]", "1:8: error: `vars` takes nothing of the kind `${…}`"),
    ("[5]", "1:8: error: `vars` has to be text, not a number\nhint: put it in quotes: `\"5\"`"),
    ("{z: 1}", "1:7: error: `vars` has to be a list, not a mapping"),
    ("[../../x.yaml]", "1:8: error: file `../../x.yaml` of `vars` is not a path inside the project"),
    ("[{d2: 2020-01-01}]", "1:13: error: a date is not taken in `vars`\nhint: put it in quotes"),
  ])
  func `that clash or are not there are told`(_ vars: String, _ message: String) {
    let files = ["params.yaml": params, "v.yaml": "q: 1\nr: 2"]
    #expect(dvcComplaints("vars: \(vars)\nstages: {}", files) == "dvc.yaml:\(message)\n")
  }

  @Test(arguments: [
    (
      "params.yaml", "a: {b: [2020-01-01]}",
      "params.yaml:1:9: error: `a.b.0` is a date, which DVC does not take in a file that `${…}` may name\nhint: put it in quotes\n"
    ),
    ("params.yaml", "- a", "params.yaml:1:1: error: `params.yaml` has to hold a mapping, for `${…}` to name what is in it\n"),
    ("p.py", "A = 1\nB = (1, 2)", "p.py:2:1: error: `B` is a tuple, which DVC does not take in a file that `${…}` may name\n"),
  ])
  func `of types that DVC does not take are told`(_ name: String, _ text: String, _ message: String) {
    let vars = name == "params.yaml" ? "" : "vars: [\(name)]\n"
    #expect(dvcComplaints("\(vars)stages: {s: {cmd: x}}", [name: text]) == message)
  }

  @Test func `that are absent or dates in a file for params alone are no mistake in DVC's dialect`() throws {
    let read = try reading(
      "stages: {s: {cmd: x, params: [a, o.yaml: [d, e], gone.toml: ]}}", ["params.yaml": "b: 1", "o.yaml": "d: 2020-01-01"],
      at: "dvc.yaml",
      .dvc)
    #expect(
      read.pipeline.stages[0].parameters.map { "\($0.key ?? "*")=\($0.value?.json ?? "absent")" } == [
        "a=absent", #"d="2020-01-01""#, "e=absent", "*=absent",
      ])
    #expect(read.filesRead.map(\.text) == ["params.yaml", "o.yaml", "gone.toml"])
  }
}

@Suite struct `Stages made from a list` {
  @Test(arguments: [
    ("[true, ~, 1.0, 1e10, x, '1', 1, 0o17]", "true None 1.0 10000000000.0 x 1 15", "true None 1.0 10000000000.0 x 1 15"),
    ("${flags}", "True None 1.0", "true None 1.0"), ("['${a}', '${b}']", "1 True", "1 true"), ("[a, a]", "a", "a"),
    ("[1, {x: 2}]", "0 1", "1 --x 2"), ("[]", "", ""),
  ])
  func `are named by the items, or by their places`(_ data: String, _ names: String, _ items: String) throws {
    let files = ["params.yaml": "flags: [true, null, 1.0]\na: 1\nb: true"]
    let stages = try dvc("stages:\n  s:\n    foreach: \(data)\n    do: {cmd: 'e ${item}'}\n", files).stages
    #expect(stages.map(\.name) == names.split(separator: " ").map { "s@\($0)" })
    #expect(stages.map { String($0.command.dropFirst(2)) }.joined(separator: " ") == items)
    #expect(stages.allSatisfy { $0.group == "s" })
  }

  @Test func `or a mapping know their key`() throws {
    let stages = try dvc(
      """
      stages:
        s:
          foreach: ${models}
          do: {cmd: '${key} ${item.lr} x ${item}', outs: ['${key}.o'], wdir: '${key}'}
        t:
          foreach: {p: 1, 3: x, ~: z, true: y}
          do: {cmd: '${key} ${item}'}
      """, ["params.yaml": "models: {m1: {lr: 0.1}, m2: {lr: 0.2}}"]
    ).stages
    #expect(
      stages.map(\.line) == [
        "s@m1: m1 0.1 x --lr 0.1 > m1/m1.o", "s@m2: m2 0.2 x --lr 0.2 > m2/m2.o", "t@p: p 1", "t@3: 3 x", "t@None: None z",
        "t@true: true y",
      ])
  }

  @Test func `of combinations are named by all their values`() throws {
    let stages = try dvc(
      """
      stages:
        s:
          matrix: {x: [1, true], y: [a, {k: 2}], z: '${l}'}
          cmd: e ${item.x} ${item.z} ${key}
        empty:
          matrix: {x: [1], y: []}
          cmd: e
      """, ["params.yaml": "l: [true]"]
    ).stages
    #expect(
      stages.map(\.line) == [
        "s@1-a-True: e 1 true 1-a-True", "s@1-y1-True: e 1 true 1-y1-True", "s@true-a-True: e true true true-a-True",
        "s@true-y1-True: e true true true-y1-True",
      ])
  }

  @Test func `hide a variable of the same name, and say so`() throws {
    let read = try reading(
      "vars: [{item: 7}]\nstages: {s: {foreach: [x], do: {cmd: 'e ${item}'}}, t: {cmd: 'e ${item}'}}", at: "dvc.yaml", .dvc)
    #expect(read.pipeline.stages.map(\.line) == ["s@x: e x", "t: e 7"])
    #expect(
      lines(read.warnings)
        == "dvc.yaml:2:10: warning: `item` is a value of `params.yaml` or `vars`, and in stages made from `s` it is their own\n")
  }

  @Test(arguments: [
    ("foreach: [x]", "2:3: error: stage `s` has `foreach` and no `do`"),
    ("do: {cmd: x}", "2:3: error: stage `s` has `do` and no `foreach`"),
    ("{foreach: plain, do: {cmd: x}}", "2:16: error: `foreach` has to be a list or a mapping, not text"),
    ("{foreach: '${a}', do: {cmd: x}}", "2:16: error: `foreach` has to be a list or a mapping, not a number"),
    ("{foreach: [x], do: {cmd: x}, cmd: y}", "2:35: error: `cmd` stands beside `foreach`\nhint: put it inside `do`"),
    ("{foreach: [x], do: x}", "2:25: error: `do` has to be a mapping, not text"),
    ("{foreach: [x], do: {cmd: x, foreach: [y]}}", "2:34: error: `foreach` cannot stand inside another template"),
    (
      "{foreach: ['e@f'], do: {cmd: x}}",
      "2:3: error: an item of `s` is named `e@f`, and a stage's name has no `@` and no control characters"
    ),
    (
      "{foreach: [x], do: {cmd: x, vars: [{item: 3}]}}",
      "2:41: error: `item` is set for each stage that a template makes, and `vars` cannot set it"
    ),
    (
      "{foreach: [x, y], do: {cmd: '${key}'}}",
      "2:35: error: `${key}` names nothing\nhint: names come from params.yaml beside the manifest and from `vars`"
    ),
    ("{matrix: {}, cmd: x}", "2:15: error: `matrix` has no variables"),
    ("{matrix: {x: abc}, cmd: x}", "2:19: error: `x` of `matrix` has to be a list, not text"),
    ("{matrix: [a], cmd: x}", "2:15: error: `matrix` has to be a mapping, not a list"),
  ])
  func `that is wrong make one mistake`(_ stage: String, _ message: String) {
    let body = stage.hasPrefix("{") ? " \(stage)" : "\n    \(stage)"
    #expect(dvcComplaints("stages:\n  s:\(body)\n") == "dvc.yaml:\(message)\n")
  }

  @Test func `are 100000 at most`() {
    let axis = (0..<317).map { "\($0)" }.joined(separator: ",")
    #expect(
      dvcComplaints("stages:\n  s: {matrix: {a: [\(axis)], b: [\(axis)]}, cmd: x}\n")
        == "dvc.yaml:2:3: error: the matrix of stage `s` makes more than 100000 stages\n")
    let half = (0..<60_000).map { "\($0)" }.joined(separator: ",")
    #expect(
      dvcComplaints("x: &x [\(half)]\nstages:\n  s: {foreach: *x, do: {cmd: x}}\n  t: {foreach: *x, do: {cmd: x}}\n").contains(
        "error: with stage `t`, the manifest has more than 100000 stages\n"))
  }
}

@Suite struct `Growth by templates` {
  @Test func `of one text ends at a mebibyte`() {
    let files = ["params.yaml": "t: \(String(repeating: "x", count: 1000))"]
    let text = String(repeating: "${t}", count: 1100)
    #expect(
      dvcComplaints("stages: {s: {cmd: 'x \(text)'}}", files).contains(
        "error: the text grows beyond 1048576 bytes with what `${…}` stands for"))
  }

  @Test func `of a whole manifest ends too`() {
    let files = ["params.yaml": "t: \(String(repeating: "x", count: 1_000_000))"]
    let items = (0..<80).map { "\($0)" }.joined(separator: ",")
    #expect(
      dvcComplaints("stages: {s: {foreach: [\(items)], do: {cmd: 'x ${t} ${item}'}}}", files).contains(
        "adds up to more than 64 MiB in this manifest"))
  }

  @Test func `random templates end in stages or mistakes`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    let parts = [
      "${", "}", "\\", "$", "{", "a", "a.b", "[0]", "[", "]", ".", " ", ":-", "env.X", "item", "key", "l", "m", "\\n", "é",
      "${a}", "${l}", "${m}", "-1",
      "${${", "\\${", "}}",
    ]
    let values = ["[1, {x: 2}]", "'${l}'", "{k: '${a}', '${a}': 1}", "${m}", "[]", "x", "{files: '*.csv'}", "['${a}', '${l}']"]
    func text() -> String {
      jsonQuoted(
        (0..<Int.random(in: 0...12, using: &generator)).map { _ in parts.randomElement(using: &generator) ?? "" }.joined())
    }
    for _ in 0..<600 {
      let data = values.randomElement(using: &generator) ?? "x"
      let manifest = """
        vars: [{v: \(Bool.random(using: &generator) ? text() : "1")}]
        plots: [\(text())]
        stages:
          s: {foreach: \(data), do: {cmd: \(text()), deps: [\(text())], outs: [\(text()): {desc: \(text())}], meta: {\(text()): \(text())}}}
          t: {matrix: {p: \(data), q: [\(text())]}, cmd: [\(text())], wdir: \(text())}
          u: {cmd: \(text()), params: [\(text()), {\(text()): [\(text())]}], vars: [\(text())]}
        """
      for dialect in [Dialect.native, .dvc] {
        let name = dialect.manifestName
        do {
          let read = try reading(
            manifest, ["params.yaml": "a: 1\nl: [x, 2]\nm: {k: v, n: {o: 1}}"], at: name, dialect, matches: ["a.csv", "b.csv"],
            variables: ["X": "y"])
          #expect(read.pipeline.stages.allSatisfy { !$0.name.isEmpty }, "seed \(seed)")
        } catch {
          #expect(error.hasErrors, "seed \(seed)")
        }
      }
    }
  }
}

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

@Test func `several manifests are one pipeline, with the title of the one at the root`() throws {
  let sub = try reading("title: Sub\nparams: [p.yaml]\nstages: {s: {cmd: x}}", at: "sub/pipeline.yaml").pipeline
  let root = try reading("title: Root\nmetrics: [m.json]\nstages: {s: {cmd: x}}").pipeline
  let merged = Pipeline.merging([sub, root])
  #expect(merged.title == "Root" && merged.file == "pipeline.yaml")
  #expect(merged.stages.map(\.name) == ["sub/pipeline.yaml:s", "s"])
  #expect(merged.parameterFiles.map(\.text) == ["sub/p.yaml"] && merged.metricsFiles.map(\.text) == ["m.json"])
  #expect(Pipeline.merging([sub]).title == "Sub")
}
