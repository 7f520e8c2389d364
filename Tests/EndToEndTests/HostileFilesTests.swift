// Files of a project that mean harm, one by one: what `pipe` makes of them stands in docs/safety.md.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

/// The MD5 of `abc`.
private let abc = "900150983cd24fb0d6963f7d28e17f72"
private let stage = "stages:\n  s:\n    cmd: echo 1 > y\n    outs: [y]\n"

extension Target {
  /// Runs with so much address space at most.
  fileprivate func run(kilobytes: Int, _ arguments: String...) throws -> Ended {
    try site.run(
      "/bin/bash", ["-c", "ulimit -v \(kilobytes); exec timeout 60 \"$0\" \"$@\"", pipeBinary] + arguments)
  }

  fileprivate func write(_ bytes: Data, to name: String) throws {
    try site.write("", to: name)
    try bytes.write(to: URL(fileURLWithPath: "\(root)/\(name)"))
  }

  fileprivate func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: "\(root)/\(name)", withIntermediateDirectories: true)
  }

  fileprivate func isLink(_ name: String) -> Bool {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(root)/\(name)")) != nil
  }
}

@Suite struct `A list that means harm` {
  @Test func `of many deep paths takes memory by its length, not by depth times length`() throws {
    try withTarget { target in
      let deep = String(repeating: "d/", count: 400)
      let rows = (0..<1_000).map { "{\"md5\": \"\(abc)\", \"relpath\": \"\(deep)\(10_000 + $0)\"}" }
      let list = "[\(rows.joined(separator: ", "))]"
      let digest = try target.md5(of: list)
      try target.object(list, named: digest + ".dir")
      try target.pointer(to: "data", digest: digest + ".dir")
      let ended = try target.run(kilobytes: 1_000_000, "checkout")
      #expect(ended.status == 0, "\(ended.status) \(ended.err)")
      #expect(target.site.text("data/\(deep)10999") == "abc")
    }
  }

  @Test func `of twenty thousand rows whose files are nowhere is read once, and lays nothing`() throws {
    try withTarget { target in
      let rows = (0..<20_000).map {
        "{\"md5\": \"0000000000000000000000000\(1_000_000 + $0)\", \"relpath\": \"\(1_000_000 + $0)\"}"
      }
      let list = "[\(rows.joined(separator: ", "))]"
      let digest = try target.md5(of: list)
      try target.object(list, named: digest + ".dir")
      try target.pointer(to: "data", digest: digest + ".dir")
      let ended = try target.run(kilobytes: 1_000_000, "checkout")
      #expect(ended.status == 4, "\(ended.status) \(ended.err)")
      #expect(ended.err.contains("error: the store has no 20000 files of `data`"), "\(ended.err)")
      #expect(!target.site.exists("data"))
    }
  }

  @Test(arguments: [".pipe", ".dvc"])
  func `with a folder of state among its files is laid out as data, which nothing reads`(_ name: String) throws {
    try withTarget { target in
      let list = "[{\"md5\": \"\(abc)\", \"relpath\": \"\(name)/config\"}]"
      let digest = try target.md5(of: list)
      try target.object(list, named: digest + ".dir")
      try target.pointer(to: "data", digest: digest + ".dir")
      let ended = try target.run("checkout")
      #expect(ended.status == 0, "\(ended.status) \(ended.err)")
      #expect(target.site.text("data/\(name)/config") == "abc")
      #expect(target.site.text(".dvc/config") == "")
    }
  }

  @Test(arguments: [".GIT/hooks/post-checkout", "a/.Git/config"])
  func `with a name that is another file system's .git is that folder's on this one`(_ name: String) throws {
    try withTarget { target in
      let list = "[{\"md5\": \"\(abc)\", \"relpath\": \"\(name)\"}]"
      let digest = try target.md5(of: list)
      try target.object(list, named: digest + ".dir")
      try target.pointer(to: "data", digest: digest + ".dir")
      try target.makeFolder("data/.git")
      let ended = try target.run("checkout", "--force")
      #expect(ended.status == 0 && !target.site.exists("data/.git/hooks"), "\(ended.status) \(ended.err)")
      #expect(target.site.text("data/\(name)") == "abc")
    }
  }

  @Test func `with names that differ in case alone has two files`() throws {
    try withTarget { target in
      let list = "[{\"md5\": \"\(abc)\", \"relpath\": \"A\"}, {\"md5\": \"\(abc)\", \"relpath\": \"a\"}]"
      let digest = try target.md5(of: list)
      try target.object(list, named: digest + ".dir")
      try target.pointer(to: "data", digest: digest + ".dir")
      #expect(try target.run("checkout").status == 0)
      #expect(target.site.text("data/A") == "abc" && target.site.text("data/a") == "abc")
    }
  }
}

@Suite struct `A pointer or lock that means harm` {
  @Test(arguments: ["''", "null", "[a, b]"])
  func `with no digest records nothing`(_ digest: String) throws {
    try withTarget { target in
      try target.pointer(to: "y", digest: digest)
      let ended = try target.run("checkout")
      #expect(ended.status == 2 || ended.status == 0, "\(ended.status) \(ended.err)")
      #expect(!target.site.exists("y"))
    }
  }

  @Test(arguments: ["0", "1", "9223372036854775807"])
  func `that lies about a size is not believed`(_ size: String) throws {
    try withTarget { target in
      try target.site.write("outs:\n- md5: \(abc)\n  size: \(size)\n  hash: md5\n  path: y\n", to: "x.dvc")
      let ended = try target.run(kilobytes: 1_000_000, "checkout")
      #expect(ended.status == 0 && target.site.text("y") == "abc", "\(ended.status) \(ended.err)")
      #expect(try target.run("status").out.contains("up to date"))
    }
  }

  @Test(arguments: ["x.dvc", "dvc.yaml", "dvc.lock", ".dvc/config", "params.yaml"])
  func `that is not UTF-8 is named`(_ name: String) throws {
    try withTarget { target in
      try target.site.write("stages:\n  s:\n    cmd: echo 1 > y\n    params: [a]\n    outs: [y]\n", to: "dvc.yaml")
      try target.site.write("a: 1\n", to: "params.yaml")
      for bytes in [Data([0x61, 0x3a, 0x20, 0xff, 0x0a]), Data([0xff, 0xfe, 0x61, 0x00, 0x3a, 0x00, 0x0a, 0x00])] {
        try target.write(bytes, to: name)
        let ended = try target.run("repro")
        #expect(ended.status == 4 || ended.status == 2, "\(name): \(ended.status) \(ended.err)")
        #expect(ended.err.contains(name), "\(ended.err)")
        #expect(!target.site.exists("y"))
        #expect(FileManager.default.contents(atPath: "\(target.root)/\(name)") == bytes)
      }
    }
  }

  @Test func `with rows for paths that the stage does not have is not followed there`() throws {
    try withTarget { target in
      try target.site.write(stage, to: "dvc.yaml")
      let rows = ["../outside/x", ".git/config", "/etc/hostname"].map { "    - path: \($0)\n      md5: \(abc)\n" }.joined()
      try target.site.write("schema: '2.0'\nstages:\n  s:\n    cmd: echo 1 > y\n    outs:\n\(rows)", to: "dvc.lock")
      try target.site.write("[core]\n", to: ".git/config")
      for command in [
        ["checkout"], ["checkout", "--force"], ["status"], ["repro"], ["commit", "--force"], ["gc", "-w", "--force"],
      ] {
        let ended = try target.site.run("/usr/bin/timeout", ["30", pipeBinary] + command)
        #expect(ended.status != 124 && ended.status != 70, "\(command): \(ended.status) \(ended.err)")
      }
      #expect(target.site.text(".git/config") == "[core]\n")
    }
  }

  @Test(arguments: ["dvc.lock", "x.dvc", ".gitignore"])
  func `that is a link is read through it, and writing replaces the link`(_ name: String) throws {
    try withTarget { target in
      _ = try target.site.run("/usr/bin/git", ["init", "-q"])
      let theirs = name == "x.dvc" ? "outs:\n- path: x\n" : name == "dvc.lock" ? "schema: '2.0'\nstages: {}\n" : "theirs"
      let file = target.site.folder.path + "/theirs"
      try Data(theirs.utf8).write(to: URL(fileURLWithPath: file))
      try target.link(name, to: file)
      try target.site.write(stage, to: "dvc.yaml")
      try target.site.write("1\n", to: "x")
      let repro = try target.run("repro", "s")
      #expect(repro.status == 0, "\(repro.err)")
      let add = try target.run("add", "x")
      #expect(add.status == 0, "\(add.err)")
      #expect(try String(contentsOfFile: file, encoding: .utf8) == theirs)
      #expect(!target.isLink(name) && target.site.text(name) != theirs)
    }
  }

  @Test(arguments: ["dvc.yaml", "dvc.lock", "params.yaml", "x.dvc", ".dvc/config", ".dvc/tmp/rwlock", ".dvc/tmp/lock"])
  func `whose place a folder has is named`(_ name: String) throws {
    try withTarget { target in
      try target.site.write("stages:\n  s:\n    cmd: echo 1 > y\n    params: [a]\n    outs: [y]\n", to: "dvc.yaml")
      try target.site.write("a: 1\n", to: "params.yaml")
      try? target.site.remove(name)
      try target.makeFolder(name)
      let ended = try target.run("repro")
      // A folder by the name of a manifest or a pointer file is a folder.
      let isNone = ["x.dvc", "dvc.yaml"].contains(name)
      #expect(isNone ? ended.status == 0 : [1, 2, 4].contains(ended.status), "\(name): \(ended.status) \(ended.err)")
      #expect(isNone || ended.err.contains(name), "\(ended.err)")
      #expect(FileStatKind("\(target.root)/\(name)").isFolder)
    }
  }
}

/// What is at a path, links not followed.
struct FileStatKind {
  let isFolder: Bool
  let mode: mode_t

  init(_ path: String) {
    var info = stat()
    let isThere = lstat(path, &info) == 0
    isFolder = isThere && info.st_mode & S_IFMT == S_IFDIR
    mode = isThere ? info.st_mode & 0o7777 : 0
  }
}

@Suite struct `A store or remote that means harm` {
  @Test func `that is a link is where the objects go, under their digests alone`() throws {
    try withSite { site in
      let target = try Target(site)
      try site.remove(".dvc/cache")
      try target.link(".dvc/cache", to: target.outside)
      try site.write("abc", to: "a")
      #expect(try target.run("add", "a").status == 0)
      #expect(try target.run("gc", "-w", "--force").status == 0)
      let names = FileManager.default.enumerator(atPath: target.outside)?.compactMap { $0 as? String }.sorted() ?? []
      #expect(names == ["files", "files/md5", "files/md5/90", "files/md5/90/0150983cd24fb0d6963f7d28e17f72", "x"])
      #expect(try String(contentsOfFile: target.outside + "/x", encoding: .utf8) == "theirs")
    }
  }

  @Test(arguments: [".dvc/cache", ".dvc/cache/files", ".dvc/cache/files/md5", ".dvc/cache/files/md5/90"])
  func `in whose place a file lies is named, and the file stays`(_ name: String) throws {
    try withTarget { target in
      try target.site.remove(name)
      try target.site.write("mine", to: name)
      try target.site.write("abc", to: "a")
      let ended = try target.run("add", "a")
      #expect(ended.status == 4 && ended.err.contains(".dvc/cache"), "\(ended.status) \(ended.err)")
      #expect(target.site.text(name) == "mine" && target.site.text("a") == "abc" && !target.site.exists("a.dvc"))
    }
  }

  /// Key and value of the entry of `stage` after it ran once.
  private func keptEntry(_ target: Target) throws -> (folder: String, name: String) {
    try target.site.write("1\n", to: "in")
    try target.site.write("stages:\n  s:\n    cmd: cat in > y\n    deps: [in]\n    outs: [y]\n", to: "dvc.yaml")
    #expect(try target.run("repro").status == 0)
    let names = FileManager.default.enumerator(atPath: "\(target.root)/.dvc/cache/runs")?.compactMap { $0 as? String } ?? []
    let entry = try #require(names.first { $0.split(separator: "/").count == 3 })
    return (".dvc/cache/runs/" + entry.split(separator: "/").dropLast().joined(separator: "/"), String(entry.suffix(64)))
  }

  @Test(arguments: ["garbage", "large", "paths", "fifo", "link", "folder"])
  func `with a false entry of an earlier result passes over it, and the stage runs`(_ kind: String) throws {
    try withTarget { target in
      let (folder, name) = try keptEntry(target)
      let file = "\(folder)/\(name)"
      let honest = try #require(target.site.text(file))
      try target.site.remove(file)
      switch kind {
      case "garbage": try target.site.write("}{ no YAML: [", to: file)
      case "large": try target.write(Data(repeating: 0x61, count: 50 << 20), to: file)
      case "paths": try target.site.write(honest.replacingOccurrences(of: "path: y", with: "path: ../outside/x"), to: file)
      case "fifo": try target.pipe(at: file)
      case "link": try target.link(file, to: target.outside + "/x")
      default: try target.makeFolder(file)
      }
      for name in ["y", "dvc.lock"] { try target.site.remove(name) }
      let ended = try target.run(kilobytes: 1_500_000, "repro")
      #expect(ended.status == 0 && target.site.text("y") == "1\n", "\(kind): \(ended.status) \(ended.err)")
    }
  }

  @Test func `with hundreds of false entries under one key finds none of them, and the stage runs`() throws {
    try withTarget { target in
      let (folder, name) = try keptEntry(target)
      let honest = try #require(target.site.text("\(folder)/\(name)"))
      try target.site.remove("\(folder)/\(name)")
      for number in 0..<300 {
        let text = honest.replacingOccurrences(of: "path: y", with: "path: z\(number)")
        try Data(text.utf8).write(
          to: URL(fileURLWithPath: "\(target.root)/\(folder)/\(String(repeating: "0", count: 60))\(1000 + number)"))
      }
      for name in ["y", "dvc.lock"] { try target.site.remove(name) }
      let ended = try target.run("repro")
      #expect(ended.status == 0 && target.site.text("y") == "1\n", "\(ended.status) \(ended.err)")
    }
  }

  @Test(arguments: ["s3://bucket/x", "ssh://-oProxyCommand=touch%20../outside/y/x", "ext::sh -c touch% y"])
  func `of a kind that is not spoken starts nothing`(_ url: String) throws {
    try withTarget { target in
      try target.site.write("[core]\n    remote = r\n['remote \"r\"']\n    url = \(url)\n", to: ".dvc/config")
      try target.pointer(to: "y")
      let ended = try target.run("push")
      // What has no scheme is a folder by that name.
      #expect(ended.status == (url.hasPrefix("ext") ? 0 : 2), "\(ended.status) \(ended.err)")
      #expect(!target.site.exists("y"))
    }
  }

  @Test(arguments: ["--upload-pack=touch y", "-rf", "$(touch y)", "`touch y`;touch y"])
  func `by the name of a program's option is a folder`(_ url: String) throws {
    try withTarget { target in
      try target.site.write("[core]\n    remote = r\n['remote \"r\"']\n    url = \(url)\n", to: ".dvc/config")
      try target.pointer(to: "y")
      let ended = try target.run("push")
      #expect(ended.status == 0, "\(ended.status) \(ended.err)")
      #expect(!target.site.exists("y"))
      #expect(target.site.text(".dvc/\(url)/files/md5/90/0150983cd24fb0d6963f7d28e17f72") == "abc")
    }
  }
}

@Suite struct `YAML that means harm` {
  @Test func `as one line of two megabytes is read in bounded memory`() throws {
    try withTarget { target in
      try target.site.write(
        "stages:\n  s:\n    cmd: echo 1 > y\n    desc: \(String(repeating: "x", count: 2 << 20))\n", to: "dvc.yaml")
      let ended = try target.run(kilobytes: 1_000_000, "status")
      #expect(ended.status == 0, "\(ended.status) \(ended.err.prefix(300))")
    }
  }

  @Test(arguments: [
    "\u{feff}" + stage, stage.replacingOccurrences(of: "\n", with: "\r\n"), stage.replacingOccurrences(of: "\n", with: "\r"),
  ])
  func `with a byte order mark or other line ends is read as any`(_ text: String) throws {
    try withTarget { target in
      try target.site.write(text, to: "dvc.yaml")
      let ended = try target.run("repro")
      #expect(ended.status == 0 && target.site.text("y") == "1\n", "\(ended.status) \(ended.err)")
    }
  }

  @Test func `with a list of more stages than there may be is refused`() throws {
    try withTarget { target in
      let items = String(repeating: "a,", count: 100_001)
      try target.site.write("stages:\n  s:\n    foreach: [\(items)]\n    do:\n      cmd: echo ${item}\n", to: "dvc.yaml")
      let ended = try target.run("status")
      #expect(ended.status == 2 && ended.err.contains("more than 100000 stages"), "\(ended.status) \(ended.err.prefix(300))")
    }
  }

  @Test func `with sequences for the terminal shows them spelled out`() throws {
    try withTarget { target in
      try target.site.write("stages:\n  s:\n    cmd: echo\n    \"\\e[31mred\\u202e\": 1\n", to: "dvc.yaml")
      let ended = try target.run("status")
      #expect(ended.status == 2 && ended.err.contains("\\u{1b}[31mred\\u{202e}"), "\(ended.err)")
      #expect(!ended.err.contains("\u{1b}") && !ended.err.contains("\u{202e}"))
    }
  }
}

@Suite struct `State that means harm` {
  @Test(arguments: [".dvc/tmp", ".dvc/tmp/pipe", ".dvc/tmp/pipe/tmp"])
  func `as a file in a folder's place is named, and stays`(_ name: String) throws {
    try withTarget { target in
      try target.site.write(stage, to: "dvc.yaml")
      try target.site.write("mine", to: name)
      let ended = try target.run("repro")
      #expect(ended.status == 4 && ended.err.contains(".dvc/tmp"), "\(ended.status) \(ended.err)")
      #expect(target.site.text(name) == "mine" && !target.site.exists("y"))
    }
  }

  @Test(arguments: [".dvc/tmp/pipe", ".dvc/tmp/pipe/tmp", ".dvc/tmp/pipe/runs", ".dvc/tmp/pipe/traces", ".dvc/tmp/pipe/seals"])
  func `as a link in a folder's place clears and writes nothing behind it`(_ name: String) throws {
    try withTarget { target in
      let stages = (0..<60).map { "  s\($0):\n    cmd: echo 1 > y\($0)\n    outs: [y\($0)]\n" }.joined()
      try target.site.write("stages:\n\(stages)", to: "dvc.yaml")
      try target.site.write("1\n", to: "a")
      for number in 0..<20 { try Data().write(to: URL(fileURLWithPath: "\(target.outside)/\(number)")) }
      for name in ["tmp/keep/me", "seals/me", "runs/me"] {
        let file = URL(fileURLWithPath: "\(target.outside)/\(name)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: file)
      }
      let before = FileManager.default.enumerator(atPath: target.outside)?.compactMap { $0 as? String }.sorted()
      try target.link(name, to: target.outside)
      for command in [
        ["status"], ["repro"], ["repro"], ["status"], ["add", "a"], ["checkout"], ["commit", "-f"], ["gc", "-wf"],
      ] {
        let ended = try target.site.run("/usr/bin/timeout", ["60", pipeBinary] + command)
        #expect(ended.status == 4 || name.hasSuffix("seals") || command == ["status"], "\(command): \(ended.status) \(ended.err)")
      }
      #expect(FileManager.default.enumerator(atPath: target.outside)?.compactMap { $0 as? String }.sorted() == before)
      for name in before ?? [] where name != "x" { try? FileManager.default.removeItem(atPath: "\(target.outside)/\(name)") }
    }
  }
}

@Suite struct `A native project that means harm` {
  private func withLinkOut(_ name: String, _ body: (_ site: Site, _ outside: String) throws -> Void) throws {
    try withSite { site in
      try site.write("stages:\n  s:\n    cmd: echo 1 > y\n    outs: [y]\n", to: "pipeline.yaml")
      let outside = site.folder.path + "/outside"
      for folder in [outside, "\(site.root)/.pipe"] {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      }
      try FileManager.default.createSymbolicLink(atPath: "\(site.root)/\(name)", withDestinationPath: outside)
      try body(site, outside)
      #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == [])
    }
  }

  @Test func `with reports as a link that leads out gets no page there`() throws {
    try withLinkOut("reports") { site, _ in
      let ended = try site.pipe("repro")
      #expect(ended.status == 2 && ended.err.contains("leads out of the workspace"), "\(ended.status) \(ended.err)")
    }
  }

  @Test func `with a link for its ledger makes no file where it leads`() throws {
    try withLinkOut("out") { site, outside in
      #expect(try site.pipe("repro", "--no-report").status == 0)
      try? FileManager.default.removeItem(atPath: "\(site.root)/.pipe/ledger.sqlite")
      try FileManager.default.createSymbolicLink(
        atPath: "\(site.root)/.pipe/ledger.sqlite", withDestinationPath: "\(outside)/made")
      let ended = try site.pipe("runs", "list")
      #expect(ended.status == 4 && ended.err.contains("ledger.sqlite"), "\(ended.status) \(ended.err)")
    }
  }
}

@Suite struct `Git that means harm` {
  @Test(arguments: [".git/config", ".git/index", ".git/HEAD", ".git/objects"])
  func `as random bytes is named or done without, and nothing is lost`(_ name: String) throws {
    try withTarget { target in
      try target.site.git("init", "--quiet")
      try target.site.write("1\n", to: "a")
      try target.site.write(stage, to: "dvc.yaml")
      try target.site.git("add", ".")
      try target.site.git("commit", "--quiet", "--message", "one")
      try target.site.remove(name)
      try target.write(Data((0..<512).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }), to: name)
      for command in [["add", "a"], ["repro"], ["status"], ["diff"], ["gc", "-a", "--force"]] {
        let ended = try target.site.run("/usr/bin/timeout", ["30", pipeBinary] + command)
        #expect([0, 1, 2, 4].contains(ended.status), "\(command): \(ended.status) \(ended.err)")
        #expect(ended.status == 0 || ended.err.contains("error: "), "\(command): \(ended.err)")
      }
      #expect(target.site.text("a") == "1\n")
      // Where it could be added, what the workspace names stays, whatever else goes.
      #expect(
        !target.site.exists("a.dvc") || target.site.exists(".dvc/cache/files/md5/b0/26324c6904b2a9cb4b88d6d61c81d1"))
    }
  }
}
