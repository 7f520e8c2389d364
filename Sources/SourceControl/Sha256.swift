// SHA-256 over bytes that arrive in pieces.
// SPDX-License-Identifier: Apache-2.0
import CCrypto

/// A SHA-256 in progress; a class because libcrypto's context is a handle.
final class Sha256 {
  private let context: OpaquePointer

  init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      preconditionFailure("libcrypto has no SHA-256")
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  func update(_ bytes: UnsafeRawBufferPointer) { EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) }

  func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }

  /// `sha256:` and 64 hexadecimal digits; nothing can be added afterwards.
  func finish() -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(context, &digest, nil)
    return "sha256:" + digest.withUnsafeBytes(hexadecimal)
  }
}

/// Two lower-case digits a byte.
func hexadecimal(_ bytes: UnsafeRawBufferPointer) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(unsafeUninitializedCapacity: bytes.count * 2) { out in
    for (index, byte) in bytes.enumerated() {
      out[2 * index] = digits[Int(byte >> 4)]
      out[2 * index + 1] = digits[Int(byte & 15)]
    }
    return bytes.count * 2
  }
}
