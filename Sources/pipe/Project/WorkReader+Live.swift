// The engine's view of code: notebooks are parsed to cells, calls of the kit carry its behaviour versions.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import KitCatalog
import Notebooks
import PipelineModel

extension WorkReader {
  static func live(_ project: Project) -> WorkReader {
    let root = project.root
    return WorkReader(
      notebookCode: { path in
        guard let text = try AtomicFile.readText("\(root)/\(path)") else {
          throw Diagnostic(.input, "the notebook `\(path)` is not there")
        }
        return try NotebookParser.parse(text, file: path.text).fingerprintText
      },
      tools: kitPrograms(calledIn:), parameterFile: { try project.parameters($0) })
  }
}

/// The programs of the kit that a piece of code calls as `pipe kit NAME` or `pipe-kit NAME`.
func kitPrograms(calledIn code: [String]) -> [Recipe.Tool] {
  var found: Set<String> = []
  for text in code where text.utf8.mentionsKit {
    let words = text.split { !($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
    for (index, word) in words.enumerated() {
      if word == "pipe-kit", index + 1 < words.count { found.insert(String(words[index + 1])) }
      if word == "kit", index > 0, words[index - 1] == "pipe", index + 1 < words.count { found.insert(String(words[index + 1])) }
    }
  }
  return found.compactMap { KitProgram.named($0) }.map { Recipe.Tool(name: $0.name, version: $0.behaviorVersion) }
}

extension String.UTF8View {
  /// Whether `kit` stands anywhere: splitting to words takes a second for every five megabytes.
  fileprivate var mentionsKit: Bool {
    var matched = 0
    for byte in self {
      if byte == UInt8(ascii: "t"), matched == 2 { return true }
      matched = byte == UInt8(ascii: "k") ? 1 : byte == UInt8(ascii: "i") && matched == 1 ? 2 : 0
    }
    return false
  }
}
