# Plugins: each folder Plugins/<Name> with a plugin.json becomes lib/dome/plugins/<Name>/{plugin.json,lib<Name>.so}.
#
# C plugins are compiled here and not by SwiftPM: even a pure C dynamic product of SwiftPM needs
# libswiftCore at run time, and a plugin must load where no Swift is installed. A plugin that needs
# libraries says so in Plugins/<Name>/flags.mk:  <Name>_CFLAGS := …   <Name>_LIBS := …   and whether it uses what
# plugins share:  <Name>_SOURCES := $(SHARED_SOURCES)

PLUGIN_NAMES := $(sort $(notdir $(patsubst %/,%,$(dir $(wildcard Plugins/*/plugin.json)))))
PLUGIN_DIR = $(TRIPLE_DIR)/lib/dome/plugins
PLUGIN_CFLAGS := -std=c11 -O2 -fPIC -fvisibility=hidden -Wall -Wextra -Wpedantic -Werror -ISources/PluginABI/include
ABI_HEADERS := $(wildcard Sources/PluginABI/include/dome/*.h Sources/PluginABI/include/dome/*/*.h)

# Reading and writing JSON.
SHARED_CFLAGS := -IPlugins/common
JSON_SOURCES := $(addprefix Plugins/common/,json.c json_check.c text.c)
SHARED_SOURCES := $(JSON_SOURCES) $(addprefix Plugins/common/,decode.c base64.c)

-include $(wildcard Plugins/*/flags.mk)

# $(call plugin,<Name>)
define plugin
build/plugins/$(1)/lib$(1).so: $(wildcard Plugins/$(1)/*.c Plugins/$(1)/*.h Plugins/$(1)/flags.mk Plugins/common/*) $(ABI_HEADERS) \
    $($(1)_SOURCES)
	@mkdir -p $$(@D)
	$$(CC) $$(PLUGIN_CFLAGS) $$($(1)_CFLAGS) -shared -Wl,-z,defs -Wl,-z,relro,-z,now \
	    -o $$@ $$(wildcard Plugins/$(1)/*.c) $$($(1)_SOURCES) $$($(1)_LIBS)

.PHONY: plugin-$(1)
plugin-$(1): $(if $(wildcard Plugins/$(1)/*.c),build/plugins/$(1)/lib$(1).so)
	@mkdir -p "$$(PLUGIN_DIR)/$(1)"
	@ops/install/replace.sh $(if $(wildcard Plugins/$(1)/*.c),build/plugins/$(1),$$(BIN))/lib$(1).so \
	    "$$(PLUGIN_DIR)/$(1)/lib$(1).so"
	@ops/install/replace.sh Plugins/$(1)/plugin.json "$$(PLUGIN_DIR)/$(1)/plugin.json"
endef
$(foreach name,$(PLUGIN_NAMES),$(eval $(call plugin,$(name))))

.PHONY: plugins
plugins: $(addprefix plugin-,$(PLUGIN_NAMES))
