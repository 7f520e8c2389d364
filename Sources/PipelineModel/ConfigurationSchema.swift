// The options that a configuration may have, and what each may be set to.
// SPDX-License-Identifier: Apache-2.0

/// What an option's text must be.
package enum OptionKind: Sendable, Equatable {
  case text
  /// `true` or `false` in any case.
  case bool
  case boolOrText
  case integer
  case positiveInteger
  case number
  case notNegativeNumber
  case choice([String])
  /// A comma-separated list of `reflink`, `hardlink`, `symlink`, `copy`.
  case linkTypes
}

/// The known sections with their options, as DVC 3 has them.
package enum ConfigurationSchema {
  /// Section → option → kind. Obsolete options are known, so that an old file is no mistake.
  package static let plain: [String: [String: OptionKind]] = [
    "core": [
      "remote": .text, "checksum_jobs": .positiveInteger, "interactive": .bool, "analytics": .bool, "hardlink_lock": .bool,
      "no_scm": .bool, "autostage": .bool, "experiments": .bool, "check_update": .bool, "site_cache_dir": .text,
      "machine": .text,
    ],
    "cache": [
      "local": .text, "s3": .text, "gs": .text, "hdfs": .text, "webhdfs": .text, "ssh": .text, "azure": .text, "dir": .text,
    ].merging(local) { $1 },
    "state": ["dir": .text, "row_limit": .positiveInteger, "row_cleanup_quota": .notNegativeNumber],
    "index": ["dir": .text],
    "feature": ["machine": .bool],
    "plots": ["html_template": .text, "auto_open": .bool, "out_dir": .text],
    "exp": [
      "code": .text, "data": .text, "models": .text, "metrics": .text, "params": .text, "plots": .text, "live": .text,
      "auto_push": .bool, "git_remote": .text,
    ],
    "parsing": [
      "bool": .choice(["store_true", "boolean_optional"]), "list": .choice(["nargs", "append"]),
    ],
    "hydra": [
      "enabled": .bool, "config_dir": .text, "config_module": .text, "config_name": .text, "plugins_path": .text,
    ],
    "studio": ["token": .text, "url": .text, "repo_url": .text, "offline": .bool],
  ]

  /// Options of `['db "name"']` and `['machine "name"']`.
  package static let named: [String: [String: OptionKind]] = [
    "db": ["url": .text, "username": .text, "password": .text],
    "machine": [
      "cloud": .choice(["aws", "azure"]), "region": .choice(["us-west", "us-east", "eu-west", "eu-north"]), "image": .text,
      "spot": .bool, "spot_price": .number, "instance_hdd_size": .integer, "instance_type": .text, "instance_gpu": .text,
      "ssh_private": .text, "startup_script": .text, "setup_script": .text,
    ],
  ]

  /// Options of a remote by the scheme of its url; a folder has the empty scheme, `nil` is a scheme that nobody knows.
  package static func remote(scheme: String) -> [String: OptionKind]? {
    switch scheme {
    case "", "local": common.merging(local) { $1 }
    case "remote": anyRemote
    default: network[scheme].map { $0.merging(common) { $1 } }
    }
  }

  /// Whether a path in this option is relative to the file that says it.
  package static func isPath(_ option: String, in section: String, kind: String?) -> Bool {
    switch kind {
    case nil: section == "cache" && option == "dir"
    case "remote": remotePaths.contains(option)
    case "machine": option == "startup_script" || option == "setup_script"
    default: false
    }
  }

  private static let remotePaths: Set<String> = [
    "url", "gdrive_user_credentials_file", "gdrive_service_account_json_file_path", "credentialpath", "configpath", "keyfile",
    "cert_path", "key_path",
  ]

  private static let common: [String: OptionKind] = [
    "url": .text, "checksum_jobs": .positiveInteger, "jobs": .positiveInteger, "worktree": .bool, "no_traverse": .bool,
    "version_aware": .bool,
  ]

  private static let local: [String: OptionKind] = [
    "type": .linkTypes, "protected": .bool, "shared": .choice(["group"]), "slow_link_warning": .bool, "verify": .bool,
  ]

  /// Everything that some kind of remote has: a url `remote://name/…` stands for another remote.
  private static let anyRemote = network.values.reduce(common.merging(local) { $1 }) { $0.merging($1) { $1 } }

  private static let http: [String: OptionKind] = [
    "auth": .choice(["basic", "digest", "custom"]), "custom_auth_header": .text, "user": .text, "password": .text,
    "ask_password": .bool, "ssl_verify": .boolOrText, "method": .text, "connect_timeout": .notNegativeNumber,
    "read_timeout": .notNegativeNumber, "verify": .bool,
  ]

  private static let webdav: [String: OptionKind] = [
    "user": .text, "password": .text, "ask_password": .bool, "token": .text, "bearer_token_command": .text,
    "custom_auth_header": .text, "cert_path": .text, "key_path": .text, "timeout": .integer, "ssl_verify": .boolOrText,
    "verify": .bool,
  ]

  private static let network: [String: [String: OptionKind]] = [
    "s3": [
      "region": .text, "profile": .text, "credentialpath": .text, "configpath": .text, "endpointurl": .text,
      "access_key_id": .text, "secret_access_key": .text, "session_token": .text, "listobjects": .bool, "use_ssl": .bool,
      "allow_anonymous_login": .bool, "ssl_verify": .boolOrText, "sse": .text, "sse_kms_key_id": .text,
      "sse_customer_algorithm": .text, "sse_customer_key": .text, "acl": .text, "grant_read": .text, "grant_read_acp": .text,
      "grant_write_acp": .text, "grant_full_control": .text, "cache_regions": .bool, "read_timeout": .integer,
      "connect_timeout": .integer, "verify": .bool,
    ],
    "gs": [
      "projectname": .text, "credentialpath": .text, "endpointurl": .text, "verify": .bool, "allow_anonymous_login": .bool,
    ],
    "ssh": [
      "type": .linkTypes, "port": .integer, "user": .text, "password": .text, "ask_password": .bool, "passphrase": .text,
      "ask_passphrase": .bool, "keyfile": .text, "timeout": .integer, "gss_auth": .bool, "allow_agent": .bool,
      "max_sessions": .integer, "verify": .bool,
    ],
    "hdfs": ["user": .text, "kerb_ticket": .text, "replication": .integer],
    "webhdfs": [
      "kerberos": .bool, "kerberos_principal": .text, "proxy_to": .text, "ssl_verify": .boolOrText, "token": .text,
      "use_https": .bool, "user": .text, "password": .text, "data_proxy_target": .text, "verify": .bool,
    ],
    "azure": [
      "connection_string": .text, "sas_token": .text, "account_name": .text, "account_key": .text, "tenant_id": .text,
      "client_id": .text, "client_secret": .text, "allow_anonymous_login": .bool, "exclude_environment_credential": .bool,
      "exclude_visual_studio_code_credential": .bool, "exclude_shared_token_cache_credential": .bool,
      "exclude_managed_identity_credential": .bool, "verify": .bool, "timeout": .integer, "read_timeout": .integer,
      "connection_timeout": .integer,
    ],
    "oss": ["oss_key_id": .text, "oss_key_secret": .text, "oss_endpoint": .text, "verify": .bool],
    "gdrive": [
      "profile": .text, "gdrive_use_service_account": .bool, "gdrive_client_id": .text, "gdrive_client_secret": .text,
      "gdrive_user_credentials_file": .text, "gdrive_service_account_user_email": .text,
      "gdrive_service_account_json_file_path": .text, "gdrive_trash_only": .bool, "gdrive_acknowledge_abuse": .bool,
      "verify": .bool,
    ],
    "http": http, "https": http, "webdav": webdav, "webdavs": webdav,
  ]
}

extension OptionKind {
  /// Why a value is not of this kind; `nil` when it is.
  package func complaint(about value: ConfigText.Value) -> String? {
    if self == .linkTypes {
      let known = ["reflink", "hardlink", "symlink", "copy"]
      let strange = value.items.filter { !known.contains($0) }
      return strange.isEmpty ? nil : "a list of \(known.joined(separator: ", "))"
    }
    guard case .text(let text) = value else { return "one value, not a list" }
    switch self {
    case .text, .boolOrText, .linkTypes: return nil
    case .bool: return ["true", "false"].contains(text.lowercased()) ? nil : "true or false"
    case .integer: return Int(text) == nil ? "a whole number" : nil
    case .positiveInteger: return (Int(text) ?? 0) >= 1 ? nil : "a whole number from 1"
    case .number: return Double(text) == nil ? "a number" : nil
    case .notNegativeNumber: return (Double(text) ?? -1) >= 0 ? nil : "a number from 0"
    case .choice(let options): return options.contains(text.lowercased()) ? nil : options.joined(separator: " or ")
    }
  }
}

extension ConfigText.Value {
  /// A list's items; of a text, what its commas part.
  package var items: [String] {
    switch self {
    case .list(let items): items
    case .text(let text):
      text.split(separator: ",", omittingEmptySubsequences: false).map { part in
        var part = part.drop { $0 == " " || $0 == "\t" }
        while part.last == " " || part.last == "\t" { part.removeLast() }
        return String(part)
      }
    }
  }
}
