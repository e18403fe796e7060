/*
 * LocalProcess: the executor that runs a job as one process on this machine. It is also the example of its kind:
 * this file is all of the plugin ABI that an executor needs, plan.h the work it does.
 */
#include <dome/dome.h>

#include <stdlib.h>
#include <string.h>

#include "plan.h"

/* Between calls a larger buffer is given back: one huge job must not size the worker for good. */
#define KEPT_CAPACITY ((size_t)256 * 1024)

static const dome_host_api_t *host_api;

struct dome_executor {
    text_t plan;
};

static const dome_descriptor_t *get_descriptor(void) {
    static const dome_descriptor_t descriptor = {
        .struct_size = sizeof(dome_descriptor_t),
        .id = DOME_TEXT_INIT("dome.local-process"),
        .version = DOME_TEXT_INIT("0.1.0"),
        .declaration = DOME_TEXT_INIT("{\"name\":\"Local process\",\"capabilities\":[\"prepare\"]}"),
    };
    return &descriptor;
}

static dome_status_t create(dome_call_t *call, const char *config, size_t config_size, dome_executor_t **executor) {
    (void)config; /* nothing to configure */
    (void)config_size;
    dome_executor_t *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        host_api->explain(call, DOME_TEXT("out of memory"));
        return DOME_UNAVAILABLE;
    }
    *executor = made;
    return DOME_OK;
}

static void destroy(dome_executor_t *executor) {
    text_free(&executor->plan);
    free(executor);
}

static const void *get_extension(dome_executor_t *executor, const char *id, size_t id_size) {
    (void)executor;
    (void)id;
    (void)id_size;
    return NULL;
}

static dome_status_t prepare(dome_executor_t *executor, dome_call_t *call, const char *job, size_t job_size) {
    plan_t plan = { .out = &executor->plan };
    dome_status_t status = plan_make(&plan, job, job_size);
    if (status == DOME_OK) {
        if (!host_api->reply(call, executor->plan.data, executor->plan.size)) {
            host_api->explain(call, DOME_TEXT("the launch plan is larger than the host accepts: shorten the task"));
            status = DOME_INVALID;
        }
    } else if (status == DOME_UNAVAILABLE) {
        host_api->explain(call, DOME_TEXT("out of memory while writing the launch plan"));
    } else {
        host_api->explain(call, plan.why, strlen(plan.why));
    }
    if (executor->plan.capacity > KEPT_CAPACITY) {
        text_free(&executor->plan);
    }
    return status;
}

static bool init(dome_host_t *host, const dome_host_api_t *api, const char *directory, size_t directory_size) {
    (void)directory;
    (void)directory_size;
    (void)host;
    host_api = api;
    return true;
}

static void deinit(void) {
    host_api = NULL;
}

static const void *get_factory(const char *id, size_t id_size) {
    static const dome_executor_api_t api = {
        .struct_size = sizeof(dome_executor_api_t),
        .get_descriptor = get_descriptor,
        .create = create,
        .destroy = destroy,
        .get_extension = get_extension,
        .prepare = prepare,
    };
    return dome_text_equal(id, id_size, DOME_TEXT(DOME_EXECUTOR)) ? &api : NULL;
}

DOME_EXPORT extern const dome_entry_t dome_plugin_entry;
const dome_entry_t dome_plugin_entry = {
    DOME_ENTRY_HEADER,
    init,
    deinit,
    get_factory,
};
