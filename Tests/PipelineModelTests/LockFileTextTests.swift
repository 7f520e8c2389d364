// Lock files and traces as text: golden, there and back, and hostile.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import TestSupport
import Testing

private func sampleLock() throws -> LockFile {
  let params = try #require(WorkspacePath("params.yaml"))
  let other = try #require(WorkspacePath("conf/other.json"))
  let tree = try #require(Digest(.sha256, hex: abc.hex + ".dir"))
  let prepare = LockEntry(
    recipe: Recipe(
      commands: ["mkdir -p out && cp 'raw.txt' out/x # copy", "echo yes"], notebook: nil, workingDirectory: "sub dir",
      tools: [Recipe.Tool(name: "prepare", version: 1)],
      inputs: [
        Recipe.Input(path: "data", digest: tree, size: 14, files: 4),
        Recipe.Input(path: "/etc/hosts", digest: abc, size: 3, files: nil),
      ],
      parameters: [
        Parameter(
          file: params, key: "train",
          value: .mapping([
            ("epochs", .integer(3)),
            (
              "layers",
              .list([.integer(1), .mapping([("units", .integer(8)), ("drop", .double(0.5))]), .list([.text("a"), .list([])])])
            ),
          ])),
        Parameter(file: params, key: "none", value: .null), Parameter(file: params, key: "train.lr", value: .double(0.001)),
        Parameter(file: params, key: "far", value: .double(.infinity)),
        Parameter(file: other, key: nil, value: .mapping([("version", .text("1.0"))])),
      ],
      environment: [EnvironmentVariable(name: "MODE", value: "on"), EnvironmentVariable(name: "SEED", value: "42")],
      targets: [
        Recipe.Target(path: "m.json", kind: .metrics, isCached: false, isPersistent: false),
        Recipe.Target(path: "out", kind: .data, isCached: true, isPersistent: true),
        Recipe.Target(path: "tool", kind: .plot, isCached: true, isPersistent: false),
      ]),
    outputs: [
      Trace.Result(path: "m.json", digest: abc, size: 3, files: nil, isExecutable: false, kind: .metrics),
      Trace.Result(path: "out", digest: tree, size: 8, files: 2, isExecutable: false, kind: .data),
      Trace.Result(path: "tool", digest: abc, size: 3, files: nil, isExecutable: true, kind: .plot),
    ])
  let explore = LockEntry(
    recipe: Recipe(
      commands: [], notebook: Recipe.NotebookCode(path: "stages/explore.qmd", code: abc), workingDirectory: nil, tools: [],
      inputs: [],
      parameters: [], environment: [], targets: []), outputs: [])
  return LockFile(entries: ["prepare": prepare, "123": explore])
}

private func lock(_ text: String) throws -> LockFile { try LockFileText.read(text, file: "pipeline.lock") }

private func complaint(_ text: String) throws -> [Diagnostic] {
  let error = #expect(throws: DiagnosticList.self) { try lock(text) }
  return try #require(error).diagnostics
}

@Test func `a lock file looks like this, and is read back whole`() throws {
  let text = LockFileText.write(try sampleLock(), order: ["prepare", "not run yet", "123"])
  #expect(goldenMismatch(text, "pipeline.lock") == nil)
  #expect(try lock(text) == sampleLock())
  #expect(LockFileText.write(try lock(text), order: ["prepare", "123"]) == text)
}

@Test func `entries of stages that the order does not name are left out`() throws {
  #expect(LockFileText.write(try sampleLock(), order: []) == "schema: '1.0'\nstages: {}\n")
  #expect(try lock("schema: '1.0'\nstages: {}\n") == LockFile())
}

@Test(arguments: [
  ("plain text", "plain text"), ("", "''"), ("10", "'10'"), ("1e3", "'1e3'"), ("true", "'true'"), ("null", "'null'"),
  ("~", "'~'"),
  ("0x10", "'0x10'"), (".inf", "'.inf'"), ("yes", "yes"), ("2020-01-01", "2020-01-01"), ("1_000", "'1_000'"), ("*a", "'*a'"),
  ("[x", "'[x'"), ("- x", "'- x'"), ("# x", "'# x'"), ("a: b", "'a: b'"), ("a:", "'a:'"), ("a #b", "'a #b'"), ("a#b", "a#b"),
  ("a ", "'a '"), (" a", "' a'"), ("it's", "it's"), ("'it", "'''it'"), ("a\tb", #""a\tb""#), ("a\nb\n", #""a\nb\n""#),
  ("é 😀", "é 😀"), ("a\u{85}b", #""a\u0085b""#), ("\u{FEFF}a", #""\ufeffa""#), ("a #\u{301}", "'a #\u{301}'"),
  ("#\u{301}a", "'#\u{301}a'"), ("a:\u{20}\u{301}b", "'a:\u{20}\u{301}b'"), ("9223372036854775808", "9223372036854775808"),
])
func `a command is quoted only where it has to be`(_ command: String, _ written: String) throws {
  let entry = LockEntry(
    recipe: Recipe(
      commands: [command], notebook: nil, workingDirectory: nil, tools: [], inputs: [], parameters: [], environment: [],
      targets: []),
    outputs: [])
  let text = LockFileText.write(LockFile(entries: ["s": entry]), order: ["s"])
  #expect(text.utf8.elementsEqual("schema: '1.0'\nstages:\n  s:\n    cmd: \(written)\n".utf8))
  let read = try #require(try lock(text).entries["s"]?.recipe.commands.first)
  #expect(read.utf8.elementsEqual(command.utf8))
}

/// Text of what gives trouble: YAML's signs, spaces, line ends, marks that join characters, and odd code points.
private func randomText(_ generator: inout SeededGenerator) -> String {
  let odd: [Unicode.Scalar] = [
    " ", " ", ":", "#", "-", "'", "\"", "\\", "\n", "\r", "\t", "\0", "\u{7F}", "\u{80}", "\u{85}", "\u{9F}", "\u{A0}", "\u{301}",
    "\u{2028}", "\u{2029}", "\u{FEFF}", "\u{FFFD}", "\u{FFFE}", "\u{FFFF}", "\u{10FFFF}", "😀", "é", "a", "0", "1", ".", "e", "x",
    "_",
    "~", "[", "]", "{", "}", ",", "&", "*", "!", "|", ">", "%", "@", "`", "=", "<", "?", "$",
  ]
  var text = ""
  for _ in 0..<Int.random(in: 0...6, using: &generator) {
    text.unicodeScalars.append(odd.randomElement(using: &generator) ?? "a")
  }
  return text
}

private func randomValue(_ depth: Int, _ generator: inout SeededGenerator) -> ParameterValue {
  switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &generator) {
  case 0: .null
  case 1: .bool(.random(using: &generator))
  case 2: .integer(Int64(truncatingIfNeeded: generator.next()))
  case 3: .double(Double(bitPattern: generator.next()))
  case 4, 5: .text(randomText(&generator))
  case 6: .list((0..<Int.random(in: 0...3, using: &generator)).map { _ in randomValue(depth - 1, &generator) })
  default:
    .mapping(
      (0..<Int.random(in: 0...3, using: &generator)).map {
        ("\($0)" + randomText(&generator), randomValue(depth - 1, &generator))
      })
  }
}

private func randomTrace(_ generator: inout SeededGenerator) throws -> Trace {
  let file = try #require(WorkspacePath("params.yaml"))
  let recipe = Recipe(
    commands: (0..<Int.random(in: 1...3, using: &generator)).map { _ in randomText(&generator) }, notebook: nil,
    workingDirectory: nil, tools: [],
    inputs: (0..<2).map { Recipe.Input(path: "\($0)" + randomText(&generator), digest: abc, size: 3, files: nil) },
    parameters: (0..<3).map { Parameter(file: file, key: "\($0)" + randomText(&generator), value: randomValue(3, &generator)) },
    environment: (0..<2).map { EnvironmentVariable(name: "V\($0)", value: randomText(&generator)) }, targets: [])
  return Trace(
    stage: "s" + randomText(&generator), recipe: recipe, outputs: [],
    facts: Trace.Facts(
      run: randomText(&generator), finishedAt: "2026-03-01T08:15:00Z", durationSeconds: 0.1, peakMemoryBytes: 1,
      host: randomText(&generator),
      commit: nil, isDirty: false, log: nil, woven: abc))
}

@Test(arguments: [UInt64(1), 9_407_790_759_202_727_017, .random(in: 0 ... .max)])
func `whatever stands in a lock file or a trace is read back`(_ seed: UInt64) throws {
  var generator = SeededGenerator(seed: seed)
  for round in 0..<300 {
    let trace = try randomTrace(&generator)
    let comment = Comment(rawValue: "seed \(seed), round \(round)")
    do {
      let entry = LockEntry(trace)
      let read = try lock(LockFileText.write(LockFile(entries: [trace.stage: entry]), order: [trace.stage]))
      #expect(read.entries[trace.stage] == entry, comment)
      #expect(read.entries[trace.stage].map { Fingerprint(of: $0.recipe) } == trace.fingerprint, comment)
      #expect(try Trace(json: trace.json, file: "t.json") == trace, comment)
    } catch {
      Issue.record("\(comment): \(error)")
      return
    }
  }
}

@Suite struct `A lock file that cannot be read` {
  @Test func `is never taken for an empty one`() throws {
    for text in ["", "# nothing\n", "{}", "schema: '1.0'\n", "[]", "text"] {
      let found = try complaint(text)
      #expect(found.map(\.message) == ["the lock file has no `stages`"], "\(text)")
    }
    for (stages, kind) in [("[]", "a list"), ("text", "text"), ("", "nothing"), ("5", "a number")] {
      let found = try complaint("schema: '1.0'\nstages: \(stages)\n")
      #expect(found.map(\.message) == ["`stages` of the lock file has to be a mapping, not \(kind)"])
      #expect(found.first?.hints.first?.contains("git checkout -- pipeline.lock") == true)
    }
  }

  @Test func `because of a merge, or of another version, says so and what to do`() throws {
    let merge = try complaint("schema: '1.0'\nstages:\n<<<<<<< HEAD\n  a:\n    cmd: x\n=======\n>>>>>>> other\n")
    #expect(merge.count == 1 && merge[0].message.hasPrefix("this is not YAML") && merge[0].location?.line ?? 0 >= 3)
    #expect(merge[0].hints.first?.contains("git checkout") == true)
    #expect(
      try complaint("schema: '2.0'\nstages: {}\n").map(\.message) == ["the lock file has schema `2.0`, this `pipe` reads `1.0`"])
    #expect(try complaint("stages: {}\n").map(\.message) == ["the lock file has schema `none`, this `pipe` reads `1.0`"])
    #expect(try complaint("schema: 1.0\nschema: '1.0'\nstages: {}\n").count == 1)
  }

  static let row = "{path: a, hash: sha256, sha256: \(abc.hex), size: 3"

  @Test(arguments: [
    "5", "[]", "{}", "{deps: []}", "{cmd: 5}", "{cmd: [a, 1]}", "{cmd: a, notebook: n.qmd, code: \(abc.hex)}",
    "{notebook: n.qmd}",
    "{notebook: n.qmd, code: abc}", "{cmd: a, wdir: 5}", "{cmd: a, deps: text}", "{cmd: a, deps: {a: b}}", "{cmd: a, deps: [a]}",
    "{cmd: a, deps: [{path: a}]}", "{cmd: a, deps: [{path: a, hash: sha256, sha256: xyz, size: 3}]}",
    "{cmd: a, deps: [{path: a, hash: md5, sha256: \(abc.hex), size: 3}]}",
    "{cmd: a, deps: [{path: a, sha256: \(abc.hex), size: -3}]}",
    "{cmd: a, deps: [{path: a, sha256: \(abc.hex), size: x}]}", "{cmd: a, deps: [\(row), nfiles: -1}]}",
    "{cmd: a, deps: [\(row), nfiles: many}]}", "{cmd: a, outs: text}", "{cmd: a, outs: [\(row), isexec: 1}]}",
    "{cmd: a, outs: [\(row), cache: 'no'}]}", "{cmd: a, outs: [\(row), persist: x}]}",
    "{cmd: a, outs: [\(row), kind: nonsense}]}",
    "{cmd: a, outs: [\(row), kind: 5}]}", "{cmd: a, outs: [\(row)}, \(row)}]}",
    "{cmd: a, outs: [{path: ../../etc, hash: sha256, sha256: \(abc.hex), size: 3}]}",
    "{cmd: a, outs: [{path: /etc, hash: sha256, sha256: \(abc.hex), size: 3}]}", "{cmd: a, params: text}",
    "{cmd: a, params: {p.yaml: [a]}}",
    "{cmd: a, params: {../p.yaml: {a: 1}}}", "{cmd: a, env: text}", "{cmd: a, env: {A: 5}}", "{cmd: a, tools: {train: new}}",
    "{cmd: a, tools: [train]}",
  ])
  func `for one entry names the stage and its place`(_ entry: String) throws {
    let found = try complaint("schema: '1.0'\nstages:\n  good: {cmd: x}\n  bad: \(entry)\n  worse: \(entry)\n")
    #expect(
      found.map(\.message) == ["the lock entry of stage `bad` cannot be read", "the lock entry of stage `worse` cannot be read"])
    #expect(found.first?.location == SourceLocation(file: "pipeline.lock", line: 4, column: 3))
  }
}

// MARK: Traces

private func sampleTrace() throws -> Trace {
  Trace(
    stage: "train", recipe: try sampleRecipe(),
    outputs: [Trace.Result(path: "out.txt", digest: abc, size: 3, files: nil, isExecutable: true, kind: .data)],
    facts: Trace.Facts(
      run: "r1", finishedAt: "2026-03-01T08:15:00Z", durationSeconds: 1.5, peakMemoryBytes: 4096, host: "h", commit: "c0ffee",
      isDirty: true, log: abc, woven: nil))
}

@Test func `a trace is this JSON document`() throws {
  let trace = try sampleTrace()
  #expect(
    trace.json == """
      {"schema": "pipe.trace/1", "stage": "train", \
      "fingerprint": "sha256:67225acace3bfc862312744a784b42c7ca7d09cca84a2cfdcd4311c7848e78c0", \
      "entry": {"cmd": "echo hi", "wdir": "sub", "tools": {"train": 2}, "env": {"A": "b"}, \
      "deps": [{"path": "data/a.csv", "hash": "sha256", "sha256": "\(abc.hex)", "size": 3}], \
      "params": {"params.yaml": {"n": 3, "train.lr": 0.5}}, \
      "outs": [{"path": "out.txt", "hash": "sha256", "sha256": "\(abc.hex)", "size": 3, "isexec": true}]}, \
      "facts": {"run": "r1", "finished_at": "2026-03-01T08:15:00Z", "duration_seconds": 1.5, "peak_memory_bytes": 4096, \
      "host": "h", "commit": "c0ffee", "dirty": true, "log": "sha256:\(abc.hex)"}}

      """)
  #expect(try Trace(json: trace.json, file: "t.json") == trace)
  // sha256 of the outputs' encoding, by Python's hashlib.
  #expect("\(trace.id)" == "67225acace3bfc862312744a784b42c7ca7d09cca84a2cfdcd4311c7848e78c0-ed63b59a78575fbf")
}

@Test func `a trace is named by what it says, not by when it was said`() throws {
  var later = try sampleTrace()
  later.facts.finishedAt = "2027-01-01T00:00:00Z"
  later.stage = "renamed"
  #expect(later.id == (try sampleTrace().id))
  later.outputs[0].digest = Digest.of("x")
  #expect(later.id != (try sampleTrace().id))
  #expect(later.id.fingerprint == (try sampleTrace().id.fingerprint))
}

@Test func `numbers that JSON has no word for survive in a trace`() throws {
  var trace = try sampleTrace()
  trace.recipe.parameters[0].value = .list([.double(.nan), .mapping([("x", .double(.infinity)), ("y", .double(-.infinity))])])
  #expect(trace.json.contains(#""n": [{"$double": "nan"}, {"x": {"$double": "inf"}, "y": {"$double": "-inf"}}]"#))
  #expect(try Trace(json: trace.json, file: "t.json") == trace)
}

@Test func `a trace that was tampered with, cut short or is of another schema is refused`() throws {
  let json = try sampleTrace().json
  let schema = StoreError.malformedFile(path: "t.json", why: "it is not a trace of schema pipe.trace/1")
  for length in stride(from: 0, to: json.utf8.count - 2, by: 13) {
    #expect(throws: schema) { try Trace(json: String(json.prefix(length)), file: "t.json") }
  }
  for (old, new) in [("trace/1", "trace/2"), (#""cmd""#, #""cmds""#), (#""size": 3"#, #""size": -3"#), (#""run": "r1", "#, "")] {
    #expect(throws: schema) { try Trace(json: json.replacing(old, with: new), file: "t.json") }
  }
  let fingerprint = StoreError.malformedFile(path: "t.json", why: "its fingerprint is not that of its recipe")
  for (old, new) in [("echo hi", "echo ho"), (#""n": 3"#, #""n": 4"#), ("67225a", "67225b"), (#""A": "b""#, #""A": "c""#)] {
    #expect(throws: fingerprint) { try Trace(json: json.replacing(old, with: new), file: "t.json") }
  }
}
