// `pipe plots show`: templates of the project's own, drawn by another program or told as rows; plots in a run's report.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@Suite struct `Plots as pages` {
  private static let template = #"{"data": {"values": "<DVC_METRIC_DATA>"}, "mark": "area", "title": "<DVC_METRIC_TITLE>"}"#

  private func make(_ site: Site) throws {
    try site.git("init", "-q")
    try site.pipe("init", "--dvc")
    try site.write(Self.template, to: ".dvc/plots/mine.json")
    try site.write("step,v\n0,1\n1,4\n2,9\n", to: "p.csv")
    try site.write("plots:\n  - p.csv: {x: step, y: v, template: mine, title: Own}\n", to: "dvc.yaml")
  }

  @Test func `without a program that draws it, a template of one's own is told as rows`() throws {
    try withSite { site in
      try make(site)
      let shown = try site.pipe("plots", "show")
      #expect(shown.status == 0, "\(shown.err)")
      let page = try #require(site.text("dvc_plots/index.html"))
      #expect(
        page.contains(
          "Template <code>mine</code> is the project's own; <code>vl-convert</code> on the search path would draw it."))
      #expect(page.contains("<tr><th>workspace<td>2<td>9"))
      #expect(!page.contains("<svg class=chart") && !page.contains("<img"))
    }
  }

  @Test(arguments: [
    ("cp spec.json seen.json; printf '<svg>drawn</svg>' > out.svg", true), ("exit 3", false), ("printf nothing > out.svg", false),
  ])
  func `vl-convert draws it, and what it does wrong is told`(script: String, isDrawn: Bool) throws {
    try withSite { site in
      try make(site)
      try site.write(
        "#!/bin/sh\n[ \"$1 $2 $3 $4 $5\" = 'vl2svg -i spec.json -o out.svg' ] || exit 9\ngrep -q '\"mark\": \"area\"' spec.json || exit 8\n\(script)\n",
        to: "bin/vl-convert")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(site.root)/bin/vl-convert")
      let shown = try site.run("/usr/bin/env", ["PATH=\(site.root)/bin:/usr/bin:/bin", pipeBinary, "plots", "show"])
      #expect(shown.status == 0, "\(shown.err)")
      let page = try #require(site.text("dvc_plots/index.html"))
      // Base64 of `<svg>drawn</svg>`, by coreutils.
      #expect(page.contains("data:image/svg+xml;base64,PHN2Zz5kcmF3bjwvc3ZnPg==") == isDrawn)
      #expect(page.contains("did not draw template <code>mine</code>") == !isDrawn)
      #expect(page.contains("<td>9"))
    }
  }

  @Test func `a chart that a notebook displays is drawn by it too`() throws {
    try withSite { site in
      try site.write("stages:\n  look: {notebook: look.qmd}\n", to: "pipeline.yaml")
      try site.write(
        """
        ```{python}
        class Chart:
          def _repr_mimebundle_(self, **_):
            return {"application/vnd.vegalite.v6.json": {"data": {"values": [{"a": 1}]}, "mark": "area"}, "text/plain": "<Chart>"}
        Chart()
        ```

        """, to: "look.qmd")
      try site.write(
        "#!/bin/sh\ngrep -q area spec.json || exit 8\nprintf '<svg>drawn</svg>' > out.svg\n", to: "bin/vl-convert")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(site.root)/bin/vl-convert")
      let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
      let ran = try site.run("/usr/bin/env", ["PATH=\(site.root)/bin:\(path)", pipeBinary, "repro"])
      #expect(ran.status == 0, "\(ran.err)")
      #expect(site.text("reports/index.html")?.contains("data:image/svg+xml;base64,PHN2Zz5kcmF3bjwvc3ZnPg==") == true)
      #expect(try site.run("/usr/bin/env", ["PATH=\(path)", pipeBinary, "report"]).status == 0)
      let page = try #require(site.text("reports/index.html"))
      #expect(page.contains("A Vega-Lite chart of area marks.") && !page.contains("PHN2Zz5kcmF3bjwvc3ZnPg=="))
    }
  }

  @Test func `a copy of a built-in template is drawn as it`() throws {
    try withSite { site in
      try make(site)
      try site.write(try site.pipe("plots", "templates", "simple").out, to: ".dvc/plots/simple.json")
      try site.write("plots:\n  - p.csv: {x: step, y: v, template: simple}\n", to: "dvc.yaml")
      try site.pipe("plots", "show")
      #expect(site.text("dvc_plots/index.html")?.contains("<svg class=chart") == true)
    }
  }
}
