// The Swift cells of a stage as the text of one program.
// SPDX-License-Identifier: Apache-2.0

struct SwiftProgram {
  /// The cells one after the other, each under its own lines, between a wait and a report.
  var main: String
  /// What the cells see of their stage, and how they talk to us.
  var support: String

  init(_ cells: [NumberedCell], file: String, context: StageNotebookContext) {
    main = ""
    for cell in cells {
      main += "__pipeBegin(\(cell.number))\n"
      main += "#sourceLocation(file: \(Self.quoted(cell.cell.place ?? file)), line: \(cell.cell.firstLine))\n"
      main += cell.cell.source + "\n#sourceLocation()\n__pipeEnd(\(cell.number))\n"
    }
    support = Self.support(context)
  }

  private static func support(_ context: StageNotebookContext) -> String {
    var types: [String] = []
    types.append(type("PipeParameters", context.parameterTree))
    let paths = { (entries: [String: String]) in
      let pairs = entries.sorted { $0.key < $1.key }.map { "\(quoted($0.key)): \(quoted($0.value))" }
      return pairs.isEmpty ? "[:]" : "[\(pairs.joined(separator: ", "))]"
    }
    return """
      import Glibc

      /// The stage of this notebook.
      enum Pipe {
        static let params = PipeParameters()
        static let deps: [String: String] = \(paths(context.deps))
        static let outs: [String: String] = \(paths(context.outs))
        static let stage = \(quoted(context.stage))
      }

      \(types.joined(separator: "\n"))

      /// Waits until the cell's turn has come.
      func __pipeBegin(_ number: Int) {
        setvbuf(stdout, nil, _IOLBF, 0)
        if let folder = getenv("PIPE_CELLS_FOLDER") {
          _ = chdir(folder)
          unsetenv("PIPE_CELLS_FOLDER")
        }
        var byte: UInt8 = 0
        while byte != 10 {
          let count = read(61, &byte, 1)
          if count == 0 { exit(0) }
          if count < 0, errno != EINTR { exit(70) }
        }
      }

      func __pipeEnd(_ number: Int) {
        fflush(stdout)
        let answer = "{\\"event\\":\\"done\\",\\"cell\\":\\(number)}\\n"
        _ = answer.withCString { write(61, $0, strlen($0)) }
      }

      """
  }

  /// A struct whose members are the tree's keys; keys that are no names stand in backticks or are left to `["…"]`.
  private static func type(_ name: String, _ tree: [String: ContextValue]) -> String {
    var lines = ["struct \(name) {"]
    for (key, value) in tree.sorted(by: { $0.key < $1.key }) where isName(key) {
      if case .mapping(let inner) = value {
        lines.append(type("\(name)_\(key)", inner))
        lines.append("let `\(key)` = \(name)_\(key)()")
      } else if let literal = literal(value) {
        lines.append("let `\(key)`: \(literal.type) = \(literal.text)")
      }
    }
    return (lines + ["}"]).joined(separator: "\n")
  }

  private static func isName(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, first == "_" || first.properties.isAlphabetic else { return false }
    return text.unicodeScalars.allSatisfy { $0 == "_" || $0.properties.isAlphabetic || ("0"..."9").contains($0) }
  }

  private static func literal(_ value: ContextValue) -> (type: String, text: String)? {
    switch value {
    case .null: return ("String?", "nil")
    case .boolean(let flag): return ("Bool", "\(flag)")
    case .integer(let number): return ("Int", "\(number)")
    case .number(let number): return ("Double", number.isFinite ? "\(number)" : ".nan")
    case .text(let text): return ("String", quoted(text))
    case .list(let values):
      let literals = values.compactMap(literal)
      let types = Set(literals.map(\.type))
      guard literals.count == values.count else { return nil }
      if types.isEmpty { return ("[String]", "[]") }
      if types == ["Int", "Double"] || types.count == 1 {
        let type = types.count == 1 ? literals[0].type : "Double"
        return ("[\(type)]", "[\(literals.map(\.text).joined(separator: ", "))]")
      }
      return nil
    case .mapping: return nil
    }
  }

  static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" || scalar == "\\" {
        out += "\\\(scalar)"
      } else if scalar.value < 0x20 || scalar.value == 0x7F {
        out += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
