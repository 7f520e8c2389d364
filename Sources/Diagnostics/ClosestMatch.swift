// "did you mean": the known name that is nearest to a mistyped one.
// SPDX-License-Identifier: Apache-2.0

/// The candidate within a third of the word's length of edits, the nearest first, ties by order.
///
/// - Complexity: O(candidates × word length²).
///
/// Source: Damerau–Levenshtein distance, restricted form.
package func closestMatch(to word: String, among candidates: some Sequence<String>) -> String? {
  // Edits cost the product of the lengths; nobody mistypes a name as long as this.
  guard word.utf8.count <= 200 else { return nil }
  let limit = max(1, word.count / 3)
  var best: (name: String, distance: Int)?
  for candidate in candidates where candidate.utf8.count <= 400 {
    let distance = editDistance(Array(word), Array(candidate))
    if distance <= limit, distance < (best?.distance ?? .max) { best = (candidate, distance) }
  }
  return best?.name
}

private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
  var beforePrevious = [Int](repeating: 0, count: b.count + 1)
  var previous = Array(0...b.count)
  for i in 1...a.count {
    var current = [i] + [Int](repeating: 0, count: b.count)
    for j in 1...b.count {
      let substitution = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
      current[j] = min(previous[j] + 1, current[j - 1] + 1, substitution)
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        current[j] = min(current[j], beforePrevious[j - 2] + 1)
      }
    }
    (beforePrevious, previous) = (previous, current)
  }
  return previous[b.count]
}
