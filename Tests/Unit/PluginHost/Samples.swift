/// C sources of plugins that misbehave on demand.
enum Samples {
    /// A whole executor. Macros bend its tables; the job's text tells `prepare` what to do.
    static let plugin = #"""
        #include <dome/dome.h>
        #include <pthread.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>

        #ifndef MAGIC
        #define MAGIC DOME_ENTRY_MAGIC
        #endif
        #ifndef MAJOR
        #define MAJOR DOME_ABI_MAJOR
        #endif
        #ifndef MINOR
        #define MINOR DOME_ABI_MINOR
        #endif
        #ifndef ENTRY_SIZE
        #define ENTRY_SIZE sizeof(dome_entry_t)
        #endif
        #ifndef API_SIZE
        #define API_SIZE sizeof(dome_executor_api_t)
        #endif
        #ifndef INIT
        #define INIT init
        #endif
        #ifndef INIT_RESULT
        #define INIT_RESULT true
        #endif
        #ifndef KIND
        #define KIND DOME_EXECUTOR
        #endif
        #ifndef ID
        #define ID DOME_TEXT_INIT("org.example.sample")
        #endif
        #ifndef CREATE_RESULT
        #define CREATE_RESULT DOME_OK
        #endif
        #ifndef SYMBOL
        #define SYMBOL dome_plugin_entry
        #endif

        struct dome_executor { int unused; };
        static dome_executor_t instance;
        static dome_host_t *host;
        static const dome_host_api_t *api;
        static dome_call_t *kept;

        static const dome_descriptor_t *get_descriptor(void) {
            static const dome_descriptor_t descriptor = {
                .struct_size = sizeof(descriptor), .id = ID, .version = DOME_TEXT_INIT("1.0.0"),
                .declaration = DOME_TEXT_INIT("{}"),
            };
            return &descriptor;
        }
        static dome_status_t create(dome_call_t *call, const char *config, size_t size, dome_executor_t **executor) {
            (void)config; (void)size;
            api->explain(call, DOME_TEXT("the sample will not"));
            *executor = &instance;
            return CREATE_RESULT;
        }
        static void destroy(dome_executor_t *executor) { (void)executor; }
        static const void *get_extension(dome_executor_t *executor, const char *id, size_t size) {
            (void)executor; (void)id; (void)size;
            return NULL;
        }
        static void *reply_elsewhere(void *call) {
            return api->reply(call, DOME_TEXT("x")) ? call : NULL;
        }
        static void *ask_elsewhere(void *call) {
            const dome_cancel_api_t *cancel = *(const dome_cancel_api_t **)call;
            return cancel->is_canceled(((dome_call_t **)call)[1]) ? call : NULL;
        }
        static dome_status_t prepare(dome_executor_t *executor, dome_call_t *call, const char *job, size_t size) {
            (void)executor;
            #define IS(text) dome_text_equal(job, size, DOME_TEXT(text))
            if (IS("late")) {
                bool taken = kept != NULL && kept != call && api->reply(kept, DOME_TEXT("late"));
                kept = call;
                return api->reply(call, taken ? "taken" : "open!", 5) ? DOME_OK : DOME_INTERNAL;
            }
            if (IS("elsewhere")) {
                pthread_t thread;
                void *result = call;
                pthread_create(&thread, NULL, reply_elsewhere, call);
                pthread_join(thread, &result);
                return api->reply(call, DOME_TEXT("no")) && result == NULL ? DOME_OK : DOME_INTERNAL;
            }
            if (IS("huge")) return api->reply(call, job, SIZE_MAX) ? DOME_OK : DOME_DENIED;
            if (IS("null")) return api->reply(call, NULL, 7) ? DOME_OK : DOME_NOT_FOUND;
            if (IS("nothing")) return DOME_OK;
            if (IS("silent")) return DOME_UNAVAILABLE;
            if (IS("strange")) return 4711;
            if (IS("explained")) {
                api->explain(call, DOME_TEXT("first"));
                api->explain(call, DOME_TEXT("the member \"x\" is missing"));
                return DOME_INVALID;
            }
            if (IS("garbled")) { api->explain(call, DOME_TEXT("\xff\xfe")); return DOME_INVALID; }
            if (IS("extension")) {
                bool ok = api->get_extension(host, DOME_TEXT("org.example.none/1")) == NULL &&
                          api->get_extension(host, DOME_TEXT(DOME_EXT_LOG)) != NULL;
                return api->reply(call, ok ? "ok" : "??", 2) ? DOME_OK : DOME_INTERNAL;
            }
            if (IS("canceled")) {
                const dome_cancel_api_t *cancel = api->get_extension(host, DOME_TEXT(DOME_EXT_CANCEL));
                while (!cancel->is_canceled(call)) { }
                api->explain(call, DOME_TEXT("stopped"));
                return DOME_CANCELED;
            }
            if (IS("asks elsewhere")) {
                const void *pair[2] = { api->get_extension(host, DOME_TEXT(DOME_EXT_CANCEL)), call };
                pthread_t thread;
                void *result = NULL;
                pthread_create(&thread, NULL, ask_elsewhere, pair);
                pthread_join(thread, &result);
                return api->reply(call, result != NULL ? "yes" : "no!", 3) ? DOME_OK : DOME_INTERNAL;
            }
            if (IS("prints")) { puts("\x03 stray output"); fflush(stdout); }
            if (IS("crashes")) abort();
            api->reply(call, DOME_TEXT("{\"argv\":["));
            return api->reply(call, DOME_TEXT("\"/bin/true\"]}")) ? DOME_OK : DOME_INTERNAL;
        }
        static bool init(dome_host_t *its_host, const dome_host_api_t *its_api, const char *directory, size_t size) {
            (void)directory; (void)size;
            host = its_host;
            api = its_api;
            const dome_log_api_t *log = api->get_extension(host, DOME_TEXT(DOME_EXT_LOG));
            if (log == NULL || api->struct_size < sizeof(*api)) return false;
            return INIT_RESULT;
        }
        static void deinit(void) { kept = NULL; }
        static const void *get_factory(const char *id, size_t size) {
            static const dome_executor_api_t table = {
                API_SIZE, get_descriptor, create, destroy, get_extension, prepare,
            };
            return dome_text_equal(id, size, DOME_TEXT(KIND)) ? &table : NULL;
        }
        DOME_EXPORT extern const dome_entry_t SYMBOL;
        const dome_entry_t SYMBOL = { MAGIC, MAJOR, MINOR, ENTRY_SIZE, INIT, deinit, get_factory };
        """#
}
