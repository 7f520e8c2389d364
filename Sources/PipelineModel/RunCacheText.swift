// DVC's run cache: the name and the text of what one stage once made of its inputs.
// SPDX-License-Identifier: Apache-2.0
import ContentStore
package import Diagnostics

package enum RunCacheText {
  /// The folder of an entry: SHA-256 of the entry with its outputs' paths alone, 64 digits.
  ///
  /// Neither sizes nor file counts are part of it, nor, since DVC leaves those keys out at any depth, parameters that are
  /// called `size` or `nfiles`. So compare an entry that was found with `agrees` before it is used.
  package static func key(of entry: DVCLockEntry) -> String {
    let pairs = entry.pairs.filter { $0.0 != "outs" } + [("outs", .list(entry.outputs.map { .text($0.path) }))]
    return digits(of: .mapping(pairs))
  }

  /// The name of an entry in its folder: SHA-256 of all of it, 64 digits.
  package static func value(of entry: DVCLockEntry) -> String { digits(of: entry.tree) }

  /// `runs/ab/ab…/cd…` below DVC's cache folder.
  package static func path(of entry: DVCLockEntry) -> String {
    let key = key(of: entry)
    return "runs/\(key.prefix(2))/\(key)/\(value(of: entry))"
  }

  /// The text of an entry's file.
  package static func write(_ entry: DVCLockEntry) -> String { RoundTripYAML.text(entry.tree) }

  /// Reads an entry's file, which anybody may have written.
  ///
  /// - Throws: all mistakes.
  package static func read(_ text: String, file: String) throws(DiagnosticList) -> DVCLockEntry {
    let (tree, mistakes) = YAMLReader.read(text, file: file)
    try mistakes.throwIfErrors()
    guard let tree else {
      throw DiagnosticList([Diagnostic(.storage, "the run cache's entry is empty", at: SourceLocation(file: file))])
    }
    var reader = DVCRowReader(file: file)
    let entry = reader.entry(tree, of: "the run cache's entry")
    try reader.mistakes.throwIfErrors()
    guard let entry else {
      throw DiagnosticList([Diagnostic(.bug, "an entry without mistakes was not read", at: SourceLocation(file: file))])
    }
    return entry
  }

  /// Whether a stored entry is for these inputs: commands, digests of dependencies, all parameters, and the outputs' paths.
  package static func agrees(_ stored: DVCLockEntry, with current: DVCLockEntry) -> Bool {
    stored.commands == current.commands && stored.isCommandList == current.isCommandList
      && stored.parameters == current.parameters
      && stored.dependencies.count == current.dependencies.count
      && zip(stored.dependencies, current.dependencies).allSatisfy {
        $0.path == $1.path && $0.digest == $1.digest && $0.isExecutable == $1.isExecutable
      }
      && stored.outputs.map(\.path) == current.outputs.map(\.path)
  }

  private static func digits(of tree: ParameterValue) -> String {
    Digest.of(Array(tree.withoutSizes.pythonJSON(sortKeys: true).utf8), .sha256).hex
  }
}

extension ParameterValue {
  /// Without the keys `size` and `nfiles` at any depth.
  fileprivate var withoutSizes: ParameterValue {
    switch self {
    case .list(let items): .list(items.map(\.withoutSizes))
    case .mapping(let pairs):
      .mapping(pairs.filter { $0.0 != "size" && $0.0 != "nfiles" }.map { ($0.0, $0.1.withoutSizes) })
    default: self
    }
  }
}
