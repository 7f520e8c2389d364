// How the files that a build follows from were last seen, and what differs now.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import PipelineModel

/// Follows the manifests as they change: what is to be watched is found anew at every look.
struct ProjectSights: ~Copyable {
  private let selection: ReproSelection
  private var watch: FolderWatch
  private var files: WatchedFiles
  private var look: WatchedFiles.Look

  /// Looks for the first time.
  init(of project: Project, _ selection: ReproSelection) {
    self.selection = selection
    watch = FolderWatch(root: project.root)
    files = WatchedFiles(unread: project, made: [])
    look = WatchedFiles.Look()
    see()
  }

  /// Whether the kernel watches every folder.
  var isComplete: Bool { watch.isComplete }
  var folderCount: Int { look.folders.count }

  // MARK: Looking

  private mutating func see() {
    files = filesNow()
    look = files.look()
    // What came to be before its folder was watched is found by looking again.
    for _ in 0..<10 {
      let watched = look.folders
      watch.watch(watched)
      look = files.look()
      if look.folders == watched { break }
    }
  }

  private func filesNow() -> WatchedFiles {
    guard let project = try? Project.find() else { return files }
    if let loaded = try? project.load(), let graph = try? loaded.graph(), let order = try? selection.order(project, graph) {
      return WatchedFiles(loaded, graph, order)
    }
    return WatchedFiles(unread: project, made: files.made)
  }

  /// - Parameter accepted: paths of files that may have changed; what else does is no reason to build.
  private mutating func changes(accepting accepted: (WatchedFiles, WatchedFiles) -> Set<String> = { _, _ in [] }) -> [String] {
    var (filesBefore, before) = (files, look)
    see()
    before.accept(accepted(filesBefore, files), from: look)
    let all = look.changes(since: before)
    guard filesBefore.isUnread != files.isUnread else { return all }
    // Other files count now: what is new to the look need not be new.
    let edited = all.filter { before.files[$0] != nil && look.files[$0] != nil }
    return edited.isEmpty ? all : edited
  }

  // MARK: Waiting

  /// As long as a save may take in several steps.
  private static let debounceMilliseconds: Int32 = 150
  /// A writer that never pauses does not put a build off for longer.
  private static let longestDebounce = Duration.seconds(3)
  /// Without the kernel's help.
  private static let lookEveryMilliseconds: Int32 = 2_000

  /// Waits until something differs from what the last build found.
  ///
  /// - Returns: what does; never nothing.
  mutating func wait() -> [String] {
    while true {
      _ = watch.wait(milliseconds: watch.isComplete ? nil : Self.lookEveryMilliseconds)
      guard hasHint() || !watch.isComplete else { continue }
      debounce()
      let changes = changes()
      if !changes.isEmpty { return changes }
    }
  }

  /// What differs from how it looked before the build, but for what `pipe` itself wrote.
  mutating func changesAfterBuild() -> [String] {
    if hasHint() { debounce() }
    return changes { $0.written.union($1.written) }
  }

  private mutating func hasHint() -> Bool {
    let hints = watch.read()
    return hints.isAnything || hints.paths.contains { files.concerns($0) }
  }

  private mutating func debounce() {
    let end = ContinuousClock.now + Self.longestDebounce
    while ContinuousClock.now < end {
      guard watch.wait(milliseconds: Self.debounceMilliseconds) else { return }
      _ = watch.read()
    }
  }
}
