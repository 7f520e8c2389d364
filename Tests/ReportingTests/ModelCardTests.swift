// Reading a model card, and the section made of it.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Testing

@testable import Reporting

@Suite struct ModelCardTests {
  @Test func `a card is read with its parts as Markdown`() throws {
    let card = try ModelCard(
      text: """
        name: eta
        owner: Logistics
        license: apache-2.0
        tags: [tabular, regression]
        intended_use: Quoting a delivery time to a customer.
        limitations:
        - Zones opened after *June* are unknown to it.
        - Snow was rare.
        """, file: "modelcard.yaml")
    #expect(card.name == "eta")
    #expect(card.owner == "Logistics")
    #expect(card.license == "apache-2.0")
    #expect(card.tags == ["tabular", "regression"])
    #expect(card.parts[.limitations] == "- Zones opened after *June* are unknown to it.\n- Snow was rare.")
    #expect(card.missing == [.ethicalConsiderations])
  }

  @Test func `all mistakes are told at once, with their places`() {
    let error = #expect(throws: DiagnosticList.self) {
      try ModelCard(text: "naem: eta\nowner: [a, b]\n", file: "modelcard.yaml")
    }
    #expect(
      error?.diagnostics.map { "\($0.location?.description ?? ""): \($0.message)" } == [
        "modelcard.yaml:1:1: unknown key `naem` in a model card", "modelcard.yaml:2:8: `owner` is text, not a list",
      ])
    #expect(error?.diagnostics.first?.hints == ["did you mean `name`?"])
    #expect(throws: DiagnosticList.self) { try ModelCard(text: "- a\n", file: "modelcard.yaml") }
  }

  @Test func `it stands before the metrics, and what nobody wrote is a warning`() throws {
    var input = Sample.input
    input.card = try ModelCard(text: "name: eta\nintended_use: Quoting.\nlimitations: ''\n", file: "modelcard.yaml")
    let report = RunReport.document(input)
    #expect(report.sections.prefix(2).map(\.id) == ["model-card", "metrics"])
    let text = MarkdownText.render(report)
    #expect(text.contains("### Intended use\n\nQuoting.\n"))
    #expect(text.contains("> **Limitations:** nobody has written this down yet.\n"))
    #expect(text.contains("> **Ethical considerations:** nobody has written this down yet.\n"))
  }
}
