// A run record as bytes and back.
// SPDX-License-Identifier: Apache-2.0
import Foundation

extension RunRecord {
  /// One line of JSON, keys sorted, absent values left out, a newline at the end.
  ///
  /// A number that is not finite becomes a string: a metric may well be `"NaN"`.
  package func encoded() -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    guard let data = try? encoder.encode(self) else { preconditionFailure("a run record holds only what JSON can say") }
    return Array(data) + [UInt8(ascii: "\n")]
  }

  /// Keys that this version does not know are passed over.
  ///
  /// - Parameter path: where the bytes came from, for the message.
  /// - Throws: `TrackingError.unknownSchema` when another version of `pipe` wrote it; `TrackingError.malformed`.
  package init(decoding bytes: [UInt8], path: String) throws(TrackingError) {
    let data = Data(bytes)
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    do {
      self = try decoder.decode(RunRecord.self, from: data)
    } catch {
      let found = try? decoder.decode(SchemaOnly.self, from: data).schema
      if let found, found != RunRecord.schema { throw .unknownSchema(path: path, found: found, known: RunRecord.schema) }
      throw .malformed(path: path, problem: words(of: error))
    }
    if schema != RunRecord.schema { throw .unknownSchema(path: path, found: schema, known: RunRecord.schema) }
  }
}

private struct SchemaOnly: Decodable {
  var schema: String
}

/// Foundation's decoding errors in a sentence.
private func words(of error: any Error) -> String {
  guard let error = error as? DecodingError else { return "not a run record" }
  func place(_ context: DecodingError.Context) -> String {
    context.codingPath.isEmpty ? "the document" : "`\(context.codingPath.map(\.stringValue).joined(separator: "."))`"
  }
  switch error {
  case .keyNotFound(let key, let context): return "\(place(context)) has no `\(key.stringValue)`"
  case .typeMismatch(_, let context), .valueNotFound(_, let context): return "\(place(context)) has another type than expected"
  case .dataCorrupted(let context) where context.codingPath.isEmpty: return "not JSON: it may be cut off"
  case .dataCorrupted(let context): return "\(place(context)) has a value that is not known"
  @unknown default: return "not a run record"
  }
}
