/*
 * An adapter that does what a test wants: macros bend its tables and its start, the action says what a call does.
 */
#include <dome/dome.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef MAGIC
#define MAGIC DOME_ENTRY_MAGIC
#endif
#ifndef MAJOR
#define MAJOR DOME_ABI_MAJOR
#endif
#ifndef ENTRY_SIZE
#define ENTRY_SIZE sizeof(dome_entry_t)
#endif
#ifndef API_SIZE
#define API_SIZE sizeof(dome_adapter_api_t)
#endif
#ifndef SYMBOL
#define SYMBOL dome_plugin_entry
#endif
#ifndef EXECUTE
#define EXECUTE execute
#endif
#ifndef INIT
#define INIT init
#endif
#ifndef IN_INIT
#define IN_INIT
#endif
#ifndef ID
#define ID "org.example.sample"
#endif
#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef MORE
#define MORE ""
#endif
#ifndef DECLARATION
#define ACTION(name) "{\"name\":\"" name "\",\"input_schema\":{\"type\":\"object\"}}"
#define DECLARATION                                                                                              \
    "{\"actions\":[" ACTION("echo") "," ACTION("log") "," ACTION("progress") "," ACTION("artifact") ","          \
    ACTION("secret") "," ACTION("config") "," ACTION("wait") "," ACTION("ignore") "," ACTION("deaf") ","         \
    ACTION("crash") "," ACTION("abort") "," ACTION("exit") "," ACTION("print") "," ACTION("leak") ","            \
    ACTION("fail") "," ACTION("silent") "," ACTION("garbage") "," ACTION("lines") "," ACTION("elsewhere") ","    \
    ACTION("late") "," ACTION("forge") "," ACTION("clock") "," ACTION("read") "," ACTION("flood") ","            \
    ACTION("close") "," ACTION("fork") "," ACTION("hurry") "],"                                                 \
    "\"config_schema\":{\"type\":\"object\",\"properties\":{\"greeting\":{\"type\":\"string\"}}}" MORE "}"
#endif

struct dome_adapter {
    int calls;
};

static dome_host_t *host;
static const dome_host_api_t *api;
static dome_call_t *kept;

static const dome_descriptor_t *get_descriptor(void) {
    static const dome_descriptor_t descriptor = {
        .struct_size = sizeof(descriptor),
        .id = DOME_TEXT_INIT(ID),
        .version = DOME_TEXT_INIT(VERSION),
        .declaration = DOME_TEXT_INIT(DECLARATION),
    };
    return &descriptor;
}

static dome_status_t connect(dome_call_t *call, const char *config, size_t size, dome_adapter_t **adapter) {
    static dome_adapter_t connection;
    (void)call;
    (void)config;
    (void)size;
    *adapter = &connection;
    return DOME_OK;
}

static void *reply_elsewhere(void *call) {
    return api->reply(call, DOME_TEXT("x")) ? call : NULL;
}

static void *reply_late(void *call) {
    usleep(20 * 1000);
    api->reply(call, DOME_TEXT("too late"));
    return NULL;
}

static dome_status_t put_text(dome_call_t *call, const char *text, size_t size) {
    api->reply(call, DOME_TEXT("{\"text\":\""));
    api->reply(call, text, size);
    return api->reply(call, DOME_TEXT("\"}")) ? DOME_OK : DOME_INTERNAL;
}

static dome_status_t use_extensions(dome_call_t *call, const char *action, size_t action_size) {
#define IS(text) dome_text_equal(action, action_size, DOME_TEXT(text))
    if (IS("log")) {
        const dome_log_api_t *log = api->get_extension(host, DOME_TEXT(DOME_EXT_LOG));
        log->write(host, DOME_LOG_WARNING, DOME_TEXT("careful\nnow"));
        return put_text(call, DOME_TEXT("logged"));
    }
    if (IS("progress")) {
        const dome_progress_api_t *progress = api->get_extension(host, DOME_TEXT(DOME_EXT_PROGRESS));
        progress->report(call, 0.25, DOME_TEXT("a quarter"));
        for (int i = 0; i < 1000; i++) {
            progress->report(call, i / 1000.0, DOME_TEXT(""));
        }
        progress->report(call, 1, DOME_TEXT(""));
        return put_text(call, DOME_TEXT("done"));
    }
    if (IS("artifact")) {
        const dome_artifact_api_t *artifacts = api->get_extension(host, DOME_TEXT(DOME_EXT_ARTIFACT));
        dome_artifact_t *whole = artifacts->create(call, DOME_TEXT("pages/1.txt"));
        artifacts->write(whole, "page", 4);
        bool kept_it = artifacts->finish(whole);
        dome_artifact_t *thrown = artifacts->create(call, DOME_TEXT("thrown.txt"));
        artifacts->write(thrown, "x", 1);
        artifacts->discard(thrown);
        dome_artifact_t *forgotten = artifacts->create(call, DOME_TEXT("forgotten.txt"));
        artifacts->write(forgotten, "x", 1);
        bool stale = artifacts->finish(whole) || artifacts->write(thrown, "x", 1) >= 0;
        bool climbs = artifacts->create(call, DOME_TEXT("../escape")) != NULL ||
                      artifacts->create(call, DOME_TEXT("pages/1.txt")) != NULL;
        return put_text(call, kept_it && !stale && !climbs ? "as it should be" : "wrong, all of it", kept_it ? 15 : 16);
    }
    if (IS("secret")) {
        const dome_secrets_api_t *secrets = api->get_extension(host, DOME_TEXT(DOME_EXT_SECRETS));
        const char *data = NULL;
        size_t size = 0;
        if (secrets->get(host, DOME_TEXT("UNDECLARED"), &data, &size)) {
            return put_text(call, DOME_TEXT("undeclared"));
        }
        return secrets->get(host, DOME_TEXT("API_KEY"), &data, &size) ? put_text(call, data, size) : DOME_NOT_FOUND;
    }
    if (IS("config")) {
        const dome_config_api_t *config = api->get_extension(host, DOME_TEXT(DOME_EXT_CONFIG));
        const char *data = "nothing";
        size_t size = 7;
        config->get(host, DOME_TEXT("/greeting"), &data, &size);
        return put_text(call, data, size);
    }
    if (IS("clock")) {
        const dome_clock_api_t *clock = api->get_extension(host, DOME_TEXT(DOME_EXT_CLOCK));
        int64_t rest = clock->remaining_nanoseconds(call);
        bool good = rest > 0 && rest <= INT64_C(600000000000) && clock->wall_nanoseconds(host) > 0 &&
                    clock->monotonic_nanoseconds(host) <= clock->monotonic_nanoseconds(host);
        return put_text(call, good ? "good" : "bad!", 4);
    }
    return DOME_UNSUPPORTED;
}

static dome_status_t misbehave(dome_call_t *call, const char *action, size_t action_size) {
    const dome_cancel_api_t *cancel = NULL;
    if (IS("wait") || IS("ignore") || IS("hurry")) {
        cancel = api->get_extension(host, DOME_TEXT(DOME_EXT_CANCEL));
    }
    if (IS("hurry")) {
        const dome_progress_api_t *progress = api->get_extension(host, DOME_TEXT(DOME_EXT_PROGRESS));
        progress->report(call, 0.25, DOME_TEXT(""));
        progress->report(call, 0.5, DOME_TEXT("and then nothing"));
    }
    if (IS("wait") || IS("hurry")) {
        puts("waiting");
        fflush(stdout);
        while (!cancel->is_canceled(call)) {
            usleep(1000);
        }
        api->explain(call, DOME_TEXT("stopped when asked"));
        puts("noticed");
        fflush(stdout);
        return DOME_CANCELED;
    }
    if (IS("ignore") || IS("deaf")) {
        puts("waiting");
        fflush(stdout);
        for (;;) {
            pause();
        }
    }
    if (IS("crash")) {
        *(volatile int *)(uintptr_t)16 = 1;
    }
    if (IS("abort")) {
        abort();
    }
    if (IS("exit")) {
        exit(0);
    }
    if (IS("print")) {
        puts("\x01 stray output");
        fflush(stdout);
        return put_text(call, DOME_TEXT("printed"));
    }
    if (IS("leak")) {
        for (int i = 0; i < 64; i++) {
            char *lost = malloc(1 << 20);
            if (lost != NULL) {
                memset(lost, 1, 1 << 20);
            }
        }
        return put_text(call, DOME_TEXT("leaked"));
    }
    if (IS("fail")) {
        api->explain(call, DOME_TEXT("the member \"x\" is missing"));
        return DOME_INVALID;
    }
    if (IS("silent")) {
        return DOME_OK;
    }
    if (IS("garbage")) {
        return api->reply(call, DOME_TEXT("{\"half\":")) ? DOME_OK : DOME_INTERNAL;
    }
    if (IS("lines")) {
        return api->reply(call, DOME_TEXT("{\n  \"a\": 1\n}\n")) ? DOME_OK : DOME_INTERNAL;
    }
    if (IS("elsewhere")) {
        pthread_t thread;
        void *result = call;
        pthread_create(&thread, NULL, reply_elsewhere, call);
        pthread_join(thread, &result);
        return put_text(call, result == NULL ? "refused" : "allowed", 7);
    }
    if (IS("late")) {
        pthread_t thread;
        pthread_create(&thread, NULL, reply_late, call);
        pthread_detach(thread);
        kept = call;
        return put_text(call, DOME_TEXT("soon"));
    }
    if (IS("forge")) {
        /* Over the worker's own reports. */
        for (int fd = 3; fd < 64; fd++) {
            ssize_t ignored = write(fd, "\x7f garbage over garbage", 22);
            (void)ignored;
        }
        return put_text(call, DOME_TEXT("forged"));
    }
    if (IS("flood")) {
        const dome_log_api_t *log = api->get_extension(host, DOME_TEXT(DOME_EXT_LOG));
        static char line[1000];
        memset(line, 'x', sizeof line);
        for (int i = 0; i < 20000; i++) {
            log->write(host, DOME_LOG_INFO, line, sizeof line);
        }
        return put_text(call, DOME_TEXT("flooded"));
    }
    if (IS("close")) {
        for (int fd = 0; fd < 64; fd++) {
            close(fd);
        }
        return put_text(call, DOME_TEXT("closed"));
    }
    if (IS("fork")) {
        if (fork() == 0) {
            for (;;) {
                pause();
            }
        }
        return put_text(call, DOME_TEXT("forked"));
    }
    return use_extensions(call, action, action_size);
}

static dome_status_t execute(dome_adapter_t *adapter, dome_call_t *call, const char *action, size_t action_size,
                             const char *payload, size_t payload_size) {
    adapter->calls++;
    if (IS("echo")) {
        return api->reply(call, payload, payload_size) ? DOME_OK : DOME_INTERNAL;
    }
    if (IS("read")) {
        /* {"path":"…"}: whether it can be opened, and whether a socket to the host can be made. */
        char path[512];
        const char *start = strstr(payload, "\"path\":\"");
        size_t size = 0;
        for (start = start != NULL ? start + 8 : ""; start[size] != '"' && size < sizeof path - 1; size++) {
            path[size] = start[size];
        }
        path[size] = 0;
        return put_text(call, access(path, R_OK) == 0 ? "open" : "shut", 4);
    }
    return misbehave(call, action, action_size);
}

#ifdef HEALTH
static dome_status_t health(dome_adapter_t *adapter, dome_call_t *call) {
    (void)adapter;
    HEALTH;
}
#endif

static void disconnect(dome_adapter_t *adapter) {
    (void)adapter;
}

static bool init(dome_host_t *its_host, const dome_host_api_t *its_api, const char *directory, size_t size) {
    (void)directory;
    (void)size;
    host = its_host;
    api = its_api;
    IN_INIT;
    return true;
}

static void deinit(void) {
    if (kept != NULL) {
        usleep(50 * 1000);
    }
}

static const void *get_factory(const char *id, size_t size) {
    static const dome_adapter_api_t table = {
        .struct_size = API_SIZE,
        .get_descriptor = get_descriptor,
        .connect = connect,
        .execute = EXECUTE,
        .disconnect = disconnect,
#ifdef HEALTH
        .health = health,
#endif
    };
    return dome_text_equal(id, size, DOME_TEXT(DOME_ADAPTER)) ? &table : NULL;
}

DOME_EXPORT extern const dome_entry_t SYMBOL;
const dome_entry_t SYMBOL = { MAGIC, MAJOR, DOME_ABI_MINOR, ENTRY_SIZE, INIT, deinit, get_factory };
