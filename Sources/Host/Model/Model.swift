// Room Model.
