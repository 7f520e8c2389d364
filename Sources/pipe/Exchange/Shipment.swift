// What is to be exchanged with which remote: outputs of the workspace and of commits, by their agreed digests.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import PipelineModel
import SourceControl

/// Which outputs a transfer is about.
struct ShipmentScope {
  var targets: [String] = []
  var remote: String?
  var revisions = RevisionChoice()
  var withDependencies = false
  var isRecursive = false
  var usesPatterns = false
  /// Objects copied at once; `nil` is what suits the machine.
  var jobs: Int?
  /// Leaves out what is kept from remotes, and imports.
  var isPush = false
  /// Bytes; larger outputs are left out.
  var maximumSize: Int?
  /// Empty is all.
  var kinds: Set<Output.Kind> = []
}

struct Shipment {
  /// An output with the object that it was.
  struct Item {
    var output: Output
    var result: Trace.Result
    /// Below the output's folder; `nil` is all of it.
    var part: String?
  }

  /// Remote as outputs name it (`nil` is the chosen or default one) → what goes there.
  private(set) var groups: [(remote: String?, items: [Item])] = []
  /// Outputs that no result was agreed of.
  private(set) var unknown: [WorkspacePath] = []

  /// - Throws: a `Diagnostic` for targets that name nothing in any of the revisions.
  init(_ project: Project, _ scope: ShipmentScope) throws {
    var failure: (any Error)?
    var found = false
    var sources: [() throws -> LoadedProject] = [{ try project.load() }]
    if !scope.revisions.isEmpty {
      guard let repository = try GitRepository.open(at: project.root) else {
        throw Diagnostic(.input, "branches, tags and commits need a Git repository, and the project is in none")
      }
      for commit in try repository.commits(scope.revisions) { sources.append { try project.load(at: commit.commit.hex) } }
    }
    for (index, source) in sources.enumerated() {
      do {
        let loaded = try source()
        var selection = OutputSelection(loaded, try loaded.graph())
        selection.withDependencies = scope.withDependencies
        selection.isRecursive = scope.isRecursive
        selection.usesPatterns = scope.usesPatterns
        let selected = try selection.outputs(of: scope.targets)
        found = true
        for output in selected { add(output, loaded, scope, notesUnknown: index == 0) }
      } catch {
        // A commit whose files cannot be read has nothing to give; the workspace has to be sound.
        if index == 0, sources.count == 1 { throw error }
        failure = failure ?? error
      }
    }
    if !found, let failure { throw failure }
  }

  private mutating func add(_ selected: SelectedOutput, _ loaded: LoadedProject, _ scope: ShipmentScope, notesUnknown: Bool) {
    let output = selected.output
    guard loaded.project.dialect.isNative ? output.isStored : output.isCached else { return }
    if scope.isPush, !output.isPushed || Self.isImport(selected.stage, loaded) { return }
    if let wanted = scope.remote, let own = output.remote, own != wanted { return }
    if !scope.kinds.isEmpty, !scope.kinds.contains(output.kind) { return }
    guard let agreed = selected.agreed else {
      if notesUnknown { unknown.append(output.path) }
      return
    }
    if let limit = scope.maximumSize, agreed.size > limit { return }
    let remote = scope.remote ?? output.remote
    let item = Item(output: output, result: agreed, part: selected.part)
    if let index = groups.firstIndex(where: { $0.remote == remote }) {
      groups[index].items.append(item)
    } else {
      groups.append((remote, [item]))
    }
  }

  /// Data of another repository is kept there.
  private static func isImport(_ stage: Stage, _ loaded: LoadedProject) -> Bool {
    guard let manifest = stage.manifest, let pointer = loaded.pointers[manifest]?.file else { return false }
    return pointer.dependencies.contains { $0.repository != nil }
  }
}
