#define _DEFAULT_SOURCE
#include "transfer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum {
    WAIT_MILLISECONDS = 20,
    HEADERS_LIMIT = 256 << 10, /* bytes of all headers of an answer */
    CONNECT_SECONDS = 15,
};

#define ASK_NANOSECONDS ((int64_t)2000000)
#define REPORT_NANOSECONDS ((int64_t)100000000)

int64_t transfer_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool transfer_is_redirect(const transfer_t *transfer) {
    static const long statuses[] = { 301, 302, 303, 307, 308 };
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (transfer->status == statuses[i]) {
            return transfer->location.size > 0;
        }
    }
    return false;
}

/* The address that the connection is really made to, whatever a name stood for a moment ago. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *target) {
    transfer_t *transfer = context;
    address_t address;
    if (purpose != CURLSOCKTYPE_IPCXN || !address_take(&address, &target->addr, target->addrlen)) {
        return CURL_SOCKET_BAD;
    }
    if (!rules_allow_address(transfer->rules, &address)) {
        transfer->has_refused = true;
        transfer->refused = address;
        return CURL_SOCKET_BAD;
    }
    return socket(target->family, target->socktype | SOCK_CLOEXEC, target->protocol);
}

static size_t take_header(char *data, size_t size, size_t count, void *context) {
    static const char name[] = "location:";
    transfer_t *transfer = context;
    (void)size; /* 1 */
    transfer->header_bytes += count;
    if (transfer->header_bytes > HEADERS_LIMIT) {
        transfer->stop = STOP_HEADERS;
        return 0;
    }
    if (count >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        /* The answer proper follows an interim one. */
        text_free(&transfer->location);
    } else if (count >= sizeof name && strncasecmp(data, name, sizeof name - 1) == 0 && transfer->location.size == 0) {
        const char *at = data + sizeof name - 1, *end = data + count;
        while (at < end && (*at == ' ' || *at == '\t')) {
            at++;
        }
        while (end > at && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ' || end[-1] == '\t')) {
            end--;
        }
        if (at < end && memchr(at, 0, (size_t)(end - at)) == NULL) {
            text_add(&transfer->location, at, (size_t)(end - at));
            text_add(&transfer->location, "", 1);
        }
    }
    return count;
}

static bool begin_artifact(transfer_t *transfer) {
    const job_t *job = transfer->job;
    const text_t *name = &transfer->task->save_as;
    if (transfer->artifact == NULL) {
        transfer->artifact = job->artifact->create(job->call, name->data, name->size - 1);
    }
    return transfer->artifact != NULL;
}

static bool write_artifact(transfer_t *transfer, const char *data, size_t size) {
    while (size > 0) {
        int64_t taken = transfer->job->artifact->write(transfer->artifact, data, size);
        if (taken <= 0 || (uint64_t)taken > size) {
            return false;
        }
        data += taken;
        size -= (size_t)taken;
    }
    return true;
}

static size_t take_body(char *data, size_t size, size_t count, void *context) {
    transfer_t *transfer = context;
    (void)size; /* 1 */
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &transfer->status);
    if (transfer->follows && transfer_is_redirect(transfer)) {
        transfer->stop = STOP_REDIRECT;
        return 0;
    }
    size_t room = transfer->limit - transfer->received;
    size_t taken = count < room ? count : room;
    if (transfer->task->save_as.size == 0) {
        text_add(&transfer->body, data, taken);
    } else if (!begin_artifact(transfer) || !write_artifact(transfer, data, taken)) {
        transfer->stop = STOP_DISK;
        return 0;
    }
    transfer->received += taken;
    if (taken < count || transfer->body.failed) {
        transfer->stop = taken < count ? STOP_FULL : STOP_MEMORY;
        return 0;
    }
    return count;
}

/* Whether to go on. */
static bool look_around(transfer_t *transfer) {
    const job_t *job = transfer->job;
    int64_t now = transfer_now();
    if (transfer->stop == STOP_NONE && now >= transfer->deadline) {
        transfer->stop = STOP_TIME;
    }
    if (job->cancel != NULL && now - transfer->asked >= ASK_NANOSECONDS) {
        transfer->asked = now;
        if (transfer->stop == STOP_NONE && job->cancel->is_canceled(job->call)) {
            transfer->stop = STOP_CANCELED;
        }
    }
    if (job->progress != NULL && now - transfer->reported >= REPORT_NANOSECONDS &&
        transfer->received != transfer->told) {
        curl_off_t length = -1;
        char text[96];
        double share = 0;
        transfer->reported = now;
        transfer->told = transfer->received;
        curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        int size = snprintf(text, sizeof text, "%zu bytes", transfer->received);
        /* What is received is counted unpacked, so it may be more than was announced. */
        if (length > 0 && transfer->received <= (uint64_t)length) {
            share = (double)transfer->received / (double)length;
            size = snprintf(text, sizeof text, "%zu of %lld bytes", transfer->received, (long long)length);
        }
        job->progress->report(job->call, share, text, (size_t)size);
    }
    return transfer->stop == STOP_NONE;
}

static bool set_options(transfer_t *transfer) {
    CURL *easy = transfer->easy;
    const rules_t *rules = transfer->rules;
    bool is_set = true;
#define SET(option, value) is_set = is_set && curl_easy_setopt(easy, option, value) == CURLE_OK
    SET(CURLOPT_CURLU, transfer->place->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    /* Redirects are followed by us, or nobody would look at where they lead. */
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    /* No proxy of the environment: the address that we see would be its. */
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_ERRORBUFFER, transfer->words);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, transfer);
    SET(CURLOPT_HEADERFUNCTION, take_header);
    SET(CURLOPT_HEADERDATA, transfer);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* All that the library can unpack; what comes out is counted against the limit. */
    SET(CURLOPT_ACCEPT_ENCODING, "");
    SET(CURLOPT_HTTPHEADER, transfer->headers);
    SET(CURLOPT_CUSTOMREQUEST, transfer->method);
    if (strcmp(transfer->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
    }
    if (transfer->sends_body) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->task->body.size);
        SET(CURLOPT_POSTFIELDS, transfer->task->body.size > 0 ? transfer->task->body.data : "");
    }
    if (rules->certificates != NULL) {
        struct curl_blob blob = { rules->certificates, rules->certificates_size, CURL_BLOB_NOCOPY };
        SET(CURLOPT_CAINFO_BLOB, &blob);
        SET(CURLOPT_CAPATH, NULL);
    }
#undef SET
    return is_set;
}

/* Drives it to its end or ours. */
static void perform(transfer_t *transfer) {
    int running = 1, left = 0;
    transfer->code = CURLE_FAILED_INIT;
    if (curl_multi_add_handle(transfer->multi, transfer->easy) != CURLM_OK) {
        return;
    }
    while (curl_multi_perform(transfer->multi, &running) == CURLM_OK && running > 0 && look_around(transfer)) {
        if (curl_multi_poll(transfer->multi, NULL, 0, WAIT_MILLISECONDS, NULL) != CURLM_OK) {
            break;
        }
    }
    CURLMsg *message = curl_multi_info_read(transfer->multi, &left);
    if (message != NULL && message->msg == CURLMSG_DONE) {
        transfer->code = message->data.result;
    }
    if (running > 0) {
        /* A name is perhaps still being looked up, by a thread that nobody can end: do not wait for it. */
        curl_easy_setopt(transfer->easy, CURLOPT_QUICK_EXIT, 1L);
    }
    curl_multi_remove_handle(transfer->multi, transfer->easy);
}

static dome_status_t explain(const transfer_t *transfer) {
    const job_t *job = transfer->job;
    const char *host = transfer->place->host;
    const char *words = transfer->words[0] != 0 ? transfer->words : curl_easy_strerror(transfer->code);
    switch (transfer->stop) {
    case STOP_CANCELED: return job_fail(job, DOME_CANCELED, "canceled");
    case STOP_TIME: return job_fail(job, DOME_UNAVAILABLE, "%s: no whole answer within \"timeout_seconds\"", host);
    case STOP_HEADERS: return job_fail(job, DOME_UNAVAILABLE, "%s: its answer has more than 256 KiB of headers", host);
    case STOP_MEMORY: return job_fail(job, DOME_UNAVAILABLE, "out of memory");
    case STOP_DISK:
        if (transfer->artifact != NULL) {
            return job_fail(job, DOME_UNAVAILABLE, "\"save_as\": the artifact took no more: is it too large?");
        }
        /* The host has said what it does not like about the name. */
        return DOME_INVALID;
    default: break;
    }
    switch (transfer->code) {
    case CURLE_COULDNT_RESOLVE_HOST: return job_fail(job, DOME_NOT_FOUND, "%s: no address is known for it", host);
    case CURLE_COULDNT_CONNECT:
        if (transfer->has_refused) {
            char address[64];
            address_print(&transfer->refused, address, sizeof address);
            return job_fail(job, DOME_DENIED,
                            "%s: its address %s is not public; allow it by \"private_ranges\" in the configuration "
                            "of plugin dome.http if that is meant",
                            host, address);
        }
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
        return job_fail(job, DOME_DENIED, "%s: its certificate is not trusted: %s", host, words);
    default: break;
    }
    return job_fail(job, DOME_UNAVAILABLE, "%s: %s", host, words);
}

dome_status_t transfer_run(transfer_t *transfer) {
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL || !set_options(transfer)) {
        return job_fail(transfer->job, DOME_UNAVAILABLE, "out of memory");
    }
    perform(transfer);
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &transfer->status);
    bool is_cut = transfer->stop == STOP_FULL || transfer->stop == STOP_REDIRECT;
    return (transfer->code == CURLE_OK && transfer->stop == STOP_NONE) || is_cut ? DOME_OK : explain(transfer);
}

void transfer_free(transfer_t *transfer) {
    if (transfer->artifact != NULL) {
        transfer->job->artifact->discard(transfer->artifact);
        transfer->artifact = NULL;
    }
    curl_easy_cleanup(transfer->easy);
    transfer->easy = NULL;
    text_free(&transfer->location);
    text_free(&transfer->body);
}
