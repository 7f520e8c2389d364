// One `repro`: a topological scheduler over the rebuilder, with every finished stage recorded.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import Diagnostics
package import PipelineModel

package struct BuildOptions: Sendable {
  /// Stages that may run at once, from 1.
  package var jobs: Int
  /// After a failure, go on with what does not need the failed stage.
  package var keepGoing: Bool
  package var force: Bool

  package init(jobs: Int = 1, keepGoing: Bool = false, force: Bool = false) {
    self.jobs = jobs
    self.keepGoing = keepGoing
    self.force = force
  }
}

/// What a build led to.
package struct BuildOutcome: Sendable {
  /// One a planned stage, in order.
  package var stages: [StageOutcome]
  /// The lock file with the new results.
  package var lock: LockFile
  package var isInterrupted: Bool
  /// A failure to record, after which nothing more was started.
  package var storageFailure: Diagnostic?

  /// Whether anything was run or brought back.
  package var didWork: Bool {
    stages.contains { outcome in
      switch outcome.result {
      case .upToDate, .frozen: false
      default: true
      }
    }
  }
}

/// Facts about the machine and the moment, handed in.
package struct BuildFacts: Sendable {
  package var run: String
  package var host: String
  /// The current time as RFC 3339.
  package var now: @Sendable () -> String
  /// Commit and whether anything is uncommitted. Asked for once, before the first stage runs.
  package var commit: @Sendable () -> (commit: String?, isDirty: Bool)

  package init(
    run: String, host: String, now: @escaping @Sendable () -> String,
    commit: @escaping @Sendable () -> (commit: String?, isDirty: Bool)
  ) {
    self.run = run
    self.host = host
    self.now = now
    self.commit = commit
  }
}

package struct Build: Sendable {
  private let graph: StageGraph
  private let order: [Int]
  private let options: BuildOptions
  private let place: BuildPlace
  private let inspector: Inspector
  private let traces: any TraceStore
  private let facts: BuildFacts
  private let isInterrupted: @Sendable () -> Bool
  private let emit: @Sendable (BuildEvent) -> Void
  private let work: StageWork

  /// - Parameters:
  ///   - order: the stages to bring up to date, each after those it needs.
  ///   - isInterrupted: once true, nothing more is started and what ends is not recorded.
  package init(
    graph: StageGraph, order: [Int], options: BuildOptions, place: BuildPlace, inspector: Inspector,
    traces: any TraceStore, executor: any Executor, facts: BuildFacts, isInterrupted: @escaping @Sendable () -> Bool,
    emit: @escaping @Sendable (BuildEvent) -> Void
  ) {
    self.graph = graph
    self.order = order
    self.options = options
    self.place = place
    self.inspector = inspector
    self.traces = traces
    self.facts = facts
    self.isInterrupted = isInterrupted
    self.emit = emit
    self.work = StageWork(
      place: place, inspector: inspector, executor: executor, isInterrupted: isInterrupted, emit: emit)
  }

  /// Brings back what a killed build had moved aside. Call it with the workspace locked, before `run`.
  package static func recover(scratch: String, workspace: Workspace) throws(StoreError) {
    try StageScratch.recover(in: scratch, workspace: workspace)
  }

  private enum Task: Sendable {
    case restore(Recipe, Trace.Known, [Reason])
    case run(Recipe, [Reason])
  }

  /// Runs until nothing more can be done. Never throws: a failed stage is an outcome.
  package func run(lock: LockFile) async -> BuildOutcome {
    var state = State(graph: graph, order: order, lock: lock)
    await withTaskGroup(of: (Int, StageOutcome).self) { group in
      var running = 0
      while true {
        while running < options.jobs, !state.isStopping, let index = state.nextReady() {
          if isInterrupted() {
            state.isStopping = true
            state.isInterrupted = true
            state.giveBack(index)
            break
          }
          switch decide(index, &state) {
          case .left(let outcome): finish(index, outcome, &state)
          case .right(let task):
            running += 1
            // Asked before the first stage changes the workspace.
            _ = state.commit(facts)
            let stage = graph.stages[index]
            let position = state.position(of: index)
            group.addTask { (index, await onOwnThread { perform(stage, task, position) }) }
          }
        }
        guard running > 0, let (index, outcome) = await group.next() else { break }
        running -= 1
        finish(index, outcome, &state)
      }
    }
    flush(&state)
    return state.outcome(interrupted: isInterrupted())
  }

  private enum Either {
    case left(StageOutcome)
    case right(Task)
  }

  private func decide(_ index: Int, _ state: inout State) -> Either {
    let stage = graph.stages[index]
    if stage.isFrozen { return .left(StageOutcome(stage: stage, result: .frozen)) }
    do {
      let recipe = try inspector.recipe(of: stage)
      let decision = Rebuilder(force: options.force).decide(
        Rebuilder.Situation(
          recipe: recipe, alwaysChanged: stage.alwaysChanged, locked: state.lock.entries[stage.name],
          traces: { (try? traces.traces(of: Fingerprint(of: recipe))) ?? [] }, onDisk: inspector.onDisk,
          isKept: { (try? place.store.containsAll(of: $0.digest)) ?? false }))
      switch decision {
      case .upToDate:
        let known = state.lock.entries[stage.name].map {
          Trace.Known(
            outputs: $0.outputs, id: TraceID(fingerprint: Fingerprint(of: recipe), outputs: Trace.digest(of: $0.outputs)))
        }
        return .left(StageOutcome(stage: stage, result: .upToDate, recipe: recipe, known: known))
      case .restore(let known, let reasons): return .right(.restore(recipe, known, reasons))
      case .run(let reasons): return .right(.run(recipe, reasons))
      }
    } catch let list as DiagnosticList {
      let first = list.diagnostics.first { $0.category != .warning }
      return .left(StageOutcome(stage: stage, result: .failed(first ?? Diagnostic(.bug, "an empty list of mistakes"))))
    } catch {
      let diagnostic = (error as? any DiagnosticConvertible)?.diagnostic ?? Diagnostic(.bug, "\(error)")
      return .left(StageOutcome(stage: stage, result: .failed(diagnostic)))
    }
  }

  private func perform(_ stage: Stage, _ task: Task, _ position: (Int, Int)) -> StageOutcome {
    switch task {
    case .restore(let recipe, let known, let reasons):
      do {
        try work.restore(stage, known)
        return StageOutcome(stage: stage, result: .restored, reasons: reasons, recipe: recipe, known: known)
      } catch {
        switch error {
        case .missingObject, .corruptObject, .malformedTree:
          return perform(stage, .run(recipe, reasons + [.objectMissing(path: known.outputs.first?.path ?? "")]), position)
        default:
          return StageOutcome(stage: stage, result: .failed(error.diagnostic), reasons: reasons, recipe: recipe)
        }
      }
    case .run(let recipe, let reasons):
      emit(.started(stage: stage.name, reasons: reasons, position: position.0, total: position.1))
      return work.run(stage, recipe, reasons: reasons)
    }
  }

  // MARK: Recording

  private func finish(_ index: Int, _ outcome: StageOutcome, _ state: inout State) {
    var outcome = outcome
    if case .ran = outcome.result, let recipe = outcome.recipe, let known = outcome.known {
      let (commit, isDirty) = state.commit(facts)
      state.pending.append(
        Trace(
          stage: outcome.stage.name, recipe: recipe, outputs: known.outputs,
          facts: Trace.Facts(
            run: facts.run, finishedAt: facts.now(), durationSeconds: (outcome.seconds * 1000).rounded() / 1000,
            peakMemoryBytes: outcome.peakMemoryBytes, host: facts.host, commit: commit, isDirty: isDirty, log: outcome.log,
            woven: outcome.woven)))
      if state.lastFlush.duration(to: .now) > .seconds(1) {
        flush(&state)
        if let failure = state.storageFailure { outcome.result = .failed(failure) }
      }
    }
    if outcome.isGood, let recipe = outcome.recipe, let known = outcome.known {
      state.lock.entries[outcome.stage.name] = LockEntry(recipe: recipe, outputs: known.outputs)
    }
    state.complete(index, outcome, keepGoing: options.keepGoing) { emit($0) }
  }

  /// Puts objects on the disk, then the traces that name them: invariant 2.
  private func flush(_ state: inout State) {
    guard !state.pending.isEmpty else { return }
    do {
      try place.store.flush()
      for trace in state.pending { try traces.insert(trace) }
      state.pending = []
    } catch {
      state.stop(error.diagnostic)
    }
    state.lastFlush = .now
  }
}

extension Build {
  /// What the scheduler knows; local to one `run`.
  private struct State {
    let graph: StageGraph
    var lock: LockFile
    var pending: [Trace] = []
    var lastFlush = ContinuousClock.now
    var isStopping = false
    var isInterrupted = false
    var storageFailure: Diagnostic?
    private let before: LockFile
    private let order: [Int]
    private let rank: [Int: Int]
    private var missing: [Int: Int]
    private var ready: [Int]
    private var outcomes: [Int: StageOutcome] = [:]
    private var commitFacts: (commit: String?, isDirty: Bool)?

    init(graph: StageGraph, order: [Int], lock: LockFile) {
      self.graph = graph
      self.order = order
      self.lock = lock
      before = lock
      let rank = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($0.element, $0.offset) })
      self.rank = rank
      missing = Dictionary(
        uniqueKeysWithValues: order.map { index in (index, graph.upstream[index].filter { rank[$0] != nil }.count) })
      ready = order.filter { index in graph.upstream[index].allSatisfy { rank[$0] == nil } }.reversed()
    }

    /// The ready stage that comes first in the order.
    mutating func nextReady() -> Int? { ready.popLast() }

    mutating func giveBack(_ index: Int) { ready.append(index) }

    func position(of index: Int) -> (Int, Int) { ((rank[index] ?? 0) + 1, order.count) }

    mutating func commit(_ facts: BuildFacts) -> (commit: String?, isDirty: Bool) {
      if let commitFacts { return commitFacts }
      let found = facts.commit()
      commitFacts = found
      return found
    }

    mutating func complete(_ index: Int, _ outcome: StageOutcome, keepGoing: Bool, emit: (BuildEvent) -> Void) {
      outcomes[index] = outcome
      let (position, total) = position(of: index)
      emit(.finished(outcome, position: position, total: total))
      guard outcome.isGood else {
        if case .interrupted = outcome.result { isInterrupted = true }
        if !keepGoing || isInterrupted { isStopping = true }
        skip(after: index, outcome.stage.name)
        return
      }
      for next in graph.downstream[index] {
        guard let count = missing[next] else { continue }
        missing[next] = count - 1
        if count == 1, outcomes[next] == nil { insert(next) }
      }
    }

    /// What could not be recorded did not happen: the lock file names only results that have a trace.
    mutating func stop(_ failure: Diagnostic) {
      storageFailure = failure
      isStopping = true
      for trace in pending {
        lock.entries[trace.stage] = before.entries[trace.stage]
        for index in outcomes.keys where outcomes[index]?.stage.name == trace.stage {
          outcomes[index]?.result = .failed(failure)
          outcomes[index]?.known = nil
        }
      }
      pending = []
    }

    /// Keeps `ready` sorted, the first of the order last.
    private mutating func insert(_ index: Int) {
      let place = rank[index] ?? 0
      let position = ready.firstIndex { (rank[$0] ?? 0) < place } ?? ready.endIndex
      ready.insert(index, at: position)
    }

    private mutating func skip(after index: Int, _ name: String) {
      for next in graph.downstream[index] where missing[next] != nil && outcomes[next] == nil {
        outcomes[next] = StageOutcome(stage: graph.stages[next], result: .skipped(after: name))
        skip(after: next, name)
      }
    }

    func outcome(interrupted: Bool) -> BuildOutcome {
      let stopped =
        order.lazy.compactMap { outcomes[$0] }.first { if case .failed = $0.result { true } else { false } }?.stage.name ?? ""
      return BuildOutcome(
        stages: order.map { outcomes[$0] ?? StageOutcome(stage: graph.stages[$0], result: .skipped(after: stopped)) },
        lock: lock, isInterrupted: interrupted || isInterrupted, storageFailure: storageFailure)
    }
  }
}
