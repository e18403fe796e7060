/* An executor whose prepare crashes. */
#include <dome/dome.h>

struct dome_executor {
    char unused;
};

static const dome_descriptor_t *get_descriptor(void) {
    static const dome_descriptor_t descriptor = {
        .struct_size = sizeof(descriptor),
        .id = DOME_TEXT_INIT("org.example.crasher"),
        .version = DOME_TEXT_INIT("1.0.0"),
        .declaration = DOME_TEXT_INIT("{}"),
    };
    return &descriptor;
}

static dome_status_t create(dome_call_t *call, const char *config, size_t size, dome_executor_t **executor) {
    static dome_executor_t instance;
    (void)call;
    (void)config;
    (void)size;
    *executor = &instance;
    return DOME_OK;
}

static void destroy(dome_executor_t *executor) {
    (void)executor;
}

static dome_status_t prepare(dome_executor_t *executor, dome_call_t *call, const char *job, size_t size) {
    (void)executor;
    (void)call;
    (void)job;
    (void)size;
    *(volatile int *)(uintptr_t)16 = 1;
    return DOME_OK;
}

static bool init(dome_host_t *host, const dome_host_api_t *api, const char *directory, size_t size) {
    (void)host;
    (void)api;
    (void)directory;
    (void)size;
    return true;
}

static void deinit(void) {}

static const void *get_factory(const char *id, size_t size) {
    static const dome_executor_api_t api = {
        .struct_size = sizeof(api),
        .get_descriptor = get_descriptor,
        .create = create,
        .destroy = destroy,
        .prepare = prepare,
    };
    return dome_text_equal(id, size, DOME_TEXT(DOME_EXECUTOR)) ? &api : NULL;
}

DOME_EXPORT extern const dome_entry_t dome_plugin_entry;
const dome_entry_t dome_plugin_entry = { DOME_ENTRY_HEADER, init, deinit, get_factory };
