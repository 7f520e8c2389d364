// `pipe repro` and `pipe status` as a person meets them.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

@Suite(.serialized) struct `The program` {
  @Test func `makes a first project, runs it, and then has nothing to do`() throws {
    try withSite { site in
      #expect(try site.pipe("init").status == 0)
      let first = try site.pipe("repro")
      #expect(first.status == 0, "\(first.err)")
      #expect(first.out == "")
      #expect(first.err.contains("[1/1] greet runs: it has no result yet\n"))
      #expect(first.err.contains("1 ran\n"))
      #expect(site.text("greeting.txt") == "hello, world\n")
      let second = try site.pipe("repro")
      #expect(second.status == 0)
      #expect(second.err == "nothing to do: 1 up to date\n")
    }
  }

  @Test func `with nothing to do changes no file, not even at the first time after a run`() throws {
    try withSite { site in
      try Sample.write(to: site)
      #expect(try site.pipe("repro").status == 0)
      let before = site.snapshot()
      for _ in 0..<3 { #expect(try site.pipe("repro").err == "nothing to do: 6 up to date\n") }
      #expect(try site.pipe("status").status == 0)
      #expect(try site.pipe("repro", "--dry").status == 0)
      #expect(site.snapshot() == before)
      #expect(before.count > 20)
    }
  }

  @Test func `runs only the stages that name a changed parameter, and nothing when it is changed back`() throws {
    try withSite { site in
      try Sample.write(to: site)
      #expect(try site.pipe("repro").status == 0)
      let before = site.results()
      try site.write("count: 60\ntop: 7\n", to: "params.yaml")
      let changed = try site.pipe("repro")
      #expect(changed.err.contains("[4/6] squares runs: top changed (10 → 7)\n"))
      #expect(changed.err.contains("3 ran, 3 up to date\n"))
      #expect(site.text("squares.txt") == "1\n9\n25\n49\n81\n121\n169\n")
      try site.write("count: 60\ntop: 10\n", to: "params.yaml")
      let back = try site.pipe("repro")
      #expect(!back.err.contains(" runs: "))
      #expect(back.err.contains("3 restored, 3 up to date\n"))
      #expect(site.results() == before)
    }
  }

  @Test func `says in status what is out of date and why`() throws {
    try withSite { site in
      try Sample.write(to: site)
      #expect(try site.pipe("status", "--check").status == 3)
      #expect(try site.pipe("repro").status == 0)
      #expect(try site.pipe("status", "--check").status == 0)
      try site.write("count: 60\ntop: 7\n", to: "params.yaml")
      let status = try site.pipe("status", "--check")
      #expect(status.status == 3)
      #expect(
        status.out == """
          numbers  up to date
          even     up to date
          odd      up to date
          squares  will run: top changed (10 → 7)
          table    will run: stage squares comes first
          summary  will run: stage table comes first
          3 of 6 stages are not up to date

          """)
      let plan = try #require(try site.pipe("repro", "--dry", "--json").json() as? [String: Any])
      #expect(plan["up_to_date"] as? Bool == false)
      let stages = try #require(plan["stages"] as? [[String: Any]])
      #expect(stages.map { $0["name"] as? String } == Sample.stages)
      #expect(stages.map { $0["state"] as? String } == ["up-to-date", "up-to-date", "up-to-date", "run", "run", "run"])
      let reasons = try #require(stages[3]["reasons"] as? [[String: String]])
      #expect(reasons == [["code": "parameter-changed", "text": "top changed (10 → 7)"]])
      #expect(try site.pipe("repro", "--dry", "--check").status == 3)
    }
  }

  @Test func `reruns a stage for a changed command, a changed cell and a changed input, but not for prose or a touch`() throws {
    try withSite { site in
      try Sample.write(to: site)
      #expect(try site.pipe("repro").status == 0)
      try site.write(Sample.notebook.replacingOccurrences(of: "Look at it.", with: "Look well."), to: "table.qmd")
      #expect(utimes("\(site.root)/numbers.txt", nil) == 0)
      #expect(try site.pipe("repro").err.contains("nothing to do: 6 up to date"))
      try site.write(Sample.notebook.replacingOccurrences(of: "sleep 0.05", with: "sleep 0.01"), to: "table.qmd")
      #expect(try site.pipe("repro").err.contains("[5/6] table runs: the code of table.qmd changed\n"))
      try site.write(Sample.manifest.replacingOccurrences(of: "sleep 0.05", with: "sleep 0.02"), to: "pipeline.yaml")
      let command = try site.pipe("repro")
      #expect(command.err.contains("[2/6] even runs: its command changed\n"))
      #expect(command.err.contains("1 ran, 5 up to date"))
      try site.write("scribble\n", to: "even.txt")
      let restored = try site.pipe("repro")
      #expect(restored.err.contains("even restored: even.txt was changed\n"))
      #expect(restored.err.contains("1 restored, 5 up to date"))
    }
  }

  @Test func `takes targets, one stage alone, and force`() throws {
    try withSite { site in
      try Sample.write(to: site)
      #expect(try site.pipe("repro", "even.txt").err.contains("2 ran\n"))
      #expect(!site.exists("odd"))
      #expect(try site.pipe("repro", "--single-item", "odd").err.contains("1 ran\n"))
      #expect(try site.pipe("repro", "-j", "3").err.contains("3 ran, 3 up to date\n"))
      #expect(try site.pipe("repro", "--force", "odd").err.contains("[1/2] numbers runs: forced\n"))
    }
  }

  // MARK: Mistakes

  @Test func `tells six mistakes of a manifest at once, each at its place`() throws {
    try withSite { site in
      try site.write("a: 1\n", to: "params.yaml")
      try site.write(
        """
        stages:
          one:
            cmd: echo 1
            dep: [x.txt]
          two:
            outs: [two.txt]
          three:
            cmd: echo 3
            params: [b]
          four:
            cmd: echo 4
            frozen: maybe
          five:
            cmd: echo 5
            outs: [../out.txt]
          six:
            cmd: echo 6
            cmd: echo 7

        """, to: "pipeline.yaml")
      for command in ["repro", "status", "dag"] {
        let ended = try site.pipe(command)
        #expect(ended.status == 2, "\(command)")
        let places = ended.err.split(separator: "\n").filter { $0.contains(": error: ") }.map {
          $0.components(separatedBy: ": error: ")[0]
        }
        #expect(
          places.sorted() == [
            "pipeline.yaml:12:13", "pipeline.yaml:15:12", "pipeline.yaml:18:5", "pipeline.yaml:4:5", "pipeline.yaml:5:3",
            "pipeline.yaml:9:14",
          ], "\(ended.err)")
        #expect(ended.err.hasSuffix("6 mistakes\n"))
        #expect(ended.out == "")
      }
    }
  }

  @Test func `ends with the documented code for each kind of trouble`() throws {
    try withSite { site in
      #expect(try site.pipe("repro").status == 2)
      #expect(try site.pipe("repro").err.contains("no `pipeline.yaml` and no `.dvc` here or in a folder above"))
      #expect(try site.pipe("nonsense").status == 2)
      #expect(try site.pipe("repro", "--no-such-flag").status == 2)
      #expect(try site.pipe("repro", "--jobs", "0").status == 2)
      #expect(try site.pipe("--version").status == 0)
      #expect(try site.pipe("--help").status == 0)
      try site.write("stages:\n  bad:\n    cmd: echo why; exit 7\n", to: "pipeline.yaml")
      let failed = try site.pipe("repro")
      #expect(failed.status == 1)
      #expect(failed.err.contains("pipeline.yaml:2:3: error: stage `bad` failed: exit status 7 after "))
      #expect(failed.err.contains("why"))
      let unknown = try site.pipe("repro", "bda")
      #expect(unknown.status == 2)
      #expect(unknown.err.contains("hint: did you mean `bad`?"))
      try site.write("not json", to: "pipeline.lock")
      #expect(try site.pipe("repro").status == 2 || site.pipe("repro").status == 4)
    }
  }

  @Test func `names a missing dependency and a missing notebook with their place`() throws {
    try withSite { site in
      try site.write("stages:\n  s:\n    cmd: cat in.txt\n    deps: [in.txt]\n", to: "pipeline.yaml")
      let ended = try site.pipe("repro")
      #expect(ended.status == 2)
      #expect(
        ended.err.contains(
          "pipeline.yaml:4:12: error: `in.txt`, a dependency of stage `s`, is not there and no stage makes it"), "\(ended.err)")
      // A plan tells of it and goes on.
      let plan = try site.pipe("status")
      #expect(plan.status == 0)
      #expect(plan.out.contains("s  will run: in.txt is not there and no stage makes it"), "\(plan.out)")
      try site.write("stages:\n  s:\n    notebook: gone.qmd\n", to: "pipeline.yaml")
      for command in ["repro", "status"] {
        let ended = try site.pipe(command)
        #expect(ended.status == 2)
        #expect(ended.err.contains("the notebook `gone.qmd` is not there"))
      }
    }
  }

  @Test func `says of results that were there how they came about, also when their traces are gone`() throws {
    try withSite { site in
      try site.write(
        "stages:\n  quiet:\n    cmd: sleep 0.1; echo 1 > quiet\n    outs: [quiet]\n  loud:\n    cmd: echo hello; echo 2 > loud\n    outs: [loud]\n  copy:\n    cmd: cp raw copy\n    deps: [raw]\n    outs: [copy]\n",
        to: "pipeline.yaml")
      func told() throws -> [String: [String]] {
        let newest = try #require(try FileManager.default.contentsOfDirectory(atPath: "\(site.root)/.pipe/runs").max())
        let record = try JSONSerialization.jsonObject(with: Data((site.text(".pipe/runs/\(newest)") ?? "").utf8))
        let stages = try #require((record as? [String: Any])?["stages"] as? [[String: Any]])
        return Dictionary(
          uniqueKeysWithValues: stages.map { stage in
            ("\(stage["name"] ?? "")", ["durationSeconds", "peakMemoryBytes", "log", "trace"].map { "\(stage[$0] ?? "none")" })
          })
      }
      try site.write("1", to: "raw")
      #expect(try site.pipe("repro").status == 0)
      let first = try told()
      #expect(first["loud"]?[2].hasPrefix("sha256:") == true && first["quiet"]?[2] == "none")
      #expect(first["quiet"]?[0] != "none" && first["quiet"]?[1] != "none")
      for round in 2...3 {
        try site.write("\(round)", to: "raw")
        #expect(try site.pipe("repro").err.contains("1 ran, 2 up to date\n"))
        let next = try told()
        #expect(next["loud"] == first["loud"] && next["quiet"] == first["quiet"])
        try site.remove(".pipe/traces")
      }
    }
  }

  @Test func `keeps going after a failure if told so, and says what it skipped`() throws {
    try withSite { site in
      try site.write(
        "stages:\n  a:\n    cmd: exit 1\n    outs: [a]\n  b:\n    cmd: cp a b\n    deps: [a]\n    outs: [b]\n  c:\n    cmd: echo c > c\n    outs: [c]\n",
        to: "pipeline.yaml")
      let stopped = try site.pipe("repro")
      #expect(stopped.status == 1)
      #expect(stopped.err.contains("1 failed, 2 skipped\n"))
      let going = try site.pipe("repro", "--keep-going")
      #expect(going.status == 1)
      #expect(going.err.contains("1 ran, 1 failed, 1 skipped\n"))
      #expect(site.text("c") == "c\n")
    }
  }

  @Test func `writes no escape codes where there is no terminal`() throws {
    try withSite { site in
      try Sample.write(to: site)
      for arguments in [["repro"], ["status"], ["dag"], ["runs"], ["nonsense"], ["lineage", "table.csv"], ["--help"]] {
        let ended = try site.run(pipeBinary, arguments)
        #expect(!ended.out.contains("\u{1B}") && !ended.err.contains("\u{1B}"), "\(arguments)")
        #expect(!(ended.out + ended.err).isEmpty)
      }
    }
  }

  // MARK: Two at once, and interruption

  @Test func `refuses a second pipe and names the first`() throws {
    try withSite { site in
      try site.write("stages:\n  slow:\n    cmd: touch started; sleep 100\n", to: "pipeline.yaml")
      let mark = UUID().uuidString
      let first = try site.start(pipeBinary, ["repro"], mark: mark, to: "first")
      #expect(waitUntil { site.exists("started") })
      let second = try site.pipe("repro")
      #expect(second.status == 5)
      #expect(second.err.contains("error: another process holds this workspace\n"))
      #expect(second.err.contains("cause: process \(first.processIdentifier) runs `pipe repro`\n"), "\(second.err)")
      #expect(try site.pipe("gc").status == 5)
      #expect(try site.pipe("status").status == 0)
      kill(first.processIdentifier, SIGINT)
      first.waitUntilExit()
      #expect(first.terminationStatus == 130)
      #expect(try site.folder.text(of: "first.err").contains("slow interrupted; nothing of it is recorded"))
      #expect(processes(marked: mark) == [])
      #expect(site.text(".pipe/lock") == "")
    }
  }

  @Test(arguments: [(SIGINT, Int32(130)), (SIGTERM, Int32(143))])
  func `ends its stages when it is told to end, and goes on from there next time`(signal: Int32, status: Int32) throws {
    try withSite { site in
      try site.write(
        "stages:\n  quick:\n    cmd: echo 1 > quick\n    outs: [quick]\n  slow:\n    cmd: touch started; test -e go || (setsid sleep 100 & sleep 100); cp quick slow\n    deps: [quick]\n    outs: [slow]\n",
        to: "pipeline.yaml")
      let mark = UUID().uuidString
      let first = try site.start(pipeBinary, ["repro"], mark: mark, to: "first")
      #expect(waitUntil { site.exists("started") })
      kill(first.processIdentifier, signal)
      first.waitUntilExit()
      #expect(first.terminationStatus == status)
      #expect(waitUntil { processes(marked: mark) == [] })
      try site.write("", to: "go")
      #expect(try site.pipe("repro").err.contains("1 ran, 1 up to date\n"))
    }
  }
}
