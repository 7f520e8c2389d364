// Values that several tests share: readings of a manifest, stages, a recipe.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import Testing

/// Reads a manifest with parameter files given as text.
func pipeline(_ text: String, _ files: [String: String] = [:]) throws(DiagnosticList) -> Pipeline {
  try ManifestReader.read(text, file: "pipeline.yaml") { (path) throws(DiagnosticList) -> YAMLNode? in
    guard let text = files[path.text] else { return nil }
    let (tree, mistakes) = YAMLReader.read(text, file: path.text)
    try mistakes.throwIfErrors()
    return tree
  }
}

/// All that is wrong with a manifest, as a person reads it.
func complaints(_ text: String, _ files: [String: String] = [:]) -> String {
  do {
    _ = try pipeline(text, files)
    return ""
  } catch {
    return lines(error)
  }
}

func lines(_ list: DiagnosticList) -> String {
  list.diagnostics.map { DiagnosticRenderer().text($0) }.joined()
}

/// A stage that reads and writes, declared on line `line` of the manifest.
func stage(_ name: String, _ deps: [String], _ outs: [String], line: Int = 1) throws -> Stage {
  let here = SourceLocation(file: "pipeline.yaml", line: line, column: 3)
  return Stage(
    name: name, location: here, work: .commands(["true"]),
    dependencies: try deps.map { Dependency(name: nil, place: .workspace(try #require(WorkspacePath($0))), location: here) },
    outputs: try outs.map {
      Output(name: nil, path: try #require(WorkspacePath($0)), kind: .data, isCached: true, isPersistent: false, location: here)
    })
}

let abc = Digest.of("abc")

/// A recipe with something in every part.
func sampleRecipe() throws -> Recipe {
  let file = try #require(WorkspacePath("params.yaml"))
  return Recipe(
    commands: ["echo hi"], notebook: nil, workingDirectory: "sub", tools: [Recipe.Tool(name: "train", version: 2)],
    inputs: [Recipe.Input(path: "data/a.csv", digest: abc, size: 3, files: nil)],
    parameters: [
      Parameter(file: file, key: "train.lr", value: .double(0.5)), Parameter(file: file, key: "n", value: .integer(3)),
    ],
    environment: [EnvironmentVariable(name: "A", value: "b")],
    targets: [Recipe.Target(path: "out.txt", kind: .data, isCached: true, isPersistent: false)])
}
