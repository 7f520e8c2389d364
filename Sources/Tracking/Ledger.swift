// The index over run records and traces: SQLite, made again at will.
// SPDX-License-Identifier: Apache-2.0
import GRDB
import Glibc

/// Something that happened while the ledger was opened; nothing is lost by it.
package struct LedgerNotice: Sendable, Equatable {
  package enum Reason: String, Sendable {
    /// SQLite says that the file is damaged.
    case corrupt
    /// It is no database, or somebody else's.
    case foreign
    /// A later `pipe` wrote it.
    case newer
  }

  package var reason: Reason
  /// Where the old file went.
  package var movedTo: String

  package init(reason: Reason, movedTo: String) {
    self.reason = reason
    self.movedTo = movedTo
  }
}

/// An open ledger. Open it only to ask or to record, never on a run that does nothing.
///
/// It holds nothing that the records and traces do not say: after `sync`, a ledger made anew gives the same answers.
/// Several processes may use one file: SQLite's write-ahead log and a waiting time of ten seconds see to that.
package final class Ledger: Sendable {
  package let path: String
  /// What was wrong with the file that stood here before; worth a warning.
  package let notice: LedgerNotice?
  let database: DatabaseQueue

  /// Opens the file, or makes it; one that cannot be used is renamed aside first.
  ///
  /// - Throws: `TrackingError.ledger` when the place itself cannot be used (permissions, disk full).
  package static func open(at path: String) throws(TrackingError) -> Ledger {
    try makeFolder(parent(of: path))
    let lock = Glibc.open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard lock >= 0 else { throw .file(path: path + ".lock", operation: "write", reason: systemMessage()) }
    defer { close(lock) }
    while flock(lock, LOCK_EX) != 0, errno == EINTR {}
    var notice: LedgerNotice?
    for _ in 0..<2 {
      do throws(Unusable) {
        return Ledger(path: path, notice: notice, database: try connect(path))
      } catch {
        switch error {
        case .aside(let reason): notice = try setAside(path, reason)
        case .failed(let message): throw .ledger(path: path, operation: "open", message: message)
        }
      }
    }
    throw .ledger(path: path, operation: "open", message: "a file made anew cannot be used either")
  }

  /// A ledger that lives as long as the process: for a place that cannot be written to. `sync` fills it from the records.
  package static func inMemory() throws(TrackingError) -> Ledger {
    do {
      let database = try DatabaseQueue()
      try migrator.migrate(database)
      return Ledger(path: ":memory:", notice: nil, database: database)
    } catch {
      throw .ledger(path: ":memory:", operation: "open", message: "\(error)")
    }
  }

  private init(path: String, notice: LedgerNotice?, database: DatabaseQueue) {
    self.path = path
    self.notice = notice
    self.database = database
  }

  /// Runs reads in one transaction.
  func read<Value>(_ operation: String, _ body: (Database) throws -> Value) throws(TrackingError) -> Value {
    do { return try database.read(body) } catch let error as TrackingError { throw error } catch {
      throw .ledger(path: path, operation: operation, message: "\(error)")
    }
  }

  /// Runs writes in one transaction.
  func write<Value>(_ operation: String, _ body: (Database) throws -> Value) throws(TrackingError) -> Value {
    do { return try database.write(body) } catch let error as TrackingError { throw error } catch {
      throw .ledger(path: path, operation: operation, message: "\(error)")
    }
  }
}

// MARK: Opening

private enum Unusable: Error {
  case aside(LedgerNotice.Reason)
  case failed(String)
}

/// "pipe" in ASCII: SQLite's field for whose file this is.
private let applicationID = 0x7069_7065

private func connect(_ path: String) throws(Unusable) -> DatabaseQueue {
  do {
    var configuration = Configuration()
    configuration.journalMode = .wal
    configuration.busyMode = .timeout(10)
    // An index that is made again at will need not survive a power cut, only stay whole.
    configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
    try refuseForeign(path)
    let database = try DatabaseQueue(path: path, configuration: configuration)
    try prepare(database)
    return database
  } catch let error as Unusable {
    throw error
  } catch let error as DatabaseError {
    switch error.resultCode {
    case .SQLITE_NOTADB: throw .aside(.foreign)
    case .SQLITE_CORRUPT, .SQLITE_ERROR, .SQLITE_CONSTRAINT: throw .aside(.corrupt)
    default: throw .failed("\(error)")
    }
  } catch {
    throw .failed("\(error)")
  }
}

/// Somebody else's file is looked at without changing a byte of it.
private func refuseForeign(_ path: String) throws {
  guard let size = fileStamp(path)?.size, size > 0 else { return }
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { throw Unusable.failed(systemMessage()) }
  defer { close(file) }
  var header = [UInt8](repeating: 0, count: 100)
  let count = pread(file, &header, 100, 0)
  guard count == 100, header.starts(with: Array("SQLite format 3\0".utf8)) else { throw Unusable.aside(.foreign) }
  let owner = header[68..<72].reduce(0) { $0 << 8 | Int($1) }
  // A new file killed before its first migration has no owner and a single empty page.
  let pages = header[28..<32].reduce(0) { $0 << 8 | Int($1) }
  guard owner == applicationID || (owner == 0 && pages <= 1) else { throw Unusable.aside(.foreign) }
}

private func prepare(_ database: DatabaseQueue) throws {
  let migrator = Ledger.migrator
  if try database.read(migrator.hasBeenSuperseded) { throw Unusable.aside(.newer) }
  let owner = try database.read { try Int.fetchOne($0, sql: "PRAGMA application_id") }
  if owner != applicationID { try database.write { try $0.execute(sql: "PRAGMA application_id = \(applicationID)") } }
  try migrator.migrate(database)
  let verdict = try database.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
  if verdict != "ok" { throw Unusable.aside(.corrupt) }
}

/// Renames the file and its companions to a name that is free.
private func setAside(_ path: String, _ reason: LedgerNotice.Reason) throws(TrackingError) -> LedgerNotice {
  var target = "\(path).\(reason.rawValue)"
  var number = 1
  while fileStamp(target) != nil {
    number += 1
    target = "\(path).\(reason.rawValue)-\(number)"
  }
  guard rename(path, target) == 0 else { throw .file(path: path, operation: "rename", reason: systemMessage()) }
  for suffix in ["-wal", "-shm"] { rename(path + suffix, target + suffix) }
  return LedgerNotice(reason: reason, movedTo: target)
}
