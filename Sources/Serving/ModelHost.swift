// Holds the model that is current, and puts another in its place.
// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The current model.
///
/// Requests read `current` without waiting for the actor, and keep what they read until they are answered: a model that
/// was replaced goes away with the last request that holds it. Loading happens beside, one at a time, in the actor.
package actor ModelHost {
  private let slot: Mutex<ServedModel>

  package init(_ model: ServedModel) { slot = Mutex(model) }

  package nonisolated var current: ServedModel { slot.withLock { $0 } }

  /// Makes a model with `load` and serves it from then on; when `load` throws, the current one stays.
  package func replace(with load: @Sendable () throws -> ServedModel) throws {
    let next = try load()
    slot.withLock { $0 = next }
  }
}
