// `pipe gc`: remove from the store what nothing names any more.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import Glibc
import PipelineModel
import SourceControl
import Tracking

struct GCCommand: ParsableCommand, HasVolume {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Remove objects that neither the workspace nor the chosen commits need.",
    discussion: """
      What the workspace names always stays. Beside DVC, say what else does, at least with -w that nothing else does;
      and what goes is asked about first, unless --force. In a native project all branches and tags count when nothing
      is said, and the bundles of registered models and the metrics, logs and notebooks of every run stay in any case.

      Examples:
        pipe gc --dry -a -T                  what would go, if all branches and tags stay
        pipe gc -w --force
        pipe gc -a -n 3 --cloud --force      also at the remote
        pipe gc -A --run-cache --keep-days 30
      """)

  @OptionGroup(title: "What stays") var scope: GCScope
  @Option(
    name: .shortAndLong, parsing: .upToNextOption, help: "Keep also what these projects need, which share the cache.",
    completion: .directory) var projects: [String] = []
  @Flag(help: "Of what is needed keep only what the remote lacks.") var notInRemote = false
  @Flag(name: .shortAndLong, help: "Collect at the remote, too.") var cloud = false
  @Option(name: .shortAndLong, help: "The remote for --cloud and --not-in-remote.") var remote: String?
  @Flag(help: "Pass over commits whose files cannot be read: what only they need goes.") var skipFailed = false
  @Flag(help: "Remove also results of earlier runs that nothing that stays has agreed on.") var runCache = false
  @Option(help: ArgumentHelp("With --run-cache: results younger than this stay.", valueName: "days")) var keepDays: Int?
  @Flag(name: .shortAndLong, help: "Ask nothing.") var force = false
  @Flag(help: "Print what would go; remove nothing.") var dry = false
  @Option(
    name: [.customShort("j", allowingJoined: true), .long], help: "Removals at once; the best number is chosen anyway.")
  var jobs: Int?
  @OptionGroup var volume: Volume

  func validate() throws {
    if remote != nil, !cloud, !notInRemote { throw ValidationError("--remote goes with --cloud or --not-in-remote") }
    if cloud, notInRemote { throw ValidationError("--cloud and --not-in-remote exclude each other") }
    if keepDays != nil, !runCache { throw ValidationError("--keep-days goes with --run-cache") }
    if let keepDays, keepDays < 0 { throw ValidationError("--keep-days has to be 0 or more") }
    if let jobs, jobs < 1 { throw ValidationError("--jobs has to be 1 or more") }
  }

  func run() throws {
    let project = try Project.find()
    if !project.dialect.isNative, scope.isEmpty {
      throw ValidationError("say what stays: -w, -a, -T, -A, --rev, --date or --all-experiments")
    }
    if !dry, !force, !project.dialect.isNative || cloud, try !confirm() { throw ExitCode(1) }
    let held = try ([project] + projects.map { try Project.find(from: $0) }).map(HeldProject.init)
    defer { withExtendedLifetime(held) {} }
    project.announceHolder()
    var inUse = InUse()
    for held in held {
      try inUse.add(
        held.project, scope.choice(isNative: project.dialect.isNative, root: held.project.root), skipsFailed: skipFailed)
    }
    try tell(inUse.unlisted)
    var removal = Removal(isDry: dry)
    if runCache { try prune(project, inUse, &removal) }
    for held in held { try inUse.add(try records(of: held.project), held.project) }
    let remotes = try cloud || notInRemote ? self.remotes(of: project, inUse) : []
    let kept = try notInRemote ? lacking(remotes) : inUse.all
    try removal.collect(project.store, kept: kept, isDVC: !project.dialect.isNative)
    Terminal.standard.note(removal.summary(runCache ? "results, \(removal.objects) objects" : "objects"))
    guard cloud else { return }
    for (remote, kept) in remotes {
      var removal = Removal(isDry: dry)
      try removal.collect(remote.places, kept: kept, isDVC: !project.dialect.isNative)
      Terminal.standard.note("\(remote.name): " + removal.summary("objects"))
    }
  }

  /// - Returns: whether to go on.
  /// - Throws: a `Diagnostic` when nobody is there to be asked.
  private func confirm() throws(Diagnostic) -> Bool {
    let what =
      scope.isWorkspaceOnly ? "what the workspace does not use" : "what is used neither in the workspace\(scope.description)"
    let question = "\(what) leaves the store\(cloud ? " and the remote" : "")"
    guard isatty(STDIN_FILENO) == 1 else {
      throw Diagnostic(
        .input, "nobody is there to be asked, so nothing was removed", causes: [question], hints: ["`--force` asks nothing"])
    }
    Terminal.standard.write("\(question). Go on? [y/n] ", to: STDERR_FILENO)
    return ["y", "yes"].contains((readLine() ?? "").lowercased())
  }

  /// Directories whose list is lost: what only they hold would go.
  private func tell(_ unlisted: [(path: String, digest: Digest)]) throws(Diagnostic) {
    guard let first = unlisted.first else { return }
    let what = unlisted.count == 1 ? "`\(first.path)` (\(first.digest.short)…)" : "`\(first.path)` and \(unlisted.count - 1) more"
    let hint = "`pipe fetch` may bring the lists back"
    guard force || dry else {
      throw Diagnostic(
        .storage, "the store lacks the lists of directories, so their files cannot be told from what nobody needs: \(what)",
        hints: [hint, "`--force` removes what only they hold"])
    }
    Terminal.standard.say(
      Diagnostic(.warning, "the store lacks the lists of directories; what only they hold is not kept: \(what)", hints: [hint]))
  }

  /// Bundles of registered models and, of a native project, what the records of its runs need.
  private func records(of project: Project) throws -> [Digest] {
    let bundles = try RegisteredBundles(project).digests
    guard project.dialect.isNative else { return bundles }
    return try Reach(
      lock: LockFile(), traces: project.traces, runs: RunLog(folder: project.runsFolder).newest().records, bundles: bundles,
      documents: project.comparedDocuments
    ).objects
  }

  // MARK: Remotes

  /// Each remote that outputs go to, with what it has to keep.
  private func remotes(of project: Project, _ inUse: InUse) throws -> [(remote: Remote, kept: Set<Digest>)] {
    var found: [(remote: Remote, kept: Set<Digest>)] = []
    for name in [nil] + inUse.objects.keys.compactMap({ $0 }).sorted() {
      let place = try Remote(of: project, named: name ?? remote)
      let kept = inUse.objects[name] ?? []
      if let index = found.firstIndex(where: { $0.remote.root == place.root }) {
        found[index].kept.formUnion(kept)
      } else {
        found.append((place, kept))
      }
    }
    return found
  }

  private func lacking(_ remotes: [(remote: Remote, kept: Set<Digest>)]) throws -> Set<Digest> {
    var there: Set<Digest> = []
    var all: Set<Digest> = []
    for (remote, kept) in remotes {
      there.formUnion(kept.subtracting(try remote.places.missing(among: Array(kept))))
      all.formUnion(kept)
    }
    return all.subtracting(there)
  }

  // MARK: Results of earlier runs

  private func prune(_ project: Project, _ inUse: InUse, _ removal: inout Removal) throws {
    let oldest = keepDays.map { Int64(time(nil)) - Int64($0) * 86_400 }
    func isYoung(_ file: String) -> Bool {
      guard let oldest, let modified = FileStat(file)?.modified else { return false }
      return modified / 1_000_000_000 >= oldest
    }
    guard project.dialect.isNative else {
      for entry in try RunCache.entries(in: "\(project.cacheFolder)/runs") {
        let file = "\(project.cacheFolder)/runs/\(entry.prefix(2))/\(entry)"
        if !inUse.runCacheEntries.contains(entry), !isYoung(file) { try removal.remove(result: file) }
      }
      return
    }
    var kept = inUse.traces
    for run in try RunLog(folder: project.runsFolder).newest().records { kept.formUnion(run.stages.compactMap(\.trace)) }
    kept.formUnion(try Registry(folder: project.registryFolder).list().flatMap(\.versions).compactMap(\.trace))
    for id in try project.traces.list() where !kept.contains(id) {
      let file = project.traces.path(of: id)
      if !isYoung(file) { try removal.remove(result: file) }
    }
  }
}

/// Which commits count beside the workspace.
struct GCScope: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Nothing but the workspace, unless something else is said.") var workspace = false
  @Option(help: ArgumentHelp("This commit.", valueName: "commit")) var rev: String?
  @Option(
    name: [.customShort("n", allowingJoined: true), .long],
    help: "With --rev and --all-branches: that many commits, from each back.") var num: Int?
  @Flag(name: [.customShort("a"), .long], help: "All branches.") var allBranches = false
  @Flag(name: [.customShort("T"), .long], help: "All tags.") var allTags = false
  @Flag(name: [.customShort("A"), .long], help: "All commits.") var allCommits = false
  @Option(help: ArgumentHelp("All commits of this day and later.", valueName: "yyyy-mm-dd")) var date: String?
  @Flag(help: "All experiments that DVC keeps.") var allExperiments = false

  func validate() throws {
    if let num, num < 1 { throw ValidationError("--num has to be 1 or more") }
    if num != nil, rev == nil, !allBranches { throw ValidationError("--num goes with --rev or --all-branches") }
    if let date, Self.midnight(date) == nil { throw ValidationError("--date takes a day such as 2026-01-31, not `\(date)`") }
  }

  var isEmpty: Bool { !workspace && isWorkspaceOnly }
  var isWorkspaceOnly: Bool { rev == nil && !allBranches && !allTags && !allCommits && date == nil && !allExperiments }

  /// - Parameter root: of the project; a native one outside Git has no branches to keep.
  func choice(isNative: Bool, root: String) throws -> RevisionChoice {
    if isNative, isEmpty {
      guard let repository = try GitRepository.open(at: root) else {
        try Self.refuseBrokenGit(above: root)
        return RevisionChoice()
      }
      // A tag may name a tree or a blob, which has no files of a project. A branch that cannot be read keeps something too.
      return RevisionChoice(revisions: try repository.references().filter { try repository.leadsToCommit($0) })
    }
    var choice = RevisionChoice(
      revisions: rev.map { [$0] } ?? [], allBranches: allBranches, allTags: allTags, allCommits: allCommits)
    choice.depth = num ?? 1
    choice.since = date.flatMap(Self.midnight)
    choice.allExperiments = allExperiments
    return choice
  }

  /// A `.git` that is no repository to libgit2 may still be one that somebody will mend.
  private static func refuseBrokenGit(above root: String) throws {
    var folder = root
    while !folder.isEmpty {
      if FileStat("\(folder)/.git", followingLinks: false) != nil {
        throw Diagnostic(
          .storage, "`\(folder)/.git` is no repository that can be read, so nobody knows what its branches need",
          hints: ["mend it, or move it away if it is none"])
      }
      folder = folder.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(folder[..<$0]) } ?? ""
    }
  }

  /// ` nor in all branches nor in …`; empty for the workspace alone.
  var description: String {
    let some = num.map { " the last \($0) commits of" } ?? ""
    var parts: [String] = []
    if let rev { parts.append("\(some) `\(rev)`") }
    if allCommits { parts.append(" all commits") }
    if allBranches { parts.append("\(some) all branches") }
    if allTags { parts.append(" all tags") }
    if let date { parts.append(" all commits since \(date)") }
    if allExperiments { parts.append(" all experiments") }
    return parts.map { " nor in\($0)" }.joined()
  }

  /// Seconds since 1970 at which a day began here.
  private static func midnight(_ text: String) -> Int64? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int32($0) }
    guard parts.count == 3, let year = parts[0], let month = parts[1], let day = parts[2], Timestamp(text: text) != nil else {
      return nil
    }
    var moment = tm()
    (moment.tm_year, moment.tm_mon, moment.tm_mday, moment.tm_isdst) = (year - 1900, month - 1, day, -1)
    return Int64(mktime(&moment))
  }
}

/// A project that nobody else changes meanwhile.
private final class HeldProject {
  let project: Project
  private let lock: ProjectLock

  init(_ project: Project) throws {
    self.project = project
    try project.makeStateFolders()
    lock = try project.takeLock()
  }
}

/// What went, or would go.
private struct Removal {
  let isDry: Bool
  private(set) var objects = 0
  private(set) var results = 0
  private var bytes: Int64 = 0

  init(isDry: Bool) { self.isDry = isDry }

  func summary(_ what: String) -> String {
    let count = what == "objects" ? objects : results
    return "\(isDry ? "would remove" : "removed") \(count) \(what), \(byteText(Int(bytes)))"
  }

  mutating func remove(result file: String) throws {
    results += 1
    if isDry { return Terminal.standard.out(file) }
    try AtomicFile.removeAll(file)
    // The folder of a key goes with its last entry.
    if let slash = file.lastIndex(of: "/") { rmdir(String(file[..<slash])) }
  }

  /// Removes all that is not kept: lists of directories first, so that none ever names a file that is gone.
  mutating func collect(_ store: DirectoryObjectStore, kept: Set<Digest>, isDVC: Bool) throws {
    let unused = try store.list().filter { !kept.contains($0) && !(isDVC && $0.algorithm == .sha256) }
    for digest in unused.filter(\.isTree) + unused.filter({ !$0.isTree }) {
      let path = store.path(of: digest)
      bytes += FileStat(path)?.size ?? 0
      objects += 1
      if isDry { Terminal.standard.out(path) } else { try store.remove(digest) }
    }
    if !isDry { try store.removeLeftovers() }
  }
}

/// `812 B`, `4.2 kB`, `31 MB`.
func byteText(_ bytes: Int) -> String {
  var value = Double(bytes)
  for unit in ["B", "kB", "MB", "GB"] {
    if value < 1000 {
      return unit == "B" || value >= 100 ? "\(Int(value.rounded())) \(unit)" : "\((value * 10).rounded() / 10) \(unit)"
    }
    value /= 1000
  }
  return "\((value * 10).rounded() / 10) TB"
}
