// What DVC agreed on for one stage: an entry of `dvc.lock` and of its run cache, as a value.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore

/// Rows sorted by path, parameter files with `params.yaml` first: `tree` writes them in the order that they have here.
package struct DVCLockEntry: Sendable, Equatable {
  /// A dependency or an output.
  package struct Row: Sendable, Equatable {
    /// As the manifest has it, relative to the stage's working directory; not checked: see `DVCPath`.
    package var path: String
    /// `nil` when nothing is recorded, or only hashes that are not of this project's (`etag`, `checksum`).
    package var digest: Digest?
    /// Bytes; for a directory the sum over its files.
    package var size: Int?
    /// Files of a directory.
    package var files: Int?
    package var isExecutable: Bool
    /// Keys that have no property here, as a mapping; `null` when there are none.
    package var other: ParameterValue

    package init(
      path: String, digest: Digest?, size: Int? = nil, files: Int? = nil, isExecutable: Bool = false,
      other: ParameterValue = .null
    ) {
      self.path = path
      self.digest = digest
      self.size = size
      self.files = files
      self.isExecutable = isExecutable
      self.other = other
    }
  }

  /// The values that a stage took from one parameter file.
  package struct ParameterFile: Sendable, Equatable {
    package var path: String
    /// Key, with its dots, and value, in order.
    package var values: [(key: String, value: ParameterValue)]

    package init(path: String, values: [(key: String, value: ParameterValue)]) {
      self.path = path
      self.values = values
    }

    package static func == (a: Self, b: Self) -> Bool {
      a.path == b.path && a.values.count == b.values.count
        && zip(a.values, b.values).allSatisfy { $0.key == $1.key && $0.value == $1.value }
    }
  }

  package var commands: [String]
  /// Whether `cmd` is a list, be it of one.
  package var isCommandList: Bool
  package var dependencies: [Row]
  package var parameters: [ParameterFile]
  package var outputs: [Row]

  /// Puts rows, files and keys in the order that DVC writes.
  package init(
    commands: [String], isCommandList: Bool, dependencies: [Row], parameters: [ParameterFile], outputs: [Row]
  ) {
    self.commands = commands
    self.isCommandList = isCommandList
    self.dependencies = dependencies.sorted { precedes($0.path, $1.path) }
    self.parameters = parameters.map { file in
      ParameterFile(path: file.path, values: file.values.sorted { precedes($0.key, $1.key) })
    }.sorted { a, b in
      let isFirst = (a: a.path == Self.firstFile, b: b.path == Self.firstFile)
      return isFirst.a != isFirst.b ? isFirst.a : precedes(a.path, b.path)
    }
    self.outputs = outputs.sorted { precedes($0.path, $1.path) }
  }

  /// Keeps everything as it is ordered.
  init(
    written commands: [String], isCommandList: Bool, dependencies: [Row], parameters: [ParameterFile], outputs: [Row]
  ) {
    self.commands = commands
    self.isCommandList = isCommandList
    self.dependencies = dependencies
    self.parameters = parameters
    self.outputs = outputs
  }

  private static let firstFile = "params.yaml"
}

/// By code points, as Python compares texts.
private func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

// MARK: to text

extension DVCLockEntry {
  /// As DVC writes it: `cmd`, `deps`, `params`, `outs`, empty ones left out.
  package var tree: ParameterValue { .mapping(pairs) }

  var pairs: [(String, ParameterValue)] {
    var pairs: [(String, ParameterValue)] = [("cmd", command)]
    if !dependencies.isEmpty { pairs.append(("deps", .list(dependencies.map(\.tree)))) }
    if !parameters.isEmpty {
      pairs.append(("params", .mapping(parameters.map { ($0.path, .mapping($0.values.map { ($0.key, $0.value) })) })))
    }
    if !outputs.isEmpty { pairs.append(("outs", .list(outputs.map(\.tree)))) }
    return pairs
  }

  private var command: ParameterValue {
    if !isCommandList, commands.count == 1, let only = commands.first { return .text(only) }
    return .list(commands.map { .text($0) })
  }
}

extension DVCLockEntry.Row {
  var tree: ParameterValue {
    var pairs: [(String, ParameterValue)] = [("path", .text(path))]
    if let digest {
      if let name = digest.recordedName { pairs.append(("hash", .text(name))) }
      pairs.append((digest.recordedKey, .text(digest.hex)))
    }
    if let size { pairs.append(("size", .integer(Int64(size)))) }
    if let files { pairs.append(("nfiles", .integer(Int64(files)))) }
    if isExecutable { pairs.append(("isexec", .bool(true))) }
    if case .mapping(let more) = other { pairs += more }
    return .mapping(pairs)
  }
}

extension Digest {
  /// The value of `hash:`; DVC 2 wrote none for its own algorithm.
  var recordedName: String? {
    switch algorithm {
    case .md5: "md5"
    case .md5dos2unix: nil
    case .sha256: "sha256"
    }
  }

  /// The key that the digits stand under.
  var recordedKey: String { algorithm == .sha256 ? "sha256" : "md5" }
}
