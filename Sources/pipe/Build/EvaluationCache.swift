// Results of evaluations that were computed before: the same predictions under the same declaration give the same figures.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
import Evaluation
import Foundation
import Hashing

/// Files of `.pipe/evaluations`, named after what each result hangs on. Whatever is wrong with one, it is computed again.
struct EvaluationCache {
  let folder: String
  /// As many as a project's models and their last runs have; one has some 30 to 250 kB.
  static let most = 200

  private let identity: String

  /// - Parameters:
  ///   - table: digest of the predictions.
  ///   - reference: digest of those to compare with, and what they are called; `nil` without any.
  init(_ project: Project, _ request: EvaluationRequest, table: Digest, reference: (digest: Digest, name: String)? = nil) {
    folder = "\(project.stateFolder)/evaluations"
    identity =
      "pipe \(pipeVersion)\n"
      + EvaluationIdentity.text(request, table: table.description, reference: reference.map { ($0.digest.description, $0.name) })
  }

  /// The result that is kept, or what `compute` gives, which is kept from then on.
  func result(_ compute: () throws -> EvaluationResult) rethrows -> EvaluationResult {
    if let kept { return kept }
    let result = try compute()
    keep(result)
    return result
  }

  /// A result and what it is the result of: two that share a name are told apart.
  private struct Entry: Codable {
    var identity: String
    var result: EvaluationResult
  }

  private var file: String { "\(folder)/\(sha256Digits(Array(identity.utf8))).json" }

  private var kept: EvaluationResult? {
    guard isOurs, let bytes = try? AtomicFile.read(file), let entry = try? Self.decoder.decode(Entry.self, from: Data(bytes)),
      entry.identity == identity
    else { return nil }
    return entry.result
  }

  /// Without effect where it cannot be kept: then it is computed again the next time.
  private func keep(_ result: EvaluationResult) {
    guard let data = try? Self.encoder.encode(Entry(identity: identity, result: result)),
      (try? AtomicFile.makeFolder(folder)) != nil, isOurs
    else { return }
    try? AtomicFile.write([UInt8](data), to: file)
    forgetTheOldest()
  }

  /// A link may lead anywhere, and may be part of what was cloned.
  private var isOurs: Bool { FileStat(folder, followingLinks: false)?.kind == .directory }

  private func forgetTheOldest() {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    guard files.count > Self.most else { return }
    let dated = files.map { (name: $0, time: FileStat("\(folder)/\($0)", followingLinks: false)?.modified ?? 0) }
    for old in dated.sorted(by: { ($0.time, $0.name) < ($1.time, $1.name) }).prefix(files.count - Self.most) {
      try? FileManager.default.removeItem(atPath: "\(folder)/\(old.name)")
    }
  }

  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return encoder
  }

  private static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return decoder
  }
}
