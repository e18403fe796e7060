/* CLinux: the system calls and macros that Swift cannot spell (variadic functions, CMSG macros, calls newer
 * than the C library). Thin: no state, no policy. Everything returns what the kernel returned: -1 and errno. */
#ifndef DOME_CLINUX_H
#define DOME_CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* epoll: `data` is a token of the caller's. */
enum { DOME_EPOLL_IN = 1, DOME_EPOLL_OUT = 4, DOME_EPOLL_ERR = 8, DOME_EPOLL_HUP = 16 };
struct dome_epoll_event {
    uint32_t events;
    uint64_t data;
};
int dome_epoll_create(void);
int dome_epoll_add(int epoll, int fd, uint32_t events, uint64_t data);
int dome_epoll_modify(int epoll, int fd, uint32_t events, uint64_t data);
int dome_epoll_delete(int epoll, int fd);
/* At most `capacity` (<= 256) events; timeout in nanoseconds, negative waits for ever. */
int dome_epoll_wait(int epoll, struct dome_epoll_event *events, int capacity, int64_t timeout_nanoseconds);

int dome_eventfd(void);
int dome_pipe(int ends[2]);
/* posix_spawn_file_actions_addchdir_np; `actions` is a posix_spawn_file_actions_t *. */
int dome_spawn_add_chdir(void *actions, const char *path);
/* posix_spawn_file_actions_addclosefrom_np: the child closes `first` and all above. */
int dome_spawn_add_close_from(void *actions, int first);
int dome_accept(int listener);
/* Signals `signals[0..count)` are blocked in the calling thread and read from the descriptor returned. */
int dome_signalfd(const int *signals, int count);
/* The next pending signal's number, 0 if there is none. */
int dome_signalfd_read(int fd);

/* Sends one datagram (or stream chunk) with up to 16 descriptors. MSG_NOSIGNAL | flags. */
ssize_t dome_send(int fd, const void *bytes, size_t count, const int *fds, int fd_count, int dont_wait);
/* Receives; descriptors arrive close-on-exec. *fd_count: in the capacity (<= 16), out the number received.
 * *truncated is 1 if bytes or descriptors did not fit (those descriptors are closed by the kernel). */
ssize_t dome_receive(int fd, void *bytes, size_t capacity, int *fds, int *fd_count, int *truncated, int dont_wait);

/* SO_PEERCRED. */
int dome_peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid);
/* SO_PEERPIDFD (Linux 6.5), or -1 with errno. */
int dome_peer_pidfd(int fd);
int dome_pidfd_open(pid_t pid);
int dome_pidfd_send_signal(int pidfd, int signal);
int dome_close_range(unsigned first, unsigned last);
int dome_memfd(const char *name);
/* Adds the four seals that make a memfd constant. */
int dome_memfd_seal(int fd);
/* 1 if `fd` is a memfd with all of them, else 0. */
int dome_memfd_is_sealed(int fd);
int dome_open(const char *path, int flags, mode_t mode);
int dome_openat(int directory, const char *path, int flags, mode_t mode);
/* A folder as a place (O_PATH): what lies in it can be opened, itself neither read nor listed. */
int dome_open_place(int directory, const char *path);
/* fstatfs(2). 0, or -1 and errno. */
int dome_file_system(int fd, uint64_t *type, uint64_t *total_bytes, uint64_t *free_bytes, uint64_t *used_files);
/* openat2 (Linux 5.6) of what lies beneath `directory` in the same mount; no link is followed, not even one of the
 * kernel's own. O_CLOEXEC is added. */
int dome_open_beneath(int directory, const char *path, int flags);
/* openat2 of `path` as a process would open it whose root is `root`: absolute links and `..` lead no further up. Links
 * of the kernel's own are refused. O_CLOEXEC is added. */
int dome_open_in_root(int root, const char *path, int flags);
/* O_PATH, which the Glibc module does not show. */
int dome_path_only(void);
int dome_set_nonblocking(int fd, int enabled);
/* A new pseudo-terminal of that size, both ends close-on-exec and nobody's controlling terminal. */
int dome_open_terminal(int *controller, int *subordinate, int rows, int columns);
/* fallocate with FALLOC_FL_KEEP_SIZE: blocks for [from, to), the size stays. */
int dome_allocate(int fd, int64_t from, int64_t to);
/* F_OFD_SETLK write lock on the whole file; -1/EAGAIN if another holds it. */
int dome_lock_exclusive(int fd);
int dome_unlock(int fd);
/* Raises RLIMIT_NOFILE to the hard limit; reports what both were (a child resets the soft one). */
int dome_raise_nofile(uint64_t *soft, uint64_t *hard);
void dome_set_thread_name(const char *name);
/* The calling thread works when nobody else does, as far as nice(2) goes. */
void dome_yield_to_others(void);
/* Device and inode of what `path` leads to (for /proc/PID/ns/user: the namespace's identity). */
int dome_stat_identity(const char *path, uint64_t *device, uint64_t *inode);

/* From now on a signal that a crash raises (ABRT, BUS, FPE, ILL, SEGV, SYS, TRAP) is told on `descriptor` before it
 * ends the process, in one write: the head (at most 16 bytes), with the size of the text at `size_offset` in it
 * (32 bits, little-endian; -1: nowhere), and the text: signal, address, and the functions being called. 0 or -1. */
int dome_report_crashes(int descriptor, const void *head, size_t head_size, int size_offset);

/* CRC-32C of `bytes`, continuing `crc` (0 to begin). By instruction where the processor has one. */
uint32_t dome_crc32c(uint32_t crc, const void *bytes, size_t count);
/* The same by tables, for comparison. */
uint32_t dome_crc32c_portable(uint32_t crc, const void *bytes, size_t count);

#endif
