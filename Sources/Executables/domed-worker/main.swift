// Composition of domed-worker.
