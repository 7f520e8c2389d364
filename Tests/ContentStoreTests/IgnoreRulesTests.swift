// What is left out: the verdicts that DVC 3.67.1 gave for the same files, and the rules it named.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Foundation
import TestSupport
import Testing

/// An ignore file, and paths with `+` for those left out, `/` behind folders, and the rules that met them behind `<`.
private let said: [(file: String, verdicts: [String])] = [
  ("*.log", ["+a.log < .dvcignore:1:*.log", "+d/a.log < .dvcignore:1:*.log", "+a.log/x < .dvcignore:1:*.log", "-a.logs"]),
  ("foo/", ["+foo/ < .dvcignore:1:foo/", "-foo", "+a/foo/ < .dvcignore:1:foo/", "+foo/x < .dvcignore:1:foo/"]),
  ("/foo", ["+foo < .dvcignore:1:/foo", "-a/foo"]),
  ("a/b", ["+a/b < .dvcignore:1:a/b", "-x/a/b", "+a/b/c < .dvcignore:1:a/b"]),
  ("a/**/z", ["+a/z < .dvcignore:1:a/**/z", "+a/b/z < .dvcignore:1:a/**/z", "+a/b/c/z < .dvcignore:1:a/**/z", "-x/a/z"]),
  ("**/z", ["+z < .dvcignore:1:**/z", "+q/z < .dvcignore:1:**/z", "+q/r/z < .dvcignore:1:**/z"]),
  ("a/**", ["+a/ < .dvcignore:1:a/**", "+a/x < .dvcignore:1:a/**", "+a/x/y < .dvcignore:1:a/**"]),
  (
    "*.txt\n!keep.txt",
    ["+x.txt < .dvcignore:1:*.txt", "-keep.txt < .dvcignore:2:!keep.txt", "-d/keep.txt < .dvcignore:2:!keep.txt"]
  ),
  ("d/\n!d/keep.txt", ["+d/keep.txt < .dvcignore:1:d/", "+d/ < .dvcignore:1:d/"]),
  ("d/*\n!d/keep.txt", ["-d/keep.txt < .dvcignore:2:!d/keep.txt", "+d/x < .dvcignore:1:d/*"]),
  ("\\#x\n\\!y", ["+#x < .dvcignore:1:\\#x", "+!y < .dvcignore:2:\\!y"]),
  ("# comment\n\n  padded  ", ["+padded < .dvcignore:3:padded", "-  padded  ", "-comment"]),
  (
    "[ab].c\n[!ab].h\n[^x]z",
    ["+a.c < .dvcignore:1:[ab].c", "-c.c", "+c.h < .dvcignore:2:[!ab].h", "-a.h", "+yz < .dvcignore:3:[^x]z", "-xz"]
  ),
  ("f?o", ["+fao < .dvcignore:1:f?o", "-f/o", "-fo"]),
  ("*", ["+a < .dvcignore:1:*", "+a/b < .dvcignore:1:*"]),
  ("**/", ["-a/", "-a/b/", "-x"]),
  ("*/", ["-a/", "-a/b/", "-x"]),
  ("foo[", ["-foo[", "-foo"]),
  ("x\r\ny\r\n", ["+x < .dvcignore:1:x", "+y < .dvcignore:2:y"]),
  (
    "",
    [
      "+.git/ < :.git", "+.git < :.git", "+.git/config < :.git", "+.hg/ < :.hg/", "-.hg", "+.dvc/ < :.dvc/", "+.dvc/tmp < :.dvc/",
      "+a/.dvc/ < :.dvc/", "-.dvcx",
    ]
  ),
  ("é*", ["+élan < .dvcignore:1:é*"]),
]

private func describe(_ rules: IgnoreRules, _ verdict: String) -> String {
  let path = verdict.dropFirst().components(separatedBy: " < ")[0]
  let isFolder = path.hasSuffix("/")
  let found = rules.verdict(isFolder ? String(path.dropLast()) : path, isDirectory: isFolder)
  let texts = found.matches.map(\.text).joined(separator: " ")
  return (found.isIgnored ? "+" : "-") + path + (texts.isEmpty ? "" : " < " + texts)
}

@Suite struct `Ignore rules` {
  @Test(arguments: said)
  func `are read as DVC reads them`(_ file: String, _ verdicts: [String]) throws {
    try withTemporaryDirectory { (folder: URL) in
      try folder.write(file, to: ".dvcignore")
      let rules = IgnoreRules(root: folder.path)
      #expect(verdicts.map { describe(rules, $0) } == verdicts)
    }
  }

  @Test func `of a folder hold below it, come after those above, and are not read where all is left out`() throws {
    try withTemporaryDirectory { (folder: URL) in
      try folder.write("*.tmp\nout/\n", to: ".dvcignore")
      try folder.write("!keep.tmp\n/top\nsub/x\n", to: "a/.dvcignore")
      try folder.write("!x.tmp\n", to: "out/.dvcignore")
      let rules = IgnoreRules(root: folder.path)
      let verdicts = [
        "+x.tmp < .dvcignore:1:*.tmp", "+keep.tmp < .dvcignore:1:*.tmp", "-a/keep.tmp < a/.dvcignore:1:!keep.tmp",
        "-a/b/keep.tmp < a/.dvcignore:1:!keep.tmp", "+a/x.tmp < .dvcignore:1:*.tmp", "+a/top < a/.dvcignore:2:/top", "-a/b/top",
        "+a/sub/x < a/.dvcignore:3:sub/x", "-sub/x", "+out/x.tmp < .dvcignore:2:out/",
      ]
      #expect(verdicts.map { describe(rules, $0) } == verdicts)
    }
  }

  @Test func `leave out a folder that is a project of its own`() throws {
    try withTemporaryDirectory { (folder: URL) in
      try folder.write("", to: "a/other/.dvc/config")
      let rules = IgnoreRules(root: folder.path)
      #expect(describe(rules, "+a/other/data") == "+a/other/data < in sub_repo:other")
      #expect(!rules.isIgnored("a", isDirectory: true))
    }
  }

  @Test func `of a native project have another file, and leave out both kinds of state`() throws {
    try withTemporaryDirectory { (folder: URL) in
      try folder.write("x\n", to: ".pipeignore")
      try folder.write("y\n", to: ".dvcignore")
      let rules = IgnoreRules(root: folder.path, fileName: ".pipeignore", markerFolder: ".pipe")
      #expect(["x", "y", ".git"].map { rules.isIgnored($0, isDirectory: false) } == [true, false, true])
      #expect(
        [".pipe", ".dvc", ".git", ".hg", "d"].map { rules.isIgnored($0, isDirectory: true) } == [true, true, true, true, false])
    }
  }

  @Test func `take no time that grows without bound`() throws {
    try withTemporaryDirectory { (folder: URL) in
      try folder.write(
        String(repeating: "a*", count: 40) + "b\n" + String(repeating: "**/a/", count: 40) + "b\n", to: ".dvcignore")
      let rules = IgnoreRules(root: folder.path)
      #expect(!rules.isIgnored(String(repeating: "a", count: 200), isDirectory: false))
      #expect(!rules.isIgnored(String(repeating: "a/", count: 40) + "c", isDirectory: false))
    }
  }
}

@Test(arguments: [
  ("data/*.csv", ["data/a.csv", "data/.csv"], ["data/a.csvx", "data/b/a.csv", "x/data/a.csv", "data/a.csv/b"]),
  ("logs/**/part-?.txt", ["logs/part-1.txt", "logs/a/b/part-é.txt"], ["logs/part-.txt", "logs/part-10.txt", "part-1.txt"]),
  ("**/*.py", ["a.py", "a/b.py"], ["a.pyc"]),
  ("d/**", ["d/a", "d/a/b"], ["d", "e/d/a"]),
  ("[a-c]x[!0-9]", ["axz", "bx_"], ["dxz", "ax1"]),
  ("a[", [], ["a[", "a"]),
  ("a/**/**/b*", ["a/b", "a/x/y/bc"], ["ab"]),
])
func `a pattern means whole paths`(_ text: String, _ matching: [String], _ others: [String]) throws {
  let pattern = try #require(PathPattern(text))
  #expect(matching.filter { !pattern.matches($0) } == [])
  #expect(others.filter { pattern.matches($0) } == [])
}
