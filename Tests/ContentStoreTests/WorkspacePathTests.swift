// Paths that stay inside the workspace, however they are typed.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Testing

@Test(arguments: [
  ("a", "a"), ("./a//b/", "a/b"), ("a/./b", "a/b"), ("a/../b", "b"), ("a/b/../../c", "c"), ("...", "..."), ("a b/é", "a b/é"),
  ("a\\b", "a\\b"), (" ", " "), ("a/..b", "a/..b"), ("a/\u{301}b", "a/\u{301}b"),
])
func `a path is normalised`(_ typed: String, _ text: String) {
  #expect(WorkspacePath(typed)?.text.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
}

@Test(arguments: [
  "", ".", "./", "..", "../a", "a/..", "a/../..", "a/../../b", "/", "/a", "//a", "a\0b", "./..", "a/b/../../..",
])
func `a path that is empty, absolute, leads out or holds a NUL is refused`(_ typed: String) {
  #expect(WorkspacePath(typed) == nil)
}

@Test(arguments: ["../\u{301}x", "/\u{301}etc", "..\u{2F}\u{FE0F}x"])
func `a combining mark does not hide a slash`(_ typed: String) {
  #expect(WorkspacePath(typed) == nil)
}

@Test func `a path typed in a folder is relative to it and may climb to the root but not above`() throws {
  let folder = try #require(WorkspacePath("sub/deep"))
  #expect(WorkspacePath("a", in: folder)?.text == "sub/deep/a")
  #expect(WorkspacePath("../../a", in: folder)?.text == "a")
  #expect(WorkspacePath("../../../a", in: folder) == nil)
  #expect(WorkspacePath(".", in: folder)?.text == "sub/deep")
}

@Test func `a path knows its name and the folder that holds it`() throws {
  let path = try #require(WorkspacePath("a/b/c.csv"))
  #expect(path.name == "c.csv")
  #expect(path.parent?.text == "a/b")
  #expect(path.parent?.parent?.text == "a")
  #expect(path.parent?.parent?.parent == nil)
  let marked = try #require(WorkspacePath("a/\u{301}b"))
  #expect(marked.parent?.text == "a")
}

@Test(arguments: [
  ("a", "a", true), ("a/b", "a", true), ("a/b/c", "a/b", true), ("ab", "a", false), ("a", "a/b", false), ("a.b/c", "a", false),
  ("a/\u{301}b", "a", true),
])
func `a path is within itself and the folders above it`(_ path: String, _ other: String, _ expected: Bool) throws {
  #expect(try #require(WorkspacePath(path)).isWithin(#require(WorkspacePath(other))) == expected)
}
