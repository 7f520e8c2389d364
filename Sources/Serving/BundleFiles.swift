// The files of a bundle with their digests, and the comparison with what was exported.
// SPDX-License-Identifier: Apache-2.0
package import Diagnostics
package import FoundationEssentials
import Hashing
import Scoring

/// What lies in a bundle's folder: each file's path and SHA-256.
package struct BundleFiles: Sendable, Equatable {
  package struct File: Sendable, Equatable {
    /// Relative to the bundle's folder, with `/`.
    package var path: String
    /// 64 lower-case hexadecimal digits.
    package var sha256: String
  }

  /// Rising by the bytes of their paths.
  package let files: [File]

  /// Reads and digests every file below a folder.
  ///
  /// - Throws: a `storage` diagnostic for a folder or file that cannot be read, or that holds a symbolic link, pipe or
  ///   device: a bundle is regular files.
  package init(in folder: URL) throws(Diagnostic) {
    var found: [File] = []
    try Self.collect(folder, "", into: &found)
    files = found.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  private static func collect(_ folder: URL, _ prefix: String, into found: inout [File]) throws(Diagnostic) {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch {
      throw Diagnostic(.storage, "the bundle's folder `\(folder.path)` cannot be read", causes: ["\(error)"])
    }
    for name in names {
      let file = folder.appendingPathComponent(name)
      let type = (try? FileManager.default.attributesOfItem(atPath: file.path))?[.type] as? FileAttributeType
      switch type {
      case .typeDirectory?: try collect(file, "\(prefix)\(name)/", into: &found)
      case .typeRegular?:
        do { found.append(File(path: prefix + name, sha256: sha256Digits([UInt8](try Data(contentsOf: file))))) } catch {
          throw Diagnostic(.storage, "`\(file.path)` cannot be read", causes: ["\(error)"])
        }
      default:
        throw Diagnostic(.storage, "`\(file.path)` is not a regular file; a bundle holds nothing else")
      }
    }
  }
}

/// `manifest.json` of an exported directory (docs/serving.md).
package struct ExportManifest: Sendable, Equatable, Codable {
  package static let schema = "pipe.export/1"

  package struct File: Sendable, Equatable, Codable {
    /// 64 hexadecimal digits.
    package var sha256: String
  }

  package var schema: String
  /// Name of the model.
  package var model: String
  /// Version in the registry.
  package var version: String
  /// The exported files by their path relative to the manifest's folder; the bundle's are below `bundle/`.
  package var files: [String: File]

  /// Reads a manifest.
  ///
  /// - Throws: an `input` diagnostic for a file that is not there or not of this schema.
  package init(at file: URL) throws(Diagnostic) {
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: file))
    } catch {
      throw Diagnostic(.input, "`\(file.path)` is not a manifest that can be read", causes: ["\(error)"])
    }
    guard schema == Self.schema else {
      throw Diagnostic(.input, "`\(file.path)` has the schema `\(schema)`, not `\(Self.schema)`")
    }
  }

  /// Compares the listed files of the bundle with what lies there: none missing, none more, every digest equal.
  ///
  /// - Throws: a `storage` diagnostic that names each difference.
  package func check(_ found: BundleFiles) throws(Diagnostic) {
    let listed = files.filter { $0.key.hasPrefix("bundle/") }.map { ($0.key.dropFirst("bundle/".count), $0.value.sha256) }
    let expected = Dictionary(listed, uniquingKeysWith: { first, _ in first })
    let present = Dictionary(
      found.files.map { ($0.path[...], $0.sha256) }, uniquingKeysWith: { first, _ in first })
    var differences: [String] = []
    for path in Set(expected.keys).union(present.keys).sorted() {
      switch (expected[path], present[path]) {
      case (let wanted?, let actual?) where wanted != actual:
        differences.append("`\(path)` has the digest \(actual.prefix(12))…, exported was \(wanted.prefix(12))…")
      case (_?, nil): differences.append("`\(path)` is missing")
      case (nil, _?): differences.append("`\(path)` is not in the manifest")
      default: break
      }
    }
    guard differences.isEmpty else {
      throw Diagnostic(
        .storage, "the bundle of model `\(model)` is not what was exported", causes: differences,
        hints: ["export it again with `pipe export \(model)`"])
    }
  }
}
