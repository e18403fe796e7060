// Composition of domed.
