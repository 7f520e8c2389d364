// `pipe export`: a directory that serves a model on its own.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ContentStore
import Diagnostics
import Foundation
import PipelineModel
import Tracking

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a directory that serves a registered model on its own: server, bundle, manifest, run script.",
    discussion: """
      Example:
        pipe export eta --to build/eta && build/eta/run --port 8080
      """)

  @Argument(help: "`NAME`, `NAME/VERSION` or `NAME@ALIAS`.") var reference: String
  @Option(help: "The directory to make. It must not be there, or be empty.", completion: .directory) var to: String

  func run() throws {
    let project = try Project.find()
    let version = try Registry(folder: project.registryFolder).resolve(reference)
    guard let digest = Digest(version.bundleDigest), digest.isTree else {
      throw Diagnostic(.storage, "the registry's entry for `\(version.reference)` names no bundle")
    }
    guard try AtomicFile.list(to).isEmpty else {
      throw Diagnostic(.input, "`\(to)` is there and not empty", hints: ["name a new directory, or remove that one"])
    }
    let server = try SiblingProgram.path("pipe-serve")
    try AtomicFile.makeFolder(to)
    guard let folder = realpath(to, nil) else { throw StoreError.system("look at", path: to, code: errno) }
    defer { free(folder) }
    let target = Workspace(root: String(cString: folder), statCacheFile: "")
    try put(digest, "bundle", in: target, from: project.store)
    try copy(server, to: "\(target.root)/pipe-serve")
    try AtomicFile.write(Self.runScript, to: "\(target.root)/run")
    guard chmod("\(target.root)/run", 0o755) == 0 else {
      throw StoreError.system("write", path: "\(target.root)/run", code: errno)
    }
    try AtomicFile.write(try manifest(version, target), to: "\(target.root)/manifest.json")
    Terminal.standard.note("exported \(version.reference) to \(to); `\(to)/run --port 8080` serves it")
  }

  private func put(_ digest: Digest, _ name: String, in target: Workspace, from store: DirectoryObjectStore) throws {
    guard let path = WorkspacePath(name) else { preconditionFailure("`\(name)` is a path") }
    guard try store.containsAll(of: digest) else {
      throw Diagnostic(
        .storage, "the bundle \(digest.short)… is not in the store",
        hints: ["`pipe fetch` gets it from the remote; `pipe repro` makes it again"])
    }
    try target.put(digest, at: path, from: store)
  }

  private func copy(_ source: String, to destination: String) throws {
    let (digest, _) = try Digest.ofFile(source)
    let store = MemoryObjectStore()
    try store.insert(contentsOf: source, as: digest)
    try store.copy(digest, to: destination)
    guard chmod(destination, 0o755) == 0 else { throw StoreError.system("write", path: destination, code: errno) }
  }

  private func manifest(_ version: RegisteredVersion, _ target: Workspace) throws -> String {
    var files: [(String, ParameterValue)] = []
    for name in ["bundle", "pipe-serve", "run"] {
      guard let path = WorkspacePath(name) else { continue }
      switch try target.content(of: path) {
      case .missing: continue
      case .file(let digest, let size, _): files.append((name, Self.row(digest, size)))
      case .directory(let tree, _): files += tree.entries.map { ("\(name)/\($0.path)", Self.row($0.digest, $0.size)) }
      }
    }
    return ParameterValue.mapping([
      ("schema", .text("pipe.export/1")), ("model", .text(version.name)), ("version", .text("\(version.number)")),
      ("commit", version.commit.map { .text($0) } ?? .null), ("bundle", .text(version.bundleDigest)),
      ("files", .mapping(files)),
    ]).json + "\n"
  }

  private static func row(_ digest: Digest, _ size: Int) -> ParameterValue {
    .mapping([("sha256", .text(digest.hex)), ("size", .integer(Int64(size)))])
  }

  /// For a machine with a shell; elsewhere `pipe-serve` is called as the script does.
  private static let runScript = """
    #!/bin/sh
    # Serves the model beside this script; options go to pipe-serve (see --help).
    here=$(cd "$(dirname "$0")" && pwd)
    exec "$here/pipe-serve" --bundle "$here/bundle" --manifest "$here/manifest.json" "$@"

    """
}
