// SIGKILL at any moment: nothing survives it, and the next `pipe repro` ends where an undisturbed one does.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

@Suite(.serialized) struct `A killed pipe` {
  @Test func `leaves no process, and a project that repro completes`() throws {
    let seed = ProcessInfo.processInfo.environment["PIPE_TEST_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...999_999)
    print("kill test: PIPE_TEST_SEED=\(seed)")
    var random = SeededGenerator(seed: seed)
    try withTemporaryDirectory { folder in
      let calm = try Site(folder, "calm")
      try Sample.write(to: calm)
      let start = Date()
      let ended = try calm.pipe("repro")
      #expect(ended.status == 0, "\(ended.err)")
      let length = Date().timeIntervalSince(start)
      let (results, traces) = (calm.results(), calm.traces())
      #expect(traces.count == 6)
      for number in 1...25 {
        let site = try Site(folder, "killed-\(number)")
        try Sample.write(to: site)
        let delay = Double.random(in: 0...(length * 1.05), using: &random)
        let mark = UUID().uuidString
        let process = try site.start(pipeBinary, ["repro", "-j", "\(1 + number % 2)"], mark: mark, to: "killed")
        usleep(UInt32(delay * 1e6))
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let story = "seed \(seed), kill \(number) after \(delay) s"
        #expect(waitUntil { processes(marked: mark) == [] }, "\(story): \(processes(marked: mark))")
        let mended = try site.pipe("repro")
        #expect(mended.status == 0, "\(story): \(mended.err)")
        #expect(site.results() == results, "\(story)")
        #expect(site.traces() == traces, "\(story)")
        #expect(try site.pipe("repro").err == "nothing to do: 6 up to date\n", "\(story)")
        let left = (try? FileManager.default.contentsOfDirectory(atPath: "\(site.root)/.pipe/tmp")) ?? ["gone"]
        #expect(left == [], "\(story)")
        try FileManager.default.removeItem(atPath: site.root)
      }
    }
  }

  @Test func `takes the processes of its stages with it, also those that left their group`() throws {
    try withSite { site in
      try site.write(
        "stages:\n  s:\n    cmd: setsid sleep 500 & (nohup sleep 500 &) ; sleep 500 & touch started; sleep 500\n  n:\n    notebook: n.qmd\n",
        to: "pipeline.yaml")
      try site.write("```{bash}\nsetsid sleep 500 &\ntouch started2\nsleep 500\n```\n", to: "n.qmd")
      let mark = UUID().uuidString
      let process = try site.start(pipeBinary, ["repro", "-j", "2"], mark: mark, to: "killed")
      #expect(waitUntil { site.exists("started") && site.exists("started2") })
      #expect(processes(marked: mark).count > 8)
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      #expect(waitUntil { processes(marked: mark) == [] })
    }
  }

  @Test func `lets go of the workspace`() throws {
    try withSite { site in
      try site.write("stages:\n  s:\n    cmd: touch started; test -e go || sleep 500\n", to: "pipeline.yaml")
      let process = try site.start(pipeBinary, ["repro"], to: "killed")
      #expect(waitUntil { site.exists("started") })
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      try site.write("", to: "go")
      #expect(try site.pipe("repro").status == 0)
    }
  }
}
