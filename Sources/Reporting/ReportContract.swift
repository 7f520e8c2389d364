// What every page that `pipe` writes keeps, looked up in the page itself: no network, no script, readable by all.
// SPDX-License-Identifier: Apache-2.0

/// The static part of the contract of a page: what can be told without a browser.
///
/// Sources: Content Security Policy Level 3; WCAG 2.2, success criteria 1.1.1, 1.3.1, 2.1.1, 2.4.1, 2.4.2, 3.1.1, 4.1.2.
package enum ReportContract {
  package struct Finding: Sendable, Equatable {
    /// Short and stable, for scripts: `network`, `script`, `headings`, …
    package var rule: String
    /// Of the page, from 1.
    package var line: Int
    package var message: String
  }

  /// What the page breaks, in the order of its lines; empty for a page that keeps the contract.
  package static func findings(in html: String) -> [Finding] {
    var check = Check(PageScan(html))
    check.run()
    return check.findings.sorted { ($0.line, $0.rule) < ($1.line, $1.rule) }
  }

  private struct Check {
    let page: PageScan
    let opening: [PageScan.Tag]
    var findings: [Finding] = []

    init(_ page: PageScan) {
      self.page = page
      opening = page.tags.filter { !$0.isClosing }
    }

    mutating func run() {
      checkPolicy()
      for tag in opening {
        checkResources(tag)
        checkScripts(tag)
      }
      for style in page.styles { checkStyle(style.text, line: style.line) }
      checkDocument()
      checkHeadings()
      checkReferences()
      checkTexts()
      checkTables()
      checkScrolling()
      for line in page.strays { report("markup", line, "a `<` that begins no tag") }
    }

    mutating func report(_ rule: String, _ line: Int, _ message: String) {
      findings.append(Finding(rule: rule, line: line, message: message))
    }

    // MARK: Nothing is fetched, nothing runs

    /// The only sources that a policy may name: none reaches the network.
    private static let harmless: Set<String> = ["'none'", "data:", "'unsafe-inline'"]

    mutating func checkPolicy() {
      let place = opening.firstIndex { $0.name == "meta" && $0["http-equiv"]?.lowercased() == "content-security-policy" }
      guard let place else { return report("policy", 1, "the page has no Content-Security-Policy") }
      let policy = opening[place]
      var directives: [String: [String]] = [:]
      for part in (policy["content"] ?? "").split(separator: ";") {
        let words = part.split(separator: " ").map(String.init)
        if let name = words.first { directives[name.lowercased()] = Array(words.dropFirst()) }
      }
      if directives["default-src"] != ["'none'"] { report("policy", policy.line, "the policy's `default-src` is not `'none'`") }
      for (name, sources) in directives.sorted(by: { $0.key < $1.key }) {
        for source in sources {
          let isAllowed = name == "script-src" ? source.hasPrefix("'sha256-") : Self.harmless.contains(source)
          if !isAllowed { report("policy", policy.line, "the policy allows `\(source)` in `\(name)`") }
        }
      }
      if opening[..<place].contains(where: { ["script", "style", "link", "img", "body"].contains($0.name) }) {
        report("policy", policy.line, "the policy stands behind what it should govern")
      }
    }

    private static let fetching: Set<String> = [
      "src", "srcset", "data", "poster", "background", "action", "formaction", "ping", "manifest", "xlink:href", "longdesc",
    ]

    mutating func checkResources(_ tag: PageScan.Tag) {
      for (name, value) in tag.attributes {
        let fetches = Self.fetching.contains(name) || (name == "href" && tag.name != "a")
        let isLocal = value.hasPrefix("data:") || value.hasPrefix("#") || value.isEmpty
        if fetches, !isLocal { report("network", tag.line, "`\(tag.name)` loads `\(value.prefix(80))`") }
        if name == "style" { checkStyle(value, line: tag.line) }
      }
      if tag.name == "meta", tag["http-equiv"]?.lowercased() == "refresh" {
        report("network", tag.line, "the page leads elsewhere by itself")
      }
    }

    mutating func checkStyle(_ css: String, line: Int) {
      let lower = css.lowercased()
      if lower.contains("@import") { report("network", line, "a style sheet imports another") }
      for piece in lower.split(separator: "url(", omittingEmptySubsequences: false).dropFirst() {
        let target = piece.drop { $0 == "\"" || $0 == "'" || $0 == " " }
        if !target.hasPrefix("data:"), !target.hasPrefix("#") { report("network", line, "a style loads `\(target.prefix(60))`") }
      }
    }

    private static let active: Set<String> = [
      "iframe", "frame", "object", "embed", "applet", "base", "form", "portal", "foreignobject",
    ]

    mutating func checkScripts(_ tag: PageScan.Tag) {
      if tag.name == "script", tag["type"] != "application/vnd.in-toto+json" { report("script", tag.line, "a script") }
      if Self.active.contains(tag.name) { report("script", tag.line, "a `\(tag.name)` element") }
      for (name, value) in tag.attributes {
        if name.hasPrefix("on") { report("script", tag.line, "`\(name)` on a `\(tag.name)`") }
        let target = value.filter { !$0.isWhitespace }.lowercased()
        if name == "href", ["javascript:", "vbscript:", "data:"].contains(where: target.hasPrefix), tag.name == "a" {
          report("script", tag.line, "a link runs or holds what it leads to")
        }
      }
    }

    // MARK: Readable by all

    mutating func checkDocument() {
      if opening.first(where: { $0.name == "html" })?["lang"]?.isEmpty ?? true {
        report("language", 1, "the page names no language")
      }
      for name in ["title", "main", "header", "footer", "h1"] {
        let found = opening.filter { $0.name == name }
        if found.isEmpty { report("landmarks", 1, "the page has no `\(name)`") }
        // Drawings have titles, and parts may have a header and a footer.
        if name == "main" || name == "h1", found.count > 1 {
          report("landmarks", found[1].line, "the page has \(found.count) elements `\(name)`")
        }
      }
      let main = opening.first { $0.name == "main" }?["id"]
      let first = opening.first { $0.name == "a" }
      if first == nil || first?["href"] != main.map({ "#" + $0 }) {
        report("skip-link", first?.line ?? 1, "the first link does not lead to the content")
      }
    }

    mutating func checkHeadings() {
      var level = 0
      for tag in opening where tag.name.count == 2 && tag.name.first == "h" {
        guard let next = tag.name.last?.wholeNumberValue, (1...6).contains(next) else { continue }
        if next > level + 1 { report("headings", tag.line, "a heading of level \(next) below one of level \(level)") }
        level = next
      }
    }

    mutating func checkReferences() {
      var ids: Set<String> = []
      for tag in opening {
        if let id = tag["id"], !ids.insert(id).inserted { report("ids", tag.line, "the id `\(id)` stands twice") }
      }
      for tag in opening {
        for name in ["aria-labelledby", "aria-describedby", "for"] {
          for id in (tag[name] ?? "").split(separator: " ") where !ids.contains(String(id)) {
            report("ids", tag.line, "`\(name)` names `\(id)`, which is nowhere")
          }
        }
        if let href = tag["href"], href.hasPrefix("#"), !ids.contains(String(href.dropFirst())) {
          report("ids", tag.line, "a link leads to `\(href)`, which is nowhere")
        }
      }
    }

    mutating func checkTexts() {
      for tag in opening {
        if tag.name == "img", tag["alt"] == nil {
          report("text", tag.line, "an image without a text for those who do not see it")
        }
        let isNamed = tag["aria-labelledby"] != nil || tag["aria-label"] != nil
        if tag.name == "svg", tag["aria-hidden"] != "true", tag["role"] != "img" && tag["role"] != "group" || !isNamed {
          report("text", tag.line, "a drawing without a name")
        }
      }
    }

    /// A table says what it holds by its caption, or by the name of the region that it scrolls in.
    mutating func checkTables() {
      var open: [(line: Int, isNamed: Bool)] = []
      var regions: [String?] = []
      var isInBody = false
      for tag in page.tags {
        switch (tag.name, tag.isClosing) {
        case ("div", false): regions.append(tag["aria-label"] ?? tag["aria-labelledby"])
        case ("div", true): _ = regions.popLast()
        case ("table", false):
          isInBody = false
          open.append((tag.line, regions.contains { $0?.isEmpty == false }))
        case ("table", true):
          if let table = open.popLast(), !table.isNamed {
            report("tables", table.line, "a table without a caption or a named region")
          }
        case ("thead", false): isInBody = false
        case ("tbody", false): isInBody = true
        case ("caption", false): if !open.isEmpty { open[open.count - 1].isNamed = true }
        case ("th", false):
          // The first cell of a row of the body heads it without a word. What a cell displays as HTML comes without attributes.
          if tag["scope"] == nil, !isInBody, !regions.contains("Output") {
            report("tables", tag.line, "a heading cell without a scope")
          }
        default: break
        }
      }
    }

    mutating func checkScrolling() {
      for tag in opening where tag.has(class: "scroll") || tag.has(class: "table") || tag.name == "pre" {
        if tag.name == "pre", tag["tabindex"] == nil {
          report("keyboard", tag.line, "text that scrolls cannot be reached by keyboard")
        }
        let isNamed = (tag["aria-label"] ?? tag["aria-labelledby"])?.isEmpty == false
        if tag.name != "pre", tag["tabindex"] != "0" || tag["role"] != "region" || !isNamed {
          report("keyboard", tag.line, "a region that scrolls lacks a name, or cannot be reached by keyboard")
        }
      }
    }
  }
}
