// An answer that says no: what is wrong with the request, and which field of it.
// SPDX-License-Identifier: Apache-2.0
import Hummingbird

/// Why a request is not answered with a prediction.
package struct Refusal: Error, Sendable, Equatable {
  /// HTTP status, 400...599.
  package var status: Int
  /// One lower-case sentence for the person who wrote the client.
  package var detail: String
  /// The field of the request that it is about.
  package var field: String?

  package init(_ status: Int, _ detail: String, field: String? = nil) {
    self.status = status
    self.detail = detail
    self.field = field
  }

  /// What is wrong with the text of a body: 400 when it is not JSON, 422 when it is JSON of another shape.
  package init(_ fault: JSONFault) {
    let place = fault.isWellFormed ? "" : " (byte \(fault.byte))"
    let named = fault.field.map { "`\($0)`: " } ?? ""
    self.init(fault.isWellFormed ? 422 : 400, named + fault.message + place, field: fault.field)
  }

  /// `{"detail": …, "field": …}`.
  var body: ByteBuffer {
    var json = JSONWriter(reserving: 128)
    json.beginObject()
    json.text("detail", detail)
    if let field { json.text("field", field) } else { json.null("field") }
    json.endObject()
    return ByteBuffer(bytes: json.bytes)
  }
}
