// Short ways to say a run, a stage, a digest.
// SPDX-License-Identifier: Apache-2.0
import SourceControl
import Tracking

/// A digest that shows what it stands for: its hexadecimal letters repeated to full length.
func digest(_ seed: Int, dir: Bool = false) -> String {
  var generator = seed &* 2_654_435_761 &+ 12345
  var hex = ""
  for _ in 0..<64 {
    generator = (generator &* 1_103_515_245 &+ 12345) & 0x7FFF_FFFF
    hex += String((generator >> 16) & 15, radix: 16)
  }
  return "sha256:" + hex + (dir ? ".dir" : "")
}

func file(_ path: String, _ seed: Int, dir: Bool = false) -> FileRecord {
  FileRecord(path: path, digest: digest(seed, dir: dir), size: 1)
}

func stage(
  _ name: String, trace: Int?, _ outcome: StageRecord.Outcome = .ran, in dependencies: [FileRecord] = [],
  out outputs: [FileRecord] = [], parameters: [String: String] = [:], metrics: [MetricRecord]? = nil
) -> StageRecord {
  StageRecord(
    name: name, outcome: outcome, reasons: [], command: ["true"], notebook: nil, description: nil, fingerprint: nil,
    trace: trace.map { digest($0) }, durationSeconds: 1, peakMemoryBytes: nil, log: nil, woven: nil, failure: nil,
    dependencies: dependencies, outputs: outputs, parameters: parameters, metrics: metrics)
}

/// A run that began `second` seconds after 2026-11-21T00:00:00Z.
func run(
  at second: Int, _ stages: [StageRecord], outcome: RunRecord.Outcome = .finished, commit: String? = nil
) -> RunRecord {
  let start = Timestamp(milliseconds: 1_795_219_200_000 + Int64(second) * 1000)
  return RunRecord(
    id: RunID(at: start, random: 1).text, startedAt: start.text, finishedAt: start.text, durationSeconds: 1.5,
    outcome: outcome, command: ["pipe", "repro"], pipeVersion: "0.1.0",
    host: RunRecord.Host(name: "box", system: "Linux", processor: "x86_64", cores: 2),
    git: commit.map { GitSnapshot(commit: $0, branch: "main", remote: nil, dirtyPaths: [], diffDigest: nil) },
    stages: stages)
}
