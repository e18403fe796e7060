// The keeper's end of the socket: requests out, replies in, and the words for stages.
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int send_request(int socket, struct request *request, const void *spec, size_t size,
                        const int *descriptors, size_t count) {
    struct iovec parts[2] = {{request, sizeof *request}, {(void *)(uintptr_t)spec, size}};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(FD_COUNT * sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = size > 0 ? 2 : 1};
    if (count > 0) {
        memset(&control, 0, sizeof control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    }
    request->version = DOME_JAIL_VERSION;
    for (;;) {
        if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return 0;
        if (errno != EINTR) return -errno;
    }
}

// A sealed memfd with the spec: the server maps it, and nobody can shrink it under the server's feet.
static int spec_memfd(const void *spec, size_t size) {
    int fd = memfd_create("dome-spec", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -errno;
    for (size_t done = 0; done < size;) {
        ssize_t wrote = write(fd, (const char *)spec + done, size - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) {
            int error = wrote < 0 ? errno : EIO;
            close(fd);
            return -error;
        }
        done += (size_t)wrote;
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int dome_jail_start(int socket, uint64_t token, const void *spec, size_t spec_size,
                    const struct dome_jail_descriptors *descriptors) {
    if (spec_size < sizeof(struct dome_jail_spec) || spec_size > DOME_JAIL_MAX_SPEC || token == 0) return -EINVAL;
    int all[FD_COUNT] = {descriptors->standard_input, descriptors->standard_output, descriptors->standard_error,
                         descriptors->progress, descriptors->terminal, descriptors->cgroup, descriptors->gate, -1};
    bool is_inline = spec_size <= DOME_JAIL_INLINE_SPEC;
    if (!is_inline) {
        all[FD_SPEC] = spec_memfd(spec, spec_size);
        if (all[FD_SPEC] < 0) return all[FD_SPEC];
    }
    struct request request = {.kind = REQUEST_START, .token = token, .spec_size = (uint32_t)spec_size};
    int passed[FD_COUNT];
    size_t count = 0;
    for (int index = 0; index < FD_COUNT; index++) {
        if (all[index] < 0) continue;
        request.descriptor_mask |= 1u << index;
        passed[count++] = all[index];
    }
    int result = send_request(socket, &request, spec, is_inline ? spec_size : 0, passed, count);
    if (!is_inline) close(all[FD_SPEC]);
    return result;
}

// Blocking: the job waits in read.
int dome_jail_gate(void) {
    int gate = eventfd(0, EFD_CLOEXEC);
    return gate < 0 ? -errno : gate;
}

int dome_jail_open_gate(int gate) {
    uint64_t one = 1;
    return write(gate, &one, sizeof one) == (ssize_t)sizeof one ? 0 : -errno;
}

int dome_jail_kill(int socket, uint64_t token) {
    struct request request = {.kind = REQUEST_KILL, .token = token};
    return send_request(socket, &request, NULL, 0, NULL, 0);
}

int dome_jail_signal(int socket, uint64_t token, int signal) {
    switch (signal) {
    case SIGHUP: case SIGINT: case SIGQUIT: case SIGUSR1: case SIGUSR2:
    case SIGTERM: case SIGCONT: case SIGWINCH: case SIGTSTP: break;
    default: return -EINVAL;
    }
    struct request request = {.kind = REQUEST_SIGNAL, .token = token, .signal = signal};
    return send_request(socket, &request, NULL, 0, NULL, 0);
}

int dome_jail_receive(int replies, struct dome_jail_reply *reply, int *work) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {reply, sizeof *reply};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    memset(reply, 0, sizeof *reply);
    *work = -1;
    ssize_t size;
    do {
        size = recvmsg(replies, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (size < 0 && errno == EINTR);
    if (size == 0) return 0;
    if (size < 0) return errno == ECONNRESET ? 0 : -errno;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int))) {
        memcpy(work, CMSG_DATA(header), sizeof(int));
    }
    if ((size_t)size < offsetof(struct dome_jail_reply, detail) || reply->version != DOME_JAIL_VERSION ||
        reply->detail_size >= DOME_JAIL_DETAIL) {
        if (*work >= 0) close(*work);
        *work = -1;
        return -EPROTO;
    }
    reply->detail[DOME_JAIL_DETAIL - 1] = 0;
    return 1;
}

const char *dome_jail_stage_name(uint32_t stage) {
    static const char *const names[DOME_JAIL_STAGE_COUNT] = {
        [DOME_JAIL_STAGE_NONE] = "none",
        [DOME_JAIL_STAGE_SOCKET] = "inner server: socket",
        [DOME_JAIL_STAGE_SERVER_NAMESPACES] = "inner server: namespaces",
        [DOME_JAIL_STAGE_SERVER_IDMAP] = "inner server: user id map",
        [DOME_JAIL_STAGE_SERVER_EXEC] = "inner server: exec",
        [DOME_JAIL_STAGE_SERVER_SETUP] = "inner server: set-up",
        [DOME_JAIL_STAGE_ROOT] = "inner server: curated root",
        [DOME_JAIL_STAGE_SPEC] = "job description",
        [DOME_JAIL_STAGE_GRANT_OPEN] = "granted path: open",
        [DOME_JAIL_STAGE_GRANT_CHANGED] = "granted path: replaced since it was checked",
        [DOME_JAIL_STAGE_GRANT_CLONE] = "granted path: clone of its mount",
        [DOME_JAIL_STAGE_GRANT_IDMAP] = "granted path: id-mapped mount",
        [DOME_JAIL_STAGE_GRANT_ATTRIBUTES] = "granted path: mount attributes",
        [DOME_JAIL_STAGE_WORK] = "work directory: file system",
        [DOME_JAIL_STAGE_CLONE] = "job namespaces",
        [DOME_JAIL_STAGE_CGROUP] = "control group",
        [DOME_JAIL_STAGE_PROC] = "/proc",
        [DOME_JAIL_STAGE_TMP] = "/tmp",
        [DOME_JAIL_STAGE_SHM] = "/dev/shm",
        [DOME_JAIL_STAGE_WORK_MOUNT] = "work directory: mount",
        [DOME_JAIL_STAGE_GRANT_TARGET] = "granted path: place in the jail",
        [DOME_JAIL_STAGE_GRANT_MOUNT] = "granted path: mount",
        [DOME_JAIL_STAGE_TERMINAL] = "terminal",
        [DOME_JAIL_STAGE_NETWORK] = "loopback network",
        [DOME_JAIL_STAGE_IDENTITY] = "unprivileged user id",
        [DOME_JAIL_STAGE_NESTED] = "nested user namespace",
        [DOME_JAIL_STAGE_NESTED_IDMAP] = "nested user namespace: id map",
        [DOME_JAIL_STAGE_FILES] = "planned files",
        [DOME_JAIL_STAGE_CAPABILITIES] = "capabilities",
        [DOME_JAIL_STAGE_NO_NEW_PRIVS] = "no_new_privs",
        [DOME_JAIL_STAGE_LIMITS] = "resource limits",
        [DOME_JAIL_STAGE_LANDLOCK] = "Landlock",
        [DOME_JAIL_STAGE_SECCOMP] = "seccomp",
        [DOME_JAIL_STAGE_WORKING_DIRECTORY] = "working directory",
        [DOME_JAIL_STAGE_DESCRIPTORS] = "descriptors",
        [DOME_JAIL_STAGE_FORK] = "fork of the tool",
        [DOME_JAIL_STAGE_EXEC] = "exec of the tool",
        [DOME_JAIL_STAGE_LAYERS] = "sandbox layers",
    };
    return stage < DOME_JAIL_STAGE_COUNT && names[stage] != NULL ? names[stage] : "unknown stage";
}
