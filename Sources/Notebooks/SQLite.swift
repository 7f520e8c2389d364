// A connection to SQLite that runs the statements of a text one by one and knows where in the text it is.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDBSQLite

/// What SQLite said, and where.
struct SQLiteError: Error, Equatable {
  var message: String
  /// Byte of the text at which it was said; `nil` when only the statement is known.
  var offset: Int?
  var isInterrupt = false
}

/// One value of a row.
enum SQLiteValue: Equatable {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)
  case blob([UInt8])
}

/// Stays in one task.
final class SQLiteConnection {
  let handle: OpaquePointer
  private let watch: SQLiteWatch

  /// - Parameters:
  ///   - path: the database's file; it needs no durability.
  ///   - isReadOnly: whether the file must be there and stays as it is.
  init(path: String, isReadOnly: Bool = false) throws(SQLiteError) {
    var opened: OpaquePointer?
    let mode = isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    guard sqlite3_open_v2(path, &opened, mode | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK, let opened else {
      let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      sqlite3_close_v2(opened)
      throw SQLiteError(message: message)
    }
    handle = opened
    watch = SQLiteWatch()
    sqlite3_progress_handler(
      handle, 20_000,
      { Unmanaged<SQLiteWatch>.fromOpaque($0!).takeUnretainedValue().mustStop ? 1 : 0 },
      Unmanaged.passUnretained(watch).toOpaque())
    // A quoted name that is no column is an error, never a text.
    _disableDoubleQuotedStringLiterals(handle)
    if !isReadOnly { try execute("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF") }
  }

  deinit { sqlite3_close_v2(handle) }

  /// Until when statements may run.
  func limit(to deadline: ContinuousClock.Instant?, interruption: InterruptionWatch?) {
    watch.deadline = deadline
    watch.interruption = interruption
  }

  var mustStop: Bool { watch.mustStop }

  func error(offset: Int? = nil) -> SQLiteError {
    SQLiteError(
      message: String(cString: sqlite3_errmsg(handle)), offset: offset, isInterrupt: sqlite3_errcode(handle) == SQLITE_INTERRUPT)
  }

  func execute(_ sql: String) throws(SQLiteError) {
    guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw error() }
  }

  /// Compiles the first statement of `bytes[start...]`.
  ///
  /// - Parameter bytes: SQL in UTF-8, ending in a zero byte.
  /// - Returns: the statement, `nil` when only blanks and comments are left, and where the next one begins.
  func prepare(_ bytes: [UInt8], from start: Int) throws(SQLiteError) -> (statement: SQLiteStatementHandle?, next: Int) {
    var statement: OpaquePointer?
    var next = start
    let code = bytes.withUnsafeBytes { buffer in
      let base = buffer.baseAddress!.assumingMemoryBound(to: CChar.self)
      var tail: UnsafePointer<CChar>?
      let code = sqlite3_prepare_v2(handle, base + start, Int32(buffer.count - start), &statement, &tail)
      if let tail { next = tail - base }
      return code
    }
    guard code == SQLITE_OK else {
      let offset = sqlite3_error_offset(handle)
      throw error(offset: offset >= 0 ? start + Int(offset) : nil)
    }
    return (statement.map { SQLiteStatementHandle($0, in: self) }, next)
  }
}

/// A compiled statement; finalised when it is let go.
final class SQLiteStatementHandle {
  let handle: OpaquePointer
  private let connection: SQLiteConnection

  init(_ handle: OpaquePointer, in connection: SQLiteConnection) {
    self.handle = handle
    self.connection = connection
  }

  deinit { sqlite3_finalize(handle) }

  var columnNames: [String] {
    (0..<sqlite3_column_count(handle)).map { sqlite3_column_name(handle, $0).map { String(cString: $0) } ?? "" }
  }

  /// Names of the placeholders by position, `nil` for one without a name.
  var parameterNames: [String?] {
    (0..<sqlite3_bind_parameter_count(handle)).map { sqlite3_bind_parameter_name(handle, $0 + 1).map { String(cString: $0) } }
  }

  /// - Parameter position: from 1.
  func bind(_ value: SQLiteValue, at position: Int) throws(SQLiteError) {
    let index = Int32(position)
    let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    let code =
      switch value {
      case .null: sqlite3_bind_null(handle, index)
      case .integer(let number): sqlite3_bind_int64(handle, index, number)
      case .real(let number): sqlite3_bind_double(handle, index, number)
      case .text(let text): sqlite3_bind_text(handle, index, text, Int32(text.utf8.count), copied)
      case .blob(let bytes): sqlite3_bind_blob(handle, index, bytes, Int32(bytes.count), copied)
      }
    guard code == SQLITE_OK else { throw connection.error() }
  }

  /// Goes to the next row; false at the end.
  func step() throws(SQLiteError) -> Bool {
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw connection.error()
    }
  }

  func reset() { sqlite3_reset(handle) }

  /// - Parameter column: from 0.
  func value(_ column: Int) -> SQLiteValue {
    let index = Int32(column)
    switch sqlite3_column_type(handle, index) {
    case SQLITE_INTEGER: return .integer(sqlite3_column_int64(handle, index))
    case SQLITE_FLOAT: return .real(sqlite3_column_double(handle, index))
    case SQLITE_TEXT: return .text(String(decoding: bytes(index, sqlite3_column_text(handle, index)), as: UTF8.self))
    case SQLITE_BLOB:
      return .blob(Array(bytes(index, sqlite3_column_blob(handle, index)?.assumingMemoryBound(to: UInt8.self))))
    default: return .null
    }
  }

  private func bytes(_ index: Int32, _ base: UnsafePointer<UInt8>?) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: base, count: Int(sqlite3_column_bytes(handle, index)))
  }
}

/// What SQLite asks from time to time while a statement runs.
private final class SQLiteWatch {
  var deadline: ContinuousClock.Instant?
  var interruption: InterruptionWatch?

  var mustStop: Bool {
    if interruption?.signal != nil { return true }
    guard let deadline else { return false }
    return ContinuousClock.now >= deadline
  }
}
