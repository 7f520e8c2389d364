// Data that means harm, under each command that changes data: docs/safety.md lists what happens.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

private let abc = "900150983cd24fb0d6963f7d28e17f72"

extension Target {
  /// - Returns: standard error.
  @discardableResult fileprivate func expect(_ status: Int32, _ arguments: String..., saying words: String = "") throws -> String
  {
    let ended = try site.run("/usr/bin/timeout", ["60", pipeBinary] + arguments)
    #expect(ended.status == status, "\(arguments): \(ended.status) \(ended.err)")
    #expect(words.isEmpty || ended.err.contains(words), "\(arguments): \(ended.err)")
    return ended.err
  }

  fileprivate func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
  }

  fileprivate func linkTarget(_ name: String) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(atPath: "\(root)/\(name)")
  }

  /// Everything in the project but Git's and `pipe`'s own.
  fileprivate var names: [String] {
    (FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? [])
      .filter { !$0.hasPrefix(".git/") && !$0.hasPrefix(".dvc") && $0 != ".git" }.sorted()
  }

  fileprivate var objects: [String] {
    (FileManager.default.enumerator(atPath: "\(root)/.dvc/cache/files/md5")?.compactMap { $0 as? String } ?? [])
      .filter { $0.utf8.count > 2 }.sorted()
  }
}

@Suite struct `Adding what means harm` {
  @Test func `as a link to a file outside copies it, and leaves it alone`() throws {
    try withTarget { target in
      try target.link("l", to: "../outside/x")
      try target.expect(0, "add", "l")
      #expect(target.linkTarget("l") == nil && target.site.text("l") == "theirs")
    }
  }

  @Test(arguments: ["hardlink", "symlink"])
  func `as a link to a file outside, where data are links, makes it no object`(_ kind: String) throws {
    try withTarget { target in
      try target.expect(0, "config", "cache.type", kind)
      try target.link("l", to: "../outside/x")
      try target.expect(0, "add", "l")
      #expect(target.site.text("l") == "theirs")
      #expect(FileStatKind(target.outside + "/x").mode == 0o644)
      var info = stat()
      #expect(lstat(target.outside + "/x", &info) == 0 && info.st_nlink == 1)
    }
  }

  @Test(arguments: ["l", "l/", "l/x", "l/new"])
  func `as a link to a folder outside, or from behind it, is refused`(_ name: String) throws {
    try withTarget { target in
      try target.link("l", to: "../outside")
      try target.expect(2, "add", name, saying: "link")
      #expect(target.names == ["l"])
    }
  }

  @Test(arguments: ["pipe", "socket", "device", "in/pipe"])
  func `as a pipe, a socket or a device is named, and not waited for`(_ name: String) throws {
    try withTarget { target in
      switch name {
      case "device": try target.link(name, to: "/dev/zero")
      case "socket":
        let made = try target.site.run(
          "/usr/bin/python3", ["-c", "import socket; socket.socket(socket.AF_UNIX).bind('socket')"])
        #expect(made.status == 0, "\(made.err)")
      default: try target.pipe(at: name)
      }
      try target.expect(2, "add", name.hasPrefix("in/") ? "in" : name, saying: "\(name)` is neither a file nor a directory")
      #expect(!target.names.contains { $0.hasSuffix(".dvc") })
    }
  }

  @Test(arguments: ["../outside/x", "d/../../outside/x", "..", ".", "/", "/etc/hostname"])
  func `from outside is refused`(_ path: String) throws {
    try withTarget { target in
      try target.expect(2, "add", path, saying: "`\(path)` lies outside the project")
      #expect(target.names == [])
    }
  }

  @Test(arguments: [".git", ".git/config", ".dvc", ".dvc/config", "sub/.git/HEAD", "dvc.yaml", "y.dvc"])
  func `in folders of state, or as a file of the project, is refused`(_ path: String) throws {
    try withTarget { target in
      try target.site.write("[core]\n", to: ".git/config")
      try target.site.write("ref: x\n", to: "sub/.git/HEAD")
      try target.site.write("{}\n", to: "dvc.yaml")
      try target.site.write("outs:\n- path: y\n", to: "y.dvc")
      let before = target.names
      try target.expect(2, "add", path)
      #expect(target.names == before && target.site.text(".git/config") == "[core]\n")
    }
  }

  @Test func `with links in a circle, or to nowhere, ends, and is refused`() throws {
    try withTarget { target in
      try target.site.write("abc", to: "d/a")
      try target.link("d/self", to: "self")
      try target.expect(4, "add", "d", saying: "d/self`: Too many levels of symbolic links")
      try target.link("d/self", to: "nowhere")
      try target.expect(4, "add", "d", saying: "cannot follow the link")
      try target.link("d/self", to: "..")
      try target.expect(0, "add", "d")
      #expect(target.site.text("d.dvc")?.contains("  nfiles: 1\n") == true)
    }
  }

  @Test func `with a line feed in its name makes no rule for other files`() throws {
    try withTarget { target in
      try target.site.git("init", "--quiet")
      try target.site.write("abc", to: "a\nsecret")
      try target.site.write("abc", to: "b\n!kept")
      try target.expect(0, "add", "a\nsecret", saying: "warning: `a\\u{a}secret` has a line feed in its name")
      try target.expect(0, "add", "b\n!kept")
      #expect(target.site.text(".gitignore") == nil)
      #expect(target.site.text("a\nsecret.dvc")?.hasSuffix("  path: \"a\\nsecret\"\n") == true)
      #expect(try target.site.pipe("status").status == 0)
    }
  }

  @Test func `with the signs of a pattern in its name ignores that file alone`() throws {
    try withTarget { target in
      try target.site.git("init", "--quiet")
      for name in ["*", "!kept", "#", "[a-z]", "a\\"] { try target.site.write(name, to: "d/" + name) }
      for name in ["*", "!kept", "#", "[a-z]", "a\\"] { try target.expect(0, "add", "d/" + name) }
      try target.site.write("other", to: "d/q")
      let ignored = try target.site.run("/usr/bin/git", ["check-ignore", "d/q", "d/kept", "d/a"])
      #expect(ignored.status == 1 && ignored.out == "", "\(ignored.out)")
      #expect(try target.site.run("/usr/bin/git", ["check-ignore", "d/*"]).status == 0)
    }
  }

  @Test func `with sequences for the terminal in its name shows them spelled out`() throws {
    try withTarget { target in
      try target.site.write("abc", to: "a\u{1b}[2Jb")
      try target.expect(0, "add", "a\u{1b}[2Jb", saying: "wrote `a\\u{1b}[2Jb.dvc`")
      let status = try target.site.pipe("status")
      #expect(status.out.hasPrefix("a\\u{1b}[2Jb.dvc") && !status.out.contains("\u{1b}"), "\(status.out)")
      #expect(try target.site.pipe("checkout").status == 0)
    }
  }

  @Test func `with a name that is not UTF-8 is refused`() throws {
    try withTarget { target in
      try target.makeFolder("d")
      let made = try target.site.run("/bin/bash", ["-c", "echo 1 > $'d/bad\\xff'"])
      #expect(made.status == 0)
      try target.expect(4, "add", "d", saying: "its name is not UTF-8")
      #expect(target.site.text("d.dvc") == nil)
    }
  }

  @Test func `beside a pointer file that is a link to elsewhere replaces the link alone`() throws {
    try withTarget { target in
      let file = target.site.folder.path + "/pointer"
      try Data("outs:\n- path: a\n".utf8).write(to: URL(fileURLWithPath: file))
      try target.site.write("abc", to: "a")
      try target.link("a.dvc", to: file)
      try target.expect(0, "add", "a")
      #expect(target.linkTarget("a.dvc") == nil && target.site.text("a.dvc")?.contains(abc) == true)
      #expect(try String(contentsOfFile: file, encoding: .utf8) == "outs:\n- path: a\n")
      // One that is no pointer file is told, and nothing is written.
      try target.link("a.dvc", to: target.outside + "/x")
      try target.expect(2, "add", "a", saying: "a.dvc:1:1: error: the file has to be a mapping")
      try target.link("a.dvc", to: target.outside + "/nowhere")
      try target.expect(0, "add", "a")
    }
  }

  @Test(arguments: ["big", "d"])
  func `that changes while it is read is told, and recorded nowhere`(_ name: String) throws {
    try withTarget { target in
      let file = name == "d" ? "d/big" : "big"
      try target.site.write("", to: file)
      #expect(truncate("\(target.root)/\(file)", 96 << 20) == 0)
      let writer = try target.site.start(
        "/bin/bash", ["-c", "while :; do echo line >> \(file); done"], to: "writer")
      defer {
        // Its mask of signals is inherited.
        kill(writer.processIdentifier, SIGKILL)
        writer.waitUntilExit()
      }
      let error = try target.expect(4, "add", name, saying: "/\(file)` changed while it was read")
      #expect(error.contains("hint: run the command again when it is at rest") && !error.contains("remove"))
      #expect(target.site.text("\(name).dvc") == nil)
    }
  }
}

@Suite struct `Committing what means harm` {
  @Test(arguments: ["copy", "hardlink", "symlink"])
  func `from behind a link that leads out writes nothing there`(_ kind: String) throws {
    try withTarget { target in
      try target.site.git("init", "--quiet")
      try target.expect(0, "config", "cache.type", kind)
      try target.link("l", to: "../outside")
      try target.site.write("stages:\n  s:\n    cmd: \"true\"\n    outs: [l/x]\n", to: "dvc.yaml")
      try target.expect(2, "commit", "--force", saying: "`l/x` leads out of the workspace")
      #expect(target.site.text("dvc.lock") == nil)
      #expect(FileStatKind(target.outside + "/x").mode == 0o644)
    }
  }

  @Test(arguments: ["hardlink", "symlink"])
  func `as a link to a folder outside, where data are links, replaces nothing in it`(_ kind: String) throws {
    try withTarget { target in
      try target.expect(0, "config", "cache.type", kind)
      try target.link("l", to: "../outside")
      try target.site.write("stages:\n  s:\n    cmd: \"true\"\n    outs: [l]\n", to: "dvc.yaml")
      try target.expect(2, "commit", "--force", saying: "`l` leads out of the workspace")
      #expect(target.linkTarget("l") == "../outside")
      #expect(try FileManager.default.destinationOfSymbolicLinkIfAny(target.outside + "/x") == nil)
      #expect(FileStatKind(target.outside + "/x").mode == 0o644)
    }
  }

  @Test func `as a link to a folder outside, where data are copies, is read through it`() throws {
    try withTarget { target in
      try target.link("l", to: "../outside")
      try target.site.write("stages:\n  s:\n    cmd: \"true\"\n    outs: [l]\n", to: "dvc.yaml")
      try target.expect(0, "commit", "--force")
      #expect(target.site.text("dvc.lock")?.contains("nfiles: 1") == true)
      #expect(target.linkTarget("l") == "../outside")
    }
  }

  @Test(arguments: ["../outside/x", ".git/config", ".dvc/config", "/etc/hostname"])
  func `as a lock that names paths elsewhere takes none of them in`(_ path: String) throws {
    try withTarget { target in
      try target.site.write("[core]\n", to: ".git/config")
      try target.site.write("stages:\n  s:\n    cmd: \"true\"\n    outs: [y]\n", to: "dvc.yaml")
      try target.site.write(
        "schema: '2.0'\nstages:\n  s:\n    cmd: \"true\"\n    outs:\n    - path: \(path)\n      md5: \(abc)\n", to: "dvc.lock")
      try target.site.write("abc", to: "y")
      _ = try target.site.pipe("checkout")
      try target.expect(0, "commit", "--force")
      #expect(target.site.text("dvc.lock")?.contains(path) == false)
      #expect(target.site.text(".git/config") == "[core]\n" && target.site.text(".dvc/config") == "")
    }
  }
}

extension FileManager {
  /// `nil` when there is no link.
  fileprivate func destinationOfSymbolicLinkIfAny(_ path: String) throws -> String? {
    try? destinationOfSymbolicLink(atPath: path)
  }
}

@Suite struct `Moving with harm meant` {
  @Test func `goes nowhere outside, onto no file, and into no other data`() throws {
    try withTarget { target in
      try target.site.write("abc", to: "a")
      try target.site.write("mine", to: "own")
      try target.site.write("1", to: "d/x")
      try target.expect(0, "add", "a", "d")
      try target.link("l", to: "../outside")
      try target.link("fl", to: "../outside/x")
      try target.link("nl", to: "nowhere")
      try target.pipe(at: "p")
      let before = target.names
      for (destination, words) in [
        ("l", "`l/a` leads out of the workspace"), ("l/b", "`l/b` leads out of the workspace"),
        ("../outside/b", "`../outside/b` lies outside the project"), ("/tmp/b", "`/tmp/b` lies outside the project"),
        (".git/b", "`.git/b` is ignored"), (".dvc/b", "`.dvc/b` is ignored"),
        ("b.dvc", "`b.dvc` is a name of the project's own files"), ("dvc.yaml", "is a name of the project's own files"),
        ("own", "`own` is there already, and the store has no copy of it"), ("fl", "`fl` is there already, a symbolic link"),
        ("nl", "`nl` is there already, a symbolic link"), ("p", "`"), ("d", "`d/a` overlaps with data of `d.dvc`"),
        ("d/b", "`d/b` overlaps with data of `d.dvc`"), ("a", "is there already"),
      ] {
        try target.makeFolder(".git")
        try target.expect(2, "move", "a", destination, saying: words)
      }
      try target.expect(2, "move", "d", "d/e", saying: "`d/e` overlaps with data of `d.dvc`")
      #expect(target.names == before && target.site.text("own") == "mine" && target.site.text("a") == "abc")
      // Nor when only what points at the data would move.
      try target.site.remove("a")
      try target.expect(2, "move", "a", "l/b", saying: "`l/b` leads out of the workspace")
    }
  }
}

@Suite struct `Removing with harm meant` {
  @Test func `takes a link to a folder outside, not the folder`() throws {
    try withTarget { target in
      try target.link("l", to: "../outside")
      try target.pointer(to: "l")
      try target.expect(0, "remove", "x.dvc", "--outs")
      #expect(target.linkTarget("l") == nil && target.site.text("x.dvc") == nil)
    }
  }

  @Test(arguments: [
    ("l/x", "`l/x` leads out of the workspace"), ("../outside", "leads out of the project"), (".git", "lies in `.git`"),
    (".", "leads out of the project"), (".dvc/cache", "lies in `.dvc`"),
  ])
  func `takes nothing outside, nor of Git's or ours`(_ path: String, _ words: String) throws {
    try withTarget { target in
      try target.site.write("[core]\n", to: ".git/config")
      try target.link("l", to: "../outside")
      try target.pointer(to: path)
      try target.expect(2, "remove", "x.dvc", "--outs", saying: words)
      #expect(target.site.text(".git/config") == "[core]\n" && target.objects == ["90/0150983cd24fb0d6963f7d28e17f72"])
      #expect(target.names == ["l", "x.dvc"])
    }
  }
}

@Suite struct `Unprotecting with harm meant` {
  @Test func `leaves alone what lies outside and what is not data`() throws {
    try withTarget { target in
      #expect(chmod(target.outside + "/x", 0o444) == 0)
      try target.link("l", to: "../outside")
      try target.link("d/l", to: "../../outside")
      try target.link("d/x", to: "../../outside/x")
      try target.pipe(at: "d/p")
      try target.expect(2, "unprotect", "l/x", saying: "`l/x` leads out of the workspace")
      try target.expect(2, "unprotect", "../outside/x", saying: "`../outside/x` lies outside the project")
      try target.expect(2, "unprotect", ".dvc/cache", saying: "lies in `.dvc`, which is not data")
      try target.expect(0, "unprotect", "l")
      try target.expect(0, "unprotect", "d")
      #expect(target.linkTarget("l") == "../outside" && target.linkTarget("d/l") == "../../outside")
      #expect(target.linkTarget("d/x") == nil && target.site.text("d/x") == "theirs")
      #expect(FileStatKind(target.outside + "/x").mode == 0o444)
      #expect(FileStatKind("\(target.root)/.dvc/cache/files/md5/90/0150983cd24fb0d6963f7d28e17f72").mode == 0o444)
    }
  }
}

@Suite struct `Collecting with harm meant` {
  @Test func `removes objects alone: a link in an object's place, not its target, and nothing behind a link to a folder`() throws
  {
    try withSite { site in
      let target = try Target(site)
      let store = ".dvc/cache/files/md5"
      try site.write("theirs", to: "../outside/ab/00000000000000000000000000000000")
      try site.write("theirs", to: "../outside/ab/0123456789abcdef0123456789abcd")
      try site.write("theirs", to: "../outside/ab/work.tmp")
      try target.link("\(store)/ab", to: target.outside + "/ab")
      try target.link("\(store)/90/0150983cd24fb0d6963f7d28e17f73", to: target.outside + "/x")
      try target.makeFolder("\(store)/90/0150983cd24fb0d6963f7d28e17f74")
      for name in ["README", "90/notes", "90/y.tmp/inner", "zz/0150983cd24fb0d6963f7d28e17f72"] {
        try site.write("mine", to: "\(store)/\(name)")
      }
      try site.write("left", to: "\(store)/90/x.tmp")
      try target.expect(0, "gc", "--workspace", "--force", saying: "removed 2 objects")
      #expect(
        target.objects == [
          "90/0150983cd24fb0d6963f7d28e17f74", "90/notes", "90/y.tmp", "90/y.tmp/inner", "README",
          "zz/0150983cd24fb0d6963f7d28e17f72",
        ])
      let outside = FileManager.default.enumerator(atPath: target.outside)?.compactMap { $0 as? String }.sorted()
      #expect(
        outside == ["ab", "ab/00000000000000000000000000000000", "ab/0123456789abcdef0123456789abcd", "ab/work.tmp", "x"])
      #expect(try String(contentsOfFile: target.outside + "/x", encoding: .utf8) == "theirs")
    }
  }
}
