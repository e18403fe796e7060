// Unit tests of the room Commands.
