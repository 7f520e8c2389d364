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

  @Test
  func `of five stages in a folder, with metrics and a commented folder as input, runs and has the lock file that DVC wrote`()
    throws
  {
    try withDVCSite { site in
      try site.write("pear 3\nfig 1\n", to: "orchard/baskets/raw/monday.txt")
      try site.write("plum 2\n", to: "orchard/baskets/raw/north/tuesday.txt")
      try site.write("weights by hand\n", to: "orchard/src/scale.txt")
      try site.write("rule of thumb\n", to: "orchard/src/rule.txt")
      try site.write(
        """
        mkdir -p baskets/sorted
        cat baskets/raw/*.txt baskets/raw/*/*.txt > baskets/sorted/ripe.csv
        echo green > baskets/sorted/green.csv
        echo '{"baskets": 2}' > baskets/sorted/quality.json

        """, to: "orchard/scripts/sort_fruit.sh")
      try site.write(
        """
        cat baskets/sorted/ripe.csv src/scale.txt > baskets/sorted/weights_ripe.txt
        echo 7 > baskets/sorted/weights_green.txt
        echo '{"mean": 1.5}' > baskets/sorted/weights.json

        """, to: "orchard/scripts/weigh.sh")
      try site.write(
        """
        mkdir -p store/years
        cat baskets/sorted/weights_ripe.txt src/rule.txt > store/years/latest.txt
        echo '{"loss": 0.25}' > store/loss.json

        """, to: "orchard/scripts/forecast.sh")
      try site.write(
        """
        echo '{"error": 0.5}' > store/judgement.json

        """, to: "orchard/scripts/judge.sh")
      try site.write(
        """
        cat store/years/latest.txt store/judgement.json > store/years/public.txt

        """, to: "orchard/scripts/publish.sh")
      try site.write(
        """
        # From baskets to a forecast of the harvest
        stages:
          sort_fruit:
            cmd: sh scripts/sort_fruit.sh
            deps:
              - baskets/raw/  # As the pickers bring them
            outs:
              - baskets/sorted/ripe.csv
              - baskets/sorted/green.csv
            metrics:
              - baskets/sorted/quality.json:
                  cache: false

          weigh_fruit:
            cmd: sh scripts/weigh.sh
            deps:
              - baskets/sorted/ripe.csv
              - src/scale.txt
            outs:
              - baskets/sorted/weights_ripe.txt
              - baskets/sorted/weights_green.txt
            metrics:
              - baskets/sorted/weights.json:
                  cache: false

          make_forecast:
            cmd: sh scripts/forecast.sh
            deps:
              - baskets/sorted/weights_ripe.txt
              - src/rule.txt
            outs:
              - store/years/latest.txt
            metrics:
              - store/loss.json:
                  cache: false

          judge_forecast:
            cmd: sh scripts/judge.sh
            deps:
              - store/years/latest.txt
              - baskets/sorted/weights_green.txt
            metrics:
              - store/judgement.json:
                  cache: false

          publish_forecast:
            cmd: sh scripts/publish.sh
            deps:
              - store/years/latest.txt
              - store/judgement.json
            outs:
              - store/years/public.txt

        """, to: "orchard/dvc.yaml")
      let ended = try site.pipe("repro", "-P")
      #expect(ended.status == 0, "\(ended.err)")
      #expect(
        site.text("orchard/dvc.lock") == """
          schema: '2.0'
          stages:
            sort_fruit:
              cmd: sh scripts/sort_fruit.sh
              deps:
              - path: baskets/raw/
                hash: md5
                md5: da20846adfb65e9ed8f6b45fc4c26ddd.dir
                size: 20
                nfiles: 2
              outs:
              - path: baskets/sorted/green.csv
                hash: md5
                md5: 4b5f940728b232b034e4e50555ba4046
                size: 6
              - path: baskets/sorted/quality.json
                hash: md5
                md5: 4c9c474b15e27d89535c6fef7bd12a08
                size: 15
              - path: baskets/sorted/ripe.csv
                hash: md5
                md5: 1ab7e099a009977954f5e9b2154abd56
                size: 20
            weigh_fruit:
              cmd: sh scripts/weigh.sh
              deps:
              - path: baskets/sorted/ripe.csv
                hash: md5
                md5: 1ab7e099a009977954f5e9b2154abd56
                size: 20
              - path: src/scale.txt
                hash: md5
                md5: 416c6ff7b4d85728461331b837b5171c
                size: 16
              outs:
              - path: baskets/sorted/weights.json
                hash: md5
                md5: e76208c40f9dc0e850100880d7fb821e
                size: 14
              - path: baskets/sorted/weights_green.txt
                hash: md5
                md5: 84bc3da1b3e33a18e8d5e1bdd7a18d7a
                size: 2
              - path: baskets/sorted/weights_ripe.txt
                hash: md5
                md5: fa057e51ae55eab8467de67fe6855e2d
                size: 36
            make_forecast:
              cmd: sh scripts/forecast.sh
              deps:
              - path: baskets/sorted/weights_ripe.txt
                hash: md5
                md5: fa057e51ae55eab8467de67fe6855e2d
                size: 36
              - path: src/rule.txt
                hash: md5
                md5: 3af8cf577d239d486fbfd959b82cc5d6
                size: 14
              outs:
              - path: store/loss.json
                hash: md5
                md5: 52336d14e12a1219eaa32f91b2ee2f3c
                size: 15
              - path: store/years/latest.txt
                hash: md5
                md5: 22b54041592a49aa08ddb97039b028f5
                size: 50
            judge_forecast:
              cmd: sh scripts/judge.sh
              deps:
              - path: baskets/sorted/weights_green.txt
                hash: md5
                md5: 84bc3da1b3e33a18e8d5e1bdd7a18d7a
                size: 2
              - path: store/years/latest.txt
                hash: md5
                md5: 22b54041592a49aa08ddb97039b028f5
                size: 50
              outs:
              - path: store/judgement.json
                hash: md5
                md5: 5582bc444392d0b24bc6170070f175eb
                size: 15
            publish_forecast:
              cmd: sh scripts/publish.sh
              deps:
              - path: store/judgement.json
                hash: md5
                md5: 5582bc444392d0b24bc6170070f175eb
                size: 15
              - path: store/years/latest.txt
                hash: md5
                md5: 22b54041592a49aa08ddb97039b028f5
                size: 50
              outs:
              - path: store/years/public.txt
                hash: md5
                md5: 0f0a8aebf8e8a918e6473b256c4107d1
                size: 65

          """)
      #expect(site.text("orchard/baskets/sorted/.gitignore") == "/ripe.csv\n/green.csv\n/weights_ripe.txt\n/weights_green.txt\n")
      #expect(site.text("orchard/store/years/.gitignore") == "/latest.txt\n/public.txt\n")
      #expect(try site.pipe("status", "--json").out == "{}\n")
      #expect(try site.pipe("repro", "-P", "--dry", "--check").status == 0)
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
