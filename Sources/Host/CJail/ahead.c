// What a job's namespaces need and takes a while to make: sized tmpfs for /job, /tmp and /dev/shm (up to 0.1 ms each)
// and an IPC namespace (0.05 ms). One of each is kept ahead, made while there is nothing else to do, for a next job
// that mostly wants the same sizes. No two jobs ever get the same.
#include "internal.h"
#include "weak.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

static struct {
    int mount; // detached; -1: none
    struct tmpfs_kind kind; // of `mount`, or of the last job's
} spares[TMPFS_COUNT] = {{.mount = -1}, {.mount = -1}, {.mount = -1}};

// Whether the server itself is in an IPC namespace that no job has been in.
static bool has_fresh_ipc;

static int make(const struct tmpfs_kind *kind) {
    char size[24], inodes[24], mode[8], owner[2][16];
    snprintf(size, sizeof size, "%llu", (unsigned long long)kind->bytes);
    snprintf(inodes, sizeof inodes, "%llu", (unsigned long long)(kind->bytes / 4096 + 1024));
    snprintf(mode, sizeof mode, "%o", kind->mode);
    snprintf(owner[0], sizeof owner[0], "%u", kind->uid);
    snprintf(owner[1], sizeof owner[1], "%u", kind->gid);
    const char *const options[][2] = {
        {"size", size}, {"nr_inodes", inodes}, {"mode", mode}, {"uid", owner[0]}, {"gid", owner[1]}};
    size_t count = kind->is_owned ? 5 : 3;
    int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    bool is_good = context >= 0;
    for (size_t index = weak_in(WEAK_SIZES) ? 2 : 0; is_good && index < count; index++) {
        is_good = fsconfig(context, FSCONFIG_SET_STRING, options[index][0], options[index][1], 0) == 0;
    }
    is_good = is_good && fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0;
    int mount = is_good ? fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV) : -1;
    int error = errno;
    if (context >= 0) close(context);
    errno = error;
    return mount;
}

static bool is_same(const struct tmpfs_kind *one, const struct tmpfs_kind *other) {
    return one->bytes == other->bytes && one->mode == other->mode && one->is_owned == other->is_owned &&
           one->uid == other->uid && one->gid == other->gid;
}

int ahead_take_tmpfs(enum tmpfs_use use, const struct tmpfs_kind *kind) {
    int mount = spares[use].mount;
    spares[use].mount = -1;
    if (mount >= 0 && is_same(&spares[use].kind, kind)) return mount;
    if (mount >= 0) close(mount);
    spares[use].kind = *kind;
    return make(kind);
}

uint64_t ahead_take_ipc(void) {
    if (weak_in(WEAK_IPC)) return 0;
    bool is_fresh = has_fresh_ipc;
    has_fresh_ipc = false;
    return is_fresh ? 0 : CLONE_NEWIPC;
}

void ahead_refill(void) {
    for (size_t use = 0; use < TMPFS_COUNT; use++) {
        if (spares[use].mount < 0 && spares[use].kind.bytes > 0) spares[use].mount = make(&spares[use].kind);
    }
    if (!has_fresh_ipc && !weak_in(WEAK_IPC)) has_fresh_ipc = unshare(CLONE_NEWIPC) == 0;
    landlock_refill();
}
