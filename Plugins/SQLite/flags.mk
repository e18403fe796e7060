SQLite_CFLAGS := -IPlugins/LocalProcess -IPlugins/common $(shell pkg-config --cflags sqlite3)
SQLite_SOURCES := Plugins/common/decode.c Plugins/LocalProcess/json.c Plugins/LocalProcess/json_check.c \
    Plugins/LocalProcess/text.c
SQLite_LIBS := $(shell pkg-config --libs sqlite3) -lm
