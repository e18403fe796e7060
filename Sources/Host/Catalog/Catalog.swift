// Room Catalog.
