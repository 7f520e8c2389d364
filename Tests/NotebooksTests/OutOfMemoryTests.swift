// What SIGKILL is said to mean.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Notebooks

@Suite struct OutOfMemoryTests {
  @Test func `the kernel's count is read, and none is no mistake`() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("pipe-vmstat-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    try Data("drop_slab 0\noom_kill 17\nnuma_pte_updates 3\n".utf8).write(to: URL(fileURLWithPath: file))
    #expect(OutOfMemory.kills(in: file) == 17)
    try Data("drop_slab 0\nnot_oom_kill 17\n".utf8).write(to: URL(fileURLWithPath: file))
    #expect(OutOfMemory.kills(in: file) == nil)
    #expect(OutOfMemory.kills(in: "\(file).none") == nil)
  }

  @Test(arguments: [
    (3, 3, "not by the kernel for want of memory"), (3, 4, "probably out of memory"), (nil, nil, "probably out of memory"),
    (3, nil, "probably out of memory"),
  ])
  func `a kill is for want of memory where the kernel counted one, or does not count`(before: Int?, after: Int?, meaning: String)
  {
    #expect(OutOfMemory.meaning(before: before, after: after) == meaning)
  }
}
