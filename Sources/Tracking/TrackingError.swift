// What can go wrong with records, ledger, lineage and registry, as facts.
// SPDX-License-Identifier: Apache-2.0

/// A fact that stopped an operation; `TrackingError+Diagnostic.swift` has the words.
package enum TrackingError: Error, Equatable, Sendable {
  case file(path: String, operation: String, reason: String)
  /// A document that is not what its place promises.
  case malformed(path: String, problem: String)
  /// A document of another schema than this version of `pipe` reads.
  case unknownSchema(path: String, found: String, known: String)
  /// A record of this id is there already, with other content.
  case runExists(id: String)
  case unknownRun(id: String, nearest: String?)
  case ambiguousRun(prefix: String, candidates: [String])
  /// SQLite failed on the index.
  case ledger(path: String, operation: String, message: String)
  case unknownLineage(query: String, nearest: String?)
  case ambiguousLineage(prefix: String, candidates: [String])
  case badName(String)
  case badReference(String)
  case unknownModel(name: String, nearest: String?)
  case unknownVersion(name: String, number: Int, newest: Int?)
  case unknownAlias(name: String, alias: String, nearest: String?, known: [String])
  /// The alias does not stand where the caller thought.
  case aliasMoved(name: String, alias: String, expected: Int?, actual: Int?)
  case brokenRegistry(RegistryProblem)
}
