// What papermill does with a cell that is tagged `parameters`: its variables are defaults, and the stage's values come after it.
// SPDX-License-Identifier: Apache-2.0

/// The assignments that follow such a cell. A variable is a parameter by its full path, with `_` for the dots.
struct ParameterInjection {
  /// The type by which the woven notebook knows such an output.
  static let mime = "application/vnd.pipe.parameters+json"

  /// Runs in the cell's interpreter.
  private(set) var source = ""
  /// The same with the values written out, for a reader and for Jupyter.
  private(set) var shown = "# Parameters"
  /// Declared parameters that were used.
  private(set) var declared: Set<String> = []
  /// Variables that have the last name of a parameter, but not its path, with that path.
  private(set) var near: [(name: String, path: String)] = []

  var isEmpty: Bool { declared.isEmpty }

  /// - Parameter language: `python`, `r` or `bash`; in others a cell assigns nothing.
  init(_ cell: Cell, _ language: String, _ context: StageNotebookContext) {
    var known: [String: (path: String, value: ContextValue, declared: String)] = [:]
    for (path, leaf) in context.parameterLeaves { known[ParameterBindings.name(path)] = (path, leaf.value, leaf.declared) }
    for (key, value) in context.params { known[ParameterBindings.name(key)] = (key, value, key) }
    let paths = known.values.map(\.path).sorted()
    for name in Self.assigned(in: cell.source, language) {
      guard let parameter = known[name] else {
        if let path = paths.first(where: { $0.hasSuffix(".\(name)") }) { near.append((name, path)) }
        continue
      }
      declared.insert(parameter.declared)
      let literal = Self.literal(parameter.value, language)
      let mark = language == "r" ? " <- " : language == "bash" ? "=" : " = "
      // Of a mapping that is declared as a whole, bash has no variable for each value.
      let isVariable = language != "bash" || parameter.declared == parameter.path
      source += (isVariable ? Self.assignment(of: name, parameter.path, language) : "\(name)=\(literal)") + "\n"
      shown += "\n\(name)\(mark)\(literal)"
    }
  }

  /// Names that stand at the beginning of a line before an assignment, in order.
  private static func assigned(in source: String, _ language: String) -> [String] {
    var names: [String] = []
    for line in source.split(separator: "\n") {
      let name: Substring?
      switch language {
      case "python": name = line.prefixMatch(of: #/([A-Za-z_][A-Za-z0-9_]*)[ \t]*(?::[^=]*)?=(?!=)/#)?.output.1
      case "r": name = line.prefixMatch(of: #/([A-Za-z_][A-Za-z0-9_]*)[ \t]*(?:<-|=(?!=))/#)?.output.1
      case "bash": name = line.prefixMatch(of: #/([A-Za-z_][A-Za-z0-9_]*)=/#)?.output.1
      default: name = nil
      }
      if let name, !names.contains(String(name)) { names.append(String(name)) }
    }
    return names
  }

  private static func assignment(of name: String, _ path: String, _ language: String) -> String {
    let key = path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    switch language {
    case "r": return "\(name) <- pipe$params[[\"\(key)\"]]"
    case "bash": return "\(name)=\"$PIPE_PARAM_\(ParameterBindings.name(path))\""
    default: return "\(name) = pipe.params[\"\(key)\"]"
    }
  }

  /// A value as its language writes it.
  private static func literal(_ value: ContextValue, _ language: String) -> String {
    if language == "bash" {
      if case .text(let text) = value { return "'\(text.replacing("'", with: "'\\''"))'" }
      return "'\(value.jsonText)'"
    }
    let isR = language == "r"
    switch value {
    case .null: return isR ? "NULL" : "None"
    case .boolean(let flag): return isR ? (flag ? "TRUE" : "FALSE") : (flag ? "True" : "False")
    case .integer, .number, .text: return value.jsonText
    case .list(let items):
      let inner = items.map { literal($0, language) }.joined(separator: ", ")
      return isR ? "list(\(inner))" : "[\(inner)]"
    case .mapping(let entries):
      let inner = entries.sorted { $0.key < $1.key }.map { key, value in
        "\(ContextValue.text(key).jsonText)\(isR ? " = " : ": ")\(literal(value, language))"
      }
      return isR ? "list(\(inner.joined(separator: ", ")))" : "{\(inner.joined(separator: ", "))}"
    }
  }
}
