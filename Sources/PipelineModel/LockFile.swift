// The traces the team agreed on: what Git keeps of a pipeline's results.
// SPDX-License-Identifier: Apache-2.0

/// One stage's agreed result.
package struct LockEntry: Sendable, Equatable {
  package var recipe: Recipe
  package var outputs: [Trace.Result]

  package init(recipe: Recipe, outputs: [Trace.Result]) {
    self.recipe = recipe
    self.outputs = outputs
  }

  package init(_ trace: Trace) {
    self.init(recipe: trace.recipe, outputs: trace.outputs)
  }
}

package struct LockFile: Sendable, Equatable {
  package var entries: [String: LockEntry]

  package init(entries: [String: LockEntry] = [:]) { self.entries = entries }
}
