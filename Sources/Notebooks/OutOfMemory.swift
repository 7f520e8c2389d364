// Did the kernel end a process for want of memory?
// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// The kernel's count of processes that it ended because memory ran out, of the machine or of a control group.
enum OutOfMemory {
  /// `nil` where the kernel does not tell.
  static func kills(in file: String = "/proc/vmstat") -> Int? {
    guard let stream = fopen(file, "re") else { return nil }
    defer { fclose(stream) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), stream) != nil {
      let words = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split {
        " \n".contains($0)
      }
      if words.count == 2, words[0] == "oom_kill" { return Int(words[1]) }
    }
    return nil
  }

  /// What SIGKILL means, by the counts before and after. Somebody else's process may have been the one that was ended, so
  /// that a count that rose says no more than "probably".
  static func meaning(before: Int?, after: Int?) -> String {
    if let before, let after, before == after { return "not by the kernel for want of memory" }
    return "probably out of memory"
  }
}
