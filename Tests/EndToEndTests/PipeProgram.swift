// The real `pipe`, run as a person runs it.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

/// What a finished program said.
struct Ended {
  var status: Int32
  var out: String
  var err: String

  /// Standard output read as JSON.
  func json() throws -> Any { try JSONSerialization.jsonObject(with: Data(out.utf8), options: .fragmentsAllowed) }
}

/// `PIPE_BIN`, or the program beside the test bundle.
let pipeBinary: String = {
  if let given = ProcessInfo.processInfo.environment["PIPE_BIN"] { return given }
  let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
  return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("pipe").path
}()

/// A folder that programs are run in. What they print goes through files, so nothing waits for a reader.
struct Site {
  let folder: URL
  let root: String

  init(_ folder: URL, _ name: String = "project") throws {
    self.folder = folder
    root = folder.appendingPathComponent(name).path
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
  }

  func start(_ program: String, _ arguments: [String], mark: String = "none", to name: String) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: root)
    process.environment = [
      "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": folder.path, "PIPE_TEST_MARK": mark, "GIT_CONFIG_NOSYSTEM": "1",
      "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A",
      "GIT_COMMITTER_EMAIL": "a@example.org",
    ]
    process.standardInput = FileHandle.nullDevice
    for suffix in ["out", "err"] { _ = FileManager.default.createFile(atPath: "\(folder.path)/\(name).\(suffix)", contents: nil) }
    process.standardOutput = try FileHandle(forWritingTo: folder.appendingPathComponent("\(name).out"))
    process.standardError = try FileHandle(forWritingTo: folder.appendingPathComponent("\(name).err"))
    try process.run()
    return process
  }

  func run(_ program: String, _ arguments: [String]) throws -> Ended {
    let name = UUID().uuidString
    let process = try start(program, arguments, to: name)
    process.waitUntilExit()
    let status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    defer { for suffix in ["out", "err"] { try? FileManager.default.removeItem(atPath: "\(folder.path)/\(name).\(suffix)") } }
    return Ended(status: status, out: try folder.text(of: "\(name).out"), err: try folder.text(of: "\(name).err"))
  }

  @discardableResult func pipe(_ arguments: String...) throws -> Ended { try run(pipeBinary, arguments) }

  @discardableResult func git(_ arguments: String...) throws -> Ended {
    let ended = try run("/usr/bin/git", ["-c", "init.defaultBranch=main"] + arguments)
    if ended.status != 0 { Issue.record("git \(arguments): \(ended.err)") }
    return ended
  }

  func write(_ text: String, to name: String) throws {
    try URL(fileURLWithPath: root).write(text, to: name)
  }

  func text(_ name: String) -> String? { try? String(contentsOfFile: "\(root)/\(name)", encoding: .utf8) }
  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(root)/\(name)") }
  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(root)/\(name)") }

  /// Every path below, with what `stat` says of it but the time of the last reading.
  func snapshot() -> [String: String] {
    var seen: [String: String] = [:]
    for name in FileManager.default.enumerator(atPath: root)?.compactMap({ $0 as? String }) ?? [] {
      var info = stat()
      guard lstat("\(root)/\(name)", &info) == 0 else { continue }
      seen[name] =
        "\(info.st_ino) \(info.st_mode) \(info.st_size) \(info.st_mtim.tv_sec).\(info.st_mtim.tv_nsec) \(info.st_ctim.tv_sec).\(info.st_ctim.tv_nsec)"
    }
    return seen
  }

  /// Path → bytes of all files but what tells of time and place: state, reports, Git.
  func results() -> [String: Data] {
    var files: [String: Data] = [:]
    for name in FileManager.default.enumerator(atPath: root)?.compactMap({ $0 as? String }) ?? []
    where !name.hasPrefix(".pipe") && !name.hasPrefix("reports") && !name.hasPrefix(".git/") {
      files[name] = FileManager.default.contents(atPath: "\(root)/\(name)") ?? Data("a folder".utf8)
    }
    return files
  }

  /// Names of all traces.
  func traces() -> [String] {
    (FileManager.default.enumerator(atPath: "\(root)/.pipe/traces")?.compactMap { $0 as? String } ?? [])
      .filter { $0.hasSuffix(".json") }.sorted()
  }
}

/// A project in a temporary folder.
func withSite(_ body: (Site) throws -> Void) throws {
  try withTemporaryDirectory { folder in try body(Site(folder)) }
}

/// Living processes that were started with a mark.
func processes(marked mark: String) -> [Int32] {
  ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }.filter { pid in
    (FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()).range(of: Data("PIPE_TEST_MARK=\(mark)\0".utf8))
      != nil
  }
}

func waitUntil(seconds: Double = 20, _ isTrue: () -> Bool) -> Bool {
  let end = Date().addingTimeInterval(seconds)
  while !isTrue() {
    guard Date() < end else { return false }
    usleep(5_000)
  }
  return true
}

/// Six quick stages, one of them a notebook: numbers → {even, odd → squares} → table → summary.
enum Sample {
  static let manifest = """
    stages:
      numbers:
        cmd: for i in $(seq 1 $PIPE_PARAM_count); do echo $i; done > numbers.txt
        params: [count]
        outs: [numbers.txt]
      even:
        cmd: grep '[02468]$' numbers.txt > even.txt; sleep 0.05
        deps: [numbers.txt]
        outs: [even.txt]
      odd:
        cmd:
          - mkdir -p odd && grep '[13579]$' numbers.txt > odd/all.txt
          - head -n 3 odd/all.txt > odd/first.txt
        deps: [numbers.txt]
        outs: [odd]
      squares:
        cmd: (sleep 100 &) ; head -n $PIPE_PARAM_top odd/all.txt | while read n; do echo $((n * n)); done > squares.txt
        deps: [odd/all.txt]
        params: [top]
        outs: [squares.txt]
      table:
        notebook: table.qmd
        deps: [even.txt, squares.txt]
        outs: [table.csv]
      summary:
        cmd: echo "{\\"rows\\":" $(wc -l < table.csv) "}" > summary.json
        deps: [table.csv]
        metrics: [summary.json]

    """
  static let parameters = "count: 60\ntop: 10\n"
  static let notebook = """
    # Table

    ```{bash}
    paste -d, <(head -n 10 even.txt) squares.txt > table.csv
    ```

    Look at it.

    ```{bash}
    sleep 0.05
    wc -l table.csv
    ```

    """
  static let stages = ["numbers", "even", "odd", "squares", "table", "summary"]

  static func write(to site: Site) throws {
    try site.write(manifest, to: "pipeline.yaml")
    try site.write(parameters, to: "params.yaml")
    try site.write(notebook, to: "table.qmd")
    try site.write("/numbers.txt\n/even.txt\n/odd/\n/squares.txt\n/table.csv\n/reports/\n", to: ".gitignore")
  }
}
