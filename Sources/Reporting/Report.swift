// A report as a small document tree, before it becomes HTML or Markdown.
// SPDX-License-Identifier: Apache-2.0

/// A page: title, verdict, the one block of run facts, then sections in reading order.
package struct Report: Sendable, Equatable {
  package var title: String
  package var summary: String?
  package var verdict: Verdict
  /// What may differ between two runs of the same inputs, and nothing else may.
  package var runFacts: RunFacts
  package var sections: [Section]

  package init(title: String, summary: String?, verdict: Verdict, runFacts: RunFacts, sections: [Section]) {
    self.title = title
    self.summary = summary
    self.verdict = verdict
    self.runFacts = runFacts
    self.sections = sections
  }

  /// The answer to "may this go on?", first on the page.
  package struct Verdict: Sendable, Equatable {
    package var tone: Tone
    package var headline: String
    package var blocks: [Block]
  }

  /// A line that is always seen and blocks that unfold.
  package struct RunFacts: Sendable, Equatable {
    package var line: [Inline]
    package var blocks: [Block]
  }

  /// What a colour says, always together with a word or a mark.
  package enum Tone: String, Sendable, Equatable, CaseIterable {
    case good, bad, caution, neutral

    package var mark: String {
      switch self {
      case .good: "✓"
      case .bad: "✗"
      case .caution: "!"
      case .neutral: "·"
      }
    }
  }

  package struct Section: Sendable, Equatable {
    /// Unique on the page; lower-case ASCII letters, digits and hyphens.
    package var id: String
    package var title: String
    /// Where there is not room for all: the lowest goes first.
    package var priority: Int
    package var blocks: [Block]
  }

  package enum Inline: Sendable, Equatable {
    case text(String)
    case strong(String)
    case muted(String)
    case code(String)
    /// To a place on the page: `#id`.
    case link(String, to: String)
    /// A word with a tone: `✓ kept`.
    case badge(Tone, String)
    case lineBreak
  }

  package indirect enum Block: Sendable, Equatable {
    case paragraph([Inline])
    /// Below the section's title: level 1 is the next one down.
    case heading(level: Int, String, id: String?)
    case list([[Inline]])
    case table(Table)
    /// Drawings that stand side by side where there is room.
    case figures([Figure])
    case code(String, language: String?)
    /// Text that a program wrote.
    case log(String, label: String, tone: Tone)
    /// A person's Markdown.
    case prose(String)
    /// HTML that a cell put out; the renderer keeps only harmless elements.
    case foreignHTML(String)
    case image(Image)
    /// Pictures that stand side by side where there is room.
    case images([Image])
    case note(Tone, [Inline])
    case graph(GraphDescription)
    case details(summary: [Inline], id: String?, open: Bool, [Block])
  }

  package struct Table: Sendable, Equatable {
    package enum Alignment: Sendable, Equatable { case start, end }
    package struct Column: Sendable, Equatable {
      package var title: String
      package var alignment: Alignment
      package init(_ title: String, _ alignment: Alignment = .start) {
        self.title = title
        self.alignment = alignment
      }
    }
    package var caption: String
    package var columns: [Column]
    /// As many cells a row as there are columns; the first names the row.
    package var rows: [[[Inline]]]

    package init(caption: String, columns: [Column], rows: [[[Inline]]]) {
      self.caption = caption
      self.columns = columns
      self.rows = rows
    }
  }

  package struct Figure: Sendable, Equatable {
    /// Unique on the page.
    package var id: String
    package var chart: Chart
    package var caption: [Inline]
    /// What the drawing shows, as numbers.
    package var data: Table

    package init(id: String, chart: Chart, caption: [Inline], data: Table) {
      self.id = id
      self.chart = chart
      self.caption = caption
      self.data = data
    }
  }

  package struct Image: Sendable, Equatable {
    package enum Format: String, Sendable, Equatable {
      case png = "image/png"
      case jpeg = "image/jpeg"
      case gif = "image/gif"
      case svg = "image/svg+xml"
    }
    package var format: Format
    /// Base64, or SVG's own text.
    package var data: String
    package var alternative: String
    package var caption: String?
  }
}

extension Report.Inline {
  var isLink: Bool { if case .link = self { true } else { false } }

  /// The words without their dress.
  var plainText: String {
    switch self {
    case .text(let text), .strong(let text), .muted(let text), .code(let text), .link(let text, _): text
    case .badge(let tone, let text): tone.mark + " " + text
    case .lineBreak: " "
    }
  }
}

extension [Report.Inline] {
  var plainText: String { map(\.plainText).joined() }

  /// A message in which literals stand in backticks.
  static func message(_ text: String) -> [Report.Inline] {
    let pieces = text.split(separator: "`", omittingEmptySubsequences: false)
    guard pieces.count % 2 == 1 else { return [.text(text)] }
    return pieces.enumerated().filter { !$0.element.isEmpty }.map {
      $0.offset % 2 == 0 ? .text(String($0.element)) : .code(String($0.element))
    }
  }
}
