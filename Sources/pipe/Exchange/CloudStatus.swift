// What the store and a remote have of each other: `pipe status --cloud`.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import PipelineModel

struct CloudStatus {
  enum State: String {
    /// The remote lacks it.
    case new
    /// The store lacks it.
    case deleted
    /// Both lack it.
    case missing
  }

  /// Object's name, a path from the folder one is in, with its state; sorted.
  private(set) var rows: [(name: String, state: State)] = []

  init(_ project: Project, _ scope: ShipmentScope) throws {
    var scope = scope
    scope.isPush = true
    let shipment = try Shipment(project, scope)
    if shipment.groups.isEmpty { _ = try Remote(of: project, named: scope.remote) }
    for (name, items) in shipment.groups { try compare(items, project.store, Remote(of: project, named: name).places) }
    rows = rows.map { row in (WorkspacePath(row.name).map { project.display($0) } ?? row.name, row.state) }
    rows.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  private mutating func compare(_ items: [Shipment.Item], _ store: DirectoryObjectStore, _ remote: DirectoryObjectStore) throws {
    var names: [Digest: String] = [:]
    var order: [Digest] = []
    func add(_ digest: Digest, _ name: String) { if names.updateValue(name, forKey: digest) == nil { order.append(digest) } }
    for item in items {
      let path = item.output.path.text
      let digest = item.result.digest
      if item.part == nil || !digest.isTree { add(digest, path) }
      guard digest.isTree else { continue }
      let holder = try store.contains(digest) ? store : remote
      guard try holder.contains(digest) else { continue }
      for entry in try holder.tree(digest).entries
      where item.part.map({ entry.path == $0 || entry.path.hasPrefix($0 + "/") }) ?? true {
        add(entry.digest, "\(path)/\(entry.path)")
      }
    }
    let notHere = Set(try store.missing(among: order))
    let notThere = Set(try remote.missing(among: order))
    for digest in order {
      guard let name = names[digest] else { continue }
      switch (notHere.contains(digest), notThere.contains(digest)) {
      case (false, true): rows.append((name, .new))
      case (true, false): rows.append((name, .deleted))
      case (true, true): rows.append((name, .missing))
      case (false, false): break
      }
    }
  }

  var json: String { ParameterValue.mapping(rows.map { ($0.name, .text($0.state.rawValue)) }).json }

  var text: String {
    rows.isEmpty ? "the store and the remote have the same" : columns(rows.map { ["\($0.state.rawValue):", $0.name] })
  }
}
