/*
 * HTTP: an adapter with three actions. get and request ask a server that the user's configuration allows (libcurl does
 * the talking), check says whether it would. What a caller may do is decided here, of a URL as libcurl reads it and of
 * the address that the connection is really made to.
 */
#include <dome/dome.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "declaration.h"
#include "decode.h"
#include "exchange.h"

/* What lives from init to deinit; `call` is set for each call. */
static job_t job;
static bool is_curl_ready;

struct dome_adapter {
    rules_t rules;
};

static const dome_descriptor_t *get_descriptor(void) {
    static dome_descriptor_t descriptor = {
        .struct_size = sizeof(dome_descriptor_t),
        .id = DOME_TEXT_INIT(HTTP_ID),
        .version = DOME_TEXT_INIT(HTTP_VERSION),
    };
    descriptor.declaration = (dome_text_t){ http_declaration, http_declaration_size };
    return &descriptor;
}

dome_status_t job_fail(const job_t *its_job, dome_status_t status, const char *format, ...) {
    char why[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    /* Some of it may be a server's words. */
    size_t size = strlen(why);
    for (size_t i = 0; i < size; i++) {
        why[i] = why[i] < ' ' || why[i] > '~' ? ' ' : why[i];
    }
    its_job->api->explain(its_job->call, why, size);
    return status;
}

static dome_status_t open_connection(dome_call_t *call, const char *config, size_t config_size,
                                     dome_adapter_t **adapter) {
    char why[512] = "";
    job.call = call;
    if (!is_curl_ready && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return job_fail(&job, DOME_UNAVAILABLE, "libcurl cannot be started");
    }
    is_curl_ready = true;
    dome_adapter_t *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return job_fail(&job, DOME_UNAVAILABLE, "out of memory");
    }
    if (!rules_read(&made->rules, config, config_size, why, sizeof why)) {
        rules_free(&made->rules);
        free(made);
        return job_fail(&job, DOME_INVALID, "%s", why);
    }
    *adapter = made;
    return DOME_OK;
}

static dome_status_t answer(const text_t *result) {
    if (result->failed || !job.api->reply(job.call, result->data, result->size)) {
        return job_fail(&job, DOME_INVALID, "the result is larger than the host accepts: ask for less, or \"save_as\"");
    }
    return DOME_OK;
}

static dome_status_t check(const rules_t *rules, json_t root) {
    static const json_name_t names[] = { { "url", 3 } };
    json_t value = { NULL, NULL };
    text_t url = { .data = NULL }, result = { .data = NULL };
    place_t place = { .url = NULL };
    char why[512] = "";
    if (json_kind(root) != JSON_OBJECT || !json_members(root, names, &value, 1) || !text_take(&url, value)) {
        text_free(&url);
        return job_fail(&job, DOME_INVALID, "\"url\" is to be a text");
    }
    const char *wrong = place_parse(&place, url.data);
    if (wrong == NULL && !exchange_is_allowed(rules, &place, why, sizeof why)) {
        wrong = why;
    }
    text_literal(&result, "{\"allowed\":");
    text_add(&result, wrong == NULL ? "true" : "false", wrong == NULL ? 4 : 5);
    if (wrong != NULL) {
        text_literal(&result, ",\"reason\":");
        text_quote(&result, wrong, strlen(wrong));
    }
    text_literal(&result, "}");
    dome_status_t status = answer(&result);
    place_free(&place);
    text_free(&url);
    text_free(&result);
    return status;
}

static dome_status_t fetch(const rules_t *rules, json_t root, bool is_get) {
    static task_t task;
    text_t result = { .data = NULL };
    char why[512] = "";
    dome_status_t status = task_read(&task, root, is_get, why, sizeof why) ? exchange_run(&job, rules, &task, &result)
                                                                         : job_fail(&job, DOME_INVALID, "%s", why);
    if (status == DOME_OK) {
        status = answer(&result);
    }
    task_free(&task);
    text_free(&result);
    return status;
}

static dome_status_t execute(dome_adapter_t *adapter, dome_call_t *call, const char *action, size_t action_size,
                             const char *payload, size_t payload_size) {
    json_t root;
    job.call = call;
    bool is_get = dome_text_equal(action, action_size, DOME_TEXT("get"));
    bool is_check = dome_text_equal(action, action_size, DOME_TEXT("check"));
    if (!is_get && !is_check && !dome_text_equal(action, action_size, DOME_TEXT("request"))) {
        return job_fail(&job, DOME_INVALID, "the actions are get, request and check");
    }
    if (!json_parse(payload, payload_size, &root)) {
        return job_fail(&job, DOME_INVALID, "the task is no JSON text");
    }
    return is_check ? check(&adapter->rules, root) : fetch(&adapter->rules, root, is_get);
}

static void disconnect(dome_adapter_t *adapter) {
    rules_free(&adapter->rules);
    free(adapter);
}

static bool init(dome_host_t *host, const dome_host_api_t *api, const char *directory, size_t directory_size) {
    (void)directory;
    (void)directory_size;
    job = (job_t){ .host = host, .api = api };
    job.cancel = api->get_extension(host, DOME_TEXT(DOME_EXT_CANCEL));
    job.progress = api->get_extension(host, DOME_TEXT(DOME_EXT_PROGRESS));
    job.secrets = api->get_extension(host, DOME_TEXT(DOME_EXT_SECRETS));
    job.artifact = api->get_extension(host, DOME_TEXT(DOME_EXT_ARTIFACT));
    job.clock = api->get_extension(host, DOME_TEXT(DOME_EXT_CLOCK));
    return true;
}

static void deinit(void) {
    if (is_curl_ready) {
        curl_global_cleanup();
    }
    is_curl_ready = false;
    job = (job_t){ .host = NULL };
}

static const void *get_factory(const char *id, size_t id_size) {
    static const dome_adapter_api_t api = {
        .struct_size = sizeof(dome_adapter_api_t),
        .get_descriptor = get_descriptor,
        .connect = open_connection,
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
