#include "host.h"

#include "guard.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define REPLY_LIMIT ((size_t)24 << 20)
#define EXPLANATION_LIMIT 4096

struct habits habits = { .cancel_after_ms = -1 };
struct call_record current_record;

static pthread_t main_thread;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char misuses[8192];
static size_t misuses_size;

static dome_host_t *handle;
static const dome_host_api_t *api;
static atomic_bool is_in_init, is_loaded;
static _Atomic(dome_call_t *) current_call;
static char *reply_store;
static char explanation[EXPLANATION_LIMIT];
static int64_t call_began_us;
static _Atomic int64_t canceled_at_us;

static int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void host_misuse(const char *what) {
    pthread_mutex_lock(&mutex);
    size_t size = strlen(what);
    if (strstr(misuses, what) == NULL && misuses_size + size + 2 <= sizeof(misuses)) {
        memcpy(misuses + misuses_size, what, size);
        misuses_size += size;
        misuses[misuses_size++] = '\n';
        misuses[misuses_size] = '\0';
    }
    pthread_mutex_unlock(&mutex);
}

const char *host_misuses(void) { return misuses; }

static void misuse(const char *function, const char *what) {
    char text[256];
    snprintf(text, sizeof(text), "%s: %s", function, what);
    host_misuse(text);
}

bool host_is_main(const char *function) {
    if (pthread_equal(main_thread, pthread_self())) return true;
    misuse(function, "thread: called on a thread that is not the main one");
    return false;
}

bool host_is_loaded(const char *function) {
    if (is_loaded || is_in_init) return true;
    misuse(function, "state: called before init or after deinit");
    return false;
}

bool host_is_in_call(const char *function) {
    if (current_call != NULL) return true;
    misuse(function, "state: called when no call was under way");
    return false;
}

bool host_is_this_call(const dome_call_t *call, const char *function) {
    if (call != NULL && call == current_call) return true;
    misuse(function, call == NULL ? "state: the call handle is NULL" : "state: the call it was for is over");
    return false;
}

// RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
static bool is_utf8(const unsigned char *at, size_t size) {
    const unsigned char *end = at + size;
    while (at < end) {
        unsigned char lead = *at++;
        if (lead < 0x80) continue;
        size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if (lead < 0xc2 || lead > 0xf4 || (size_t)(end - at) < more) return false;
        if ((lead == 0xe0 && at[0] < 0xa0) || (lead == 0xed && at[0] > 0x9f)) return false;
        if ((lead == 0xf0 && at[0] < 0x90) || (lead == 0xf4 && at[0] > 0x8f)) return false;
        for (; more > 0; more--) {
            if ((*at++ & 0xc0) != 0x80) return false;
        }
    }
    return true;
}

bool host_is_text(const char *function, const char *what, const char *data, size_t size, size_t limit, bool utf8) {
    char text[160];
    const char *wrong = NULL;
    if (data == NULL && size != 0) {
        wrong = "is NULL with a size";
    } else if (size > limit) {
        wrong = "is larger than the host accepts";
    } else if (utf8 && !is_utf8((const unsigned char *)data, size)) {
        wrong = "is not UTF-8";
    }
    if (wrong == NULL) return true;
    snprintf(text, sizeof(text), "text: %s %s", what, wrong);
    misuse(function, text);
    return false;
}

static const void *get_extension(dome_host_t *host, const char *id, size_t id_size) {
    if (host != handle) misuse("get_extension", "state: the host handle is not the one that init got");
    if (!host_is_main("get_extension") || !host_is_loaded("get_extension")) return NULL;
    if (!host_is_text("get_extension", "the id", id, id_size, 256, true) || habits.has_no_extensions) return NULL;
    return extension_find(id, id_size);
}

static bool reply(dome_call_t *call, const char *data, size_t size) {
    if (!host_is_main("reply") || !host_is_in_call("reply") || !host_is_this_call(call, "reply")) return false;
    if (!host_is_text("reply", "the data", data, size, SIZE_MAX / 2, false)) return false;
    if (habits.refuses_replies || size > REPLY_LIMIT - current_record.reply_size) return false;
    if (size > 0) memcpy(reply_store + current_record.reply_size, data, size);
    current_record.reply_size += size;
    return true;
}

static void explain(dome_call_t *call, const char *message, size_t size) {
    if (!host_is_main("explain") || !host_is_in_call("explain") || !host_is_this_call(call, "explain")) return;
    if (!host_is_text("explain", "the message", message, size, 1 << 20, true)) return;
    if (size > sizeof(explanation)) size = sizeof(explanation);
    if (size > 0) memcpy(explanation, message, size);
    current_record.explanation_size = size;
}

bool host_open(const char *config, size_t config_size) {
    main_thread = pthread_self();
    extensions_open(config, config_size);
    // A newer host's table is longer: what comes after the members of today is not for this plugin.
    struct {
        dome_host_api_t api;
        uint64_t later[4];
    } table = {
        .api = {
            .struct_size = habits.is_newer ? sizeof(table) : sizeof(table.api),
            .abi_major = DOME_ABI_MAJOR,
            .abi_minor = habits.is_newer ? DOME_ABI_MINOR + 7 : DOME_ABI_MINOR,
            .name = DOME_TEXT_INIT("dome plugin check"),
            .version = DOME_TEXT_INIT("1.0.0"),
            .get_extension = get_extension,
            .reply = reply,
            .explain = explain,
        },
        .later = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX },
    };
    api = guard_lend(&table, table.api.struct_size, "the host's table (dome_host_api_t)");
    handle = guard_handle("the host handle (dome_host_t)");
    reply_store = mmap(NULL, REPLY_LIMIT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return api != NULL && handle != NULL && reply_store != MAP_FAILED;
}

dome_host_t *host_handle(void) { return handle; }

const dome_host_api_t *host_api(void) { return api; }

void host_loaded(bool in_init, bool loaded) {
    is_in_init = in_init;
    is_loaded = loaded;
}

void host_close(void) {
    host_loaded(false, false);
    guard_end((void *)(uintptr_t)api);
    extensions_close();
}

dome_call_t *host_call_begin(void) {
    current_record = (struct call_record){ .reply = reply_store, .explanation = explanation };
    canceled_at_us = 0;
    call_began_us = now_us();
    dome_call_t *call = guard_handle("the call handle (dome_call_t)");
    current_call = call;
    return call;
}

struct call_record host_call_end(void) {
    dome_call_t *call = current_call;
    extensions_end_call();
    current_call = NULL;
    if (call != NULL) guard_end(call);
    current_record.canceled_for_us = canceled_at_us == 0 ? -1 : now_us() - canceled_at_us;
    return current_record;
}

bool call_is_canceled(void) {
    if (habits.cancel_after_ms < 0 || now_us() - call_began_us < habits.cancel_after_ms * 1000) return false;
    int64_t never = 0;
    atomic_compare_exchange_strong(&canceled_at_us, &never, now_us());
    return true;
}
