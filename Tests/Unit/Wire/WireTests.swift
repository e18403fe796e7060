// Unit tests of the room Wire.
