// Push and pull: what is copied, in which order, and what a failure leaves.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Foundation
import TestSupport
import Testing

private let pairs = StoreBody.allCases.flatMap { a in StoreBody.allCases.map { b in [a, b] } }

private func summary(copied: Int, alreadyThere: Int) -> Transfer.Summary {
  var summary = Transfer.Summary()
  summary.copied = copied
  summary.alreadyThere = alreadyThere
  return summary
}

@Suite struct `A transfer` {
  @Test(arguments: pairs)
  func `copies files and whole trees, and nothing twice`(_ bodies: [StoreBody]) throws {
    try withTemporaryDirectory { (folder: URL) in
      let source = bodies[0].make(in: folder, "source")
      let destination = bodies[1].make(in: folder, "destination")
      let file = try source.keep("x")
      let tree = try source.keepTree(["a": "x", "b/c": "y", "b/d": "y"])
      try source.keep("not asked for")
      let transfer = Transfer(from: source, to: destination)
      let first = try transfer.copy([file, tree, file])
      #expect(first == summary(copied: 3, alreadyThere: 0))
      #expect(try destination.list() == [file, Digest.of("y"), tree].sorted())
      #expect(try destination.containsAll(of: tree))
      #expect(try transfer.copy([file, tree]) == summary(copied: 0, alreadyThere: 2))
    }
  }

  @Test(arguments: pairs)
  func `names what the source does not have and never copies a tree that would not be whole`(_ bodies: [StoreBody]) throws {
    try withTemporaryDirectory { (folder: URL) in
      let source = bodies[0].make(in: folder, "source")
      let destination = bodies[1].make(in: folder, "destination")
      let broken = try source.keepTree(["a": "x", "b": "y"])
      let alsoBroken = try source.keepTree(["c": "y", "d": "z"])
      try source.remove(Digest.of("y"))
      let absent = Digest.of("absent")
      let said = try Transfer(from: source, to: destination).copy([broken, alsoBroken, absent])
      #expect(said.missing == [Digest.of("y"), absent])
      #expect(try destination.list() == [Digest.of("x"), Digest.of("z")].sorted())
    }
  }

  @Test func `goes on where it was interrupted`() throws {
    let source = MemoryObjectStore()
    let destination = MemoryObjectStore()
    let tree = try source.keepTree(["a": "x", "b": "y"])
    try destination.keep("x")
    let said = try Transfer(from: source, to: destination).copy([tree])
    #expect(said == summary(copied: 2, alreadyThere: 1))
  }

  @Test(arguments: [1, 8])
  func `between folders goes on where it was killed, whatever lies about`(_ width: Int) throws {
    try withTemporaryDirectory { (folder: URL) in
      let source = DirectoryObjectStore(root: folder.path + "/source", layout: .dvc)
      let destination = DirectoryObjectStore(root: folder.path + "/destination", layout: .dvc)
      let digests = (0..<300).map { Digest.of("\($0)", .md5) }
      for number in 0..<300 { try source.insert(Array("\(number)".utf8), as: digests[number]) }
      let tree = FileTree(
        (0..<300).map { FileTree.Entry(path: "f\($0)", digest: digests[$0], size: nil, isExecutable: false) })
      try source.insert(tree.encoded(.md5), as: tree.digest(.md5))
      // What a killed one left: some objects, half of another beside its name, and a damaged one that may be written.
      for number in 0..<100 { try destination.insert(Array("\(number)".utf8), as: digests[number]) }
      let half = destination.path(of: digests[200]) + ".1-1.tmp"
      try FileManager.default.createDirectory(
        atPath: (half as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try "20".write(toFile: half, atomically: false, encoding: .utf8)
      try FileManager.default.createDirectory(
        atPath: (destination.path(of: digests[299]) as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try "29".write(toFile: destination.path(of: digests[299]), atomically: false, encoding: .utf8)
      var seen: [Int] = []
      let transfer = Transfer(from: source, to: destination, width: width)
      let said = try transfer.copy([tree.digest(.md5)]) { seen.append($0.copied + $0.alreadyThere) }
      #expect(said == summary(copied: 201, alreadyThere: 100))
      #expect(seen == seen.sorted() && seen.last == 301)
      for number in 0..<300 { #expect(try destination.bytes(of: digests[number]) == Array("\(number)".utf8)) }
      #expect(try transfer.copy([tree.digest(.md5)]) == summary(copied: 0, alreadyThere: 1))
      #expect(FileManager.default.fileExists(atPath: half), "only gc takes away what others may still write")
    }
  }

  @Test func `refuses to pass on a damaged object`() throws {
    try withTemporaryDirectory { (folder: URL) in
      for body in StoreBody.allCases {
        let source = body.make(in: folder, "source")
        try source.insert([121], as: Digest.of("x"))
        let destination = DirectoryObjectStore(root: folder.path + "/destination")
        #expect(throws: StoreError.self) { try Transfer(from: source, to: destination).copy([Digest.of("x")]) }
        #expect(try destination.list() == [])
      }
    }
  }

  @Test func `reports its progress after each digest asked for`() throws {
    let source = MemoryObjectStore()
    let digests = [try source.keep("x"), try source.keep("y")]
    var seen: [Int] = []
    _ = try Transfer(from: source, to: MemoryObjectStore()).copy(digests) { seen.append($0.copied) }
    #expect(seen == [1, 2])
  }

  @Test(arguments: [true, false])
  func `that fails at any operation leaves only whole trees, and a rerun completes it`(_ destinationFails: Bool) throws {
    let files = ["a": "1", "b/c": "2", "b/d": "3", "e": "1"]
    let others = ["a": "2", "z": "4"]
    var failures = 0
    for n in 1... {
      let source = MemoryObjectStore()
      let destination = MemoryObjectStore()
      let wanted = [try source.keepTree(files), try source.keepTree(others), try source.keep("5")]
      let faulty = FaultyObjectStore(destinationFails ? destination : source, failsAt: n)
      let transfer =
        destinationFails ? Transfer(from: source, to: faulty) : Transfer(from: faulty, to: destination)
      do {
        _ = try transfer.copy(wanted)
        break
      } catch {
        #expect(error == FaultyObjectStore.failure)
      }
      failures += 1
      #expect(try destination.brokenTrees() == [], "operation \(n)")
      _ = try transfer.copy(wanted)
      #expect(try destination.list() == source.list(), "operation \(n)")
    }
    #expect(failures > 10)
  }
}
