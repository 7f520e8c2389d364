// The canonical list of a directory: its literal bytes, and the hostile ones it refuses.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Testing

private let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
private let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
private let name = Digest.of("the name").asTree()

private func entry(_ path: String, _ content: String = "abc", size: Int = 3, isExecutable: Bool = false) -> FileTree.Entry {
  FileTree.Entry(path: path, digest: Digest.of(content), size: size, isExecutable: isExecutable)
}

@Test func `a tree is one line a file, in byte order, with backslash and line feed escaped`() throws {
  let tree = FileTree([
    entry("b\\c é"), entry("a/new\nline", "", size: 0, isExecutable: true), entry("a.b"),
  ])
  let expected = """
    pipe-tree 1
    \(abc) 3 - a.b
    \(empty) 0 x a/new\\nline
    \(abc) 3 - b\\\\c é

    """
  #expect(String(decoding: tree.encoded, as: UTF8.self) == expected)
  // sha256sum of that text.
  #expect(tree.digest.hex == "96ad3fdbbc4b051f99aee21f20b9d60fd1394f40858995b55ad0aab5162e5dce.dir")
  #expect(tree.size == 6)
  #expect(try FileTree(decoding: tree.encoded, named: tree.digest) == tree)
}

@Test func `an empty directory has a tree of its own`() throws {
  #expect(FileTree([]).digest.hex == "724460d2814980e98190a11bc3397ecaf2d60657aa68064f6bfae5718db9a009.dir")
  #expect(try FileTree(decoding: FileTree([]).encoded, named: name).entries.isEmpty)
}

@Test func `the order in which files are found does not matter, every other fact does`() {
  let base = FileTree([entry("a"), entry("b")])
  #expect(FileTree([entry("b"), entry("a")]).digest == base.digest)
  let others = [
    FileTree([entry("a")]), FileTree([entry("a"), entry("c")]), FileTree([entry("a"), entry("b", "x")]),
    FileTree([entry("a"), entry("b", isExecutable: true)]),
  ]
  for other in others { #expect(other.digest != base.digest) }
}

@Test func `names that Unicode calls equal are two files`() throws {
  let tree = FileTree([entry("\u{E9}"), entry("e\u{301}", "", size: 0)])
  let read = try FileTree(decoding: tree.encoded, named: name)
  #expect(read.entries.map { Array($0.path.utf8) } == [[0x65, 0xCC, 0x81], [0xC3, 0xA9]])
}

@Test(arguments: [
  ("", "it does not begin"), ("pipe-tree 1", "it does not begin"), ("pipe-tree 2\n", "it does not begin"),
  ("pipe-tree 1\n\(abc) 3 - a", "cut off"),
  ("pipe-tree 1\n\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 3 - ../a\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 3 - a/../../b\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 3 - ../\u{301}a\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 3 - /etc/passwd\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 3 - /\u{301}etc\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 3 - ./a\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 3 - a//b\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 3 - a/\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 3 - \n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 3 - a\0b\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 3 - a\\b\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 3 - a\\\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) -3 - a\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) +3 - a\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 03 - a\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 3.0 - a\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 99999999999999999999 - a\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 3 r a\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc.uppercased()) 3 - a\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc).dir 3 - a\n", "line 2 is not a safe"),
  ("pipe-tree 1\n\(abc) 3 - a\n\(abc) 3 - a\n", "line 3 is out of order"),
  ("pipe-tree 1\n\(abc) 3 - b\n\(abc) 3 - a\n", "line 3 is out of order"),
  ("pipe-tree 1\n\(abc) 3 - a\n\(abc) 3 - a/b\n", "line 3 lies below a file"),
  ("pipe-tree 1\n\(abc) 3 - a\n\(abc) 3 - a.b\n\(abc) 3 - a/c\n", "line 4 lies below a file"),
  ("pipe-tree 1\n\(abc) 3 - a\n\(abc) 3 - a-\n\(abc) 3 - a-/x\n", "line 4 lies below a file"),
])
func `a tree that could do harm is refused, and the message says where`(_ text: String, _ why: String) throws {
  let error = #expect(throws: StoreError.self) { try FileTree(decoding: Array(text.utf8), named: name) }
  guard case .malformedTree(name, let said)? = error else {
    Issue.record("\(String(describing: error))")
    return
  }
  #expect(said.contains(why))
}

@Test func `a tree whose path is not UTF-8 is refused`() {
  let bytes = Array("pipe-tree 1\n\(abc) 3 - a".utf8) + [0xFF, 10]
  #expect(throws: StoreError.self) { try FileTree(decoding: bytes, named: name) }
}

@Test func `10 MB of garbage are refused at the first line that is wrong`() {
  let header = Array("pipe-tree 1\n".utf8)
  for filling in [UInt8(10), UInt8(ascii: "a"), 0, 0xFF] {
    let garbage = header + [UInt8](repeating: filling, count: 10_000_000) + [10]
    #expect(throws: StoreError.malformedTree(name, why: "line 2 is not a safe file entry")) {
      try FileTree(decoding: garbage, named: name)
    }
  }
}
