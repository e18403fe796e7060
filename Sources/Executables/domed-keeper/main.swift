// Composition of domed-keeper.
