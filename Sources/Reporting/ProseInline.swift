// Emphasis, code and links inside a line of Markdown.
// SPDX-License-Identifier: Apache-2.0

/// Inline Markdown to HTML: whatever is not one of the known forms is text.
package enum ProseInline {
  package static func html(_ text: String) -> String {
    var parser = ProseInlineParser(Array(text))
    return parser.run(from: 0, to: parser.characters.count, depth: 0)
  }

  /// May a link lead there? Only to the web, to mail, or to a place beside this page.
  package static func isSafe(address: String) -> Bool {
    let scheme = address.prefix { $0 != ":" && $0 != "/" && $0 != "?" && $0 != "#" }
    guard !address.isEmpty else { return false }
    guard scheme.count < address.count, address[scheme.endIndex] == ":" else {
      // Relative; but not to another machine without naming a scheme.
      return !address.hasPrefix("//") && !address.hasPrefix("/\\") && !address.hasPrefix("\\")
        && !address.unicodeScalars.contains { $0.value < 0x20 }
    }
    return ["https", "http", "mailto"].contains(scheme.lowercased())
  }
}

private struct ProseInlineParser {
  let characters: [Character]
  /// From where on there is no closing mark, so that a page of opening ones does not take quadratic time.
  private var hopeless: [Search: Int] = [:]
  private static let deepest = 12

  private struct Search: Hashable {
    var mark: Character
    var size: Int
    var end: Int
  }

  init(_ characters: [Character]) { self.characters = characters }

  mutating func run(from start: Int, to end: Int, depth: Int) -> String {
    var out = ""
    var plain = ""
    var i = start
    func flush() {
      out += PlainText.content(plain)
      plain = ""
    }
    while i < end {
      let c = characters[i]
      if c == "\\", i + 1 < end {
        if characters[i + 1] == "\n" {
          flush()
          out += "<br>"
          i += 2
          continue
        }
        if isPunctuation(characters[i + 1]) {
          plain.append(characters[i + 1])
          i += 2
          continue
        }
      }
      if depth < Self.deepest, let (element, next) = element(at: i, end: end, depth: depth) {
        flush()
        out += element
        i = next
        continue
      }
      // A run of marks that opened nothing is text as a whole.
      if c == "`" || c == "*" {
        while i < end, characters[i] == c {
          plain.append(c)
          i += 1
        }
        continue
      }
      plain.append(c)
      i += 1
    }
    flush()
    return out
  }

  private mutating func element(at i: Int, end: Int, depth: Int) -> (String, Int)? {
    switch characters[i] {
    case "`": return codeSpan(i, end)
    case "*", "_": return emphasis(i, end, depth)
    case "~": return strike(i, end, depth)
    case "!": return image(i, end)
    case "[": return link(i, end, depth)
    case "<": return autolink(i, end)
    default: return nil
    }
  }

  private func codeSpan(_ i: Int, _ end: Int) -> (String, Int)? {
    let ticks = runLength(i, end)
    var j = i + ticks
    while j < end {
      guard characters[j] == "`" else {
        j += 1
        continue
      }
      let closing = runLength(j, end)
      if closing == ticks {
        var body = String(characters[(i + ticks)..<j]).split(separator: "\n").joined(separator: " ")
        if body.hasPrefix(" "), body.hasSuffix(" "), body.contains(where: { $0 != " " }) {
          body = String(body.dropFirst().dropLast())
        }
        return ("<code>\(PlainText.content(body))</code>", j + closing)
      }
      j += closing
    }
    return nil
  }

  private mutating func emphasis(_ i: Int, _ end: Int, _ depth: Int) -> (String, Int)? {
    let mark = characters[i]
    let length = min(3, runLength(i, end))
    guard i + length < end, !isSpace(characters[i + length]) else { return nil }
    if mark == "_", i > 0, isWord(characters[i - 1]) { return nil }
    for size in stride(from: length, through: 1, by: -1) {
      guard let close = closing(mark, size, from: i + size, end) else { continue }
      let inner = run(from: i + size, to: close, depth: depth + 1)
      let (open, shut) =
        size == 1 ? ("<em>", "</em>") : size == 2 ? ("<strong>", "</strong>") : ("<strong><em>", "</em></strong>")
      return (open + inner + shut, close + size)
    }
    return nil
  }

  /// Where a run of at least `size` marks ends a stretch that does not end in a space.
  private mutating func closing(_ mark: Character, _ size: Int, from start: Int, _ end: Int) -> Int? {
    var j = start
    let search = Search(mark: mark, size: size, end: end)
    if let known = hopeless[search], start >= known { return nil }
    while j < end {
      if characters[j] == "\\" {
        j += 2
        continue
      }
      if characters[j] == "`", let (_, next) = codeSpan(j, end) {
        j = next
        continue
      }
      guard characters[j] == mark else {
        j += 1
        continue
      }
      let length = runLength(j, end)
      let after = j + length < end ? characters[j + length] : " "
      let isClosing = j > start && !isSpace(characters[j - 1]) && (mark == "*" || !isWord(after))
      if isClosing, length == size || length >= 3 { return j + (length >= size ? length - size : 0) }
      j += length
    }
    hopeless[search] = start
    return nil
  }

  private mutating func strike(_ i: Int, _ end: Int, _ depth: Int) -> (String, Int)? {
    guard runLength(i, end) == 2, let close = closing("~", 2, from: i + 2, end) else { return nil }
    return ("<del>\(run(from: i + 2, to: close, depth: depth + 1))</del>", close + 2)
  }

  private func image(_ i: Int, _ end: Int) -> (String, Int)? {
    guard i + 1 < end, characters[i + 1] == "[", let (text, _, next) = bracketed(i + 1, end) else { return nil }
    let alternative = String(characters[text])
    return ("<span class=\"muted\">[image: \(PlainText.content(alternative))]</span>", next)
  }

  private mutating func link(_ i: Int, _ end: Int, _ depth: Int) -> (String, Int)? {
    guard let (text, address, next) = bracketed(i, end) else { return nil }
    let inner = run(from: text.lowerBound, to: text.upperBound, depth: depth + 1)
    guard ProseInline.isSafe(address: address) else { return (inner, next) }
    return ("<a href=\"\(PlainText.escaped(address))\" rel=\"noreferrer\">\(inner)</a>", next)
  }

  /// `[text](address "title")` with balanced brackets.
  private func bracketed(_ i: Int, _ end: Int) -> (text: Range<Int>, address: String, next: Int)? {
    guard let close = balanced(i, "[", "]", end), close + 1 < end, characters[close + 1] == "(",
      let shut = balanced(close + 1, "(", ")", end)
    else { return nil }
    var content = characters[(close + 2)..<shut]
    while let first = content.first, isSpace(first) { content.removeFirst() }
    var address = String(content.prefix { !isSpace($0) })
    // After the address there may be a title in quotes, and nothing else.
    if let mark = content.dropFirst(address.count).first(where: { !isSpace($0) }), mark != "\"", mark != "'" { return nil }
    if address.hasPrefix("<"), address.hasSuffix(">") { address = String(address.dropFirst().dropLast()) }
    return ((i + 1)..<close, address, shut + 1)
  }

  private func balanced(_ i: Int, _ open: Character, _ shut: Character, _ end: Int) -> Int? {
    var depth = 0
    var j = i
    // No bracket of a sensible text is longer; the bound keeps a page of `[` from taking quadratic time.
    while j < min(end, i + 2_000) {
      if characters[j] == "\\" {
        j += 2
        continue
      }
      if characters[j] == open { depth += 1 }
      if characters[j] == shut {
        depth -= 1
        if depth == 0 { return j }
      }
      j += 1
    }
    return nil
  }

  private func autolink(_ i: Int, _ end: Int) -> (String, Int)? {
    guard let close = characters[i..<min(end, i + 2_000)].firstIndex(of: ">") else { return nil }
    let address = String(characters[(i + 1)..<close])
    let isAddress = ["https://", "http://", "mailto:"].contains { address.lowercased().hasPrefix($0) }
    guard isAddress, !address.contains(where: { $0 == " " || $0 == "<" || $0 == "\n" }) else { return nil }
    return ("<a href=\"\(PlainText.escaped(address))\" rel=\"noreferrer\">\(PlainText.content(address))</a>", close + 1)
  }

  private func runLength(_ i: Int, _ end: Int) -> Int {
    var j = i
    while j < end, characters[j] == characters[i] { j += 1 }
    return j - i
  }

  private func isSpace(_ c: Character) -> Bool { c == " " || c == "\n" }
  private func isWord(_ c: Character) -> Bool { c.isLetter || c.isNumber || c == "_" }
  private func isPunctuation(_ c: Character) -> Bool { c.isASCII && !c.isLetter && !c.isNumber && !c.isWhitespace }
}
