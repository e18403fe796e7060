// /job: a sized tmpfs, made detached so that it outlives the job's namespace in the keeper's hand. Making one takes
// 0.1 ms; the next job mostly wants the same size, so one is kept ahead, made while there is nothing else to do.
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

struct work_kind {
    uint64_t bytes;
    uint32_t uid, gid;
};

static int spare = -1;
static struct work_kind spare_kind; // of the spare, or of the last job

static int make(const struct work_kind *kind) {
    char size[24], inodes[24], uid[16], gid[16];
    snprintf(size, sizeof size, "%llu", (unsigned long long)kind->bytes);
    snprintf(inodes, sizeof inodes, "%llu", (unsigned long long)(kind->bytes / 4096 + 1024));
    snprintf(uid, sizeof uid, "%u", kind->uid);
    snprintf(gid, sizeof gid, "%u", kind->gid);
    const char *const options[][2] = {
        {"size", size}, {"nr_inodes", inodes}, {"mode", "0700"}, {"uid", uid}, {"gid", gid}};
    int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    bool is_good = context >= 0;
    for (size_t index = 0; is_good && index < sizeof options / sizeof *options; index++) {
        is_good = fsconfig(context, FSCONFIG_SET_STRING, options[index][0], options[index][1], 0) == 0;
    }
    is_good = is_good && fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0;
    int work = is_good ? fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV) : -1;
    int error = errno;
    if (context >= 0) close(context);
    errno = error;
    return work;
}

int work_open(uint64_t bytes, uint32_t uid, uint32_t gid) {
    struct work_kind kind = {.bytes = bytes, .uid = uid, .gid = gid};
    bool is_same = kind.bytes == spare_kind.bytes && kind.uid == spare_kind.uid && kind.gid == spare_kind.gid;
    int work = spare;
    spare = -1;
    if (is_same && work >= 0) return work;
    if (work >= 0) close(work);
    spare_kind = kind;
    return make(&kind);
}

void work_keep_spare(void) {
    if (spare < 0 && spare_kind.bytes > 0) spare = make(&spare_kind);
}
