// Unit tests of the room Platform.
