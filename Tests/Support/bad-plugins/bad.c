/*
 * bad.c: an adapter that breaks one rule of the ABI, the one that WHICH names; entry, init, factory and descriptor.
 */
#include "bad.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const dome_host_api_t *host;
dome_host_t *host_self;
const dome_log_api_t *host_log;
const dome_cancel_api_t *host_cancel;
const dome_artifact_api_t *host_artifact;
int calls_so_far;

#define INPUT "\"input_schema\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}}}"
#define OUTPUT "\"output_schema\":{\"type\":\"object\",\"required\":[\"greeting\"],\"properties\":" \
    "{\"greeting\":{\"type\":\"string\"}}}"

static const char *declaration(void) {
    static char huge[2 << 20];
    if (IS(changes_its_mind) && calls_so_far > 0) return "{\"actions\":[]}";
    if (IS(list_declared)) return "[]";
    if (IS(bad_config_schema))
        return "{\"config_schema\":{\"type\":\"strin\"},\"actions\":[{\"name\":\"a\"," INPUT "}]}";
    if (IS(no_actions)) return "{\"actions\":[]}";
    if (IS(no_input_schema)) return "{\"actions\":[{\"name\":\"hello\"}]}";
    if (IS(odd_members)) return "{\"actions\":[{\"name\":\"hello\",\"title\":5," INPUT "}]}";
    if (IS(odd_limits)) return "{\"actions\":[{\"name\":\"hello\"," INPUT ",\"limits\":{\"wall_seconds\":0}}]}";
    if (IS(huge_declaration)) {
        memset(huge, ' ', sizeof(huge) - 1);
        huge[0] = '{';
        huge[sizeof(huge) - 2] = '}';
        return huge;
    }
    return "{\"actions\":[{\"name\":\"hello\"," INPUT "," OUTPUT "}]}";
}

static const dome_descriptor_t *get_descriptor(void) {
    static dome_descriptor_t descriptor;
    const char *text = declaration(), *id = IS(other_id) ? "org.example.other" : "org.example.bad";
    const char *version = IS(not_utf8) ? "1.0.\xff" : "1.0.0";
    descriptor = (dome_descriptor_t){ sizeof(dome_descriptor_t), { id, strlen(id) }, { version, strlen(version) },
                                      { text, strlen(text) } };
    return IS(no_descriptor) ? NULL : &descriptor;
}

static dome_status_t executor_create(dome_call_t *call, const char *config, size_t size, dome_executor_t **executor) {
    static int instance;
    (void)call, (void)config, (void)size;
    *executor = (dome_executor_t *)&instance;
    return DOME_OK;
}

static void executor_destroy(dome_executor_t *executor) { (void)executor; }

static dome_status_t executor_prepare(dome_executor_t *executor, dome_call_t *call, const char *job, size_t size) {
    static char plan[] = "{\"argv\":[\"true\",\"0\"]}";
    (void)executor, (void)job, (void)size;
    if (IS(two_plans)) plan[17]++;
    const char *text = IS(empty_argv) ? "{\"argv\":[]}" : plan;
    return host->reply(call, text, strlen(text)) ? DOME_OK : DOME_INVALID;
}

static bool init(dome_host_t *self, const dome_host_api_t *api, const char *directory, size_t directory_size) {
    (void)directory, (void)directory_size;
    if (IS(init_slow)) usleep(1200000);
    if (IS(init_opens)) (void)!open("/dev/null", O_RDONLY);
    if (IS(init_crashes)) *(volatile int *)NULL = 1;
    if (IS(init_exits)) exit(7);
    if (IS(init_hangs)) for (;;) pause();
    if (IS(needs_this_host) && api->struct_size != sizeof(*api)) abort();
    host = api;
    host_self = self;
    host_log = api->get_extension(self, DOME_TEXT(DOME_EXT_LOG));
    host_cancel = api->get_extension(self, DOME_TEXT(DOME_EXT_CANCEL));
    host_artifact = api->get_extension(self, DOME_TEXT(DOME_EXT_ARTIFACT));
    if (IS(needs_extensions)) host_log->write(self, DOME_LOG_INFO, "here", 4);
    return !IS(init_false);
}

static const dome_adapter_api_t adapter_table = {
    .struct_size = IS(short_table) ? 8 : sizeof(dome_adapter_api_t),
    .get_descriptor = get_descriptor,
    .connect = IS(no_connect) ? NULL : bad_connect,
    .execute = bad_execute,
    .health = bad_health,
    .audit = bad_audit,
    .disconnect = bad_disconnect,
    .get_extension = bad_extension,
};

static const dome_executor_api_t executor_table = {
    .struct_size = sizeof(dome_executor_api_t),
    .get_descriptor = get_descriptor,
    .create = executor_create,
    .destroy = executor_destroy,
    .prepare = executor_prepare,
};

static const void *get_factory(const char *id, size_t size) {
    if (IS(knows_no_kind)) return NULL;
    if (IS(knows_every_kind)) return &adapter_table;
    if ((IS(empty_argv) || IS(two_plans)) && dome_text_equal(id, size, DOME_TEXT(DOME_EXECUTOR))) {
        return &executor_table;
    }
    if (!dome_text_equal(id, size, DOME_TEXT(DOME_ADAPTER))) return NULL;
    if (!IS(fresh_tables)) return &adapter_table;
    dome_adapter_api_t *fresh = malloc(sizeof(*fresh));
    if (fresh != NULL) memcpy(fresh, &adapter_table, sizeof(*fresh));
    return fresh;
}

#define WHOLE_ENTRY { \
    IS(wrong_magic) ? 1 : DOME_ENTRY_MAGIC, IS(newer_major) ? 2 : DOME_ABI_MAJOR, DOME_ABI_MINOR, \
    IS(short_entry) ? 8 : sizeof(dome_entry_t), init, bad_deinit, IS(no_factory_function) ? NULL : get_factory, \
}

#ifdef WITHOUT_ENTRY
const dome_entry_t hidden_entry = WHOLE_ENTRY;
#elif defined(FILLED_AT_RUN_TIME)
DOME_EXPORT extern dome_entry_t dome_plugin_entry;
dome_entry_t dome_plugin_entry = { 0 };
__attribute__((constructor)) static void fill(void) { dome_plugin_entry = (dome_entry_t)WHOLE_ENTRY; }
#else
DOME_EXPORT extern const dome_entry_t dome_plugin_entry;
const dome_entry_t dome_plugin_entry = WHOLE_ENTRY;
#endif

#ifdef MORE_EXPORTS
DOME_EXPORT int one_too_many(void);
int one_too_many(void) { return 1; }
#endif

#ifdef TEXT_RELOCATIONS
__asm__(".text\n.quad dome_plugin_entry\n");
#endif

__attribute__((constructor)) static void construct(void) {
    if (IS(dies_in_constructor)) abort();
}
