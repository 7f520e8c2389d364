// A seal gives its answer only while everything it followed from is as it was.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Foundation
import TestSupport
import Testing

private let request = ["1", "repro"]

/// A project's folder with a few files, all older than the clock's last tick.
private struct World {
  let root: String
  var file: String { root + ".seal" }

  init(_ folder: URL) throws {
    root = folder.path + "/project"
    for (path, text) in [
      ("pipeline.yaml", "stages:"), ("in.txt", "one"), ("data/a", "a"), ("data/deep/b", "b"), ("data/empty/.keep", ""),
      ("elsewhere/c", "c"),
    ] {
      try folder.write(text, to: "project/\(path)")
    }
    try FileManager.default.removeItem(atPath: root + "/data/empty/.keep")
    try FileManager.default.createSymbolicLink(atPath: root + "/link", withDestinationPath: "elsewhere/c")
    waitForTheClock()
  }

  /// A file system may stamp files with a finer clock, which is ahead by a tick at most.
  func waitForTheClock() {
    let now = SealSurvey.now
    while SealSurvey.now <= now + 20_000_000 { usleep(1000) }
  }

  func seal(began: Int64? = nil, variables: [Seal.Variable] = []) throws -> Bool {
    var survey = SealSurvey(root: root, began: began ?? SealSurvey.now)
    for path in ["pipeline.yaml", "in.txt", "absent.yaml", "link", ""] { survey.look(at: path) }
    survey.walk("data")
    guard let sights = survey.sights else { return false }
    let seal = Seal(request: request, variables: variables, output: "all is well\n", errorOutput: "note", sights: sights)
    try AtomicFile.write(seal.bytes, to: file)
    return true
  }

  func answer(_ words: [String] = request, variable: (String) -> String? = { _ in nil }) -> String? {
    Seal.answer(in: file, to: words, root: root, variable: variable)?.output
  }

  func write(_ text: String, to path: String) throws {
    try text.write(toFile: "\(root)/\(path)", atomically: false, encoding: .utf8)
  }
}

@Suite struct `A seal` {
  @Test func `gives its answer while nothing changed`() async throws {
    try await withFastDirectory { folder in
      let world = try World(folder)
      #expect(try world.seal())
      #expect(world.answer() == "all is well\n")
      #expect(Seal.answer(in: world.file, to: request, root: world.root)?.errorOutput == "note")
    }
  }

  @Test func `answers no other request`() async throws {
    try await withFastDirectory { folder in
      let world = try World(folder)
      #expect(try world.seal())
      #expect(world.answer(["1", "status"]) == nil)
      #expect(world.answer(["1", "repro", ""]) == nil)
      #expect(world.answer(["1"]) == nil)
    }
  }

  @Test(arguments: [
    "a file's bytes", "a manifest that appears", "a file in a folder", "a file that is gone", "a file in an empty folder",
    "a link that leads elsewhere", "what a link leads to", "a mode", "a folder in place of a file", "the same bytes again",
    "an old time on new bytes",
  ])
  func `does not hold after`(change: String) async throws {
    try await withFastDirectory { folder in
      let world = try World(folder)
      #expect(try world.seal())
      let files = FileManager.default
      switch change {
      case "a file's bytes": try world.write("two", to: "in.txt")
      case "a manifest that appears": try world.write("stages:", to: "absent.yaml")
      case "a file in a folder": try world.write("x", to: "data/deep/x")
      case "a file that is gone": try files.removeItem(atPath: world.root + "/data/a")
      case "a file in an empty folder": try world.write("x", to: "data/empty/x")
      case "a link that leads elsewhere":
        try files.removeItem(atPath: world.root + "/link")
        try files.createSymbolicLink(atPath: world.root + "/link", withDestinationPath: "in.txt")
      case "what a link leads to": try world.write("d", to: "elsewhere/c")
      case "a mode": #expect(chmod(world.root + "/in.txt", 0o755) == 0)
      case "a folder in place of a file":
        try files.removeItem(atPath: world.root + "/in.txt")
        try files.createDirectory(atPath: world.root + "/in.txt", withIntermediateDirectories: false)
      case "the same bytes again": try world.write("one", to: "in.txt")
      default:
        let time = try #require(try files.attributesOfItem(atPath: world.root + "/in.txt")[.modificationDate] as? Date)
        try world.write("two", to: "in.txt")
        try files.setAttributes([.modificationDate: time], ofItemAtPath: world.root + "/in.txt")
      }
      #expect(world.answer() == nil)
    }
  }

  @Test func `holds after changes of what it does not follow from`() async throws {
    try await withFastDirectory { folder in
      let world = try World(folder)
      #expect(try world.seal())
      try world.write("x", to: "elsewhere/x")
      #expect(world.answer() == "all is well\n")
    }
  }

  @Test func `is not made of files that changed since the work began`() async throws {
    try await withFastDirectory { folder in
      let world = try World(folder)
      let began = SealSurvey.now
      world.waitForTheClock()
      try world.write("two", to: "in.txt")
      #expect(try !world.seal(began: began))
    }
  }

  @Test func `is not made when a file is gone since the work began`() async throws {
    try await withFastDirectory { folder in
      let world = try World(folder)
      try world.write("stages:", to: "elsewhere/gone.yaml")
      world.waitForTheClock()
      let began = SealSurvey.now
      world.waitForTheClock()
      try FileManager.default.removeItem(atPath: world.root + "/elsewhere/gone.yaml")
      var survey = SealSurvey(root: world.root, began: began)
      survey.look(at: "elsewhere/gone.yaml")
      #expect(survey.sights == nil)
    }
  }

  @Test func `follows the variables that were asked for`() async throws {
    try await withFastDirectory { folder in
      let world = try World(folder)
      #expect(try world.seal(variables: [Seal.Variable(name: "A", value: "1"), Seal.Variable(name: "B", value: nil)]))
      #expect(world.answer { $0 == "A" ? "1" : nil } == "all is well\n")
      #expect(world.answer { $0 == "A" ? "2" : nil } == nil)
      #expect(world.answer { _ in "1" } == nil)
      #expect(world.answer { $0 == "A" ? "1" : "" } == nil)
    }
  }

  @Test func `that is cut short or has one other byte gives no answer`() async throws {
    try await withFastDirectory { folder in
      let world = try World(folder)
      #expect(try world.seal())
      let bytes = try #require(try AtomicFile.read(world.file))
      for length in 0..<bytes.count {
        try AtomicFile.write(Array(bytes[..<length]), to: world.file)
        #expect(world.answer() == nil)
      }
      for index in bytes.indices {
        var other = bytes
        other[index] ^= 1 << UInt8(index % 8)
        try AtomicFile.write(other, to: world.file)
        #expect(world.answer() == nil, "byte \(index)")
      }
    }
  }
}
