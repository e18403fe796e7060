SQLite_CFLAGS := $(SHARED_CFLAGS) $(shell pkg-config --cflags sqlite3)
SQLite_SOURCES := $(SHARED_SOURCES)
SQLite_LIBS := $(shell pkg-config --libs sqlite3) -lm
