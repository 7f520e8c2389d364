// A file that stands for data under `add` or an import: `.dvc`, or `.pipe` in a native project.
// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import Diagnostics

package struct PointerFile: Sendable, Equatable {
  /// The data.
  package struct Output: Sendable, Equatable {
    /// As written, relative to the pointer's working directory.
    package var path: String
    /// Where that leads; never out of the workspace.
    package var place: WorkspacePath
    package var digest: Digest?
    package var size: Int?
    package var files: Int?
    package var isExecutable = false
    package var description: String?
    package var type: String?
    package var labels: [String] = []
    /// A mapping, or `null`.
    package var meta = ParameterValue.null
    package var isCached = true
    package var isPersistent = false
    package var remote: String?
    package var isPushed = true
    /// Keys that have no property here, as a mapping; `null` when there are none.
    package var other = ParameterValue.null

    /// Data beside its pointer file.
    ///
    /// - Parameter place: in the workspace; its name is what is written.
    package init(place: WorkspacePath, digest: Digest?, size: Int?, files: Int? = nil, isExecutable: Bool = false) {
      self.init(path: place.name, place: place, digest: digest)
      self.size = size
      self.files = files
      self.isExecutable = isExecutable
    }

    init(path: String, place: WorkspacePath, digest: Digest?) {
      self.path = path
      self.place = place
      self.digest = digest
    }
  }

  /// Where an import came from.
  package struct Dependency: Sendable, Equatable {
    /// As written: a path in the other repository, an address, or a path.
    package var path: String?
    package var digest: Digest?
    package var size: Int?
    package var files: Int?
    package var isExecutable = false
    /// The other keys as written (`repo`, `etag`, `db` …), as a mapping; `null` when there are none.
    package var other = ParameterValue.null

    package init(path: String?, digest: Digest? = nil, other: ParameterValue = .null) {
      self.path = path
      self.digest = digest
      self.other = other
    }

    /// `repo:` with `url`, `rev`, `rev_lock` as written.
    package var repository: ParameterValue? {
      guard case .mapping(let pairs) = other else { return nil }
      return pairs.first { $0.0 == "repo" }?.1
    }
  }

  package var outputs: [Output]
  package var dependencies: [Dependency] = []
  /// MD5 of the import as a stage; 32 digits.
  package var stageDigest: String?
  /// Relative to the pointer's folder; `nil` is that folder.
  package var workingDirectory: String?
  package var isFrozen = false
  package var alwaysChanged = false
  package var description: String?
  package var meta = ParameterValue.null
  /// Other top-level keys as a mapping; `null` when there are none.
  package var other = ParameterValue.null

  package init(outputs: [Output]) { self.outputs = outputs }
}

package enum PointerFileText {
  /// Reads the text.
  ///
  /// - Parameters:
  ///   - file: for messages.
  ///   - folder: that holds the file; `nil` is the workspace's root.
  /// - Throws: all mistakes; an output whose path is absolute or leads out of the workspace is one.
  package static func read(
    _ text: String, file: String, in folder: WorkspacePath? = nil
  ) throws(DiagnosticList) -> PointerFile {
    let (tree, mistakes) = YAMLReader.read(text, file: file)
    try mistakes.throwIfErrors()
    var reader = DVCRowReader(file: file)
    guard let tree else {
      throw DiagnosticList([Diagnostic(.input, "the file is empty", at: SourceLocation(file: file), hints: [recovery])])
    }
    let pointer = reader.pointer(tree, in: folder)
    try reader.mistakes.throwIfErrors()
    guard let pointer else {
      throw DiagnosticList([Diagnostic(.bug, "a pointer file without mistakes was not read", at: SourceLocation(file: file))])
    }
    return pointer
  }

  /// The text of a new file.
  package static func write(_ pointer: PointerFile) -> String { RoundTripYAML.text(.mapping(pointer.pairs)) }

  /// The text changed to say what the value says; comments, order and unknown keys stay.
  ///
  /// - Throws: what keeps the text from being read.
  package static func updating(_ text: String, with pointer: PointerFile, file: String) throws(DiagnosticList) -> String {
    let (_, mistakes) = YAMLReader.read(text, file: file)
    try mistakes.throwIfErrors()
    return YAMLPatch.apply(pointer.pairs, to: text) ?? write(pointer)
  }

  private static let recovery = "take the file from Git, or remove it and `add` the data again"
}

// MARK: to text

extension PointerFile {
  var pairs: [(String, ParameterValue)] {
    var pairs: [(String, ParameterValue)] = []
    if let description { pairs.append(("desc", .text(description))) }
    if let stageDigest { pairs.append(("md5", .text(stageDigest))) }
    if let workingDirectory { pairs.append(("wdir", .text(workingDirectory))) }
    if isFrozen { pairs.append(("frozen", .bool(true))) }
    if !dependencies.isEmpty { pairs.append(("deps", .list(dependencies.map(\.tree)))) }
    if !outputs.isEmpty { pairs.append(("outs", .list(outputs.map(\.tree)))) }
    if meta != .null { pairs.append(("meta", meta)) }
    if alwaysChanged { pairs.append(("always_changed", .bool(true))) }
    if case .mapping(let more) = other { pairs += more }
    return pairs
  }
}

extension PointerFile.Output {
  var tree: ParameterValue {
    var pairs = digestPairs(digest, size, files, isExecutable)
    if let name = digest?.recordedName { pairs.append(("hash", .text(name))) }
    pairs.append(("path", .text(path)))
    if let description { pairs.append(("desc", .text(description))) }
    if let type { pairs.append(("type", .text(type))) }
    if !labels.isEmpty { pairs.append(("labels", .list(labels.map { .text($0) }))) }
    if meta != .null { pairs.append(("meta", meta)) }
    if !isCached { pairs.append(("cache", .bool(false))) }
    if isPersistent { pairs.append(("persist", .bool(true))) }
    if let remote { pairs.append(("remote", .text(remote))) }
    if !isPushed { pairs.append(("push", .bool(false))) }
    if case .mapping(let more) = other { pairs += more }
    return .mapping(pairs)
  }
}

extension PointerFile.Dependency {
  var tree: ParameterValue {
    var pairs = digestPairs(digest, size, files, isExecutable)
    if let name = digest?.recordedName { pairs.append(("hash", .text(name))) }
    if let path { pairs.append(("path", .text(path))) }
    if case .mapping(let more) = other { pairs += more }
    return .mapping(pairs)
  }
}

private func digestPairs(_ digest: Digest?, _ size: Int?, _ files: Int?, _ isExecutable: Bool) -> [(String, ParameterValue)] {
  var pairs: [(String, ParameterValue)] = []
  if let digest { pairs.append((digest.recordedKey, .text(digest.hex))) }
  if let size { pairs.append(("size", .integer(Int64(size)))) }
  if let files { pairs.append(("nfiles", .integer(Int64(files)))) }
  if isExecutable { pairs.append(("isexec", .bool(true))) }
  return pairs
}

// MARK: from text

extension DVCRowReader {
  fileprivate mutating func pointer(_ node: YAMLNode, in folder: WorkspacePath?) -> PointerFile? {
    guard let pairs = pairs(node, of: "the file") else { return nil }
    var pointer = PointerFile(outputs: [])
    var other: [(String, ParameterValue)] = []
    for (key, value) in pairs {
      switch key.text {
      case "outs", "deps": break
      case "md5": pointer.stageDigest = value.text
      case "wdir": pointer.workingDirectory = value.value == .null ? nil : text(value, of: "`wdir`")
      case "frozen", "locked": pointer.isFrozen = flag(value, of: "`\(key.text)`") ?? false
      case "always_changed": pointer.alwaysChanged = flag(value, of: "`always_changed`") ?? false
      case "desc": pointer.description = text(value, of: "`desc`")
      case "meta": pointer.meta = value.dvcValue
      case "cmd": fail("a pointer file has no `cmd`", value, hints: ["stages stand in `dvc.yaml`, since DVC 2"])
      default: other.append((key.text, value.dvcValue))
      }
    }
    if !other.isEmpty { pointer.other = .mapping(other) }
    let base = workingFolder(pointer.workingDirectory, node["wdir"] ?? node, in: folder)
    let outputs = rows(node["outs"], "outs")
    pointer.outputs = outputs.compactMap { output($0, in: base) }
    pointer.dependencies = rows(node["deps"], "deps").compactMap { dependency($0) }
    if outputs.isEmpty, !mistakes.hasErrors { fail("the file names no data: it has no `outs`", node) }
    return pointer
  }

  private mutating func rows(_ node: YAMLNode?, _ section: String) -> [YAMLNode] {
    guard let node, node.value != .null else { return [] }
    return items(node, of: "`\(section)`") ?? []
  }

  private mutating func workingFolder(_ written: String?, _ node: YAMLNode, in folder: WorkspacePath?) -> WorkspacePath? {
    guard let written else { return folder }
    // The root itself is no `WorkspacePath`: a path within it tells whether the folder is inside.
    if let probe = WorkspacePath(written + "/x", in: folder), !written.utf8.contains(0) { return probe.parent }
    fail("`wdir` leads out of the project: `\(written)`", node)
    return folder
  }

  private mutating func output(_ node: YAMLNode, in folder: WorkspacePath?) -> PointerFile.Output? {
    guard let pairs = pairs(node, of: "a row of `outs`") else { return nil }
    guard let pathNode = node["path"] else {
      fail("a row of `outs` has no `path`", node)
      return nil
    }
    guard let path = text(pathNode, of: "`path`") else { return nil }
    guard case .workspace(let place) = DVCPath.place(of: path, in: folder) else {
      fail(
        "the data's path leads out of the project: `\(path)`", pathNode,
        hints: ["the path has to be relative and stay within the project"])
      return nil
    }
    if let reserved = place.reservedFolder {
      fail("the data's path lies in `\(reserved)`: `\(path)`", pathNode, hints: ["nothing that is kept as data belongs there"])
      return nil
    }
    var output = PointerFile.Output(path: path, place: place, digest: digest(node, "`\(path)`"))
    var other: [(String, ParameterValue)] = []
    for (key, value) in pairs {
      let what = "`\(key.text)` of `\(path)`"
      switch key.text {
      case "path": break
      case "hash", "md5", "sha256": if output.digest == nil { other.append((key.text, value.dvcValue)) }
      case "size": output.size = count(value, of: what)
      case "nfiles": output.files = count(value, of: what)
      case "isexec": output.isExecutable = flag(value, of: what) ?? false
      case "desc": output.description = text(value, of: what)
      case "type": output.type = text(value, of: what)
      case "labels": output.labels = (items(value, of: what) ?? []).compactMap { text($0, of: "a label of `\(path)`") }
      case "meta": output.meta = value.dvcValue
      case "cache": output.isCached = flag(value, of: what) ?? true
      case "persist": output.isPersistent = flag(value, of: what) ?? false
      case "remote": output.remote = text(value, of: what)
      case "push": output.isPushed = flag(value, of: what) ?? true
      default: other.append((key.text, value.dvcValue))
      }
    }
    if !other.isEmpty { output.other = .mapping(other) }
    return output
  }

  private mutating func dependency(_ node: YAMLNode) -> PointerFile.Dependency? {
    guard let pairs = pairs(node, of: "a row of `deps`") else { return nil }
    var dependency = PointerFile.Dependency(path: nil, digest: digest(node, "the dependency"))
    var other: [(String, ParameterValue)] = []
    for (key, value) in pairs {
      switch key.text {
      case "path": dependency.path = text(value, of: "`path`")
      case "hash", "md5", "sha256": if dependency.digest == nil { other.append((key.text, value.dvcValue)) }
      case "size": dependency.size = count(value, of: "`size`")
      case "nfiles": dependency.files = count(value, of: "`nfiles`")
      case "isexec": dependency.isExecutable = flag(value, of: "`isexec`") ?? false
      default: other.append((key.text, value.dvcValue))
      }
    }
    if !other.isEmpty { dependency.other = .mapping(other) }
    return dependency
  }
}
