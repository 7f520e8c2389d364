// A glob as a small automaton: time grows with the path times the pattern, whatever the pattern.
// SPDX-License-Identifier: Apache-2.0

/// Segments between slashes, compiled. `**` as a whole segment stands for any folders.
struct Glob: Sendable {
  private enum Letter: Sendable {
    case exactly(UInt32)
    case any
    case notSlash
    case oneOf([ClosedRange<UInt32>], negated: Bool)

    func matches(_ scalar: UInt32) -> Bool {
      switch self {
      case .exactly(let wanted): scalar == wanted
      case .any: scalar != 10
      case .notSlash: scalar != 47
      case .oneOf(let ranges, let negated): ranges.contains { $0.contains(scalar) } != negated
      }
    }
  }

  private enum Node: Sendable {
    case one(Letter)
    /// Any number of letters, also none.
    case many(Letter)
    /// Goes on here or there.
    case fork(Int)
    /// The pattern is met, whatever follows.
    case done
    /// The pattern is met at the end, or before a slash.
    case doneAtBoundary
    case doneAtEnd
  }

  private var nodes: [Node] = []

  /// What is wrong with a pattern.
  enum Flaw: Error { case openBracket, trailingEscape }

  /// - Parameters:
  ///   - segments: of a pattern; not empty.
  ///   - coversBelow: whether a path below one that matches matches too, as in ignore files.
  init(_ segments: [Substring], coversBelow: Bool) throws(Flaw) {
    var needsSlash = false
    for (index, segment) in segments.enumerated() {
      let isLast = index == segments.count - 1
      if segment.utf8.elementsEqual("**".utf8) {
        if isLast {
          nodes.append(.one(.exactly(47)))
          if !coversBelow { nodes += [.one(.any), .many(.any)] }
          nodes.append(coversBelow ? .done : .doneAtEnd)
        } else if index == 0 {
          nodes += [.fork(nodes.count + 4), .one(.any), .many(.any), .one(.exactly(47))]
        } else {
          nodes += [.fork(nodes.count + 4), .one(.exactly(47)), .one(.any), .many(.any)]
          needsSlash = true
        }
        continue
      }
      if needsSlash { nodes.append(.one(.exactly(47))) }
      if segment.utf8.elementsEqual("*".utf8) {
        nodes += [.one(.notSlash), .many(.notSlash)]
      } else {
        try append(segment)
      }
      if isLast { nodes.append(coversBelow ? .doneAtBoundary : .doneAtEnd) }
      needsSlash = true
    }
  }

  private mutating func append(_ segment: Substring) throws(Flaw) {
    let text = segment.unicodeScalars.map(\.value)
    var index = 0
    while index < text.count {
      let scalar = text[index]
      index += 1
      switch scalar {
      case 92:  // backslash
        guard index < text.count else { throw .trailingEscape }
        nodes.append(.one(.exactly(text[index])))
        index += 1
      case 42: nodes.append(.many(.notSlash))
      case 63: nodes.append(.one(.notSlash))
      case 91: nodes.append(.one(try Self.bracket(text, &index)))
      default: nodes.append(.one(.exactly(scalar)))
      }
    }
  }

  /// Reads what follows a `[`: `!` or `^` negates, a `]` right behind is itself.
  private static func bracket(_ text: [UInt32], _ index: inout Int) throws(Flaw) -> Letter {
    var start = index
    let negated = start < text.count && (text[start] == 33 || text[start] == 94)
    if negated { start += 1 }
    var end = start
    if end < text.count, text[end] == 93 { end += 1 }
    while end < text.count, text[end] != 93 { end += 1 }
    guard end < text.count else { throw .openBracket }
    var ranges: [ClosedRange<UInt32>] = []
    var position = start
    while position < end {
      if position + 2 < end, text[position + 1] == 45 {
        if text[position] <= text[position + 2] { ranges.append(text[position]...text[position + 2]) }
        position += 3
      } else {
        ranges.append(text[position]...text[position])
        position += 1
      }
    }
    index = end + 1
    return .oneOf(ranges, negated: negated)
  }

  /// Whether a path matches from its beginning.
  ///
  /// - Parameter isFolder: whether the path is read with a slash at its end.
  func matches(_ path: some StringProtocol, isFolder: Bool = false) -> Bool {
    var current = [Bool](repeating: false, count: nodes.count)
    var next = current
    enter(0, &current)
    func isDone(_ states: [Bool], at scalar: UInt32?) -> Bool {
      for index in states.indices where states[index] {
        switch nodes[index] {
        case .done: return true
        case .doneAtBoundary: if scalar == nil || scalar == 47 { return true }
        case .doneAtEnd: if scalar == nil { return true }
        case .one, .many, .fork: break
        }
      }
      return false
    }
    func step(_ scalar: UInt32) -> Bool {
      if isDone(current, at: scalar) { return true }
      for index in next.indices { next[index] = false }
      for index in current.indices where current[index] {
        switch nodes[index] {
        case .one(let letter): if letter.matches(scalar) { enter(index + 1, &next) }
        case .many(let letter): if letter.matches(scalar) { enter(index, &next) }
        case .fork, .done, .doneAtBoundary, .doneAtEnd: break
        }
      }
      swap(&current, &next)
      return false
    }
    for scalar in path.unicodeScalars where step(scalar.value) { return true }
    if isFolder, step(47) { return true }
    return isDone(current, at: nil)
  }

  /// Marks a node and those that it reaches without a letter.
  private func enter(_ index: Int, _ states: inout [Bool]) {
    guard index < nodes.count, !states[index] else { return }
    states[index] = true
    switch nodes[index] {
    case .many: enter(index + 1, &states)
    case .fork(let other):
      enter(index + 1, &states)
      enter(other, &states)
    case .one, .done, .doneAtBoundary, .doneAtEnd: break
    }
  }
}
