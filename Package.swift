// swift-tools-version: 6.1
// The floor plan of `pipe`: a target imports only from lower floors (docs/architecture.md).
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")

let staticWraps = [
  "swift_copyAuxiliaryExecutablePath", "_dispatch_workq_worker_register", "_dispatch_workq_worker_unregister",
]

/// The server runs where nothing else is installed: libc, the Swift runtime and libcrypto are linked into it. What `--wrap`
/// is for stands in Sources/pipe-serve/BareStart.swift.
let staticExecutable: [LinkerSetting] = [
  .unsafeFlags(
    ["-static-executable"] + staticWraps.flatMap { ["-Xlinker", "--wrap=\($0)"] } + ["-Xlinker", "-s"],
    .when(configuration: .release))
]

/// `pipe` is started often. At a fixed address, with its libraries linked whole, it has little to do before `main`:
/// docs/decisions/006-start-up.md.
let quickStart: [LinkerSetting] = [
  .unsafeFlags(["-L\(Context.packageDirectory)/make/static", "-Xclang-linker", "-no-pie"], .when(configuration: .release))
]

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, exclude: ["README.md"], swiftSettings: settings)
}

func door(_ name: String, _ dependencies: [Target.Dependency], linked: [LinkerSetting] = []) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, exclude: ["README.md"], swiftSettings: settings, linkerSettings: linked)
}

func tests(_ target: String, _ dependencies: [Target.Dependency] = [], data: [String] = []) -> Target {
  .testTarget(
    name: "\(target)Tests", dependencies: [.byName(name: target), "TestSupport"] + dependencies,
    exclude: data, swiftSettings: settings)
}

let targets: [Target] = [
  // System libraries and the two C files. Without pkg-config, whose folders would come before make/static.
  .systemLibrary(name: "CYAML", providers: [.apt(["libyaml-dev"])]),
  .target(name: "CGit2"),
  .systemLibrary(name: "CCrypto", providers: [.apt(["libssl-dev"])]),
  .systemLibrary(name: "CXGBoost", providers: [.apt(["libxgboost-dev"])]),
  .target(name: "CLinux"),

  // Floor 0.
  room("Diagnostics"),
  room("Hashing", ["CCrypto"]),

  // Floor 1.
  room("ContentStore", ["Diagnostics", "Hashing", "CLinux"]),
  room("SourceControl", ["Diagnostics", "Hashing", "CGit2"]),
  room("Tabular", ["Diagnostics"]),
  room("KitCatalog"),

  // Floor 2.
  room("PipelineModel", ["Diagnostics", "ContentStore", "CYAML"]),
  room("Tracking", ["Diagnostics", "Hashing", "ContentStore", "SourceControl", grdb]),
  room("Notebooks", ["Diagnostics", "ContentStore", "Tabular", grdb]),
  room("Evaluation", ["Diagnostics", "Tabular"]),
  room("Scoring", ["Diagnostics", "Hashing", "Tabular"]),

  // Floor 3.
  room("BuildEngine", ["Diagnostics", "ContentStore", "PipelineModel", "CLinux"]),
  room("Learning", ["Diagnostics", "Hashing", "Tabular", "Evaluation", "Scoring", "CXGBoost"]),
  room("FeatureStore", ["Diagnostics", "Tabular"]),
  room("Monitoring", ["Diagnostics", "Tabular"]),

  // Floor 4.
  room(
    "Verification",
    ["Diagnostics", "ContentStore", "SourceControl", "PipelineModel", "BuildEngine"]),
  room(
    "Reporting",
    ["Diagnostics", "ContentStore", "SourceControl", "PipelineModel", "Tracking", "Notebooks", "Evaluation", "Monitoring"]),
  room("Serving", ["Diagnostics", "Hashing", "Tabular", "Scoring", "FeatureStore", hummingbird]),

  // Floor 5.
  door(
    "pipe",
    [
      "Diagnostics", "ContentStore", "SourceControl", "Tabular", "KitCatalog", "PipelineModel", "Tracking", "Notebooks",
      "Evaluation", "Monitoring", "BuildEngine", "Verification", "Reporting", argumentParser,
    ], linked: quickStart),
  door(
    "pipe-kit",
    [
      "Diagnostics", "Tabular", "KitCatalog", "Evaluation", "Scoring", "Learning", "FeatureStore", "Hashing",
      argumentParser,
    ]),
  door(
    "pipe-serve", ["Diagnostics", "Tabular", "Scoring", "FeatureStore", "Serving", argumentParser],
    linked: staticExecutable),

  // Tests.
  .target(name: "TestSupport", dependencies: ["Diagnostics"], path: "Tests/TestSupport", swiftSettings: settings),
  tests("Diagnostics"),
  tests("Hashing"),
  tests("ContentStore"),
  tests("SourceControl"),
  tests("Tabular"),
  tests("PipelineModel", ["ContentStore", "Diagnostics"]),
  tests("Tracking", ["ContentStore", "SourceControl"]),
  tests("Notebooks", ["Diagnostics", "ContentStore"]),
  tests("Evaluation", ["Tabular"]),
  tests("Scoring", ["Tabular"]),
  tests("BuildEngine", ["ContentStore", "PipelineModel", "Tracking", "Diagnostics"]),
  tests("Learning", ["Hashing", "Tabular", "Evaluation", "Scoring"]),
  tests("Monitoring", ["Diagnostics", "Tabular"]),
  tests("FeatureStore", ["Tabular"], data: ["Fixtures", "Golden"]),
  tests("Verification", ["ContentStore", "PipelineModel", "BuildEngine"]),
  tests(
    "Reporting",
    ["SourceControl", "PipelineModel", "Tracking", "Notebooks", "Evaluation", "Monitoring", "Tabular", "ContentStore"],
    data: ["Golden"]),
  tests("Serving", ["Tabular", "Scoring", "FeatureStore", .product(name: "HummingbirdTesting", package: "hummingbird")]),
  .testTarget(name: "EndToEndTests", dependencies: ["TestSupport"], swiftSettings: settings),
]

let package = Package(
  name: "pipe",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
  ],
  targets: targets,
  swiftLanguageModes: [.v6]
)
