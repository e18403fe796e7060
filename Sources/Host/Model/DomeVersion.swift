/// The version of this build: of every program of dome, as they are always built together. Semantic versioning.
package enum DomeVersion {
    package static let text = "0.1.0"
}
