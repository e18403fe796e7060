// Unit tests of the room Model.
