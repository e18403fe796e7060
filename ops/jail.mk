# domed-jail: the inner server, from the room CJail, as a static program (see Sources/Executables/domed-jail).

JAIL_SOURCES := $(wildcard Sources/Host/CJail/*.c) Sources/Executables/domed-jail/main.c
JAIL_HEADERS := $(wildcard Sources/Host/CJail/*.h Sources/Host/CJail/include/*.h)
JAIL_CFLAGS := -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wpedantic -Werror -ISources/Host/CJail/include

build/jail/domed-jail: $(JAIL_SOURCES) $(JAIL_HEADERS) ops/jail.mk
	@mkdir -p $(@D)
	$(CC) $(JAIL_CFLAGS) -static -no-pie -o $@ $(JAIL_SOURCES) -lseccomp

.PHONY: jail
jail: build/jail/domed-jail
	@mkdir -p "$(TRIPLE_DIR)/lib/dome"
	@ops/install/replace.sh $< "$(TRIPLE_DIR)/lib/dome/domed-jail"
