// Results that travel: push, clone, fetch, gc, checkout, verify.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

private func committed(_ site: Site) throws {
  try Sample.write(to: site)
  try site.git("init", "-q")
  try site.git("add", ".")
  try site.git("commit", "-qm", "sources")
  let ended = try site.pipe("repro")
  #expect(ended.status == 0, "\(ended.err)")
  try site.git("add", ".")
  try site.git("commit", "-qm", "results")
}

@Suite(.serialized) struct `Results that travel` {
  @Test func `a clone that fetches runs nothing and answers as the first does`() throws {
    try withTemporaryDirectory { folder in
      let first = try Site(folder, "first")
      try committed(first)
      let push = try first.pipe("push", "--remote", "\(folder.path)/store")
      #expect(push.status == 0, "\(push.err)")
      #expect(try first.pipe("push", "--remote", "\(folder.path)/store").err.hasPrefix("pushed 0 objects, "))
      try first.git("clone", "-q", ".", "\(folder.path)/second")
      let second = try Site(folder, "second")
      #expect(!second.exists("table.csv"))
      let fetch = try second.pipe("fetch", "--remote", "\(folder.path)/store")
      #expect(fetch.status == 0, "\(fetch.err)")
      // Before the clone has a run of its own, to the byte.
      let questions = [
        ["lineage", "table.csv", "--json"], ["lineage", "summary.json"], ["model", "list", "--json"], ["runs", "--json"],
        ["runs"],
        ["runs", "show", "--json"], ["metrics", "diff", "--json"],
      ]
      for question in questions {
        let (here, there) = (try first.run(pipeBinary, question), try second.run(pipeBinary, question))
        #expect(here.status == 0, "\(question): \(here.err)")
        #expect(there.out == here.out, "\(question)")
      }
      let runs = try #require(try first.pipe("runs", "--json").json() as? [[String: Any]])
      #expect(runs.count == 1)
      let repro = try second.pipe("repro")
      #expect(repro.status == 0)
      #expect(!repro.err.contains(" runs: "), "\(repro.err)")
      #expect(second.results() == first.results())
      #expect(second.traces() == first.traces())
      #expect(try second.pipe("lineage", "table.csv").out == first.pipe("lineage", "table.csv").out)
    }
  }

  @Test func `no answer hangs on the ledger`() throws {
    try withSite { site in
      try committed(site)
      try site.write("count: 40\ntop: 10\n", to: "params.yaml")
      #expect(try site.pipe("repro").status == 0)
      let questions = [
        ["runs", "--json"], ["runs"], ["lineage", "table.csv", "--json"], ["lineage", "numbers.txt"], ["runs", "show", "--json"],
        ["metrics", "show"], ["metrics", "diff"], ["model", "list"],
      ]
      let before = try questions.map { try site.run(pipeBinary, $0).out }
      for name in try FileManager.default.contentsOfDirectory(atPath: "\(site.root)/.pipe") where name.hasPrefix("ledger") {
        try site.remove(".pipe/\(name)")
      }
      let after = try questions.map { try site.run(pipeBinary, $0).out }
      #expect(after == before)
      #expect(before[0].contains("\"ran\":6"))
    }
  }

  @Test func `gc removes what nothing needs and keeps what the lock file needs`() throws {
    try withSite { site in
      try committed(site)
      let results = site.results()
      try site.write("count: 40\ntop: 10\n", to: "params.yaml")
      #expect(try site.pipe("repro").status == 0)
      try site.write(Sample.parameters, to: "params.yaml")
      #expect(try site.pipe("repro").err.contains("restored"))
      let dry = try site.pipe("gc", "--dry")
      let gone = try site.pipe("gc")
      #expect(gone.status == 0)
      #expect(dry.err.replacingOccurrences(of: "would remove", with: "removed") == gone.err)
      #expect(!gone.err.hasPrefix("removed 0 objects"))
      #expect(try site.pipe("gc").err.hasPrefix("removed 0 objects"))
      for name in ["numbers.txt", "even.txt", "odd", "squares.txt", "table.csv", "summary.json"] { try site.remove(name) }
      let checkout = try site.pipe("checkout")
      #expect(checkout.status == 0, "\(checkout.err)")
      #expect(checkout.err == "brought back 6 outputs\n")
      #expect(site.results() == results)
      #expect(try site.pipe("repro").err.contains("nothing to do"))
      #expect(try site.pipe("verify", "--quiet").status == 0)
      try site.write("count: 40\ntop: 10\n", to: "params.yaml")
      #expect(try site.pipe("repro").err.contains("numbers runs: count changed (60 → 40)"))
    }
  }

  @Test func `checkout does not lose what nobody has a copy of`() throws {
    try withSite { site in
      try committed(site)
      try site.write("my own work\n", to: "even.txt")
      try site.remove("squares.txt")
      let ended = try site.pipe("checkout")
      #expect(ended.status == 2)
      #expect(ended.err.contains("error: `even.txt` was changed and the store has no copy of it\n"))
      #expect(site.text("even.txt") == "my own work\n")
      #expect(site.text("squares.txt")?.hasPrefix("1\n9\n25\n") == true)
      #expect(try site.pipe("checkout", "--force").status == 0)
      #expect(site.text("even.txt")?.hasPrefix("2\n4\n6\n") == true)
    }
  }

  @Test func `a damaged object is found, and mended by running the stage again`() throws {
    try withSite { site in
      try committed(site)
      let results = site.results()
      // printf '1\n9\n25\n49\n81\n121\n169\n225\n289\n361\n' | sha256sum
      let digits = "4257f572a1f0fb9fab776b26ffb3e831f61748811a354ebb867e10636acccc01"
      let object = "\(site.root)/.pipe/store/\(digits.prefix(2))/\(digits.dropFirst(2))"
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: object)
      try "rotten".write(toFile: object, atomically: false, encoding: .utf8)
      try site.remove("squares.txt")
      let checkout = try site.pipe("checkout")
      #expect(checkout.status == 4)
      #expect(checkout.err.contains("does not match its name"))
      #expect(!site.exists("squares.txt"))
      let repro = try site.pipe("repro")
      #expect(repro.status == 0, "\(repro.err)")
      #expect(site.results() == results)
      #expect(FileManager.default.contents(atPath: object).map { String(decoding: $0.prefix(5), as: UTF8.self) } == "1\n9\n2")
    }
  }

  @Test func `verify says identical for every output and changes nothing`() throws {
    try withSite { site in
      try committed(site)
      let before = site.snapshot()
      let ended = try site.pipe("verify", "--json")
      #expect(ended.status == 0, "\(ended.err)")
      let answer = try #require(try ended.json() as? [String: Any])
      #expect(answer["identical"] as? Bool == true)
      let outputs = try #require(answer["outputs"] as? [[String: Any]])
      #expect(
        outputs.map { $0["output"] as? String } == ["numbers.txt", "even.txt", "odd", "squares.txt", "table.csv", "summary.json"])
      #expect(outputs.allSatisfy { $0["verdict"] as? String == "identical" })
      #expect(site.snapshot() == before)
    }
  }

  @Test func `verify finds a result that hangs on the clock and a file that is not declared`() throws {
    try withSite { site in
      try site.write(
        "stages:\n  clock:\n    cmd: echo one > out; date +%s%N >> out\n    outs: [out]\n  sly:\n    cmd: cat secret.txt > sly\n    outs: [sly]\n  after:\n    cmd: cp sly after\n    deps: [sly]\n    outs: [after]\n",
        to: "pipeline.yaml")
      try site.write("hidden\n", to: "secret.txt")
      try site.git("init", "-q")
      try site.git("add", "pipeline.yaml", "secret.txt")
      #expect(try site.pipe("repro").status == 0)
      try site.git("add", "pipeline.lock")
      try site.git("commit", "-qm", "all")
      let ended = try site.pipe("verify")
      #expect(ended.status == 1)
      let lines = ended.out.split(separator: "\n").map(String.init)
      #expect(lines.count == 5, "\(ended.out)")
      #expect(lines[1].hasPrefix("clock  out     different: out:2 was `"))
      #expect(lines[2].hasPrefix("sly    sly     failed: stage `sly` failed: exit status 1"))
      #expect(lines[2].contains("secret.txt: No such file or directory"))
      #expect(lines[3] == "after  after   not run, after sly")
      #expect(lines[4] == "3 of 3 outputs are not reproduced")
    }
  }

  @Test(arguments: [true, false])
  func `a version is registered once, also after a restore, and its bundle is kept`(isCached: Bool) throws {
    try withTemporaryDirectory { folder in
      let first = try Site(folder, "first")
      try first.write("size: 1\n", to: "params.yaml")
      try first.write(
        """
        stages:
          train:
            cmd: mkdir -p model && echo "model of $PIPE_PARAM_size" > model/weights
            params: [size]
            outs: [model]
          register:
            cmd: echo '{"schema":"pipe.model-version/1","name":"toy","bundle":"model","size":'$(wc -c < model/weights)'}' > version.json
            deps: [model]
            outs:
              - version.json:
                  cache: \(isCached)
        models:
          toy:
            version: version.json
            bundle: model

        """, to: "pipeline.yaml")
      try first.write("/model/\n/reports/\n/version.json\n", to: ".gitignore")
      try first.git("init", "-q")
      #expect(try first.pipe("repro").err.contains("registered toy/1\n"))
      #expect(try !first.pipe("repro").err.contains("registered"))
      try first.write("size: 20\n", to: "params.yaml")
      #expect(try first.pipe("repro").err.contains("registered toy/2\n"))
      try first.write("size: 1\n", to: "params.yaml")
      let back = try first.pipe("repro")
      #expect(back.status == 0, "\(back.err)")
      #expect(!back.err.contains("registered"))
      let versions = try #require(try first.pipe("model", "list", "--json").json() as? [[String: Any]])
      #expect(versions.map { $0["model"] as? String } == ["toy/1", "toy/2"])
      #expect(try first.pipe("gc", "--workspace").status == 0)
      try first.git("add", ".")
      try first.git("commit", "-qm", "all")
      #expect(try first.pipe("push", "--remote", "\(folder.path)/store").status == 0)
      try first.git("clone", "-q", ".", "\(folder.path)/second")
      let second = try Site(folder, "second")
      #expect(try second.pipe("pull", "--remote", "\(folder.path)/store").status == (isCached ? 0 : 4))
      for question in [
        ["model", "list"], ["model", "show", "toy/2"], ["model", "show", "toy", "--json"], ["model", "list", "--json"],
      ] {
        #expect(try second.run(pipeBinary, question).out == first.run(pipeBinary, question).out)
      }
      #expect(second.text("model/weights") == "model of 1\n")
    }
  }

  @Test func `a target may be named from the folder one is in`() throws {
    try withTemporaryDirectory { folder in
      let site = try Site(folder)
      try site.write(
        "stages:\n  a:\n    cmd: mkdir -p data; echo a > data/a.txt\n    outs: [data/a.txt]\n  b:\n    cmd: echo b > b.txt\n    outs: [b.txt]\n",
        to: "pipeline.yaml")
      try site.write("", to: "data/other.txt")
      let below = try Site(folder, "project/data")
      #expect(try below.pipe("repro", "a.txt").err.contains("1 ran\n"))
      #expect(!site.exists("b.txt"))
      #expect(try below.pipe("repro", "../b.txt").err.contains("1 ran\n"))
      #expect(try below.pipe("repro", "\(site.root)/b.txt").err == "nothing to do: 1 up to date\n")
      #expect(try below.pipe("repro", "data/a.txt").err == "nothing to do: 1 up to date\n")
      #expect(try below.pipe("lineage", "a.txt").out == site.pipe("lineage", "data/a.txt").out)
      #expect(try below.pipe("lineage", "a.txt").status == 0)
    }
  }

  @Test func `completion scripts are made for three shells and bash accepts its own`() throws {
    try withSite { site in
      for shell in ["bash", "zsh", "fish"] {
        let script = try site.pipe("completion", shell)
        #expect(script.status == 0)
        #expect(script.out.contains("repro") && script.out.contains("lineage"))
        try site.write(script.out, to: "completion.\(shell)")
      }
      #expect(try site.run("/bin/bash", ["-n", "completion.bash"]).status == 0)
      #expect(site.text("completion.zsh")?.hasPrefix("#compdef pipe") == true)
      #expect(try site.pipe("completion", "tcsh").status == 2)
    }
  }

  @Test func `what is printed as JSON can be read`() throws {
    try withSite { site in
      try committed(site)
      for arguments in [
        ["status", "--json"], ["runs", "--json"], ["runs", "show", "--json"], ["lineage", "table.csv", "--json"],
        ["model", "list", "--json"], ["metrics", "show", "--json"], ["metrics", "diff", "--json"], ["params", "diff", "--json"],
        ["verify", "--json"],
      ] {
        let ended = try site.run(pipeBinary, arguments)
        #expect(ended.status == 0, "\(arguments): \(ended.err)")
        #expect(throws: Never.self, "\(arguments): \(ended.out)") { try ended.json() }
      }
    }
  }
}
