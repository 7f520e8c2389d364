// `pipe gc` beside DVC: which objects stay, and when it refuses.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

/// MD5 of the texts `1`, `2` and `3`, and of the list of a folder with `1` in `a` and `2` in `b`.
private let one = "c4ca4238a0b923820dcc509a6f75849b"
private let two = "c81e728d9d4c2f636f067f89cc14862c"
private let three = "eccbc87e4b5ce2fe28308fd9f2a7baf3"
private let list = "8ea7b150bb7c692952804d00767e8840.dir"
private let listText = #"[{"md5": "\#(one)", "relpath": "a"}, {"md5": "\#(two)", "relpath": "b"}]"#

extension Site {
  fileprivate func put(_ text: String, as digits: String, in store: String = ".dvc/cache") throws {
    let path = "\(store)/files/md5/\(digits.prefix(2))/\(digits.dropFirst(2))"
    if exists(path) { return }
    try write(text, to: path)
    chmod("\(root)/\(path)", 0o444)
  }

  /// Names of the objects, sorted.
  fileprivate func objects(in store: String = ".dvc/cache") -> [String] {
    (FileManager.default.enumerator(atPath: "\(root)/\(store)/files/md5")?.compactMap { $0 as? String } ?? [])
      .filter { $0.utf8.count > 2 }.map { $0.split(separator: "/").joined() }.sorted()
  }

  fileprivate func point(_ name: String, at digits: String) throws {
    try write("outs:\n- md5: \(digits)\n  size: 1\n  hash: md5\n  path: \(name)\n", to: "\(name).dvc")
  }

  /// `f` was `1` at the tag `v1` and on the branch `old`, `2` on `main`, and is `3` in the workspace.
  fileprivate func makeThreeVersions() throws {
    try git("init", "-q")
    try pipe("init", "--dvc")
    try write("/f\n", to: ".gitignore")
    for (text, digits) in [("1", one), ("2", two), ("3", three)] {
      try put(text, as: digits)
      try point("f", at: digits)
      if text == "3" { break }
      try git("add", "-A")
      try git("commit", "-qm", text)
      if text == "1" {
        try git("tag", "-a", "v1", "-m", "first")
        try git("branch", "old")
      }
    }
  }

  fileprivate func putAll() throws { for (text, digits) in [("1", one), ("2", two), ("3", three)] { try put(text, as: digits) } }
}

@Suite struct `Collecting garbage beside DVC` {
  @Test func `keeps what the workspace and the chosen commits name`() throws {
    try withSite { site in
      try site.makeThreeVersions()
      let scopes: [([String], [String])] = [
        (["-w"], [three]), (["-a"], [one, two, three]), (["-T"], [one, three]), (["-A"], [one, two, three]),
        (["--rev", "HEAD"], [two, three]), (["--rev", "HEAD", "-n", "2"], [one, two, three]), (["--rev", "old"], [one, three]),
        (["--date", "2001-01-31"], [one, two, three]), (["--date", "2100-01-31"], [three]), (["--all-experiments"], [three]),
      ]
      for (scope, kept) in scopes {
        try site.putAll()
        let ended = try site.run(pipeBinary, ["gc", "--force"] + scope)
        #expect(ended.status == 0, "\(scope): \(ended.err)")
        #expect(site.objects() == kept, "\(scope)")
      }
    }
  }

  @Test func `keeps an experiment of DVC down to the commit that it began at`() throws {
    try withSite { site in
      try site.makeThreeVersions()
      let base = try site.git("rev-parse", "HEAD").out.prefix(40)
      let old = try site.git("rev-parse", "old").out.prefix(40)
      // A commit with the tree of `old` whose parent is the newest one.
      let made = try site.git("commit-tree", "-p", String(base), "-m", "try", "\(old)^{tree}").out.prefix(40)
      try site.git("update-ref", "refs/exps/\(base.prefix(2))/\(base.dropFirst(2))/calm-fish", String(made))
      #expect(try site.pipe("gc", "--force", "--all-experiments").status == 0)
      #expect(site.objects() == [one, three])
    }
  }

  @Test func `wants to be told what stays, and asks`() throws {
    try withSite { site in
      try site.makeThreeVersions()
      for arguments in [
        ["gc"], ["gc", "--force"], ["gc", "-w"], ["gc", "-n", "2", "--force"], ["gc", "-w", "-r", "x", "--force"],
        ["gc", "-w", "-c", "--not-in-remote", "--force"], ["gc", "--date", "yesterday", "--force"],
        ["gc", "--rev", "nope", "-f"],
      ] {
        #expect(try site.run(pipeBinary, arguments).status != 0, "\(arguments)")
        #expect(site.objects() == [one, two, three], "\(arguments)")
      }
      #expect(
        try site.pipe("gc", "-w").err == """
          error: nobody is there to be asked, so nothing was removed
          cause: what the workspace does not use leaves the store
          hint: `--force` asks nothing

          """)
    }
  }

  @Test func `prints what would go, and takes no more and no less`() throws {
    try withSite { site in
      try site.makeThreeVersions()
      let dry = try site.pipe("gc", "-w", "--dry")
      #expect(dry.status == 0)
      #expect(dry.err == "would remove 2 objects, 2 B\n")
      let store = "\(try #require(realpath(site.root, nil).map { String(cString: $0) }))/.dvc/cache/files/md5"
      #expect(
        dry.out == "\(store)/c4/\(one.dropFirst(2))\n\(store)/c8/\(two.dropFirst(2))\n")
      #expect(site.objects() == [one, two, three])
      #expect(try site.pipe("gc", "-w", "-f").err == "removed 2 objects, 2 B\n")
      #expect(site.objects() == [three])
      #expect(try site.pipe("-q", "gc", "-w", "-f").err == "")
    }
  }

  @Test func `keeps the files of directories, and does not guess them when a list is damaged`() throws {
    try withSite { site in
      try site.makeThreeVersions()
      try site.put(listText, as: list)
      try site.point("d", at: list)
      #expect(try site.pipe("gc", "-w", "-f").status == 0)
      #expect(site.objects() == [one, two, three, list].sorted())
      let file = "\(site.root)/.dvc/cache/files/md5/\(list.prefix(2))/\(list.dropFirst(2))"
      chmod(file, 0o644)
      try Data("[]".utf8).write(to: URL(fileURLWithPath: file))
      chmod(file, 0o444)
      let refused = try site.pipe("gc", "-w", "-f")
      #expect(refused.status == 4)
      #expect(refused.err.contains("does not match its name"))
      #expect(site.objects() == [one, two, three, list].sorted())
      try FileManager.default.removeItem(atPath: file)
      let warned = try site.pipe("gc", "-w", "-f")
      #expect(warned.status == 0)
      #expect(warned.err.hasPrefix("warning: the store lacks the lists of directories; what only they hold is not kept: `d`"))
      #expect(site.objects() == [three])
    }
  }

  @Test func `collects at the remote, or drops what the remote has`() throws {
    try withSite { site in
      try site.makeThreeVersions()
      try site.pipe("remote", "add", "-d", "there", "\(site.folder.path)/project/there")
      for (text, digits) in [("1", one), ("3", three)] { try site.put(text, as: digits, in: "there") }
      #expect(try site.pipe("gc", "-a", "-f", "--not-in-remote").status == 0)
      #expect(site.objects() == [two])
      #expect(site.objects(in: "there") == [one, three])
      try site.putAll()
      let ended = try site.pipe("gc", "-w", "-f", "-c")
      #expect(ended.err == "removed 2 objects, 2 B\nthere: removed 1 objects, 1 B\n")
      #expect(site.objects() == [three])
      #expect(site.objects(in: "there") == [three])
    }
  }

  @Test func `passes over a commit that cannot be read only when told so`() throws {
    try withSite { site in
      try site.makeThreeVersions()
      try site.git("checkout", "-q", "old", "--force")
      try site.write("stages: [", to: "dvc.yaml")
      try site.git("add", "dvc.yaml")
      try site.git("commit", "-qm", "broken")
      try site.git("checkout", "-q", "main")
      try site.point("f", at: three)
      let refused = try site.pipe("gc", "-a", "-f")
      #expect(refused.status == 2)
      #expect(refused.err.hasPrefix("error: what `old` uses cannot be known, so nothing is removed\n"))
      #expect(site.objects() == [one, two, three])
      #expect(try site.pipe("gc", "-a", "-f", "--skip-failed").status == 0)
      #expect(site.objects() == [two, three])
    }
  }

  @Test func `keeps what an earlier commit had in a folder that is ignored now`() throws {
    try withSite { site in
      try site.makeThreeVersions()
      try site.git("checkout", "-q", "--force", "old")
      try site.write("outs:\n- md5: \(two)\n  size: 1\n  hash: md5\n  path: g\n", to: "sub/g.dvc")
      try site.git("add", "-A")
      try site.git("commit", "-qm", "sub")
      try site.write("sub\n", to: ".dvcignore")
      #expect(try site.pipe("gc", "--rev", "HEAD", "-f").status == 0)
      #expect(site.objects() == [one, two])
    }
  }

  @Test func `prunes results of earlier runs that nothing has agreed on`() throws {
    try withSite { site in
      try site.git("init", "-q")
      try site.pipe("init", "--dvc")
      try site.write("stages:\n  s:\n    cmd: cat in > out\n    deps: [in]\n    outs: [out]\n", to: "dvc.yaml")
      func results() -> Int {
        (FileManager.default.enumerator(atPath: "\(site.root)/.dvc/cache/runs")?.compactMap { $0 as? String } ?? [])
          .count { $0.utf8.count > 130 }
      }
      for text in ["1", "2"] {
        try site.write(text, to: "in")
        #expect(try site.pipe("repro").status == 0)
      }
      #expect(results() == 2)
      #expect(try site.pipe("gc", "-w", "-f").status == 0)
      #expect(results() == 2)
      #expect(try site.pipe("gc", "-w", "-f", "--run-cache", "--keep-days", "1").status == 0)
      #expect(results() == 2)
      #expect(try site.pipe("gc", "-w", "-f", "--run-cache").err == "removed 1 results, 0 objects, 0 B\n")
      #expect(results() == 1)
      #expect(site.objects() == [two])
    }
  }
}
