// `pipe add`: keep data files and folders in the store, and let Git keep what points at them.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import Glibc
import PipelineModel

struct AddCommand: ParsableCommand, HasVolume {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Keep data in the store, with a pointer file beside it for Git.",
    discussion: """
      A file or folder below a folder that was added becomes part of that folder, or is taken out of it when it is gone.

      Examples:
        pipe add data/raw.csv images
        pipe add images/new.png
        pipe add --glob 'data/*.csv'
        pipe add /mnt/scans --out scans
      """)

  @Argument(help: "Files and folders.", completion: .file()) var targets: [String]
  @Flag(help: "Write the pointer files, but keep nothing in the store yet; `pipe commit` does.") var noCommit = false
  @Flag(help: "Targets may hold `*`, `**`, `?` and `[a-z]`.") var glob = false
  @Option(name: .shortAndLong, help: "Copy the data to this place, and track it there.", completion: .file()) var out: String?
  @Flag(name: .shortAndLong, help: "With --out: replace what is at that place.") var force = false
  @Flag(help: "Leave the files as they are, be they links or not.") var noRelink = false
  @Flag(help: "Not there yet.") var toRemote = false
  @Option(name: .shortAndLong, help: "Goes with --to-remote.") var remote: String?
  @Option(help: "Goes with --to-remote.") var remoteJobs: Int?
  @OptionGroup var volume: Volume

  func validate() throws {
    if toRemote {
      throw ValidationError("--to-remote is not there yet; `pipe add` and then `pipe push` come to the same")
    }
    if remote != nil || remoteJobs != nil { throw ValidationError("--remote and --remote-jobs go with --to-remote") }
    if out != nil, targets.count != 1 { throw ValidationError("--out takes one target") }
  }

  func run() throws {
    let project = try Project.find()
    try project.holdingWorkspace { loaded, workspace in
      var addition = DataAddition(loaded, try loaded.graph(), workspace)
      addition.keepsObjects = !noCommit
      addition.relinks = !noRelink
      if let out {
        try addition.copy(targets[0], to: out, replacing: force)
      } else {
        try addition.add(try glob ? GlobExpansion(project).paths(targets) : targets)
      }
      if !volume.quiet { addition.tell() }
    }
  }
}

/// From patterns to the paths that match, as a shell has them: hidden names only when the pattern says so.
struct GlobExpansion {
  private let project: Project

  init(_ project: Project) { self.project = project }

  /// - Throws: a `Diagnostic` when nothing matches.
  func paths(_ patterns: [String]) throws -> [String] {
    var found: [String] = []
    for pattern in patterns { found += pattern.contains("**") ? try deep(pattern) : Self.flat(pattern) }
    if found.isEmpty {
      throw Diagnostic(.input, "nothing matches \(patterns.map { "`\($0)`" }.joined(separator: ", "))")
    }
    return found
  }

  private static func flat(_ pattern: String) -> [String] {
    var list = glob_t()
    defer { globfree(&list) }
    guard glob(pattern, GLOB_NOESCAPE, nil, &list) == 0 else { return [] }
    return (0..<Int(list.gl_pathc)).compactMap { list.gl_pathv[$0].map { String(cString: $0) } }
  }

  private func deep(_ text: String) throws -> [String] {
    guard let pattern = PathPattern(text, in: project.current) else { return [] }
    var found: [String] = []
    var folders = [pattern.base]
    while let folder = folders.popLast() {
      for (name, isFolder) in try AtomicFile.kinds(folder.map { "\(project.root)/\($0)" } ?? project.root)
      where !name.hasPrefix(".") {
        guard let path = WorkspacePath(name, in: folder) else { continue }
        if pattern.matches(path.text) { found.append(relativePath(from: project.current, to: path.text)) }
        if isFolder { folders.append(path) }
      }
    }
    return found.sorted()
  }
}
