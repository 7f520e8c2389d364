// The quick way through a `pipeline.lock` says what the YAML reader says, or nothing.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import TestSupport
import Testing

private let usual = """
  schema: '1.0'
  stages:
    first:
      cmd: cat in.txt > out.txt
      deps:
      - path: in.txt
        hash: sha256
        sha256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
        size: 3
      outs:
      - path: data/out
        hash: sha256
        sha256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.dir
        size: 0
        nfiles: 2
        kind: metrics
        cache: false
        persist: true
    train@small:
      cmd:
      - echo one
      - ./two
      wdir: sub/folder
      params:
        params.yaml:
          lr: 0.1
      outs:
      - path: m/1
        hash: sha256
        sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        size: 7
        isexec: true

  """

/// Nothing when there are mistakes.
private func quick(_ text: String) -> LockFile? { try? LockFileText.read(text, file: "pipeline.lock") }
private func careful(_ text: String) -> LockFile? { try? LockFileText.readAsYAML(text, file: "pipeline.lock") }

@Suite struct `A lock file by its lines` {
  @Test func `is read`() throws {
    let lock = try LockFileText.read(usual, file: "pipeline.lock")
    #expect(lock.entries.keys.sorted() == ["first", "train@small"])
    let first = try #require(lock.entries["first"])
    #expect(first.recipe.commands == ["cat in.txt > out.txt"])
    #expect(first.recipe.inputs.map(\.path) == ["in.txt"])
    #expect(first.outputs.map(\.digest.description) == ["sha256:\(abc.hex).dir"])
    #expect(first.outputs.map(\.files) == [2])
    #expect(first.recipe.targets == [Recipe.Target(path: "data/out", kind: .metrics, isCached: false, isPersistent: true)])
    #expect(lock.entries["train@small"]?.recipe.workingDirectory == "sub/folder")
    #expect(lock.entries["train@small"]?.recipe.parameters.map(\.value) == [.double(0.1)])
    #expect(lock.entries["train@small"]?.outputs.map(\.isExecutable) == [true])
    #expect(quick(usual) == careful(usual))
  }

  @Test(arguments: [
    ("cat in.txt > out.txt", "'quoted'"), ("cat in.txt > out.txt", "true"), ("cat in.txt > out.txt", "12"),
    ("cat in.txt > out.txt", "a # comment"), ("cat in.txt > out.txt", "one\n      folded"),
    ("cat in.txt > out.txt", "[a, b]"), ("cat in.txt > out.txt", "{}"), ("cat in.txt > out.txt", ""),
    ("- echo one\n    - ./two", "- echo one"), ("- echo one\n    - ./two", "[]"), ("wdir: sub/folder", "wdir: 12"),
    ("wdir: sub/folder", "wdir: sub/folder\n    wdir: a"), ("size: 3", "size: 03"), ("size: 3", "size: -3"),
    ("size: 3", "size: x"),
    ("size: 3", "size: 3\n      isexec: true"), ("size: 3", "size: 3\n      kind: plot"), ("size: 3", "size: 3\n      cache: no"),
    ("kind: metrics", "kind: other"), ("cache: false", "cache: true"), ("persist: true", "persist: 1"),
    ("path: data/out", "path: data/../out"), ("path: data/out", "path: /data/out"), ("path: data/out", "path: ../out"),
    ("path: in.txt", "path: /in.txt"), ("hash: sha256", "hash: md5"), ("ba78", "BA78"), ("ba78", "ba7"),
    ("first:", "train@small:"), ("first:", "no:"), ("first:", "first: {}\n  x:"), ("'1.0'", "1.0"), ("  first:", "# c\n  first:"),
    ("    deps:", "    deps: []\n    x:"), ("    deps:", "   deps:"), ("\n", "\r\n"), ("  ", "\t"), ("lr: 0.1", "lr: *x"),
    ("- path: m/1", "- path: m/1\n      hash: sha256\n      sha256: \(abc.hex)\n      size: 1\n    - path: m/1"),
  ])
  func `with something unusual is read as YAML has it`(change: (String, String)) {
    let text = usual.replacing(change.0, with: change.1, maxReplacements: change.0 == "\n" || change.0 == "  " ? .max : 1)
    #expect(text != usual)
    #expect(quick(text) == careful(text))
  }

  @Test func `cut short or with other bytes is read as YAML has it`() {
    for length in 0..<usual.utf8.count {
      let text = String(usual.prefix(length))
      #expect(quick(text) == careful(text), "\(length)")
    }
    let lines = usual.split(separator: "\n", omittingEmptySubsequences: false)
    func check(_ index: Int, _ others: [Substring]) {
      let text = (lines[..<index] + others + lines[(index + 1)...]).joined(separator: "\n")
      #expect(quick(text) == careful(text), "line \(index + 1) is \(others)")
    }
    for index in lines.indices {
      let line = lines[index]
      check(index, [])
      check(index, [line, line])
      for other in [" ", "  ", "- ", "'", ":", " :", "#", "~"] {
        check(index, [other + line])
        check(index, [line + other])
      }
    }
  }

  @Test func `of any content is read as YAML has it, and comes back as it was`() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<300 {
      let lock = try randomLock(&generator)
      let text = LockFileText.write(lock, order: lock.entries.keys.sorted())
      #expect(quick(text) == lock, "seed \(seed): \(text)")
      #expect(careful(text) == lock, "seed \(seed): \(text)")
    }
  }
}

/// Words that YAML takes for something else among them.
private func randomText(_ generator: inout SeededGenerator) -> String {
  let words = [
    "cat", "a/b", "1/2", ".5", "no", "null", "1e3", "x: y", "#", "'", "\"", "é", ">", "|", "-", "- a", "{a}", "a:", "~", "  ",
    "\t", "2020-01-01",
    "true", "0x1F", "data.csv", "sub/dir/f", "&a", "*a", "!t", "%", "@", "`",
  ]
  return (0..<Int.random(in: 1...4, using: &generator)).map { _ in words.randomElement(using: &generator) ?? "" }
    .joined(separator: Bool.random(using: &generator) ? " " : "")
}

private func randomLock(_ generator: inout SeededGenerator) throws -> LockFile {
  var lock = LockFile()
  for number in 0..<Int.random(in: 1...4, using: &generator) {
    let kinds: [Output.Kind] = [.data, .metrics, .plot]
    var targets: [Recipe.Target] = []
    var outputs: [Trace.Result] = []
    for index in 0..<Int.random(in: 0...3, using: &generator) {
      let kind = kinds.randomElement(using: &generator) ?? .data
      let path = ["o\(index)", "d/\(index).csv", "\(index)", "x y \(index)"].randomElement(using: &generator) ?? ""
      targets.append(
        Recipe.Target(
          path: path, kind: kind, isCached: .random(using: &generator), isPersistent: .random(using: &generator)))
      outputs.append(
        Trace.Result(
          path: path, digest: abc, size: .random(in: 0...1000, using: &generator),
          files: Bool.random(using: &generator) ? 3 : nil, isExecutable: .random(using: &generator), kind: kind))
    }
    let texts = (0..<Int.random(in: 1...3, using: &generator)).map { _ in randomText(&generator) }
    let inputs = (0..<Int.random(in: 0...2, using: &generator)).map { index in
      Recipe.Input(path: "\(randomText(&generator))\(index)", digest: abc, size: index, files: index == 1 ? 2 : nil)
    }
    let recipe = Recipe(
      commands: texts, notebook: nil, workingDirectory: Bool.random(using: &generator) ? randomText(&generator) : nil, tools: [],
      inputs: inputs, parameters: [], environment: [], targets: targets)
    lock.entries["\(["s", "no", "train@a/b", "1"].randomElement(using: &generator) ?? "")\(number)"] = LockEntry(
      recipe: recipe, outputs: outputs)
  }
  return lock
}
