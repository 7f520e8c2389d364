// Numbers and names in a prediction's JSON.
// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Serving

@Suite struct PredictionBodyTests {
  @Test func `halves round away from zero and absurd values stay integers`() {
    #expect(ServedModel.wholeNumber(22.5) == 23)
    #expect(ServedModel.wholeNumber(-0.5) == -1)
    #expect(ServedModel.wholeNumber(22.49999) == 22)
    #expect(ServedModel.wholeNumber(1e300) == Int.max)
    #expect(ServedModel.wholeNumber(-1e300) == Int.min)
    #expect(ServedModel.wholeNumber(.nan) == Int.max)
  }

  @Test func `text is escaped so that it stays inside its quotes`() {
    var json = JSONWriter()
    json.beginObject()
    json.text("a\"b", "x\\\n\u{1}\u{7F}é😀")
    json.number("n", nil)
    json.number("i", -.infinity)
    json.endObject()
    #expect(
      String(decoding: json.bytes, as: UTF8.self) == #"{"a\"b":"x\\\u000a\u0001\u007fé😀","n":null,"i":null}"#)
  }
}
