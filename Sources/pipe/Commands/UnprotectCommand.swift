// `pipe unprotect`: make files that are links to the store's objects files of their own.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics

struct UnprotectCommand: ParsableCommand, HasVolume {
  static let configuration = CommandConfiguration(
    commandName: "unprotect",
    abstract: "Make data writable that is linked to the store.",
    discussion: """
      With `cache.type` set to `hardlink` or `symlink` the workspace's files are the store's objects, and read-only.
      Before such a file is edited in place it has to be one of its own.

      Example:
        pipe unprotect data/labels.csv && vi data/labels.csv
      """)

  @Argument(help: "Files and folders.", completion: .file()) var targets: [String]
  @OptionGroup var volume: Volume

  func run() throws {
    let project = try Project.find()
    try project.makeStateFolders()
    let holding = try project.takeLock()
    defer { withExtendedLifetime(holding) {} }
    let workspace = project.workspace()
    var placed = try PlacedData(of: project)
    for target in targets {
      guard FileStat(target) != nil else { throw Diagnostic(.input, "there is no `\(target)`") }
      guard let path = project.path(target) else { throw Diagnostic(.input, "`\(target)` lies outside the project") }
      if let first = path.text.split(separator: "/").first, [".git", ".hg", ".dvc", ".pipe"].contains(first) {
        throw Diagnostic(.input, "`\(target)` lies in `\(first)`, which is not data")
      }
      placed.forget(path, in: workspace)
      try workspace.unprotect(path)
      if !volume.quiet { Terminal.standard.note("`\(target)` is writable") }
    }
    try placed.save()
  }
}
