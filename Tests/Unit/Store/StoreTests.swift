// Unit tests of the room Store.
