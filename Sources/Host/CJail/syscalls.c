// System calls that glibc has no wrapper for, or only in new versions (Debian 12's has most; older ones do not
// know the constants, which linux/mount.h has).
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// A raw fork with namespaces: no atfork handlers, no locks. 0 in the child.
int sys_pidns_clone(uint64_t flags, int cgroup, int *pidfd) {
    struct clone_args arguments;
    memset(&arguments, 0, sizeof arguments);
    arguments.flags = flags | (pidfd != NULL ? CLONE_PIDFD : 0);
    arguments.pidfd = (uint64_t)(uintptr_t)pidfd;
    arguments.exit_signal = SIGCHLD;
    if (cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)cgroup;
    }
    return (int)syscall(SYS_clone3, &arguments, sizeof arguments);
}

int sys_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
    int fd;
    // EAGAIN: a rename or mount raced with the walk; the man page says to try again.
    for (int attempt = 0; attempt < 64; attempt++) {
        fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) break;
    }
    return fd;
}

// On a whole tree at once. `user_namespace` -1: no idmapping.
int sys_mount_attributes(int tree, uint64_t set, uint64_t clear, uint64_t propagation, int user_namespace) {
    struct mount_attr attributes = {.attr_set = set, .attr_clr = clear, .propagation = propagation};
    if (user_namespace >= 0) {
        attributes.attr_set |= MOUNT_ATTR_IDMAP;
        attributes.userns_fd = (uint64_t)user_namespace;
    }
    return (int)syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes);
}

// Path "": onto `directory` itself.
int sys_move_mount(int tree, int directory, const char *path) {
    unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (path[0] == 0 ? MOVE_MOUNT_T_EMPTY_PATH : 0);
    return (int)syscall(SYS_move_mount, tree, "", directory, path, flags);
}

bool write_file(int directory, const char *path, const char *text, size_t size) {
    int fd = openat(directory, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t wrote = write(fd, text, size);
    int error = errno;
    close(fd);
    errno = error;
    return wrote == (ssize_t)size;
}

bool fail(struct failure *failure, uint32_t stage, int error, const char *detail) {
    failure->stage = stage;
    failure->error = error;
    size_t size = detail == NULL ? 0 : strnlen(detail, DOME_JAIL_DETAIL - 1);
    if (size > 0) memcpy(failure->detail, detail, size);
    failure->detail[size] = 0;
    return false;
}
