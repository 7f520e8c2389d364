// What `pipe` does with a project, store or remote that means harm: docs/safety.md lists each attack.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

/// The MD5 of `abc`.
private let abc = "900150983cd24fb0d6963f7d28e17f72"

/// A DVC project with a folder beside it that nobody may touch.
struct Target {
  let site: Site
  var root: String { site.root }
  var outside: String { site.folder.path + "/outside" }

  init(_ site: Site) throws {
    self.site = site
    for name in [".dvc/config", ".dvcignore"] { try site.write("", to: name) }
    try site.write("/config.local\n/tmp\n/cache\n", to: ".dvc/.gitignore")
    try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
    try Data("theirs".utf8).write(to: URL(fileURLWithPath: outside + "/x"))
    try object("abc", named: abc)
  }

  func object(_ text: String, named name: String, mode: mode_t = 0o444) throws {
    let path = ".dvc/cache/files/md5/\(name.prefix(2))/\(name.dropFirst(2))"
    try site.write(text, to: path)
    #expect(chmod("\(root)/\(path)", mode) == 0)
  }

  /// By another program than ours.
  func md5(of text: String) throws -> String {
    let file = site.folder.path + "/md5"
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    return String(try site.run("/usr/bin/md5sum", [file]).out.prefix(32))
  }

  /// `x.dvc` for a file of three bytes.
  func pointer(to path: String, digest: String = abc, _ more: String = "") throws {
    try site.write("outs:\n- md5: \(digest)\n  size: 3\n  hash: md5\n  path: \(path)\n\(more)", to: "x.dvc")
  }

  func link(_ name: String, to target: String) throws {
    let folder = URL(fileURLWithPath: "\(root)/\(name)").deletingLastPathComponent().path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try? FileManager.default.removeItem(atPath: "\(root)/\(name)")
    #expect(symlink(target, "\(root)/\(name)") == 0)
  }

  func pipe(at name: String) throws {
    let folder = URL(fileURLWithPath: "\(root)/\(name)").deletingLastPathComponent().path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try? FileManager.default.removeItem(atPath: "\(root)/\(name)")
    #expect(mkfifo("\(root)/\(name)", 0o644) == 0)
  }

  /// Runs under a limit of time and says whether it kept to it.
  func run(_ arguments: String...) throws -> Ended { try site.run("/usr/bin/timeout", ["30", pipeBinary] + arguments) }

  /// Whether what lies outside is as it was.
  var isUntouched: Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: outside)) ?? []
    return names == ["x"] && (try? String(contentsOfFile: outside + "/x", encoding: .utf8)) == "theirs"
  }
}

func withTarget(_ body: (Target) throws -> Void) throws {
  try withSite { site in
    let target = try Target(site)
    try body(target)
    #expect(target.isUntouched)
  }
}

@Suite struct `Input that means harm` {
  /// Each with its MD5.
  @Test(arguments: [
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"../x\"}]", "8aa5cbb7bbead9d2a86c6c06216f6dc1", "`.` or `..`"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"/tmp/x\"}]", "2a531f7a0cdff4e69cf3cfacfa2b7ebd", "is absolute"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"\"}]", "ed09955f8fb0790408703cfbbe85f6b8", "is empty"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a\\u0000b\"}]", "b2f47159c21638a66fd7f53fee53e1b8", "holds a NUL"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a/../../b\"}]", "5718a6acceb6e63f72cdc20529bca8ec", "`.` or `..`"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \".git/hooks/pre-commit\"}]", "b56a8f7cd1cc790a27f792c05cc0f5bc", "folder of Git"),
    ("[{\"md5\": \"../../../../outside/x\", \"relpath\": \"a\"}]", "baf259ccad8fda997aa2ed552c3a1ad6", "no MD5 of a file"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a\"", "b606ef220806eb39c2659fa90451f6b5", "cut off"),
  ])
  func `in a list of a directory leaves everything as it was`(_ list: String, _ digest: String, _ why: String) throws {
    try withTarget { target in
      try target.object(list, named: digest + ".dir")
      try target.pointer(to: "data", digest: digest + ".dir")
      let ended = try target.run("checkout")
      #expect(ended.status == 4, "\(ended.err)")
      #expect(ended.err.contains("error: the directory list \(digest.prefix(12))… cannot be used: "))
      #expect(ended.err.contains(why) && ended.err.contains("hint: remove that object"))
      #expect(!target.site.exists("data"))
    }
  }

  @Test func `as one path of a megabyte takes no memory and no time`() throws {
    try withTarget { target in
      let deep = "[{\"md5\": \"\(abc)\", \"relpath\": \"\(String(repeating: "a/", count: 500_000))b\"}]"
      try target.object(deep, named: "815c104fcaf677c4511bbcd014894988.dir")
      try target.pointer(to: "data", digest: "815c104fcaf677c4511bbcd014894988.dir")
      // 1 GB of address space.
      let ended = try target.site.run(
        "/bin/bash", ["-c", "ulimit -v 1000000; exec timeout 30 \"$0\" checkout", pipeBinary])
      #expect(ended.status == 4 && ended.err.contains("is longer than 4095 bytes"), "\(ended.status) \(ended.err)")
    }
  }

  @Test(arguments: [
    ("../../etc", "x.dvc:5:9: error: the data's path leads out of the project: `../../etc`"),
    ("/etc/passwd", "x.dvc:5:9: error: the data's path leads out of the project: `/etc/passwd`"),
    ("\"a\\0b\"", "x.dvc:5:9: error: the data's path leads out of the project: `a\\u{0}b`"),
    (".git/hooks/pre-commit", "x.dvc:5:9: error: the data's path lies in `.git`: `.git/hooks/pre-commit`"),
    (".dvc/config", "x.dvc:5:9: error: the data's path lies in `.dvc`: `.dvc/config`"),
    ("y\nwdir: ../..", "x.dvc:6:7: error: `wdir` leads out of the project: `../..`"),
  ])
  func `in a pointer file is told with its place`(_ path: String, _ message: String) throws {
    try withTarget { target in
      try FileManager.default.createDirectory(atPath: target.root + "/.git/hooks", withIntermediateDirectories: true)
      try target.pointer(to: path)
      for command in ["status", "checkout", "push"] {
        let ended = try target.run(command)
        #expect(ended.status == 2 && ended.err.hasPrefix(message), "\(command): \(ended.err)")
      }
      #expect(!target.site.exists(".git/hooks/pre-commit"))
    }
  }

  @Test(arguments: ["zz0150983cd24fb0d6963f7d28e17f72", "../../../../../../outside/x0000000", "\(abc)\(abc)"])
  func `in the place of a digest is told with its place, in pointer file and lock`(_ digest: String) throws {
    try withTarget { target in
      try target.pointer(to: "y", digest: digest)
      let ended = try target.run("checkout")
      #expect(ended.status == 2 && ended.err.hasPrefix("x.dvc:2:8: error: `md5` of `y` has to be "), "\(ended.err)")
      try target.site.remove("x.dvc")
      try target.site.write("stages:\n  s:\n    cmd: echo > y\n    outs: [y]\n", to: "dvc.yaml")
      let lock = "schema: '2.0'\nstages:\n  s:\n    cmd: echo > y\n    outs:\n    - path: y\n      md5: \(digest)\n"
      try target.site.write(lock, to: "dvc.lock")
      let repro = try target.run("repro")
      #expect(repro.status == 2 && repro.err.hasPrefix("dvc.lock:7:12: error: `md5` of `y` has to be "), "\(repro.err)")
      #expect(target.site.text("dvc.lock") == lock)
    }
  }

  @Test func `as a link above an output is not written through`() throws {
    try withTarget { target in
      try target.link("link", to: target.outside)
      try target.pointer(to: "link/new")
      for arguments in [["checkout"], ["checkout", "--force"]] {
        let ended = try target.site.run(pipeBinary, arguments)
        #expect(ended.status == 2 && ended.err.contains("`link/new` leads out of the workspace"), "\(ended.err)")
      }
      try target.site.remove("x.dvc")
      try target.site.write("stages:\n  s:\n    cmd: echo > y\n    outs: [link/x]\n", to: "dvc.yaml")
      #expect(try target.run("repro").status == 2)
    }
  }

  @Test func `as a link that takes a folder's place between two commands is not written through`() throws {
    try withTarget { target in
      try target.pointer(to: "d/x")
      #expect(try target.run("checkout").status == 0)
      #expect(try target.run("status").status == 0)
      try target.link("d", to: target.outside)
      let ended = try target.run("checkout", "--force")
      #expect(ended.status == 2 && ended.err.contains("`d/x` leads out of the workspace"), "\(ended.err)")
    }
  }

  @Test func `as a link within a tracked directory is not followed`() throws {
    try withTarget { target in
      try target.object("[{\"md5\": \"\(abc)\", \"relpath\": \"l/x\"}]", named: "54138a26daeeb68f7348738db19292c2.dir")
      try target.pointer(to: "data", digest: "54138a26daeeb68f7348738db19292c2.dir")
      try target.link("data/l", to: target.outside)
      let ended = try target.run("checkout", "--force")
      #expect(ended.status == 2 && ended.err.contains("`data/l/x` leads out of the workspace"), "\(ended.err)")
    }
  }

  @Test(arguments: [
    "dvc.yaml", "dvc.lock", "params.yaml", ".dvcignore", "x.dvc", ".dvc/config", ".dvc/tmp/rwlock", ".dvc/tmp/lock",
  ])
  func `as a pipe in the place of a file makes nobody wait`(_ name: String) throws {
    try withTarget { target in
      try target.site.write("stages:\n  s:\n    cmd: echo > y\n    params: [a]\n    outs: [y]\n", to: "dvc.yaml")
      try target.site.write("a: 1\n", to: "params.yaml")
      try target.pipe(at: name)
      for command in ["status", "repro"] {
        let ended = try target.run(command)
        #expect(ended.status != 124, "`\(command)` waits for \(name)")
      }
    }
  }

  @Test func `as a pipe, socket or device among the data is named`() throws {
    try withTarget { target in
      try target.site.write("stages:\n  s:\n    cmd: echo > y\n    deps: [in]\n    outs: [y]\n", to: "dvc.yaml")
      try target.site.write("1", to: "in/file")
      try target.pipe(at: "in/pipe")
      for command in ["status", "repro"] {
        let ended = try target.run(command)
        #expect(ended.status == 2 && ended.err.contains("in/pipe` is neither a file nor a directory"), "\(ended.err)")
      }
    }
  }

  @Test(arguments: ["fifo", "link", "folder", "device"])
  func `in the place of an object counts as missing`(_ kind: String) throws {
    try withTarget { target in
      let object = ".dvc/cache/files/md5/90/0150983cd24fb0d6963f7d28e17f72"
      try target.pointer(to: "y")
      try target.site.remove(object)
      switch kind {
      case "fifo": try target.pipe(at: object)
      case "link": try target.link(object, to: target.outside + "/x")
      case "device": try target.link(object, to: "/dev/zero")
      default: try FileManager.default.createDirectory(atPath: "\(target.root)/\(object)", withIntermediateDirectories: false)
      }
      let ended = try target.run("checkout")
      #expect(ended.status == 4, "\(ended.status) \(ended.err)")
      #expect(!target.site.exists("y"))
    }
  }

  @Test(arguments: ["abd", "ab", ""])
  func `from a remote, under a name that is not its digest, is not taken in`(_ text: String) throws {
    try withTarget { target in
      try target.site.remove(".dvc/cache")
      try target.site.write("[core]\n    remote = r\n['remote \"r\"']\n    url = ../../remote\n", to: ".dvc/config")
      let folder = URL(fileURLWithPath: target.root + "/../remote/files/md5/90")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data(text.utf8).write(to: folder.appendingPathComponent("0150983cd24fb0d6963f7d28e17f72"))
      try target.pointer(to: "y")
      let ended = try target.run("pull")
      #expect(ended.status == 4, "\(ended.status) \(ended.err)")
      #expect(!target.site.exists("y"))
      #expect(!target.site.exists(".dvc/cache/files/md5/90/0150983cd24fb0d6963f7d28e17f72"))
    }
  }

  @Test func `as a link in the place of a lock is not followed`() throws {
    try withTarget { target in
      try target.site.write("stages:\n  s:\n    cmd: echo > y\n    outs: [y]\n", to: "dvc.yaml")
      for end in ["/x", "/new"] {
        try target.link(".dvc/tmp/lock", to: target.outside + end)
        let ended = try target.run("repro")
        #expect(ended.status == 4 && ended.err.contains("hint: it is a symbolic link"), "\(ended.status) \(ended.err)")
      }
    }
  }

  @Test func `as broken locks of others is said, and the stage does not run`() throws {
    try withTarget { target in
      try target.site.write("stages:\n  s:\n    cmd: echo > y\n    outs: [y]\n", to: "dvc.yaml")
      try target.site.write("{broken", to: ".dvc/tmp/rwlock")
      let ended = try target.run("repro")
      #expect(ended.status == 1 && ended.err.contains("rwlock` cannot be read: it is not the JSON that DVC writes"))
      #expect(!target.site.exists("y"))
      try target.site.write(
        "{\"write\": {\"\(target.root)/y\": {\"pid\": 4194302, \"cmd\": \"dvc repro\"}}}", to: ".dvc/tmp/rwlock")
      #expect(try target.run("repro").status == 0)
    }
  }

  @Test func `that expands without end is told with its place`() throws {
    try withTarget { target in
      let bomb =
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + zip("bcdefghij", "abcdefghi").map { "\($0): &\($0) [\(repeatElement("*\($1)", count: 9).joined(separator: ","))]\n" }
        .joined()
      let range = (0..<1000).map { "\($0)" }.joined(separator: ",")
      for (text, message) in [
        (bomb, "dvc.yaml:7:11: error: aliases expand to too many values"),
        ("stages: \(String(repeating: "[", count: 10_000))", "dvc.yaml:1:208: error: values nest deeper than 200"),
        (
          "stages:\n  s:\n    matrix: {a: [\(range)], b: [\(range)], c: [\(range)]}\n    cmd: echo\n",
          "dvc.yaml:2:3: error: the matrix of stage `s` makes more than 100000 stages"
        ),
        (
          "vars: [a: \(String(repeating: "x", count: 100_000))]\nstages:\n  s:\n    cmd: \(String(repeating: "${a}", count: 1000))\n",
          "dvc.yaml:4:50: error: the text grows beyond 1048576 bytes with what `${…}` stands for"
        ),
      ] {
        try target.site.write(text, to: "dvc.yaml")
        let ended = try target.run("status")
        #expect(ended.status == 2 && ended.err.hasPrefix(message), "\(ended.err.prefix(300))")
      }
    }
  }

  @Test func `in Git that cannot be read keeps gc from removing anything`() throws {
    try withSite { site in
      try site.git("init", "--quiet")
      try site.write("stages:\n  s:\n    cmd: echo ${v} > y\n    outs: [y]\nvars: [v: 1]\n", to: "pipeline.yaml")
      try site.write("/y\n/.pipe/\n/reports/\n", to: ".gitignore")
      #expect(try site.pipe("repro").status == 0)
      try site.git("add", ".")
      try site.git("commit", "--quiet", "--message", "one")
      try site.git("branch", "old")
      try site.write("stages:\n  s:\n    cmd: echo ${v} > y\n    outs: [y]\nvars: [v: 2]\n", to: "pipeline.yaml")
      #expect(try site.pipe("repro").status == 0)
      try site.git("commit", "--quiet", "--all", "--message", "two")
      let objects = site.snapshot().keys.filter { $0.hasPrefix(".pipe/store/") }.sorted()
      let head = try #require(site.text(".git/HEAD"))
      try site.remove(".git/HEAD")
      let headless = try site.pipe("gc")
      #expect(headless.status == 4 && headless.err.contains("is no repository that can be read"), "\(headless.err)")
      try site.write(head, to: ".git/HEAD")
      try site.write("1111111111111111111111111111111111111111\n", to: ".git/refs/heads/old")
      let lost = try site.pipe("gc")
      #expect(lost.status == 4 && lost.err.contains("Git failed to resolve `refs/heads/old`"), "\(lost.err)")
      #expect(site.snapshot().keys.filter { $0.hasPrefix(".pipe/store/") }.sorted() == objects)
    }
  }
}
