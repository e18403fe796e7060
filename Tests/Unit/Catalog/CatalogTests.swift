// Unit tests of the room Catalog.
