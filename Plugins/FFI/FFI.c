/*
 * FFI: an adapter whose one action calls a C function that nobody wrote glue for. The job's sandbox is what makes that
 * harmless: a wrong signature crashes this process and nothing else.
 */
#include <dome/dome.h>

#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "decode.h"

static const dome_host_api_t *host_api;

enum { LIBRARY, SYMBOL, SIGNATURE, ARGUMENTS, MEMBER_COUNT };

static const json_name_t names[MEMBER_COUNT] = {
    { "library", 7 }, { "symbol", 6 }, { "signature", 9 }, { "arguments", 9 },
};

/* What the tool's manifest has fixed. */
struct dome_adapter {
    text_t fixed[ARGUMENTS];
};

#define TEXT_SCHEMA(limit) "{\"type\":\"string\",\"minLength\":1,\"maxLength\":" limit "}"
#define TARGET_SCHEMA                                                                                            \
    "\"library\":" TEXT_SCHEMA("1024") ",\"symbol\":" TEXT_SCHEMA("256") ",\"signature\":" TEXT_SCHEMA("1024")

static const dome_descriptor_t *get_descriptor(void) {
    static const dome_descriptor_t descriptor = {
        .struct_size = sizeof(dome_descriptor_t),
        .id = DOME_TEXT_INIT("dome.ffi"),
        .version = DOME_TEXT_INIT("0.1.0"),
        .declaration = DOME_TEXT_INIT(
            "{\"actions\":[{\"name\":\"call\",\"title\":\"Call a C function\",\"description\":"
            "\"Calls \\\"symbol\\\" of \\\"library\\\" (as dlopen takes it: libm.so.6) with \\\"arguments\\\". The "
            "\\\"signature\\\" reads like C: double(double), ulong(ulong, bytes, uint). Types: void, bool, char, "
            "short, int, long, uchar, ushort, uint, ulong, size_t, int8 to int64, uint8 to uint64, float, double, "
            "string, bytes (a text's UTF-8), length (of the bytes or string before it; not given). Answers "
            "{\\\"result\\\"}.\\nA signature that is not the function's may crash the job, never anything else.\","
            "\"input_schema\":{\"type\":\"object\",\"properties\":{" TARGET_SCHEMA
            ",\"arguments\":{\"type\":\"array\",\"maxItems\":16}},\"required\":[\"library\",\"symbol\",\"signature\"],"
            "\"additionalProperties\":false},"
            "\"output_schema\":{\"type\":\"object\",\"required\":[\"result\"]},"
            "\"limits\":{\"wall_seconds\":60}}],"
            "\"config_schema\":{\"type\":\"object\",\"properties\":{" TARGET_SCHEMA
            "},\"additionalProperties\":false}}"),
    };
    return &descriptor;
}

static bool read_members(const char *data, size_t size, json_t *root, json_t *values) {
    return json_parse(data, size, root) && json_kind(*root) == JSON_OBJECT &&
           json_members(*root, names, values, MEMBER_COUNT);
}

/* Of a library or a symbol. */
#define LONGEST_NAME 4000

static dome_status_t explain(dome_call_t *call, const char *why) {
    host_api->explain(call, why, strlen(why));
    return DOME_INVALID;
}

static void disconnect(dome_adapter_t *adapter) {
    for (int i = 0; i < ARGUMENTS; i++) {
        text_free(&adapter->fixed[i]);
    }
    free(adapter);
}

static dome_status_t connect(dome_call_t *call, const char *config, size_t config_size, dome_adapter_t **adapter) {
    json_t root, values[MEMBER_COUNT];
    if (!read_members(config, config_size, &root, values)) {
        return explain(call, "the configuration is no object, or has a member twice");
    }
    dome_adapter_t *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return explain(call, "out of memory");
    }
    for (int i = 0; i < ARGUMENTS; i++) {
        /* What is not fixed a caller may name: one that cannot be read must not become such. */
        if (json_kind(values[i]) != JSON_ABSENT && !text_take(&made->fixed[i], values[i])) {
            disconnect(made);
            return explain(call, "configuration: each member must be a text without the character NUL");
        }
    }
    *adapter = made;
    return DOME_OK;
}

/* Calls the function; the texts of `given` and `result` are the caller's to free. */
static dome_status_t carry_out(dome_adapter_t *adapter, dome_call_t *call, const char *payload, size_t payload_size,
                               text_t *given, text_t *result) {
    json_t root, values[MEMBER_COUNT];
    char why[512] = "";
    if (!read_members(payload, payload_size, &root, values)) {
        return explain(call, "the task is no object, or has a member twice");
    }
    const char *parts[ARGUMENTS];
    for (int i = 0; i < ARGUMENTS; i++) {
        bool is_fixed = adapter->fixed[i].size > 0;
        if (is_fixed && json_kind(values[i]) != JSON_ABSENT) {
            return explain(call, "library, symbol and signature are the tool's own: give only arguments");
        }
        if (!is_fixed && !text_take(&given[i], values[i])) {
            return explain(call, "library, symbol and signature must be texts without the character NUL");
        }
        parts[i] = is_fixed ? adapter->fixed[i].data : given[i].data;
    }
    /* The loader itself does not survive a name of any length. */
    if (strlen(parts[LIBRARY]) > LONGEST_NAME || strlen(parts[SYMBOL]) > LONGEST_NAME) {
        return explain(call, "library and symbol have at most 4000 bytes");
    }
    ffi_target_t target = { parts[LIBRARY], parts[SYMBOL], parts[SIGNATURE] };
    if (!ffi_run(&target, values[ARGUMENTS], result, why, sizeof why)) {
        /* A caller's words, or the loader's, cut anywhere. */
        utf8_mend(why, strlen(why));
        return explain(call, why);
    }
    if (result->failed || !host_api->reply(call, result->data, result->size)) {
        return explain(call, "the result is larger than the host accepts");
    }
    return DOME_OK;
}

static dome_status_t execute(dome_adapter_t *adapter, dome_call_t *call, const char *action, size_t action_size,
                             const char *payload, size_t payload_size) {
    text_t given[ARGUMENTS], result;
    memset(given, 0, sizeof given);
    memset(&result, 0, sizeof result);
    if (!dome_text_equal(action, action_size, DOME_TEXT("call"))) {
        return explain(call, "the only action is call");
    }
    dome_status_t status = carry_out(adapter, call, payload, payload_size, given, &result);
    for (int i = 0; i < ARGUMENTS; i++) {
        text_free(&given[i]);
    }
    text_free(&result);
    return status;
}

static bool init(dome_host_t *host, const dome_host_api_t *api, const char *directory, size_t directory_size) {
    (void)host;
    (void)directory;
    (void)directory_size;
    host_api = api;
    return true;
}

static void deinit(void) {
    host_api = NULL;
}

static const void *get_factory(const char *id, size_t id_size) {
    static const dome_adapter_api_t api = {
        .struct_size = sizeof(dome_adapter_api_t),
        .get_descriptor = get_descriptor,
        .connect = connect,
        .execute = execute,
        .disconnect = disconnect,
    };
    return dome_text_equal(id, id_size, DOME_TEXT(DOME_ADAPTER)) ? &api : NULL;
}

DOME_EXPORT extern const dome_entry_t dome_plugin_entry;
const dome_entry_t dome_plugin_entry = {
    DOME_ENTRY_HEADER,
    init,
    deinit,
    get_factory,
};
