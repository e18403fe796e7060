# domed-jail: the inner server, from the room CJail, as a static program (see Sources/Executables/domed-jail).

JAIL_SOURCES := $(wildcard Sources/Host/CJail/*.c) Sources/Executables/domed-jail/main.c
JAIL_HEADERS := $(wildcard Sources/Host/CJail/*.h Sources/Host/CJail/include/*.h)
JAIL_CFLAGS := -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wpedantic -Werror -ISources/Host/CJail/include

build/jail/domed-jail: $(JAIL_SOURCES) $(JAIL_HEADERS) ops/jail.mk
	@mkdir -p $(@D)
	$(CC) $(JAIL_CFLAGS) -static -no-pie -o $@ $(JAIL_SOURCES) -lseccomp

# For tests only (Tests/Security): leaves out the layers that it is told to, see Sources/Host/CJail/weak.h. It stays in
# build/ and is never laid out or installed.
build/jail/domed-jail-weak: $(JAIL_SOURCES) $(JAIL_HEADERS) ops/jail.mk
	@mkdir -p $(@D)
	$(CC) $(JAIL_CFLAGS) -DDOME_JAIL_WEAK -static -no-pie -o $@ $(JAIL_SOURCES) -lseccomp

.PHONY: jail jail-weak
jail-weak: build/jail/domed-jail-weak
jail: build/jail/domed-jail
	@mkdir -p "$(TRIPLE_DIR)/lib/dome"
	@ops/install/replace.sh $< "$(TRIPLE_DIR)/lib/dome/domed-jail"
