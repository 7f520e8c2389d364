// The quick way through a `dvc.lock` says what the YAML reader says, or nothing.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import PipelineModel
import TestSupport
import Testing

private let usual = """
  schema: '2.0'
  stages:
    first:
      cmd: cat in.txt > out.txt
      deps:
      - path: in.txt
        hash: md5
        md5: 5d41402abc4b2a76b9719d911017c592
        size: 5
      outs:
      - path: ../data/out
        hash: md5
        md5: 12345678901234567890123456789012.dir
        size: 0
        nfiles: 2
        isexec: true
    train@small:
      cmd:
      - echo one
      - ./two
      params:
        params.yaml:
          lr: 0.1
      outs:
      - path: m/1
        hash: md5
        md5: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        size: 7
        x-more: 1

  """

private func same(_ text: String) -> Bool {
  let quick = try? DVCLockText.read(text, file: "dvc.lock")
  let careful = try? DVCLockText.readAsYAML(text, file: "dvc.lock")
  guard let quick, let careful else { return quick == nil && careful == nil }
  return quick.entries.count == careful.entries.count
    && zip(quick.entries, careful.entries).allSatisfy { $0.name == $1.name && $0.entry == $1.entry }
}

@Suite struct `A lock file as DVC writes it` {
  @Test func `is read`() throws {
    let lock = try DVCLockText.read(usual, file: "dvc.lock")
    #expect(lock.entries.map(\.name) == ["first", "train@small"])
    #expect(lock["first"]?.commands == ["cat in.txt > out.txt"])
    #expect(lock["first"]?.dependencies.map(\.path) == ["in.txt"])
    #expect(lock["first"]?.outputs.first?.files == 2)
    #expect(lock["first"]?.outputs.first?.isExecutable == true)
    #expect(lock["train@small"]?.isCommandList == true)
    #expect(lock["train@small"]?.parameters.first?.values.first?.value == .double(0.1))
    #expect(same(usual))
  }

  @Test(arguments: [
    ("cat in.txt > out.txt", "'quoted'"), ("cat in.txt > out.txt", "true"), ("cat in.txt > out.txt", "NULL"),
    ("cat in.txt > out.txt", "12"), ("cat in.txt > out.txt", "1:30"), ("cat in.txt > out.txt", "a # comment"),
    ("cat in.txt > out.txt", "one\n      folded"), ("cat in.txt > out.txt", "one \n      > two\n      three"),
    ("cat in.txt > out.txt", "one\n      two: three"), ("cat in.txt > out.txt", "one:\n      two"),
    ("cat in.txt > out.txt", "one\n      # two"), ("cat in.txt > out.txt", "one # two\n      three"),
    ("cat in.txt > out.txt", "one\n       deep"), ("cat in.txt > out.txt", "one\n     five"),
    ("cat in.txt > out.txt", "one\n      \n      two"),
    ("cat in.txt > out.txt", "2001-01-01\n      00:00:00"), ("cat in.txt > out.txt", "true\n      false"),
    ("cat in.txt > out.txt", "one\n      - two"), ("cat in.txt > out.txt", "'one\n      two'"),
    ("- echo one", "- echo\n      one"),
    ("- echo one", "- echo\n     one"), ("- echo one", "- echo\n      - one"), ("cat in.txt > out.txt", "one\n      'two'"),
    ("cat in.txt > out.txt", "one\n      two \n"), ("cat in.txt > out.txt", "|\n      block"), ("cat in.txt > out.txt", "a: b"),
    ("cat in.txt > out.txt", "&x a"), ("cat in.txt > out.txt", "*x"), ("cat in.txt > out.txt", "a:"),
    ("cat in.txt > out.txt", ""),
    ("cat in.txt > out.txt", "a  "), ("cat in.txt > out.txt", "é"), ("size: 5", "size: 05"), ("size: 5", "size: 1_0"),
    ("size: 5", "size: -5"), ("size: 5", "size: 5\n      size: 6"), ("path: in.txt", "path: 2020"),
    ("path: in.txt", "path: .inf"),
    ("hash: md5", "hash: sha256"), ("5d41", "5D41"), ("5d41", "5d4"), ("first:", "first: {}\n  x:"), ("first:", "train@small:"),
    ("first:", "'first':"), ("first:", "no:"), ("stages:", "stages: {}\nmore:"), ("'2.0'", "2.0"), ("  first:", "# c\n  first:"),
    ("  first:", "\n  first:"), ("    deps:", "    deps:\n    # c"), ("    deps:", "    deps: []\n    x:"),
    ("    deps:", "   deps:"),
    ("isexec: true", "isexec: false"), ("- echo one", "-   echo one"), ("- echo one", "- - a"), ("\n", "\r\n"), ("  ", "\t"),
    ("lr: 0.1", "lr: [1, 2]"), ("lr: 0.1", "lr: *x"), ("schema: '2.0'\n", ""), ("first:", "<<: {}\n  first:"),
  ])
  func `with something unusual is read as YAML has it`(change: (String, String)) {
    let text = usual.replacing(change.0, with: change.1, maxReplacements: change.0 == "\n" || change.0 == "  " ? .max : 1)
    #expect(text != usual)
    #expect(same(text))
  }

  @Test(arguments: [
    "a\n      > out.txt", "a b\n      c\n      d/e f", "a\n      #b", "a\n      b #c", "a:\n      b", "a\n      b: c",
    "a\n      b:",
    "a \n      b", "a  \n      b c  \n      d", "a: \n      b", " \n      b", "a \n      #b", "a\n      b ", "a\n\n      b",
    "a\n        b", "a\n     b", "a\n      - b", "a\n      'b'", "a\n      \tb",
    "a\n      é", "12\n      34",
    "true\n      false", "a\n      ", "a\n      ---", "a\n      ? b",
  ])
  func `with a command over several lines is read as YAML has it`(command: String) {
    let first = usual.replacing("cat in.txt > out.txt", with: command)
    #expect(first != usual)
    #expect(same(first))
    let second = usual.replacing("echo one", with: command)
    #expect(second != usual)
    #expect(same(second))
  }

  @Test func `has a command over several lines as DVC breaks it`() throws {
    let lock = try DVCLockText.read(
      usual.replacing("cat in.txt > out.txt", with: "cat a.txt b.txt \n      c.txt >\n      out.txt"), file: "dvc.lock")
    #expect(lock["first"]?.commands == ["cat a.txt b.txt c.txt > out.txt"])
  }

  @Test func `cut short or with other bytes is read as YAML has it`() {
    for length in 0..<usual.utf8.count { #expect(same(String(usual.prefix(length))), "\(length)") }
    let lines = usual.split(separator: "\n", omittingEmptySubsequences: false)
    for index in lines.indices {
      var fewer = lines
      fewer.remove(at: index)
      #expect(same(fewer.joined(separator: "\n")), "without line \(index + 1)")
      var twice = lines
      twice.insert(lines[index], at: index)
      #expect(same(twice.joined(separator: "\n")), "with line \(index + 1) twice")
      for other in [" ", "  ", "- ", "'", ":", " :", "#", "~"] {
        var changed = lines
        changed[index] = Substring(other + lines[index])
        #expect(same(changed.joined(separator: "\n")), "\(other) before line \(index + 1)")
        changed[index] = lines[index] + other
        #expect(same(changed.joined(separator: "\n")), "\(other) after line \(index + 1)")
      }
    }
  }
}
