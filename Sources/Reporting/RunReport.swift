// What a run's report is made from, and in which order it is told.
// SPDX-License-Identifier: Apache-2.0
package import Evaluation
package import Notebooks
package import Tracking

/// The report of one run: values in, a document tree out.
package enum RunReport {
  /// All that a report can show. Whatever is missing takes its section with it.
  ///
  /// The documents must be of this run: whoever fills them in leaves out those whose stage did not finish.
  package struct Input: Sendable {
    package var title: String
    package var description: String?
    package var run: RunRecord
    /// The last run whose traces differ.
    package var previous: RunRecord?
    package var graph: GraphDescription
    package var evaluation: EvaluationDocument?
    package var previousEvaluation: EvaluationDocument?
    /// Differences to the previous model on the same rows, where there are any.
    package var pairedWithPrevious: [PairedDifference] = []
    /// Differences to the baseline on the same rows, where there are any.
    package var pairedWithBaseline: [PairedDifference] = []
    /// Those that `pipe` computed itself.
    package var evaluations: [EvaluatedModel] = []
    /// Gates of `evaluations:` that nothing could judge, a line each.
    package var unjudged: [String] = []
    /// What was declared and could not be shown, a sentence each: whoever reads the page must know what it does not say.
    package var omissions: [String] = []
    package var gates: GatesDocument?
    package var quality: QualityDocument?
    /// Tables beside those of a baseline.
    package var drift: [DriftedTable] = []
    package var backtest: BacktestDocument?
    package var importance: [ImportanceRow] = []
    package var metrics: [MetricsFile] = []
    package var card: ModelCard?
    package var plots = Plots()
    /// By stage name.
    package var contents: [String: StageContent] = [:]
    package var registered: RegisteredModel?
    /// Commands that make this run again, one a line. They may name the commit: they stand among the run facts.
    package var reproduce: [String] = []

    package init(title: String, description: String? = nil, run: RunRecord, graph: GraphDescription) {
      self.title = title
      self.description = description
      self.run = run
      self.graph = graph
    }
  }

  /// A row of `importance.csv`.
  package struct ImportanceRow: Sendable, Equatable {
    package var feature: String
    /// In 0...1 of all gain.
    package var share: Double
    package init(feature: String, share: Double) {
      self.feature = feature
      self.share = share
    }
  }

  /// A flat metrics file, with what it said at the previous run.
  package struct MetricsFile: Sendable, Equatable {
    package var path: String
    package var values: [String: Double]
    package var previous: [String: Double]?
    package init(path: String, values: [String: Double], previous: [String: Double]? = nil) {
      self.path = path
      self.values = values
      self.previous = previous
    }
  }

  /// What a stage has to show.
  package struct StageContent: Sendable, Equatable {
    package var woven: WovenNotebook?
    /// The last lines of the log; for a command that is all there is.
    package var logTail: String?
    package init(woven: WovenNotebook? = nil, logTail: String? = nil) {
      self.woven = woven
      self.logTail = logTail
    }
  }

  package struct RegisteredModel: Sendable, Equatable {
    package var name: String
    package var version: Int
    package init(name: String, version: Int) {
      self.name = name
      self.version = version
    }
  }

  package static let factsBegin = "<!-- run-facts:begin -->"
  package static let factsEnd = "<!-- run-facts:end -->"

  package static func document(_ input: Input) -> Report {
    let opening = [failureSection(input), modelCardSection(input)]
    let rest = [
      metricsSection(input),
      changesSection(input),
      plotsSection(input),
      sliceSection(input),
      importanceSection(input),
      backtestSection(input),
      qualitySection(input),
      driftSection(input),
      graphSection(input),
      stagesSection(input),
      provenanceSection(input),
    ]
    return Report(
      title: input.title, summary: input.description, verdict: verdict(input), runFacts: runFacts(input),
      sections: opening.compactMap { $0 } + evaluationSections(input) + rest.compactMap { $0 })
  }

  /// The text of a report, HTML or Markdown, without its block of run facts: equal for two runs of the same inputs.
  package static func withoutRunFacts(_ text: String) -> String {
    guard let begin = text.firstRange(of: factsBegin),
      let end = text[begin.upperBound...].firstRange(of: factsEnd)
    else { return text }
    return String(text[..<begin.lowerBound]) + String(text[end.upperBound...])
  }
}

extension StageRecord.Outcome {
  /// Does the stage have a result?
  package var isDone: Bool {
    switch self {
    case .ran, .restored, .upToDate, .frozen: true
    case .failed, .skipped, .interrupted: false
    }
  }

  /// The same for a run that executed a stage and for one that had it already.
  var standing: GraphDescription.Status {
    switch self {
    case .ran, .restored, .upToDate, .frozen: .done
    case .failed: .failed
    case .skipped, .interrupted: .skipped
    }
  }

  /// What this run did: a run fact.
  var deed: String {
    switch self {
    case .ran: "▶ ran"
    case .restored: "✓ restored"
    case .upToDate: "✓ up to date"
    case .frozen: "✓ frozen"
    case .failed: "✗ failed"
    case .skipped: "○ skipped"
    case .interrupted: "○ interrupted"
    }
  }
}
