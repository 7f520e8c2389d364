// Values that several tests share: readings of a manifest, stages, a recipe.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import Testing

/// Reads a manifest with the files around it given as text.
func reading(
  _ text: String, _ files: [String: String] = [:], at manifest: String = "pipeline.yaml", _ dialect: Dialect = .native,
  settings: InterpolationSettings = InterpolationSettings(), matches: [String] = [], variables: [String: String] = [:]
) throws(DiagnosticList) -> ManifestReading {
  guard let path = WorkspacePath(manifest) else { return try reading("not a path") }
  return try ManifestReader.read(
    text, at: path, dialect: dialect,
    ManifestSurroundings(
      text: { files[$0.text] }, matches: { _ in matches.compactMap { WorkspacePath($0) } }, variable: { variables[$0] },
      settings: settings))
}

/// Reads a native manifest at the root.
func pipeline(_ text: String, _ files: [String: String] = [:]) throws(DiagnosticList) -> Pipeline {
  try reading(text, files).pipeline
}

/// All that is wrong with a manifest, as a person reads it.
func complaints(_ text: String, _ files: [String: String] = [:]) -> String {
  complaints { () throws(DiagnosticList) in try pipeline(text, files) }
}

private func complaints(_ read: () throws(DiagnosticList) -> Pipeline) -> String {
  do {
    _ = try read()
    return ""
  } catch {
    return lines(error)
  }
}

/// What the readings of DVC's manifests find beside them.
enum DVCSample {
  static let files = ["params.yaml": params]

  static let params = """
    a: 1
    f: 1.50
    big: 1e10
    small: 0.00001
    neg: -0.0
    b: true
    n:
    t: text
    l: [1, 'a b', true, null, 1.5]
    d: {x: 1, y: {z: 'q w', t: true, u: false, n: null, l: [1, 'a b', true], e: [], ed: {}}}
    m: {k: {z: 9}}
    x-y: dash
    a b: space

    """
}

/// Reads a manifest of DVC.
func dvc(
  _ text: String, _ files: [String: String] = DVCSample.files, at manifest: String = "dvc.yaml",
  settings: InterpolationSettings = InterpolationSettings()
) throws(DiagnosticList) -> Pipeline {
  try reading(text, files, at: manifest, .dvc, settings: settings).pipeline
}

/// All that is wrong with a manifest of DVC, as a person reads it.
func dvcComplaints(_ text: String, _ files: [String: String] = DVCSample.files) -> String {
  complaints { () throws(DiagnosticList) in try dvc(text, files) }
}

extension Stage {
  var command: String {
    if case .commands(let commands) = work { return commands.joined(separator: " ;; ") }
    return "-"
  }

  /// Name, command and outputs.
  var line: String { "\(localName): \(command)" + outputs.map { " > \($0.path)" }.joined() }
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
