// Whether the registry's files still say what was written.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics

extension Registry {
  /// All that is wrong, model by model; empty when everything holds.
  ///
  /// Finds any change to, loss of or reordering among the lines of an alias list, except the loss of lines from the end and, in the last
  /// line, the fields `at`, `by`, `reason` and the name of an alias never moved before: only Git knows those. Finds changes in version files that
  /// an alias ever pointed at, and in the document of any version.
  package func verify() throws(TrackingError) -> [RegistryProblem] {
    var problems: [RegistryProblem] = []
    for name in try names(in: folder) where Self.isName(name) {
      let digests = try verifyVersions(of: name, &problems)
      try verifyAliases(of: name, digests, &problems)
    }
    return problems
  }

  /// Number → SHA-256 of the version's file, for those that can be read.
  private func verifyVersions(of name: String, _ problems: inout [RegistryProblem]) throws(TrackingError) -> [Int: String] {
    var digests: [Int: String] = [:]
    for file in try names(in: "\(folder)/\(name)/versions", endingIn: ".json") {
      let path = "\(folder)/\(name)/versions/\(file).json"
      guard let bytes = try readFile(path) else { continue }
      if let message = problem(ofVersion: bytes, path, name: name, file: file) {
        problems.append(RegistryProblem(path: path, line: nil, message: message))
      }
      if let number = Int(file) { digests[number] = sha256(bytes) }
    }
    for number in 1..<max(1, (digests.keys.max() ?? 0) + 1) where digests[number] == nil {
      problems.append(RegistryProblem(path: versionPath(name, number), line: nil, message: "version \(number) is missing"))
    }
    return digests
  }

  /// What is wrong with a version's file; `nil` when it says what was written.
  private func problem(ofVersion bytes: [UInt8], _ path: String, name: String, file: String) -> String? {
    let version: RegisteredVersion
    do { version = try RegisteredVersion(parsing: bytes, path: path) } catch {
      if case .malformed(_, let problem) = error { return problem }
      return error.diagnostic.message
    }
    guard version.name == name, String(version.number) == file else { return "it says that it is `\(version.reference)`" }
    guard version.documentDigest == sha256(version.document.canonicalText.utf8) else {
      return "its document was changed after it was registered"
    }
    return Array(version.text.utf8) == bytes ? nil : "it was changed after it was registered"
  }

  private func verifyAliases(
    of name: String, _ digests: [Int: String], _ problems: inout [RegistryProblem]
  ) throws(TrackingError) {
    let path = aliasPath(name)
    let chain = AliasChain(parsing: try readFile(path) ?? [], name: name)
    for move in chain.moves {
      guard let number = move.to else { continue }
      if digests[number] == nil {
        problems.append(
          RegistryProblem(path: path, line: move.sequence, message: "it points at version \(number), which is not there"))
      } else if digests[number] != move.versionDigest {
        let message = "version \(number) is not the one that the alias was pointed at, or the line was changed"
        problems.append(RegistryProblem(path: path, line: move.sequence, message: message))
      }
    }
    if let (line, message) = chain.problem { problems.append(RegistryProblem(path: path, line: line, message: message)) }
    if let torn = tornTail(chain, name) { problems.append(torn) }
  }
}
