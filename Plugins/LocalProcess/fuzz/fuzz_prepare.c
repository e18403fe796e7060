/*
 * fuzz_prepare.c: throws damaged jobs at the plugin's prepare, through its entry as a host would, under the
 * sanitizers. What it demands: no crash, no hang, an answer that is valid JSON whenever the call says DOME_OK, a
 * reason whenever it does not.
 *
 *   fuzz_prepare [SEED [ROUNDS]]     prints its seed first, so that a failure can be repeated
 *   fuzz_prepare --file JOB          one job, its plan to stdout
 */
#include <dome/dome.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json.h"

extern const dome_entry_t dome_plugin_entry;

struct dome_host {
    int unused;
};

struct dome_call {
    char *answer;
    size_t size;
    bool explained;
};

static const void *no_extension(dome_host_t *host, const char *id, size_t id_size) {
    (void)host;
    (void)id;
    (void)id_size;
    return NULL;
}

static bool reply(dome_call_t *call, const char *data, size_t size) {
    char *grown = realloc(call->answer, call->size + size + 1);
    if (grown == NULL) {
        return false;
    }
    memcpy(grown + call->size, data, size);
    call->answer = grown;
    call->size += size;
    return true;
}

static void explain(dome_call_t *call, const char *message, size_t size) {
    (void)message;
    call->explained = size > 0;
}

static const char *const corpus[] = {
    "{\"job_id\":\"j\",\"task\":{\"argv\":[\"/bin/echo\",\"\\u00e4\\ud83d\\ude00\",\"b c\"],\"stdin\":\"x\\ny\"},"
    "\"entrypoint\":{\"argv_from_task\":true},\"manifest\":{\"stdin\":\"none\",\"tty\":false},"
    "\"work_directory\":\"/job\",\"grants\":[\"fs.read:/usr\",\"fs.write:/tmp/x\",\"net.loopback\",\"net.full\"],"
    "\"environment\":{\"PATH\":\"/usr/bin\",\"LANG\":\"C.UTF-8\"}}",
    "{\"task\":{\"script\":\"set -e\\necho \\\"hi\\\"\\n\"},"
    "\"entrypoint\":{\"argv_from_task\":true,\"cwd\":\"/x\"}}",
    "{\"task\":{\"pattern\":\"-x\",\"paths\":[\"/a\",\"/b\",1,true,null],\"limit\":-1.5e3,\"flag\":null},"
    "\"entrypoint\":{\"argv\":[\"rg\",[\"-m\",\"${task.limit}\"],[\"--glob\",\"${task.paths}\"],\"--\","
    "\"${task.pattern}\",\"${task.absent}\",\"${task.flag}\"],\"cwd\":\"/job\"},"
    "\"manifest\":{\"stdin\":\"task\",\"tty\":true},\"environment\":{\"PATH\":\"/usr/bin\"}}",
    "{\"task\":{},\"entrypoint\":{\"argv\":[\"/bin/sh\",\"-c\",\"echo $HOME ${HOME}\"]}}",
};

static const char *const splinters[] = {
    "\\u0000", "\\ud800", "\"", "{", "}", "[", "]", "\\", ",", ":", "null", "1e", "-", "${task.", "}\"", "\xff",
    "\xed\xa0\x80", "\xf4\x90\x80\x80", "\"\"", "[[[[[[[[", "{\"task\":", "\"stdin\":", "\"argv\":[", "${task.paths}",
};

/* xorshift64*: reproducible everywhere. */
static uint64_t state;
static uint64_t next_random(void) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

static size_t below(size_t limit) {
    return limit == 0 ? 0 : (size_t)(next_random() % limit);
}

/* Replaces `cut` bytes at `at` by `with`. OWNERSHIP: the caller frees the result. */
static char *splice(const char *data, size_t *size, size_t at, size_t cut, const char *with, size_t with_size) {
    char *result = malloc(*size - cut + with_size + 1);
    if (result == NULL) {
        abort();
    }
    memcpy(result, data, at);
    memcpy(result + at, with, with_size);
    memcpy(result + at + with_size, data + at + cut, *size - at - cut);
    *size = *size - cut + with_size;
    return result;
}

static char *damaged(size_t *size) {
    const char *seed = corpus[below(sizeof(corpus) / sizeof(corpus[0]))];
    *size = strlen(seed);
    char *data = splice(seed, size, 0, 0, "", 0);
    for (size_t times = below(6); times > 0; times--) {
        size_t at = below(*size + 1), cut = below(8);
        cut = cut > *size - at ? *size - at : cut;
        char byte = (char)next_random();
        char *next;
        switch (below(5)) {
        case 0: next = splice(data, size, at, cut > 0, &byte, 1); break;
        case 1: next = splice(data, size, at, cut, "", 0); break;
        case 2: next = splice(data, size, at, *size - at, "", 0); break;
        case 3: {
            size_t from = below(*size + 1), length = below(*size - from + 1);
            char *copy = splice(data + from, &length, length, 0, "", 0);
            next = splice(data, size, at, cut, copy, length);
            free(copy);
            break;
        }
        default: {
            const char *splinter = splinters[below(sizeof(splinters) / sizeof(splinters[0]))];
            next = splice(data, size, at, cut, splinter, strlen(splinter));
        }
        }
        free(data);
        data = next;
    }
    return data;
}

/* Whether the answer keeps the promises above. */
static bool judge(const dome_call_t *call, dome_status_t status) {
    json_t plan;
    return status == DOME_OK ? json_parse(call->answer, call->size, &plan) && json_kind(plan) == JSON_OBJECT
                             : call->explained;
}

static int run_file(const dome_executor_api_t *api, dome_executor_t *executor, const char *path) {
    static char job[1 << 20];
    struct dome_call call = { 0 };
    FILE *file = fopen(path, "rb");
    size_t size = file != NULL ? fread(job, 1, sizeof(job), file) : 0;
    if (file != NULL) {
        fclose(file);
    }
    dome_status_t status = api->prepare(executor, &call, job, size);
    printf("status %d\n%.*s\n", (int)status, (int)call.size, call.answer != NULL ? call.answer : "");
    free(call.answer);
    return status != DOME_OK;
}

/* One damaged job; false if prepare broke its promise. */
static bool run_round(const dome_executor_api_t *api, dome_executor_t *executor, uint64_t round, uint64_t *accepted) {
    struct dome_call call = { 0 };
    size_t size;
    char *damage = damaged(&size);
    char *job = malloc(size != 0 ? size : 1); /* exactly as large as it is: a read beyond it is caught */
    if (job == NULL) {
        abort();
    }
    memcpy(job, damage, size);
    free(damage);
    dome_status_t status = api->prepare(executor, &call, job, size);
    bool is_kept = judge(&call, status);
    *accepted += status == DOME_OK;
    if (!is_kept) {
        fprintf(stderr, "round %" PRIu64 ": status %d breaks its promise for job: %.*s\nanswer: %.*s\n", round,
                (int)status, (int)size, job, (int)call.size, call.answer != NULL ? call.answer : "");
    }
    free(job);
    free(call.answer);
    return is_kept;
}

static int run_rounds(const dome_executor_api_t *api, dome_executor_t *executor, uint64_t seed, uint64_t rounds) {
    uint64_t accepted = 0;
    printf("seed %" PRIu64 "\n", seed);
    fflush(stdout);
    state = seed != 0 ? seed : 1;
    for (uint64_t round = 0; round < rounds; round++) {
        if (!run_round(api, executor, round, &accepted)) {
            return 1;
        }
    }
    printf("%" PRIu64 " jobs, %" PRIu64 " plans\n", rounds, accepted);
    return 0;
}

int main(int argc, char **argv) {
    static const dome_host_api_t host_api = {
        .struct_size = sizeof(host_api), .abi_major = DOME_ABI_MAJOR, .abi_minor = DOME_ABI_MINOR,
        .get_extension = no_extension, .reply = reply, .explain = explain,
    };
    struct dome_host host = { 0 };
    struct dome_call call = { 0 };
    if (!dome_plugin_entry.init(&host, &host_api, DOME_TEXT("/"))) {
        return 2;
    }
    const dome_executor_api_t *api = dome_plugin_entry.get_factory(DOME_TEXT(DOME_EXECUTOR));
    dome_executor_t *executor = NULL;
    if (api == NULL || api->create(&call, DOME_TEXT("{}"), &executor) != DOME_OK) {
        return 2;
    }
    int result;
    if (argc == 3 && strcmp(argv[1], "--file") == 0) {
        result = run_file(api, executor, argv[2]);
    } else {
        uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
        result = run_rounds(api, executor, seed, argc > 2 ? strtoull(argv[2], NULL, 0) : 200000);
    }
    api->destroy(executor);
    dome_plugin_entry.deinit();
    return result;
}
