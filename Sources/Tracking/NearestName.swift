// "did you mean" over many names: most cannot match and cost nothing.
// SPDX-License-Identifier: Apache-2.0
import Diagnostics

/// The candidate nearest to a mistyped name; of more than 2,000 only the last count.
func nearestName(to word: String, among candidates: [String]) -> String? {
  closestMatch(to: word, among: candidates.suffix(2000).filter { abs($0.count - word.count) <= max(1, word.count / 3) })
}
