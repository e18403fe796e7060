// Starting an inner server: the keeper's one clone. In the child only system calls happen before exec.
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SYSTEM_PATH_LIMIT = 64 };

// What the child needs, made before the clone: formatting is not for the child.
struct launch {
    const char *binary;
    char *arguments[6 + SYSTEM_PATH_LIMIT];
    char uid_map[48], gid_map[48];
    bool needs_user_namespace;
    int socket, replies, report;
};

struct spawn_report {
    uint32_t stage;
    int32_t error;
};

int dome_jail_is_privileged(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    memset(data, 0, sizeof data);
    if (syscall(SYS_capget, &header, data) < 0) return 0;
    return geteuid() == 0 && (data[0].effective & (1u << CAP_SYS_ADMIN)) != 0;
}

// Keeps the capabilities of the new user namespace over exec although the uid is not 0: inheritable, then ambient.
static void keep_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return;
    data[0].inheritable = data[0].permitted;
    data[1].inheritable = data[1].permitted;
    if (syscall(SYS_capset, &header, data) < 0) return;
    for (unsigned long capability = 0; capability < 64; capability++) {
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0 && errno == EINVAL) break;
    }
}

__attribute__((noreturn)) static void report_and_exit(int pipe, uint32_t stage) {
    struct spawn_report report = {stage, errno};
    ssize_t ignored = write(pipe, &report, sizeof report);
    (void)ignored;
    _exit(1);
}

__attribute__((noreturn)) static void child_exec(const struct launch *launch) {
    if (launch->needs_user_namespace) {
        if (!write_file(AT_FDCWD, "/proc/self/setgroups", "deny", 4) ||
            !write_file(AT_FDCWD, "/proc/self/uid_map", launch->uid_map, strlen(launch->uid_map)) ||
            !write_file(AT_FDCWD, "/proc/self/gid_map", launch->gid_map, strlen(launch->gid_map))) {
            report_and_exit(launch->report, DOME_JAIL_STAGE_SERVER_IDMAP);
        }
        keep_capabilities();
    }
    // All out of each other's way, then the sockets to their places, then nothing else.
    int report = fcntl(launch->report, F_DUPFD_CLOEXEC, 10);
    int socket = fcntl(launch->socket, F_DUPFD_CLOEXEC, 10);
    int replies = fcntl(launch->replies, F_DUPFD_CLOEXEC, 10);
    if (report < 0 || socket < 0 || replies < 0 || dup2(socket, SERVER_SOCKET) < 0 ||
        dup2(replies, REPLY_SOCKET) < 0) {
        report_and_exit(launch->report, DOME_JAIL_STAGE_SERVER_SETUP);
    }
    static char *const environment[] = {NULL};
    execve(launch->binary, launch->arguments, environment);
    report_and_exit(report, DOME_JAIL_STAGE_SERVER_EXEC);
}

static bool prepare(struct launch *launch, const struct dome_jail_server_config *config) {
    size_t count = 0;
    launch->binary = config->binary;
    launch->arguments[count++] = (char *)(uintptr_t)DOME_JAIL_ARGV0;
    launch->arguments[count++] = (char *)(uintptr_t)(config->full_network ? "full" : "none");
    launch->arguments[count++] = (char *)(uintptr_t)(config->dies_with_thread ? "thread" : "socket");
    launch->needs_user_namespace = !dome_jail_is_privileged();
    launch->arguments[count++] = (char *)(uintptr_t)(launch->needs_user_namespace ? "user" : "root");
    // '/' is what comes before '0': the server subtracts.
    static const char *const limits[] = {"/", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    if (config->landlock_abi_limit < -1 || config->landlock_abi_limit > 9) return false;
    launch->arguments[count++] = (char *)(uintptr_t)limits[config->landlock_abi_limit + 1];
    for (size_t index = 0; config->system_paths != NULL && config->system_paths[index] != NULL; index++) {
        if (index == SYSTEM_PATH_LIMIT) return false;
        launch->arguments[count++] = (char *)(uintptr_t)config->system_paths[index];
    }
    snprintf(launch->uid_map, sizeof launch->uid_map, "%u %u 1\n", geteuid(), geteuid());
    snprintf(launch->gid_map, sizeof launch->gid_map, "%u %u 1\n", getegid(), getegid());
    return true;
}

// Waits until the child's exec closed the pipe, or it said what went wrong.
static int await_exec(int pipe, struct dome_jail_server *server, uint32_t *failed_stage) {
    struct spawn_report report = {0, 0};
    ssize_t size;
    do {
        size = read(pipe, &report, sizeof report);
    } while (size < 0 && errno == EINTR);
    if (size == 0) return 0;
    while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR) {}
    *failed_stage = size == (ssize_t)sizeof report ? report.stage : (uint32_t)DOME_JAIL_STAGE_SERVER_EXEC;
    return size == (ssize_t)sizeof report && report.error != 0 ? -report.error : -EIO;
}

static const struct dome_jail_server no_server = {-1, -1, -1, -1};

static int close_pair(const int *pair, int result) {
    close(pair[0]);
    close(pair[1]);
    return result;
}

// What is sent at [1] comes at [0], and nothing the other way, whoever holds [1].
static bool one_way_pair(int *pair) {
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return false;
    if (shutdown(pair[1], SHUT_RD) == 0) return true;
    int error = errno;
    close_pair(pair, 0);
    return errno = error, false;
}

static void make_nonblocking(int fd) {
    int status = fcntl(fd, F_GETFL);
    if (status >= 0) fcntl(fd, F_SETFL, status | O_NONBLOCK);
}

int dome_jail_spawn(const struct dome_jail_server_config *config, struct dome_jail_server *server,
                    uint32_t *failed_stage) {
    struct launch launch;
    memset(&launch, 0, sizeof launch);
    *server = no_server;
    *failed_stage = DOME_JAIL_STAGE_SOCKET;
    if (!prepare(&launch, config)) return -E2BIG;
    int sockets[2], replies[2], report[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) return -errno;
    if (!one_way_pair(replies)) return close_pair(sockets, -errno);
    if (pipe2(report, O_CLOEXEC) < 0) return close_pair(sockets, close_pair(replies, -errno));
    launch.socket = sockets[1];
    launch.replies = replies[1];
    launch.report = report[1];
    uint64_t flags = CLONE_NEWNS | CLONE_NEWPID | (config->full_network ? 0 : CLONE_NEWNET) |
                     (launch.needs_user_namespace ? CLONE_NEWUSER : 0);
    int pidfd = -1;
    int pid = sys_pidns_clone(flags, -1, &pidfd);
    if (pid == 0) child_exec(&launch);
    int result = pid < 0 ? -errno : 0;
    close(sockets[1]);
    close(replies[1]);
    close(report[1]);
    if (result < 0) {
        *failed_stage = DOME_JAIL_STAGE_SERVER_NAMESPACES;
    } else {
        *server = (struct dome_jail_server){sockets[0], replies[0], pidfd, pid};
        result = await_exec(report[0], server, failed_stage);
    }
    close(report[0]);
    if (result < 0) {
        close(sockets[0]);
        close(replies[0]);
        if (pidfd >= 0) close(pidfd);
        *server = no_server;
        return result;
    }
    make_nonblocking(server->socket);
    make_nonblocking(server->replies);
    *failed_stage = DOME_JAIL_STAGE_NONE;
    return 0;
}
