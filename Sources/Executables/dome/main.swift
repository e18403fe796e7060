// Composition of dome.
