// Moving an alias: one line, appended under a lock, if the alias stands where the caller thinks.
// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Where an alias must stand for a move to happen.
package enum AliasExpectation: Sendable, Equatable {
  case anything
  case unset
  case version(Int)
}

extension Registry {
  /// Points an alias at a version, or at nothing; a move to where it stands already writes nothing.
  ///
  /// - Parameters:
  ///   - number: an existing version; `nil` takes the alias away.
  ///   - expectation: checked under the lock that also covers the write.
  ///   - by, reason: who and why, for the history.
  /// - Returns: the move, or `nil` when the alias stood there already.
  /// - Throws: `TrackingError.aliasMoved`, `.unknownVersion`, `.unknownModel`, `.badName`, `.brokenRegistry`, `.file`.
  @discardableResult
  package func move(
    alias: String, of name: String, to number: Int?, expecting expectation: AliasExpectation, at moment: Timestamp,
    by: String? = nil, reason: String? = nil
  ) throws(TrackingError) -> AliasMove? {
    guard Self.isName(alias) else { throw .badName(alias) }
    let model = try show(name)
    var versionDigest: String?
    if let number {
      _ = try version(number, in: model)
      versionDigest = try readFile(versionPath(name, number)).map(sha256)
    }
    let list = try LockedList(path: aliasPath(name))
    defer { list.close() }
    let chain = AliasChain(parsing: try list.bytes(), name: name)
    if let (line, message) = chain.problem {
      throw .brokenRegistry(RegistryProblem(path: aliasPath(name), line: line, message: message))
    }
    let current = chain.aliases[alias]
    try check(expectation, current, name: name, alias: alias)
    if current == number { return nil }
    let move = AliasMove(
      sequence: chain.moves.count + 1, alias: alias, from: current, to: number, versionDigest: versionDigest,
      at: moment.text, by: by, reason: reason, previous: sha256(chain.lastLine))
    try list.append((chain.lacksNewline ? "\n" : "") + move.line + "\n", after: chain.wholeBytes)
    return move
  }

  private func check(
    _ expectation: AliasExpectation, _ current: Int?, name: String, alias: String
  ) throws(TrackingError) {
    let expected: Int?
    switch expectation {
    case .anything: return
    case .unset: expected = nil
    case .version(let number): expected = number
    }
    if current != expected { throw .aliasMoved(name: name, alias: alias, expected: expected, actual: current) }
  }
}

/// An alias list held open under an exclusive lock of the kernel, which a killed process lets go of.
private struct LockedList {
  let path: String
  let file: Int32

  init(path: String) throws(TrackingError) {
    self.path = path
    while true {
      let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
      guard file >= 0 else { throw .file(path: path, operation: "write", reason: systemMessage()) }
      while flock(file, LOCK_EX) != 0, errno == EINTR {}
      // `git checkout` puts another file in the place of this one; a lock on the old one guards nothing.
      var held = stat()
      var there = stat()
      if fstat(file, &held) == 0, stat(path, &there) == 0, held.st_ino == there.st_ino, held.st_dev == there.st_dev {
        self.file = file
        return
      }
      Glibc.close(file)
    }
  }

  func bytes() throws(TrackingError) -> [UInt8] { try readAll(file, path) }

  /// One write at the end of the lines that hold; a half-written line after them goes away.
  func append(_ text: String, after size: Int) throws(TrackingError) {
    let bytes = Array(text.utf8)
    let isWritten =
      ftruncate(file, off_t(size)) == 0 && lseek(file, off_t(size), SEEK_SET) == off_t(size)
      && writeAll(bytes, to: file) && fsync(file) == 0
    guard isWritten else { throw .file(path: path, operation: "append to", reason: systemMessage()) }
  }

  func close() { Glibc.close(file) }
}
