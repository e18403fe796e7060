// Unit tests of the room Journal.
