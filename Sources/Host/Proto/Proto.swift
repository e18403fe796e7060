// Room Proto.
