// `vars`, `${…}`, `foreach` and `matrix`: expected values are what DVC 3.67.1 made of the same manifest.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import TestSupport
import Testing

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
    let files = ["params.yaml": DVCSample.params, "v.yaml": "q: 1\nr: 2"]
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
