// Room Jail.
