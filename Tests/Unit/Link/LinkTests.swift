// Unit tests of the room Link.
