// Whether a stage plainly is as its lock entry says: the question of which nearly every stage of a build is done.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
package import PipelineModel

extension Inspector {
  /// Whether a stage, its inputs, its outputs and the store are word for word as agreed.
  ///
  /// Nothing is built for the answer. `true` says what `Rebuilder.decide` would say, up to date, of a recipe that equals the
  /// locked one; `false` says nothing: the stage may still be up to date by another spelling, or be restored.
  ///
  /// - Parameters:
  ///   - sights: what was found before at the places that are looked at.
  ///   - isInStore: whether the store has the object of an output that is in place.
  package func isAsAgreed(
    _ stage: Stage, _ locked: LockEntry, rules: Rebuilder.Rules, sights: Sights?, isInStore: (Trace.Result) -> Bool
  ) -> Bool {
    guard !stage.isIdle, !stage.runsAlways, isDeclaredAsAgreed(stage, locked) else { return false }
    for (index, dependency) in stage.dependencies.enumerated() {
      guard let input = locked.recipe.inputs.element(near: index, where: { $0.path == dependency.place.text }),
        let content = try? look(at: dependency.place, as: input.digest.algorithm, sights), isAsAgreed(content, input)
      else { return false }
    }
    for (index, output) in stage.outputs.enumerated() {
      guard let result = locked.outputs.element(near: index, where: { $0.path == output.path.text }),
        let disk = (try? look(at: .workspace(output.path), as: result.digest.algorithm, sights))?.known,
        disk.digest == result.digest, !rules.countsExecutableBits || disk.isExecutable == result.isExecutable
      else { return false }
      let isStored = output.isCached || (rules.storesUncached && output.kind != .data)
      guard !isStored || isInStore(result) else { return false }
    }
    return true
  }

  /// What the manifest says. Where the lists are as long and no name stands twice, each that is found is another.
  private func isDeclaredAsAgreed(_ stage: Stage, _ locked: LockEntry) -> Bool {
    let agreed = locked.recipe
    guard case .commands(let commands) = stage.work, commands == agreed.commands, agreed.notebook == nil,
      dialect.isNative || stage.isCommandList == agreed.isCommandList,
      stage.workingDirectory?.text == agreed.workingDirectory, stage.environment == agreed.environment,
      stage.dependencies.count == agreed.inputs.count, stage.parameters.count == agreed.parameters.count,
      stage.outputs.count == agreed.targets.count, stage.outputs.count == locked.outputs.count,
      agreed.tools == (dialect.isNative ? work.tools(commands) : [])
    else { return false }
    let sameParameters = stage.parameters.enumerated().allSatisfy { index, reference in
      let known = agreed.parameters.element(near: index) { $0.file == reference.file && $0.key == reference.key }
      return known.map { $0.value == reference.value } == true && !madeParameters.contains(reference.file)
    }
    return sameParameters
      && stage.outputs.enumerated().allSatisfy { index, output in
        guard let target = agreed.targets.element(near: index, where: { $0.path == output.path.text }) else { return false }
        return output.kind == target.kind && output.isCached == target.isCached && output.isPersistent == target.isPersistent
      }
  }

  /// DVC's lock file need not tell more than the digest.
  private func isAsAgreed(_ content: Content, _ agreed: Recipe.Input) -> Bool {
    switch content {
    case .missing: false
    case .file(let digest, let size, let isExecutable):
      digest == agreed.digest
        && (!dialect.isNative || (size == agreed.size && agreed.files == nil && isExecutable == agreed.isExecutable))
    case .directory(let tree, let digest):
      digest == agreed.digest
        && (!dialect.isNative || (tree.size == agreed.size && tree.entries.count == agreed.files && !agreed.isExecutable))
    }
  }
}

extension Array {
  /// The element that a condition holds for, which nearly always stands at `index`; a long list is not searched.
  fileprivate func element(near index: Int, where holds: (Element) -> Bool) -> Element? {
    if index < count, holds(self[index]) { return self[index] }
    return count <= 32 ? first(where: holds) : nil
  }
}
