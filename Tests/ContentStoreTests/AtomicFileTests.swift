// Small files: whole or not at all, and removed without following links.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Foundation
import TestSupport
import Testing

@Test func `a file is read whole, and one that is not there is nothing`() throws {
  try withTemporaryDirectory { (folder: URL) in
    try folder.write("abc", to: "a")
    #expect(try AtomicFile.read(folder.path + "/a") == [97, 98, 99])
    #expect(try AtomicFile.read(folder.path + "/none") == nil)
    #expect(try AtomicFile.read(folder.path + "/a/below-a-file") == nil)
    #expect(try AtomicFile.read("/proc/self/comm")?.isEmpty == false)
    #expect(throws: StoreError.system("read", path: folder.path, code: EISDIR)) { try AtomicFile.read(folder.path) }
  }
}

@Test func `a pipe and a device are refused at once, and never waited for`() throws {
  try withTemporaryDirectory { (folder: URL) in
    let pipe = folder.path + "/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    for path in [pipe, "/dev/zero"] {
      #expect(throws: StoreError.specialFile(path: path)) { try AtomicFile.read(path) }
    }
    // Read as if it were empty: the caller looked at what it is before.
    let (digest, size) = try Digest.ofFile(pipe, .md5)
    #expect(digest == Digest.of("", .md5))
    #expect(size == 0)
  }
}

@Test func `a file larger than the limit is refused before it is read`() throws {
  try withTemporaryDirectory { (folder: URL) in
    let file = folder.path + "/a"
    try folder.write("abcd", to: "a")
    #expect(try AtomicFile.read(file, limit: 4)?.count == 4)
    #expect(throws: StoreError.malformedFile(path: file, why: "it has 4 bytes, over 3")) { try AtomicFile.read(file, limit: 3) }
    // Its size is said to be 0.
    #expect(throws: StoreError.malformedFile(path: "/proc/self/status", why: "it has more than 9 bytes")) {
      try AtomicFile.read("/proc/self/status", limit: 9)
    }
  }
}

@Test func `text that is not UTF-8 is refused, not repaired`() throws {
  try withTemporaryDirectory { (folder: URL) in
    let file = folder.path + "/a"
    try AtomicFile.write([0xC3], to: file)
    #expect(throws: StoreError.malformedFile(path: file, why: "it is not UTF-8")) { try AtomicFile.readText(file) }
    try AtomicFile.write("é", to: file, durable: true)
    #expect(try AtomicFile.readText(file) == "é")
    #expect(try AtomicFile.readText(file + "x") == nil)
  }
}

@Test func `writing replaces a link and leaves what it led to alone`() throws {
  try withTemporaryDirectory { (folder: URL) in
    try folder.write("precious", to: "target")
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: "target")
    try AtomicFile.write("new", to: folder.path + "/link")
    #expect(try folder.text(of: "link") == "new")
    #expect(try folder.text(of: "target") == "precious")
  }
}

@Test func `folders are made with those above them, twice is fine`() throws {
  try withTemporaryDirectory { (folder: URL) in
    for _ in 0..<2 { try AtomicFile.makeFolder(folder.path + "/a/b/c") }
    #expect(try AtomicFile.list(folder.path + "/a/b") == ["c"])
    try folder.write("", to: "file")
    #expect(throws: StoreError.self) { try AtomicFile.makeFolder(folder.path + "/file/below") }
  }
}

@Test func `a folder is listed sorted, and a name that is not UTF-8 is said`() throws {
  try withTemporaryDirectory { (folder: URL) in
    for name in ["b", "a", ".hidden"] { try folder.write("", to: name) }
    #expect(try AtomicFile.list(folder.path) == [".hidden", "a", "b"])
    #expect(try AtomicFile.list(folder.path + "/none") == [])
    makeFile(folder, rawName: [0xFF])
    #expect(throws: StoreError.malformedFile(path: folder.path + "/\u{FFFD}", why: "its name is not UTF-8")) {
      try AtomicFile.list(folder.path)
    }
  }
}

@Test func `removal takes everything below, whatever its name, and never what a link leads to`() throws {
  try withTemporaryDirectory { (folder: URL) in
    try folder.write("precious", to: "outside/file")
    try folder.write("x", to: "doomed/a/b")
    makeFile(folder.appendingPathComponent("doomed/a"), rawName: [0xFF])
    for (name, target) in [("to-folder", "../outside"), ("to-file", "../outside/file"), ("to-nothing", "none"), ("to-root", "/")]
    {
      try FileManager.default.createSymbolicLink(atPath: folder.path + "/doomed/\(name)", withDestinationPath: target)
    }
    try AtomicFile.removeAll(folder.path + "/doomed")
    #expect(try AtomicFile.list(folder.path) == ["outside"])
    #expect(try folder.text(of: "outside/file") == "precious")
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: "outside")
    try AtomicFile.removeAll(folder.path + "/link")
    try AtomicFile.removeAll(folder.path + "/none")
    try AtomicFile.removeAll(folder.path + "/none/deeper")
    try AtomicFile.removeAll(folder.path + "/outside/file/deeper")
    #expect(try folder.text(of: "outside/file") == "precious")
  }
}

/// Mounting needs root; elsewhere the test says that it did not run.
private let mayMount = geteuid() == 0

@Test(.enabled(if: mayMount, "only root can mount the tiny file system that this test fills"))
func `a full disk leaves the old file, no part of the new one, and no open file`() throws {
  try withTemporaryDirectory { (folder: URL) in
    let disk = folder.path + "/disk"
    try AtomicFile.makeFolder(disk)
    guard mount("tmpfs", disk, "tmpfs", 0, "size=64k") == 0 else {
      // A container may forbid root to mount; nothing can be filled then.
      return print("skipped: mounting is not permitted here")
    }
    defer { umount2(disk, Int32(MNT_DETACH)) }
    let file = disk + "/file"
    try AtomicFile.write("old", to: file)
    let large = [UInt8](repeating: 1, count: 200_000)
    try AtomicFile.write(large, to: folder.path + "/large")
    let opened = try openFiles(below: disk)
    let full = StoreError.system("write", path: file, code: ENOSPC)
    #expect(throws: full) { try AtomicFile.write(large, to: file) }
    #expect(full.diagnostic.hints == ["free some room; nothing that was recorded is lost, and `pipe repro` goes on from there"])
    #expect(try AtomicFile.readText(file) == "old")
    #expect(try AtomicFile.list(disk) == ["file"])

    let store = DirectoryObjectStore(root: disk + "/store")
    let digest = Digest.of(large)
    #expect(throws: StoreError.self) { try store.insert(large, as: digest) }
    #expect(throws: StoreError.self) { try store.insert(contentsOf: folder.path + "/large", as: digest) }
    #expect(try store.list() == [])
    #expect(try !store.contains(digest))

    let elsewhere = DirectoryObjectStore(root: folder.path + "/elsewhere")
    try elsewhere.insert(large, as: digest)
    let workspace = Workspace(root: disk, statCacheFile: folder.path + "/stat")
    let path = try #require(WorkspacePath("file"))
    #expect(throws: StoreError.self) { try workspace.put(digest, at: path, from: elsewhere) }
    #expect(try AtomicFile.readText(file) == "old")
    #expect(try AtomicFile.list(disk) == ["file", "store"])
    #expect(try openFiles(below: disk) == opened)
    #expect(opened == 0)
  }
}

/// Descriptors of this process that lead below a folder; other tests run meanwhile, so only those count.
private func openFiles(below folder: String) throws -> Int {
  try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?.hasPrefix(folder) == true
  }
}

/// Makes an empty file with a name that may not be UTF-8.
private func makeFile(_ folder: URL, rawName: [UInt8]) {
  var path = (Array(folder.path.utf8) + [47] + rawName + [0]).map { CChar(bitPattern: $0) }
  close(open(&path, O_WRONLY | O_CREAT, 0o666))
}
