// The descendants of a process, from /proc.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc

/// Reaches a process and its descendants without a process group of their own.
enum ProcessTree {
  /// Sends a signal to a process and all that descend from it. With `SIGKILL` it looks again until nothing new appears.
  static func kill(_ root: pid_t, with signal: Int32) {
    var signalled: Set<pid_t> = []
    for _ in 0..<5 {
      let found = descendants(of: root).subtracting(signalled)
      // The root last, so that its children are still its children while we look.
      for pid in found { Glibc.kill(pid, signal) }
      signalled.formUnion(found)
      if found.isEmpty || signal != SIGKILL { break }
    }
    Glibc.kill(root, signal)
  }

  static func descendants(of root: pid_t) -> Set<pid_t> {
    let parents = parentOfEveryProcess()
    var found: Set<pid_t> = []
    var frontier: Set<pid_t> = [root]
    while !frontier.isEmpty {
      frontier = Set(parents.filter { frontier.contains($0.value) && !found.contains($0.key) }.keys)
      found.formUnion(frontier)
    }
    return found
  }

  private static func parentOfEveryProcess() -> [pid_t: pid_t] {
    var parents: [pid_t: pid_t] = [:]
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    for name in names {
      guard let pid = pid_t(name), let data = FileManager.default.contents(atPath: "/proc/\(name)/stat") else { continue }
      // `pid (name) state ppid …`; the name may hold anything, so count from its last parenthesis.
      let fields = String(decoding: data, as: UTF8.self)
      guard let end = fields.lastIndex(of: ")") else { continue }
      let rest = fields[fields.index(after: end)...].split(separator: " ")
      if rest.count > 1, let parent = pid_t(rest[1]) { parents[pid] = parent }
    }
    return parents
  }
}
