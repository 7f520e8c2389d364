// A YAML document as a tree in which every value knows its place.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

/// Line and column, both from 1.
package struct YAMLMark: Sendable, Hashable {
  package var line: Int
  package var column: Int

  package init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}

/// A value of a YAML document.
package struct YAMLNode: Sendable, Equatable {
  package enum Content: Sendable, Equatable {
    /// Text as it stands, with quotes resolved. `isPlain` tells `yes` from `"yes"`.
    case scalar(String, isPlain: Bool)
    case sequence([YAMLNode])
    case mapping([(key: YAMLKey, value: YAMLNode)])

    package static func == (a: Self, b: Self) -> Bool {
      switch (a, b) {
      case (.scalar(let x, let p), .scalar(let y, let q)): x == y && p == q
      case (.sequence(let x), .sequence(let y)): x == y
      case (.mapping(let x), .mapping(let y)):
        x.count == y.count && zip(x, y).allSatisfy { $0.key.text == $1.key.text && $0.value == $1.value }
      default: false
      }
    }
  }

  package var content: Content
  package var mark: YAMLMark

  package init(_ content: Content, at mark: YAMLMark) {
    self.content = content
    self.mark = mark
  }

  /// A tree that reads as the value, all of it at one place.
  package init(value: ParameterValue, at mark: YAMLMark) {
    self.mark = mark
    switch value {
    case .null: content = .scalar("", isPlain: true)
    case .bool(let flag): content = .scalar(flag ? "true" : "false", isPlain: true)
    case .integer(let number): content = .scalar("\(number)", isPlain: true)
    case .double(let number):
      content = .scalar(number.isNaN ? ".nan" : number.isInfinite ? (number < 0 ? "-.inf" : ".inf") : "\(number)", isPlain: true)
    case .text(let text): content = .scalar(text, isPlain: false)
    case .list(let items): content = .sequence(items.map { YAMLNode(value: $0, at: mark) })
    case .mapping(let pairs): content = .mapping(pairs.map { (YAMLKey($0.0, at: mark), YAMLNode(value: $0.1, at: mark)) })
    }
  }

  package func location(in file: String) -> SourceLocation {
    SourceLocation(file: file, line: mark.line, column: mark.column)
  }
}

/// A key of a mapping.
package struct YAMLKey: Sendable, Hashable {
  package var text: String
  package var mark: YAMLMark
  /// Whether it stands without quotes, so that `true` may be a flag.
  package var isPlain: Bool

  package init(_ text: String, at mark: YAMLMark, isPlain: Bool = false) {
    self.text = text
    self.mark = mark
    self.isPlain = isPlain
  }

  package func location(in file: String) -> SourceLocation {
    SourceLocation(file: file, line: mark.line, column: mark.column)
  }
}

extension YAMLNode {
  /// The text of a scalar; `nil` for null, sequences and mappings.
  package var text: String? {
    guard case .scalar(let text, let isPlain) = content else { return nil }
    if isPlain, ["", "~", "null", "Null", "NULL"].contains(text) { return nil }
    return text
  }

  package var items: [YAMLNode]? {
    guard case .sequence(let items) = content else { return nil }
    return items
  }

  package var pairs: [(key: YAMLKey, value: YAMLNode)]? {
    guard case .mapping(let pairs) = content else { return nil }
    return pairs
  }

  package subscript(key: String) -> YAMLNode? { pairs?.first { $0.key.text == key }?.value }

  /// "a list", "a mapping", "text": for messages.
  package var kindName: String {
    switch content {
    case .sequence: "a list"
    case .mapping: "a mapping"
    case .scalar:
      switch value {
      case .null: "nothing"
      case .bool: "true or false"
      case .integer, .double: "a number"
      default: "text"
      }
    }
  }

  /// The value by the core schema of YAML 1.2: `yes` is text, `0o17` is 15.
  package var value: ParameterValue {
    switch content {
    case .sequence(let items): .list(items.map(\.value))
    case .mapping(let pairs): .mapping(pairs.map { ($0.key.text, $0.value.value) })
    case .scalar(let text, isPlain: false): .text(text)
    case .scalar(let text, isPlain: true): ParameterValue(plain: text)
    }
  }
}
