// `pipe watch`, beside a person who edits.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

@Suite(.serialized) struct `Watching` {
  /// A watch that runs, and what it says.
  private struct Watch {
    let site: Site
    let process: Process
    private let name = "watch"

    init(_ site: Site, _ arguments: String..., mark: String = "none") throws {
      self.site = site
      process = try site.start(pipeBinary, ["watch", "--json"] + arguments, mark: mark, to: name)
    }

    var err: String { (try? site.folder.text(of: "\(name).err")) ?? "" }
    var lines: [String] { ((try? site.folder.text(of: "\(name).out")) ?? "").split(separator: "\n").map(String.init) }
    func lines(of event: String) -> [String] { lines.filter { $0.contains(#""event": "\#(event)""#) } }

    /// Until it rests after its `count`th time.
    func rests(_ count: Int) -> Bool {
      waitUntil { lines(of: "watching").count >= count && lines.last?.contains("watching") == true }
    }

    /// Ends it by force where a test gave up.
    func end() {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
  }

  private static let manifest = """
    stages:
      upper:
        cmd: tr a-z A-Z < src/a.txt > out/upper.txt
        deps: [src]
        outs: [out/upper.txt]
      count:
        cmd: wc -l < out/upper.txt > count.txt
        deps: [out/upper.txt]
        outs: [count.txt]
      other:
        cmd: echo $PIPE_PARAM_size > other.txt
        params: [size]
        outs: [other.txt]

    """

  private static func withWatch(
    _ arguments: String..., prepare: (Site) throws -> Void = { _ in }, body: (Site, Watch) throws -> Void
  )
    throws
  {
    try withSite { site in
      try site.write(manifest, to: "pipeline.yaml")
      try site.write("size: 1\n", to: "params.yaml")
      try site.write("one\n", to: "src/a.txt")
      try prepare(site)
      let watch = try Watch(site)
      defer { watch.end() }
      #expect(watch.rests(1), "\(watch.err)")
      try body(site, watch)
    }
  }

  @Test func `a saved file runs again what it made stale, and nothing else`() throws {
    try Self.withWatch { site, watch in
      #expect(watch.lines(of: "built").last == Self.built(ran: ["upper", "count", "other"]))
      try site.write("two\n", to: "src/a.txt")
      #expect(watch.rests(2))
      #expect(site.text("out/upper.txt") == "TWO\n")
      #expect(watch.lines(of: "changed") == [#"{"event": "changed", "paths": ["src/a.txt"]}"#])
      #expect(watch.lines(of: "built").last == Self.built(ran: ["upper", "count"]))
      try site.write("size: 2\n", to: "params.yaml")
      #expect(watch.rests(3))
      #expect(watch.lines(of: "built").last == Self.built(ran: ["other"]))
      #expect(watch.err.contains("changed: src/a.txt\n") && !watch.err.contains("\u{1B}"))
    }
  }

  private static func built(ran: [String] = [], failed: [String] = [], skipped: [String] = [], exit: Int = 0) -> String {
    func list(_ names: [String]) -> String { "[\(names.map { "\"\($0)\"" }.joined(separator: ", "))]" }
    return
      #"{"event": "built", "exit": \#(exit), "ran": \#(list(ran)), "restored": [], "failed": \#(list(failed)), "skipped": \#(list(skipped))}"#
  }

  @Test func `a file that is replaced, a new folder and a removed file are seen`() throws {
    try Self.withWatch { site, watch in
      // As Vim saves: the old file becomes a backup, the new one takes its name, the backup goes.
      rename("\(site.root)/src/a.txt", "\(site.root)/src/a.txt~")
      try site.write("two\n", to: "src/a.txt")
      try site.remove("src/a.txt~")
      #expect(watch.rests(2))
      try site.write("three\n", to: "next.tmp")
      rename("\(site.root)/next.tmp", "\(site.root)/src/a.txt")
      #expect(watch.rests(3))
      #expect(site.text("out/upper.txt") == "THREE\n")
      try site.write("deep\n", to: "src/new/folder/b.txt")
      #expect(watch.rests(4))
      // The folder that was new is watched like the others by now.
      try site.write("deeper\n", to: "src/new/folder/b.txt")
      #expect(watch.rests(5))
      try site.remove("src/new")
      #expect(watch.rests(6))
      let paths = watch.lines(of: "changed").map { $0.replacing(#"{"event": "changed", "paths": "#, with: "") }
      #expect(
        paths == [
          #"["src/a.txt"]}"#, #"["src/a.txt"]}"#, #"["src/new/folder/b.txt"]}"#, #"["src/new/folder/b.txt"]}"#,
          #"["src/new/folder/b.txt"]}"#,
        ])
      // Back to what was there before: known results are brought back.
      #expect(watch.lines(of: "built").last?.contains(#""restored": ["upper"]"#) == true)
    }
  }

  @Test func `outputs, state, ignored files and what editors leave for a moment start nothing`() throws {
    try Self.withWatch(prepare: { try $0.write("*.log\n", to: ".pipeignore") }) { site, watch in
      try site.write("by hand\n", to: "out/upper.txt")
      try site.write("x\n", to: "src/build.log")
      try site.write("x\n", to: "src/.a.txt.swp")
      try site.write("x\n", to: "notes.md")
      try site.write("x\n", to: ".git/index")
      try site.write("x\n", to: ".pipe/tmp/x")
      usleep(600_000)
      try site.write("size: 3\n", to: "params.yaml")
      #expect(watch.rests(2))
      #expect(watch.lines(of: "changed") == [#"{"event": "changed", "paths": ["params.yaml"]}"#])
    }
  }

  @Test func `an edit while stages run interrupts nothing, and starts one more build when it matters`() throws {
    try withSite { site in
      try site.write(
        """
        stages:
          slow:
            cmd: echo run >> ../slow.log; while [ ! -e ../go ]; do sleep 0.02; done; cp a.txt slow.txt
            deps: [a.txt]
            outs: [slow.txt]
          quick:
            cmd: cp b.txt quick.txt
            deps: [b.txt]
            outs: [quick.txt]

        """, to: "pipeline.yaml")
      try site.write("1\n", to: "a.txt")
      try site.write("1\n", to: "b.txt")
      let watch = try Watch(site)
      defer { watch.end() }
      let log = site.folder.appendingPathComponent("slow.log")
      #expect(waitUntil { FileManager.default.fileExists(atPath: log.path) })
      try site.write("x\n", to: "unrelated.txt")
      try site.write("2\n", to: "b.txt")
      usleep(400_000)
      try site.write("3\n", to: "b.txt")
      try site.folder.write("", to: "go")
      #expect(watch.rests(1), "\(watch.err)")
      #expect(try site.folder.text(of: "slow.log") == "run\n")
      #expect(watch.lines(of: "built").count == 2)
      #expect(watch.lines(of: "changed") == [#"{"event": "changed", "paths": ["b.txt"]}"#])
      #expect(site.text("quick.txt") == "3\n")
    }
  }

  @Test func `a stage that fails and a manifest that cannot be read end nothing`() throws {
    try Self.withWatch { site, watch in
      // In one step: two edits far enough apart are two builds.
      #expect(rename("\(site.root)/src/a.txt", "\(site.root)/src/b.txt") == 0)
      #expect(watch.rests(2))
      #expect(watch.lines(of: "built").last == Self.built(ran: [], failed: ["upper"], skipped: ["count", "other"], exit: 1))
      // It rests, although something is left to do.
      usleep(500_000)
      #expect(watch.lines(of: "built").count == 2)
      try site.write("four\n", to: "src/a.txt")
      #expect(watch.rests(3))
      #expect(site.text("out/upper.txt") == "FOUR\n")

      try site.write(Self.manifest + "  broken: {\n", to: "pipeline.yaml")
      #expect(watch.rests(4))
      #expect(watch.lines(of: "built").last == Self.built(exit: 2))
      #expect(watch.err.contains("pipeline.yaml:15:1: error: "))
      try site.write("x\n", to: "notes.md")
      usleep(400_000)
      let more = "  more:\n    cmd: echo more > more.txt\n    outs: [more.txt]\n"
      try site.write(Self.manifest + more, to: "pipeline.yaml")
      #expect(watch.rests(5))
      #expect(watch.lines(of: "changed").last == #"{"event": "changed", "paths": ["pipeline.yaml"]}"#)
      #expect(watch.lines(of: "changed").count == 4)
      #expect(site.text("more.txt") == "more\n")
    }
  }

  @Test func `a queue that ran over is made up for by looking at everything`() throws {
    try Self.withWatch(prepare: { try $0.write("*.log\n", to: ".pipeignore") }) { site, watch in
      kill(watch.process.processIdentifier, SIGSTOP)
      let limit =
        Int(
          (try? String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines) ?? "") ?? 16_384
      guard limit <= 100_000 else { return print("skipped: the queue holds \(limit) events") }
      // Each is made and closed: two events that matter to nobody.
      for number in 0...(limit / 2) {
        let file = open("\(site.root)/src/\(number).log", O_WRONLY | O_CREAT, 0o600)
        close(file)
      }
      try site.write("lost\n", to: "src/a.txt")
      kill(watch.process.processIdentifier, SIGCONT)
      #expect(watch.rests(2))
      #expect(site.text("out/upper.txt") == "LOST\n")
      #expect(watch.lines(of: "changed") == [#"{"event": "changed", "paths": ["src/a.txt"]}"#])
    }
  }

  @Test func `the workspace is held only while a build goes on, and another's build is waited for`() throws {
    try Self.withWatch { site, watch in
      let other = try site.pipe("repro", "--force", "other")
      #expect(other.status == 0, "\(other.err)")
    }
    try withSite { site in
      try site.write("stages:\n  s:\n    cmd: touch begun; while [ ! -e go ]; do sleep 0.02; done\n", to: "pipeline.yaml")
      let first = try site.start(pipeBinary, ["repro"], to: "first")
      #expect(waitUntil { site.exists("begun") })
      let watch = try Watch(site)
      defer { watch.end() }
      #expect(waitUntil { watch.err.contains("waiting for the workspace: process \(first.processIdentifier) runs `pipe repro`") })
      try site.write("", to: "go")
      first.waitUntilExit()
      #expect(watch.rests(1))
      #expect(watch.lines(of: "built").count == 1)
    }
  }

  @Test func `an interruption ends a watch at rest with 0, and one that builds with its stages`() throws {
    try Self.withWatch { _, watch in
      kill(watch.process.processIdentifier, SIGINT)
      watch.process.waitUntilExit()
      #expect(watch.process.terminationReason == .exit && watch.process.terminationStatus == 0)
    }
    try withSite { site in
      try site.write(
        "stages:\n  s:\n    cmd: cp a.txt b.txt; [ ! -s a.txt ] || { touch begun; sleep 100; }\n    deps: [a.txt]\n    outs: [b.txt]\n",
        to: "pipeline.yaml")
      try site.write("", to: "a.txt")
      let mark = UUID().uuidString
      let watch = try Watch(site, mark: mark)
      defer { watch.end() }
      #expect(watch.rests(1), "\(watch.err)")
      try site.write("1\n", to: "a.txt")
      #expect(waitUntil { site.exists("begun") })
      kill(watch.process.processIdentifier, SIGINT)
      watch.process.waitUntilExit()
      #expect(watch.process.terminationReason == .exit && watch.process.terminationStatus == 130)
      #expect(watch.err.contains("s interrupted; nothing of it is recorded"))
      #expect(waitUntil { processes(marked: mark).isEmpty })
      #expect(site.text("b.txt") == "")
    }
  }

  @Test func `a stage that writes what it reads does not go round for ever`() throws {
    try withSite { site in
      try site.write("stages:\n  s:\n    cmd: echo more >> a.txt\n    deps: [a.txt]\n", to: "pipeline.yaml")
      try site.write("1\n", to: "a.txt")
      let watch = try Watch(site)
      defer { watch.end() }
      #expect(watch.rests(1))
      #expect(watch.err.contains("warning: `a.txt` changes with every build, so it starts no more of them\n"))
      #expect(watch.lines(of: "built").count == 6)
    }
  }

  @Test func `what is named as changing with every build is no lock file`() throws {
    try withSite { site in
      try site.write(
        "stages:\n  b:\n    cmd: cp t.txt b.txt\n    deps: [t.txt]\n    outs: [b.txt]\n  a:\n    cmd: date +%N > t.txt\n"
          + "    always_changed: true\n", to: "pipeline.yaml")
      try site.write("1\n", to: "t.txt")
      let watch = try Watch(site)
      defer { watch.end() }
      #expect(watch.rests(1))
      #expect(watch.err.contains("warning: `t.txt` changes with every build, so it starts no more of them\n"), "\(watch.err)")
      #expect(watch.lines(of: "built").count == 6)
    }
  }

  @Test func `prose is woven anew without a run`() throws {
    try withSite { site in
      try site.write("stages:\n  s:\n    notebook: s.qmd\n    outs: [a.txt]\n", to: "pipeline.yaml")
      try site.write("Old words.\n\n```{bash}\necho result > a.txt\n```\n", to: "s.qmd")
      let watch = try Watch(site)
      defer { watch.end() }
      #expect(watch.rests(1))
      try site.write("New words.\n\n```{bash}\necho result > a.txt\n```\n", to: "s.qmd")
      #expect(watch.rests(2))
      #expect(watch.lines(of: "built").last == Self.built())
      #expect(site.text("reports/index.html")?.contains("<p>New words.</p>") == true)
    }
  }

  @Test func `a project of DVC is watched too, with data under add`() throws {
    try withSite { site in
      try site.pipe("init", "--dvc", "--no-scm")
      try site.write("1\n", to: "data.txt")
      #expect(try site.pipe("add", "data.txt").status == 0)
      try site.write("stages:\n  s:\n    cmd: cp data.txt copy.txt\n    deps: [data.txt]\n    outs: [copy.txt]\n", to: "dvc.yaml")
      let watch = try Watch(site)
      defer { watch.end() }
      #expect(watch.rests(1), "\(watch.err)")
      // In one step, since the file may be one with the store's.
      try site.folder.write("2\n", to: "new.txt")
      #expect(rename("\(site.folder.path)/new.txt", "\(site.root)/data.txt") == 0)
      #expect(watch.rests(2))
      #expect(site.text("copy.txt") == "2\n")
      usleep(400_000)
      #expect(watch.lines(of: "built").count == 2, "\(watch.err)")
    }
  }

  @Test func `targets count, and a wrong one is told at once`() throws {
    try withSite { site in
      let manifest = Self.manifest.replacing("$PIPE_PARAM_size", with: "$(cat size.txt)").replacing(
        "params: [size]", with: "deps: [size.txt]")
      try site.write(manifest, to: "pipeline.yaml")
      try site.write("1\n", to: "size.txt")
      try site.write("one\n", to: "src/a.txt")
      let wrong = try site.pipe("watch", "uper")
      #expect(wrong.status == 2 && wrong.err.contains("did you mean `upper`?"))
      let watch = try Watch(site, "upper")
      defer { watch.end() }
      #expect(watch.rests(1))
      try site.write("2\n", to: "size.txt")
      usleep(400_000)
      try site.write("two\n", to: "src/a.txt")
      #expect(watch.rests(2))
      #expect(watch.lines(of: "changed") == [#"{"event": "changed", "paths": ["src/a.txt"]}"#])
      #expect(!site.exists("other.txt"))
    }
  }
}
