// Short ways to write stages, recipes and results in these tests.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import ContentStore
import Diagnostics
import PipelineModel

/// A path that the test wrote itself, so it is one.
func path(_ text: String) -> WorkspacePath {
  guard let path = WorkspacePath(text) else { preconditionFailure("`\(text)` is no path in a workspace") }
  return path
}

func place(line: Int = 1) -> SourceLocation { SourceLocation(file: "pipeline.yaml", line: line, column: 3) }

func output(_ name: String, kind: Output.Kind = .data, cached: Bool = true, persistent: Bool = false) -> Output {
  Output(name: nil, path: path(name), kind: kind, isCached: cached, isPersistent: persistent, location: place(line: 9))
}

func parameter(_ key: String, _ value: ParameterValue, file: String = "params.yaml") -> Parameter {
  Parameter(file: path(file), key: key, value: value)
}

func stage(
  _ name: String, _ command: String = "work", reads: [String] = [], writes: [Output] = [], parameters: [Parameter] = [],
  frozen: Bool = false, alwaysChanged: Bool = false
) -> Stage {
  Stage(
    name: name, location: place(), work: .commands([command]),
    dependencies: reads.map { Dependency(name: nil, place: .workspace(path($0)), location: place(line: 7)) },
    outputs: writes,
    parameters: parameters.map { ParameterReference(file: $0.file, key: $0.key, value: $0.value, location: place(line: 8)) },
    isFrozen: frozen, alwaysChanged: alwaysChanged)
}

func recipe(
  _ commands: [String] = ["work"], notebook: Recipe.NotebookCode? = nil, folder: String? = nil, tools: [Recipe.Tool] = [],
  reads: [String: String] = ["in.txt": "in"], parameters: [Parameter] = [], environment: [EnvironmentVariable] = [],
  writes: [Recipe.Target] = [target("out.txt")]
) -> Recipe {
  Recipe(
    commands: commands, notebook: notebook, workingDirectory: folder, tools: tools,
    inputs: reads.map { Recipe.Input(path: $0, digest: Digest.of($1), size: $1.utf8.count, files: nil) },
    parameters: parameters, environment: environment, targets: writes)
}

func target(_ name: String, kind: Output.Kind = .data, cached: Bool = true, persistent: Bool = false) -> Recipe.Target {
  Recipe.Target(path: name, kind: kind, isCached: cached, isPersistent: persistent)
}

func result(_ name: String, _ content: String, executable: Bool = false) -> Trace.Result {
  Trace.Result(
    path: name, digest: Digest.of(content), size: content.utf8.count, files: nil, isExecutable: executable, kind: .data)
}

func trace(_ recipe: Recipe, _ outputs: [Trace.Result]) -> Trace {
  Trace(
    stage: "s", recipe: recipe, outputs: outputs,
    facts: Trace.Facts(
      run: "r", finishedAt: "2026-01-02T03:04:05Z", durationSeconds: 1, peakMemoryBytes: 1, host: "h", commit: nil,
      isDirty: false, log: nil, woven: nil))
}

/// How a stage ended, in one word, and for what reason.
func word(_ outcome: StageOutcome) -> String {
  switch outcome.result {
  case .upToDate: "up to date"
  case .frozen: "frozen"
  case .restored: "restored"
  case .recorded: "recorded"
  case .ran: "ran"
  case .failed(let diagnostic): "failed: \(diagnostic.message)"
  case .skipped(let after): "skipped after \(after)"
  case .interrupted: "interrupted"
  }
}
