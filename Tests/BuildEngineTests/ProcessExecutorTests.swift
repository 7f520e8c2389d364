// Real processes: how they end, what they see, and that none of them outlives the one who asked.
// SPDX-License-Identifier: Apache-2.0
import BuildEngine
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

private let shell = ["/bin/bash", "--noprofile", "--norc", "-c"]

/// Runs a line of bash; gives how it ended and all it printed.
private func run(
  _ line: String, environment: [String: String] = ["PATH": "/usr/bin:/bin"], folder: String = "/",
  _ executor: ProcessExecutor = ProcessExecutor()
) -> (result: CommandResult, output: String) {
  var printed: [UInt8] = []
  let result = executor.run(Command(arguments: shell + [line], environment: environment, folder: folder)) {
    printed.append(contentsOf: $0)
  }
  return (result, String(decoding: printed, as: UTF8.self))
}

/// Processes that carry a mark in their environment.
private func processes(marked mark: String) -> [Int32] {
  let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
  return names.compactMap { Int32($0) }.filter { pid in
    guard let bytes = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/environ")) else { return false }
    // A dead process that nobody waited for has no environment any more.
    return bytes.range(of: Data(mark.utf8)) != nil
  }
}

private func waitUntil(seconds: Double = 10, _ isTrue: () -> Bool) -> Bool {
  let end = Date().addingTimeInterval(seconds)
  while Date() < end {
    if isTrue() { return true }
    usleep(5_000)
  }
  return isTrue()
}

private func mark() -> String { "PIPE_TEST_MARK=\(UUID().uuidString)" }

private func environment(_ mark: String) -> [String: String] {
  let parts = mark.split(separator: "=")
  return ["PATH": "/usr/bin:/bin", String(parts[0]): String(parts[1])]
}

private func openDescriptors() -> Int {
  ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []).count
}

@Suite(.serialized) struct `A command as a process` {
  @Test(arguments: [
    ("exit 0", CommandResult.End.exited(0)), ("exit 3", .exited(3)), ("exit 255", .exited(255)),
    ("kill -TERM $$", .signalled(15)), ("kill -KILL $$", .signalled(9)), ("kill -SEGV $$", .signalled(11)),
  ])
  func `ends as its shell says`(line: String, end: CommandResult.End) {
    #expect(run(line).result.end == end)
  }

  @Test func `that cannot be started says why`() {
    let executor = ProcessExecutor()
    func end(_ program: String, _ folder: String = "/") -> CommandResult.End {
      executor.run(Command(arguments: [program], environment: [:], folder: folder)) { _ in }.end
    }
    #expect(end("/no/such/program") == .notStarted(ENOENT))
    #expect(end("/etc/passwd") == .notStarted(EACCES))
    #expect(end("/bin/true", "/no/such/folder") == .notStarted(ENOENT))
  }

  @Test func `has its standard output and error captured in order`() {
    #expect(run("echo one; echo two >&2; echo three").output == "one\ntwo\nthree\n")
  }

  @Test func `may print more than a pipe holds`() {
    let (result, output) = run("head -c 3000000 /dev/zero | tr '\\0' x")
    #expect(result.end == .exited(0))
    #expect(output.utf8.count == 3_000_000)
  }

  @Test func `reads nothing from standard input`() {
    #expect(run("cat; readlink /proc/self/fd/0").output == "/dev/null\n")
  }

  @Test func `has the environment it was given and no other variable`() {
    let output = run("exec /usr/bin/env", environment: ["ALPHA": "a b", "BETA": "x=y"]).output
    let lines = Set(output.split(separator: "\n").map(String.init))
    // What bash sets by itself.
    #expect(lines.subtracting(["PWD=/", "SHLVL=0", "_=/usr/bin/env"]) == ["ALPHA=a b", "BETA=x=y"])
  }

  @Test func `runs in its folder`() throws {
    try withTemporaryDirectory { folder in
      #expect(run("pwd -P", folder: folder.path).output == "\(folder.path)\n")
    }
  }

  @Test func `starts with default signals and none blocked`() {
    // Bit n - 1 is signal n; those from 32 on belong to the C library.
    let lines = run("exec cat /proc/self/status").output.split(separator: "\n")
    for name in ["SigBlk", "SigIgn"] {
      let mask = lines.first { $0.hasPrefix(name) }.flatMap { UInt64($0.dropFirst(8), radix: 16) }
      #expect(mask.map { $0 & 0x7fff_ffff } == 0, "\(name)")
    }
  }

  @Test func `inherits no open file`() {
    let file = open("/dev/null", O_RDONLY)
    let high = dup2(file, 177)
    defer {
      close(file)
      close(high)
    }
    #expect(run("[ -e /proc/$$/fd/177 ] || echo closed; [ -e /proc/$$/fd/\(file) ] || echo closed").output == "closed\nclosed\n")
  }

  @Test func `tells its time and the memory of its largest process`() {
    let hungry = run("head -c 200000000 /dev/zero | tail -c 200000000 >/dev/null").result
    #expect((150 << 20...600 << 20).contains(hungry.peakMemoryBytes))
    let busy = run("for ((i = 0; i < 100000; i++)); do :; done").result
    #expect(busy.userSeconds > 0.02 && busy.userSeconds < 20)
    // The kernel counts what a process held before it became the command: at most what this one holds.
    var own = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &own)
    #expect(busy.peakMemoryBytes < max(150 << 20, own.ru_maxrss << 10) + (16 << 20))
  }

  @Test(arguments: [
    "sleep 1000 &", "setsid sleep 1000 &", "(setsid bash -c 'sleep 1000 & sleep 1000' &) ; sleep 0.1",
    "nohup sleep 1000 >/dev/null 2>&1 & disown",
  ])
  func `that leaves something running does not: it ends with the command`(line: String) {
    let mark = mark()
    let start = Date()
    let result = run(line, environment: environment(mark)).result
    #expect(result.end == .exited(0))
    #expect(Date().timeIntervalSince(start) < 20)
    #expect(processes(marked: mark) == [])
  }

  @Test func `that leaves very many processes leaves none`() {
    let mark = mark()
    let result = run("for ((i = 0; i < 900; i++)); do setsid sleep 1000 & done; sleep 0.1", environment: environment(mark)).result
    #expect(result.end == .exited(0))
    #expect(processes(marked: mark) == [])
  }

  @Test(arguments: [(ProcessExecutor.Signal.interrupt, Int32(2)), (.terminate, 15), (.kill, 9)])
  func `gets the signal that is sent to all, with its whole group`(signal: ProcessExecutor.Signal, number: Int32) throws {
    let executor = ProcessExecutor()
    let mark = mark()
    let ended = Mutex<CommandResult?>(nil)
    let thread = Thread {
      let result = run("sleep 1000 | sleep 1000", environment: environment(mark), executor).result
      ended.withLock { $0 = result }
    }
    thread.start()
    #expect(waitUntil { processes(marked: mark).count >= 3 })
    executor.signalAll(signal)
    #expect(waitUntil { ended.withLock { $0 != nil } })
    let end = ended.withLock { $0?.end }
    // A shell tells its child's signal as 128 + number, or dies of it itself.
    #expect(end == .signalled(number) || end == .exited(128 + number))
    #expect(processes(marked: mark) == [])
  }

  @Test func `may handle an interruption before it ends`() {
    let executor = ProcessExecutor()
    let mark = mark()
    let printed = Mutex("")
    let ended = Mutex<CommandResult?>(nil)
    Thread {
      let (result, output) = run(
        "trap 'echo tidied; exit 7' INT; echo ready; while :; do sleep 0.05; done", environment: environment(mark), executor)
      printed.withLock { $0 = output }
      ended.withLock { $0 = result }
    }.start()
    #expect(waitUntil { processes(marked: mark).count >= 2 })
    usleep(200_000)
    executor.signalAll(.interrupt)
    #expect(waitUntil { ended.withLock { $0 != nil } })
    #expect(ended.withLock { $0?.end } == .exited(7))
    #expect(printed.withLock { $0 } == "ready\ntidied\n")
  }

  @Test func `started after everything was told to end is told too`() {
    let executor = ProcessExecutor()
    executor.signalAll(.kill)
    #expect(run("sleep 1000", executor).result.end == .signalled(9))
  }

  @Test func `two hundred times over leaves no descriptor and no zombie`() {
    _ = run("true")
    let before = openDescriptors()
    let executor = ProcessExecutor()
    for index in 0..<200 {
      if index % 10 == 0 {
        _ = executor.run(Command(arguments: ["/no/such/program"], environment: [:], folder: "/")) { _ in }
      } else {
        _ = executor.run(Command(arguments: ["/bin/true"], environment: [:], folder: "/")) { _ in }
      }
    }
    // Tests beside this one open and close files of their own; one descriptor a command would be two hundred.
    #expect(openDescriptors() < before + 100)
    let children = (try? String(contentsOfFile: "/proc/self/task/\(getpid())/children", encoding: .utf8)) ?? ""
    #expect(children.split(separator: " ").count < 20)
  }

  @Test func `many at once keep their own results`() {
    let executor = ProcessExecutor()
    let wrong = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: 40) { index in
      let (result, output) = run("echo \(index); exit \(index)", executor)
      if result.end != .exited(Int32(index)) || output != "\(index)\n" {
        wrong.withLock { $0.append("\(index): \(result) \(output)") }
      }
    }
    #expect(wrong.withLock { $0 } == [])
  }
}
