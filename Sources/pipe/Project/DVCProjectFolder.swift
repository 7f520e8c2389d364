// A new project in DVC's layout: the files that `dvc init` makes, byte for byte.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Diagnostics
import Glibc
import SourceControl

struct DVCProjectFolder {
  /// Absolute, without links.
  let root: String
  let usesGit: Bool
  /// Whether the project may lie below the top of the Git repository.
  let isBelowTop: Bool

  private var marker: String { "\(root)/.dvc" }

  /// - Throws: a `Diagnostic` without Git, when Git ignores `.dvc`, or when it is there and is not to be replaced.
  func make(replacing: Bool) throws {
    let repository = try usesGit ? repository() : nil
    if FileStat(marker) != nil {
      guard replacing else {
        throw Diagnostic(
          .input, "`.dvc` is here already", hints: ["`--force` makes it anew; its cache and its configuration are lost"])
      }
      try AtomicFile.removeAll(marker)
    }
    try AtomicFile.makeFolder("\(marker)/tmp")
    try AtomicFile.write("", to: "\(marker)/tmp/btime")
    // Python's spelling, as DVC has it.
    try AtomicFile.write(usesGit ? "" : "[core]\n    no_scm = True\n", to: "\(marker)/config")
    if FileStat("\(root)/.dvcignore") == nil { try AtomicFile.write(Self.ignoreFile, to: "\(root)/.dvcignore") }
    guard let repository else { return }
    try AtomicFile.write("/config.local\n/tmp\n/cache\n", to: "\(marker)/.gitignore")
    let below = repository.path(below: root) ?? ""
    let prefix = below.isEmpty ? "" : below + "/"
    try repository.stage(paths: [".dvc/config", ".dvcignore", ".dvc/.gitignore"].map { prefix + $0 })
  }

  private func repository() throws -> GitRepository {
    guard let found = try GitRepository.open(at: root), let top = found.topLevel, top == root || isBelowTop else {
      throw Diagnostic(
        .input, "`\(root)` is not the top of a Git repository",
        hints: ["`git init` makes one", "`--subdir` is for a folder inside one", "`--no-scm` does without Git"])
    }
    let below = found.path(below: root) ?? ""
    if try found.isIgnored((below.isEmpty ? "" : below + "/") + ".dvc/") {
      throw Diagnostic(.input, "Git ignores `.dvc`", hints: ["`!.dvc` in .gitignore lets it in"])
    }
    return found
  }

  private static let ignoreFile = """
    # Add patterns of files dvc should ignore, which could improve
    # the performance. Learn more at
    # https://dvc.org/doc/user-guide/dvcignore

    """
}
