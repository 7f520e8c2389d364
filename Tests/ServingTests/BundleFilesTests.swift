// A bundle against its manifest.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import TestSupport
import Testing

@testable import Serving

@Suite struct BundleFilesTests {
  /// SHA-256 of `abc` and of nothing, from FIPS 180-2 and `sha256sum`.
  private let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  private let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  private func export(in folder: URL) throws {
    try folder.write("abc", to: "bundle/model.json")
    try folder.write("", to: "bundle/sub/empty")
    try folder.write(
      """
      {"schema": "pipe.export/1", "model": "eta", "version": "3", "commit": null, "bundle": "sha256:ab", "files": {
        "bundle/model.json": {"sha256": "\(abc)", "size": 3}, "bundle/sub/empty": {"sha256": "\(nothing)", "size": 0},
        "pipe-serve": {"sha256": "00", "size": 1}}}
      """, to: "manifest.json")
  }

  private func check(_ folder: URL) throws(Diagnostic) {
    let manifest = try ExportManifest(at: folder.appendingPathComponent("manifest.json"))
    try manifest.check(BundleFiles(in: folder.appendingPathComponent("bundle")))
  }

  @Test func `files are found at any depth, in the order of their paths, and digested`() throws {
    try withTemporaryDirectory { folder in
      try export(in: folder)
      let files = try BundleFiles(in: folder.appendingPathComponent("bundle"))
      #expect(files.files == [.init(path: "model.json", sha256: abc), .init(path: "sub/empty", sha256: nothing)])
    }
  }

  @Test func `an untouched export passes`() throws {
    try withTemporaryDirectory { folder in
      try export(in: folder)
      try check(folder)
    }
  }

  @Test func `a changed, a missing and an added file are each named`() throws {
    try withTemporaryDirectory { folder in
      try export(in: folder)
      try folder.write("abd", to: "bundle/model.json")
      try folder.write("x", to: "bundle/extra.csv")
      try FileManager.default.removeItem(at: folder.appendingPathComponent("bundle/sub/empty"))
      let diagnostic = try #require(throws: Diagnostic.self) { try check(folder) }
      #expect(diagnostic.category == .storage)
      #expect(
        diagnostic.causes == [
          "`extra.csv` is not in the manifest",
          "`model.json` has the digest a52d159f262b…, exported was ba7816bf8f01…",
          "`sub/empty` is missing",
        ])
    }
  }

  @Test func `a symbolic link is no part of a bundle`() throws {
    try withTemporaryDirectory { folder in
      try export(in: folder)
      try FileManager.default.createSymbolicLink(
        atPath: folder.appendingPathComponent("bundle/link").path, withDestinationPath: "/etc/passwd")
      #expect(throws: Diagnostic.self) { try check(folder) }
    }
  }

  @Test func `a manifest of another schema is refused`() throws {
    try withTemporaryDirectory { folder in
      try folder.write(
        #"{"schema":"x/9","model":"eta","version":"3","files":{}}"#, to: "manifest.json")
      let diagnostic = try #require(throws: Diagnostic.self) { try check(folder) }
      #expect(diagnostic.exitCode == 2)
    }
  }
}
