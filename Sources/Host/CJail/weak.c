// See weak.h: only in the build for tests.
#include "weak.h"

#ifdef DOME_JAIL_WEAK

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const names[WEAK_COUNT] = {
    [WEAK_HOST_TREE] = "host_tree", [WEAK_SIZES] = "sizes", [WEAK_PIDS] = "pids", [WEAK_IPC] = "ipc",
    [WEAK_IDENTITY] = "identity", [WEAK_NESTED] = "nested", [WEAK_CAPABILITIES] = "capabilities",
    [WEAK_LIMITS] = "limits", [WEAK_DESCRIPTORS] = "descriptors", [WEAK_DUMPABLE] = "dumpable",
    [WEAK_LANDLOCK] = "landlock", [WEAK_SECCOMP] = "seccomp", [WEAK_GRANTS] = "grants", [WEAK_PARENT] = "parent",
    [WEAK_REST] = "rest", [WEAK_SENDER] = "sender", [WEAK_WINDOW] = "window",
};
static bool is_weak[WEAK_COUNT];
static int abi_limit = -1;

static const char *const host_folders[] = {"/etc", "/run", "/var", "/tmp", "/proc"};
enum { FOLDER_COUNT = sizeof host_folders / sizeof *host_folders };
static int host_trees[FOLDER_COUNT]; // 0: none yet

static bool take(const char *word) {
    if (strncmp(word, "abi=", 4) == 0 && word[4] >= '1' && word[4] <= '9' && word[5] == 0) {
        abi_limit = word[4] - '0';
        return true;
    }
    for (size_t index = 0; index < WEAK_COUNT; index++) {
        if (strcmp(word, names[index]) == 0) return is_weak[index] = true;
    }
    return false;
}

bool weak_read(struct failure *failure) {
    char path[PATH_BYTES], text[512];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - sizeof ".weak");
    if (size < 0) return fail(failure, DOME_JAIL_STAGE_SERVER_SETUP, errno, "/proc/self/exe");
    memcpy(path + size, ".weak", sizeof ".weak");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (size < 0) return fail(failure, DOME_JAIL_STAGE_SERVER_SETUP, errno, path);
    close(fd);
    text[size] = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " \n", &rest); word != NULL; word = strtok_r(NULL, " \n", &rest)) {
        if (!take(word)) return fail(failure, DOME_JAIL_STAGE_SERVER_SETUP, EINVAL, word);
    }
    return true;
}

bool weak_in(enum weakness weakness) { return is_weak[weakness]; }

int weak_abi_limit(int limit) { return abi_limit > 0 ? abi_limit : limit; }

void weak_open_host(void) {
    for (size_t index = 0; index < FOLDER_COUNT; index++) {
        // The last job's: it has its own descriptor.
        if (host_trees[index] > 0) close(host_trees[index]);
        host_trees[index] = open_tree(AT_FDCWD, host_folders[index],
                                      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW);
    }
}

void weak_mount_host(void) {
    for (size_t index = 0; index < FOLDER_COUNT; index++) {
        if (host_trees[index] >= 0) sys_move_mount(host_trees[index], AT_FDCWD, host_folders[index]);
    }
}

void weak_keep_descriptors(void) {
    for (int fd = 3; fd < 256; fd++) fcntl(fd, F_SETFD, 0);
}

void weak_await_swap(const struct server *server, const struct dome_jail_mount *mount, const char *path) {
    if (!is_weak[WEAK_WINDOW] || (mount->device | mount->inode) == 0) return;
    const struct timespec pause = {.tv_nsec = 100 * 1000};
    for (int round = 0; round < 2 * 1000; round++) {
        struct stat status;
        bool is_there = fstatat(server->host_root, path + 1, &status, AT_SYMLINK_NOFOLLOW) == 0;
        if (is_there && (status.st_dev != mount->device || status.st_ino != mount->inode)) return;
        nanosleep(&pause, NULL);
    }
}

int weak_open_grant(const struct server *server, const char *path) {
    return openat(server->host_root, path + 1, O_RDONLY | O_CLOEXEC);
}

void weak_outlive_keeper(void) {
    while (is_weak[WEAK_PARENT]) pause();
}

#endif
