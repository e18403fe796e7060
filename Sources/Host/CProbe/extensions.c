// The host's extensions, all of the ABI's (dome/ext).
#include "host.h"

#include "guard.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define ARTIFACT_LIMIT 16

static char config_store[1 << 16];
static size_t config_size;

static void log_write(dome_host_t *host, dome_log_level_t level, const char *message, size_t size) {
    if (host != host_handle()) host_misuse("log: state: the host handle is not the one that init got");
    if (level < DOME_LOG_DEBUG || level > DOME_LOG_ERROR) host_misuse("log: text: a level that does not exist");
    if (!host_is_loaded("log") || !host_is_text("log", "the message", message, size, SIZE_MAX / 2, true)) return;
    current_record.log_lines++;
}

static bool is_canceled(dome_call_t *call) {
    if (!host_is_in_call("is_canceled") || !host_is_this_call(call, "is_canceled")) return true;
    current_record.cancel_asked++;
    return call_is_canceled();
}

static void progress_report(dome_call_t *call, double value, const char *message, size_t size) {
    if (!host_is_in_call("progress") || !host_is_this_call(call, "progress")) return;
    if (!isfinite(value)) host_misuse("progress: text: the value is not a finite number");
    if (!host_is_text("progress", "the message", message, size, 1 << 20, true)) return;
    current_record.progress_reports++;
}

static struct {
    dome_artifact_t *handle; // NULL: free
    bool is_broken;
} artifacts[ARTIFACT_LIMIT];

static int artifact_index(dome_artifact_t *artifact, const char *function) {
    if (!host_is_main(function) || !host_is_in_call(function)) return -1;
    for (int index = 0; index < ARTIFACT_LIMIT; index++) {
        if (artifact != NULL && artifacts[index].handle == artifact) return index;
    }
    host_misuse("artifact: state: the handle was finished or discarded before, or never was one");
    return -1;
}

static void artifact_release(int index) {
    guard_end(artifacts[index].handle);
    artifacts[index].handle = NULL;
    artifacts[index].is_broken = false;
}

static bool is_plain_path(const char *name, size_t size) {
    size_t start = 0;
    for (size_t at = 0; at <= size; at++) {
        if (at < size && name[at] != '/') {
            if (name[at] == '\0') return false;
            continue;
        }
        size_t length = at - start;
        if (length == 0 || length > 255) return false;
        if (name[start] == '.' && (length == 1 || (length == 2 && name[start + 1] == '.'))) return false;
        start = at + 1;
    }
    return true;
}

static dome_artifact_t *artifact_create(dome_call_t *call, const char *name, size_t size) {
    if (!host_is_main("artifact") || !host_is_in_call("artifact") || !host_is_this_call(call, "artifact")) return NULL;
    if (!host_is_text("artifact", "the name", name, size, 4096, true) || !is_plain_path(name, size)) return NULL;
    for (int index = 0; index < ARTIFACT_LIMIT; index++) {
        if (artifacts[index].handle != NULL) continue;
        artifacts[index].handle = guard_handle("the artifact handle (dome_artifact_t)");
        return artifacts[index].handle;
    }
    return NULL;
}

static int64_t artifact_write(dome_artifact_t *artifact, const void *data, size_t size) {
    int index = artifact_index(artifact, "artifact");
    if (index < 0 || !host_is_text("artifact", "the data", data, size, SIZE_MAX / 2, false)) return -1;
    if (artifacts[index].is_broken) host_misuse("artifact: state: written to after write had said -1");
    if (habits.has_no_room) artifacts[index].is_broken = true;
    if (artifacts[index].is_broken) return -1;
    if (habits.takes_little && size > 1) return 1;
    return size > (1 << 20) ? 1 << 20 : (int64_t)size;
}

static bool artifact_finish(dome_artifact_t *artifact) {
    int index = artifact_index(artifact, "artifact");
    if (index < 0) return false;
    bool is_kept = !artifacts[index].is_broken;
    if (!is_kept) host_misuse("artifact: state: finished after write had said -1");
    artifact_release(index);
    current_record.artifacts_kept += is_kept;
    return is_kept;
}

static void artifact_discard(dome_artifact_t *artifact) {
    int index = artifact_index(artifact, "artifact");
    if (index >= 0) artifact_release(index);
}

static bool secret_get(dome_host_t *host, const char *name, size_t size, const char **data, size_t *data_size) {
    if (host != host_handle()) host_misuse("secrets: state: the host handle is not the one that init got");
    if (!host_is_main("secrets") || !host_is_in_call("secrets")) return false;
    if (!host_is_text("secrets", "the name", name, size, 256, true)) return false;
    if (data == NULL || data_size == NULL) host_misuse("secrets: text: there is no place for the answer");
    return false; // none is set here
}

static bool config_get(dome_host_t *host, const char *pointer, size_t size, const char **data, size_t *data_size) {
    if (host != host_handle()) host_misuse("config: state: the host handle is not the one that init got");
    if (!host_is_main("config") || !host_is_in_call("config")) return false;
    if (!host_is_text("config", "the pointer", pointer, size, 4096, true)) return false;
    if (size > 0 && pointer[0] != '/') host_misuse("config: text: the pointer does not begin with / (RFC 6901)");
    if (data == NULL || data_size == NULL) {
        host_misuse("config: text: there is no place for the answer");
        return false;
    }
    if (size > 0) return false; // only the whole is known here
    *data = config_store;
    *data_size = config_size;
    return true;
}

static int64_t nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t monotonic(dome_host_t *host) {
    (void)host;
    host_is_loaded("clock");
    return nanoseconds(CLOCK_MONOTONIC);
}

static int64_t wall(dome_host_t *host) {
    (void)host;
    host_is_loaded("clock");
    return nanoseconds(CLOCK_REALTIME);
}

static int64_t remaining(dome_call_t *call) {
    if (!host_is_in_call("clock") || !host_is_this_call(call, "clock")) return 0;
    return call_is_canceled() ? 0 : DOME_CLOCK_UNLIMITED;
}

static const dome_log_api_t log_api = { sizeof(log_api), log_write };
static const dome_cancel_api_t cancel_api = { sizeof(cancel_api), is_canceled };
static const dome_progress_api_t progress_api = { sizeof(progress_api), progress_report };
static const dome_artifact_api_t artifact_api = { sizeof(artifact_api), artifact_create, artifact_write,
                                                  artifact_finish, artifact_discard };
static const dome_secrets_api_t secrets_api = { sizeof(secrets_api), secret_get };
static const dome_config_api_t config_api = { sizeof(config_api), config_get };
static const dome_clock_api_t clock_api = { sizeof(clock_api), monotonic, wall, remaining };

static struct {
    const char *id;
    const void *table;
    size_t size;
    const char *name;
    void *lent;
} known[] = {
    { DOME_EXT_LOG, &log_api, sizeof(log_api), "the host's table for " DOME_EXT_LOG, NULL },
    { DOME_EXT_CANCEL, &cancel_api, sizeof(cancel_api), "the host's table for " DOME_EXT_CANCEL, NULL },
    { DOME_EXT_PROGRESS, &progress_api, sizeof(progress_api), "the host's table for " DOME_EXT_PROGRESS, NULL },
    { DOME_EXT_ARTIFACT, &artifact_api, sizeof(artifact_api), "the host's table for " DOME_EXT_ARTIFACT, NULL },
    { DOME_EXT_SECRETS, &secrets_api, sizeof(secrets_api), "the host's table for " DOME_EXT_SECRETS, NULL },
    { DOME_EXT_CONFIG, &config_api, sizeof(config_api), "the host's table for " DOME_EXT_CONFIG, NULL },
    { DOME_EXT_CLOCK, &clock_api, sizeof(clock_api), "the host's table for " DOME_EXT_CLOCK, NULL },
};

#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

const void *extension_find(const char *id, size_t id_size) {
    for (size_t index = 0; index < KNOWN_COUNT; index++) {
        if (dome_text_equal(id, id_size, known[index].id, strlen(known[index].id))) return known[index].lent;
    }
    return NULL;
}

void extensions_open(const char *config, size_t size) {
    for (size_t index = 0; index < KNOWN_COUNT; index++) {
        known[index].lent = guard_lend(known[index].table, known[index].size, known[index].name);
    }
    config_size = size < sizeof(config_store) ? size : 0;
    memcpy(config_store, config, config_size);
}

void extensions_end_call(void) {
    for (int index = 0; index < ARTIFACT_LIMIT; index++) {
        if (artifacts[index].handle != NULL) artifact_release(index);
    }
}

void extensions_close(void) {
    for (size_t index = 0; index < KNOWN_COUNT; index++) guard_end(known[index].lent);
}
