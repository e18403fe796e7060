// What the inner server and its children say to the keeper.
#include "internal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

bool reply_send(const struct dome_jail_reply *reply, int descriptor) {
    struct dome_jail_reply copy;
    size_t size = offsetof(struct dome_jail_reply, detail) + (reply->detail_size > 0 ? reply->detail_size + 1 : 0);
    memcpy(&copy, reply, size);
    copy.version = DOME_JAIL_VERSION;
    struct iovec part = {&copy, size};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        memset(&control, 0, sizeof control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int));
    }
    // Blocks when the keeper is behind: it always reads, and never waits for us. A dead keeper is seen by poll.
    ssize_t sent;
    do {
        sent = sendmsg(REPLY_SOCKET, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

void reply_failure(uint64_t token, const struct failure *failure, uint64_t layers) {
    struct dome_jail_reply reply;
    memset(&reply, 0, sizeof reply);
    reply.kind = DOME_JAIL_FAILED;
    reply.token = token;
    reply.stage = failure->stage;
    reply.error = failure->error;
    reply.layers = layers;
    reply.detail_size = (uint32_t)strnlen(failure->detail, DOME_JAIL_DETAIL - 1);
    memcpy(reply.detail, failure->detail, reply.detail_size);
    reply_send(&reply, -1);
}

static uint64_t microseconds(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec;
}

static void add_usage(struct dome_jail_reply *reply, const struct rusage *usage) {
    reply->user_microseconds += microseconds(usage->ru_utime);
    reply->system_microseconds += microseconds(usage->ru_stime);
    uint64_t largest = (uint64_t)usage->ru_maxrss;
    if (largest > reply->max_resident_kilobytes) reply->max_resident_kilobytes = largest;
    // Pages of files on disks that it made dirty, in blocks of 512 bytes (getrusage(2)).
    reply->disk_written_bytes += (uint64_t)usage->ru_oublock * 512;
}

static void begin_exit(struct dome_jail_reply *reply, uint64_t token, const struct outcome *outcome) {
    memset(reply, 0, offsetof(struct dome_jail_reply, detail));
    reply->kind = DOME_JAIL_EXIT;
    reply->token = token;
    reply->executed = outcome->executed;
    reply->layers = outcome->layers;
}

bool reply_exit(uint64_t token, const struct outcome *outcome, const struct rusage *own, const struct rusage *others) {
    struct dome_jail_reply reply;
    begin_exit(&reply, token, outcome);
    reply.status = outcome->status;
    reply.cause = DOME_JAIL_CAUSE_EXITED;
    add_usage(&reply, own);
    add_usage(&reply, others);
    return reply_send(&reply, -1);
}

void reply_death(uint64_t token, const struct outcome *outcome, bool is_killed, int status,
                 const struct rusage *usage) {
    if (!outcome->finished && outcome->failure.stage != DOME_JAIL_STAGE_NONE && !outcome->executed) {
        reply_failure(token, &outcome->failure, outcome->layers);
        return;
    }
    struct dome_jail_reply reply;
    begin_exit(&reply, token, outcome);
    if (outcome->finished) {
        reply.status = outcome->status;
        reply.cause = DOME_JAIL_CAUSE_EXITED;
    } else {
        reply.status = is_killed ? SIGKILL : status;
        reply.cause = is_killed ? DOME_JAIL_CAUSE_KILLED : DOME_JAIL_CAUSE_LOST;
    }
    add_usage(&reply, usage);
    reply_send(&reply, -1);
}

void reply_ready(const struct server *server) {
    struct dome_jail_reply reply;
    memset(&reply, 0, offsetof(struct dome_jail_reply, detail));
    reply.kind = DOME_JAIL_READY;
    reply.layers = DOME_JAIL_LAYER_MOUNTS | DOME_JAIL_LAYER_PIDS | DOME_JAIL_LAYER_IPC | DOME_JAIL_LAYER_USER |
                   DOME_JAIL_LAYER_CAPABILITIES | DOME_JAIL_LAYER_NO_NEW_PRIVS | DOME_JAIL_LAYER_LIMITS |
                   DOME_JAIL_LAYER_DESCRIPTORS | DOME_JAIL_LAYER_SECCOMP;
    if (!server->full_network) reply.layers |= DOME_JAIL_LAYER_NETWORK;
    if (server->landlock_abi > 0) reply.layers |= DOME_JAIL_LAYER_LANDLOCK_FILES;
    if (landlock_has_scopes(server)) reply.layers |= DOME_JAIL_LAYER_LANDLOCK;
    if (server->is_root) reply.layers |= DOME_JAIL_LAYER_IDENTITY;
    reply_send(&reply, -1);
}
