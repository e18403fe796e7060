// Unit tests of the room Proto.
