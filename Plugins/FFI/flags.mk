FFI_CFLAGS := $(SHARED_CFLAGS) $(shell pkg-config --cflags libffi)
FFI_SOURCES := $(SHARED_SOURCES)
FFI_LIBS := $(shell pkg-config --libs libffi) -ldl -lm
