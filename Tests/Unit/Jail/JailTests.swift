// Unit tests of the room Jail.
