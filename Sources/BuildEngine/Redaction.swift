// Secrets of the environment, kept out of what is kept: logs, woven notebooks, messages of failed stages.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Glibc

/// Values that stand in no record, and the word that stands in their place.
package struct Redaction: Sendable {
  package static let mark = "[redacted]"
  /// A shorter value is no secret worth the name, and would stand all over a log.
  static let shortest = 8
  private static let telling = [
    "TOKEN", "SECRET", "PASSWORD", "PASSWD", "API_KEY", "APIKEY", "ACCESS_KEY", "PRIVATE_KEY", "CREDENTIAL",
  ]

  /// Longest first, so that a secret that begins with another goes as a whole.
  private let secrets: [[UInt8]]
  private static let markBytes = Array(mark.utf8)

  /// - Parameter declared: names of variables that `secrets:` of the manifest lists. A variable whose name says that it is
  ///   secret (`…_TOKEN`, `…_PASSWORD`, …) needs no declaration.
  package init(environment: [String: String], declared: [String] = []) {
    let values = environment.filter { name, value in
      guard value.utf8.count >= Self.shortest else { return false }
      // A place is no secret: `GOOGLE_APPLICATION_CREDENTIALS` is a path.
      return declared.contains(name) || (Self.isTelling(name) && !value.hasPrefix("/"))
    }.values
    // Inside JSON a secret is spelled with escapes.
    let spellings = Set(values.flatMap { [$0, Self.escaped($0)] })
    secrets = spellings.map { Array($0.utf8) }.sorted { $0.count > $1.count }
  }

  private static func isTelling(_ name: String) -> Bool {
    let upper = name.uppercased()
    return telling.contains { upper.contains($0) }
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "\"", "\\": result += "\\\(character)"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case "/": result += "\\/"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  package func applied(to text: String) -> String {
    guard !secrets.isEmpty else { return text }
    return String(decoding: replaced(Array(text.utf8), upTo: .max).bytes, as: UTF8.self)
  }

  /// Rewrites a file that has a secret in it; one without is only read. Memory is bounded whatever its size.
  func apply(toFile path: String) throws(StoreError) {
    guard !secrets.isEmpty else { return }
    var hasSecret = false
    try read(path) { (_, isFound) throws(StoreError) in
      hasSecret = hasSecret || isFound
      return !hasSecret
    }
    guard hasSecret else { return }
    let copy = path + ".redacted"
    let target = open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard target >= 0 else { throw .system("write", path: copy, code: errno) }
    defer { close(target) }
    try read(path) { (bytes, _) throws(StoreError) in
      try write(bytes, target, copy)
      return true
    }
    guard rename(copy, path) == 0 else { throw .system("write", path: path, code: errno) }
  }

  /// Hands on a file piece by piece, without its secrets, as long as `take` wants more.
  private func read(
    _ path: String, _ take: (_ bytes: [UInt8], _ isFound: Bool) throws(StoreError) -> Bool
  ) throws(StoreError) {
    let longest = secrets.first?.count ?? 1
    let source = open(path, O_RDONLY | O_CLOEXEC)
    guard source >= 0 else { throw .system("read", path: path, code: errno) }
    defer { close(source) }
    var held: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = Glibc.read(source, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system("read", path: path, code: errno) }
      held += chunk.prefix(count)
      // A secret may go on in the next piece.
      let result = replaced(held, upTo: count == 0 ? .max : held.count - longest + 1)
      guard try take(result.bytes, result.found), count > 0 else { return }
      held.removeFirst(result.read)
    }
  }

  private func write(_ bytes: [UInt8], _ descriptor: Int32, _ path: String) throws(StoreError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .system("write", path: path, code: errno) }
      rest = rest.dropFirst(count)
    }
  }

  /// Replaces every secret that begins before `limit`.
  ///
  /// - Returns: the text so far, how many bytes of the original it stands for, and whether a secret was among them.
  private func replaced(_ bytes: [UInt8], upTo limit: Int) -> (bytes: [UInt8], read: Int, found: Bool) {
    let end = min(limit, bytes.count)
    var result: [UInt8] = []
    var position = 0
    var found = false
    var next = secrets.map { Self.find($0, in: bytes, from: 0) }
    while let first = next.compactMap({ $0 }).min(), first < end {
      let which = next.firstIndex { $0 == first } ?? 0
      result += bytes[position..<first]
      result += Self.markBytes
      position = first + secrets[which].count
      found = true
      for index in next.indices {
        if let place = next[index], place < position { next[index] = Self.find(secrets[index], in: bytes, from: position) }
      }
    }
    let stop = max(position, end)
    if stop > position { result += bytes[position..<stop] }
    return (result, max(0, stop), found)
  }

  private static func find(_ secret: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
    guard start < bytes.count else { return nil }
    return bytes[start...].firstRange(of: secret)?.lowerBound
  }
}
