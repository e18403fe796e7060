// Unit tests of the room Crypto.
