// `pipe push`, `pipe fetch`, `pipe pull`: exchange results with a remote.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import PipelineModel
import SourceControl
import Tracking

/// What the three have in common.
struct TransferOptions: ParsableArguments {
  @Argument(help: "Stages, pointer files, or tracked paths. Default: all.", completion: .custom(completeStages))
  var targets: [String] = []
  @Option(name: .shortAndLong, help: "A remote's name, or a folder. Default: the remote that the configuration names.")
  var remote: String?
  @Flag(name: [.customShort("a"), .long], help: "Also what all branches name.") var allBranches = false
  @Flag(name: [.customShort("T"), .long], help: "Also what all tags name.") var allTags = false
  @Flag(name: [.customShort("A"), .long], help: "Also what all commits name.") var allCommits = false
  @Flag(name: [.customShort("d"), .long], help: "Also what the named stages need.") var withDeps = false
  @Flag(name: [.customShort("R"), .long], help: "A folder stands for all that is declared below it.") var recursive = false
  @Option(
    name: [.customShort("j", allowingJoined: true), .long], help: "Objects copied at once. Default: what suits the machine.")
  var jobs: Int?
  @Flag(inversion: .prefixedNo, help: "Also results of earlier runs, so that others need not run them.")
  var runCache: Bool?
  @Flag(name: .long, help: "Targets may hold `*`, `?` and `[a-z]`.") var glob = false

  func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("--jobs has to be 1 or more") }
  }

  var scope: ShipmentScope {
    ShipmentScope(
      targets: targets, remote: remote,
      revisions: RevisionChoice(allBranches: allBranches, allTags: allTags, allCommits: allCommits), withDependencies: withDeps,
      isRecursive: recursive, usesPatterns: glob, jobs: jobs)
  }
}

struct PushCommand: ParsableCommand, HasVolume {
  static let configuration = CommandConfiguration(
    commandName: "push",
    abstract: "Copy results to a remote.",
    discussion: """
      What is there already is not copied again, so a push that was cut off goes on where it stopped.

      Examples:
        pipe push
        pipe push --remote /mnt/team/store
        pipe push train -r archive --run-cache
      """)

  @OptionGroup var options: TransferOptions
  @OptionGroup var volume: Volume

  func run() throws {
    let project = try Project.find()
    try project.makeStateFolders()
    var scope = options.scope
    scope.isPush = true
    let shipment = try Shipment(project, scope)
    shipment.warnOfUnknown()
    var summary = ExchangeSummary()
    if options.runCache == true, !project.dialect.isNative {
      let remote = try Remote(of: project, named: options.remote)
      summary.copied += try Exchange.copyRunCache(from: "\(project.cacheFolder)/runs", to: remote.runCacheFolder)
    }
    if shipment.groups.isEmpty { _ = try Remote(of: project, named: options.remote) }
    for (name, items) in shipment.groups {
      let remote = try Remote(of: project, named: name)
      summary.add(try Exchange(from: project.store, to: remote.places, verb: "pushing", jobs: scope.jobs).copy(items))
    }
    if project.dialect.isNative, options.targets.isEmpty, options.runCache != false {
      summary.add(try history(of: project))
    }
    Terminal.standard.note("pushed \(summary.copied) objects, \(summary.alreadyThere) were there")
    try summary.throwIfMissing("are not in the store and could not be pushed", hint: "`pipe repro` makes them again")
  }

  /// A native project's traces and run records, with the objects they need.
  private func history(of project: Project) throws -> ExchangeSummary {
    let remote = try Remote(of: project, named: options.remote)
    let runs = try RunLog(folder: project.runsFolder).newest().records
    let reach = try Reach(
      lock: LockFile(), traces: project.traces, runs: runs, bundles: try RegisteredBundles(project).digests,
      documents: try project.comparedDocuments)
    let summary = try Exchange(from: project.store, to: remote.store, verb: "pushing").copy(reach.objects)
    // After the objects they name: a reader of the remote never finds a trace without its outputs.
    try Exchange.copyTraces(reach.traces, from: project.traces, to: remote.traces)
    try Exchange.copyRuns(runs, to: remote.runsFolder)
    return summary
  }
}

struct FetchCommand: ParsableCommand, HasVolume {
  static let configuration = CommandConfiguration(
    commandName: "fetch",
    abstract: "Copy results from a remote into the store; the workspace stays as it is.",
    discussion: """
      Examples:
        git clone … && pipe fetch --remote /mnt/team/store && pipe repro
        pipe fetch --all-branches
        pipe fetch --type metrics --max-size 1000000
      """)

  @OptionGroup var options: TransferOptions
  @Option(help: "Leave out outputs of more bytes than this.") var maxSize: Int?
  @Option(name: .customLong("type"), help: "Only `metrics` or `plots`; may be given twice.") var types: [String] = []
  @OptionGroup var volume: Volume

  func validate() throws {
    for type in types where !["metrics", "plots"].contains(type) {
      throw ValidationError("--type takes `metrics` or `plots`, not `\(type)`")
    }
  }

  func run() throws {
    var scope = options.scope
    scope.maximumSize = maxSize
    scope.kinds = Set(types.map { $0 == "metrics" ? .metrics : .plot })
    let summary = try Self.fetch(scope, runCache: options.runCache)
    try summary.throwIfMissing("are at no remote and could not be fetched", hint: "`pipe push` where they were made")
  }

  /// - Returns: what was done, also when something is missing.
  static func fetch(_ scope: ShipmentScope, runCache: Bool?) throws -> ExchangeSummary {
    let project = try Project.find()
    try project.makeStateFolders()
    let holding = try project.takeLock()
    defer { withExtendedLifetime(holding) {} }
    let shipment = try Shipment(project, scope)
    shipment.warnOfUnknown()
    var summary = ExchangeSummary()
    if runCache == true, !project.dialect.isNative {
      let remote = try Remote(of: project, named: scope.remote)
      summary.copied += try Exchange.copyRunCache(from: remote.runCacheFolder, to: "\(project.cacheFolder)/runs")
    }
    for (name, items) in shipment.groups { summary.add(try fetch(items, from: name, project, jobs: scope.jobs)) }
    if project.dialect.isNative, scope.targets.isEmpty, runCache != false { summary.add(try history(of: project, scope.remote)) }
    Terminal.standard.note("fetched \(summary.copied) objects, \(summary.alreadyThere) were there")
    return summary
  }

  private static func fetch(_ items: [Shipment.Item], from name: String?, _ project: Project, jobs: Int?) throws
    -> ExchangeSummary
  {
    // Without a remote it is enough that everything is here.
    guard name != nil || project.settings.configuration.defaultRemote != nil else {
      var summary = ExchangeSummary()
      for item in items {
        if (try? project.store.containsAll(of: item.result.digest)) == true {
          summary.alreadyThere += 1
        } else {
          _ = try Remote(of: project, named: name)
        }
      }
      return summary
    }
    let remote = try Remote(of: project, named: name)
    if project.dialect.isNative { try remote.mustExist() }
    return try Exchange(from: remote.store, to: project.store, verb: "fetching", jobs: jobs).copy(items)
  }

  private static func history(of project: Project, _ name: String?) throws -> ExchangeSummary {
    let remote = try Remote(of: project, named: name)
    try remote.mustExist()
    let runs = try RunLog(folder: remote.runsFolder).newest().records
    let reach = try Reach(
      lock: LockFile(), traces: remote.traces, runs: runs, bundles: try RegisteredBundles(project).digests,
      documents: try project.comparedDocuments)
    var summary = try Exchange(from: remote.store, to: project.store, verb: "fetching").copy(reach.objects)
    try Exchange.copyTraces(reach.traces, from: remote.traces, to: project.traces)
    try Exchange.copyRuns(runs, to: project.runsFolder)
    if !summary.missing.isEmpty {
      Terminal.standard.say(
        Diagnostic(
          .warning, "the remote lacks \(summary.missing.count) objects of earlier runs",
          hints: ["`pipe push` where they were made"]))
      summary.missing = []
      summary.missingNames = []
    }
    return summary
  }
}

struct PullCommand: ParsableCommand, HasVolume {
  static let configuration = CommandConfiguration(
    commandName: "pull",
    abstract: "Fetch, then bring the outputs into the workspace.",
    discussion: """
      Examples:
        pipe pull
        pipe pull --remote /mnt/team/store
        pipe pull data/images --force
      """)

  @OptionGroup var options: TransferOptions
  @Flag(name: .shortAndLong, help: "Replace outputs even if the store has no copy of what is there.") var force = false
  @Flag(help: "Do without what no remote has.") var allowMissing = false
  @OptionGroup var volume: Volume

  func run() throws {
    let summary = try FetchCommand.fetch(options.scope, runCache: options.runCache)
    var arguments = options.targets
    if force { arguments.append("--force") }
    if options.withDeps { arguments.append("--with-deps") }
    if options.recursive { arguments.append("--recursive") }
    if allowMissing { arguments.append("--allow-missing") }
    let lost = summary.missing.isEmpty || allowMissing ? nil : summary
    do {
      let checkout = try CheckoutCommand.parse(arguments)
      try checkout.run()
    } catch {
      // What is missing says it all; the checkout would only repeat it.
      if lost == nil { throw error }
    }
    try lost?.throwIfMissing("are at no remote and could not be fetched", hint: "`pipe push` where they were made")
  }
}

extension Shipment {
  func warnOfUnknown() {
    guard let first = unknown.first else { return }
    let more = unknown.count > 1 ? " and \(unknown.count - 1) more" : ""
    Terminal.standard.say(
      Diagnostic(.warning, "nothing is known of `\(first)`\(more) yet, so it is left out", hints: ["`pipe repro` makes it"]))
  }
}

extension ExchangeSummary {
  /// - Throws: a `Diagnostic` that names what is missing.
  func throwIfMissing(_ what: String, hint: String) throws(Diagnostic) {
    guard !missing.isEmpty else { return }
    let names = missingNames.prefix(5).map { "`\($0)`" }.joined(separator: ", ")
    throw Diagnostic(
      .storage, "\(missing.count) objects \(what)",
      causes: [names + (missingNames.count > 5 ? " and \(missingNames.count - 5) more" : "")], hints: [hint])
  }
}
