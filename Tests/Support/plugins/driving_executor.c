/*
 * An executor that drives jobs elsewhere: in a folder that its configuration names, where the test plays the cluster.
 *
 *   <folder>/<job_id>/            made by start; the handle is the job's id
 *   <folder>/<job_id>/starts      a byte for each start that was asked for it
 *   <folder>/<job_id>/calls       a letter for each other call: p poll, c cancel, f cancel by force, r recover
 *   <folder>/<job_id>/out         what the job has printed so far; the cursor is how much of it was told
 *   <folder>/<job_id>/state       the state; "queued" while there is no such file. After a newline: more members
 *   <folder>/<job_id>/answer      the whole answer to poll, word for word, instead
 *   <folder>/<job_id>/endless      70,000 bytes more with each poll, and never an end
 *   <folder>/<job_id>/status      what poll, cancel and recover return instead of answering
 *   <folder>/<job_id>/says        poll writes it to stderr, once: the file is taken away
 *   <folder>/<job_id>/forge       poll says over its worker's link that it crashed, at length, and exits
 *   <folder>/<job_id>/fault       poll crashes ("crash") or never returns ("hang"), once: the file is taken away
 *   <folder>/start                the whole answer to start, word for word; empty: it returns DOME_INVALID
 *   <folder>/start-fault          as fault, for start: after it has started the job
 *
 * What its jobs leave: driving_artifacts.h.
 */
#define _GNU_SOURCE
#include <dome/dome.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MORE_LATER
#define MORE_LATER 20
#endif
#ifndef FIRST_STATE
#define FIRST_STATE "queued"
#endif
#ifndef DRIVE_SIZE
#define DRIVE_SIZE sizeof(dome_executor_drive_api_t)
#endif
#ifndef RECOVER
#define RECOVER take_up
#endif

struct dome_executor {
    char folder[512];
};

static dome_host_t *host;
static const dome_host_api_t *api;
static char text[3 << 20];

static const dome_descriptor_t *get_descriptor(void) {
    static const dome_descriptor_t descriptor = {
        .struct_size = sizeof(descriptor),
        .id = DOME_TEXT_INIT("org.example.cluster"),
        .version = DOME_TEXT_INIT("1.0.0"),
        .declaration = DOME_TEXT_INIT("{}"),
    };
    return &descriptor;
}

static dome_status_t create(dome_call_t *call, const char *config, size_t size, dome_executor_t **executor) {
    static dome_executor_t instance;
    static const char key[] = "\"folder\":\"";
    const char *at = memmem(config, size, key, sizeof key - 1);
    size_t rest = at != NULL ? size - (size_t)(at - config) - sizeof key + 1 : 0;
    const char *end = at != NULL ? memchr(at + sizeof key - 1, '"', rest) : NULL;
    if (end == NULL || (size_t)(end - at) >= sizeof instance.folder) {
        api->explain(call, DOME_TEXT("the member \"folder\" is missing"));
        return DOME_INVALID;
    }
    at += sizeof key - 1;
    memcpy(instance.folder, at, (size_t)(end - at));
    instance.folder[end - at] = 0;
    *executor = &instance;
    return DOME_OK;
}

static void destroy(dome_executor_t *executor) {
    (void)executor;
}

/* The bytes of <folder>/<name>[/<file>], at most `limit`; -1 if there is no such file. */
static ssize_t read_file(dome_executor_t *executor, const char *name, const char *file, char *bytes, size_t limit,
                         off_t from) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s%s%s", executor->folder, name, *file ? "/" : "", file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    ssize_t count = pread(fd, bytes, limit - 1, from);
    close(fd);
    bytes[count > 0 ? count : 0] = 0;
    return count;
}

static void note(dome_executor_t *executor, const char *name, const char *file, char letter) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s", executor->folder, name, file);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd >= 0) {
        ssize_t ignored = write(fd, &letter, 1);
        (void)ignored;
        close(fd);
    }
}

static void speak_if_told(dome_executor_t *executor, const char *name) {
    char path[1024];
    ssize_t count = read_file(executor, name, "says", text, sizeof text, 0);
    for (ssize_t at = 0, written = 1; at < count && written > 0; at += written) {
        written = write(2, text + at, (size_t)(count - at));
    }
    snprintf(path, sizeof path, "%s/%s/says", executor->folder, name);
    if (count >= 0) {
        unlink(path);
    }
}

static void forge_if_told(dome_executor_t *executor, const char *name) {
    static char report[50000];
    char path[1024];
    if (read_file(executor, name, "forge", report, 16, 0) < 0) {
        return;
    }
    snprintf(path, sizeof path, "%s/%s/forge", executor->folder, name);
    unlink(path);
    memset(report, 'y', sizeof report);
    memset(report, 0, 9);
    report[0] = 6;
    for (int fd = 3; fd < 64; fd++) {
        ssize_t ignored = send(fd, report, sizeof report, MSG_NOSIGNAL);
        (void)ignored;
    }
    _exit(1);
}

static void fail_if_told(dome_executor_t *executor, const char *name, const char *file) {
    char word[16];
    char path[1024];
    if (read_file(executor, name, file, word, sizeof word, 0) < 0) {
        return;
    }
    snprintf(path, sizeof path, "%s/%s%s%s", executor->folder, name, *file ? "/" : "", file);
    unlink(path);
    if (strncmp(word, "crash", 5) == 0) {
        *(volatile int *)(uintptr_t)16 = 1;
    }
    for (;;) {
        pause();
    }
}

/* Copies `data`, foreign or not, to be a name and a C string. */
static const char *name_of(char *name, size_t limit, const char *data, size_t size) {
    size = size < limit - 1 ? size : limit - 1;
    memcpy(name, data, size);
    name[size] = 0;
    return name;
}

static dome_status_t answer_file(dome_call_t *call, ssize_t count) {
    return api->reply(call, text, (size_t)(count > 0 ? count : 0)) ? DOME_OK : DOME_INTERNAL;
}

static dome_status_t start(dome_executor_t *executor, dome_call_t *call, const char *job, size_t size) {
    static const char key[] = "\"job_id\":\"";
    char path[1024];
    char id[64];
    const char *at = memmem(job, size, key, sizeof key - 1);
    if (at == NULL) {
        return DOME_INVALID;
    }
    at += sizeof key - 1;
    name_of(id, sizeof id, at, strcspn(at, "\""));
    ssize_t count = read_file(executor, "start", "", text, sizeof text, 0);
    if (count == 0) {
        api->explain(call, DOME_TEXT("no such queue"));
        return DOME_INVALID;
    }
    snprintf(path, sizeof path, "%s/%s", executor->folder, id);
    mkdir(path, 0777);
    chmod(path, 0777);
    note(executor, id, "starts", 's');
    fail_if_told(executor, "start-fault", "");
    if (count > 0) {
        return answer_file(call, count);
    }
#ifdef FORGETFUL
    int length = snprintf(text, sizeof text, "{\"handle\": \"%s-%d\"}", id, rand());
#else
    int length = snprintf(text, sizeof text, "{\"handle\": \"%s\"}", id);
#endif
    return api->reply(call, text, (size_t)length) ? DOME_OK : DOME_INTERNAL;
}

/* Whether the call returns something else than DOME_OK. */
static bool is_refused(dome_executor_t *executor, dome_call_t *call, const char *id, dome_status_t *status) {
    char word[16];
    char path[1024];
    if (read_file(executor, id, "status", word, sizeof word, 0) >= 0) {
        *status = atoi(word);
        api->explain(call, DOME_TEXT("as the test says"));
        return *status != DOME_OK;
    }
    snprintf(path, sizeof path, "%s/%s", executor->folder, id);
    *status = DOME_NOT_FOUND;
#ifdef KNOWS_ALL
    return false;
#endif
    return id[0] == 0 || strchr(id, '/') != NULL || access(path, F_OK) != 0;
}

/* Replies with `bytes` as the inside of a JSON string. */
static void reply_escaped(dome_call_t *call, const char *bytes, size_t size) {
    char escape[8];
    size_t start = 0;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && (unsigned char)bytes[i] >= 0x20 && bytes[i] != '"' && bytes[i] != '\\') {
            continue;
        }
        api->reply(call, bytes + start, i - start);
        if (i < size) {
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)bytes[i]);
            api->reply(call, escape, 6);
        }
        start = i + 1;
    }
}

static dome_status_t poll_job(dome_executor_t *executor, dome_call_t *call, const char *handle, size_t handle_size,
                              const char *cursor, size_t cursor_size) {
    char id[64];
    char place[32];
    char state[512];
    dome_status_t status = DOME_OK;
    name_of(id, sizeof id, handle, handle_size);
    if (is_refused(executor, call, id, &status)) {
        return status;
    }
    note(executor, id, "calls", 'p');
    speak_if_told(executor, id);
    forge_if_told(executor, id);
    fail_if_told(executor, id, "fault");
    ssize_t count = read_file(executor, id, "answer", text, sizeof text, 0);
    if (count >= 0) {
        return answer_file(call, count);
    }
    long long from = atoll(name_of(place, sizeof place, cursor, cursor_size));
    if (read_file(executor, id, "endless", state, sizeof state, 0) >= 0) {
        memset(text, 'x', 70000);
        int size = snprintf(text, 128, "{\"state\": \"running\", \"cursor\": \"%lld\", \"next_poll_ms\": 0, "
                            "\"output\": [{\"stream\": \"stdout\", \"text\": \"", from + 1);
        text[size] = 'x';
        return api->reply(call, text, 70000) && api->reply(call, DOME_TEXT("\\n\"}]}")) ? DOME_OK : DOME_INTERNAL;
    }
    /* The state first: what is printed before it changes is then told before it is. */
    if (read_file(executor, id, "state", state, sizeof state, 0) < 0) {
        strcpy(state, FIRST_STATE);
    }
    char *more = strchr(state, '\n');
    if (more != NULL) {
        *more++ = 0;
    }
    count = read_file(executor, id, "out", text, 64 << 10, from);
    count = count > 0 ? count : 0;
    char head[1024];
    int length = snprintf(
        head, sizeof head, "{\"state\": \"%s\", \"cursor\": \"%lld\", \"next_poll_ms\": %d%s%s, \"output\": [",
        count == (64 << 10) - 1 ? "running" : state, from + (long long)count, MORE_LATER, more != NULL ? ", " : "",
        more != NULL ? more : "");
    api->reply(call, head, (size_t)length);
    if (count > 0) {
        api->reply(call, DOME_TEXT("{\"stream\": \"stdout\", \"text\": \""));
        reply_escaped(call, text, (size_t)count);
        api->reply(call, DOME_TEXT("\"}"));
    }
    return api->reply(call, DOME_TEXT("]}")) ? DOME_OK : DOME_INTERNAL;
}

#include "driving_artifacts.h"

static dome_status_t cancel_job(dome_executor_t *executor, dome_call_t *call, const char *handle, size_t size,
                                bool force) {
    char id[64];
    dome_status_t status = DOME_OK;
    name_of(id, sizeof id, handle, size);
    if (is_refused(executor, call, id, &status)) {
        return status;
    }
    note(executor, id, "calls", force ? 'f' : 'c');
#if defined(ENDS_ITSELF) && !defined(GOES_ON)
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/state", executor->folder, id);
    FILE *state = force ? fopen(path, "w") : NULL;
    if (state != NULL) {
        leave(executor, id);
        fputs("canceled", state);
        fclose(state);
    }
#endif
    return DOME_OK;
}

static dome_status_t refuse(dome_executor_t *executor, dome_call_t *call, const char *handle, size_t size) {
    (void)executor;
    (void)handle;
    (void)size;
    api->explain(call, DOME_TEXT("not any more"));
    return DOME_NOT_FOUND;
}

static dome_status_t take_up(dome_executor_t *executor, dome_call_t *call, const char *handle, size_t size) {
    char id[64];
    dome_status_t status = DOME_OK;
    name_of(id, sizeof id, handle, size);
    if (is_refused(executor, call, id, &status)) {
        return status;
    }
    note(executor, id, "calls", 'r');
    return DOME_OK;
}

static const void *get_extension(dome_executor_t *executor, const char *id, size_t size) {
    static const dome_executor_drive_api_t table = {
        .struct_size = DRIVE_SIZE,
        .start = start,
        .poll = poll_job,
        .cancel = cancel_job,
        .recover = RECOVER,
        .list_artifacts = LIST_ARTIFACTS,
        .read_artifact = READ_ARTIFACT,
    };
    (void)executor;
    return dome_text_equal(id, size, DOME_TEXT(DOME_EXT_EXECUTOR_DRIVE)) ? &table : NULL;
}

/* Jobs whose entrypoint has "local" run here, in the sandbox. */
static dome_status_t prepare(dome_executor_t *executor, dome_call_t *call, const char *job, size_t size) {
    (void)executor;
    if (memmem(job, size, "\"local\":true", 12) == NULL) {
        api->explain(call, DOME_TEXT("this job is driven elsewhere"));
        return DOME_UNSUPPORTED;
    }
    return api->reply(call, DOME_TEXT("{\"argv\": [\"/bin/echo\", \"here\"]}")) ? DOME_OK : DOME_INTERNAL;
}

static bool init(dome_host_t *its_host, const dome_host_api_t *its_api, const char *directory, size_t size) {
    (void)directory;
    (void)size;
    host = its_host;
    api = its_api;
    return true;
}

static void deinit(void) {}

static const void *get_factory(const char *id, size_t size) {
    static const dome_executor_api_t table = {
        .struct_size = sizeof(table),
        .get_descriptor = get_descriptor,
        .create = create,
        .destroy = destroy,
        .get_extension = get_extension,
#ifndef DRIVES_ALL
        .prepare = prepare,
#endif
    };
    return dome_text_equal(id, size, DOME_TEXT(DOME_EXECUTOR)) ? &table : NULL;
}

DOME_EXPORT extern const dome_entry_t dome_plugin_entry;
const dome_entry_t dome_plugin_entry = { DOME_ENTRY_HEADER, init, deinit, get_factory };
