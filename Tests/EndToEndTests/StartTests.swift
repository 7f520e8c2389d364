// What the program needs to start, and what it does without.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@Suite struct `The start of the program` {
  @Test func `without libgit2 answers what does not ask Git, and says what is missing for what does`() throws {
    try withSite { site in
      // Found before the real one, and no library.
      let broken = "\(site.folder.path)/broken"
      for minor in 0...9 { try URL(fileURLWithPath: broken).write("", to: "libgit2.so.1.\(minor)") }
      func pipe(_ arguments: String...) throws -> Ended {
        try site.run("/usr/bin/env", ["LD_LIBRARY_PATH=\(broken)", pipeBinary] + arguments)
      }
      try site.write("stages:\n  a:\n    cmd: echo > b\n    outs: [b]\n", to: "pipeline.yaml")
      #expect(try pipe("--version").status == 0)
      let status = try pipe("status")
      #expect(status.out == "a  will run: it has no result yet\n1 of 1 stages are not up to date\n")
      let history = try pipe("params", "diff")
      #expect(history.status == 4)
      #expect(history.err.hasPrefix("error: libgit2 cannot be loaded, and this command asks Git\n"), "\(history.err)")
      #expect(history.err.contains("\(broken)/libgit2.so."))
      #expect(history.err.contains(": file too short\n"))
      #expect(history.err.contains("hint: Debian 12 has it in the package `libgit2-1.5`\n"))
    }
  }

  @Test(arguments: [
    (["repor"], "error: `repor` is not a command of `pipe`\nhint: did you mean `pipe repro`?\n"),
    (["frobnicate", "-n", "x"], "error: `frobnicate` is not a command of `pipe`\nhint: `pipe --help` lists them\n"),
    (["-q", "stage", "lsit"], "error: `lsit` is not a command of `pipe stage`\nhint: did you mean `pipe stage list`?\n"),
    (
      ["exp", "save", "-n", "hand"],
      """
      error: `exp` is a command of DVC's that `pipe` does not have
      hint: every `pipe repro` is kept: `pipe runs list` shows them, `pipe report --compare A B` compares two

      """
    ),
  ])
  func `a word that is no command is told with what it could be`(_ arguments: [String], _ said: String) throws {
    try withSite { site in
      let ended = try site.run(pipeBinary, arguments)
      #expect(ended.status == 2)
      #expect(ended.err == said)
      #expect(ended.out == "")
    }
  }

  @Test func `init says what it made, whatever was there`() throws {
    try withSite { site in
      func made(_ arguments: String...) throws -> String {
        let ended = try site.run(pipeBinary, ["init"] + arguments)
        #expect(ended.status == 0 && ended.out == "", "\(ended.err)")
        return ended.err
      }
      #expect(try made() == "made pipeline.yaml, params.yaml and .pipe/; `pipe repro` runs the pipeline\n")
      #expect(try made() == "there is a project already; `pipe repro` runs the pipeline\n")
      try site.remove(".pipe")
      #expect(try made() == "made .pipe/; `pipe repro` runs the pipeline\n")
      // Somebody's own manifest does without the example's parameters, and the example without somebody's.
      try site.remove("params.yaml")
      #expect(try made() == "there is a project already; `pipe repro` runs the pipeline\n")
      #expect(!site.exists("params.yaml"))
      try site.write("mine: 1\n", to: "params.yaml")
      try site.remove("pipeline.yaml")
      #expect(try made() == "made pipeline.yaml; `pipe repro` runs the pipeline\n")
      let ran = try site.pipe("repro")
      #expect(ran.status == 0, "\(ran.err)")
      #expect(try made("a/b") == "made pipeline.yaml, params.yaml and .pipe/ in a/b; `pipe repro` runs the pipeline\n")
      #expect(try made("-q", "c") == "")
    }
  }

  @Test func `init of DVC's layout says what it made, whatever was there`() throws {
    try withSite { site in
      func made(_ arguments: String...) throws -> String { try site.run(pipeBinary, ["init", "--dvc"] + arguments).err }
      #expect(try made("--no-scm") == "made .dvc/ and .dvcignore\n")
      #expect(try made("--no-scm", "--force") == "made a new .dvc/\n")
      try site.remove(".dvc")
      try site.git("init", "--quiet")
      #expect(try made() == "made .dvc/, which the next commit should hold\n")
      #expect(try made().hasPrefix("error: `.dvc` is here already"))
      try site.remove(".dvcignore")
      #expect(try made("--force") == "made a new .dvc/ and .dvcignore, which the next commit should hold\n")
    }
  }
}
