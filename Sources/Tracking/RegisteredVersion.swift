// One version of a model, as the registry keeps it.
// SPDX-License-Identifier: Apache-2.0

/// `registry/NAME/versions/N.json`: what `register` wrote, and where it came from. Never changed once written.
package struct RegisteredVersion: Sendable, Equatable {
  package static let schema = "pipe.registered-version/1"

  package var name: String
  /// From 1, without gaps as long as nobody deletes one.
  package var number: Int
  package var registeredAt: String
  /// Where the bundle stands in the workspace.
  package var bundlePath: String
  /// `sha256:….dir`
  package var bundleDigest: String
  package var trace: String?
  package var commit: String?
  package var run: String?
  /// The version document (docs/formats.md), as `register` wrote it.
  package var document: JSONValue
  /// SHA-256 of the document's canonical text.
  package var documentDigest: String

  /// `eta/3`
  package var reference: String { "\(name)/\(number)" }
}

/// Where a version comes from: facts that the version document cannot hold and stay deterministic.
package struct VersionOrigin: Sendable, Equatable {
  package var bundleDigest: String
  package var trace: String?
  package var commit: String?
  package var run: String?
  package var registeredAt: Timestamp

  package init(bundleDigest: String, trace: String?, commit: String?, run: String?, registeredAt: Timestamp) {
    self.bundleDigest = bundleDigest
    self.trace = trace
    self.commit = commit
    self.run = run
    self.registeredAt = registeredAt
  }
}

extension RegisteredVersion {
  /// Pretty JSON with a newline at the end.
  package var text: String {
    var members: [String: JSONValue] = [
      "schema": .string(Self.schema), "name": .string(name), "number": .integer(number),
      "registeredAt": .string(registeredAt), "document": document, "documentDigest": .string(documentDigest),
      "bundle": .object(["path": .string(bundlePath), "digest": .string(bundleDigest)]),
    ]
    members["trace"] = trace.map(JSONValue.string)
    members["commit"] = commit.map(JSONValue.string)
    members["run"] = run.map(JSONValue.string)
    return JSONValue.object(members).prettyText + "\n"
  }

  /// - Throws: `TrackingError.malformed`, `TrackingError.unknownSchema`.
  init(parsing bytes: [UInt8], path: String) throws(TrackingError) {
    let json: JSONValue
    do { json = try JSONValue(parsing: bytes) } catch {
      throw .malformed(path: path, problem: "\(error.message) (after \(error.offset) bytes)")
    }
    guard let schema = json["schema"]?.stringValue else { throw .malformed(path: path, problem: "it has no `schema`") }
    guard schema == Self.schema else { throw .unknownSchema(path: path, found: schema, known: Self.schema) }
    guard let name = json["name"]?.stringValue, let number = json["number"]?.integerValue,
      let registeredAt = json["registeredAt"]?.stringValue, let document = json["document"],
      let documentDigest = json["documentDigest"]?.stringValue,
      let bundlePath = json["bundle"]?["path"]?.stringValue, let bundleDigest = json["bundle"]?["digest"]?.stringValue
    else { throw .malformed(path: path, problem: "a key of a registered version is missing") }
    self.init(
      name: name, number: number, registeredAt: registeredAt, bundlePath: bundlePath, bundleDigest: bundleDigest,
      trace: json["trace"]?.stringValue, commit: json["commit"]?.stringValue, run: json["run"]?.stringValue,
      document: document, documentDigest: documentDigest)
  }
}
