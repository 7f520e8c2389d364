// Projects in DVC's layout. Lock files and names in the cache are those that DVC 3.67.1 left for the same project.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct `A DVC project` {
  @Test func `has paths in its lock file spelled as in its manifest, parameter files excepted`() throws {
    try withDVCSite { site in
      try site.write("1\n", to: "raw/x")
      try site.write("lr: 1\n", to: "sub/p.yaml")
      try site.write(
        """
        stages:
          a:
            cmd: cp raw/x a.txt
            deps:
            - ./raw/
            outs:
            - ./a.txt
          b:
            cmd: cat ../a.txt > b.txt
            wdir: sub
            deps:
            - .././a.txt
            params:
            - ./p.yaml:
              - lr
            outs:
            - ../sub/b.txt

        """, to: "dvc.yaml")
      let ended = try site.pipe("repro")
      #expect(ended.status == 0, "\(ended.err)")
      #expect(
        site.text("dvc.lock") == """
          schema: '2.0'
          stages:
            a:
              cmd: cp raw/x a.txt
              deps:
              - path: ./raw/
                hash: md5
                md5: 2bb1ab0d4a051c86389bd68a9371f6ba.dir
                size: 2
                nfiles: 1
              outs:
              - path: ./a.txt
                hash: md5
                md5: b026324c6904b2a9cb4b88d6d61c81d1
                size: 2
            b:
              cmd: cat ../a.txt > b.txt
              deps:
              - path: .././a.txt
                hash: md5
                md5: b026324c6904b2a9cb4b88d6d61c81d1
                size: 2
              params:
                p.yaml:
                  lr: 1
              outs:
              - path: ../sub/b.txt
                hash: md5
                md5: b026324c6904b2a9cb4b88d6d61c81d1
                size: 2

          """)
      #expect(
        site.cacheFiles() == [
          "files/md5/b0/26324c6904b2a9cb4b88d6d61c81d1",
          "runs/9f/9fe0ef97e3c71c7ffd3032a125a14889928a57d96f6d2392b742a80269999207/2f56df12d014b445fe3ab4bd78c1d81b8ab15899f932ac25bfc07626dac4ee46",
          "runs/e0/e0ce0cfe64adc94613fcfcfae2b02e6d40e80043305b56fdb127a13885c2e0a6/12e26292ede4f1bc3e289b17a37a82440892d0ccd7182030868c31c54ef81c78",
        ])
      #expect(try site.pipe("status", "--json").out == "{}\n")
    }
  }

  @Test func `does not know a lock entry again that spells a path otherwise than the manifest`() throws {
    try withDVCSite { site in
      try site.write("1\n", to: "raw/x")
      try site.write("stages:\n  a:\n    cmd: cp raw/x a.txt\n    deps: [raw/]\n    outs: [a.txt]\n", to: "dvc.yaml")
      try site.pipe("repro")
      try site.write("stages:\n  a:\n    cmd: cp raw/x a.txt\n    deps: [raw]\n    outs: [a.txt]\n", to: "dvc.yaml")
      #expect(try site.pipe("status", "--json").out == #"{"a": [{"changed deps": {"raw": "modified"}}]}"# + "\n")
    }
  }

  /// An agreed result has nothing left to do, so nobody would come back for the line of one that was agreed on first.
  @Test(arguments: ["repro", "commit"])
  func `agrees on no output that Git could not be kept away from`(command: String) throws {
    try withDVCSite { site in
      try site.write("stages:\n  a:\n    cmd: echo 1 > a.txt\n    outs: [a.txt]\n", to: "dvc.yaml")
      if command == "commit" { #expect(try site.pipe("repro", "--no-commit").status == 0) }
      try? site.remove("dvc.lock")
      try? site.remove(".gitignore")
      // A folder in the place of the file cannot be written.
      try site.write("", to: ".gitignore/in-the-way")
      #expect(try site.run(pipeBinary, command == "commit" ? ["commit", "-f"] : ["repro"]).status != 0)
      #expect(!site.exists("dvc.lock"))
      try site.remove(".gitignore")
      #expect(try site.run(pipeBinary, command == "commit" ? ["commit", "-f"] : ["repro"]).status == 0)
      #expect(site.text(".gitignore") == "/a.txt\n")
      #expect(site.exists("dvc.lock"))
    }
  }

  @Test func `without a manifest has nothing to bring up to date, which is a mistake`() throws {
    try withDVCSite { site in
      let ended = try site.pipe("repro")
      #expect(ended.status == 2)
      #expect(ended.err.contains("there is no `dvc.yaml` here or in a folder above"))
      #expect(try site.pipe("repro", "-P").err == "nothing to do: no stages\n")
    }
  }

  @Test func `is told which data cannot be brought back`() throws {
    try withDVCSite { site in
      try site.write("1\n", to: "folder/x")
      #expect(try site.pipe("add", "folder").status == 0)
      try site.remove("folder")
      try site.remove(".dvc/cache/files")
      let ended = try site.pipe("checkout")
      #expect(ended.status == 4)
      #expect(ended.err.contains("error: `folder` cannot be brought back\n"))
    }
  }
}

/// A Git repository with an empty DVC project.
private func withDVCSite(_ body: (Site) throws -> Void) throws {
  try withSite { site in
    try site.git("init", "-q", ".")
    let ended = try site.pipe("init", "--dvc")
    #expect(ended.status == 0, "\(ended.err)")
    try body(site)
  }
}

extension Site {
  /// Names of all files in DVC's cache, sorted.
  fileprivate func cacheFiles() -> [String] {
    let folder = "\(root)/.dvc/cache"
    return (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? [])
      .filter { FileManager.default.contents(atPath: "\(folder)/\($0)") != nil }.sorted()
  }
}
