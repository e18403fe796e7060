# The headers: where pkg-config knows them, else beside the dome that is in PATH.
DOME ?= dome
DOME_PKGCONFIG := $(dir $(realpath $(shell command -v $(DOME))))../lib/pkgconfig
DOME_CFLAGS := $(shell PKG_CONFIG_PATH="$$PKG_CONFIG_PATH:$(DOME_PKGCONFIG)" pkg-config --cflags dome-plugin)
