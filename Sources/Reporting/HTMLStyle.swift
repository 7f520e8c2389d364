// How the page looks: one style sheet, both themes, paper and phone.
// SPDX-License-Identifier: Apache-2.0

/// Colours as variables, so that text, tables and drawings change together with the theme.
package enum HTMLStyle {
  /// Name and value in the light theme and in the dark one. Text on ground keeps a contrast of 4.5, lines of drawings 3.
  package static let colours: [(name: String, light: String, dark: String)] = [
    ("ground", "#ffffff", "#14171a"),
    ("raised", "#f6f7f8", "#1d2125"),
    ("line", "#d5d9de", "#363c43"),
    ("text", "#1c2126", "#e4e7ea"),
    ("muted", "#575f68", "#a3abb4"),
    ("link", "#0b57a4", "#7db7f0"),
    ("good", "#17693a", "#6cc68d"),
    ("bad", "#b02318", "#ff9086"),
    ("caution", "#8a5300", "#e6b252"),
    ("shade", "#c3c9d0", "#3d444c"),
    ("s0", "#6b737c", "#8d959e"),
    ("s1", "#0072b2", "#56b4e9"),
    ("s2", "#b84f00", "#e69f00"),
    ("s3", "#00795a", "#2fc09a"),
    ("s4", "#a2457f", "#e08bbd"),
    ("s5", "#7d6a00", "#f0e442"),
    ("s6", "#3390c8", "#7f9dff"),
    ("s7", "#2b2f36", "#e4e7ea"),
    ("s8", "#c77800", "#ff7f50"),
    ("c1", "#ebf4f9", "#1b2a34"),
    ("c2", "#cce3f0", "#213643"),
    ("c3", "#a6cee4", "#2b4e62"),
    ("c4", "#7cb6d7", "#325e77"),
    ("c5", "#4d9cc9", "#386d8c"),
    ("c6", "#0a6ca6", "#4f9fcb"),
    ("c7", "#004b76", "#8fd3ff"),
  ]

  /// The styles of what a page has.
  ///
  /// - Parameter body: with its classes in words or in double quotes; `nil` asks for all styles.
  static func sheet(for body: String? = nil) -> String {
    let classes = body.map(classes)
    let kept = classes.map { classes in rules.split(separator: "\n").compactMap { pruned($0, classes) }.joined(separator: "\n") }
    let sheet = kept ?? rules
    let used = colours.filter { sheet.contains("var(--\($0.name))") }
    let light = used.map { "--\($0.name):\($0.light)" }.joined(separator: ";")
    let dark = used.map { "--\($0.name):\($0.dark)" }.joined(separator: ";")
    return """
      :root{color-scheme:light dark;\(light)}
      @media screen and (prefers-color-scheme:dark){:root{\(dark)}}
      \(sheet)
      """
  }

  /// The words in the `class` attributes of a page.
  private static func classes(_ body: String) -> Set<Substring> {
    var body = body
    let attributes = body.withUTF8 { bytes in
      // The data of an image may follow in the same tag.
      let tags = bytes.split(separator: UInt8(ascii: "<")).lazy.map { $0.prefix(400).prefix { $0 != UInt8(ascii: ">") } }
      return Set(tags.compactMap(classAttribute).map { String(decoding: $0, as: UTF8.self) })
    }
    return Set(attributes.flatMap { $0.split(separator: " ") })
  }

  private static let classMark = Array(" class=".utf8)

  /// The value of ` class=` in a tag.
  private static func classAttribute(_ tag: Slice<UnsafeBufferPointer<UInt8>>) -> Slice<UnsafeBufferPointer<UInt8>>? {
    var rest = tag
    while let blank = rest.firstIndex(of: UInt8(ascii: " ")) {
      rest = rest[blank...]
      guard rest.starts(with: classMark) else {
        rest = rest.dropFirst()
        continue
      }
      let value = rest.dropFirst(classMark.count)
      guard value.first == UInt8(ascii: "\"") else { return value.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "/") } }
      return value.dropFirst().prefix { $0 != UInt8(ascii: "\"") }
    }
    return nil
  }

  /// A line of rules without the selectors whose classes the page does not have; `nil` where nothing is left.
  private static func pruned(_ line: Substring, _ classes: Set<Substring>) -> String? {
    if line.hasPrefix("@") { return String(line) }
    let rules = line.split(separator: "}").compactMap { rule -> String? in
      guard let open = rule.firstIndex(of: "{") else { return nil }
      let selectors = rule[..<open].split(separator: ",").filter { selector in
        selector.split(separator: ".", omittingEmptySubsequences: false).dropFirst().allSatisfy { part in
          classes.contains(part.prefix { $0.isLetter || $0.isNumber || $0 == "-" })
        }
      }
      return selectors.isEmpty ? nil : selectors.joined(separator: ",") + rule[open...] + "}"
    }
    return rules.isEmpty ? nil : rules.joined()
  }

  /// Dashes of the series' lines; the first is solid.
  private static let dashes = ["", "7 4", "2 4", "10 3 2 3", "14 5", "4 3", "1 5", "10 3 2 3 2 3"]

  /// Marks take the colour of their series; squares stand for the second where dots are small.
  private static let series: String =
    (0...8).map { "svg .s\($0){color:var(--s\($0))}" }.joined() + "\n"
    + dashes.enumerated().filter { !$0.element.isEmpty }.map { "svg .line.s\($0.offset + 1){stroke-dasharray:\($0.element)}" }
    .joined()
    + "svg .line.s0{stroke-dasharray:9 3}\nsvg .cloud.s2,svg .cloud.s4,svg .cloud.s6,svg .cloud.s8{stroke-linecap:square}"

  /// From the first series' colour to the second's.
  private static let ramp: String =
    "svg .v{stroke:var(--s1);stroke-opacity:1}svg .v7{stroke:var(--s2)}\n"
    + (1...6).map { "svg .v\($0){stroke:color-mix(in oklab,var(--s2) \($0 * 100 / 7)%,var(--s1))}" }.joined()

  /// Columns of which a table may say by a class of its own that they hold numbers (`n3`), literals (`c3`) or dates (`w3`), so
  /// that not every cell has to.
  static let namedColumns = 12

  /// Room for a table on the narrowest screen that the page is made for, 320 pixels wide.
  static let phoneWidth = 288.0

  private static let numeric: String =
    (1...namedColumns).map { ".n\($0) tr>:nth-child(\($0))" }.joined(separator: ",")
    + ",th.num,td.num{text-align:right;white-space:nowrap}\n"
    + (1...namedColumns).map { ".w\($0) tr>:nth-child(\($0))" }.joined(separator: ",") + ",.whole{white-space:nowrap}\n"
    + (1...namedColumns).map { ".c\($0) tbody>tr>:nth-child(\($0))" }.joined(separator: ",") + ",code,pre"

  private static let cells: String = (1...7).map { "svg .c\($0){fill:var(--c\($0))}" }.joined()

  private static let rules = """
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%;text-size-adjust:100%;scroll-padding-top:1rem}
    body{margin:0;background:var(--ground);color:var(--text);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
    .skip{position:absolute;left:-9999px}
    .skip:focus{left:1rem;top:.5rem;background:var(--ground);padding:.5rem 1rem;border:2px solid var(--link);z-index:1}
    header,main,footer{max-width:66rem;margin:0 auto;padding:0 1.25rem}
    header{padding-top:2.5rem}
    h1,h2,h3,h4,h5,h6{line-height:1.25;font-weight:650;text-wrap:balance;overflow-wrap:anywhere}
    h1{font-size:1.7rem;margin:0 0 .25rem;letter-spacing:-.01em}
    h2{font-size:1.3rem;margin:3.25rem 0 1rem;padding-top:1.1rem;border-top:1px solid var(--line)}
    h3{font-size:1.05rem;margin:2rem 0 .6rem}
    h4,h5,h6{font-size:1rem;margin:1.5rem 0 .5rem}
    p,ul,ol,blockquote,table,pre,figure{margin:0 0 1rem}
    p,li,blockquote{max-width:44rem;overflow-wrap:anywhere}
    .lead{color:var(--muted);margin-bottom:1.5rem}
    a{color:var(--link);text-underline-offset:.15em}
    :focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:2px}
    .muted,small{color:var(--muted);font-size:inherit}
    .good{color:var(--good)}.bad{color:var(--bad)}.caution{color:var(--caution)}
    b[class]{font-weight:600;white-space:nowrap}
    .verdict{border:1px solid var(--line);border-left:.4rem solid var(--tone);border-radius:.4rem;background:var(--raised);padding:1.1rem 1.25rem .4rem;margin:1.25rem 0 1rem}
    .verdict h2{border:0;padding:0;margin:0 0 .5rem;font-size:1.45rem;color:var(--tone)}
    .verdict .table{margin-top:.75rem}
    .tone-good{--tone:var(--good)}.tone-bad{--tone:var(--bad)}.tone-caution{--tone:var(--caution)}.tone-neutral{--tone:var(--muted)}
    .facts{font-size:.9rem;color:var(--muted);margin:0 0 1rem}
    .facts p{margin:0 0 .25rem;max-width:none}
    .facts table,.facts h3{color:var(--text)}
    nav ul{display:flex;flex-wrap:wrap;gap:.15rem 1.1rem;list-style:none;padding:0;margin:1.25rem 0 0;max-width:none;font-size:.9rem}
    nav a{display:inline-block;padding:.3rem 0}
    \(numeric){font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.85em}
    code{overflow-wrap:anywhere}
    td,th{overflow-wrap:break-word}td code,th code{overflow-wrap:inherit}
    .inside{scroll-margin-top:4.5rem}
    pre{background:var(--raised);border:1px solid var(--line);border-radius:.35rem;padding:.7rem .9rem;overflow:auto;line-height:1.45;max-height:32rem}
    pre code{font-size:inherit;overflow-wrap:normal}
    p code,li code,td code,th code{background:var(--raised);border-radius:.2rem;padding:.05rem .25rem}
    pre{font-size:.82rem}
    .output{border-left:.2rem solid var(--tone);background:none}
    .label{color:var(--muted);font-size:.8rem;margin:0 0 .25rem}
    .scroll,.table{--here:var(--ground);overflow-x:auto;max-width:100%;margin:0 0 1rem;background:linear-gradient(to right,var(--here) 40%,transparent) 0/2.5rem 100% no-repeat local,linear-gradient(to left,var(--here) 40%,transparent) 100%/2.5rem 100% no-repeat local,linear-gradient(to right,var(--shade),transparent) 0/.7rem 100% no-repeat,linear-gradient(to left,var(--shade),transparent) 100%/.7rem 100% no-repeat}
    .verdict .table{--here:var(--raised)}
    tbody th{min-width:6.6rem}tbody th,td{max-width:24rem}td:has(br){min-width:7rem}
    .table table{margin:0}
    table{border-collapse:collapse;font-size:.9rem;line-height:1.4;font-variant-numeric:tabular-nums}
    thead th:nth-child(n):nth-child(n){white-space:normal}
    caption{text-align:left;color:var(--muted);font-size:.875rem;padding:0 0 .4rem}
    th,td{text-align:left;vertical-align:top;padding:.4rem 1.1rem .4rem 0;border-bottom:1px solid var(--line)}
    th:last-child,td:last-child{padding-right:.2rem}
    thead th{color:var(--muted);font-weight:600;border-bottom-width:2px;vertical-align:bottom}
    tbody th{font-weight:500}
    .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,25rem),1fr));gap:1.75rem 2rem;margin:0 0 1rem}
    figure{margin:0;min-width:0}
    .figures>figure{max-width:34rem}
    figcaption{font-size:.9rem;line-height:1.45;margin:.35rem 0 0;color:var(--muted)}
    figcaption strong{color:var(--text);font-weight:600}
    figure img{max-width:100%;height:auto;background:#fff;border:1px solid var(--line);border-radius:.35rem}
    details{margin:0 0 1rem}
    details>summary{cursor:pointer;padding:.3rem 0;color:var(--link);font-size:.9rem}
    details.stage{border:1px solid var(--line);border-radius:.4rem;padding:0 1rem;margin:0 0 .75rem}
    details.stage>summary{color:var(--text);font-size:1rem;padding:.7rem 0;overflow-wrap:anywhere}
    details.stage[open]>summary{border-bottom:1px solid var(--line);margin-bottom:1rem}
    .note{border-left:.25rem solid var(--tone);padding:.1rem 0 .1rem .9rem;margin:0 0 1rem}
    blockquote{border-left:.25rem solid var(--line);padding-left:.9rem;margin-left:0;color:var(--muted)}
    hr{border:0;border-top:1px solid var(--line);margin:1.5rem 0}
    svg.chart{display:block;width:100%;height:auto}
    svg.graph{display:block;margin:0 auto;max-width:none}
    svg text{font-size:12.5px;fill:var(--muted)}
    svg .m{text-anchor:middle}svg .e{text-anchor:end}
    svg .axis,svg .in{fill:var(--text)}svg .on{fill:var(--ground)}svg text.small{font-size:10px}
    svg .grid{stroke:var(--line);stroke-width:.7;fill:none}
    svg .frame{stroke:var(--s0);fill:none}
    \(series)
    svg .line{fill:none;stroke:currentColor;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
    svg .line.many{stroke-width:1.3}
    svg .line.faint{stroke-width:1;stroke-opacity:.45;stroke-dasharray:none}
    svg .rule{stroke:var(--text);stroke-dasharray:5 4;fill:none;stroke-width:1.2}
    svg .whisker,svg .edge-line{fill:none;stroke:currentColor;stroke-width:1.8}
    svg .edge-line{stroke-width:1}svg .whisker.over{stroke:var(--text)}
    svg .dot{fill:currentColor;stroke:var(--ground);stroke-width:1.2}
    svg .dot.tight{stroke:none;fill-opacity:.75}
    svg .bar{fill:currentColor}
    svg .bar.alt{fill-opacity:.25;stroke:currentColor;stroke-width:1.2}
    svg .bar.thin{stroke:var(--ground);stroke-width:.8}
    svg .ribbon{fill:currentColor;fill-opacity:.22}
    svg .cloud{fill:none;stroke:currentColor;stroke-width:7;stroke-linecap:round;stroke-opacity:.75}
    \(ramp)
    \(cells)
    svg .density{stroke:var(--s1)}
    svg .d1{stroke-opacity:.14}svg .d2{stroke-opacity:.163}svg .d3{stroke-opacity:.222}svg .d4{stroke-opacity:.321}svg .d5{stroke-opacity:.474}
    svg .node{fill:var(--ground);stroke:var(--s0);stroke-width:1.3}
    svg .node.failed{stroke:var(--bad);stroke-width:2.6}
    svg .node.skipped{stroke-dasharray:4 3}
    svg .name{fill:var(--text);font-size:13.5px}
    svg .mark{font-size:14px;fill:var(--good)}svg .mark.failed{fill:var(--bad)}svg .mark.skipped{fill:var(--muted)}
    svg a:hover .node,svg a:focus-visible .node{stroke:var(--link);stroke-width:2.4}
    svg .edge{fill:none;stroke:var(--s0);stroke-width:1.3}
    svg .head{fill:var(--s0)}
    footer{margin-top:3.5rem;padding-top:1rem;padding-bottom:2.5rem;color:var(--muted);font-size:.875rem}
    @media (max-width:40rem){header,main,footer{padding-left:1rem;padding-right:1rem}header{padding-top:1.25rem}h1{font-size:1.4rem}.verdict{padding:.9rem .9rem .2rem}.verdict h2{font-size:1.25rem}table{font-size:.84rem}th,td{padding-right:.65rem}tbody th,td{max-width:15rem}details.stage{padding:0 .75rem}nav a{padding:.45rem 0}}
    @media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
    @media print{:root{color-scheme:light;--ground:#fff;--raised:#fff;--text:#000;--muted:#444;--line:#bbb}body{font-size:10pt}nav,.skip{display:none}pre{max-height:none;white-space:pre-wrap}.scroll,.table{overflow:visible;background:none}table{font-size:.8rem}.figures{grid-template-columns:1fr 1fr;gap:1rem}tr>:nth-child(n):nth-child(n),.whole{min-width:0;padding-right:.6rem;white-space:normal}details::details-content{content-visibility:visible;display:block}details>summary{list-style:none}figure details{display:none}caption{break-after:avoid}figure,tr,.verdict{break-inside:avoid}h2,h3{break-after:avoid}a{color:inherit;text-decoration:none}}
    """
}
