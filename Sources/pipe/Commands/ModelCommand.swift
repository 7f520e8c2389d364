// `pipe model`: the registry.
// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BuildEngine
import ContentStore
import Diagnostics
import PipelineModel
import SourceControl
import Tracking

struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "List registered models, show one, or print its card.",
    subcommands: [List.self, Show.self, Card.self],
    defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list",
      abstract: "List registered models with their versions.",
      discussion: """
        Example:
          pipe model list --json
        """)

    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let versions = try Registry(folder: Project.find().registryFolder).list().flatMap(\.versions)
      if json { return Terminal.standard.out(JSONValue.array(versions.map(\.json)).canonicalText) }
      let rows = versions.map {
        [$0.reference, $0.registeredAt, String($0.commit?.prefix(8) ?? "-"), String($0.bundleDigest.dropFirst(7).prefix(12))]
      }
      Terminal.standard.out(
        rows.isEmpty ? "no models are registered" : columns([["model", "registered", "commit", "bundle"]] + rows))
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show",
      abstract: "Show one version of a model: metrics, gates, where it comes from.",
      discussion: """
        Examples:
          pipe model show eta         the newest version
          pipe model show eta/2 --json
        """)

    @Argument(help: "`NAME`, `NAME/VERSION` or `NAME@ALIAS`.") var reference: String
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let version = try Registry(folder: Project.find().registryFolder).resolve(reference)
      if json { return Terminal.standard.out(version.json.canonicalText) }
      var rows = [
        ["model", version.reference], ["registered", version.registeredAt],
        ["bundle", "\(version.bundlePath) \(version.bundleDigest)"],
        ["commit", version.commit ?? "-"], ["trace", version.trace ?? "-"], ["run", version.run ?? "-"],
      ]
      for (key, value) in version.document.flattened.sorted(by: { $0.key < $1.key })
      where !["name", "schema", "bundle"].contains(key) {
        rows.append([key, value.plainText])
      }
      Terminal.standard.out(columns(rows))
    }
  }
}

extension ModelCommand {
  struct Card: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "card",
      abstract: "Print the model card with the figures of a run, as the README of a model repository.",
      discussion: """
        The card is the file under `report: {card: …}`; see docs/report.md.

        Examples:
          pipe model card > README.md
          pipe model card 20261121T09
        """)

    @Argument(help: "The run, or the beginning of its name. Default: the newest.") var name: String?

    func run() throws {
      let project = try Project.find()
      let pipeline = try project.pipeline()
      let writer = ReportWriter(project: project, pipeline: pipeline, graph: try StageGraph(pipeline.stages))
      Terminal.standard.out(try writer.modelCard(of: project.run(name)))
    }
  }
}

extension RegisteredVersion {
  fileprivate var json: JSONValue {
    .object([
      "model": .string(reference), "name": .string(name), "version": .number("\(number)"), "registered_at": .string(registeredAt),
      "bundle": .object(["path": .string(bundlePath), "digest": .string(bundleDigest)]), "document": document,
      "commit": commit.map { .string($0) } ?? .null, "run": run.map { .string($0) } ?? .null,
      "trace": trace.map { .string($0) } ?? .null,
    ])
  }
}

/// Digests of the bundles that the registry points at.
struct RegisteredBundles {
  let digests: [Digest]

  init(_ project: Project) throws {
    digests = try Registry(folder: project.registryFolder).list().flatMap(\.versions).compactMap { Digest($0.bundleDigest) }
  }
}

/// Enters in the registry what the pipeline's `models:` made: once a result, also when it was only restored.
struct Registration {
  let project: Project
  let pipeline: Pipeline

  /// - Returns: what was entered now.
  func apply(_ lock: LockFile, run: String?) throws -> [RegisteredVersion] {
    var entered: [RegisteredVersion] = []
    for model in pipeline.models {
      guard let (entry, version) = output(model.version, lock), let (_, bundle) = output(model.bundle, lock) else { continue }
      let registry = Registry(folder: project.registryFolder)
      let trace = Trace.digest(of: entry.outputs)
      let id = "\(TraceID(fingerprint: Fingerprint(of: entry.recipe), outputs: trace))"
      let facts = try project.traces.trace(id)?.facts
      let outcome = try registry.apply(
        versionDocument: try document(version),
        origin: VersionOrigin(
          bundleDigest: "\(bundle.digest)", trace: id, commit: facts?.commit, run: facts?.run ?? run, registeredAt: .now))
      if case .registered(let version) = outcome { entered.append(version) }
    }
    return entered
  }

  /// The bytes of a version document: of the store, or of the workspace when Git keeps it instead.
  private func document(_ version: Trace.Result) throws -> [UInt8] {
    if let bytes = try? AtomicFile.read("\(project.root)/\(version.path)"), Digest.of(bytes) == version.digest { return bytes }
    return try project.store.bytes(of: version.digest)
  }

  private func output(_ path: WorkspacePath, _ lock: LockFile) -> (LockEntry, Trace.Result)? {
    for entry in lock.entries.values {
      if let found = entry.outputs.first(where: { $0.path == path.text }) { return (entry, found) }
    }
    return nil
  }
}
