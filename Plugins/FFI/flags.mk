FFI_CFLAGS := -IPlugins/LocalProcess -IPlugins/common $(shell pkg-config --cflags libffi)
FFI_SOURCES := Plugins/common/decode.c Plugins/LocalProcess/json.c Plugins/LocalProcess/json_check.c \
    Plugins/LocalProcess/text.c
FFI_LIBS := $(shell pkg-config --libs libffi) -ldl -lm
