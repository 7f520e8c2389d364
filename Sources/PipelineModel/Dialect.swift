// The two spellings of a project: `pipe`'s own and DVC's.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore

/// File names, hash and spelling of a project. All that the code knows of the difference between the two.
package struct Dialect: Sendable, Equatable {
  package enum Kind: String, Sendable { case native, dvc }

  package let kind: Kind
  /// `pipeline.yaml` or `dvc.yaml`; every folder of the project may have one.
  package let manifestName: String
  /// Beside each manifest.
  package let lockName: String
  /// End of the name of a file that stands for data under `add`, dot included.
  package let pointerSuffix: String
  /// File of patterns for paths that the project does not look at.
  package let ignoreName: String
  /// Folder that marks the project's root.
  package let markerFolder: String
  package let algorithm: Digest.Algorithm

  package static let native = Dialect(
    kind: .native, manifestName: "pipeline.yaml", lockName: "pipeline.lock", pointerSuffix: ".pipe", ignoreName: ".pipeignore",
    markerFolder: ".pipe", algorithm: .sha256)

  package static let dvc = Dialect(
    kind: .dvc, manifestName: "dvc.yaml", lockName: "dvc.lock", pointerSuffix: ".dvc", ignoreName: ".dvcignore",
    markerFolder: ".dvc", algorithm: .md5)

  package var isNative: Bool { kind == .native }
}
