// Fuzzers: any bytes are read without a crash, and what was read is written so that it reads the same.
// SPDX-License-Identifier: Apache-2.0
internal import ContentStore
internal import Diagnostics
internal import Glibc
internal import PipelineModel

/// Set once, before the first input; libFuzzer runs everything in one thread.
nonisolated(unsafe) private var target: (UnsafeBufferPointer<UInt8>) -> Void = { _ in }

/// The program's own name says which reader it tries.
@_cdecl("LLVMFuzzerInitialize")
func initialize(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>>>
) -> CInt {
  let name = String(cString: arguments.pointee[0]).split(separator: "/").last.map(String.init) ?? ""
  let targets: [String: (UnsafeBufferPointer<UInt8>) -> Void] = [
    "yaml": { fuzzYAML($0) }, "lock": { fuzzLock($0) }, "tree": { fuzzTree($0) }, "pointer": { fuzzPointer($0) },
    "config": { fuzzConfig($0) }, "interpolation": { fuzzInterpolation($0) }, "parameters": { fuzzParameters($0) },
    "ignore": { fuzzIgnore($0) },
  ]
  guard let chosen = targets[name] else {
    say("no target is named `\(name)`\n")
    exit(2)
  }
  target = chosen
  return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let bytes, count > 0 else { return 0 }
  target(UnsafeBufferPointer(start: bytes, count: count))
  return 0
}

// MARK: What holds

/// Ends the program with both sides, so that a finding explains itself.
private func broken(_ property: String, _ first: String, _ second: String) -> Never {
  say("\(property)\n--- first\n\(first)\n--- second\n\(second)\n")
  fatalError(property)
}

private func say(_ text: String) {
  var text = text
  text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// Two values say the same: compared by content, keys in their order, numbers by kind.
private func expectSame(_ property: String, _ first: ParameterValue, _ second: ParameterValue?, _ text: String) {
  if first == second { return }
  broken(property, "\(first)", "\(second.map { "\($0)" } ?? "nothing") from:\n\(text)")
}

private func expectSame(_ property: String, _ first: String, _ second: String) {
  if !first.utf8.elementsEqual(second.utf8) { broken(property, first, second) }
}

private func words(_ list: DiagnosticList) -> String { list.diagnostics.map { "\($0)" }.joined(separator: "\n") }

/// The first byte chooses among variants, the rest is the text, read as `pipe` reads a file.
private func split(_ bytes: UnsafeBufferPointer<UInt8>) -> (variant: Int, text: String) {
  (Int(bytes[0]) & 3, String(decoding: bytes.dropFirst(), as: UTF8.self))
}

// MARK: YAML and manifests

private func fuzzYAML(_ bytes: UnsafeBufferPointer<UInt8>) {
  let (variant, text) = split(bytes)
  let (tree, mistakes) = YAMLReader.read(text, file: "f.yaml")
  if let tree, !mistakes.hasErrors {
    let value = tree.value
    if value.asPairs != nil || isList(value) {
      let written = RoundTripYAML.text(value)
      let (again, found) = YAMLReader.read(written, file: "again.yaml")
      if found.hasErrors || again?.value != value, isFoldedBeyondReading(written, value, found.hasErrors ? nil : again?.value) {
        return readManifest(text, variant)
      }
      if found.hasErrors { broken("what was written is not read", written, words(found)) }
      expectSame("what was written reads differently", value, again?.value ?? .null, written)
      if let again { expectSame("writing twice differs", written, RoundTripYAML.text(again.value)) }
    }
  }
  readManifest(text, variant)
}

/// DVC's own writer folds a key of several words behind column 80, a long word behind several spaces, and a word behind an
/// escape, into what no reader of YAML reads back: the blanks are others, or behind a key there is a mistake. `pipe` writes the
/// same bytes: docs/roadmap.md.
private func isFoldedBeyondReading<Value>(_ written: String, _ value: Value, _ again: Value?) -> Bool {
  // A long word makes a line end well before column 80.
  guard written.split(separator: "\n").contains(where: { $0.unicodeScalars.count > 40 && $0.contains(" ") }) else { return false }
  guard let again else { return true }
  return "\(value)".filter { $0 != " " } == "\(again)".filter { $0 != " " }
}

private func readManifest(_ text: String, _ variant: Int) {
  readManifest(text, variant & 1 == 0 ? .native : .dvc, parameters: "a: 1\nb: {c: [1, 2], d: x}\n")
}

private func isList(_ value: ParameterValue) -> Bool {
  if case .list = value { return true }
  return false
}

private func readManifest(_ text: String, _ dialect: Dialect, parameters: String) {
  guard let path = WorkspacePath(dialect.manifestName) else { return }
  let surroundings = ManifestSurroundings(
    text: { $0.text == "params.yaml" ? parameters : nil },
    matches: { _ in ["x/1", "x/2"].compactMap { WorkspacePath($0) } },
    variable: { $0 == "HOME" ? "/home" : nil })
  guard let reading = try? ManifestReader.read(text, at: path, dialect: dialect, surroundings) else { return }
  for stage in reading.pipeline.stages {
    for output in stage.outputs where output.path.text.hasPrefix("/") || output.path.text.split(separator: "/").contains("..") {
      broken("an output leads out of the project", output.path.text, text)
    }
  }
  _ = try? StageGraph(reading.pipeline.stages)
}

// MARK: Locks

private func fuzzLock(_ bytes: UnsafeBufferPointer<UInt8>) {
  let (variant, text) = split(bytes)
  switch variant {
  case 0: fuzzNativeLock(text)
  case 1: fuzzRunCache(text)
  case 2: _ = try? Trace(json: text, file: "trace.json")
  default: fuzzDVCLock(text)
  }
}

private func fuzzNativeLock(_ text: String) {
  let quick = try? LockFileText.read(text, file: "pipeline.lock")
  if quick != (try? LockFileText.readAsYAML(text, file: "pipeline.lock")) {
    broken("a lock read by its lines differs from the YAML", "\(String(describing: quick))", text)
  }
  guard let lock = quick else { return }
  let written = LockFileText.write(lock, order: lock.entries.keys.sorted())
  do {
    let again = try LockFileText.read(written, file: "again.lock")
    if again != lock { broken("a lock reads differently after it was written", text, written) }
    expectSame("writing a lock twice differs", written, LockFileText.write(again, order: again.entries.keys.sorted()))
  } catch {
    broken("a written lock is not read", written, "\(error)")
  }
}

private func fuzzRunCache(_ text: String) {
  guard let entry = try? RunCacheText.read(text, file: "run") else { return }
  _ = RunCacheText.path(of: entry)
  let written = RunCacheText.write(entry)
  let read = try? RunCacheText.read(written, file: "again")
  if read != entry, isFoldedBeyondReading(written, entry, read) { return }
  do {
    let again = try RunCacheText.read(written, file: "again")
    if again != entry { broken("a run cache entry reads differently after it was written", "\(entry)", "\(again)\n\(written)") }
    if !RunCacheText.agrees(again, with: entry) { broken("a run cache entry disagrees with itself", written, text) }
  } catch {
    broken("a written run cache entry is not read", written, "\(error)")
  }
}

private func fuzzDVCLock(_ text: String) {
  guard let lock = try? DVCLockText.read(text, file: "dvc.lock") else {
    _ = try? DVCLockText.updating(
      text,
      replacing: [("s", DVCLockEntry(commands: ["true"], isCommandList: false, dependencies: [], parameters: [], outputs: []))])
    return
  }
  checkUpdated(nil, lock, "an entry reads differently in a new lock")
  let updated = checkUpdated(text, lock, "an entry reads differently in an updated lock")
  if let updated, let twice = checkUpdated(updated, lock, "an entry reads differently in a lock updated twice") {
    expectSame("updating a lock twice differs", updated, twice)
  }
  guard let first = lock.entries.first?.name else { return }
  do {
    let without = try DVCLockText.updating(text, replacing: [], removing: [first])
    let isRead = without.map { (try? DVCLockText.read($0, file: "dvc.lock")) != nil } ?? true
    if let without, !isRead, isFoldedBeyondReading(without, lock.entries, nil) { return }
    let left = try without.map { try DVCLockText.read($0, file: "dvc.lock") }?.entries ?? []
    if left.map(\.name) != lock.entries.dropFirst().map(\.name) {
      broken("removing one entry takes others", text, without ?? "nothing")
    }
  } catch {
    broken("an entry cannot be removed", text, "\(error)")
  }
}

@discardableResult
private func checkUpdated(_ text: String?, _ lock: DVCLock, _ property: String) -> String? {
  var written = ""
  do {
    let replacing = lock.entries.map { (name: $0.name, entry: $0.entry) }
    guard let updated = try DVCLockText.updating(text, replacing: replacing) else { return nil }
    written = updated
    let again = try DVCLockText.read(updated, file: "dvc.lock")
    for (name, entry) in lock.entries where again[name] != entry && !isFoldedBeyondReading(updated, entry, again[name]) {
      broken(property, "\(entry)", "\(again[name].map { "\($0)" } ?? "nothing") in:\n\(updated)")
    }
    return updated
  } catch {
    if isFoldedBeyondReading(written, lock.entries, nil) { return nil }
    broken("an updated lock is not read", written, "\(error)")
  }
}

// MARK: Trees

private func fuzzTree(_ bytes: UnsafeBufferPointer<UInt8>) {
  let algorithm: Digest.Algorithm = bytes[0] & 1 == 0 ? .md5 : .sha256
  let text = Array(bytes.dropFirst())
  let name = Digest.of(text, algorithm).asTree()
  guard let tree = try? FileTree(decoding: text, named: name) else { return }
  for entry in tree.entries {
    let parts = entry.path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    if entry.path.utf8.contains(0)
      || parts.contains(where: { $0.isEmpty || $0.elementsEqual("..".utf8) || $0.elementsEqual(".".utf8) })
    {
      broken("a path of a tree leads out of it", entry.path, String(decoding: text, as: UTF8.self))
    }
  }
  let written = tree.encoded(algorithm)
  guard let again = try? FileTree(decoding: written, named: Digest.of(written, algorithm).asTree()) else {
    broken("a written tree is not read", String(decoding: text, as: UTF8.self), String(decoding: written, as: UTF8.self))
  }
  let isSame = zip(tree.entries, again.entries).allSatisfy { $0.path.utf8.elementsEqual($1.path.utf8) && $0.digest == $1.digest }
  if !isSame || tree.entries.count != again.entries.count || written != again.encoded(algorithm) {
    broken("a tree reads differently after it was written", "\(tree)", "\(again)")
  }
  if algorithm == .sha256, written != text { broken("a native tree has two spellings", "\(tree)", "\(again)") }
}

// MARK: Pointer files

private func fuzzPointer(_ bytes: UnsafeBufferPointer<UInt8>) {
  let (variant, text) = split(bytes)
  let folder = variant & 1 == 0 ? nil : WorkspacePath("a/b")
  guard let pointer = try? PointerFileText.read(text, file: "x.dvc", in: folder) else { return }
  for output in pointer.outputs where output.place.text.split(separator: "/").contains("..") || output.place.text.hasPrefix("/") {
    broken("a pointer file leads out of the project", output.place.text, text)
  }
  for (what, write) in [
    ("written", { PointerFileText.write(pointer) }),
    ("updated", { try PointerFileText.updating(text, with: pointer, file: "x.dvc") }),
  ] as [(String, () throws -> String)] {
    do {
      let written = try write()
      let read = try? PointerFileText.read(written, file: "again.dvc", in: folder)
      if read != pointer, isFoldedBeyondReading(written, pointer, read) { return }
      guard let again = read else { broken("a \(what) pointer file is not read", text, written) }
      if again != pointer { broken("a pointer file reads differently when \(what)", "\(pointer)", "\(again)\n\(written)") }
      let twice = try PointerFileText.updating(written, with: again, file: "again.dvc")
      expectSame("updating a \(what) pointer file changes it", written, twice)
    } catch {
      broken("a \(what) pointer file is not read", text, "\(error)")
    }
  }
}

// MARK: Configuration

private func fuzzConfig(_ bytes: UnsafeBufferPointer<UInt8>) {
  let (_, text) = split(bytes)
  guard let config = try? ConfigText.read(text, file: "config") else { return }
  let written = config.text
  do {
    let again = try ConfigText.read(written, file: "again")
    for section in config.sections where !section.entries.isEmpty {
      let other = again.sections.first { $0.name == section.name }
      for entry in section.entries where other?.entries.first(where: { $0.key == entry.key })?.value != entry.value {
        broken(
          "a setting reads differently after it was written", "\(section.name) \(entry)",
          "\(String(describing: other))\n\(written)")
      }
    }
    expectSame("writing a configuration twice differs", written, again.text)
  } catch {
    broken("a written configuration is not read", written, "\(error)")
  }
  let layer = ConfigurationLayer(level: .project, file: "/p/.dvc/config", text: config)
  let configuration = Configuration([layer], paths: ConfigurationPaths(home: "/h", current: "/p"))
  try? configuration.check()
  for name in config.names(of: "remote") { _ = try? configuration.remote(name) }
}

// MARK: Interpolation

/// Behind the variant stand parameters, a NUL, and a text with `${…}`, which goes into each place that takes one.
private func fuzzInterpolation(_ bytes: UnsafeBufferPointer<UInt8>) {
  let (variant, text) = split(bytes)
  let parts = text.split(separator: "\0", maxSplits: 1, omittingEmptySubsequences: false)
  let parameters = parts.count == 2 ? String(parts[0]) : "a: {b: [1, x, true], c: {d: 2.5}}\n"
  let quoted = jsonQuoted(String(parts[parts.count - 1]))
  let manifest = """
    vars:
    - v: {w: [1, 2], t: text}
    stages:
      one:
        cmd: \(quoted)
        wdir: \(quoted)
        deps: [\(quoted)]
        outs:
        - \(quoted)
        params: [\(quoted)]
        desc: \(quoted)
      many:
        foreach: \(quoted)
        do: {cmd: \(quoted)}
      grid:
        matrix: {a: [1, 2], b: \(quoted)}
        cmd: \(quoted)
    """
  readManifest(manifest, variant & 1 == 0 ? .native : .dvc, parameters: parameters)
  readManifest("stages: {s: {cmd: \(quoted)}}\n", variant & 1 == 0 ? .native : .dvc, parameters: parameters)
}

// MARK: Parameters

private func fuzzParameters(_ bytes: UnsafeBufferPointer<UInt8>) {
  let (variant, text) = split(bytes)
  let names = ["p.toml", "p.py", "p.json", "p.yaml"]
  guard let path = WorkspacePath(names[variant]), let file = try? ParameterFile(text, at: path) else { return }
  for key in file.keys.prefix(20) { _ = file.value(at: key.key, isExact: true) }
  guard file.value.asPairs != nil || isList(file.value) else { return }
  let written = RoundTripYAML.text(file.value)
  let again = try? ParameterFile.read(written, WorkspacePath("again.yaml") ?? path)
  if again != file.value, isFoldedBeyondReading(written, file.value, again) { return }
  expectSame("parameters read differently after they were written", file.value, again, written)
  if let again { expectSame("writing parameters twice differs", written, RoundTripYAML.text(again)) }
}

// MARK: Ignore files

/// Behind the variant stand a name, a line feed and an ignore file.
private func fuzzIgnore(_ bytes: UnsafeBufferPointer<UInt8>) {
  let (_, text) = split(bytes)
  let end = text.utf8.firstIndex(of: 10) ?? text.endIndex
  let name = String(text[..<end])
  let rest = String(text[end...].utf8.dropFirst()) ?? ""
  if WorkspacePath(name)?.text == name, !name.contains("/"), !name.utf8.contains(13) {
    let added = GitIgnoreText.adding(name, to: rest)
    expectSame("adding a name twice differs", added, GitIgnoreText.adding(name, to: added))
    let removed = GitIgnoreText.removing(name, from: added)
    if let removed, let twice = GitIgnoreText.removing(name, from: removed) {
      expectSame("removing a name twice differs", removed, twice)
    }
  }
  if let pattern = PathPattern(name) {
    _ = pattern.base
    for line in rest.split(separator: "\n").prefix(20) { _ = pattern.matches(String(line.prefix(512))) }
  }
  let folder = "/dev/shm/pipe-fuzz-\(getpid())"
  mkdir(folder, 0o755)
  guard let file = fopen("\(folder)/.dvcignore", "w") else { return }
  fputs(rest.replacing("\0", with: ""), file)
  fclose(file)
  let rules = IgnoreRules(root: folder)
  for path in ["a", "a/b", "data/x.csv", "dir/sub/deep/file.txt"] {
    for isDirectory in [false, true] { _ = rules.verdict(path, isDirectory: isDirectory) }
  }
  // A match takes as many steps as the pattern has characters, times those of the path.
  if let path = WorkspacePath(name), path.text.utf8.count <= 512 { _ = rules.isIgnored(path.text, isDirectory: false) }
}
