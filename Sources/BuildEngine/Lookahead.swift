// Asks of many stages at once, on all cores, whether they are as agreed.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import PipelineModel
internal import Synchronization

/// Answers stage by stage what `Inspector.isAsAgreed` says, and works the answers out ahead in growing blocks.
///
/// For as long as nobody changes the workspace. A block is as long as all before it together, so that what is asked in vain,
/// because something is out of date, is no more than what was of use.
final class Lookahead: Sendable {
  private static let largestBlock = 2048

  private let inspector: Inspector
  private let stages: [Stage]
  private let order: [Int]
  private let lock: LockFile
  private let rules: Rebuilder.Rules
  private let sights: Sights
  private let isInStore: @Sendable (Trace.Result) -> Bool
  private let first: Int
  /// Of the stages from `first` on.
  private let answers = Mutex<[Bool]>([])

  /// - Parameters:
  ///   - order: indices of the stages that will be asked for.
  ///   - first: the place in the order that is asked for first.
  ///   - sights: what was found before, and takes in what is found.
  ///   - isInStore: whether the store has the object of an output that is in place.
  init(
    _ inspector: Inspector, _ graph: StageGraph, order: [Int], from first: Int = 0, lock: LockFile, rules: Rebuilder.Rules,
    sights: Sights = Sights(), isInStore: @escaping @Sendable (Trace.Result) -> Bool
  ) {
    self.inspector = inspector
    stages = graph.stages
    self.order = order
    self.first = first
    self.lock = lock
    self.rules = rules
    self.sights = sights
    self.isInStore = isInStore
  }

  /// - Parameter place: of the stage in the order, from 0.
  func isAsAgreed(at place: Int) -> Bool {
    guard place >= first else { return ask(order[place]) }
    return answers.withLock { answers in
      while first + answers.count <= place {
        let next = first + answers.count
        answers += ask(next..<min(order.count, next + max(1, min(Self.largestBlock, answers.count))))
      }
      return answers[place - first]
    }
  }

  private func ask(_ places: Range<Int>) -> [Bool] {
    Workers.map(places.count, piece: 64) { self.ask(self.order[places.lowerBound + $0]) }
  }

  private func ask(_ index: Int) -> Bool {
    let stage = stages[index]
    guard let locked = lock.entries[stage.name] else { return false }
    return inspector.isAsAgreed(stage, locked, rules: rules, sights: sights, isInStore: isInStore)
  }
}
