// Room Platform.
