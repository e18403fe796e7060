// Unit tests of the room Engine.
