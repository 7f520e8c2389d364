// Where two results first differ, in words.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import PipelineModel

/// Compares what was made now with what the workspace holds, if that is still what the lock file names.
struct FirstDifference {
  let agreed: Trace.Result
  let kept: Workspace
  let made: Trace.Result
  let room: Workspace

  var text: String {
    get throws {
      guard let path = WorkspacePath(made.path) else { return "the bytes differ" }
      let old = try kept.content(of: path)
      guard old.digest == agreed.digest else { return "the digests differ (\(agreed.digest.short)… and \(made.digest.short)…)" }
      switch (old, try room.content(of: path)) {
      case (.directory(let before, _), .directory(let now, _)): return directories(path, before, now)
      case (.file, .file): return try files(path.text, kept.absolute(path), room.absolute(path))
      default: return "one is a file, the other a directory"
      }
    }
  }

  private func directories(_ path: WorkspacePath, _ before: FileTree, _ now: FileTree) -> String {
    let old = Dictionary(before.entries.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    let new = Dictionary(now.entries.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    for name in Set(old.keys).union(new.keys).sorted() where old[name] != new[name] {
      let inside = "\(path)/\(name)"
      guard old[name] != nil else { return "\(inside) is new" }
      guard new[name] != nil else { return "\(inside) is missing" }
      return (try? files(inside, "\(kept.root)/\(inside)", "\(room.root)/\(inside)")) ?? "\(inside) differs"
    }
    return "the directories differ"
  }

  private func files(_ name: String, _ old: String, _ new: String) throws -> String {
    guard let before = try AtomicFile.read(old), let now = try AtomicFile.read(new) else { return "\(name) differs" }
    let shared = zip(before, now).prefix { $0 == $1 }.count
    let isText = before.prefix(4096).allSatisfy { $0 != 0 }
    guard isText else { return "\(name) differs from byte \(shared + 1) on (\(before.count) and \(now.count) bytes)" }
    let line = before.prefix(shared).count { $0 == UInt8(ascii: "\n") } + 1
    return "\(name):\(line) was `\(excerpt(before, at: shared))`, is `\(excerpt(now, at: shared))`"
  }

  /// The line around a position, cut to 60 characters.
  private func excerpt(_ bytes: [UInt8], at position: Int) -> String {
    let start = bytes.prefix(position).lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    let from = max(start, position - 30)
    let line = bytes[from...].prefix { $0 != UInt8(ascii: "\n") }
    return String(decoding: line.prefix(60), as: UTF8.self)
  }
}
