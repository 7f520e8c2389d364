// Models by name: their versions, and the aliases that point at them, as files in Git.
// SPDX-License-Identifier: Apache-2.0

/// One model with everything the registry has on it.
package struct RegisteredModel: Sendable, Equatable {
  package var name: String
  /// By number, ascending.
  package var versions: [RegisteredVersion]
  /// Alias → version number.
  package var aliases: [String: Int]
  /// All moves, oldest first.
  package var history: [AliasMove]
  /// A half-written last move that is passed over; worth a warning.
  package var problem: RegistryProblem?

  package func version(_ number: Int) -> RegisteredVersion? { versions.first { $0.number == number } }

  /// Where an alias stood at a moment; `nil` when it was not set.
  package func version(of alias: String, at moment: Timestamp) -> Int? {
    history.last { move in
      move.alias == alias && (Timestamp(text: move.at).map { $0 <= moment } ?? false)
    }?.to
  }
}

/// What an entry in the registry came to.
package enum RegistrationOutcome: Sendable, Equatable {
  case registered(RegisteredVersion)
  /// The same bundle with the same document is there already.
  case alreadyThere(RegisteredVersion)

  package var version: RegisteredVersion {
    switch self {
    case .registered(let version), .alreadyThere(let version): version
    }
  }
}

/// The folder `registry/`: `NAME/versions/N.json` and `NAME/aliases.jsonl`.
package struct Registry: Sendable {
  package let folder: String

  package init(folder: String) { self.folder = folder }

  /// All models, sorted by name.
  package func list() throws(TrackingError) -> [RegisteredModel] {
    var models: [RegisteredModel] = []
    for name in try names(in: folder) where Self.isName(name) {
      let model = try model(name)
      if !model.versions.isEmpty || !model.history.isEmpty { models.append(model) }
    }
    return models
  }

  /// - Throws: `TrackingError.unknownModel`; `TrackingError.brokenRegistry` when the alias list cannot be trusted.
  package func show(_ name: String) throws(TrackingError) -> RegisteredModel {
    let model = Self.isName(name) ? try model(name) : nil
    if let model, !model.versions.isEmpty || !model.history.isEmpty { return model }
    throw .unknownModel(name: name, nearest: nearestName(to: name, among: try list().map(\.name)))
  }

  /// The version that `eta` (the newest), `eta/3` or `eta@production` names.
  ///
  /// - Throws: `TrackingError.badReference`, `.unknownModel`, `.unknownVersion`, `.unknownAlias`, each with what is near.
  package func resolve(_ reference: String) throws(TrackingError) -> RegisteredVersion {
    guard let mark = reference.firstIndex(where: { $0 == "@" || $0 == "/" }) else {
      let model = try show(reference)
      guard let newest = model.versions.last else { throw .unknownVersion(name: reference, number: 1, newest: nil) }
      return newest
    }
    let name = String(reference[..<mark])
    let rest = String(reference[reference.index(after: mark)...])
    guard !name.isEmpty, !rest.isEmpty else { throw .badReference(reference) }
    if reference[mark] == "@" { return try resolve(alias: rest, in: show(name)) }
    guard let number = Int(rest) else { throw .badReference(reference) }
    return try version(number, in: show(name))
  }

  /// Enters what `register` wrote, once: the same document with the same bundle gives no second version.
  ///
  /// Safe beside other processes: a number is taken by making its file, which only one can.
  /// - Parameter document: the bytes of a version document (docs/formats.md).
  /// - Throws: `TrackingError.malformed`, `.unknownSchema`, `.badName`, `.file`.
  package func apply(versionDocument document: [UInt8], origin: VersionOrigin) throws(TrackingError) -> RegistrationOutcome {
    let json: JSONValue
    do { json = try JSONValue(parsing: document) } catch {
      throw .malformed(path: "version document", problem: "\(error.message) (after \(error.offset) bytes)")
    }
    let known = "pipe.model-version/1"
    guard let schema = json["schema"]?.stringValue, let name = json["name"]?.stringValue,
      let bundle = json["bundle"]?.stringValue
    else { throw .malformed(path: "version document", problem: "it needs `schema`, `name` and `bundle`") }
    guard schema == known else { throw .unknownSchema(path: "version document", found: schema, known: known) }
    guard Self.isName(name) else { throw .badName(name) }
    let documentDigest = sha256(json.canonicalText.utf8)
    while true {
      let versions = try versions(of: name)
      let same = versions.first { $0.bundleDigest == origin.bundleDigest && $0.documentDigest == documentDigest }
      if let same { return .alreadyThere(same) }
      let version = RegisteredVersion(
        name: name, number: (versions.last?.number ?? 0) + 1, registeredAt: origin.registeredAt.text, bundlePath: bundle,
        bundleDigest: origin.bundleDigest, trace: origin.trace, commit: origin.commit, run: origin.run, document: json,
        documentDigest: documentDigest)
      if try createFile(versionPath(name, version.number), Array(version.text.utf8)) { return .registered(version) }
    }
  }

  /// A name of a model or alias: a letter or digit, then letters, digits, `.`, `-`, `_`; at most 100 bytes.
  package static func isName(_ text: String) -> Bool { RunID.isUsable(text) && text.first != "-" && text.first != "_" }
}

extension Registry {
  func versionPath(_ name: String, _ number: Int) -> String { "\(folder)/\(name)/versions/\(number).json" }

  func aliasPath(_ name: String) -> String { "\(folder)/\(name)/aliases.jsonl" }

  func version(_ number: Int, in model: RegisteredModel) throws(TrackingError) -> RegisteredVersion {
    if let version = model.version(number) { return version }
    throw .unknownVersion(name: model.name, number: number, newest: model.versions.last?.number)
  }

  private func resolve(alias: String, in model: RegisteredModel) throws(TrackingError) -> RegisteredVersion {
    guard let number = model.aliases[alias] else {
      let known = model.aliases.keys.sorted(by: precedes)
      throw .unknownAlias(name: model.name, alias: alias, nearest: nearestName(to: alias, among: known), known: known)
    }
    return try version(number, in: model)
  }

  func versions(of name: String) throws(TrackingError) -> [RegisteredVersion] {
    let numbers = try names(in: "\(folder)/\(name)/versions", endingIn: ".json").compactMap { Int($0) }.sorted()
    var versions: [RegisteredVersion] = []
    for number in numbers {
      let path = versionPath(name, number)
      guard let bytes = try readFile(path) else { continue }
      let version = try RegisteredVersion(parsing: bytes, path: path)
      guard version.name == name, version.number == number else {
        throw .malformed(path: path, problem: "it says that it is `\(version.reference)`")
      }
      versions.append(version)
    }
    return versions
  }

  private func model(_ name: String) throws(TrackingError) -> RegisteredModel {
    let chain = AliasChain(parsing: try readFile(aliasPath(name)) ?? [], name: name)
    if let (line, message) = chain.problem {
      throw .brokenRegistry(RegistryProblem(path: aliasPath(name), line: line, message: message))
    }
    return RegisteredModel(
      name: name, versions: try versions(of: name), aliases: chain.aliases, history: chain.moves,
      problem: tornTail(chain, name))
  }

  func tornTail(_ chain: AliasChain, _ name: String) -> RegistryProblem? {
    guard chain.hasTornTail else { return nil }
    return RegistryProblem(
      path: aliasPath(name), line: chain.moves.count + 1, message: "the last line is half-written; its move did not happen")
  }
}
