// DVC's list of a directory: its literal bytes, any JSON that says the same, and what is refused.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Testing

private let abc = "900150983cd24fb0d6963f7d28e17f72"
private let empty = "d41d8cd98f00b204e9800998ecf8427e"
private let name = Digest.of("the name", .md5).asTree()

private func entry(_ path: String, _ content: String = "abc") -> FileTree.Entry {
  FileTree.Entry(path: path, digest: Digest.of(content, .md5), size: nil, isExecutable: false)
}

private func decoded(_ text: String) throws -> FileTree { try FileTree(decoding: Array(text.utf8), named: name) }

@Suite struct `A directory in DVC's encoding` {
  @Test func `is the text that Python's json writes, sorted by the code points of whole paths`() throws {
    let tree = FileTree([
      entry("a/z"), entry("a.x", ""), entry("a b/x"), entry("é\u{1F600}"), entry("q\"\\\n\t\u{7F}\u{1}"), entry("B"),
    ])
    let expected =
      #"[{"md5": "900150983cd24fb0d6963f7d28e17f72", "relpath": "B"}, "#
      + #"{"md5": "900150983cd24fb0d6963f7d28e17f72", "relpath": "a b/x"}, "#
      + #"{"md5": "d41d8cd98f00b204e9800998ecf8427e", "relpath": "a.x"}, "#
      + #"{"md5": "900150983cd24fb0d6963f7d28e17f72", "relpath": "a/z"}, "#
      + #"{"md5": "900150983cd24fb0d6963f7d28e17f72", "relpath": "q\"\\\n\t\u007f\u0001"}, "#
      + #"{"md5": "900150983cd24fb0d6963f7d28e17f72", "relpath": "\u00e9\ud83d\ude00"}]"#
    #expect(String(decoding: tree.encoded(.md5), as: UTF8.self) == expected)
    // md5sum of that text.
    #expect(tree.digest(.md5).description == "md5:262a9f08411677afef345a0145b56824.dir")
    #expect(tree.digest(.md5dos2unix).digits == tree.digest(.md5).digits)
    let read = try FileTree(decoding: tree.encoded(.md5), named: tree.digest(.md5))
    #expect(read == tree)
    #expect(read.size == 0 && read.entries[0].knownSize == nil)
  }

  @Test func `that is empty has the digest that DVC gives it`() throws {
    #expect(FileTree([]).digest(.md5).hex == "d751713988987e9331980363e24189ce.dir")
    #expect(try decoded("[]").entries.isEmpty)
    #expect(try decoded(" [ \n\t] ").entries.isEmpty)
  }

  @Test func `is read in any spacing, order of keys and rows, and with keys that nobody knows`() throws {
    let text = """
      [ {"relpath":"b\\/c","size":7,"more":{"x":[1,-2.5e3,null,true,{"y":"z"}],"e":{},"l":[]},"md5":"\(empty)"},
        {"md5" : "\(abc)" , "relpath" : "\\u00E9\\uD83D\\uDE00\\"\\\\", "isexec": true, "size": null} , {"relpath":"a","md5":"\(abc)"}]
      """
    let tree = try decoded(text)
    #expect(tree.entries.map(\.path) == ["a", "b/c", "é\u{1F600}\"\\"])
    #expect(tree.entries.map(\.knownSize) == [nil, 7, nil])
    #expect(tree.entries.map(\.isExecutable) == [false, false, true])
    #expect(tree.entries[1].digest == Digest.of("", .md5))
  }

  @Test func `of DVC 2 names its files by the old hash`() throws {
    let tree = try FileTree(
      decoding: Array(#"[{"md5": "\#(abc)", "relpath": "a"}]"#.utf8), named: Digest.of("x", .md5dos2unix).asTree())
    #expect(tree.entries.map(\.digest.algorithm) == [.md5dos2unix])
  }

  @Test(arguments: [
    ("", "not a list"), ("{}", "not a list"), ("null", "not a list"), ("[", "row 1 is not an object"),
    ("[]]", "more behind"), ("[] x", "more behind"), ("[{\"md5\": \"\(abc)\", \"relpath\": \"a\"}", "cut off after row 1"),
    ("[1]", "row 1 is not an object"), ("[{}]", "row 1 has no `md5`"), ("[{\"md5\": \"\(abc)\"}]", "no `md5` or no `relpath`"),
    ("[{\"relpath\": \"a\"}]", "no `md5` or no `relpath`"), ("[{\"md5\": 1, \"relpath\": \"a\"}]", "no text where one belongs"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": 1}]", "no text where one belongs"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": null}]", "no text where one belongs"),
    ("[{\"md5\": \"\(abc).dir\", \"relpath\": \"a\"}]", "no MD5"), ("[{\"md5\": \"abc\", \"relpath\": \"a\"}]", "no MD5"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a\", \"size\": -1}]", "no number of bytes"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a\", \"size\": 99999999999999999999}]", "no number of bytes"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a\", \"isexec\": 1}]", "neither true nor false"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"\"}]", "has a path that is empty"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"/a\"}]", "is absolute"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"../a\"}]", "is `.` or `..`"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a/..\"}]", "is `.` or `..`"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"\\u002e\\u002e/a\"}]", "is `.` or `..`"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a//b\"}]", "component that is empty"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a/./b\"}]", "is `.` or `..`"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a/\"}]", "component that is empty"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a\\u0000b\"}]", "holds a NUL"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a/../../b\"}]", "is `.` or `..`"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \".git/hooks/pre-commit\"}]", "a folder of Git"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a/.git\"}]", "a folder of Git"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"\(String(repeating: "n", count: 256))\"}]", "more than 255 bytes"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"\(String(repeating: "a/", count: 513))b\"}]", "512 folders deep"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"\(String(repeating: "a/", count: 500_000))b\"}]", "longer than 4095 bytes"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a\nb\"}]", "control character"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"\\ud83d\"}]", "surrogate"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"\\udc00\"}]", "surrogate"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"\\ud83d\\u0041\"}]", "surrogate"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"\\x\"}]", "escape"), ("[{\"md5\": \"\(abc)\", \"relpath\": \"\\u12\"}]", "escape"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a", "cut off"), ("[{\"md5\": \"\(abc)\", \"relpath\": \"a\\", "cut off"),
    ("[{\"x\": }]", "no JSON value"), ("[{\"x\" 1}]", "without a value"), ("[{\"x\": [1 2]}]", "cut off"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a\"}, {\"md5\": \"\(abc)\", \"relpath\": \"a\"}]", "same path"),
    ("[{\"md5\": \"\(abc)\", \"relpath\": \"a/b\"}, {\"md5\": \"\(abc)\", \"relpath\": \"a\"}]", "below a file"),
    (
      "[{\"md5\": \"\(abc)\", \"relpath\": \"a/b\"}, {\"md5\": \"\(abc)\", \"relpath\": \"a.b\"}, {\"md5\": \"\(abc)\", \"relpath\": \"a\"}]",
      "below a file"
    ),
  ])
  func `is refused when it could do harm, and the message says where`(_ text: String, _ why: String) throws {
    let error = #expect(throws: StoreError.self) { try decoded(text) }
    guard case .malformedTree(name, let said)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(said.contains(why), "\(said)")
  }

  @Test func `is refused when it nests without end or is no UTF-8`() {
    for opening in ["[", "{\"a\":"] {
      let deep = "[{\"x\": " + String(repeating: opening, count: 1_000_000)
      #expect(throws: StoreError.malformedTree(name, why: "row 1 nests too deep")) { try decoded(deep) }
    }
    let bytes = Array("[{\"md5\": \"\(abc)\", \"relpath\": \"".utf8) + [0xFF] + Array("\"}]".utf8)
    #expect(throws: StoreError.malformedTree(name, why: "row 1 has a path that is not UTF-8")) {
      try FileTree(decoding: bytes, named: name)
    }
  }
}

@Suite struct `The hash of DVC 2` {
  @Test(arguments: [
    ("a\r\nb\r\n", "a\nb\n"), ("a\r\r\nb\r", "a\r\nb\r"), ("\r\n", "\n"), ("", ""), ("a\u{0}\r\n", "a\u{0}\r\n"),
    ("éééa\r\n", "éééa\r\n"), ("é12345678\r\n", "é12345678\n"),
  ])
  func `takes the carriage returns out of what looks like text`(_ text: String, _ hashed: String) {
    #expect(Digest.of(text, .md5dos2unix).digits == Digest.of(hashed, .md5).digits)
  }

  @Test func `looks at every MiB by itself, however the bytes arrive`() {
    let piece = 1 << 20
    // An end of line across the two pieces stays; the second piece is no text.
    var bytes = [UInt8](repeating: 97, count: piece - 3) + [13, 10, 13, 10, 0, 13, 10]
    var expected = [UInt8](repeating: 97, count: piece - 3) + [10, 13, 10, 0, 13, 10]
    #expect(Digest.of(bytes, .md5dos2unix).digits == Digest.of(expected, .md5).digits)
    bytes[piece + 1] = 98
    expected = [UInt8](repeating: 97, count: piece - 3) + [10, 13, 10, 98, 10]
    var hasher = ContentHasher(.md5dos2unix)
    for start in stride(from: 0, to: bytes.count, by: 1000) {
      hasher.update(Array(bytes[start..<min(start + 1000, bytes.count)]))
    }
    #expect(hasher.finish().digits == Digest.of(expected, .md5).digits)
  }
}
