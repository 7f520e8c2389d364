// What `pipe` leaves in DVC's projects, where a random test found it to differ from what DVC leaves.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct `Beside DVC` {
  @Test func `data that is gone is a mistake for repro, as it is for DVC`() throws {
    try withSite { site in
      try site.write("", to: ".dvc/config")
      try site.write("pear\n", to: "raw.txt")
      try site.write(
        "outs:\n- md5: d1183a1aaf2e8ddb1f8b1d4b2ddcf2a5\n  size: 5\n  hash: md5\n  path: raw.txt\n", to: "raw.txt.dvc")
      try site.write("stages:\n  copy:\n    cmd: cp raw.txt out.txt\n    deps: [raw.txt]\n    outs: [out.txt]\n", to: "dvc.yaml")
      #expect(try site.pipe("repro").status == 0)
      try site.remove("raw.txt")
      let ended = try site.pipe("repro", "raw.txt.dvc")
      #expect(ended.status != 0)
      #expect(ended.err.contains("`raw.txt` is not there"), "\(ended.err)")
      #expect(!site.exists("raw.txt"))
    }
  }

  @Test func `a metric that Git keeps is a file of its own where outputs are links`() throws {
    try withSite { site in
      try site.write("[cache]\n    type = symlink\n", to: ".dvc/config")
      try site.write("1\n", to: "in.txt")
      try site.write(
        """
        stages:
          score:
            cmd: cp in.txt out.txt && echo '{"n":1}' > score.json
            deps: [in.txt]
            outs: [out.txt]
            metrics:
            - score.json:
                cache: false

        """, to: "dvc.yaml")
      func isLink(_ name: String) -> Bool {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(site.root)/\(name)")) != nil
      }
      #expect(try site.pipe("repro").status == 0)
      #expect(isLink("out.txt") && !isLink("score.json"))
      try site.remove("score.json")
      try site.remove("out.txt")
      let restored = try site.pipe("repro")
      #expect(restored.err.contains("restored"), "\(restored.err)")
      #expect(isLink("out.txt") && !isLink("score.json"))
      #expect(site.text("score.json") == "{\"n\":1}\n")
    }
  }

  @Test func `an output that Git has is refused before its stage runs`() throws {
    try withSite { site in
      try site.git("init", "-q")
      try site.write("", to: ".dvc/config")
      try site.write("1\n", to: "in.txt")
      try site.write("old\n", to: "out.txt")
      try site.write("stages:\n  s:\n    cmd: cp in.txt out.txt\n    deps: [in.txt]\n    outs: [out.txt]\n", to: "dvc.yaml")
      try site.git("add", "out.txt")
      let refused = try site.pipe("repro")
      #expect(refused.status == 2)
      #expect(refused.err.contains("Git tracks `out.txt`"), "\(refused.err)")
      #expect(site.text("out.txt") == "old\n" && !site.exists("dvc.lock"))
      try site.git("rm", "-q", "--cached", "out.txt")
      #expect(try site.pipe("repro").status == 0)
      #expect(site.text("out.txt") == "1\n")
    }
  }

  @Test func `the store need not have what Git keeps`() throws {
    try withSite { site in
      try site.write("", to: ".dvc/config")
      try site.write("1\n", to: "in.txt")
      try site.write(
        "stages:\n  s:\n    cmd: cp in.txt m.json\n    deps: [in.txt]\n    metrics:\n    - m.json:\n        cache: false\n",
        to: "dvc.yaml")
      #expect(try site.pipe("repro").status == 0)
      let object = ".dvc/cache/files/md5/b0/26324c6904b2a9cb4b88d6d61c81d1"
      #expect(site.text(object) == "1\n")
      try site.remove(object)
      #expect(try site.pipe("repro").err == "nothing to do: 1 up to date\n")
      #expect(!site.exists(object))
    }
  }
}
