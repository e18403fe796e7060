/*
 * entry.c: the tables, which must be constants of the library, and the declaration. The functions are in Plugin.swift.
 */
#include "abi.h"

const dome_descriptor_t *plugin_descriptor(void) {
    static const dome_descriptor_t descriptor = {
        .struct_size = sizeof(dome_descriptor_t),
        .id = DOME_TEXT_INIT("@ID@"),
        .version = DOME_TEXT_INIT("0.1.0"),
        .declaration = DOME_TEXT_INIT(
            "{\"actions\": ["
            "{\"name\": \"hello\", \"title\": \"Hello\", \"description\": \"Greets somebody.\","
            " \"input_schema\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\":"
            " {\"name\": {\"type\": \"string\", \"maxLength\": 200}}},"
            " \"output_schema\": {\"type\": \"object\", \"required\": [\"greeting\"], \"properties\":"
            " {\"greeting\": {\"type\": \"string\"}}}},"
            "{\"name\": \"count\", \"title\": \"Count\", \"description\": \"Counts, and shows how far it is.\","
            " \"input_schema\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\":"
            " {\"to\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 1000},"
            " \"milliseconds\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 10000}}},"
            " \"output_schema\": {\"type\": \"object\", \"required\": [\"counted\"], \"properties\":"
            " {\"counted\": {\"type\": \"integer\"}}}}"
            "]}"),
    };
    return &descriptor;
}

static const void *get_factory(const char *id, size_t id_size) {
    static const dome_adapter_api_t api = {
        .struct_size = sizeof(dome_adapter_api_t),
        .get_descriptor = plugin_descriptor,
        .connect = plugin_connect,
        .execute = plugin_execute,
        .disconnect = plugin_disconnect,
    };
    return dome_text_equal(id, id_size, DOME_TEXT(DOME_ADAPTER)) ? &api : NULL;
}

DOME_EXPORT extern const dome_entry_t dome_plugin_entry;
const dome_entry_t dome_plugin_entry = {
    DOME_ENTRY_HEADER,
    plugin_init,
    plugin_deinit,
    get_factory,
};
