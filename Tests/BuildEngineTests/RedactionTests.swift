// Secrets of the environment do not get into records.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import BuildEngine

@Suite struct RedactionTests {
  private let redaction = Redaction(
    environment: [
      "HUB_TOKEN": "hf_abcdefgh", "DB_PASSWORD": "p\"ss\\word/1", "SHORT_TOKEN": "abc", "HOME": "/srv/somebody",
      "GOOGLE_APPLICATION_CREDENTIALS": "/etc/keys/one.json", "PLAN": "hf_abcdefghij", "WEBHOOK": "https://hooks.example/xyz",
    ], declared: ["WEBHOOK", "PLAN"])

  @Test func `values whose names say so, and those that are declared, are replaced`() {
    #expect(redaction.applied(to: "token=hf_abcdefgh, to https://hooks.example/xyz") == "token=[redacted], to [redacted]")
  }

  @Test func `the longer of two that begin alike goes as a whole`() {
    #expect(redaction.applied(to: "hf_abcdefghij hf_abcdefgh") == "[redacted] [redacted]")
  }

  @Test func `short values and paths stay`() {
    #expect(redaction.applied(to: "abc /etc/keys/one.json /srv/somebody") == "abc /etc/keys/one.json /srv/somebody")
  }

  @Test func `a secret is found in JSON, too`() throws {
    let json = String(decoding: try JSONEncoder().encode(["out": "p\"ss\\word/1"]), as: UTF8.self)
    #expect(redaction.applied(to: json) == "{\"out\":\"[redacted]\"}")
  }

  @Test(arguments: [1 << 20, (1 << 20) - 4, 3 << 20, 0, 5]) func `a file is rewritten wherever the secret stands`(offset: Int)
    throws
  {
    try withTemporaryDirectory { folder in
      let path = "\(folder.path)/log"
      let filler = String(repeating: "x", count: offset)
      try (filler + "hf_abcdefgh" + filler + "\n").write(toFile: path, atomically: false, encoding: .utf8)
      try redaction.apply(toFile: path)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == filler + "[redacted]" + filler + "\n")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["log"])
    }
  }

  @Test func `a file without a secret is left as it is`() throws {
    try withTemporaryDirectory { folder in
      let path = "\(folder.path)/log"
      try "nothing here".write(toFile: path, atomically: false, encoding: .utf8)
      let before = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? UInt64
      try redaction.apply(toFile: path)
      #expect(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? UInt64 == before)
    }
  }

  @Test func `a secret that is cut into many pieces by other text stays text`() {
    #expect(redaction.applied(to: "hf_abc hf_abcdefg") == "hf_abc hf_abcdefg")
  }
}
