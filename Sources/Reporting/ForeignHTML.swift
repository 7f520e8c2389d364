// HTML that a cell put out, reduced to what can do no harm.
// SPDX-License-Identifier: Apache-2.0

/// Keeps a few elements without attributes, in balance; all else is dropped or becomes text.
///
/// The reader is a strict one on purpose: a `<` that does not begin a known tag is text, so that no leniency of a
/// browser can find a tag where there was none.
package enum ForeignHTML {
  private static let kept: Set<String> = [
    "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "p", "br", "hr", "b", "strong", "i", "em", "u", "s",
    "sub", "sup", "code", "pre", "kbd", "samp", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "span", "div", "small",
  ]
  private static let empty: Set<String> = ["br", "hr"]
  /// Elements whose content is not for reading.
  private static let silenced: Set<String> = [
    "script", "style", "template", "noscript", "iframe", "object", "title", "textarea", "select", "svg", "math", "head",
  ]

  package static func sanitised(_ html: String) -> String {
    var reader = Reader(bytes: Array(html.utf8))
    reader.run()
    return "<div class=scroll role=region tabindex=0 aria-label=Output>" + reader.out + "</div>"
  }

  private struct Reader {
    let bytes: [UInt8]
    var position = 0
    var out = ""
    private var open: [String] = []
    /// Bytes still to be spent on tags that turn out not to end; it keeps hostile text from quadratic time.
    private var patience = 4_000_000
    private static let deepest = 64

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func run() {
      var start = 0
      while position < bytes.count {
        guard bytes[position] == UInt8(ascii: "<") else {
          position += 1
          continue
        }
        let before = position
        if starts("<!--") {
          write(start..<before)
          skip(past: "-->")
        } else if starts("<!") || starts("<?") {
          write(start..<before)
          skip(past: ">")
        } else if let tag = tag() {
          write(start..<before)
          handle(tag)
        } else {
          position += 1
          continue
        }
        start = position
      }
      write(start..<bytes.count)
      for name in open.reversed() { out += "</\(name)>" }
    }

    private struct Tag {
      var name: String
      var isClosing: Bool
      var spans: [(name: String, value: Int)] = []
    }

    /// Text stays as written, entities included: they are read by the browser in the place of text.
    private mutating func write(_ range: Range<Int>) {
      guard !range.isEmpty else { return }
      let text = String(decoding: bytes[range], as: UTF8.self)
      var escaped = ""
      for scalar in text.unicodeScalars {
        switch scalar {
        case "<": escaped += "&lt;"
        case ">": escaped += "&gt;"
        case "\"": escaped += "&quot;"
        case "'": escaped += "&#39;"
        case "\n", "\t": escaped.unicodeScalars.append(scalar)
        default: if scalar.value >= 0x20 { escaped.unicodeScalars.append(scalar) }
        }
      }
      out += escaped
    }

    private mutating func handle(_ tag: Tag) {
      if ForeignHTML.silenced.contains(tag.name) {
        if !tag.isClosing { skip(past: "</\(tag.name)", thenPast: ">") }
        return
      }
      guard ForeignHTML.kept.contains(tag.name) else { return }
      if ForeignHTML.empty.contains(tag.name) {
        out += "<\(tag.name)>"
      } else if tag.isClosing {
        guard open.contains(tag.name) else { return }
        while let last = open.popLast() {
          out += "</\(last)>"
          if last == tag.name { break }
        }
      } else if open.count < Self.deepest {
        open.append(tag.name)
        out += "<\(tag.name)\(tag.spans.map { " \($0.name)=\"\($0.value)\"" }.joined())>"
      }
    }

    /// Reads a tag at `position` and stands after it; stays where it is when there is none.
    private mutating func tag() -> Tag? {
      guard patience > 0 else { return nil }
      var i = position + 1
      let isClosing = i < bytes.count && bytes[i] == UInt8(ascii: "/")
      if isClosing { i += 1 }
      let nameStart = i
      while i < bytes.count, isLetter(bytes[i]) || isDigit(bytes[i]) { i += 1 }
      guard i > nameStart, isLetter(bytes[nameStart]), i - nameStart < 20 else { return nil }
      var tag = Tag(name: lowercased(nameStart..<i), isClosing: isClosing)
      // Attributes up to `>`, quotes respected; of them only spans of table cells are read.
      var quote: UInt8?
      let attributes = i
      while i < bytes.count {
        let byte = bytes[i]
        if let mark = quote {
          if byte == mark { quote = nil }
        } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
          quote = byte
        } else if byte == UInt8(ascii: ">") {
          break
        }
        i += 1
      }
      guard i < bytes.count else {
        patience -= i - position
        return nil
      }
      if tag.name == "td" || tag.name == "th" {
        let text = lowercased(attributes..<i)
        for name in ["colspan", "rowspan"] {
          if let value = number(after: name + "=", in: text) { tag.spans.append((name, value)) }
        }
      }
      position = i + 1
      return tag
    }

    private func number(after key: String, in text: String) -> Int? {
      guard let range = text.firstRange(of: key) else { return nil }
      let digits = text[range.upperBound...].drop { $0 == "\"" || $0 == "'" }.prefix { ("0"..."9").contains($0) }
      return Int(digits).flatMap { (2...200).contains($0) ? $0 : nil }
    }

    private func starts(_ text: String) -> Bool { bytes[position...].starts(with: text.utf8) }

    private mutating func skip(past text: String, thenPast end: String? = nil) {
      let wanted = Array(text.utf8)
      while position < bytes.count {
        let part = bytes[position..<min(bytes.count, position + wanted.count)]
        if part.elementsEqual(wanted, by: { lower($0) == $1 }) {
          position += wanted.count
          if let end { skip(past: end) }
          return
        }
        position += 1
      }
    }

    private func lowercased(_ range: Range<Int>) -> String {
      String(decoding: bytes[range].map(lower), as: UTF8.self)
    }

    private func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte + 32 : byte }
    private func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(lower(byte)) }
    private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
  }
}
