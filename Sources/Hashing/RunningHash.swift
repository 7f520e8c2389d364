// A hash over bytes that arrive in pieces, through libcrypto.
// SPDX-License-Identifier: Apache-2.0
internal import CCrypto

/// The hashes that the project knows.
package enum HashFunction: Sendable {
  case sha256
  case md5

  /// Bytes of a hash.
  package var length: Int { self == .sha256 ? 32 : 16 }

  fileprivate var method: OpaquePointer? { self == .sha256 ? FetchedMethod.sha256 : FetchedMethod.md5 }
}

/// libcrypto's methods, looked up once: it would do so again for each hash.
private enum FetchedMethod {
  // Guarded by never being written again; libcrypto counts references to a method atomically.
  nonisolated(unsafe) static let sha256 = EVP_MD_fetch(nil, "SHA256", nil) ?? EVP_sha256()
  nonisolated(unsafe) static let md5 = EVP_MD_fetch(nil, "MD5", nil) ?? EVP_md5()
}

/// A hash over bytes that are there at once, again and again with the same memory. For one thread.
package final class RepeatedHash {
  private let context: OpaquePointer
  private let function: HashFunction

  package init(_ function: HashFunction) {
    guard let context = EVP_MD_CTX_new() else { preconditionFailure("libcrypto has no memory") }
    self.context = context
    self.function = function
  }

  deinit { EVP_MD_CTX_free(context) }

  /// - Parameter out: memory of at least the function's length.
  package func hash(_ bytes: UnsafeRawBufferPointer, into out: UnsafeMutableRawPointer) {
    let isDone =
      EVP_DigestInit_ex2(context, function.method, nil) == 1 && EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
      && EVP_DigestFinal_ex(context, out.assumingMemoryBound(to: UInt8.self), nil) == 1
    precondition(isDone, "libcrypto has no memory, or no such hash")
  }
}

/// A running hash. Not copyable: it owns libcrypto's context.
package struct RunningHash: ~Copyable {
  private let context: OpaquePointer
  private let function: HashFunction

  package init(_ function: HashFunction = .sha256) {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, function.method, nil) == 1 else {
      preconditionFailure("libcrypto has no memory, or no such hash")
    }
    self.context = context
    self.function = function
  }

  deinit { EVP_MD_CTX_free(context) }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    _ = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  package mutating func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }

  /// The hash of all that was put in.
  package consuming func finish() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: function.length)
    _ = EVP_DigestFinal_ex(context, &bytes, nil)
    return bytes
  }
}

/// 64 lower-case hexadecimal digits: the SHA-256 of bytes.
package func sha256Digits(_ bytes: [UInt8]) -> String {
  var hash = RunningHash()
  hash.update(bytes)
  return hexadecimal(hash.finish())
}

/// HMAC-SHA256 (RFC 2104): 32 bytes that nobody without the key can make or check.
package func hmacSHA256(key: [UInt8], message: [UInt8]) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: 32)
  var length: UInt32 = 0
  let done = HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &bytes, &length)
  precondition(done != nil && length == 32, "HMAC-SHA256 gives 32 bytes")
  return bytes
}

/// Two lower-case digits a byte.
package func hexadecimal(_ bytes: some Collection<UInt8>) -> String {
  // Known to be an array, it is read without asking a collection of any kind for each byte.
  let bytes = Array(bytes)
  func digit(_ value: UInt8) -> UInt8 { value + (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10) }
  return String(unsafeUninitializedCapacity: bytes.count * 2) { out in
    for index in bytes.indices {
      out[2 * index] = digit(bytes[index] >> 4)
      out[2 * index + 1] = digit(bytes[index] & 15)
    }
    return bytes.count * 2
  }
}
