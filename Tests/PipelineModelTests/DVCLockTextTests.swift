// `dvc.lock` and the run cache: read, changed and named as DVC does it, whatever the text.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import TestSupport
import Testing

private func complaint(_ text: String) throws -> [Diagnostic] {
  let error = #expect(throws: DiagnosticList.self) { _ = try DVCLockText.read(text, file: "dvc.lock") }
  return try #require(error).diagnostics
}

private func small(_ command: String) -> DVCLockEntry {
  DVCLockEntry(commands: [command], isCommandList: false, dependencies: [], parameters: [], outputs: [])
}

@Suite struct DVCLockTextTests {
  @Test func `an entry is read with all that it holds`() throws {
    let lock = try DVCLockText.read(try dvcFixture("project.lock"), file: "dvc.lock")
    #expect(lock.entries.map(\.name) == ["s"])
    let entry = try #require(lock["s"])
    #expect(
      entry.commands.first?.hasSuffix("python3 -c \"print('a long line of text that is folded for certain by now')\"") == true)
    #expect(!entry.isCommandList)
    #expect(entry.dependencies.map(\.path) == ["a.txt", "d"])
    #expect(entry.dependencies[1].digest == Digest(.md5, hex: "dceabb92cc3bbeb3276773a4838c35a0.dir"))
    #expect(entry.dependencies[1].size == 4)
    #expect(entry.dependencies[1].files == 2)
    #expect(entry.outputs[0].isExecutable)
    #expect(entry.parameters.map(\.path) == ["params.yaml"])
    #expect(entry.parameters[0].values.map(\.key) == ["big", "lr", "size", "t", "z"])
    #expect(entry.parameters[0].values[1].value == .double(0.00001))
  }

  @Test func `entries are replaced and added byte for byte as DVC does`() throws {
    let changes = try DVCLockText.read(try dvcFixture("changes.lock"), file: "changes.lock")
    let replacing = changes.entries.map { (name: $0.name, entry: $0.entry) }
    let before = try dvcFixture("before.lock")
    #expect(try DVCLockText.updating(before, replacing: replacing) == dvcFixture("after.lock"))
    #expect(try DVCLockText.updating(nil, replacing: replacing) == dvcFixture("changes.lock"))
    #expect(try DVCLockText.updating(before, replacing: []) == before)
  }

  @Test(arguments: [("b :", "b"), ("b \t:", "b"), ("b  b :", "b  b")])
  func `blanks between a key and its colon are none of the key's`(key: String, name: String) throws {
    let text = "schema: '2.0'\nstages:\n  a:\n    cmd: x\n  \(key)\n    cmd: y\n"
    #expect(try DVCLockText.read(text, file: "dvc.lock").entries.map(\.name) == ["a", name])
    #expect(try DVCLockText.updating(text, replacing: [], removing: [name]) == "schema: '2.0'\nstages:\n  a:\n    cmd: x\n")
  }

  @Test func `an entry whose key is too long for its line keeps the layout of the file, however often it changes`() throws {
    let long = String(repeating: "k", count: 130)
    let text = "schema: '2.0'\nstages:\n    a:\n        cmd: x\n    ? \(long)\n    : cmd: y\n"
    let expected = "schema: '2.0'\nstages:\n    a:\n        cmd: x\n    ? \(long)\n    : cmd: z\n"
    let once = try #require(try DVCLockText.updating(text, replacing: [(name: long, entry: small("z"))]))
    #expect(once == expected)
    #expect(try DVCLockText.updating(once, replacing: [(name: long, entry: small("z"))]) == expected)
    #expect(try DVCLockText.updating(once, replacing: [], removing: [long]) == "schema: '2.0'\nstages:\n    a:\n        cmd: x\n")
  }

  @Test func `comments, foreign entries and their layout survive`() throws {
    let text = """
      # made by the team
      schema: '2.0'   # do not touch
      stages:
          # the first
          old: {cmd: echo, note: &n [1, 2]}
          a:
              cmd: |
                # not a comment
                b:
              deps: []   # none

          # of b
          b:   # here
              cmd: 'x
                y: "z'
      # at the end
      datasets:
      - name: d
      """
    let changed = try DVCLockText.updating(
      text, replacing: [(name: "a", entry: small("new a")), (name: "c", entry: small("new c"))], removing: ["b"])
    #expect(
      changed == """
        # made by the team
        schema: '2.0'   # do not touch
        stages:
            # the first
            old: {cmd: echo, note: &n [1, 2]}
            a:
              cmd: new a

            # of b
        # at the end
            c:
              cmd: new c
        datasets:
        - name: d
        """)
  }

  @Test func `a value that another entry speaks of is written out when its entry goes`() throws {
    let text = "schema: '2.0'\nstages:\n  a:\n    cmd: &c x\n  b:\n    cmd: *c\n"
    #expect(
      try DVCLockText.updating(text, replacing: [], removing: ["a"]) == "schema: '2.0'\nstages:\n  b:\n    cmd: x\n")
  }

  @Test func `flow style as a whole is written anew`() throws {
    #expect(
      try DVCLockText.updating(
        "{\"schema\": \"2.0\", \"stages\": {\"a\": {\"cmd\": \"x\"}}}", replacing: [(name: "b", entry: small("y"))])
        == "schema: '2.0'\nstages:\n  a:\n    cmd: x\n  b:\n    cmd: y\n")
    #expect(
      try DVCLockText.updating("schema: '2.0'\nstages: {} # none\n", replacing: [(name: "b", entry: small("y"))])
        == "schema: '2.0'\nstages:\n  b:\n    cmd: y\n")
    #expect(
      try DVCLockText.updating("schema: '2.0'", replacing: [(name: "b", entry: small("y"))])
        == "schema: '2.0'\nstages:\n  b:\n    cmd: y\n")
  }

  @Test func `a lock file without entries goes`() throws {
    #expect(try DVCLockText.updating("schema: '2.0'\nstages:\n  a:\n    cmd: x\n", replacing: [], removing: ["a"]) == nil)
    #expect(try DVCLockText.updating(nil, replacing: [], removing: ["a"]) == nil)
    #expect(
      try DVCLockText.updating("schema: '2.0'\nstages:\n  a:\n    cmd: x\ndatasets: []\n", replacing: [], removing: ["a"])
        == "schema: '2.0'\nstages: {}\ndatasets: []\n")
  }

  @Test func `an entry of DVC 2 has the hash of DVC 2`() throws {
    let md5 = "b026324c6904b2a9cb4b88d6d61c81d1"
    let text =
      "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    deps:\n    - path: d\n      md5: \(md5)\n    - path: e\n      etag: q\n"
    let row = try #require(try DVCLockText.read(text, file: "dvc.lock")["a"]?.dependencies.first)
    #expect(row.digest == Digest(.md5dos2unix, hex: md5))
    let entry = try #require(try DVCLockText.read(text, file: "dvc.lock")["a"])
    #expect(try DVCLockText.updating(nil, replacing: [(name: "a", entry: entry)]) == text)
  }

  @Test func `what is wrong is said with its place`() throws {
    let wrong = try complaint(
      """
      schema: '2.0'
      stages:
        a: [x]
        b:
          deps: 3
        c:
          cmd: 1
          outs:
          - path: o
            md5: xyz
            size: -1
          - md5: ''
          params: {p: [1]}
      """)
    #expect(
      wrong.map { "\($0.location?.description ?? ""): \($0.message)" } == [
        "dvc.lock:3:6: the entry of stage `a` has to be a mapping, not a list",
        "dvc.lock:5:5: the entry of stage `b` has no `cmd`",
        "dvc.lock:7:10: `cmd` of the entry of stage `c` has to be text, not a number",
        "dvc.lock:13:17: `params` of `p` has to be a mapping, not a list",
        "dvc.lock:10:12: `md5` of `o` has to be 32 hexadecimal digits, and `.dir` after them for a directory",
        "dvc.lock:11:13: `size` of `o` has to be a whole number from 0",
        "dvc.lock:12:7: a row of `outs` has no `path`",
      ])
    #expect(try complaint("schema: 2.0\nstages: {}\n").first?.message == "`schema` has to be `'2.0'`, in quotes")
    #expect(try complaint("a:\n  cmd: x\n").first?.message == "the lock file has no `schema`")
    #expect(try complaint("").first?.message == "the lock file is empty")
    #expect(
      try complaint("schema: '2.0'\nstages:\n  a:\n    cmd: x\n  a:\n    cmd: y\n").first?.message == "key `a` stands twice")
    let conflict = try complaint("<<<<<<< HEAD\nschema: '2.0'\n=======\n>>>>>>> other\n")
    #expect(conflict.first?.hints.contains("the file holds the marks of a merge conflict: settle it first") == true)
  }

  @Test func `a twin of an entry is a mistake for a change too`() throws {
    let text = "schema: '2.0'\nstages:\n  a:\n    cmd: x\n  a:\n    cmd: y\n"
    #expect(throws: DiagnosticList.self) { _ = try DVCLockText.updating(text, replacing: [(name: "b", entry: small("z"))]) }
  }

  @Test func `rows, files and keys are put in DVC's order`() {
    let row = { DVCLockEntry.Row(path: $0, digest: nil) }
    let entry = DVCLockEntry(
      commands: ["a"], isCommandList: true, dependencies: [row("b"), row("a/z"), row("a b"), row("a.x")],
      parameters: [
        .init(path: "a.json", values: []),
        .init(path: "params.yaml", values: [("b", .null), ("B", .mapping([("z", .null), ("a", .null)]))]),
      ], outputs: [])
    #expect(
      RoundTripYAML.text(entry.tree) == """
        cmd:
        - a
        deps:
        - path: a b
        - path: a.x
        - path: a/z
        - path: b
        params:
          params.yaml:
            B:
              z:
              a:
            b:
          a.json: {}

        """)
  }

  @Test func `ten thousand entries are told apart and one is changed`() throws {
    let entries = (0..<10_000).map { (name: "s\($0)", entry: small("echo \($0) > 'o: \($0)'")) }
    let text = try #require(try DVCLockText.updating(nil, replacing: entries))
    let changed = try #require(try DVCLockText.updating(text, replacing: [(name: "s5000", entry: small("new"))]))
    #expect(changed == text.replacing("  s5000:\n    cmd: \"echo 5000 > 'o: 5000'\"\n", with: "  s5000:\n    cmd: new\n"))
    #expect(changed != text)
  }

  @Test func `no text brings the reader or the change down`() throws {
    let seed: UInt64 = 20_261_121
    print("seed \(seed)")
    for text in try ["before.lock", "project.lock"].flatMap({ mutations(of: try dvcFixture($0), count: 400, seed: seed) }) {
      let known = try? DVCLockText.read(text, file: "dvc.lock")
      guard let changed = try? DVCLockText.updating(text, replacing: [(name: "zz", entry: small("y"))]) else {
        continue
      }
      guard let known, known["zz"] == nil else { continue }
      let after = try DVCLockText.read(changed, file: "dvc.lock")
      #expect(after["zz"] == small("y"), "of:\n\(text)")
      #expect(after.entries.dropLast().map(\.name) == known.entries.map(\.name), "of:\n\(text)")
    }
  }
}

@Suite struct RunCacheTextTests {
  @Test func `an entry has the name that DVC gives it`() throws {
    let text = try dvcFixture("run-entry.yaml")
    let entry = try RunCacheText.read(text, file: "run")
    #expect(
      RunCacheText.path(of: entry)
        == "runs/f3/f333f5fe3057810a5d293a1df73dcf5aa1e9704b83b29f4084d497cf5d619fdc/e95ae3d05e6c4d8bc4fcd937dc1f9aa66f9c713c2afde4f587e4cf5b61bea75b"
    )
    #expect(RunCacheText.write(entry) == text)
  }

  @Test func `a parameter called size is not in the key, and yet the entries do not agree`() throws {
    let entry = try RunCacheText.read(try dvcFixture("run-entry.yaml"), file: "run")
    var other = entry
    other.parameters[0].values[2].value = .integer(4)
    #expect(other.parameters[0].values[2].key == "size")
    #expect(RunCacheText.key(of: other) == RunCacheText.key(of: entry))
    #expect(!RunCacheText.agrees(other, with: entry))
    var result = entry
    result.outputs[0].size = 99
    result.outputs[0].digest = result.dependencies[1].digest
    #expect(RunCacheText.agrees(result, with: entry))
    #expect(RunCacheText.value(of: result) != RunCacheText.value(of: entry))
  }

  @Test func `a broken entry is refused`() {
    for text in ["", "[]", "cmd: [1]", "deps: []", "cmd: x\nouts: {}", "\0"] {
      #expect(throws: DiagnosticList.self) { _ = try RunCacheText.read(text, file: "run") }
    }
  }
}

@Suite struct DVCPathTests {
  @Test func `a written path leads to a place`() {
    let sub = WorkspacePath("sub/deep")
    let place = { (text: String) in DVCPath.place(of: text, in: sub) }
    #expect(place("a//./b") == .workspace(WorkspacePath("sub/deep/a/b")!))
    #expect(place("../../x") == .workspace(WorkspacePath("x")!))
    #expect(place("../../../x") == .outside("../../../x"))
    #expect(place("../..") == .outside("../.."))
    #expect(place("/etc/passwd") == .external("/etc/passwd"))
    #expect(place("s3://b/k") == .remote("s3://b/k"))
    #expect(place("") == .unusable(""))
    #expect(place("a\0b") == .unusable("a\0b"))
  }

  @Test func `a path is told from a folder`() throws {
    let path = try #require(WorkspacePath("a/b/c"))
    #expect(DVCPath.relative(path, to: nil) == "a/b/c")
    #expect(DVCPath.relative(path, to: WorkspacePath("a")) == "b/c")
    #expect(DVCPath.relative(path, to: WorkspacePath("a/x/y")) == "../../b/c")
    #expect(DVCPath.relative(path, to: WorkspacePath("a/b/c/d")) == "..")
    #expect(DVCPath.relative(path, to: path) == ".")
  }
}
