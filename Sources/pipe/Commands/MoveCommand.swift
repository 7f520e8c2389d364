// `pipe move`: give tracked data another place or name, with its pointer file.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import Glibc
import PipelineModel

struct MoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "move",
    abstract: "Move data that was added, and what points at it.",
    discussion: """
      Examples:
        pipe move raw.csv data/raw.csv
        pipe mv images archive/
      """,
    aliases: ["mv"])

  @Argument(help: "Data that was added.", completion: .file()) var source: String
  @Argument(help: "Its new name, or a folder to move it into.", completion: .file()) var destination: String
  @Flag(name: .shortAndLong, help: "Print only problems.") var quiet = false

  func run() throws {
    let project = try Project.find()
    try project.holdingWorkspace { loaded, workspace in
      let move = try DataMove(loaded, try loaded.graph(), workspace, from: source, to: destination)
      try move.run()
      if !quiet { Terminal.standard.note("moved `\(source)` to `\(project.display(move.to))`") }
    }
  }
}

struct DataMove {
  private let loaded: LoadedProject
  private let workspace: Workspace
  private var project: Project { loaded.project }
  private var results: AgreedResults { AgreedResults(project: project, loaded: loaded) }
  let from: WorkspacePath
  let to: WorkspacePath
  private let oldPointer: WorkspacePath
  /// The same as the old one when that has a name of its own.
  private let newPointer: WorkspacePath
  private let row: Int
  private let file: PointerFile

  /// Finds everything that stands in the way.
  init(_ loaded: LoadedProject, _ graph: StageGraph, _ workspace: Workspace, from source: String, to destination: String) throws {
    self.loaded = loaded
    self.workspace = workspace
    let project = loaded.project
    guard let from = project.path(source), let producer = graph.producer(of: from),
      let row = producer.outputs.firstIndex(where: { $0.path == from })
    else { throw Diagnostic(.input, "`\(source)` is not tracked", hints: ["`git mv` or `mv` moves what is not"]) }
    guard producer.work == .data, let pointer = producer.manifest, let file = loaded.pointers[pointer]?.file else {
      throw Diagnostic(
        .input, "`\(source)` is made by stage `\(project.display(producer))`",
        hints: ["change the output's path in the manifest, then `pipe repro`"])
    }
    let isFolder = FileStat(destination)?.kind == .directory
    guard let to = project.path(isFolder ? "\(destination)/\(from.name)" : destination) else {
      throw Diagnostic(.input, "`\(destination)` lies outside the project")
    }
    self.from = from
    self.to = to
    self.row = row
    self.file = file
    oldPointer = pointer
    let suffix = project.dialect.pointerSuffix
    let isBeside = pointer.name == from.name + suffix
    newPointer = isBeside ? WorkspacePath(to.name + suffix, in: to.parent) ?? pointer : pointer
    try checkDestination(graph)
  }

  private func checkDestination(_ graph: StageGraph) throws {
    if to == from { throw Diagnostic(.input, "`\(project.display(from))` is there already") }
    if newPointer != oldPointer, FileStat(workspace.absolute(newPointer)) != nil {
      throw Diagnostic(.input, "`\(project.display(newPointer))` is there already")
    }
    if let other = graph.producer(of: to) ?? graph.producers(below: to).first.map({ graph.stages[$0] }) {
      throw Diagnostic(.input, "`\(project.display(to))` overlaps with data of `\(project.display(other))`")
    }
    if let parent = to.parent, FileStat(workspace.absolute(parent))?.kind != .directory {
      throw Diagnostic(.input, "there is no folder `\(project.display(parent))`")
    }
    let isFolder = FileStat(workspace.absolute(from))?.kind == .directory
    if project.ignoreRules.isIgnored(to.text, isDirectory: isFolder) {
      throw Diagnostic(.input, "`\(project.display(to))` is ignored")
    }
    if to.name == project.dialect.manifestName || to.name.hasSuffix(project.dialect.pointerSuffix) {
      throw Diagnostic(.input, "`\(project.display(to))` is a name of the project's own files")
    }
    if let path = try results.firstTracked([to]) { throw Diagnostic(.input, "Git tracks `\(project.display(path))`") }
    try workspace.checkParent(of: to)
    if FileStat(workspace.absolute(to), followingLinks: false)?.kind == .link {
      throw Diagnostic(.input, "`\(project.display(to))` is there already, a symbolic link", hints: ["move it away"])
    }
    // A file that is there gives way only if there is a copy of it.
    if let digest = try workspace.content(of: to).digest, try !project.store.containsAll(of: digest) {
      throw Diagnostic(
        .input, "`\(project.display(to))` is there already, and the store has no copy of it", hints: ["move it away"])
    }
  }

  func run() throws {
    let isThere = workspace.exists(from)
    if isThere {
      try workspace.makeParent(of: to)
      try workspace.move(from, to: workspace.absolute(to))
      if file.outputs[row].isCached {
        let content = try workspace.keep(to, into: project.store)
        try project.store.flush()
        try workspace.settle(to, isExecutable: content.isExecutable, project)
        if let digest = content.digest { try remember(digest) }
      }
    } else {
      Terminal.standard.say(Diagnostic(.warning, "`\(project.display(from))` is not there, so only what points at it moves"))
    }
    try writePointer()
    var written = [newPointer]
    if file.outputs[row].isCached {
      written += try results.unignore([from])
      written += try results.ignore([to])
    }
    if newPointer != oldPointer {
      unlink(workspace.absolute(oldPointer))
      written.append(oldPointer)
    }
    try results.stage(written)
  }

  /// The record says what it said: data that had changed is still changed.
  private func writePointer() throws {
    var moved = file
    moved.outputs[row].place = to
    if newPointer == oldPointer, let text = loaded.pointers[oldPointer]?.text {
      let folder = file.workingDirectory.flatMap { WorkspacePath($0, in: oldPointer.parent) } ?? oldPointer.parent
      moved.outputs[row].path = DVCPath.relative(to, to: folder)
      _ = try results.put(PointerFileText.updating(text, with: moved, file: oldPointer.text), at: newPointer)
    } else {
      moved.outputs[row].path = to.name
      moved.workingDirectory = nil
      _ = try results.put(PointerFileText.write(moved), at: newPointer)
    }
  }

  private func remember(_ digest: Digest) throws {
    var placed = try PlacedData(of: project)
    placed.remove(from)
    placed.add(to, digest)
    try placed.save()
  }
}
