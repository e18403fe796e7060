// Room CJail: everything between fork and exec, in C11.
//
// The keeper starts one *inner server* per network mode: its own binary, exec'd once with
// argv[0] = DOME_JAIL_ARGV0, caught by a constructor of this room before any Swift runs. The server is
// PID 1 of a PID namespace of its own (as an ordinary user also of a user namespace), builds the curated
// root once, and clones one jailed child per job. That child is PID 1 of the job's own namespaces, mounts
// what is the job's alone, gives up every right, waits at the gate if asked to, and starts the tool.
//
// Because the server is the init of the namespace in which all its jobs live, its death *is* their death:
// when its pidfd is readable, no job of it is alive. It dies with the keeper (socket EOF and PDEATHSIG).
//
// Keeper and server speak flat messages over SOCK_SEQPACKET sockets, one for requests, one for replies, descriptors
// by SCM_RIGHTS.
// Nothing here is for the network or for disk: both ends come from the same binary, so layouts are native.
// The keeper-side functions below are plain system calls: any thread, no locks, no allocation. None keeps or
// closes a descriptor it is given; every descriptor they return is close-on-exec and the caller's to close.
#ifndef DOME_CJAIL_H
#define DOME_CJAIL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// argv[0] of an inner server.
#define DOME_JAIL_ARGV0 "domed-jail"
/// Version of everything below; a message with another one is answered with FAILED.
#define DOME_JAIL_VERSION 1u
/// The longest `detail` of a reply, with its NUL.
#define DOME_JAIL_DETAIL 256
/// A spec up to this size travels inside the datagram, a larger one in a memfd (dome_jail_start chooses).
#define DOME_JAIL_INLINE_SPEC 98304u
/// The largest spec: what Linux would refuse as argv + envp anyway, and room for planned files.
#define DOME_JAIL_MAX_SPEC 33554432u

/// Stages at which a start can fail, in the order in which they happen. `dome_jail_stage_name` has the words.
enum dome_jail_stage {
    DOME_JAIL_STAGE_NONE = 0,
    // Starting the server (dome_jail_spawn, or FAILED with token 0).
    DOME_JAIL_STAGE_SOCKET,            ///< socketpair to the server
    DOME_JAIL_STAGE_SERVER_NAMESPACES, ///< clone with user (ordinary user only), pid, mount, network namespaces
    DOME_JAIL_STAGE_SERVER_IDMAP,      ///< uid_map, gid_map of the server's user namespace
    DOME_JAIL_STAGE_SERVER_EXEC,       ///< exec of the keeper's binary
    DOME_JAIL_STAGE_SERVER_SETUP,      ///< signals, descriptors
    DOME_JAIL_STAGE_ROOT,              ///< building the curated root; detail names the path
    // In the server, per job.
    DOME_JAIL_STAGE_SPEC,              ///< the request does not decode
    DOME_JAIL_STAGE_GRANT_OPEN,        ///< opening a granted source; detail: its path. ELOOP: symlink met
    DOME_JAIL_STAGE_GRANT_CHANGED,     ///< the source is not the file (dev, ino) that was checked; ESTALE
    DOME_JAIL_STAGE_GRANT_CLONE,       ///< open_tree on it
    DOME_JAIL_STAGE_GRANT_IDMAP,       ///< as root: the filesystem refuses idmapped mounts; detail: "ext4 /path"
    DOME_JAIL_STAGE_GRANT_ATTRIBUTES,  ///< nosuid, nodev, read-only
    DOME_JAIL_STAGE_WORK,              ///< making the sized tmpfs for /job
    DOME_JAIL_STAGE_CLONE,             ///< the job's namespaces
    DOME_JAIL_STAGE_CGROUP,            ///< being born in the job's control group
    // In the job's PID 1.
    DOME_JAIL_STAGE_PROC,              ///< fresh /proc
    DOME_JAIL_STAGE_TMP,               ///< /tmp
    DOME_JAIL_STAGE_SHM,               ///< /dev/shm
    DOME_JAIL_STAGE_WORK_MOUNT,        ///< /job
    DOME_JAIL_STAGE_GRANT_TARGET,      ///< creating a target in the root; detail: its path
    DOME_JAIL_STAGE_GRANT_MOUNT,       ///< mounting on it; detail: its path
    DOME_JAIL_STAGE_TERMINAL,          ///< /dev/tty, /dev/ptmx, controlling terminal
    DOME_JAIL_STAGE_NETWORK,           ///< own network namespace with lo
    DOME_JAIL_STAGE_IDENTITY,          ///< as root: setgroups, setresgid, setresuid
    DOME_JAIL_STAGE_NESTED,            ///< the job's own user namespace
    DOME_JAIL_STAGE_NESTED_IDMAP,      ///< its uid_map, gid_map
    DOME_JAIL_STAGE_FILES,             ///< planned files below /job; detail: the path
    DOME_JAIL_STAGE_CAPABILITIES,      ///< capabilities, bounding set
    DOME_JAIL_STAGE_NO_NEW_PRIVS,
    DOME_JAIL_STAGE_LIMITS,            ///< setrlimit
    DOME_JAIL_STAGE_LANDLOCK,
    DOME_JAIL_STAGE_SECCOMP,
    DOME_JAIL_STAGE_WORKING_DIRECTORY, ///< chdir; detail: the path
    DOME_JAIL_STAGE_DESCRIPTORS,       ///< dup2 and close_range
    DOME_JAIL_STAGE_FORK,              ///< PID 1 starts the tool's process
    DOME_JAIL_STAGE_EXEC,              ///< exec of the tool; detail: the program as the spec names it
    DOME_JAIL_STAGE_LAYERS,            ///< layers that the job must have are missing; detail: which, as a number
    DOME_JAIL_STAGE_COUNT
};

/// Layers in force, a bit each: `layers` of READY (what every job gets) and of PREPARED, EXECED and EXIT
/// (what this job got). New layers get new bits; a bit is never given another meaning.
enum dome_jail_layer {
    DOME_JAIL_LAYER_MOUNTS = 1u << 0,       ///< own mount namespace over the curated root
    DOME_JAIL_LAYER_PIDS = 1u << 1,         ///< own PID namespace
    DOME_JAIL_LAYER_IPC = 1u << 2,          ///< own IPC namespace
    DOME_JAIL_LAYER_NETWORK = 1u << 3,      ///< no network but the job's own: empty, or only lo
    DOME_JAIL_LAYER_USER = 1u << 4,         ///< nested user namespace, entered last
    DOME_JAIL_LAYER_IDENTITY = 1u << 5,     ///< server is root: dropped to an unprivileged uid
    DOME_JAIL_LAYER_IDMAP = 1u << 6,        ///< granted paths are idmapped mounts
    DOME_JAIL_LAYER_CAPABILITIES = 1u << 7, ///< none, bounding set included
    DOME_JAIL_LAYER_NO_NEW_PRIVS = 1u << 8,
    DOME_JAIL_LAYER_LIMITS = 1u << 9,       ///< the spec's rlimits
    DOME_JAIL_LAYER_DESCRIPTORS = 1u << 10, ///< nothing open but what was passed
    DOME_JAIL_LAYER_SECCOMP = 1u << 11,     ///< system calls and socket families filtered
    DOME_JAIL_LAYER_LANDLOCK = 1u << 12,    ///< scopes: signals and abstract Unix sockets (kernel 6.12)
    DOME_JAIL_LAYER_CGROUP = 1u << 13,      ///< a control group of its own: memory and processes of the whole job
    DOME_JAIL_LAYER_APPARMOR = 1u << 14,    ///< reserved
    DOME_JAIL_LAYER_LANDLOCK_FILES = 1u << 15, ///< files: a second lock behind the mounts
};

// ---------------------------------------------------------------------------------------------------------
// The spec of a job: this head, then `mount_count` mounts, `limit_count` limits, `file_count` files,
// `argument_count` + `environment_count` uint32 offsets, then `bytes_size` bytes. All offsets count from the
// start of those bytes; offset 0 means "none" (the first byte is a NUL), the last byte is a NUL, so every
// offset below `bytes_size` is a terminated string. The room Jail encodes it; the server checks every bound.

/// Flags of a spec.
enum dome_jail_spec_flag {
    /// The job gets a network namespace of its own with lo up (net=loopback).
    DOME_JAIL_OWN_NETWORK = 1u << 0,
    /// The tool may make Unix sockets. Only for jobs that can reach none of the host's: no granted path (a
    /// read-only mount does not stop connect) and no host network (abstract names), or by explicit permission.
    DOME_JAIL_UNIX_SOCKETS = 1u << 1,
};

struct dome_jail_spec {
    uint32_t version; ///< DOME_JAIL_VERSION
    uint32_t flags;   ///< dome_jail_spec_flag
    uint32_t mount_count, limit_count, file_count, argument_count, environment_count, bytes_size;
    /// What the job runs as when the server is root; must not be 0. Otherwise ignored: it runs as the user.
    uint32_t uid, gid;
    uint32_t program;           ///< path, or a name looked up in the PATH of the job's own environment
    uint32_t working_directory; ///< absolute, in the jail; none: /job
    uint32_t work_source;       ///< host directory to be /job; none: a fresh tmpfs of `work_bytes`
    uint32_t umask;             ///< file mode creation mask of the tool, e.g. 022
    uint64_t work_bytes;        ///< size of /job
    uint64_t tmp_bytes;         ///< size of /tmp, 0: 256 MiB
    uint64_t shm_bytes;         ///< size of /dev/shm, 0: 64 MiB
    uint64_t required_layers;   ///< dome_jail_layer: without all of them the job does not reach its gate
    uint64_t reserved;          ///< 0
};

enum dome_jail_mount_flag {
    DOME_JAIL_MOUNT_WRITABLE = 1u << 0,
    /// As root: do not idmap (system paths that everybody may read).
    DOME_JAIL_MOUNT_PLAIN = 1u << 1,
};

/// A granted path. Always nosuid, nodev, private; submounts included.
struct dome_jail_mount {
    uint64_t device, inode; ///< st_dev and st_ino of what was checked; both 0: not compared
    uint32_t source;        ///< absolute, resolved: any symbolic link on the way fails with ELOOP
    uint32_t target;        ///< absolute, in the jail
    uint32_t flags;         ///< dome_jail_mount_flag
    uint32_t reserved;      ///< 0
};

/// One setrlimit(2), RLIMIT_* by number.
struct dome_jail_limit {
    uint32_t resource;
    uint32_t reserved;
    uint64_t soft, hard;
};

/// A file written below /job before the tool starts, owned by the job.
struct dome_jail_file {
    uint32_t path; ///< relative, no "..", missing folders are made 0755
    uint32_t mode; ///< permission bits
    uint32_t data; ///< offset of its bytes
    uint32_t size;
};

// ---------------------------------------------------------------------------------------------------------
// Keeper side.

/// How to start an inner server.
struct dome_jail_server_config {
    /// What is exec'd: a path to a program that links this room ("/proc/self/exe" in the keeper).
    const char *binary;
    /// Nonzero: the host's network. Zero: an empty network namespace shared by all jobs of this server.
    int full_network;
    /// Nonzero: PDEATHSIG as well as EOF. Only for a caller with a single thread: it is bound to the thread.
    int dies_with_thread;
    /// More host paths every job sees read-only at the same place (e.g. "/nix"); NULL-terminated, or NULL.
    const char *const *system_paths;
    /// For tests: behave as if the kernel's Landlock had at most this ABI; -1: no Landlock; 0: as it is.
    int landlock_abi_limit;
};

/// A started server. The caller owns the descriptors and must reap `pid` with waitpid.
struct dome_jail_server {
    int socket;  ///< SOCK_SEQPACKET, for requests; non-blocking, close-on-exec; closing it ends the server and all jobs
    int replies; ///< for dome_jail_receive: the same, but nothing goes the other way
    int pidfd;  ///< readable once the server and every job of it is dead
    int32_t pid;
};

/// Whether servers started by this process are root's: no outer user namespace, jobs drop to the spec's uid.
int dome_jail_is_privileged(void);

/// The kernel's Landlock ABI, as far as it is used here; 0: none.
int dome_jail_landlock_abi(void);

/// What of the host every job sees read-only, where the host has it: path number `index`, without its leading slash;
/// NULL after the last. `full_network`: of a server with the host's network.
const char *dome_jail_system_path(int full_network, size_t index);

/// Starts an inner server. Returns 0, or -errno with the stage in `*failed_stage`. The server then answers
/// READY, or FAILED with token 0 and exits; requests may be sent before READY has come.
int dome_jail_spawn(const struct dome_jail_server_config *config, struct dome_jail_server *server,
                    uint32_t *failed_stage);

/// Descriptors of a START; -1: none. The tool gets them as 0, 1, 2, and `progress` as 3. With `terminal` (the
/// pty's subordinate side) the tool's session has it as its controlling terminal and /dev/tty exists; pass the
/// same descriptor as 0, 1 and 2 if the tool is to talk on it. `cgroup` is the folder of a cgroup v2 group (O_PATH
/// will do) in which the job is born: empty, limits set, the server's own group below the same delegated one. With
/// `gate` the job does everything up to exec, replies PREPARED and waits; without, PREPARED is sent all the same.
struct dome_jail_descriptors {
    int standard_input, standard_output, standard_error, progress, terminal, cgroup, gate;
};

/// A gate, shut: close-on-exec, or -errno. Whoever holds it can open it: it is for the keeper and the job alone, and
/// their own way to each other, past the server.
int dome_jail_gate(void);

/// Opens a gate, also for a job that is not there yet. 0 or -errno.
int dome_jail_open_gate(int gate);

/// Sends START. `token` (not 0, not in use) names the job from now on. The descriptors may be closed as soon as
/// this returns 0. Otherwise -errno: -EAGAIN when the socket is full, -EPIPE when the server is dead.
int dome_jail_start(int socket, uint64_t token, const void *spec, size_t spec_size,
                    const struct dome_jail_descriptors *descriptors);

/// PID 1 passes the signal to the tool's process group (dropped while the tool does not run yet: use kill then).
/// HUP, INT, QUIT, USR1, USR2, TERM, CONT, WINCH, TSTP; others: -EINVAL. Unknown tokens are ignored. 0 or -errno.
int dome_jail_signal(int socket, uint64_t token, int signal);

/// SIGKILLs PID 1 and with it everything in the job's PID namespace. 0 or -errno.
int dome_jail_kill(int socket, uint64_t token);

/// What the server says. Per START, in this order: PREPARED, EXECED, EXIT. FAILED comes instead of whatever is
/// left and is final like EXIT: when either arrives, nothing of the job is alive. A job killed before it ran
/// ends with EXIT, `executed` 0; one killed in the instant of its exec may end with `executed` 1 and no EXECED, one
/// killed in the instant of its end with a second EXIT, to be ignored.
/// Death of the server: EOF, and the pidfd says when all is dead.
enum dome_jail_reply_kind {
    DOME_JAIL_READY = 1, ///< token 0: the root is built, `layers` is what every job will get
    DOME_JAIL_PREPARED,  ///< everything but exec is done; carries the descriptor of /job
    DOME_JAIL_EXECED,    ///< the tool runs (exec succeeded)
    DOME_JAIL_FAILED,    ///< `stage`, `error` (errno) and `detail` say what
    DOME_JAIL_EXIT,      ///< the namespace is empty: `status`, `cause`, usage
};

enum dome_jail_cause {
    DOME_JAIL_CAUSE_EXITED = 0, ///< the tool ended (exit or signal): `status` is its raw wait status
    DOME_JAIL_CAUSE_KILLED = 1, ///< dome_jail_kill before the tool ended by itself: `status` is 9
    DOME_JAIL_CAUSE_LOST = 2,   ///< PID 1 died unasked (OOM killer, a foreign SIGKILL): `status` is PID 1's
};

struct dome_jail_reply {
    uint32_t version;
    uint32_t kind;
    uint64_t token;
    uint32_t stage;
    int32_t error;
    int32_t pid;       ///< PREPARED: PID 1 in the server's PID namespace; for logs only
    uint32_t executed; ///< EXIT: whether exec had succeeded
    int32_t status;
    uint32_t cause;
    uint64_t layers;
    int64_t wall_nanoseconds; ///< EXECED: when it was, since 1970
    uint64_t user_microseconds, system_microseconds; ///< EXIT: of everything that ran in the namespace
    uint64_t max_resident_kilobytes;                 ///< EXIT: of the largest single process
    uint64_t disk_written_bytes; ///< EXIT: file data made for disks (memory file systems and pipes are none)
    uint32_t detail_size;                            ///< without the NUL
    char detail[DOME_JAIL_DETAIL];                   ///< terminated
};

/// Receives one reply without blocking. 1: `*reply` is filled, and `*work` is the descriptor of /job's root
/// (PREPARED only, else -1; the caller's to close; readable after the job is gone). 0: EOF. Else -errno
/// (-EAGAIN: none there).
int dome_jail_receive(int replies, struct dome_jail_reply *reply, int *work);

/// Writes the system call filter to `fd` as BPF instructions, as `bwrap --seccomp` reads them: for comparisons with
/// the same protections. Zero `allows_unix`: the one without Unix sockets. 0 or -errno. Compiles: not for hot paths.
int dome_jail_export_filter(int fd, int allows_unix);

/// "granted path: open", for a stage; never NULL.
const char *dome_jail_stage_name(uint32_t stage);

/// The server's main, which the constructor runs in a process named DOME_JAIL_ARGV0; never returns.
void dome_jail_serve(int argc, char *const *argv) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif
#endif
