// Room Keeper.
