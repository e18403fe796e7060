HTTP_CFLAGS := $(SHARED_CFLAGS) $(shell pkg-config --cflags libcurl)
HTTP_SOURCES := $(SHARED_SOURCES)
HTTP_LIBS := $(shell pkg-config --libs libcurl) -lm
