// What a swap of models keeps and changes.
// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Serving

@Suite struct ModelHostTests {
  private struct CannotLoad: Error {}

  @Test func `a replaced model answers from then on and the old one lives while it is held`() async throws {
    let host = ModelHost(standInModel(version: "1"))
    weak var old: ServedModel?
    do {
      let held = host.current
      old = held
      try await host.replace { standInModel(version: "2") }
      #expect(host.current.facts.version == "2")
      #expect(held.facts.version == "1")
    }
    #expect(old == nil, "the last request that held it is gone")
  }

  @Test func `a model that does not load changes nothing`() async throws {
    let host = ModelHost(standInModel(version: "1"))
    await #expect(throws: CannotLoad.self) { try await host.replace { throw CannotLoad() } }
    #expect(host.current.facts.version == "1")
  }
}
