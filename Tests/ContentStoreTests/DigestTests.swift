// Digests against what sha256sum and md5sum say, and the readings that are refused.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Foundation
import TestSupport
import Testing

private let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

@Test(arguments: [
  ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "d41d8cd98f00b204e9800998ecf8427e"),
  ("abc", abc, "900150983cd24fb0d6963f7d28e17f72"),
])
func `digests are those of sha256sum and md5sum`(_ text: String, _ sha256: String, _ md5: String) {
  #expect(Digest.of(text).hex == sha256)
  #expect(Digest.of(Array(text.utf8), .md5).hex == md5)
  #expect("\(Digest.of(text))" == "sha256:\(sha256)")
}

@Test func `a file longer than one read has the digest of all its bytes`() throws {
  try withTemporaryDirectory { (folder: URL) in
    let file = folder.appendingPathComponent("zeros").path
    try Data(count: 3_000_000).write(to: URL(fileURLWithPath: file))
    let (digest, size) = try Digest.ofFile(file)
    #expect(digest.hex == "35bce4eae54ec8e6cc2868baa8d157914d6ae2858811b4cc0c078c94460fa26f")
    #expect(size == 3_000_000)
    #expect(throws: StoreError.system("open", path: file + "x", code: ENOENT)) { try Digest.ofFile(file + "x") }
  }
}

@Test func `hexadecimal digits are read back, with .dir for a tree`() throws {
  let file = try #require(Digest(.sha256, hex: abc))
  let tree = try #require(Digest(.sha256, hex: abc + ".dir"))
  #expect(!file.isTree && tree.isTree)
  #expect(file != tree && file.asTree() == tree)
  #expect(tree.hex == abc + ".dir" && tree.digits == abc && tree.short == "ba7816bf8f01")
  #expect(Digest("sha256:\(abc).dir") == tree)
  #expect(Digest("md5:900150983cd24fb0d6963f7d28e17f72") == Digest.of("abc", .md5))
}

@Test(arguments: [
  "", ".dir", "ba78", abc + "0", String(abc.dropLast()), abc.uppercased(), String(abc.dropLast()) + "g", abc + ".dir.dir",
  abc + ".DIR", " " + abc.dropFirst(), String(abc.dropLast()) + "\u{E9}",
])
func `what is not a digest is refused`(_ hex: String) {
  #expect(Digest(.sha256, hex: hex) == nil)
}

@Test(arguments: ["", abc, "sha1:\(abc)", "sha256:", "md5:\(abc)", "sha256:\(abc) "])
func `a digest without its algorithm or with a wrong one is refused`(_ text: String) {
  #expect(Digest(text) == nil)
}

@Test func `digests of different algorithms differ and sort by their digits`() throws {
  let low = try #require(Digest(.md5, hex: String(repeating: "0", count: 32)))
  let high = try #require(Digest(.sha256, hex: String(repeating: "f", count: 64)))
  #expect(low != high && low < high)
}

@Test func `bytes written one after the other are read back, and nothing is read from a part of them`() {
  var writer = ByteWriter()
  writer.byte(7)
  writer.integer(-2)
  writer.text("é\n")
  writer.texts(["", "b"])
  writer.digest(Digest.of("abc").asTree())
  #expect(Array(writer.bytes.prefix(9)) == [7, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])
  var reader = ByteReader(writer.bytes)
  #expect(reader.byte() == 7)
  #expect(reader.integer() == -2)
  #expect(reader.text() == "é\n")
  #expect(reader.texts() == ["", "b"])
  #expect(reader.digest() == Digest.of("abc").asTree())
  #expect(reader.isAtEnd)
  for length in 0..<writer.bytes.count {
    var cut = ByteReader(Array(writer.bytes.prefix(length)))
    let isWhole =
      cut.byte() != nil && cut.integer() != nil && cut.text() != nil && cut.texts() != nil && cut.digest() != nil
    #expect(!isWhole, "\(length) of \(writer.bytes.count) bytes")
  }
}

@Test func `a length that is larger than what follows is refused`() {
  var writer = ByteWriter()
  writer.integer(.max)
  writer.byte(65)
  var text = ByteReader(writer.bytes)
  #expect(text.text() == nil)
  var texts = ByteReader(writer.bytes)
  #expect(texts.texts() == nil)
  var negative = ByteWriter()
  negative.integer(-1)
  var reader = ByteReader(negative.bytes)
  #expect(reader.text() == nil)
}

@Test(arguments: [Digest.Algorithm.md5, .sha256])
func `digests that differ in their last digits alone do not fall together in a set`(_ algorithm: Digest.Algorithm) {
  let zeros = String(repeating: "0", count: algorithm == .md5 ? 28 : 60)
  let digests = (1000..<3000).compactMap { Digest(algorithm, hex: "\(zeros)\($0)") }
  #expect(digests.count == 2000)
  #expect(Set(digests.map(\.hashValue)).count > 1990)
}
