/*
 * SQLite: an adapter with two actions, query (reads) and execute (changes), each one statement on one granted file.
 */
#include <dome/dome.h>

#include <string.h>

#include "decode.h"
#include "query.h"

static dome_host_t *host;
static const dome_host_api_t *host_api;
static const dome_cancel_api_t *cancel_api;

struct dome_adapter {
    char unused;
};

enum { PATH, SQL, PARAMS, MAX_ROWS, IMMUTABLE, MEMBER_COUNT };

static const json_name_t names[MEMBER_COUNT] = {
    { "path", 4 }, { "sql", 3 }, { "params", 6 }, { "max_rows", 8 }, { "immutable", 9 },
};

#define INPUT(more)                                                                                              \
    "\"input_schema\":{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\",\"pattern\":\"^/\"},"   \
    "\"sql\":{\"type\":\"string\",\"minLength\":1},\"params\":{\"type\":[\"array\",\"object\"]},"                \
    "\"max_rows\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":1000000}" more                                \
    "},\"required\":[\"path\",\"sql\"],\"additionalProperties\":false}"
#define OUTPUT "\"output_schema\":{\"type\":\"object\",\"required\":[\"columns\",\"rows\",\"truncated\"]}"

static const dome_descriptor_t *get_descriptor(void) {
    static const dome_descriptor_t descriptor = {
        .struct_size = sizeof(dome_descriptor_t),
        .id = DOME_TEXT_INIT("dome.sqlite"),
        .version = DOME_TEXT_INIT("0.1.0"),
        .declaration = DOME_TEXT_INIT(
            "{\"actions\":[{\"name\":\"query\",\"title\":\"Query a SQLite database\",\"description\":"
            "\"Runs one statement on the database \\\"path\\\", read-only; grant fs.read:PATH. \\\"params\\\" is a "
            "list for ?1, ?2 or an object for :name. Answers {\\\"columns\\\", \\\"rows\\\", \\\"truncated\\\"}: at "
            "most \\\"max_rows\\\" rows (1000 by default) and some 8 MiB; blobs as {\\\"base64\\\"}.\\nA database in "
            "WAL mode needs its folder granted for writing, or \\\"immutable\\\": true if nobody "
            "changes it meanwhile.\","
            INPUT(",\"immutable\":{\"type\":\"boolean\"}") "," OUTPUT
            "},{\"name\":\"execute\",\"title\":\"Change a SQLite database\",\"description\":"
            "\"Runs one statement that may change the database \\\"path\\\", which is made if it is not there; grant "
            "fs.write of its folder. Answers as query does, with \\\"changes\\\" and \\\"last_insert_rowid\\\".\","
            "\"side_effects\":[\"changes the granted database\"]," INPUT("") "," OUTPUT "}]}"),
    };
    return &descriptor;
}

static dome_status_t connect(dome_call_t *call, const char *config, size_t config_size, dome_adapter_t **adapter) {
    static dome_adapter_t connection;
    (void)call;
    (void)config;
    (void)config_size;
    *adapter = &connection;
    return DOME_OK;
}

static dome_status_t explain(dome_call_t *call, dome_status_t status, const char *why) {
    host_api->explain(call, why, strlen(why));
    return status;
}

static bool is_canceled(void *call) {
    return cancel_api != NULL && cancel_api->is_canceled(call);
}

static dome_status_t run(dome_call_t *call, query_t *query) {
    text_t result = { .data = NULL };
    char why[512] = "";
    query_end_t end = query_run(query, &result, why, sizeof why);
    bool is_taken = end == QUERY_DONE && host_api->reply(call, result.data, result.size);
    text_free(&result);
    /* A caller's words, cut anywhere. */
    utf8_mend(why, strlen(why));
    switch (end) {
    case QUERY_DONE: break;
    case QUERY_BUSY: return explain(call, DOME_UNAVAILABLE, why);
    case QUERY_CANCELED: return explain(call, DOME_CANCELED, why);
    default: return explain(call, DOME_INVALID, why);
    }
    return is_taken ? DOME_OK : explain(call, DOME_INVALID, "the result is larger than the host accepts: ask for less");
}

static dome_status_t execute(dome_adapter_t *adapter, dome_call_t *call, const char *action, size_t action_size,
                             const char *payload, size_t payload_size) {
    json_t root, values[MEMBER_COUNT];
    text_t path = { .data = NULL }, sql = { .data = NULL };
    bool is_writing = dome_text_equal(action, action_size, DOME_TEXT("execute"));
    (void)adapter;
    if (!is_writing && !dome_text_equal(action, action_size, DOME_TEXT("query"))) {
        return explain(call, DOME_INVALID, "the actions are query and execute");
    }
    if (!json_parse(payload, payload_size, &root) || json_kind(root) != JSON_OBJECT ||
        !json_members(root, names, values, MEMBER_COUNT)) {
        return explain(call, DOME_INVALID, "the task is no object, or has a member twice");
    }
    if (!text_take(&path, values[PATH]) || !text_take(&sql, values[SQL])) {
        text_free(&path);
        text_free(&sql);
        return explain(call, DOME_INVALID, "\"path\" and \"sql\" must be texts without the character NUL");
    }
    query_t query = {
        .path = path.data,
        .sql = sql.data,
        .parameters = values[PARAMS],
        .row_limit = 1000,
        .is_writing = is_writing,
        .is_immutable = json_kind(values[IMMUTABLE]) == JSON_TRUE,
        .is_canceled = is_canceled,
        .context = call,
    };
    json_integer(values[MAX_ROWS], &query.row_limit);
    cancel_api = host_api->get_extension(host, DOME_TEXT(DOME_EXT_CANCEL));
    dome_status_t status = run(call, &query);
    text_free(&path);
    text_free(&sql);
    return status;
}

static void disconnect(dome_adapter_t *adapter) {
    (void)adapter;
}

static bool init(dome_host_t *its_host, const dome_host_api_t *api, const char *directory, size_t directory_size) {
    (void)directory;
    (void)directory_size;
    host = its_host;
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
