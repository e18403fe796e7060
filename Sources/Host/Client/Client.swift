// Room Client.
