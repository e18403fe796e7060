# domed-plugin-probe: what `dome plugin check` tries a plugin out in, from the room CProbe. Dynamic, because it opens
# the plugin, and its malloc is everybody's in the process; so that is the only thing it exports.

PROBE_SOURCES := $(wildcard Sources/Host/CProbe/*.c) Sources/Executables/domed-plugin-probe/main.c
PROBE_HEADERS := $(wildcard Sources/Host/CProbe/*.h)
PROBE_CFLAGS := -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wpedantic -Werror -fno-builtin-malloc -fno-builtin-calloc \
    -ISources/Host/CProbe -ISources/PluginABI/include
PROBE_EXPORTS := malloc free calloc realloc memalign aligned_alloc valloc pvalloc posix_memalign malloc_usable_size

build/probe/domed-plugin-probe: $(PROBE_SOURCES) $(PROBE_HEADERS) $(ABI_HEADERS) ops/probe.mk
	@mkdir -p $(@D)
	@printf '{ %s };\n' "$(PROBE_EXPORTS:=;)" >$(@D)/exports
	$(CC) $(PROBE_CFLAGS) -Wl,--dynamic-list=$(@D)/exports -Wl,-z,relro,-z,now -o $@ $(PROBE_SOURCES) -ldl -lpthread -lm

.PHONY: probe
probe: build/probe/domed-plugin-probe
	@mkdir -p "$(TRIPLE_DIR)/lib/dome"
	@ops/install/replace.sh $< "$(TRIPLE_DIR)/lib/dome/domed-plugin-probe"
