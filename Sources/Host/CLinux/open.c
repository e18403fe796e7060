// Opening files, with the flags and the ways to resolve a path that Swift cannot spell.
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

int dome_open(const char *path, int flags, mode_t mode) {
    int fd;
    do fd = open(path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

int dome_openat(int directory, const char *path, int flags, mode_t mode) {
    int fd;
    do fd = openat(directory, path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

int dome_open_place(int directory, const char *path) {
    return openat(directory, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int dome_file_system(int fd, uint64_t *type, uint64_t *total_bytes, uint64_t *free_bytes, uint64_t *used_files) {
    struct statfs status;
    if (fstatfs(fd, &status) < 0) return -1;
    *type = (uint64_t)status.f_type;
    *total_bytes = (uint64_t)status.f_blocks * (uint64_t)status.f_bsize;
    *free_bytes = (uint64_t)status.f_bfree * (uint64_t)status.f_bsize;
    *used_files = (uint64_t)status.f_files - (uint64_t)status.f_ffree;
    return 0;
}

static int open_resolved(int directory, const char *path, int flags, uint64_t resolve) {
    struct open_how how = {.flags = (uint64_t)(unsigned)flags | O_CLOEXEC, .resolve = resolve};
    int fd;
    do fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
    while (fd < 0 && errno == EINTR);
    return fd;
}

int dome_open_beneath(int directory, const char *path, int flags) {
    uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
    return open_resolved(directory, path, flags, resolve);
}

int dome_open_in_root(int root, const char *path, int flags) {
    return open_resolved(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int dome_path_only(void) { return O_PATH; }
