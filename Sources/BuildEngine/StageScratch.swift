// A stage's own folder: its context, its log, and the outputs that made room for new ones.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Glibc

struct StageScratch: Sendable {
  let folder: String
  let workspace: Workspace

  func open() throws(StoreError) {
    if mkdir(folder, 0o777) != 0 {
      // An earlier attempt may have left one.
      if errno == EEXIST { try AtomicFile.removeAll(folder) }
      try AtomicFile.makeFolder(folder)
    }
    try AtomicFile.makeFolder("\(folder)/tmp")
  }

  /// Moves outputs out of the way, so that the stage starts from nothing and nothing is lost if it fails.
  ///
  /// - Throws: `StoreError`; then everything is where it was.
  func setAside(_ paths: [WorkspacePath]) throws(StoreError) {
    guard paths.contains(where: workspace.isTaken) else { return }
    try AtomicFile.makeFolder("\(folder)/aside")
    try AtomicFile.write(paths.map(\.text).joined(separator: "\0"), to: "\(folder)/aside/paths")
    for (index, path) in paths.enumerated() {
      do {
        try workspace.move(path, to: "\(folder)/aside/\(index)")
      } catch {
        for (earlier, path) in paths.prefix(index).enumerated() {
          _ = rename("\(folder)/aside/\(earlier)", workspace.absolute(path))
        }
        throw error
      }
    }
  }

  /// Takes away what a failed stage left and brings back what was there before.
  func putBack(_ paths: [WorkspacePath]) throws(StoreError) {
    for (index, path) in paths.enumerated() {
      try workspace.remove(path)
      _ = rename("\(folder)/aside/\(index)", workspace.absolute(path))
    }
    try discard()
  }

  func discard() throws(StoreError) {
    // What nearly every stage leaves, without listing it.
    for name in ["log", "context.json"] { unlink("\(folder)/\(name)") }
    rmdir("\(folder)/tmp")
    if rmdir(folder) != 0 { try AtomicFile.removeAll(folder) }
  }

  /// Brings back what a killed build had moved aside, where nothing has taken its place, and removes its folders.
  ///
  /// - Parameter scratch: the folder that holds one folder a build, each with one a stage.
  static func recover(in scratch: String, workspace: Workspace) throws(StoreError) {
    for build in try AtomicFile.list(scratch) {
      let isBuild = FileStat("\(scratch)/\(build)", followingLinks: false)?.kind == .directory && !build.hasPrefix("put-")
      for stage in isBuild ? try AtomicFile.list("\(scratch)/\(build)") : [] {
        let aside = "\(scratch)/\(build)/\(stage)/aside"
        guard let text = try AtomicFile.readText("\(aside)/paths") else { continue }
        for (index, name) in text.split(separator: "\0").enumerated() {
          guard let path = WorkspacePath(name), !workspace.exists(path) else { continue }
          _ = rename("\(aside)/\(index)", workspace.absolute(path))
        }
      }
      try AtomicFile.removeAll("\(scratch)/\(build)")
    }
  }
}
