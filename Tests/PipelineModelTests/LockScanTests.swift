// The quick way through a `pipeline.lock` says what the YAML reader says, or nothing; the quick way to change one says what
// writing it anew says.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import TestSupport
import Testing

private let digits = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

private let usual = """
  schema: '1.0'
  stages:
    first:
      cmd: cat in.txt > out.txt
      deps:
      - path: in.txt
        hash: sha256
        sha256: \(digits)
        size: 5
      outs:
      - path: data/out
        hash: sha256
        sha256: \(digits).dir
        size: 0
        nfiles: 2
      - path: m.json
        hash: sha256
        sha256: \(digits)
        size: 7
        isexec: true
        kind: metrics
        cache: false
        persist: true
    train@small:
      cmd:
      - echo one
      - 'echo ''two'''
      params:
        params.yaml:
          lr: 0.1
      outs:
      - path: m/1
        hash: md5
        md5: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        size: 7
    'no':
      cmd: 'a: b'

  """

private func same(_ text: String) -> Bool {
  let quick = try? LockFileText.read(text, file: "pipeline.lock")
  let careful = try? LockFileText.readAsYAML(text, file: "pipeline.lock")
  return quick?.entries == careful?.entries
}

@Suite struct `A lock file as it is written` {
  @Test func `is read`() throws {
    let lock = try LockFileText.read(usual, file: "pipeline.lock")
    #expect(lock.entries.keys.sorted() == ["first", "no", "train@small"])
    let first = try #require(lock.entries["first"])
    #expect(first.recipe.commands == ["cat in.txt > out.txt"])
    #expect(first.recipe.inputs.map(\.path) == ["in.txt"])
    #expect(first.outputs.map(\.files) == [2, nil])
    #expect(first.outputs.map(\.kind) == [.data, .metrics])
    #expect(first.recipe.targets.map(\.isCached) == [true, false])
    #expect(first.recipe.targets.map(\.isPersistent) == [false, true])
    #expect(lock.entries["train@small"]?.recipe.commands == ["echo one", "echo 'two'"])
    #expect(lock.entries["no"]?.recipe.commands == ["a: b"])
    #expect(same(usual))
  }

  @Test(arguments: [
    ("cat in.txt > out.txt", "'quoted'"), ("cat in.txt > out.txt", "'a''b'"), ("cat in.txt > out.txt", "'a' b"),
    ("cat in.txt > out.txt", "''"), ("cat in.txt > out.txt", "true"), ("cat in.txt > out.txt", "12"),
    ("cat in.txt > out.txt", "a # comment"), ("cat in.txt > out.txt", "one\n      folded"),
    ("cat in.txt > out.txt", "|\n      block"), ("cat in.txt > out.txt", "a: b"), ("cat in.txt > out.txt", "&x a"),
    ("cat in.txt > out.txt", "\"a\\n\""), ("cat in.txt > out.txt", ""), ("cat in.txt > out.txt", "é"), ("size: 5", "size: 05"),
    ("size: 5", "size: -5"), ("size: 5", "size: 5\n      size: 6"), ("      size: 5\n", ""), ("path: in.txt", "path: 2020"),
    ("path: data/out", "path: ../out"), ("path: data/out", "path: m.json"), ("path: data/out", "path: a//b"),
    ("hash: sha256", "hash: md5"), ("hash: sha256", "hash: sha512"), ("2cf2", "2CF2"), ("2cf2", "2cf"), ("2cf2", "xxxx"),
    ("first:", "first: {}\n  x:"), ("first:", "train@small:"), ("first:", "'first':"), ("stages:", "stages: {}\nmore:"),
    ("'1.0'", "1.0"), ("'1.0'", "'2.0'"), ("  first:", "# c\n  first:"), ("  first:", "\n  first:"),
    ("    deps:", "    deps:\n    # c"), ("    deps:", "    deps: []\n    x:"), ("    deps:", "   deps:"),
    ("    deps:", "    wdir: sub\n    deps:"), ("    deps:", "    env:\n      A: b\n    deps:"),
    ("size: 5", "size: 5\n      isexec: true"),
    ("kind: metrics", "kind: nonsense"), ("kind: metrics", "kind: plot"), ("cache: false", "cache: true"),
    ("persist: true", "persist: 1"), ("      persist: true\n", ""), ("isexec: true", "isexec: false"), ("\n", "\r\n"),
    ("  ", "\t"),
    ("lr: 0.1", "lr: [1, 2]"), ("schema: '1.0'\n", ""), ("md5: aaaa", "md5: aaa"), ("    cmd: cat", "    notebook: cat"),
  ])
  func `with something unusual is read as YAML has it`(change: (String, String)) {
    let text = usual.replacing(change.0, with: change.1, maxReplacements: change.0 == "\n" || change.0 == "  " ? .max : 1)
    #expect(text != usual)
    #expect(same(text))
  }

  @Test func `cut off anywhere is read as YAML has it`() {
    for count in 0...usual.utf8.count { #expect(same(String(decoding: usual.utf8.prefix(count), as: UTF8.self)), "\(count)") }
  }
}

@Suite struct `A lock file that changes` {
  private let order = ["first", "train@small", "no"]

  private func changed() throws -> LockFile {
    var lock = try LockFileText.read(usual, file: "pipeline.lock")
    lock.entries["train@small"]?.recipe.commands = ["echo three"]
    return lock
  }

  @Test func `keeps the lines of other entries as they are`() throws {
    let written = usual.replacing("'no':", with: "no:")
    let by = written.replacing("cat in.txt > out.txt", with: "\"cat in.txt > out.txt\"")
    let text = LockFileText.updating(by, try changed(), order: order, changed: ["train@small"])
    #expect(text == by.replacing("cmd:\n    - echo one\n    - 'echo ''two'''", with: "cmd: echo three"))
  }

  @Test func `is as if written anew`() throws {
    let lock = try LockFileText.read(usual, file: "pipeline.lock")
    let before = LockFileText.write(lock, order: order)
    for name in order {
      var lock = lock
      lock.entries[name]?.recipe.commands = ["echo 'it''s': # new"]
      #expect(LockFileText.updating(before, lock, order: order, changed: [name]) == LockFileText.write(lock, order: order))
    }
  }

  @Test(arguments: [
    "", "stages: {}\n", "schema: '1.0'\nstages: {}\n", "schema: '1.0'\nstages:\n  first:\n    cmd: a\n",
    usual + "  more:\n    cmd: a\n", usual + "# end\n", String(usual.dropLast()), usual.replacing("\n", with: "\r\n"),
    usual.replacing("  first:", with: "  # one\n  first:"),
  ])
  func `is written as a whole when its stages are others`(text: String) throws {
    let lock = try changed()
    #expect(
      LockFileText.updating(text, lock, order: order, changed: ["train@small"]) == LockFileText.write(lock, order: order))
  }

  @Test func `is written as a whole when there is none`() throws {
    let lock = try changed()
    #expect(LockFileText.updating(nil, lock, order: order, changed: []) == LockFileText.write(lock, order: order))
  }
}
