// `pipe freeze` and `pipe unfreeze`: stages that are left as they are.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import PipelineModel

struct FreezeCommand: ParsableCommand, HasVolume {
  static let configuration = CommandConfiguration(
    commandName: "freeze",
    abstract: "Leave stages as they are until they are unfrozen.",
    discussion: """
      Example:
        pipe freeze train
      """)

  @Argument(help: "Stages, groups or pointer files.", completion: .custom(completeStages)) var targets: [String]
  @OptionGroup var volume: Volume

  func run() throws { try Freezing(isFrozen: true).apply(to: targets) }
}

struct UnfreezeCommand: ParsableCommand, HasVolume {
  static let configuration = CommandConfiguration(
    commandName: "unfreeze",
    abstract: "Let frozen stages run again.",
    discussion: """
      Example:
        pipe unfreeze train
      """)

  @Argument(help: "Stages, groups or pointer files.", completion: .custom(completeStages)) var targets: [String]
  @OptionGroup var volume: Volume

  func run() throws { try Freezing(isFrozen: false).apply(to: targets) }
}

private struct Freezing {
  let isFrozen: Bool

  /// Does what can be done, then tells of the targets that are none.
  func apply(to targets: [String]) throws {
    let project = try Project.find()
    try project.makeStateFolders()
    let holding = try project.takeLock()
    defer { withExtendedLifetime(holding) {} }
    let loaded = try project.load()
    let selection = TargetSelection(project, try loaded.graph())
    var mistakes = DiagnosticList()
    for target in targets {
      do {
        var done: Set<String> = []
        for index in try selection.indices(of: [target]) {
          let stage = selection.graph.stages[index]
          guard let manifest = stage.manifest, done.insert("\(manifest):\(stage.group ?? stage.localName)").inserted else {
            continue
          }
          if stage.group != nil, target.hasSuffix(stage.localName) {
            throw Diagnostic(
              .input, "`\(target)` is made from `\(stage.group ?? "")` and cannot be frozen by itself",
              hints: ["name the group"])
          }
          try change(stage, manifest, loaded)
        }
      } catch let list as DiagnosticList {
        for diagnostic in list.diagnostics { mistakes.add(diagnostic) }
      } catch let error as any DiagnosticConvertible {
        mistakes.add(error.diagnostic)
      }
    }
    try mistakes.throwIfErrors()
  }

  private func change(_ stage: Stage, _ manifest: WorkspacePath, _ loaded: LoadedProject) throws {
    let file = "\(loaded.project.root)/\(manifest)"
    guard let text = try AtomicFile.readText(file) else { return }
    let changed: String
    if stage.work == .data {
      guard var pointer = loaded.pointers[manifest]?.file else { return }
      pointer.isFrozen = isFrozen
      changed = try PointerFileText.updating(text, with: pointer, file: manifest.text)
    } else {
      changed = try YAMLEdit.settingFrozen(isFrozen, stage: stage.group ?? stage.localName, in: text, file: manifest.text)
    }
    let results = AgreedResults(project: loaded.project, loaded: loaded)
    guard try results.put(changed, at: manifest) else { return }
    try results.stage([manifest])
    Terminal.standard.note("\(isFrozen ? "froze" : "unfroze") `\(loaded.project.display(stage))`")
  }
}
