// Known answers of the standards.
// SPDX-License-Identifier: Apache-2.0
import Hashing
import Testing

@Test(arguments: [
  ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
  ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
  (
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
  ),
])
func `SHA-256 gives the examples of FIPS 180-4`(_ text: String, _ digits: String) {
  #expect(sha256Digits(Array(text.utf8)) == digits)
}

@Test func `pieces hash like the whole`() {
  var hash = RunningHash()
  hash.update("a")
  hash.update([UInt8(ascii: "b")])
  hash.update("c")
  #expect(hexadecimal(hash.finish()) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
}

@Test func `MD5 gives the example of RFC 1321`() {
  var hash = RunningHash(.md5)
  hash.update("message digest")
  #expect(hexadecimal(hash.finish()) == "f96b697d7cb7938d525a2f31aaf161d0")
}

@Test func `HMAC-SHA256 gives test case 2 of RFC 4231`() {
  let code = hmacSHA256(key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8))
  #expect(hexadecimal(code) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
}
