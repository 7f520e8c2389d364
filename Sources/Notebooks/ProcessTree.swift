// The descendants of a process, from /proc.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc

/// Reaches a process and its descendants without a process group of their own.
enum ProcessTree {
  /// A process as it was seen: its number and, since numbers come again, when it started.
  struct Member: Hashable {
    var pid: pid_t
    /// Clock ticks since boot.
    var startTicks: UInt64
    var parent: pid_t

    /// Sends a signal, unless the number stands for another process by now.
    func send(_ signal: Int32) {
      guard let now = ProcessTree.member(pid), now.startTicks == startTicks else { return }
      Glibc.kill(pid, signal)
    }
  }

  /// Ends a process and all that descend from it, looking again until nothing new appears.
  static func killAll(below root: pid_t) {
    // The root stands still until the end: its children stay its children while we look, and no new ones come.
    Glibc.kill(root, SIGSTOP)
    var signalled: Set<pid_t> = []
    for _ in 0..<5 {
      let found = family(of: root).filter { $0.pid != root && !signalled.contains($0.pid) }
      for member in found { member.send(SIGKILL) }
      signalled.formUnion(found.map(\.pid))
      if found.isEmpty { break }
    }
    Glibc.kill(root, SIGKILL)
  }

  /// A process and all that descend from it now.
  static func family(of root: pid_t) -> [Member] {
    let children = Dictionary(grouping: everyProcess(), by: \.parent)
    var found = [member(root)].compactMap { $0 }
    var next = 0
    while next < found.count {
      found += children[found[next].pid] ?? []
      next += 1
    }
    return found
  }

  private static func everyProcess() -> [Member] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }.compactMap(member)
  }

  private static func member(_ pid: pid_t) -> Member? {
    guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return nil }
    // `pid (name) state ppid …`; the name may hold anything, so count from its last parenthesis (proc(5)).
    let text = String(decoding: data, as: UTF8.self)
    guard let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 19, let parent = pid_t(fields[1]), let start = UInt64(fields[19]) else { return nil }
    return Member(pid: pid, startTicks: start, parent: parent)
  }
}
