// `evaluations:`, `secrets:` and `pipe report`, as a reviewer meets them.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

struct `Reports of the program` {
  /// 400 rows whose errors are between −0.5 and 0.5, and the bias on top.
  private static let manifest = """
    stages:
      predict:
        cmd: >-
          seq 1 400 | awk -v bias=$PIPE_PARAM_bias 'BEGIN {print "id,y_true,y_pred,slice_half"}
          {t = $1 % 37; print $1 "," t "," t + ($1 * 7919) % 11 / 10 - 0.5 + bias "," ($1 <= 200 ? "first" : "second")}' > predictions.csv
        params: [bias]
        outs: [predictions.csv]
    evaluations:
      model:
        predictions: predictions.csv
        task: regression
        unit: min
        bootstrap: {resamples: 1000}
        gates: [{metric: mae, at_most: 1}]

    """

  /// With any bias the gate is missed.
  private func run(_ site: Site, bias: Int, expecting line: String) throws -> String {
    try site.write("bias: \(bias)\n", to: "params.yaml")
    let ran = try site.pipe("repro")
    #expect(ran.status == (bias > 0 ? 1 : 0), "\(ran.err)")
    let page = try #require(site.text("reports/index.md"))
    #expect(page.contains(line), "\(page.prefix(1_500))")
    return page
  }

  @Test func `predictions are evaluated, judged, and compared row by row with the previous run`() throws {
    try withSite { site in
      try site.write(Self.manifest, to: "pipeline.yaml")
      let first = try run(site, bias: 2, expecting: "**✗ The gate is missed**")
      #expect(first.contains("**model**, regression: 400 rows.\n"))
      let second = try run(site, bias: 0, expecting: "**✓ The gate holds**")
      #expect(second.contains("400 rows, compared row by row with **the previous run**: both have all of them."))
      #expect(second.contains("✓ better"))
      #expect(second.contains("| Metric | This run | Difference | Test | Reference |"))
      #expect(site.text("reports/index.html")?.contains(">Predicted and actual</title>") == true)
    }
  }

  @Test func `a report of the same predictions does not read them again`() throws {
    try withSite { site in
      try site.write(Self.manifest, to: "pipeline.yaml")
      _ = try run(site, bias: 2, expecting: "**✗ The gate is missed**")
      _ = try run(site, bias: 0, expecting: "✓ better")
      let (page, text) = (site.text("reports/index.html"), site.text("reports/index.md"))
      // Objects without a single prediction: whoever reads them says so.
      let objects = try FileManager.default.subpathsOfDirectory(atPath: "\(site.root)/.pipe/store")
      for object in objects.map({ "\(site.root)/.pipe/store/\($0)" }) {
        guard (try? String(contentsOfFile: object, encoding: .utf8))?.hasPrefix("id,y_true") == true else { continue }
        try FileManager.default.removeItem(atPath: object)
        try Data("id,y_true\n".utf8).write(to: URL(fileURLWithPath: object))
      }
      let again = try site.pipe("report")
      #expect(again.status == 0 && again.err.isEmpty, "\(again.err)")
      #expect(site.text("reports/index.html") == page && site.text("reports/index.md") == text)
      // Another question needs the rows.
      try site.write(Self.manifest.replacing("resamples: 1000", with: "resamples: 999"), to: "pipeline.yaml")
      let other = try site.pipe("report")
      #expect(other.err.contains("evaluation `model` is left out"), "\(other.err)")
      // What lies there and is no result is passed over.
      try site.write(Self.manifest, to: "pipeline.yaml")
      let folder = "\(site.root)/.pipe/evaluations"
      for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
        try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
      }
      let spoiled = try site.pipe("report")
      #expect(spoiled.err.contains("evaluation `model` is left out"), "\(spoiled.err)")
    }
  }

  @Test func `a revision is a baseline, and one that is not there is said`() throws {
    try withSite { site in
      try site.git("init", "--quiet")
      try site.write(Self.manifest + "report: {baseline: first}\n", to: "pipeline.yaml")
      _ = try run(site, bias: 1, expecting: "`first` is no revision, version or run")
      try site.git("add", "pipeline.yaml", "pipeline.lock", "params.yaml")
      try site.git("commit", "--quiet", "--message", "first")
      try site.git("tag", "first")
      _ = try run(site, bias: 2, expecting: "compared row by row with **first**: both have all of them.")
      _ = try run(site, bias: 0, expecting: "compared row by row with **first**: both have all of them.")
    }
  }

  @Test func `a missed gate is the exit status, also when nothing is left to do`() throws {
    try withSite { site in
      try site.write(Self.manifest, to: "pipeline.yaml")
      try site.write("bias: 2\n", to: "params.yaml")
      let first = try site.pipe("repro")
      #expect(first.status == 1)
      // The report is there, and the message is one.
      #expect(site.text("reports/index.md")?.contains("**✗ The gate is missed**") == true)
      let line = "error: a gate is missed: model: MAE is at most 1 min: missed, it is "
      #expect(first.err.components(separatedBy: line).count == 2, "\(first.err)")
      let again = try site.pipe("repro")
      #expect(again.status == 1 && again.err.contains(line), "\(again.err)")
      #expect(try site.pipe("repro", "--ignore-errors").status == 0)
      try site.write("bias: 0\n", to: "params.yaml")
      #expect(try site.pipe("repro").status == 0)
      #expect(try site.pipe("repro").status == 0)
    }
  }

  @Test func `a missed gate is no business of a build of other stages, and stays one of everything`() throws {
    try withSite { site in
      let other = "stages:\n  other:\n    cmd: echo $PIPE_PARAM_word > other.txt\n    params: [word]\n    outs: [other.txt]\n"
      try site.write(Self.manifest.replacing("stages:\n", with: other), to: "pipeline.yaml")
      try site.write("bias: 2\nword: a\n", to: "params.yaml")
      #expect(try site.pipe("repro").status == 1)
      let idle = try site.pipe("repro", "other")
      #expect(idle.status == 0 && !idle.err.contains("gate"), "\(idle.err)")
      // Neither when it has something to do, nor is the gate forgotten for that.
      try site.write("bias: 2\nword: b\n", to: "params.yaml")
      let busy = try site.pipe("repro", "other")
      #expect(busy.status == 0 && busy.err.contains("report: ") && !busy.err.contains("gate"), "\(busy.err)")
      #expect(try site.pipe("repro", "other").status == 0)
      for arguments in [["repro"], ["repro", "predict"], ["repro", "-s", "predict"], ["repro", "other", "predict"]] {
        let ran = try site.run(pipeBinary, arguments)
        #expect(ran.status == 1 && ran.err.contains("error: a gate is missed: model: MAE"), "\(arguments): \(ran.err)")
      }
      // An older run's page says nothing of how things stand.
      try site.write("bias: 0\nword: b\n", to: "params.yaml")
      #expect(try site.pipe("repro").status == 0)
      let runs = try #require(try site.pipe("runs", "--json").json() as? [[String: Any]])
      _ = try site.pipe("report", try #require(runs.last?["id"] as? String))
      #expect(try site.pipe("repro").status == 0)
    }
  }

  @Test func `a gate that is edited is judged anew without a run`() throws {
    try withSite { site in
      try site.write(Self.manifest, to: "pipeline.yaml")
      try site.write("bias: 2\n", to: "params.yaml")
      #expect(try site.pipe("repro").status == 1)
      try site.write(Self.manifest.replacing("at_most: 1", with: "at_most: 5"), to: "pipeline.yaml")
      let eased = try site.pipe("repro")
      #expect(eased.status == 0, "\(eased.err)")
      #expect(site.text("reports/index.md")?.contains("**✓ The gate holds**") == true)
    }
  }

  @Test(arguments: [
    ("metric: mae, at_most", "metric: mea, at_most", "evaluation `model` has no metric `mea`"),
    ("> predictions.csv", "| sed -n 1p > predictions.csv", "evaluation `model` is left out"),
    ("> predictions.csv", "> x; mkdir -p predictions.csv; mv x predictions.csv", "left no file at `predictions.csv`"),
  ])
  func `a gate that cannot be judged counts as missed`(old: String, new: String, why: String) throws {
    try withSite { site in
      try site.write(Self.manifest.replacing(old, with: new), to: "pipeline.yaml")
      try site.write("bias: 0\n", to: "params.yaml")
      for _ in 1...2 {
        let ran = try site.pipe("repro")
        #expect(ran.status == 1 && ran.err.contains("error: a gate is missed: model: the gate on `"), "\(ran.err)")
        #expect(ran.err.contains("` cannot be judged"), "\(ran.err)")
      }
      let report = try site.pipe("report")
      #expect(report.err.contains(why), "\(report.err)")
      #expect(site.text("reports/index.md")?.contains("**✗ A gate cannot be judged**") == true)
    }
  }

  @Test func `a run of other stages says nothing of predictions that it did not make`() throws {
    try withSite { site in
      let other = "stages:\n  other:\n    cmd: echo 1 > other.txt\n    outs: [other.txt]\n"
      try site.write(Self.manifest.replacing("stages:\n", with: other), to: "pipeline.yaml")
      try site.write("bias: 0\n", to: "params.yaml")
      let ran = try site.pipe("repro", "other")
      #expect(ran.status == 0 && !ran.err.contains("evaluation"), "\(ran.err)")
    }
  }

  @Test func `predictions as far apart as numbers go end in a report`() throws {
    try withSite { site in
      let table =
        "stages:\n  predict:\n    cmd: printf 'id,y_true,y_pred\\n1,1.7e308,-1.7e308\\n2,-1.7e308,1.7e308\\n3,1,2\\n' > p.csv\n"
      try site.write(
        table + "    outs: [p.csv]\nevaluations:\n  model: {predictions: p.csv, task: regression}\n", to: "pipeline.yaml")
      let ran = try site.pipe("repro")
      #expect(ran.status == 0 && ran.err.contains("report: reports/index.html"), "\(ran.err)")
    }
  }

  /// A run with a bias, committed and tagged `first`.
  private func commitFirst(_ site: Site) throws {
    try site.git("init", "--quiet")
    try site.write(Self.manifest, to: "pipeline.yaml")
    _ = try run(site, bias: 1, expecting: "MAE")
    try site.git("add", "pipeline.yaml", "pipeline.lock", "params.yaml")
    try site.git("commit", "--quiet", "--message", "first")
    try site.git("tag", "first")
  }

  @Test func `a run stands beside a revision, a run and the previous one`() throws {
    try withSite { site in
      try commitFirst(site)
      _ = try run(site, bias: 0, expecting: "**✓ The gate holds**")
      let written = try site.pipe("report", "--compare", "first", "previous")
      #expect(written.status == 0 && written.out == "reports/compare.html\n", "\(written.err)")
      let page = try #require(site.text("reports/compare.md"))
      #expect(page.contains("# Pipeline: compared with first, the previous run"), "\(page.prefix(2_000))")
      #expect(page.contains("| `bias` | `0` | `1` | `1` |"), "\(page)")
      #expect(page.contains("compared row by row with **first**: both have all of them."))
      #expect(page.contains("| half: first"), "\(page)")
      #expect(try site.pipe("report", "--compare", "first", "--check").status == 0)
      let json = try #require(try site.pipe("report", "--compare", "first", "--json").json() as? [String: Any])
      let others = try #require(json["others"] as? [[String: Any]])
      #expect(json["schema"] as? String == "pipe.comparison/1" && others.count == 1)
      let parameters = try #require(others[0]["parameters"] as? [[String: String]])
      #expect(parameters == [["key": "bias", "current": "0", "other": "1"]])
      #expect((others[0]["evaluations"] as? [[String: Any]])?.count == 1)
      let unknown = try site.pipe("report", "--compare", "nowhere")
      #expect(unknown.status == 2 && unknown.err.contains("`nowhere` is no revision, version or run"), "\(unknown.err)")
    }
  }

  @Test func `a side that is named twice, also under another name, is compared once`() throws {
    try withSite { site in
      try commitFirst(site)
      let before = try #require(try site.pipe("runs", "--json").json() as? [[String: Any]]).compactMap { $0["id"] as? String }
      _ = try run(site, bias: 0, expecting: "**✓ The gate holds**")
      func others(_ names: String...) throws -> (count: Int?, err: String) {
        let ended = try site.run(pipeBinary, ["report", "--json", "--compare"] + names)
        return (((try ended.json() as? [String: Any])?["others"] as? [Any])?.count, ended.err)
      }
      let same = try others("first", "first", "HEAD")
      #expect(same.count == 1)
      #expect(same.err.contains("warning: `first` is given twice, and compared once"), "\(same.err)")
      #expect(same.err.contains("warning: `first` and `HEAD` are the same, which is compared once"), "\(same.err)")
      let run = try #require(before.first)
      let runs = try others("previous", run, "first")
      #expect(runs.count == 2)
      #expect(runs.err.contains("warning: `previous` and `\(run)` are the same, which is compared once"), "\(runs.err)")
    }
  }

  @Test func `a revision with a mistake is told by its name, and one without results on the page`() throws {
    try withSite { site in
      try site.git("init", "--quiet")
      try site.git("commit", "--quiet", "--allow-empty", "--message", "nothing")
      try site.git("tag", "nothing")
      try site.write("stages: {a: {cmd: [}\n", to: "pipeline.yaml")
      try site.git("add", "pipeline.yaml")
      try site.git("commit", "--quiet", "--message", "broken")
      try site.git("tag", "broken")
      try site.write(Self.manifest + "report: {baseline: broken}\n", to: "pipeline.yaml")
      try site.write("bias: 0\n", to: "params.yaml")
      let ran = try site.pipe("repro")
      #expect(ran.status == 0, "\(ran.err)")
      #expect(
        ran.err.contains(
          "broken:pipeline.yaml:1:20: warning: evaluation `model` is compared with nothing: `broken` cannot be read: this is not YAML"
        ),
        "\(ran.err)")
      #expect(site.text("reports/index.md")?.contains("**✓ The gate holds**") == true)
      #expect(site.exists("reports/index.html"))
      let broken = try site.pipe("report", "--compare", "broken")
      #expect(broken.status == 2)
      #expect(
        broken.err.hasPrefix("broken:pipeline.yaml:1:20: error: `broken` cannot be read: this is not YAML"), "\(broken.err)")
      let nothing = try site.pipe("report", "--compare", "nothing")
      #expect(nothing.status == 0, "\(nothing.err)")
      let page = try #require(site.text("reports/compare.md"))
      #expect(page.contains("nothing has no results in `pipeline.lock`, so there is nothing of it to compare with"), "\(page)")
      #expect(!page.contains("pipe fetch"))
    }
  }

  @Test func `columns that moved since the previous run are told in the verdict`() throws {
    try withSite { site in
      try site.write(
        """
        stages:
          data:
            cmd: >-
              seq 1 400 | awk -v shift=$PIPE_PARAM_shift 'BEGIN {print "id,size,kind"}
              {print $1 "," $1 % 20 + shift "," ($1 % 3 ? "a" : "b")}' > d.csv
            params: [shift]
            outs: [d.csv]
        report: {drift: {data: d.csv, ignore: [id]}}

        """, to: "pipeline.yaml")
      try site.write("shift: 0\n", to: "params.yaml")
      #expect(try site.pipe("repro").status == 0)
      // There is nothing to compare with yet, and nobody misses it.
      #expect(site.text("reports/index.md")?.contains("**✓ The stage is done**") == true)
      #expect(site.text("reports/index.md")?.contains("Drift") == false)
      try site.write("shift: 10\n", to: "params.yaml")
      #expect(try site.pipe("repro").status == 0)
      let page = try #require(site.text("reports/index.md"))
      #expect(page.contains("**! A column has drifted**"), "\(page.prefix(1_500))")
      #expect(page.contains("Drift of `d.csv` beside the previous run: `size`."), "\(page.prefix(1_500))")
      #expect(page.contains("1 of 2 columns drifted"))
      #expect(try site.pipe("report", "--check").status == 0)
      // Beside itself nothing moves.
      try site.write(
        (site.text("pipeline.yaml") ?? "").replacing("ignore: [id]", with: "ignore: [id], against: d.csv"), to: "pipeline.yaml")
      _ = try site.pipe("report")
      #expect(site.text("reports/index.md")?.contains("0 of 2 columns drifted") == true)
      try site.write(
        (site.text("pipeline.yaml") ?? "").replacing("ignore: [id]", with: "columns: [nope]"), to: "pipeline.yaml")
      let none = try site.pipe("report").err
      #expect(none.contains("pipeline.yaml:8:") && none.contains("the drift of `d.csv` names no column that d.csv"), "\(none)")
      #expect(none.contains("hint: it has `id`, `size`, `kind`"), "\(none)")
      #expect(site.text("reports/index.md")?.contains("drift of `d.csv` is left out") == true)
      // A run of another stage has no table to speak of, and no mistake either.
      try site.write(
        (site.text("pipeline.yaml") ?? "").replacing("columns: [nope]", with: "ignore: [id]")
          .replacing("stages:\n", with: "stages:\n  other: {cmd: echo o > o, outs: [o]}\n"), to: "pipeline.yaml")
      let other = try site.pipe("repro", "other")
      #expect(other.status == 0 && !other.err.contains("drift"), "\(other.err)")
    }
  }

  @Test func `columns that lost their values, came, went or changed their kind are the verdict too`() throws {
    try withSite { site in
      try site.write(
        """
        stages:
          data: {cmd: cp in.csv d.csv, deps: [in.csv], outs: [d.csv]}
        report: {drift: {data: d.csv}}

        """, to: "pipeline.yaml")
      func table(_ header: String, _ row: (Int) -> String) -> String {
        ([header] + (0..<100).map(row)).joined(separator: "\n") + "\n"
      }
      try site.write(table("size,old,code,same") { "\($0 % 10),1,\($0 % 10),7" }, to: "in.csv")
      #expect(try site.pipe("repro").status == 0)
      try site.write(table("size,new,code,same") { "\($0 < 90 ? "" : "\($0 % 10)"),1,c\($0 % 10),7" }, to: "in.csv")
      #expect(try site.pipe("repro").status == 0)
      let page = try #require(site.text("reports/index.md"))
      #expect(
        page.contains("**! A column has drifted, one is gone, one is new, one has changed its kind**"), "\(page.prefix(1_500))")
      #expect(
        page.contains(
          "Drift of `d.csv` beside the previous run: missing values: `size` (0.0% → 90.0%); gone: `old`; new: `new`; "
            + "changed between numbers and text: `code`."), "\(page.prefix(1_500))")
      #expect(page.contains("1 of 2 columns drifted"))
      #expect(try site.pipe("report", "--check").status == 0)
      // A column that is gone is a verdict by itself.
      try site.write(table("new,code,same") { "1,c\($0 % 10),7" }, to: "in.csv")
      #expect(try site.pipe("repro").status == 0)
      #expect(site.text("reports/index.md")?.contains("**! A column is gone**") == true)
    }
  }

  @Test func `stages stand along the clock, and only among the run facts`() throws {
    try withSite { site in
      try site.write(
        "stages:\n  a: {cmd: sleep 0.2; echo a > a, outs: [a]}\n  b: {cmd: sleep 0.2; cat a > b, deps: [a], outs: [b]}\n",
        to: "pipeline.yaml")
      #expect(try site.pipe("repro").status == 0)
      let page = try #require(site.text("reports/index.html"))
      let begin = try #require(page.range(of: "<!-- run-facts:begin -->"))
      let end = try #require(page.range(of: "<!-- run-facts:end -->"))
      #expect(page[begin.upperBound..<end.lowerBound].contains(">Stages over time</title>"))
      #expect(!page[end.upperBound...].contains("Stages over time"))
    }
  }

  @Test func `the page keeps its contract, and Markdown is printed for a place`() throws {
    try withSite { site in
      try site.write(Self.manifest, to: "pipeline.yaml")
      _ = try run(site, bias: 0, expecting: "**✓ The gate holds**")
      let checked = try site.pipe("report", "--check")
      #expect(checked.status == 0 && checked.out == "", "\(checked.out)")
      #expect(checked.err.hasSuffix("keeps the contract\n"))
      let plain = try site.pipe("report", "--format", "md", "--target", "plain").out
      #expect(plain.hasPrefix("<!-- pipe:report Pipeline -->\n") && !plain.contains("<details"))
      #expect(try site.pipe("report", "--format", "md", "-o", "note.md").status == 0)
      #expect(site.text("note.md") == site.text("reports/index.md"))
      #expect(try site.pipe("report", "--check", "--open").status == 2)
    }
  }

  @Test func `a mistake in an evaluation is told where it stands, and the report is written all the same`() throws {
    try withSite { site in
      try site.write(
        Self.manifest.replacing("task: regression", with: "task: regression\n    metrics: [maee]"), to: "pipeline.yaml")
      try site.write("bias: 0\n", to: "params.yaml")
      let ran = try site.pipe("repro")
      #expect(ran.status == 1)
      #expect(ran.err.contains("evaluation `model` is left out: "), "\(ran.err)")
      let page = site.text("reports/index.md") ?? ""
      #expect(page.contains("**✗ A gate cannot be judged**"))
      #expect(page.contains("> pipeline.yaml:") && page.contains(": evaluation `model` is left out: "), "\(page.prefix(600))")
    }
  }

  @Test func `the model card is printed with the run's figures, and one that is not there is said`() throws {
    try withSite { site in
      try site.write(Self.manifest + "report: {card: modelcard.yaml}\n", to: "pipeline.yaml")
      try site.write("bias: 0\n", to: "params.yaml")
      #expect(try site.pipe("repro").err.contains("there is no model card at `modelcard.yaml`"))
      #expect(site.text("reports/index.md")?.contains("**! The report is incomplete**") == true)
      let without = try site.pipe("model", "card")
      #expect(without.status == 2 && without.out == "" && without.err.contains("there is no model card at `modelcard.yaml`"))
      try site.write("name: quick\nlicense: mit\nlimitations: None is known.\n", to: "modelcard.yaml")
      let card = try site.pipe("model", "card").out
      #expect(card.hasPrefix("---\nlicense: mit\nmodel-index:\n- name: quick\n"), "\(card)")
      #expect(card.contains("## Limitations\n\nNone is known.\n") && card.contains("_Nobody has written this down yet._"))
      #expect(card.contains("| MAE | 0.27") && card.contains("On 400 rows."))
    }
  }

  @Test(arguments: [
    ("importance", "feature,share\na\n", "out:2:1: warning: the importance of `out` is left out: the row has 1 field"),
    ("importance", "", "out: warning: the importance of `out` is left out: the file is empty"),
    ("importance", "feature,share\na,x\n", "column `share` is text, a number is wanted"),
    ("evaluation", "[", "`out` is not a document of role `evaluation`, so the report leaves it out: it is not JSON"),
    ("gates", "{}", "`out` is not a document of role `gates`, so the report leaves it out: it has no `schema`"),
    (
      "quality", #"{"schema": "pipe.quality/1", "rowsIn": "x"}"#,
      "`out` is not a document of role `quality`, so the report leaves it out: `rowsIn` is of another kind"
    ),
    ("backtest", "null", "`out` is not a document of role `backtest`, so the report leaves it out: it is null"),
    ("predictions", "id,y_true,y_pred\n1,a,2\n", "out:2:3: warning: evaluation `predictions` is left out: `a` is not a number"),
    ("card", "[]", "out: warning: a model card is a mapping"),
  ])
  func `a file that is not of its role is left out, which the page says`(role: String, text: String, why: String) throws {
    try withSite { site in
      try site.write(text, to: "in")
      try site.write("stages:\n  s: {cmd: cp in out, deps: [in], outs: [out]}\nreport: {\(role): out}\n", to: "pipeline.yaml")
      let ran = try site.pipe("repro")
      #expect(ran.status == 0 && ran.err.contains(why), "\(ran.err)")
      #expect(ran.err.contains("report: reports/index.html"))
      let page = try #require(site.text("reports/index.md"))
      #expect(page.contains("**! The report is incomplete**") && page.contains("> "), "\(page)")
      #expect(try site.pipe("report", "--check").status == 0)
    }
  }

  @Test(arguments: [
    ("evaluation", "pipe.gates/1", "pipe.evaluation/1"), ("gates", "pipe.gates/2", "pipe.gates/1"),
    ("quality", "other", "pipe.quality/1"), ("backtest", "pipe.backtest/0", "pipe.backtest/1"),
  ])
  func `a document of another schema is refused by its name`(role: String, found: String, known: String) throws {
    try withSite { site in
      try site.write("{\"schema\": \"\(found)\", \"passed\": true}\n", to: "in")
      try site.write("stages:\n  s: {cmd: cp in out, deps: [in], outs: [out]}\nreport: {\(role): out}\n", to: "pipeline.yaml")
      let ran = try site.pipe("repro")
      let why = "`out` has the schema `\(found)`, and role `\(role)` reads `\(known)`, so the report leaves it out"
      #expect(ran.status == 0 && ran.err.components(separatedBy: "warning: ").count == 2 && ran.err.contains(why), "\(ran.err)")
      #expect(site.text("reports/index.md")?.contains(why) == true)
    }
  }

  @Test(arguments: ["evaluation", "gates", "quality", "backtest", "importance"])
  func `a role without a file is told, unless it is of another stage`(role: String) throws {
    try withSite { site in
      let stages = """
        stages:
          folder: {cmd: mkdir -p d && echo 1 > d/x, outs: [d]}
          other: {cmd: echo 1 > o, outs: [o]}

        """
      try site.write(stages + "report: {\(role): d}\n", to: "pipeline.yaml")
      let other = try site.pipe("repro", "other")
      #expect(other.status == 0 && !other.err.contains("warning"), "\(other.err)")
      let all = try site.pipe("repro")
      #expect(all.status == 0)
      #expect(
        all.err.contains("warning: the store has no file of `d`, so the report leaves out its role `\(role)`"), "\(all.err)")
      try site.write(stages + "report: {\(role): nowhere}\n", to: "pipeline.yaml")
      let nowhere = try site.pipe("report").err
      #expect(
        nowhere.contains("warning: no stage makes or reads `nowhere`, so the report leaves out its role `\(role)`"), "\(nowhere)")
    }
  }

  @Test func `what the store does not keep is read where it stands, while it is the same`() throws {
    try withSite { site in
      try site.write(
        """
        stages:
          s:
            cmd: printf 'feature,share\\nsize,0.5\\n' > i.csv
            outs: [{i.csv: {cache: false}}]
        report: {importance: i.csv}

        """, to: "pipeline.yaml")
      let ran = try site.pipe("repro")
      #expect(ran.status == 0 && !ran.err.contains("warning"), "\(ran.err)")
      #expect(site.text("reports/index.md")?.contains("size") == true)
      try site.write("feature,share\nother,0.5\n", to: "i.csv")
      let edited = try site.pipe("report")
      #expect(edited.err.contains("warning: the store has no file of `i.csv`"), "\(edited.err)")
      #expect(site.text("reports/index.md")?.contains("other") == false)
    }
  }

  @Test func `gates of several models are told by the model's name, and those of one are not`() throws {
    try withSite { site in
      try site.write("y_true,y_pred\n1,1\n2,2.5\n3,3\n", to: "p.csv")
      let manifest = """
        stages:
          s: {cmd: cp p.csv a.csv && cp p.csv b.csv, deps: [p.csv], outs: [a.csv, b.csv]}
        evaluations:
          near: {predictions: a.csv, task: regression, gates: [{metric: mae, at_most: 1}]}

        """
      try site.write(manifest, to: "pipeline.yaml")
      #expect(try site.pipe("repro").status == 0)
      #expect(site.text("reports/index.md")?.contains("\n| MAE is at most 1 |") == true)
      try site.write(
        manifest + "  far: {predictions: b.csv, task: regression, gates: [{metric: mae, at_most: 2, label: not far}]}\n",
        to: "pipeline.yaml")
      _ = try site.pipe("report")
      let page = try #require(site.text("reports/index.md"))
      #expect(page.contains("\n| near: MAE is at most 1 |") && page.contains("\n| far: not far |"), "\(page.prefix(1_500))")
    }
  }

  @Test(arguments: ["p.csv", "folder"])
  func `predictions that the store does not keep are evaluated where they stand, while they are the run's`(output: String) throws
  {
    try withSite { site in
      let path = output == "folder" ? "folder/p.csv" : "p.csv"
      try site.write(
        """
        stages:
          s:
            cmd: >-
              mkdir -p folder && seq 1 40 | awk -v by=$PIPE_PARAM_by 'BEGIN {print "id,y_true,y_pred"}
              {print $1 "," $1 "," $1 + by * ($1 % 3)}' > \(path)
            params: [by]
            outs: [{\(output): {cache: false}}]
        evaluations:
          m: {predictions: \(path), task: regression, gates: [{metric: mae, at_most: 2}]}

        """, to: "pipeline.yaml")
      try site.write("by: 1\n", to: "params.yaml")
      let ran = try site.pipe("repro")
      #expect(ran.status == 0 && !ran.err.contains("warning"), "\(ran.err)")
      #expect(site.text("reports/index.md")?.contains("**✓ The gate holds**") == true)
      // The run before has lost its own to this one, which nobody need hear who did not ask for it.
      try site.write("by: 1.5\n", to: "params.yaml")
      let second = try site.pipe("repro")
      #expect(second.status == 0 && !second.err.contains("warning"), "\(second.err)")
      let compared = try site.pipe("report", "--compare", "previous")
      #expect(compared.status == 0, "\(compared.err)")
      #expect(
        site.text("reports/compare.md")?.contains(
          "the predictions of the previous run are gone: `\(path)` is not kept in the store (`cache: false`)") == true,
        "\(site.text("reports/compare.md") ?? "")")
      try site.write("id,y_true,y_pred\n1,1,1\n", to: path)
      let edited = try site.pipe("report").err
      #expect(edited.contains("`\(path)` is not the file that stage `s` made in this run"), "\(edited)")
      #expect(edited.contains("the store does not keep it (`cache: false`)"), "\(edited)")
      #expect(edited.contains("`pipe repro s` makes it again"), "\(edited)")
      #expect(site.text("reports/index.md")?.contains("**✗ A gate cannot be judged**") == true)
      try FileManager.default.removeItem(atPath: "\(site.root)/\(path)")
      let gone = try site.pipe("report").err
      #expect(gone.contains("`\(path)` is not here"), "\(gone)")
    }
  }

  @Test func `a secret stands in no log, record or page`() throws {
    try withSite { site in
      try site.write(
        "stages:\n  s:\n    cmd: echo \"the mark is $PIPE_TEST_MARK\"; exit 1\nsecrets: [PIPE_TEST_MARK]\n", to: "pipeline.yaml")
      let process = try site.start(pipeBinary, ["repro"], mark: "hidden-value-4711", to: "run")
      process.waitUntilExit()
      #expect(process.terminationStatus == 1)
      let files = (FileManager.default.enumerator(atPath: site.root)?.compactMap { $0 as? String } ?? []).filter {
        !$0.hasPrefix(".git")
      }
      let texts = files.compactMap { FileManager.default.contents(atPath: "\(site.root)/\($0)") }
      #expect(texts.contains { $0.range(of: Data("the mark is [redacted]".utf8)) != nil })
      #expect(!texts.contains { $0.range(of: Data("hidden-value-4711".utf8)) != nil })
    }
  }
}
