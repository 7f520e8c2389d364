// The hash-chained list of alias moves: reading it, and finding the line that is broken.
// SPDX-License-Identifier: Apache-2.0

/// One move of an alias, one line of `registry/NAME/aliases.jsonl`.
package struct AliasMove: Sendable, Equatable {
  /// Number of the line, from 1.
  package var sequence: Int
  package var alias: String
  /// Version before and after; `nil` is "not set".
  package var from: Int?
  package var to: Int?
  /// SHA-256 of the file of version `to`.
  package var versionDigest: String?
  package var at: String
  package var by: String?
  package var reason: String?
  /// SHA-256 of the line before, without its newline; of the first line, that of `pipe.aliases/1 NAME`.
  package var previous: String

  var line: String {
    let members: [String: JSONValue?] = [
      "sequence": .integer(sequence), "alias": .string(alias), "from": from.map(JSONValue.integer),
      "to": to.map(JSONValue.integer), "version": versionDigest.map(JSONValue.string), "at": .string(at),
      "by": by.map(JSONValue.string), "reason": reason.map(JSONValue.string), "previous": .string(previous),
    ]
    return JSONValue.object(members.compactMapValues { $0 }).canonicalText
  }

  init(
    sequence: Int, alias: String, from: Int?, to: Int?, versionDigest: String?, at: String, by: String?, reason: String?,
    previous: String
  ) {
    self.sequence = sequence
    self.alias = alias
    self.from = from
    self.to = to
    self.versionDigest = versionDigest
    self.at = at
    self.by = by
    self.reason = reason
    self.previous = previous
  }

  /// `nil` unless the line is a JSON object with the keys of a move.
  init?(line: [UInt8]) {
    guard let json = try? JSONValue(parsing: line), let sequence = json["sequence"]?.integerValue,
      let alias = json["alias"]?.stringValue, let at = json["at"]?.stringValue, let previous = json["previous"]?.stringValue,
      json["from"] == nil || json["from"]?.integerValue != nil, json["to"] == nil || json["to"]?.integerValue != nil
    else { return nil }
    self.init(
      sequence: sequence, alias: alias, from: json["from"]?.integerValue, to: json["to"]?.integerValue,
      versionDigest: json["version"]?.stringValue, at: at, by: json["by"]?.stringValue,
      reason: json["reason"]?.stringValue, previous: previous)
  }
}

/// What is wrong with a file of the registry.
package struct RegistryProblem: Sendable, Equatable {
  package var path: String
  /// From 1; `nil` for the file as a whole.
  package var line: Int?
  package var message: String
}

/// The moves of one model's aliases, read from the bytes of its list.
struct AliasChain {
  var moves: [AliasMove] = []
  /// Bytes of the lines that hold; what follows them was never finished.
  var wholeBytes = 0
  /// The last line is half-written: the move it began never happened.
  var hasTornTail = false
  /// The whole last line lacks its newline.
  var lacksNewline = false
  /// The first line that breaks the chain.
  var problem: (line: Int, message: String)?
  private(set) var lastLine: [UInt8]

  /// Version by alias, as the moves left it.
  var aliases: [String: Int] = [:]

  static func genesis(of name: String) -> [UInt8] { Array("pipe.aliases/1 \(name)".utf8) }

  init(parsing bytes: [UInt8], name: String) {
    lastLine = Self.genesis(of: name)
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
    let tail = lines.removeLast()
    for (index, line) in lines.enumerated() where problem == nil {
      append(line, number: index + 1, next: index + 1 < lines.count ? lines[index + 1] : nil)
      if problem == nil { wholeBytes += line.count + 1 }
    }
    guard problem == nil, !tail.isEmpty else { return }
    guard AliasMove(line: tail) != nil else {
      hasTornTail = true
      return
    }
    append(tail, number: lines.count + 1, next: nil)
    if problem == nil {
      wholeBytes += tail.count
      lacksNewline = true
    }
  }

  private mutating func append(_ line: [UInt8], number: Int, next: [UInt8]?) {
    guard let move = AliasMove(line: line) else { return problem = (number, "the line is not an alias move") }
    if let found = fault(of: move, number: number, next: next, line: line) { return problem = found }
    aliases[move.alias] = move.to
    moves.append(move)
    lastLine = line
  }

  /// The line to blame and why; `nil` when this line follows from those before it.
  ///
  /// When a line's `previous` does not fit, either of the two was changed; the line after tells which.
  private func fault(of move: AliasMove, number: Int, next: [UInt8]?, line: [UInt8]) -> (line: Int, message: String)? {
    if move.sequence != number {
      return (number, "the line says that it is number \(move.sequence): a line was dropped, doubled or moved")
    }
    if move.previous != sha256(lastLine) {
      let isWhole = next.flatMap(AliasMove.init(line:))?.previous == sha256(line)
      if number == 1 { return (1, "the first line does not belong to this model, or was changed") }
      if isWhole { return (number - 1, "the line was changed after it was written") }
      return next == nil
        ? (number - 1, "the line was changed after it was written, or the one after it was")
        : (number, "the line was changed after it was written")
    }
    if move.from != aliases[move.alias] { return (number, "the alias did not stand at version \(move.from ?? 0) before") }
    return nil
  }
}
