// What a recipe led to, recorded once after a success.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore

/// A recipe with the digests of its outputs. The content is what the trace is named by; the facts are about the
/// execution that found it.
package struct Trace: Sendable, Equatable {
  package struct Result: Sendable, Equatable {
    package var path: String
    package var digest: Digest
    package var size: Int
    package var files: Int?
    package var isExecutable: Bool
    package var kind: Output.Kind

    package init(path: String, digest: Digest, size: Int, files: Int?, isExecutable: Bool, kind: Output.Kind) {
      self.path = path
      self.digest = digest
      self.size = size
      self.files = files
      self.isExecutable = isExecutable
      self.kind = kind
    }
  }

  /// When, where and how the outputs were made.
  package struct Facts: Sendable, Equatable {
    package var run: String
    /// RFC 3339.
    package var finishedAt: String
    package var durationSeconds: Double
    package var peakMemoryBytes: Int
    package var host: String
    package var commit: String?
    package var isDirty: Bool
    package var log: Digest?
    package var woven: Digest?

    package init(
      run: String, finishedAt: String, durationSeconds: Double, peakMemoryBytes: Int, host: String, commit: String?,
      isDirty: Bool, log: Digest?, woven: Digest?
    ) {
      self.run = run
      self.finishedAt = finishedAt
      self.durationSeconds = durationSeconds
      self.peakMemoryBytes = peakMemoryBytes
      self.host = host
      self.commit = commit
      self.isDirty = isDirty
      self.log = log
      self.woven = woven
    }
  }

  package var stage: String
  package var recipe: Recipe
  /// Sorted by path.
  package var outputs: [Result]
  package var facts: Facts

  package init(stage: String, recipe: Recipe, outputs: [Result], facts: Facts) {
    self.stage = stage
    self.recipe = recipe
    self.outputs = outputs.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    self.facts = facts
  }

  package var fingerprint: Fingerprint { Fingerprint(of: recipe) }

  /// Names the trace by what it says, not by when it was said.
  package var id: TraceID { TraceID(fingerprint: fingerprint, outputs: Self.digest(of: outputs)) }

  /// - Parameter outputs: sorted by path.
  package static func digest(of outputs: [Result]) -> Digest {
    var writer = ByteWriter()
    for output in outputs {
      writer.text(output.path)
      writer.digest(output.digest)
      writer.byte(output.isExecutable ? 1 : 0)
    }
    return Digest.of(writer.bytes)
  }
}

/// A fingerprint with the digest of the outputs it led to.
package struct TraceID: Sendable, Hashable, CustomStringConvertible {
  package var fingerprint: Fingerprint
  package var outputs: Digest

  package init(fingerprint: Fingerprint, outputs: Digest) {
    self.fingerprint = fingerprint
    self.outputs = outputs
  }

  /// `<fingerprint>-<first 16 digits of the outputs' digest>`.
  package var description: String { "\(fingerprint.digest.digits)-\(outputs.digits.prefix(16))" }
}
