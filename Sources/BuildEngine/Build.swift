// One `repro`: a topological scheduler over the rebuilder, with every finished stage recorded.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import Diagnostics
package import PipelineModel

package struct BuildOptions: Sendable {
  package enum FailurePolicy: Sendable {
    /// Start nothing more.
    case stop
    /// Go on with what does not need the failed stage.
    case keepGoing
    /// Go on with everything, and call the build good.
    case ignore
  }

  /// Stages that may run at once, from 1.
  package var jobs = 1
  package var onFailure = FailurePolicy.stop
  package var force = false
  /// Once a stage has run, or its result was brought back or recorded, those that read its outputs run.
  package var forceDownstream = false
  /// Whether outputs and traces are kept; without, only the lock file learns the result.
  package var commits = true
  /// Whether results of other inputs' runs are looked for.
  package var usesTraces = true
  /// Data that is gone is brought back, also where it would else be a mistake.
  package var pulls = false
  /// Dependencies and outputs that are absent count as what was recorded of them.
  package var allowMissing = false
  /// Name → how much of a resource the stages that run at once may take; what is not named has no limit.
  package var resources: [String: Int] = [:]
  /// Why a stage must not make or bring back its outputs; asked before it does.
  package var objection: (@Sendable (Stage) -> Diagnostic?)?
  /// Asked before each stage that would run; `false` ends the build.
  package var confirm: (@Sendable (Stage) -> Bool)?

  package init(jobs: Int = 1, keepGoing: Bool = false, force: Bool = false) {
    self.jobs = jobs
    self.onFailure = keepGoing ? .keepGoing : .stop
    self.force = force
  }
}

/// What a build led to.
package struct BuildOutcome: Sendable {
  /// One a planned stage, in order.
  package var stages: [StageOutcome]
  /// The lock file with the new results.
  package var lock: LockFile
  /// Name of a stage that ran → facts of the first execution that led to its result.
  package var facts: [String: Trace.Facts] = [:]
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
    case record(Recipe, [Reason])
    case run(Recipe, [Reason])
  }

  /// Runs until nothing more can be done. Never throws: a failed stage is an outcome.
  package func run(lock: LockFile) async -> BuildOutcome {
    var state = State(graph: graph, order: order, lock: lock, resources: options.resources)
    await withTaskGroup(of: Moment.self) { group in
      var running = 0
      var isTicking = false
      while true {
        while running < options.jobs, !state.isStopping, let index = state.nextReady() {
          if isInterrupted() {
            state.isStopping = true
            state.isInterrupted = true
            break
          }
          if running == 0, state.lookahead == nil { state.lookahead = lookahead(from: index, state) }
          switch decide(index, &state) {
          case .agreed(let outcome): state.complete(index, outcome, options.onFailure) { emit($0) }
          case .decided(let outcome): finish(index, outcome, &state)
          case .due(let task):
            running += 1
            state.lookahead = nil
            state.occupy(index)
            // Asked before the first stage changes the workspace.
            _ = state.commit(facts)
            let stage = graph.stages[index]
            let position = state.position(of: index)
            group.addTask { .ended(index, await onOwnThread { perform(stage, task, position) }) }
          }
        }
        guard running > 0 else { break }
        if !state.pending.isEmpty, !isTicking {
          isTicking = true
          let due = state.nextFlush
          group.addTask {
            try? await Swift.Task.sleep(until: due, clock: .continuous)
            return .tick
          }
        }
        switch await group.next() {
        case .ended(let index, let outcome):
          running -= 1
          state.release(index)
          finish(index, outcome, &state)
        case .tick:
          isTicking = false
          flushIfDue(&state)
        case nil: break
        }
      }
      group.cancelAll()
    }
    flush(&state)
    flushTraces(&state)
    return state.outcome(interrupted: isInterrupted())
  }

  /// What the scheduler waits for.
  private enum Moment: Sendable {
    case ended(Int, StageOutcome)
    /// Results wait to be recorded while stages run on.
    case tick
  }

  /// What is to be done about a stage.
  private enum Step {
    /// Nothing: all is as the lock file has it.
    case agreed(StageOutcome)
    /// Nothing more; the lock file may learn of it.
    case decided(StageOutcome)
    case due(Task)
  }

  private func decide(_ index: Int, _ state: inout State) -> Step {
    let stage = graph.stages[index]
    let locked = state.lock.entries[stage.name]
    if let locked, isAsAgreed(index, locked, state) {
      return .agreed(
        StageOutcome(
          stage: stage, result: .upToDate, recipe: locked.recipe,
          known: Trace.Known(outputs: locked.outputs, of: locked.recipe)))
    }
    do {
      let recipe =
        stage.isIdle ? inspector.idleRecipe(of: stage) : try recipe(of: stage, index, locked, state)
      let force = options.force || state.forced.contains(index)
      var rules = Rebuilder.Rules.of(place.dialect)
      if options.pulls { rules.restoresIdle = true }
      let decision = Rebuilder(force: force, rules: rules).decide(
        Rebuilder.Situation(
          recipe: recipe, isIdle: stage.isIdle, isFrozen: stage.isFrozen, alwaysChanged: stage.runsAlways, locked: locked,
          traces: { options.usesTraces ? (try? traces.traces(of: recipe, stage: stage.name)) ?? [] : [] },
          onDisk: { path in onDisk(path, locked) },
          isKept: { (try? place.source.containsAll(of: $0.digest)) ?? false },
          isInStore: isInStore))
      if decision != .upToDate, let objection = options.objection?(stage) {
        return .decided(StageOutcome(stage: stage, result: .failed(objection)))
      }
      switch decision {
      case .upToDate:
        let known = locked.map { Trace.Known(outputs: $0.outputs, of: recipe) }
        return .decided(
          StageOutcome(
            stage: stage, result: stage.isFrozen ? .frozen : .upToDate, recipe: stage.isIdle ? nil : recipe, known: known))
      case .restore(let known, let reasons): return .due(.restore(recipe, known, reasons))
      case .record(let reasons): return .due(.record(recipe, reasons))
      case .run(let reasons):
        if let confirm = options.confirm, !confirm(stage) {
          let refusal = Diagnostic(.input, "stage `\(stage.name)` was not confirmed, so nothing more is run")
          return .decided(StageOutcome(stage: stage, result: .failed(refusal), reasons: reasons))
        }
        return .due(.run(recipe, reasons))
      }
    } catch let list as DiagnosticList {
      let first = list.diagnostics.first { $0.category != .warning }
      return .decided(StageOutcome(stage: stage, result: .failed(first ?? Diagnostic(.bug, "an empty list of mistakes"))))
    } catch {
      let diagnostic = (error as? any DiagnosticConvertible)?.diagnostic ?? Diagnostic(.bug, "\(error)")
      return .decided(StageOutcome(stage: stage, result: .failed(diagnostic)))
    }
  }

  /// Whether nothing has to be looked into further.
  private func isAsAgreed(_ index: Int, _ locked: LockEntry, _ state: State) -> Bool {
    guard !options.force, !options.pulls, !options.allowMissing, !state.forced.contains(index) else { return false }
    if let lookahead = state.lookahead { return lookahead.isAsAgreed(at: state.place(of: index)) }
    return inspector.isAsAgreed(graph.stages[index], locked, rules: .of(place.dialect), sights: nil, isInStore: isInStore)
  }

  /// Looks ahead for as long as nothing runs, since what runs may change anything.
  private func lookahead(from index: Int, _ state: State) -> Lookahead {
    Lookahead(
      inspector, graph, order: order, from: state.place(of: index), lock: state.lock, rules: .of(place.dialect),
      isInStore: isInStore)
  }

  @Sendable private func isInStore(_ output: Trace.Result) -> Bool {
    !options.commits || options.allowMissing || place.store.hasWhole(output.digest)
  }

  private func recipe(of stage: Stage, _ index: Int, _ locked: LockEntry?, _ state: State) throws -> Recipe {
    guard options.allowMissing || options.pulls else { return try inspector.recipe(of: stage, locked: locked) }
    return try inspector.recipe(of: stage, locked: locked) { dependency, algorithm in
      if let input = try inspector.input(dependency, as: algorithm) { return input }
      return Absent(lock: state.lock, graph: graph, store: place.source).input(dependency, of: index, locked)
    }
  }

  private func onDisk(_ path: String, _ locked: LockEntry?) -> (digest: Digest, isExecutable: Bool)? {
    let recorded = options.allowMissing || place.dialect.kind == .dvc ? locked?.outputs.first { $0.path == path } : nil
    if let disk = inspector.onDisk(path, as: recorded?.digest.algorithm) { return disk }
    return options.allowMissing ? recorded.map { ($0.digest, $0.isExecutable) } : nil
  }

  private func perform(_ stage: Stage, _ task: Task, _ position: (Int, Int)) -> StageOutcome {
    switch task {
    case .restore(let recipe, let known, let reasons):
      do {
        try work.restore(stage, known, commits: options.commits)
        return StageOutcome(stage: stage, result: .restored, reasons: reasons, recipe: recipe, known: known)
      } catch {
        switch error {
        case .missingObject, .corruptObject, .malformedTree:
          let lost = reasons + [.objectMissing(path: known.outputs.first?.path ?? "")]
          return perform(stage, stage.isIdle ? .record(recipe, lost) : .run(recipe, lost), position)
        default:
          return StageOutcome(stage: stage, result: .failed(error.diagnostic), reasons: reasons, recipe: recipe)
        }
      }
    case .record(let recipe, let reasons):
      return work.record(stage, recipe, reasons: reasons, commits: options.commits)
    case .run(let recipe, let reasons):
      emit(.started(stage: stage.name, reasons: reasons, position: position.0, total: position.1))
      return work.run(
        stage, recipe, reasons: reasons, commits: options.commits, bringsInputs: options.allowMissing || options.pulls)
    }
  }

  // MARK: Recording

  private func finish(_ index: Int, _ outcome: StageOutcome, _ state: inout State) {
    var outcome = outcome
    if case .ran = outcome.result, options.commits, let recipe = outcome.recipe, let known = outcome.known {
      let (commit, isDirty) = state.commit(facts)
      state.pending.append(
        Trace(
          stage: outcome.stage.name, recipe: recipe, outputs: known.outputs,
          facts: Trace.Facts(
            run: facts.run, finishedAt: facts.now(), durationSeconds: (outcome.seconds * 1000).rounded() / 1000,
            peakMemoryBytes: outcome.peakMemoryBytes, host: facts.host, commit: commit, isDirty: isDirty, log: outcome.log,
            woven: outcome.woven)))
      flushIfDue(&state)
      if let failure = state.storageFailure { outcome.result = .failed(failure) }
    }
    if outcome.isGood, place.dialect.isNative || outcome.madeResult, let recipe = outcome.recipe, let known = outcome.known {
      state.lock.entries[outcome.stage.name] = LockEntry(recipe: recipe, outputs: known.outputs)
    }
    if options.forceDownstream, outcome.madeResult { state.forced.formUnion(graph.downstream[index]) }
    state.complete(index, outcome, options.onFailure) { emit($0) }
  }

  private func flushIfDue(_ state: inout State) {
    if state.nextFlush <= .now { flush(&state) }
  }

  /// Puts objects on the disk, then the traces that name them: invariant 2.
  ///
  /// The next one waits ten times as long as this one took, so that recording costs a build a tenth of its time at most,
  /// however slow the disk is, and a kill loses no more than what ended within that time.
  private func flush(_ state: inout State) {
    guard !state.pending.isEmpty else { return }
    let start = ContinuousClock.now
    do {
      try place.store.flush()
      for trace in state.pending { state.kept[trace.stage] = try traces.insert(trace) }
      state.unflushed += state.pending
      state.pending = []
    } catch {
      state.stop(error.diagnostic)
    }
    let end = ContinuousClock.now
    state.nextFlush = end + max(.milliseconds(20), min(.seconds(2), (end - start) * 10))
  }
}

extension Build {
  /// Puts the traces on the disk, since what comes next names them: invariant 4.
  private func flushTraces(_ state: inout State) {
    guard !state.unflushed.isEmpty else { return }
    do {
      try traces.flush()
    } catch {
      state.pending = state.unflushed
      state.stop(error.diagnostic)
    }
  }

  /// What the scheduler knows; local to one `run`.
  private struct State {
    let graph: StageGraph
    var lock: LockFile
    /// Results that are not recorded yet.
    var pending: [Trace] = []
    /// Recorded ones that the machine's crash could lose.
    var unflushed: [Trace] = []
    /// Facts of the traces that are kept, by stage.
    var kept: [String: Trace.Facts] = [:]
    /// The first result is recorded at once.
    var nextFlush = ContinuousClock.now
    /// Looks at the workspace, while no stage changes it.
    var lookahead: Lookahead?
    var isStopping = false
    var isInterrupted = false
    var storageFailure: Diagnostic?
    private let before: LockFile
    private let order: [Int]
    private let rank: [Int: Int]
    private var missing: [Int: Int]
    private var ready: [Int]
    /// Stages that run because one before them did.
    var forced: Set<Int> = []
    private let limits: [String: Int]
    private var inUse: [String: Int] = [:]
    private var mutexes: Set<String> = []
    private var outcomes: [Int: StageOutcome] = [:]
    private var commitFacts: (commit: String?, isDirty: Bool)?

    init(graph: StageGraph, order: [Int], lock: LockFile, resources: [String: Int]) {
      self.graph = graph
      self.order = order
      self.lock = lock
      before = lock
      limits = resources
      let rank = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($0.element, $0.offset) })
      self.rank = rank
      missing = Dictionary(
        uniqueKeysWithValues: order.map { index in (index, graph.upstream[index].filter { rank[$0] != nil }.count) })
      outcomes.reserveCapacity(order.count)
      ready = order.filter { index in graph.upstream[index].allSatisfy { rank[$0] == nil } }.reversed()
    }

    /// The ready stage that comes first in the order and for which there is room beside those that run.
    mutating func nextReady() -> Int? {
      if mutexes.isEmpty, inUse.isEmpty { return ready.popLast() }
      guard let place = ready.lastIndex(where: { fits(graph.stages[$0]) }) else { return nil }
      return ready.remove(at: place)
    }

    private func fits(_ stage: Stage) -> Bool {
      mutexes.isDisjoint(with: stage.mutexes)
        && stage.resources.allSatisfy { name, amount in
          let used = inUse[name] ?? 0
          // A stage that asks for more than there is runs alone.
          return limits[name].map { used == 0 || used + amount <= $0 } ?? true
        }
    }

    mutating func occupy(_ index: Int) {
      mutexes.formUnion(graph.stages[index].mutexes)
      for (name, amount) in graph.stages[index].resources { inUse[name, default: 0] += amount }
    }

    mutating func release(_ index: Int) {
      mutexes.subtract(graph.stages[index].mutexes)
      for (name, amount) in graph.stages[index].resources {
        inUse[name, default: 0] -= amount
        if inUse[name] == 0 { inUse[name] = nil }
      }
    }

    /// Of a stage in the order, from 0.
    func place(of index: Int) -> Int { rank[index] ?? 0 }

    func position(of index: Int) -> (Int, Int) { ((rank[index] ?? 0) + 1, order.count) }

    mutating func commit(_ facts: BuildFacts) -> (commit: String?, isDirty: Bool) {
      if let commitFacts { return commitFacts }
      let found = facts.commit()
      commitFacts = found
      return found
    }

    mutating func complete(
      _ index: Int, _ outcome: StageOutcome, _ policy: BuildOptions.FailurePolicy, emit: (BuildEvent) -> Void
    ) {
      outcomes[index] = outcome
      let (position, total) = position(of: index)
      emit(.finished(outcome, position: position, total: total))
      guard outcome.isGood else {
        if case .interrupted = outcome.result { isInterrupted = true }
        if policy == .stop || isInterrupted { isStopping = true }
        if policy == .ignore, !isInterrupted { return free(after: index) }
        skip(after: index, outcome.stage.name)
        return
      }
      free(after: index)
    }

    private mutating func free(after index: Int) {
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
      var low = 0
      var high = ready.count
      while low < high {
        let middle = (low + high) / 2
        if (rank[ready[middle]] ?? 0) > place { low = middle + 1 } else { high = middle }
      }
      ready.insert(index, at: low)
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
        lock: lock, facts: kept, isInterrupted: interrupted || isInterrupted, storageFailure: storageFailure)
    }
  }
}

/// What a dependency that is not in the workspace counts as: what its maker left last, else what was recorded of it.
private struct Absent {
  let lock: LockFile
  let graph: StageGraph
  let store: any ObjectStore

  func input(_ dependency: Dependency, of index: Int, _ locked: LockEntry?) -> Recipe.Input? {
    let recorded = locked?.recipe.inputs.first { $0.path == dependency.place.text }
    guard let path = dependency.path, let maker = graph.producer(of: path),
      let result = lock.entries[maker.name]?.outputs.first(where: { path.isWithin(WorkspacePath($0.path) ?? path) })
    else { return recorded }
    if result.path == path.text {
      return Recipe.Input(
        path: path.text, digest: result.digest, size: result.size, files: result.files, isExecutable: result.isExecutable)
    }
    let inner = String(path.text.dropFirst(result.path.utf8.count + 1))
    guard result.digest.isTree, let tree = try? store.tree(result.digest),
      let entry = tree.entries.first(where: { $0.path == inner })
    else { return recorded }
    return Recipe.Input(path: path.text, digest: entry.digest, size: recorded?.size ?? 0, files: nil)
  }
}
