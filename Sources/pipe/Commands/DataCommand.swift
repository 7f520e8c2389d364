// `pipe data status`: data as the last commit, the project's files and the workspace have it.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import PipelineModel
import SourceControl

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Where data stands between Git, the store and the workspace.", subcommands: [Status.self])

  struct Status: ParsableCommand, HasVolume {
    static let configuration = CommandConfiguration(
      abstract: "Show what changed since the last commit, and what is not recorded yet.",
      discussion: """
        Examples:
          pipe data status
          pipe data status --granular --json
          pipe data status --not-in-remote
        """)

    @Argument(help: "Tracked paths. Default: all.") var targets: [String] = []
    @Flag(help: "Print JSON in DVC's shape.") var json = false
    @Flag(help: "Also single files of folders.") var granular = false
    @Flag(help: "Also what is as it was.") var unchanged = false
    @Flag(help: "Also files that neither Git nor the project knows.") var untrackedFiles = false
    @Option(name: .shortAndLong, help: "The remote for --not-in-remote.") var remote: String?
    @Flag(help: "Also what is not at the remote.") var notInRemote = false
    @Flag(help: "Accepted for DVC's sake: `pipe` keeps no list of what remotes have.") var noRemoteRefresh = false
    @OptionGroup var volume: Volume

    func run() throws {
      let project = try Project.find()
      let loaded = try project.load()
      let wanted = try targets.map { target -> String in
        guard let path = project.path(target) else { throw Diagnostic(.input, "`\(target)` lies outside the project") }
        return path.text
      }
      let workspace = project.workspace()
      let agreed = DataIndex(agreed: loaded, store: project.store, listing: granular)
      let disk = try DataIndex(workspace: workspace, of: loaded, listing: granular)
      try project.saveStats(of: workspace)
      let uncommitted = DataChange.all(from: agreed, to: disk, granular: granular, targets: wanted)
      let committed = try head(project).map {
        DataChange.all(
          from: DataIndex(agreed: $0, store: project.store, listing: granular), to: agreed, granular: granular, targets: wanted)
      }
      var groups: [(String, ParameterValue)] = [("not_in_cache", try lost(uncommitted, project.store))]
      if notInRemote { groups.append(("not_in_remote", try absent(project, wanted))) }
      groups.append(("committed", Self.kinds(committed ?? [])))
      groups.append(("uncommitted", Self.kinds(uncommitted)))
      if untrackedFiles { groups.append(("untracked", try untracked(project, wanted))) }
      if unchanged { groups.append(("unchanged", Self.same(uncommitted, committed))) }
      groups = groups.filter { !$0.1.isVoid }
      Terminal.standard.out(json ? ParameterValue.mapping(groups).json : DataStatusText.text(groups))
    }

    /// What the last commit says; `nil` without one.
    private func head(_ project: Project) throws -> LoadedProject? {
      guard project.settings.usesGit, let repository = try GitRepository.open(at: project.root) else { return nil }
      guard try repository.headCommit() != nil else { return try emptyProject(project) }
      return try project.load(at: "HEAD")
    }

    private func emptyProject(_ project: Project) throws -> LoadedProject {
      var loaded = try project.load()
      loaded.pipeline.stages = []
      return loaded
    }

    private func lost(_ changes: [DataChange], _ store: DirectoryObjectStore) throws -> ParameterValue {
      let olds = changes.compactMap { change in change.old.flatMap { old in old.digest.map { ($0, old.shown) } } }
      let lost = Set(try store.missing(among: Array(Set(olds.map(\.0)))))
      return .list(olds.filter { lost.contains($0.0) }.map { .text($0.1) })
    }

    private func absent(_ project: Project, _ wanted: [String]) throws -> ParameterValue {
      var scope = ShipmentScope()
      scope.remote = remote
      scope.isPush = true
      var paths: [String] = []
      for (name, items) in try Shipment(project, scope).groups {
        let places = try Remote(of: project, named: name).places
        var rows: [(Digest, String)] = []
        for item in items {
          let digest = item.result.digest
          let path = item.output.path.text
          rows.append((digest, digest.isTree ? path + "/" : path))
          guard granular, digest.isTree, let tree = try? project.store.tree(digest) else { continue }
          rows += tree.entries.map { ($0.digest, "\(path)/\($0.path)") }
        }
        let lost = Set(try places.missing(among: Array(Set(rows.map(\.0)))))
        paths += rows.filter { row in
          lost.contains(row.0) && (wanted.isEmpty || wanted.contains { row.1 == $0 || row.1.hasPrefix($0 + "/") })
        }.map(\.1)
      }
      return .list(paths.map { .text($0) })
    }

    private func untracked(_ project: Project, _ wanted: [String]) throws -> ParameterValue {
      guard project.settings.usesGit, let repository = try GitRepository.open(at: project.root) else { return .list([]) }
      let paths = try repository.untrackedPaths(below: project.root)
      let chosen = paths.filter { path in wanted.isEmpty || wanted.contains { path == $0 || path.hasPrefix($0 + "/") } }
      return .list(chosen.map { .text(relativePath(from: project.current, to: $0)) })
    }

    /// Paths by kind of change; renames joined.
    private static func kinds(_ changes: [DataChange]) -> ParameterValue {
      var lists: [(String, [ParameterValue])] = [
        ("added", []), ("modified", []), ("deleted", []), ("renamed", []), ("unknown", []),
      ]
      for change in DataChange.joiningRenames(changes) {
        let path = ParameterValue.text((change.new ?? change.old)?.shown ?? "")
        switch change.kind {
        case .added: lists[0].1.append(path)
        case .modified: lists[1].1.append(path)
        case .deleted: lists[2].1.append(path)
        case .renamed:
          lists[3].1.append(.mapping([("old", .text(change.old?.shown ?? "")), ("new", .text(change.new?.shown ?? ""))]))
        case .unknown: if change.new != nil { lists[4].1.append(path) }
        case .unchanged: break
        }
      }
      return .mapping(lists.filter { !$0.1.isEmpty }.map { ($0.0, .list($0.1)) })
    }

    private static func same(_ uncommitted: [DataChange], _ committed: [DataChange]?) -> ParameterValue {
      func paths(_ changes: [DataChange]) -> [String] {
        changes.filter { $0.kind == .unchanged }.compactMap { $0.new?.shown }
      }
      let both = committed.map { Set(paths($0)) }
      return .list(paths(uncommitted).filter { both?.contains($0) ?? true }.map { .text($0) })
    }
  }
}

extension ParameterValue {
  /// Nothing in it.
  fileprivate var isVoid: Bool {
    switch self {
    case .list(let items): items.isEmpty
    case .mapping(let pairs): pairs.isEmpty
    default: false
    }
  }
}

/// The status for a person.
enum DataStatusText {
  private static let titles: [String: (title: String, hint: String)] = [
    "not_in_cache": ("Not in the store", "`pipe fetch` gets them"),
    "not_in_remote": ("Not at the remote", "`pipe push` puts them there"),
    "committed": ("Changed since the last commit", "`git commit` the files that say so"),
    "uncommitted": ("Changed in the workspace", "`pipe commit` records it, `pipe checkout` discards it"),
    "untracked": ("Not tracked", "`git add` or `pipe add` tracks them"),
    "unchanged": ("Unchanged", ""),
  ]

  static func text(_ groups: [(String, ParameterValue)]) -> String {
    if groups.isEmpty { return "no changes" }
    return groups.map { name, value in
      let (title, hint) = titles[name] ?? (name, "")
      let head = hint.isEmpty ? "\(title):" : "\(title) (\(hint)):"
      return ([head] + items(value).map { "        \($0)" }).joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  private static func items(_ value: ParameterValue) -> [String] {
    switch value {
    case .text(let text): return [text]
    case .list(let items): return items.flatMap { Self.items($0) }
    case .mapping(let pairs):
      if case .text(let old)? = pairs.first(where: { $0.0 == "old" })?.1,
        case .text(let new)? = pairs.first(where: { $0.0 == "new" })?.1
      {
        return ["\(old) -> \(new)"]
      }
      return pairs.flatMap { key, value in items(value).map { "\(key): \($0)" } }
    default: return []
    }
  }
}
