LocalProcess_CFLAGS := $(SHARED_CFLAGS)
LocalProcess_SOURCES := $(JSON_SOURCES)
