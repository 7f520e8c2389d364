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
}
