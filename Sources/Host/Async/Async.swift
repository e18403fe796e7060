// Room Async.
