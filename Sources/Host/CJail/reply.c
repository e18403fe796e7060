// What the inner server and its children say to the keeper.
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

void reply_send(const struct dome_jail_reply *reply, int descriptor) {
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
    while (sendmsg(SERVER_SOCKET, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {}
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
