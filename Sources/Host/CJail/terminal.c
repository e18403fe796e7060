// A job on a terminal gets a /dev of its own: the same five nodes, /dev/tty, and pseudo-terminals of its own
// (for programs that open one themselves). Nobody else's /dev has so much as an entry for them.
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const nodes[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};
enum { NODE_COUNT = sizeof nodes / sizeof *nodes };
static const struct { const char *target, *path; } links[] = {
    {"/proc/self/fd", "/dev/fd"}, {"fd/0", "/dev/stdin"}, {"fd/1", "/dev/stdout"}, {"fd/2", "/dev/stderr"},
    {"pts/ptmx", "/dev/ptmx"},
};

static bool attach(int tree, const char *path) {
    bool is_good = mknod(path, S_IFREG | 0444, 0) == 0 && sys_move_mount(tree, AT_FDCWD, path) == 0;
    int error = errno;
    close(tree);
    errno = error;
    return is_good;
}

bool child_terminal(const struct job *job, struct failure *failure) {
    int trees[NODE_COUNT];
    const char *step = "/dev";
    if (job->descriptors[FD_TERMINAL] < 0) return true;
    // Cloned first: the new /dev hides them.
    for (size_t index = 0; index < NODE_COUNT; index++) {
        trees[index] = open_tree(AT_FDCWD, nodes[index], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (trees[index] < 0) goto failed;
    }
    if (mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "size=64k,mode=0755") < 0) goto failed;
    for (size_t index = 0; index < NODE_COUNT; index++) {
        if (!attach(trees[index], nodes[index])) goto failed;
    }
    for (size_t index = 0; index < sizeof links / sizeof *links; index++) {
        if (symlink(links[index].target, links[index].path) < 0) goto failed;
    }
    step = "/dev/tty";
    if (!attach(job->terminal, "/dev/tty")) goto failed;
    step = "/dev/pts";
    if (mkdir("/dev/shm", 0755) < 0 || mkdir("/dev/pts", 0755) < 0) goto failed;
    if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620") < 0) {
        goto failed;
    }
    if (mount(NULL, "/dev", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL) == 0) return true;
failed:
    return fail(failure, DOME_JAIL_STAGE_TERMINAL, errno, step);
}

bool terminal_open(struct server *server, struct job *job, struct failure *failure) {
    int node = sys_openat2(server->host_root, "dev/tty", O_PATH, 0, 0);
    job->terminal = node < 0 ? -1 : open_tree(node, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    int error = errno;
    if (node >= 0) close(node);
    if (job->terminal < 0 ||
        sys_mount_attributes(job->terminal, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, MS_PRIVATE, -1) < 0) {
        return fail(failure, DOME_JAIL_STAGE_TERMINAL, job->terminal < 0 ? error : errno, "/dev/tty");
    }
    return true;
}
