// Not hashing twice, and never trusting a file that may have changed.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Foundation
import TestSupport
import Testing

private let planted = Digest.of("a digest that hashing the file would not give")

extension URL {
  fileprivate var cacheFile: String { path + "/stat" }

  fileprivate func digest(_ name: String = "file") throws -> Digest? {
    try Workspace(root: path, statCacheFile: cacheFile).content(of: #require(WorkspacePath(name))).digest
  }

  /// Leaves a cache that says, falsely, that `file` has the planted digest: whoever answers so did not hash.
  fileprivate func plant() throws {
    let stat = try #require(FileStat(path + "/file"))
    var cache = StatCache()
    cache.remember(path + "/file", stat, planted, isOwn: true)
    try cache.save(to: cacheFile)
  }
}

@Test func `a file whose stat is known is not hashed again`() throws {
  try withTemporaryDirectory { (folder: URL) in
    try folder.write("x", to: "file")
    #expect(try folder.digest() == Digest.of("x"))
    try folder.plant()
    #expect(try folder.digest() == planted)
  }
}

@Test func `a file is hashed again when anything in its stat differs`() throws {
  let changes: [(URL) throws -> Void] = [
    { try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1e9)], ofItemAtPath: $0.path) },
    { try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: $0.path) },
    { try Data("xx".utf8).write(to: $0) },
    {
      // Same bytes, other file.
      try Data("x".utf8).write(to: $0.appendingPathExtension("new"))
      try FileManager.default.removeItem(at: $0)
      try FileManager.default.moveItem(at: $0.appendingPathExtension("new"), to: $0)
    },
  ]
  for (number, change) in changes.enumerated() {
    try withTemporaryDirectory { (folder: URL) in
      try folder.write("x", to: "file")
      try folder.plant()
      let file = folder.appendingPathComponent("file")
      usleep(12_000)
      try change(file)
      #expect(try folder.digest() == Digest.of(try folder.text(of: "file")), "change \(number)")
    }
  }
}

@Test func `a change of the same size within the same tick is seen`() throws {
  try withTemporaryDirectory { (folder: URL) in
    let workspace = Workspace(root: folder.path, statCacheFile: folder.cacheFile)
    let path = try #require(WorkspacePath("file"))
    let file = folder.path + "/file"
    let descriptor = open(file, O_WRONLY | O_CREAT, 0o666)
    defer { close(descriptor) }
    for round in 0..<500 {
      let letter = round.isMultiple(of: 2) ? "a" : "b"
      pwrite(descriptor, letter, 1, 0)
      #expect(try workspace.content(of: path).digest == Digest.of(letter), "round \(round)")
    }
  }
}

@Test func `an entry made in the tick of the file's last change is not trusted`() throws {
  var cache = StatCache()
  try withTemporaryDirectory { (folder: URL) in
    try folder.write("x", to: "file")
    let file = folder.path + "/file"
    // A time to come stands for a clock that has not moved on.
    try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: 3600)], ofItemAtPath: file)
    let stat = try #require(FileStat(file))
    cache.remember(file, stat, Digest.of("x"))
    #expect(cache.digest(of: file, stat) == nil)
    cache.remember(file, stat, Digest.of("x"), isOwn: true)
    #expect(cache.digest(of: file, stat) == Digest.of("x"))
  }
}

@Test func `what was learned survives in the file, and a look that learns nothing does not write it`() throws {
  try withTemporaryDirectory { (folder: URL) in
    try folder.write("x", to: "data/file")
    let path = try #require(WorkspacePath("data"))
    func look() throws {
      let workspace = Workspace(root: folder.path, statCacheFile: folder.cacheFile)
      _ = try workspace.content(of: path)
      try workspace.saveStatCache()
    }
    // Files this young are settled by the first look, so the second has nothing to learn.
    try look()
    let first = try #require(FileStat(folder.cacheFile))
    for _ in 0..<3 { try look() }
    #expect(FileStat(folder.cacheFile) == first)
    try folder.write("y", to: "data/file")
    try look()
    #expect(FileStat(folder.cacheFile) != first)
  }
}

@Test func `a cache with nothing in it is not written`() throws {
  try withTemporaryDirectory { (folder: URL) in
    try Workspace(root: folder.path, statCacheFile: folder.cacheFile).saveStatCache()
    #expect(try AtomicFile.list(folder.path) == [])
  }
}

@Test func `a cache file that is cut short, damaged or foreign is ignored`() throws {
  try withTemporaryDirectory { (folder: URL) in
    try folder.write("x", to: "file")
    try folder.plant()
    let whole = try #require(try AtomicFile.read(folder.cacheFile))
    var damaged: [[UInt8]] = [[], Array("pipe-stat 1\n".utf8) + whole.dropFirst(12), whole + [0]]
    for length in stride(from: 0, to: whole.count, by: 7) { damaged.append(Array(whole.prefix(length))) }
    for position in stride(from: 0, to: whole.count, by: 5) {
      var bytes = whole
      bytes[position] ^= 1
      damaged.append(bytes)
    }
    for bytes in damaged {
      try AtomicFile.write(bytes, to: folder.cacheFile)
      #expect(try folder.digest() == Digest.of("x"))
    }
    try AtomicFile.write(whole, to: folder.cacheFile)
    #expect(try folder.digest() == planted)
  }
}

@Test func `files that are gone are forgotten when something else of their folder is learned, or the folder is gone`() throws {
  try withTemporaryDirectory { (folder: URL) in
    for name in ["idle/a", "busy/b", "lost/c"] { try folder.write(name, to: name) }
    func look(_ names: [String]) throws -> [UInt8] {
      let workspace = Workspace(root: folder.path, statCacheFile: folder.cacheFile)
      for name in names { _ = try workspace.content(of: #require(WorkspacePath(name))) }
      workspace.pruneStatCache()
      try workspace.saveStatCache()
      return try #require(try AtomicFile.read(folder.cacheFile))
    }
    func knows(_ bytes: [UInt8]) -> [Bool] {
      let text = String(decoding: bytes, as: UTF8.self)
      return ["/idle", "/busy", "/lost"].map { text.contains(folder.path + $0) }
    }
    let first = try look(["idle/a", "busy/b", "lost/c"])
    #expect(knows(first) == [true, true, true])
    for name in ["idle/a", "busy/b", "lost"] { try FileManager.default.removeItem(atPath: folder.path + "/" + name) }
    try folder.write("new", to: "busy/new")
    let second = try look(["busy/new"])
    #expect(knows(second) == [true, true, false])
    #expect(second.count < first.count)
    try folder.write("more", to: "idle/more")
    // One row for another, with a longer name.
    #expect(try look(["idle/more"]).count == second.count + 3)
  }
}

@Test func `files that are gone are forgotten`() throws {
  try withTemporaryDirectory { (folder: URL) in
    try folder.write("x", to: "file")
    try folder.write("y", to: "gone")
    let workspace = Workspace(root: folder.path, statCacheFile: folder.cacheFile)
    for name in ["file", "gone"] { _ = try workspace.content(of: #require(WorkspacePath(name))) }
    try FileManager.default.removeItem(atPath: folder.path + "/gone")
    workspace.pruneStatCache()
    try workspace.saveStatCache()
    let bytes = try #require(try AtomicFile.read(folder.cacheFile))
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.contains("file") && text.contains(folder.path) && !text.contains("gone"))
  }
}
