// Columns that memory need not hold: the same values, and the same figures, as those in memory.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Evaluation

@Suite struct `Values of rows` {
  private struct Pair: Equatable {
    var key: Int
    var place: Int
  }

  @Test func `are in a file from the limit on, which has no name`() throws {
    try withTemporaryDirectory { folder in
      let scratch = Scratch(folder: folder.path, keepingInMemory: 64)
      var values = RowValues<Int>(in: scratch)
      for value in 0..<8 { values.append(value) }
      #expect(!RowValues<Int>(repeating: 0, count: 8, in: scratch).isInFile)
      for value in 8..<1000 { values.append(value) }
      #expect(values.isInFile && values.count == 1000 && values.elementsEqual(0..<1000))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
      #expect(!RowValues<Int>(0..<1000).isInFile)
      try scratch.check()
    }
  }

  @Test func `do not change where a copy is changed`() throws {
    try withTemporaryDirectory { folder in
      let values = RowValues<Int>(count: 100, in: Scratch(folder: folder.path, keepingInMemory: 64)) { $0 }
      var other = values
      other[3] = 7
      other.append(1)
      #expect(values.count == 100 && values[3] == 3 && other.count == 101 && other[3] == 7 && other[100] == 1)
      #expect(values != other)
    }
  }

  @Test(arguments: [0, 1, 7, 64, 1000])
  func `are sorted, chosen and placed as an array's`(count: Int) throws {
    let seed = UInt64.random(in: 0...99_999)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    try withTemporaryDirectory { folder in
      let scratch = Scratch(folder: folder.path, keepingInMemory: 64)
      // Few keys, so that many are equal.
      let pairs = (0..<count).map { Pair(key: Int.random(in: 0...9, using: &random), place: $0) }
      var values = RowValues(count: count, in: scratch) { pairs[$0] }
      values.sort { $0.key < $1.key }
      #expect(Array(values) == (0...9).flatMap { key in pairs.filter { $0.key == key } })

      let order = Array(0..<count).shuffled(using: &random)
      let numbers = RowValues(count: count, in: scratch) { $0 * 10 }
      #expect(Array(numbers.selecting(RowValues(order.map(UInt32.init)))) == order.map { $0 * 10 })
      let placed = RowValues<Int>(count: count, in: scratch, placing: { (order[$0], $0) })
      #expect(order.indices.allSatisfy { placed[order[$0]] == $0 })

      let parts = RowParts(RowValues(pairs.map { UInt32($0.key) }), parts: 10)
      let grouped = RowValues(count: count, in: scratch) { pairs[$0] }.grouped(by: parts)
      #expect(
        parts.indices.map { grouped[parts.rows($0)].map(\.place) }
          == (0...9).map { key in pairs.filter { $0.key == key }.map(\.place) })
    }
  }

  @Test func `that find no room are told once, and cost no more`() throws {
    try withTemporaryDirectory { folder in
      let scratch = Scratch(folder: "\(folder.path)/gone", keepingInMemory: 64)
      let values = RowValues<Int>(repeating: 3, count: 100, in: scratch)
      #expect(values.count == 100 && values[99] == 3 && !values.isInFile)
      let diagnostic = #expect(throws: Diagnostic.self) { try scratch.check() }
      #expect(diagnostic?.category == .storage)
      #expect(diagnostic?.message == "a column of 1 MB finds no room in the folder for scratch files")
      #expect(diagnostic?.causes == ["no such file or directory"])
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can mount the tiny file system that this test fills"))
  func `that a full disk has no room for end the evaluation with a diagnostic`() throws {
    try withTemporaryDirectory { folder in
      guard mount("tmpfs", folder.path, "tmpfs", 0, "size=64k") == 0 else {
        // A container may forbid root to mount; nothing can be filled then.
        return print("skipped: mounting is not permitted here")
      }
      defer { umount2(folder.path, Int32(MNT_DETACH)) }
      let request = EvaluationRequest(name: "e", task: .regression)
      let scratch = Scratch(folder: folder.path, keepingInMemory: 4096)
      let text = "id,y_true,y_pred\n" + (0..<6000).map { "\($0),\($0),\($0 + 1)\n" }.joined()
      let diagnostic = #expect(throws: Diagnostic.self) {
        _ = try PredictionReader.table(bytes: Array(text.utf8), named: "p.csv", for: request, in: scratch)
      }
      #expect(diagnostic?.category == .storage && diagnostic?.causes == ["no space left on device"])
    }
  }
}

@Suite struct `Tables larger than memory` {
  /// Header and lines; ids run on, the rest is drawn.
  private static func table(_ task: EvaluationTask, _ random: inout SeededGenerator, world: UInt64) -> (String, [String]) {
    var truths = SeededGenerator(seed: world)
    var lines: [String] = []
    for row in 0..<700 {
      let truth = (Double.random(in: 0...60, using: &truths) * 10).rounded() / 10
      let guess = truth + (Double.random(in: -9...9, using: &random) * 10).rounded() / 10
      let weight = Int.random(in: 0...3, using: &truths)
      let zone = "Z\(Int.random(in: 0...4, using: &truths))"
      let day = "2026-0\(Int.random(in: 1...9, using: &truths))-1\(row % 10)"
      let share = min(1, max(0, guess / 64))
      let line =
        switch task {
        case .regression: "\(row),\(truth),\(guess),\(guess - 6),\(guess + 6),\(day),\(zone),\(weight)"
        case .binary: "\(row),\(truth > 30 ? 1 : 0),\(share),\(zone),\(weight)"
        case .multiclass: "\(row),c\(Int(truth) / 21),\(share),\((1 - share) / 2),\((1 - share) / 2),\(zone)"
        case .ranking: "\(row),q\(Int.random(in: 0...40, using: &truths)),\(Int(truth) / 20),\(guess),\(zone)"
        case .backtest: "\(row),s\(row % 2),\(day),w\(row % 3),\(truth),\(guess),\(guess - 6),\(guess + 6)"
        }
      lines.append(line)
    }
    let header =
      switch task {
      case .regression: "id,y_true,y_pred,y_low,y_high,time,slice_zone,weight"
      case .binary: "id,y_true,y_score,slice_zone,weight"
      case .multiclass: "id,y_true,y_score_c0,y_score_c1,y_score_c2,slice_zone"
      case .ranking: "id,group,y_true,y_pred,slice_zone"
      case .backtest: "id,group,time,window,y_true,y_pred,y_low,y_high"
      }
    return (header, lines)
  }

  /// Resamples are drawn, or are so many that batches take their place.
  @Test(arguments: EvaluationTask.allCases, [40, 100_000_000])
  func `have byte for byte the figures of tables in memory`(task: EvaluationTask, resamples: Int) throws {
    let seed = UInt64.random(in: 0...99_999)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    var request = EvaluationRequest(name: "e", task: task)
    request.bootstrap.resamples = resamples
    request.within = task == .regression ? 5 : nil
    request.seasonality = task == .backtest ? 7 : nil
    let (header, lines) = Self.table(task, &random, world: seed)
    let others = Self.table(task, &random, world: seed).1
    let references = [others, Array(others.shuffled(using: &random).dropLast(20))]
    try withTemporaryDirectory { folder in
      // Whole columns are in files, those of batches are not: each has its cost in files that are made.
      let scratch = Scratch(folder: folder.path, keepingInMemory: 512)
      for reference in references {
        let results = try [Scratch.memory, scratch].map { scratch in
          let tables = try [lines, reference].map { lines in
            let text = header + "\n" + lines.joined(separator: "\n") + "\n"
            return try PredictionReader.table(bytes: Array(text.utf8), named: "p.csv", for: request, in: scratch)
          }
          return try Self.json(Evaluator(request).evaluate(tables[0], against: tables[1]))
        }
        #expect(results[0] == results[1])
        // Some batch of few queries has none of them, and then there is no interval.
        if task != .ranking { #expect(results[0].contains(resamples > 1000 ? "100 batches" : "\(resamples) resamples")) }
      }
    }
  }

  private static func json(_ result: EvaluationResult) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "∞", negativeInfinity: "-∞", nan: "NaN")
    return String(decoding: try encoder.encode(result), as: UTF8.self)
  }

  @Test func `have their ids found, each in its bucket`() {
    // More than one bucket holds.
    var ids = (0..<300_000).map { TextHash.hash("row \($0)") }
    let others = RowValues((100_000..<400_000).reversed().map { TextHash.hash("row \($0)") })
    let matches = IDBuckets.matches(RowValues(ids), in: others)
    #expect(matches.count == 300_000 && matches.prefix(100_000).allSatisfy { $0 == 0 })
    // Row 100,000 stands last of 300,000, counted from 1, and the others before it.
    #expect((100_000..<300_000).allSatisfy { matches[$0] == UInt32(400_000 - $0) })
    #expect(IDBuckets.firstRepetition(RowValues(ids)) == nil)
    for (row, first) in [(250_000, 5), (200_001, 200_000), (220_000, 3), (299_999, 0)] { ids[row] = ids[first] }
    let found = IDBuckets.firstRepetition(RowValues(ids))
    #expect(found?.first == 200_000 && found?.second == 200_001)
  }
}
