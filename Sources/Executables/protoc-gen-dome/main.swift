// Composition of protoc-gen-dome.
