// The model card as a section of the report.
// SPDX-License-Identifier: Apache-2.0

extension RunReport {
  static func modelCardSection(_ input: Input) -> Report.Section? {
    guard let card = input.card else { return nil }
    var blocks: [Report.Block] = []
    if let description = card.description { blocks.append(.prose(description)) }
    let facts = [
      ("Model", card.name ?? input.registered?.name), ("Version", card.version ?? input.registered.map { "\($0.version)" }),
      ("Owner", card.owner), ("Contact", card.contact), ("Licence", card.license),
      ("Tags", card.tags.isEmpty ? nil : card.tags.joined(separator: ", ")),
    ].compactMap { name, value in value.map { [[Report.Inline.text(name)], [.text($0)]] } }
    if !facts.isEmpty {
      blocks.append(.table(.init(caption: "The model", columns: [.init("Fact"), .init("Value")], rows: facts)))
    }
    for part in ModelCard.Part.allCases {
      if let text = card.parts[part] {
        blocks += [.heading(level: 1, part.title, id: nil), .prose(text)]
      } else if part.isExpected {
        blocks.append(.note(.caution, [.strong(part.title + ": "), .text("nobody has written this down yet.")]))
      }
    }
    return Report.Section(id: "model-card", title: "Model card", priority: 97, blocks: blocks)
  }
}
