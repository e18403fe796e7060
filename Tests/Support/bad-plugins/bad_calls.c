/*
 * bad_calls.c: what the adapter of bad.c does in calls, well or badly.
 */
#include "bad.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const dome_adapter_api_t strange_table;
static dome_call_t *kept_call;
static const char *kept_payload;
static int connections;
static void (*kept_write)(dome_host_t *host, dome_log_level_t level, const char *message, size_t size);

static dome_status_t refuse(dome_call_t *call, dome_status_t status, const char *why) {
    if (!IS(no_explanation)) host->explain(call, why, strlen(why));
    return status;
}

dome_status_t bad_connect(dome_call_t *call, const char *config, size_t size, dome_adapter_t **adapter) {
    static int total;
    bool is_object = size > 0 && config[0] == '{';
    if (IS(crashes_on_config) && !is_object) abort();
    if (IS(ok_without_instance)) return DOME_OK;
    if (IS(one_at_a_time) && connections > 0) return refuse(call, DOME_UNAVAILABLE, "there is one already");
    if (IS(five_times) && ++total > 5) return refuse(call, DOME_UNAVAILABLE, "five is enough");
    if (!is_object && !IS(refuses_yet_makes)) return refuse(call, DOME_INVALID, "the configuration is no object");
    dome_adapter_t *made = malloc(sizeof(*made));
    if (made == NULL) return refuse(call, DOME_UNAVAILABLE, "out of memory");
    made->block = malloc(24);
    connections++;
    *adapter = made;
    return is_object ? DOME_OK : refuse(call, DOME_INVALID, "the configuration is no object");
}

void bad_disconnect(dome_adapter_t *adapter) {
    connections--;
    if (IS(replies_late) && kept_call != NULL) host->reply(kept_call, "late", 4);
    if (!IS(leaks_per_connection)) free(adapter->block);
    free(adapter);
}

static void recurse(const char *payload, size_t size) {
    volatile char room[512] = { payload[0] };
    if (size > 1 && room[0] == '[') recurse(payload + 1, size - 1);
    room[1] = room[0];
}

static void *reply_elsewhere(void *call) {
    host->reply(call, "{\"greeting\":\"x\"}", 16);
    return NULL;
}

static void *sleep_long(void *nothing) {
    for (;;) pause();
    return nothing;
}

static void *log_later(void *nothing) {
    usleep(100000);
    kept_write(host_self, DOME_LOG_INFO, "still here", 10);
    return nothing;
}

static pthread_t thread(void *(*body)(void *), void *argument) {
    pthread_t made;
    pthread_create(&made, NULL, body, argument);
    return made;
}

/* What is done with the payload and the call. */
static void misuse(dome_adapter_t *adapter, dome_call_t *call, const char *payload, size_t size) {
    if (IS(dies_of_text) && (size == 0 || payload[0] != '{') && (size == 0 || payload[0] != '[')) abort();
    if (IS(dies_of_list) && size > 1 && payload[0] == '[' && payload[size - 1] == ']') abort();
    if (IS(recurses) && size > 0) recurse(payload, size);
    if (IS(small_buffer)) {
        char buffer[1 << 16];
        memcpy(buffer, payload, size);
        if (buffer[0] == 'x') adapter->block[0] = buffer[1];
    }
    if (IS(dies_of_percent) && memchr(payload, '%', size) != NULL) raise(SIGSEGV);
    if (IS(reads_past) && strlen(payload) > 100000) calls_so_far++;
    if (IS(writes_to_payload) && size > 0) ((char *)(uintptr_t)payload)[0] = ' ';
    if (IS(keeps_payload)) {
        if (kept_payload != NULL && *(volatile const char *)kept_payload == 0) calls_so_far++;
        kept_payload = payload;
    }
    if (IS(looks_into_call) && *(volatile char *)call == 0) calls_so_far++;
    if (IS(exits)) exit(3);
    if (IS(hangs)) for (;;) pause();
    if (IS(overruns)) *(volatile char *)(adapter->block + 24) = 1;
    if (IS(frees_payload)) free((void *)(uintptr_t)payload);
    if (IS(frees_twice) || IS(writes_after_free)) {
        char *volatile block = malloc(40);
        free(block);
        if (IS(frees_twice)) free(block);
        if (IS(writes_after_free)) block[8] = 1;
    }
    if (IS(leaks_per_call)) adapter->block = realloc(malloc(32), 48);
    if (IS(leaves_descriptor)) (void)!open("/dev/null", O_RDONLY);
    if (IS(leaves_thread) && calls_so_far == 1) pthread_detach(thread(sleep_long, NULL));
    if (IS(leaves_process) && calls_so_far == 1 && fork() == 0) {
        for (;;) pause();
    }
    if (IS(takes_signal)) signal(SIGUSR1, SIG_IGN);
    if (IS(changes_folder)) (void)!chdir("/tmp");
    if (IS(prints)) {
        puts("hello");
        fflush(stdout);
    }
    if (IS(logs_no_utf8)) host_log->write(host_self, DOME_LOG_INFO, "\xff\xfe", 2);
    if (IS(throws_up)) abort();
    kept_call = call;
}

static void write_artifact(dome_call_t *call) {
    if (host_artifact == NULL) return;
    dome_artifact_t *artifact = host_artifact->create(call, "report.txt", 10);
    if (artifact == NULL) return;
    size_t offset = 0;
    while (offset < 6) {
        int64_t count = host_artifact->write(artifact, &"report"[offset], 6 - offset);
        if (count < 0) {
            if (IS(finishes_broken_artifact)) break;
            host_artifact->discard(artifact);
            return;
        }
        offset += (size_t)count;
    }
    host_artifact->finish(artifact);
}

dome_status_t bad_execute(dome_adapter_t *adapter, dome_call_t *call, const char *action, size_t action_size,
                          const char *payload, size_t size) {
    calls_so_far++;
    misuse(adapter, call, payload, size);
    if (IS(odd_status)) return 99;
    if (IS(cancels_itself)) return DOME_CANCELED;
    if (IS(refuses_good)) return refuse(call, DOME_INVALID, "no");
    if (!IS(any_action) && !dome_text_equal(action, action_size, DOME_TEXT("hello"))) {
        return refuse(call, DOME_INVALID, "there is no such action");
    }
    for (int waited = 0; (IS(ignores_cancel) && waited < 2200) || (IS(never_asks) && waited < 1200); waited++) {
        usleep(1000);
    }
    if (!IS(never_asks) && host_cancel != NULL && host_cancel->is_canceled(call) && !IS(ignores_cancel)) {
        return refuse(call, DOME_CANCELED, "canceled");
    }
    write_artifact(call);
    if (IS(ok_without_reply)) return DOME_OK;
    if (IS(replies_from_thread)) pthread_join(thread(reply_elsewhere, call), NULL);
    const char *reply = "{\"greeting\":\"hello\"}";
    if (IS(reply_no_json)) reply = "hello";
    if (IS(reply_no_fit)) reply = "{\"greeting\":5}";
    bool is_taken = host->reply(call, reply, strlen(reply));
    return is_taken || IS(ignores_reply) ? DOME_OK : refuse(call, DOME_UNAVAILABLE, "the host takes no reply");
}

dome_status_t bad_health(dome_adapter_t *adapter, dome_call_t *call) {
    (void)adapter;
    const char *reply = IS(odd_health) ? "{}" : "{\"ok\":true}";
    return host->reply(call, reply, strlen(reply)) ? DOME_OK : DOME_UNAVAILABLE;
}

void bad_audit(dome_adapter_t *adapter, const char *event, size_t size) {
    (void)adapter;
    if (IS(dies_of_audit) && size > 9 && event[9] == 's') abort();
}

const void *bad_extension(dome_adapter_t *adapter, const char *id, size_t size) {
    (void)adapter, (void)id, (void)size;
    return IS(every_extension) ? &strange_table : NULL;
}

void bad_deinit(void) {
    if (!IS(logs_after_deinit)) return;
    kept_write = host_log->write;
    pthread_detach(thread(log_later, NULL));
}
