// What a person reads when tracking is the matter.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics

extension TrackingError: DiagnosticConvertible {
  package var diagnostic: Diagnostic {
    switch self {
    case .file(let path, let operation, let reason):
      Diagnostic(.storage, "cannot \(operation) `\(path)`", causes: [reason])
    case .malformed(let path, let problem):
      Diagnostic(
        .storage, "`\(path)` is damaged", causes: [problem], hints: ["`git log -- \(path)` or a remote may have it whole"])
    case .unknownSchema(let path, let found, let known):
      Diagnostic(
        .storage, "`\(path)` has schema `\(found)`, and this `pipe` reads `\(known)`",
        hints: ["it was written by another version of `pipe`: use a newer one"])
    case .ledger(let path, let operation, let message):
      Diagnostic(
        .storage, "the ledger failed to \(operation)", causes: [message],
        hints: ["`\(path)` is only an index: delete it and it is made again from the records"])
    case .runExists, .unknownRun, .ambiguousRun, .unknownLineage, .ambiguousLineage: questionDiagnostic
    default: registryDiagnostic
    }
  }

  private var questionDiagnostic: Diagnostic {
    switch self {
    case .runExists(let id): Diagnostic(.bug, "run `\(id)` is recorded already, with other content")
    case .unknownRun(let id, let nearest):
      Diagnostic(.input, "there is no run `\(id)`", hints: suggestion(nearest, else: "`pipe runs` lists them"))
    case .ambiguousRun(let prefix, let candidates):
      Diagnostic(.input, "`\(prefix)` is the beginning of several runs: \(quoted(candidates))", hints: ["give more of it"])
    case .unknownLineage(let query, let nearest):
      Diagnostic(
        .input, "no stage is known to have read or made `\(query)`",
        hints: suggestion(nearest, else: "give a path as in pipeline.yaml, or at least 4 digits of a digest"))
    case .ambiguousLineage(let prefix, let candidates):
      Diagnostic(.input, "`\(prefix)` is the beginning of several digests", causes: candidates, hints: ["give more digits"])
    default: preconditionFailure("not a question")
    }
  }

  private var registryDiagnostic: Diagnostic {
    switch self {
    case .badName(let name):
      Diagnostic(
        .input, "`\(name)` cannot name a model or alias",
        hints: ["names have letters, digits, `-`, `_` and `.`, begin with a letter or digit, and have at most 100 bytes"])
    case .badReference(let text):
      Diagnostic(
        .input, "`\(text)` does not name a model version", hints: ["write `eta` (the newest), `eta/3` or `eta@production`"])
    case .unknownModel(let name, let nearest):
      Diagnostic(
        .input, "the registry has no model `\(name)`", hints: suggestion(nearest, else: "`pipe model list` shows what it has"))
    case .unknownVersion(let name, let number, let newest):
      Diagnostic(
        .input, "model `\(name)` has no version \(number)", hints: newest.map { ["the newest is `\(name)/\($0)`"] } ?? [])
    case .unknownAlias(let name, let alias, let nearest, let known):
      Diagnostic(
        .input, "model `\(name)` has no alias `\(alias)`",
        hints: suggestion(nearest, else: known.isEmpty ? "no alias is set yet" : "it has \(quoted(known))"))
    case .aliasMoved(let name, let alias, let expected, let actual):
      Diagnostic(
        .input, "alias `\(name)@\(alias)` points at \(words(actual)), not at \(words(expected)): somebody moved it meanwhile",
        hints: ["look at `pipe model show \(name)`, then decide again"])
    case .brokenRegistry(let problem):
      Diagnostic(
        .storage, "the registry is damaged: \(problem.message)", at: SourceLocation(file: problem.path, line: problem.line),
        hints: ["`git log -p -- \(problem.path)` shows who changed it; `git checkout` brings it back"])
    default: preconditionFailure("not about the registry")
    }
  }
}

private func suggestion(_ nearest: String?, else other: String) -> [String] {
  [nearest.map { "did you mean `\($0)`?" } ?? other]
}

private func quoted(_ names: [String]) -> String { names.map { "`\($0)`" }.joined(separator: ", ") }

private func words(_ version: Int?) -> String { version.map { "version \($0)" } ?? "nothing" }
