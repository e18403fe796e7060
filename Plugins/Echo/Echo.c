/*
 * Echo: the smallest adapter. One action, `say`, whose result is its payload. Copy this folder to begin a plugin.
 */
#include <dome/dome.h>

static const dome_host_api_t *host_api;

/* A connection. This one holds nothing; yours may hold a socket, a database, a parsed configuration. */
struct dome_adapter {
    char unused;
};

static const dome_descriptor_t *get_descriptor(void) {
    static const dome_descriptor_t descriptor = {
        .struct_size = sizeof(dome_descriptor_t),
        .id = DOME_TEXT_INIT("dome.echo"), /* as in plugin.json */
        .version = DOME_TEXT_INIT("0.1.0"),
        .declaration = DOME_TEXT_INIT(
            "{\"actions\":[{"
            "\"name\":\"say\","
            "\"title\":\"Say it back\","
            "\"description\":\"Answers with its task, as it is: any JSON object.\","
            "\"input_schema\":{\"type\":\"object\"},"
            "\"output_schema\":{\"type\":\"object\"}"
            "}]}"),
    };
    return &descriptor;
}

static dome_status_t connect(dome_call_t *call, const char *config, size_t config_size, dome_adapter_t **adapter) {
    static dome_adapter_t connection;
    (void)call;
    (void)config; /* {}: the declaration has no config_schema */
    (void)config_size;
    *adapter = &connection;
    return DOME_OK;
}

static dome_status_t execute(dome_adapter_t *adapter, dome_call_t *call, const char *action, size_t action_size,
                             const char *payload, size_t payload_size) {
    (void)adapter;
    if (!dome_text_equal(action, action_size, DOME_TEXT("say"))) {
        host_api->explain(call, DOME_TEXT("the only action is say"));
        return DOME_INVALID;
    }
    if (!host_api->reply(call, payload, payload_size)) {
        host_api->explain(call, DOME_TEXT("the answer is larger than the host accepts: say less"));
        return DOME_INVALID;
    }
    return DOME_OK;
}

static void disconnect(dome_adapter_t *adapter) {
    (void)adapter; /* nothing to free */
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
