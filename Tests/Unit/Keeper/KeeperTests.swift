// Unit tests of the room Keeper.
