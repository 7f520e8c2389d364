// A remote's address, fit to be written down.
// SPDX-License-Identifier: Apache-2.0

/// The URL without user, password, query and fragment; an SSH user name stays, since it is part of the address.
///
/// - Returns: `nil` when the text looks like a URL but its host part cannot be told from a password.
func withoutCredentials(_ url: String) -> String? {
  guard let mark = url.firstRange(of: "://") else { return url }
  let scheme = url[..<mark.lowerBound].lowercased()
  if scheme == "file" { return url }
  let rest = url[mark.upperBound...]
  let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
  let path = rest[authority.endIndex...].prefix { $0 != "?" && $0 != "#" }
  let user = authority.lastIndex(of: "@").map { authority[..<$0] }
  let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
  guard hasPlainPort(host) else { return nil }
  let shownUser = scheme.hasSuffix("ssh") ? user?.split(separator: ":").first.map { "\($0)@" } : nil
  return "\(url[..<mark.upperBound])\(shownUser ?? "")\(host)\(path)"
}

/// Whether what follows the last `:` outside brackets is a number; a password with a `/` in it is not.
private func hasPlainPort(_ host: Substring) -> Bool {
  guard !host.hasSuffix("]"), let colon = host.lastIndex(of: ":") else { return true }
  return host[host.index(after: colon)...].allSatisfy { $0.isASCII && $0.isNumber }
}
