// Runs commands as processes that cannot outlive this one.
// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import Synchronization

/// Each command runs in a process group of its own under a supervisor (Sources/CLinux), which ends the whole of it
/// when this process dies. A supervisor that is at rest takes the next command.
package final class ProcessExecutor: Executor {
  private struct State {
    /// Of the supervisors that have a command.
    var controls: Set<Int32> = []
    var resting: [clinux_supervisor] = []
    /// The last signal asked for; commands started later get it at once.
    var asked: Signal?
  }

  package enum Signal: CChar, Sendable {
    case interrupt = 73
    case terminate = 84
    case kill = 75
  }

  private let state = Mutex(State())

  package init() {}

  deinit { endSupervisors() }

  /// Starts supervisors for commands to come.
  ///
  /// The earlier the better: each holds on to the memory that this process had by then, and for as long as it lives this
  /// process copies every page of it that it writes.
  package func prepare(_ count: Int) {
    for _ in 0..<count {
      var supervisor = clinux_supervisor()
      // What cannot be started now is tried again, and told, when there is a command.
      guard clinux_supervisor_open(&supervisor) == 0 else { return }
      state.withLock { $0.resting.append(supervisor) }
    }
  }

  /// Ends the supervisors that have no command, and waits for them. A later command starts one anew.
  package func endSupervisors() {
    let resting = state.withLock { state in
      defer { state.resting = [] }
      return state.resting
    }
    for var supervisor in resting { clinux_supervisor_close(&supervisor) }
  }

  /// Sends a signal to the groups of all running commands, and to those still to come.
  package func signalAll(_ signal: Signal) {
    state.withLock { state in
      state.asked = signal
      for control in state.controls { clinux_order(control, signal.rawValue) }
    }
  }

  package func run(_ command: Command, onOutput: (UnsafeRawBufferPointer) -> Void) -> CommandResult {
    var supervisor = clinux_supervisor()
    if let resting = state.withLock({ $0.resting.popLast() }) {
      supervisor = resting
    } else {
      let code = clinux_supervisor_open(&supervisor)
      guard code == 0 else { return CommandResult(end: .notStarted(code)) }
    }
    var output: Int32 = -1
    let code = Self.start(command, &supervisor, &output)
    guard code == 0 else {
      clinux_supervisor_close(&supervisor)
      return CommandResult(end: .notStarted(code))
    }
    let control = supervisor.control
    state.withLock { state in
      state.controls.insert(control)
      if let asked = state.asked { clinux_order(control, asked.rawValue) }
    }
    let isLate = Self.drain(output, until: command.timeoutSeconds, onOutput) { signal in
      clinux_order(control, signal.rawValue)
    }
    close(output)
    var exit = clinux_exit()
    let isGone = clinux_supervisor_wait(&supervisor, &exit) != 0
    state.withLock { state in
      state.controls.remove(control)
      if !isGone { state.resting.append(supervisor) }
    }
    if isGone { clinux_supervisor_close(&supervisor) }
    var result = CommandResult(exit)
    if isLate, !result.succeeded { result.end = .timedOut }
    return result
  }

  private static func start(_ command: Command, _ supervisor: inout clinux_supervisor, _ output: inout Int32) -> Int32 {
    var texts: [UInt8] = []
    texts.reserveCapacity(1 << 13)
    func add(_ text: String) {
      // A zero within a text would end it.
      texts.append(contentsOf: text.utf8.prefix { $0 != 0 })
      texts.append(0)
    }
    add(command.folder)
    for argument in command.arguments { add(argument) }
    for (name, value) in command.environment.sorted(by: { $0.key < $1.key }) { add("\(name)=\(value)") }
    return texts.withUnsafeBytes { bytes in
      clinux_supervisor_run(
        &supervisor, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, UInt32(command.arguments.count),
        UInt32(command.environment.count), &output)
    }
  }

  /// Reads until all writers are gone; asks the command to end when its time is over, and kills it 5 s later.
  ///
  /// - Returns: whether the time was over.
  private static func drain(
    _ descriptor: Int32, until seconds: Double?, _ onOutput: (UnsafeRawBufferPointer) -> Void, order: (Signal) -> Void
  ) -> Bool {
    let capacity = 1 << 16
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
    defer { buffer.deallocate() }
    let start = ContinuousClock.now
    var deadlines = seconds.map { [(start + .seconds($0), Signal.terminate), (start + .seconds($0 + 5), .kill)] } ?? []
    let isTimed = !deadlines.isEmpty
    while true {
      if let (deadline, signal) = deadlines.first {
        let left = (deadline - .now) / .milliseconds(1)
        var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        if left <= 0 {
          order(signal)
          deadlines.removeFirst()
          continue
        }
        let ready = poll(&waited, 1, Int32(min(left.rounded(.up), 1e9)))
        if ready == 0 || (ready < 0 && errno == EINTR) { continue }
      }
      let count = read(descriptor, buffer.baseAddress, capacity)
      if count > 0 {
        onOutput(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
      } else if count == 0 || errno != EINTR {
        return isTimed && deadlines.count < 2
      }
    }
  }
}

extension CommandResult {
  fileprivate init(_ exit: clinux_exit) {
    let end: End
    if exit.status < 0 {
      end = .notStarted(exit.start_errno)
    } else if exit.status & 0x7F == 0 {
      end = .exited((exit.status >> 8) & 0xFF)
    } else {
      end = .signalled(exit.status & 0x7F)
    }
    self.init(
      end: end, userSeconds: Double(exit.user_microseconds) / 1e6, systemSeconds: Double(exit.system_microseconds) / 1e6,
      peakMemoryBytes: Int(exit.peak_kilobytes) * 1024)
  }
}
