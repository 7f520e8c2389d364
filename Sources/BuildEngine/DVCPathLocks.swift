// Which process reads and writes which path of a DVC project at the moment: `.dvc/tmp/rwlock`.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
internal import Diagnostics
internal import Glibc
internal import PipelineModel
internal import Synchronization

/// Entries of one process. DVC refuses to touch a path that another process has written here, and so does `pipe`.
package struct DVCPathLocks: Sendable {
  private let folder: String
  private let usesHardLink: Bool
  private let command: String
  private let pid: Int32
  private let turn = Turn()

  /// This process's own threads take turns, where the guardian would have them try again and again.
  private final class Turn: Sendable {
    /// What was written last.
    let last = Mutex<(text: String, table: Table)?>(nil)
  }

  /// - Parameters:
  ///   - folder: `.dvc/tmp`, absolute.
  ///   - command: what others are told that this process runs.
  package init(folder: String, usesHardLink: Bool, command: String) {
    self.folder = folder
    self.usesHardLink = usesHardLink
    self.command = command
    pid = getpid()
  }

  /// Absolute paths that a stage reads and writes.
  package struct Claim: Sendable {
    package var reads: [String]
    package var writes: [String]

    package init(reads: [String], writes: [String]) {
      self.reads = reads
      self.writes = writes
    }
  }

  /// Enters a claim; entries of processes that are gone are taken out.
  ///
  /// - Throws: `StoreError.locked` naming the processes in the way, `malformedFile`, `system`.
  package func enter(_ claim: Claim) throws(StoreError) {
    try edit { (table) throws(StoreError) in
      table.dropDead()
      let blockers =
        table.writers(near: claim.reads + claim.writes, except: own) + table.readers(near: claim.writes, except: own)
      guard blockers.isEmpty else {
        let names = Set(blockers.map { "process \($0.pid) runs `\($0.command)`" }).sorted()
        throw .locked(holder: names.joined(separator: "; "))
      }
      for path in claim.writes { table.setWriter(own, of: path) }
      for path in claim.reads { table.addReader(own, of: path) }
    }
  }

  /// Takes a claim out again.
  package func leave(_ claim: Claim) throws(StoreError) {
    try edit { (table) throws(StoreError) in
      for path in claim.writes { table.removeWriter(own, of: path) }
      for path in claim.reads { table.removeReader(own, of: path) }
    }
  }

  private var own: Table.Owner { Table.Owner(pid: pid, command: command) }

  private func edit(_ change: (inout Table) throws(StoreError) -> Void) throws(StoreError) {
    try turn.last.withLock { (last) throws(StoreError) in try editAlone(change, &last) }
  }

  private func editAlone(
    _ change: (inout Table) throws(StoreError) -> Void, _ last: inout (text: String, table: Table)?
  ) throws(StoreError) {
    let guardian = try DVCRepositoryLock(file: "\(folder)/rwlock.lock", usesHardLink: usesHardLink)
    defer { guardian.release() }
    let file = "\(folder)/rwlock"
    let text = try AtomicFile.readText(file) ?? "{}"
    // Nearly always nobody else wrote it meanwhile: what it says is known.
    var table: Table
    if let last, last.text == text {
      table = last.table
    } else {
      table = try Table(text: text, file: file)
    }
    try change(&table)
    // In place, as DVC does, under the guardian.
    let written = table.text
    try AtomicFile.write(written, to: file)
    last = (written, table)
  }

  /// The file's content.
  struct Table {
    struct Owner: Equatable {
      var pid: Int32
      var command: String
    }

    private var write: [(path: String, owner: Owner)] = []
    private var read: [(path: String, owners: [Owner])] = []

    init(text: String, file: String) throws(StoreError) {
      let (tree, mistakes) = YAMLReader.read(text, file: file)
      guard !mistakes.hasErrors, let root = tree?.value ?? .some(.mapping([])), case .mapping(let sections) = root else {
        throw .malformedFile(
          path: file, why: "it is not the JSON that DVC writes; with no `dvc` and no `pipe` at work it may be removed")
      }
      for (key, value) in sections {
        guard case .mapping(let rows) = value else { continue }
        for (path, entry) in rows {
          if key == "write", let owner = Self.owner(entry) { write.append((path, owner)) }
          if key == "read", case .list(let owners) = entry { read.append((path, owners.compactMap(Self.owner))) }
        }
      }
    }

    private static func owner(_ value: ParameterValue) -> Owner? {
      guard case .mapping(let pairs) = value, case .integer(let pid)? = pairs.first(where: { $0.0 == "pid" })?.1,
        case .text(let command)? = pairs.first(where: { $0.0 == "cmd" })?.1
      else { return nil }
      return Owner(pid: Int32(truncatingIfNeeded: pid), command: command)
    }

    mutating func dropDead() {
      func isAlive(_ owner: Owner) -> Bool { owner.pid > 0 && (kill(owner.pid, 0) == 0 || errno == EPERM) }
      write.removeAll { !isAlive($0.owner) }
      for index in read.indices { read[index].owners.removeAll { !isAlive($0) } }
      read.removeAll { $0.owners.isEmpty }
    }

    func writers(near paths: [String], except own: Owner) -> [Owner] {
      write.filter { row in row.owner != own && paths.contains { Self.overlap($0, row.path) } }.map(\.owner)
    }

    func readers(near paths: [String], except own: Owner) -> [Owner] {
      read.filter { row in paths.contains { Self.overlap($0, row.path) } }.flatMap(\.owners).filter { $0 != own }
    }

    /// Whether one path is the other or lies below it.
    static func overlap(_ a: String, _ b: String) -> Bool { a == b || a.hasPrefix(b + "/") || b.hasPrefix(a + "/") }

    mutating func setWriter(_ owner: Owner, of path: String) {
      removeWriter(owner, of: path)
      write.append((path, owner))
    }

    mutating func addReader(_ owner: Owner, of path: String) {
      if let index = read.firstIndex(where: { $0.path == path }) {
        if !read[index].owners.contains(owner) { read[index].owners.append(owner) }
      } else {
        read.append((path, [owner]))
      }
    }

    mutating func removeWriter(_ owner: Owner, of path: String) { write.removeAll { $0.path == path && $0.owner == owner } }

    mutating func removeReader(_ owner: Owner, of path: String) {
      guard let index = read.firstIndex(where: { $0.path == path }) else { return }
      read[index].owners.removeAll { $0 == owner }
      if read[index].owners.isEmpty { read.remove(at: index) }
    }

    var text: String {
      func value(_ owner: Owner) -> ParameterValue {
        .mapping([("pid", .integer(Int64(owner.pid))), ("cmd", .text(owner.command))])
      }
      return ParameterValue.mapping([
        ("write", .mapping(write.map { ($0.path, value($0.owner)) })),
        ("read", .mapping(read.map { ($0.path, .list($0.owners.map(value))) })),
      ]).json
    }
  }
}
