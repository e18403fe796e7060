// Unit tests of the room Transport.
