// swift-tools-version: 6.2
// The rooms of dome. Arrows point down: a target depends only on rooms of a lower level
// (docs/ARCHITECTURE.md has the table; `make check` enforces it on the imports themselves).
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

let cSettings: [CSetting] = [
    .unsafeFlags(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fno-common"]),
    .define("_GNU_SOURCE"),
]

/// A room under Sources/Host: folder `name`, module `Dome<name>`.
func room(_ name: String, _ dependencies: [String] = []) -> Target {
    .target(
        name: "Dome" + name,
        dependencies: dependencies.map { .byName(name: $0) },
        path: "Sources/Host/" + name,
        swiftSettings: swiftSettings)
}

/// A system library reached through a module map under Sources/System.
func system(_ name: String, pkgConfig: String) -> Target {
    .systemLibrary(name: name, path: "Sources/System/" + name, pkgConfig: pkgConfig)
}

/// A C target of ours under Sources/Host.
func cRoom(_ name: String, libraries: [String] = []) -> Target {
    .target(
        name: name, path: "Sources/Host/" + name, cSettings: cSettings,
        linkerSettings: libraries.map { .linkedLibrary($0) })
}

func program(_ name: String, _ dependencies: [String]) -> Target {
    .executableTarget(
        name: name,
        dependencies: dependencies.map { .byName(name: $0) },
        path: "Sources/Executables/" + name,
        swiftSettings: swiftSettings)
}

/// The unit tests of one room, Tests/Unit/<name>.
func unitTests(_ name: String, _ dependencies: [String]) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: dependencies.map { .byName(name: $0) },
        path: "Tests/Unit/" + name,
        swiftSettings: swiftSettings)
}

let package = Package(
    name: "dome",
    targets: [
        // Level 0: system libraries and C.
        system("CSQLite", pkgConfig: "sqlite3"),
        system("CNghttp2", pkgConfig: "libnghttp2"),
        system("CCrypto", pkgConfig: "libcrypto"),
        cRoom("CLinux"),
        cRoom("CJail", libraries: ["seccomp"]),
        .target(name: "PluginABI", path: "Sources/PluginABI", cSettings: cSettings),

        // Level 1 and 2.
        room("Model"),
        room("Platform", ["DomeModel", "CLinux"]),
        room("Async", ["DomeModel", "DomePlatform"]),
        room("Crypto", ["DomeModel", "CCrypto"]),
        room("Schema", ["DomeModel"]),

        // Level 3: rooms that know nothing of each other (but Wire, which reads Proto).
        room("Proto"),
        room("Link", ["DomeModel", "DomePlatform"]),
        room("Journal", ["DomeModel", "DomePlatform"]),
        room("Catalog", ["DomeModel", "DomePlatform", "DomeCrypto", "DomeSchema"]),
        room("Store", ["DomeModel", "DomePlatform", "DomeAsync", "DomeCrypto", "CSQLite"]),
        room("Jail", ["DomeModel", "DomePlatform", "CJail"]),
        room("PluginHost", ["DomeModel", "DomePlatform", "PluginABI"]),
        room("Transport", ["DomeModel", "DomePlatform", "CNghttp2"]),
        room("Wire", ["DomeModel", "DomeProto"]),

        // Level 4 to 7.
        room("Validator", ["DomeModel", "DomePlatform", "DomeCatalog", "DomeSchema", "DomeLink", "PluginABI"]),
        room("Keeper", ["DomeModel", "DomePlatform", "DomeJournal", "DomeJail", "DomeLink"]),
        room(
            "Engine",
            [
                "DomeModel", "DomePlatform", "DomeAsync", "DomeCrypto", "DomeJournal", "DomeCatalog", "DomeSchema",
                "DomeStore", "DomeLink",
            ]),
        room(
            "Server",
            ["DomeModel", "DomePlatform", "DomeAsync", "DomeEngine", "DomeWire", "DomeProto", "DomeTransport"]),
        room(
            "Client", ["DomeModel", "DomePlatform", "DomeAsync", "DomeWire", "DomeProto", "DomeTransport"]),
        room("MCP", ["DomeModel", "DomePlatform", "DomeAsync", "DomeClient", "DomeCrypto", "DomeTransport"]),
        room(
            "Commands",
            [
                "DomeModel", "DomePlatform", "DomeAsync", "DomeClient", "DomeCatalog", "DomeCrypto", "DomeJail",
                "DomeSchema", "DomeValidator", "DomeMCP",
            ]),

        // Executables: composition only.
        program(
            "domed",
            [
                "DomeModel", "DomePlatform", "DomeAsync", "DomeEngine", "DomeServer", "DomeStore", "DomeCatalog",
                "DomeTransport", "DomeLink", "DomeJournal",
            ]),
        program("dome", ["DomeCommands"]),
        program("domed-keeper", ["DomeModel", "DomePlatform", "DomeKeeper", "CJail"]),
        program("domed-worker", ["DomeModel", "DomePlatform", "DomePluginHost", "DomeLink"]),
        program("protoc-gen-dome", ["DomeProto"]),

        // For Tests/Contract: puts messages through the protobuf runtime, for comparison with the official one.
        .executableTarget(
            name: "proto-roundtrip", dependencies: ["DomeProto"], path: "Tests/Contract/proto-roundtrip",
            exclude: ["proto"], swiftSettings: swiftSettings),
        // For tests only: a server that official gRPC clients talk to (Tests/Interop).
        .executableTarget(
            name: "transport-echo", dependencies: ["DomeModel", "DomePlatform", "DomeTransport"],
            path: "Tests/Support/transport-echo", swiftSettings: swiftSettings),

        // The bench's load client over our own client library.
        .executableTarget(
            name: "bench-client", dependencies: ["DomeAsync", "DomeClient", "DomeModel", "DomePlatform"],
            path: "bench/own-client", swiftSettings: swiftSettings),
        // The jail alone, a keeper in miniature.
        .executableTarget(
            name: "bench-jail", dependencies: ["CJail", "DomeJail", "DomeModel", "DomePlatform"],
            path: "bench/jail", swiftSettings: swiftSettings),
        // Validation alone.
        .executableTarget(
            name: "bench-schema", dependencies: ["DomeModel", "DomePlatform", "DomeSchema"],
            path: "bench/schema", swiftSettings: swiftSettings),
        // What an event costs on its way to the wire; run by hand.
        .executableTarget(
            name: "wire-bench", dependencies: ["DomeModel", "DomeProto", "DomeWire"],
            path: "Tests/Contract/wire-bench", swiftSettings: swiftSettings),

        // Unit tests, one target a room.
        unitTests("Model", ["DomeModel"]),
        unitTests("Platform", ["DomePlatform", "DomeModel"]),
        unitTests("Async", ["DomeAsync", "DomeModel", "DomePlatform"]),
        unitTests("Crypto", ["DomeCrypto", "DomeModel"]),
        unitTests("Schema", ["DomeSchema", "DomeModel"]),
        unitTests("Proto", ["DomeProto"]),
        unitTests("Link", ["DomeLink", "DomeModel", "DomePlatform"]),
        unitTests("Journal", ["DomeJournal", "DomeModel", "DomePlatform"]),
        unitTests("Catalog", ["DomeCatalog", "DomeModel", "DomePlatform", "DomeCrypto", "DomeSchema"]),
        unitTests("Store", ["DomeStore", "DomeModel", "DomePlatform", "DomeCrypto", "DomeAsync"]),
        unitTests("Jail", ["DomeJail", "DomeModel", "DomePlatform", "CJail", "jail-driver"]),
        .executableTarget(
            name: "jail-driver", dependencies: ["DomeJail", "DomeModel", "DomePlatform", "CJail"],
            path: "Tests/Support/jail-driver", swiftSettings: swiftSettings),
        unitTests(
            "PluginHost",
            ["DomePluginHost", "DomeModel", "DomePlatform", "DomeLink", "PluginABI", "domed-worker"]),
        unitTests("Validator", ["DomeValidator", "DomeModel", "DomePlatform", "DomeCatalog", "DomeSchema"]),
        unitTests("Transport", ["DomeTransport", "DomeModel", "DomePlatform"]),
        unitTests("Wire", ["DomeWire", "DomeModel", "DomeProto"]),
        unitTests("Keeper", ["DomeKeeper", "DomeModel", "DomePlatform", "DomeJournal", "DomeLink", "DomeJail"]),
        unitTests(
            "Engine",
            [
                "DomeEngine", "DomeModel", "DomePlatform", "DomeAsync", "DomeCatalog", "DomeStore", "DomeJournal",
                "DomeLink", "DomeCrypto",
            ]),
        unitTests("MCP", ["DomeMCP", "DomeModel", "DomePlatform", "DomeAsync", "DomeClient"]),
        unitTests(
            "Commands",
            [
                "DomeCommands", "DomeModel", "DomePlatform", "DomeAsync", "DomeClient", "DomeTransport", "DomeProto",
            ]),
    ],
    cLanguageStandard: .c11
)
