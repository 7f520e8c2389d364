// A child process that runs cells: its streams, its channel, its end.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Synchronization

/// How a process ended.
struct ProcessEnd: Sendable, Equatable {
  enum Manner: Sendable, Equatable {
    case exited(Int32)
    case signalled(Int32)
  }
  var manner: Manner
  /// Peak resident memory of it and the children it waited for, in bytes.
  var peakBytes: Int
}

/// What `InterpreterProcess.nextEvent` found.
enum ProcessEvent: Equatable {
  /// One line of the channel, without its newline. What was printed before it is captured.
  case message([UInt8])
  case ended(ProcessEnd)
  /// It lives, but can never answer again.
  case channelClosed
  case timedOut
  case interrupted(signal: Int32)
}

/// A running interpreter. Requests and answers are lines on one socket, descriptor 61 of the child, so that the
/// code of the cells has standard input, output and error to itself.
///
/// The child stays in the process group of its parent: who signals the group reaches it.
final class InterpreterProcess {
  static let channelDescriptor: Int32 = 61
  /// A longer message ends the interpreter.
  private static let longestMessage = 128 << 20

  let pid: pid_t
  var standardOutput = CapturedText()
  var standardError = CapturedText()
  private var output: Int32
  private var error: Int32
  private var channel: Int32
  private var received: [UInt8] = []
  private var scanned = 0
  private(set) var end: ProcessEnd?

  /// - Parameters:
  ///   - program: a name on `PATH` or a path.
  ///   - environment: all of the child's environment.
  /// - Throws: `InterpreterStartError`.
  init(_ program: String, _ arguments: [String], environment: [String: String]) throws(InterpreterStartError) {
    var out = Pair(), err = Pair(), socket = Pair()
    let result: Result<pid_t, InterpreterStartError> = spawnLock.withLock { _ in
      guard out.openPipe(), err.openPipe(), socket.openSocket() else { return .failure(.noDescriptors(errno)) }
      return spawn(
        program, arguments, environment: environment, output: out.far, error: err.far, channel: socket.far,
        channelNumber: Self.channelDescriptor)
    }
    out.closeFar()
    err.closeFar()
    socket.closeFar()
    (output, error, channel) = (out.near, err.near, socket.near)
    switch result {
    case .success(let child):
      pid = child
      for descriptor in [output, error, channel] {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
      }
    case .failure(let failure):
      for descriptor in [output, error, channel] where descriptor >= 0 { Glibc.close(descriptor) }
      throw failure
    }
  }

  deinit {
    if end == nil { killTree() }
    for descriptor in [output, error, channel] where descriptor >= 0 { Glibc.close(descriptor) }
  }

  // MARK: Talking

  /// Sends one line.
  ///
  /// - Returns: false when the interpreter does not take it.
  func send(_ message: Data) -> Bool {
    var bytes = Array(message)
    bytes.append(0x0A)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.send(channel, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if count > 0 {
        sent += count
      } else if errno == EAGAIN {
        var wait = pollfd(fd: channel, events: Int16(POLLOUT), revents: 0)
        if poll(&wait, 1, 5000) <= 0 { return false }
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }

  /// Waits for the next message or for the end, capturing what is printed meanwhile.
  func nextEvent(deadline: ContinuousClock.Instant?, interruption: InterruptionWatch?) -> ProcessEvent {
    var closedSince: ContinuousClock.Instant?
    while true {
      if let line = takeLine() {
        drainStreams()
        return .message(line)
      }
      if received.count > Self.longestMessage { return .channelClosed }
      if let signal = interruption?.signal { return .interrupted(signal: signal) }
      let now = ContinuousClock.now
      if let deadline, now >= deadline { return .timedOut }
      if let closedSince, now - closedSince > .milliseconds(300) { return .channelClosed }
      waitForInput(milliseconds: pause(until: deadline, from: now), interruption: interruption)
      if channel < 0, closedSince == nil { closedSince = now }
      if reap() {
        readChannel()
        if let line = takeLine() {
          drainStreams()
          return .message(line)
        }
      }
      if let end {
        drainStreams()
        // A signal to the whole group may reach the child before us.
        if case .signalled(let signal) = end.manner, signal == SIGINT || signal == SIGTERM,
          let ours = interruption?.wait(.milliseconds(200))
        {
          return .interrupted(signal: ours)
        }
        return .ended(end)
      }
    }
  }

  private func pause(until deadline: ContinuousClock.Instant?, from now: ContinuousClock.Instant) -> Int32 {
    let longest = Duration.milliseconds(channel < 0 ? 5 : 100)
    guard let deadline else { return Int32(longest / .milliseconds(1)) }
    return Int32(max(1, min(longest, deadline - now) / .milliseconds(1)))
  }

  private func waitForInput(milliseconds: Int32, interruption: InterruptionWatch?) {
    let events = Int16(POLLIN)
    var waits = [output, error, channel, interruption?.descriptor ?? -1].map { pollfd(fd: $0, events: events, revents: 0) }
    guard poll(&waits, nfds_t(waits.count), milliseconds) > 0 else { return }
    if waits[0].revents != 0 { readStream(&output, &standardOutput, atMost: 1 << 16) }
    if waits[1].revents != 0 { readStream(&error, &standardError, atMost: 1 << 16) }
    if waits[2].revents != 0 { readChannel() }
  }

  private func takeLine() -> [UInt8]? {
    guard let newline = received[scanned...].firstIndex(of: 0x0A) else {
      scanned = received.count
      return nil
    }
    let line = Array(received[..<newline])
    received.removeFirst(newline + 1)
    scanned = 0
    return line
  }

  private func readChannel() {
    guard channel >= 0 else { return }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(channel, &buffer, buffer.count)
      if count > 0 {
        received.append(contentsOf: buffer[..<count])
        if received.count > Self.longestMessage { return }
      } else if count < 0, errno == EINTR {
        continue
      } else {
        if count == 0 || errno != EAGAIN {
          Glibc.close(channel)
          channel = -1
        }
        return
      }
    }
  }

  // MARK: Streams

  /// Takes what is in the pipes now. A pipe holds at most 1 MiB, so a background writer cannot keep us here.
  private func drainStreams() {
    readStream(&output, &standardOutput, atMost: 1 << 20)
    readStream(&error, &standardError, atMost: 1 << 20)
  }

  private func readStream(_ descriptor: inout Int32, _ capture: inout CapturedText, atMost limit: Int) {
    guard descriptor >= 0 else { return }
    var total = 0
    while total < limit {
      let count = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1 << 16) { buffer in
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        if count > 0 { capture.append(UnsafeBufferPointer(rebasing: buffer[..<count])) }
        return count
      }
      if count > 0 {
        total += count
      } else if count < 0, errno == EINTR {
        continue
      } else {
        if count == 0 || errno != EAGAIN {
          Glibc.close(descriptor)
          descriptor = -1
        }
        return
      }
    }
  }

  // MARK: The end

  /// Takes the exit status if there is one.
  @discardableResult
  private func reap() -> Bool {
    guard end == nil else { return false }
    var status: Int32 = 0
    var usage = rusage()
    guard wait4(pid, &status, WNOHANG, &usage) == pid else { return false }
    let signal = status & 0x7F
    end = ProcessEnd(
      manner: signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal), peakBytes: Int(usage.ru_maxrss) * 1024)
    return true
  }

  /// Lets the interpreter finish: closes the channel, waits, then ends it by force.
  ///
  /// - Returns: false when it took force.
  func finish(within limit: Duration, interruption: InterruptionWatch?) -> Bool {
    if channel >= 0 { shutdown(channel, Int32(SHUT_WR)) }
    let deadline = ContinuousClock.now + limit
    while end == nil, ContinuousClock.now < deadline, interruption?.signal == nil {
      waitForInput(milliseconds: 5, interruption: interruption)
      reap()
    }
    if end != nil { return true }
    killTree()
    return false
  }

  /// Ends the process and all that descend from it, at once.
  func killTree() {
    ProcessTree.killAll(below: pid)
    while end == nil, !reap() { usleep(1000) }
  }

  /// Asks all to end, waits a little, then does not ask.
  func terminateTree(_ signal: Int32, grace: Duration) {
    let family = ProcessTree.family(of: pid)
    for member in family { member.send(signal) }
    let deadline = ContinuousClock.now + grace
    while end == nil, ContinuousClock.now < deadline { if !reap() { usleep(2000) } }
    // Bash starts background commands deaf to SIGINT; without their parent they are found no more.
    for member in family where member.pid != pid { member.send(SIGKILL) }
    if end == nil { killTree() }
  }
}

/// Why an interpreter did not start.
enum InterpreterStartError: Error, Equatable {
  case notFound(String)
  case noDescriptors(Int32)
  case refused(String, Int32)
}

/// Descriptors of one child must not leak into another that starts at the same moment.
private let spawnLock = Mutex<Void>(())

/// Two ends of a pipe or socket: `near` stays here.
private struct Pair {
  var near: Int32 = -1
  var far: Int32 = -1

  mutating func openPipe() -> Bool {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return false }
    return take(ends)
  }

  mutating func openSocket() -> Bool {
    var ends: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else { return false }
    return take(ends)
  }

  /// Moves the ends clear of the standard streams and keeps them from children.
  private mutating func take(_ ends: [Int32]) -> Bool {
    near = fcntl(ends[0], F_DUPFD_CLOEXEC, 3)
    far = fcntl(ends[1], F_DUPFD_CLOEXEC, 3)
    for end in ends { close(end) }
    return near >= 0 && far >= 0
  }

  mutating func closeFar() {
    if far >= 0 { close(far) }
    far = -1
  }
}

private func spawn(
  _ program: String, _ arguments: [String], environment: [String: String], output: Int32, error: Int32, channel: Int32,
  channelNumber: Int32
) -> Result<pid_t, InterpreterStartError> {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
  posix_spawn_file_actions_adddup2(&actions, output, 1)
  posix_spawn_file_actions_adddup2(&actions, error, 2)
  posix_spawn_file_actions_adddup2(&actions, channel, channelNumber)
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var none = sigset_t()
  sigemptyset(&none)
  var usual = sigset_t()
  sigemptyset(&usual)
  for signal in [SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT] { sigaddset(&usual, signal) }
  posix_spawnattr_setsigmask(&attributes, &none)
  posix_spawnattr_setsigdefault(&attributes, &usual)
  posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
  var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
  var envp: [UnsafeMutablePointer<CChar>?] =
    environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
  defer { for pointer in argv + envp { free(pointer) } }
  var pid: pid_t = 0
  let path = locate(program, in: environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
  guard let path else { return .failure(.notFound(program)) }
  let failure = posix_spawn(&pid, path, &actions, &attributes, &argv, &envp)
  if failure == ENOENT { return .failure(.notFound(program)) }
  return failure == 0 ? .success(pid) : .failure(.refused(path, failure))
}

/// The child's `PATH` counts, not ours.
func locate(_ program: String, in path: String) -> String? {
  if program.contains("/") { return program }
  for folder in path.split(separator: ":", omittingEmptySubsequences: false) {
    let candidate = (folder.isEmpty ? "." : folder) + "/" + program
    var information = stat()
    if access(candidate, X_OK) == 0, stat(candidate, &information) == 0, information.st_mode & S_IFMT == S_IFREG {
      return candidate
    }
  }
  return nil
}
