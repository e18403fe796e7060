/*
 * @NAME@: a dome plugin with two tools, @NAME@.hello and @NAME@.count.
 *
 * `make` builds it, `dome plugin check .` tries it out, `dome plugin install .` makes its tools known.
 * dome/adapter.h explains every function; begin with get_descriptor, which says what there is, and execute.
 */
#include <dome/dome.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "json.h"

/* What the host gave to init; it lives until deinit. */
static const dome_host_api_t *host;
static const dome_cancel_api_t *cancel;
static const dome_progress_api_t *progress;

/* A connection: one is made for each job. */
struct dome_adapter {
    uint32_t calls;
};

static const dome_descriptor_t *get_descriptor(void) {
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

/* Fails a call with a reason that people read. */
static dome_status_t refuse(dome_call_t *call, dome_status_t status, const char *reason) {
    host->explain(call, reason, strlen(reason));
    return status;
}

static dome_status_t say(dome_call_t *call, const char *data, size_t size) {
    return host->reply(call, data, size) ? DOME_OK : refuse(call, DOME_UNAVAILABLE, "the host takes no reply");
}

static dome_status_t hello(dome_call_t *call, const char *payload, size_t payload_size) {
    json_t member;
    const char *name = "world";
    size_t name_size = strlen(name);
    if (!json_member(payload, payload_size, "name", &member)) {
        return refuse(call, DOME_INVALID, "the payload is no object");
    }
    if (member.at != NULL && !json_spelling(member, &name, &name_size)) {
        return refuse(call, DOME_INVALID, "\"name\" is no text");
    }
    dome_status_t status = say(call, DOME_TEXT("{\"greeting\":\"Hello, "));
    if (status == DOME_OK) {
        status = say(call, name, name_size);
    }
    return status == DOME_OK ? say(call, DOME_TEXT("!\"}")) : status;
}

/* Sleeps, and looks each millisecond whether the job was canceled. */
static bool is_canceled_within(dome_call_t *call, uint32_t milliseconds) {
    for (uint32_t passed = 0; passed <= milliseconds; passed++) {
        if (cancel != NULL && cancel->is_canceled(call)) {
            return true;
        }
        if (passed < milliseconds) {
            nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        }
    }
    return false;
}

static dome_status_t count(dome_call_t *call, const char *payload, size_t payload_size) {
    json_t to, pause;
    uint32_t limit = 3, milliseconds = 100;
    if (!json_member(payload, payload_size, "to", &to) ||
        !json_member(payload, payload_size, "milliseconds", &pause)) {
        return refuse(call, DOME_INVALID, "the payload is no object");
    }
    if ((to.at != NULL && !json_whole(to, &limit)) || (pause.at != NULL && !json_whole(pause, &milliseconds)) ||
        limit > 1000 || milliseconds > 10000) {
        return refuse(call, DOME_INVALID, "\"to\" goes up to 1000, \"milliseconds\" up to 10000");
    }
    for (uint32_t number = 1; number <= limit; number++) {
        if (is_canceled_within(call, milliseconds)) {
            return refuse(call, DOME_CANCELED, "canceled while counting");
        }
        if (progress != NULL) {
            progress->report(call, (double)number / limit, DOME_TEXT("counting"));
        }
    }
    char text[64];
    int size = snprintf(text, sizeof(text), "{\"counted\":%u}", (unsigned)limit);
    return say(call, text, (size_t)size);
}

static dome_status_t connect(dome_call_t *call, const char *config, size_t config_size, dome_adapter_t **adapter) {
    (void)config; /* nothing to configure */
    (void)config_size;
    dome_adapter_t *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return refuse(call, DOME_UNAVAILABLE, "out of memory");
    }
    *adapter = made;
    return DOME_OK;
}

static void disconnect(dome_adapter_t *adapter) {
    free(adapter);
}

static dome_status_t execute(dome_adapter_t *adapter, dome_call_t *call, const char *action, size_t action_size,
                             const char *payload, size_t payload_size) {
    adapter->calls++;
    if (dome_text_equal(action, action_size, DOME_TEXT("hello"))) {
        return hello(call, payload, payload_size);
    }
    if (dome_text_equal(action, action_size, DOME_TEXT("count"))) {
        return count(call, payload, payload_size);
    }
    return refuse(call, DOME_INVALID, "there is no such action; known are hello and count");
}

static bool init(dome_host_t *self, const dome_host_api_t *api, const char *directory, size_t directory_size) {
    (void)directory;
    (void)directory_size;
    host = api;
    /* An extension that the host does not have is NULL: then do without. */
    cancel = (const dome_cancel_api_t *)api->get_extension(self, DOME_TEXT(DOME_EXT_CANCEL));
    progress = (const dome_progress_api_t *)api->get_extension(self, DOME_TEXT(DOME_EXT_PROGRESS));
    return true;
}

static void deinit(void) {
    host = NULL;
}

static const void *get_factory(const char *id, size_t id_size) {
    static const dome_adapter_api_t api = {
        .struct_size = sizeof(dome_adapter_api_t),
        .get_descriptor = get_descriptor,
        .connect = connect,
        .execute = execute,
        .health = NULL,
        .audit = NULL,
        .disconnect = disconnect,
        .get_extension = NULL,
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
