// Plain processes, timed from spawn to reaped: what dome is compared with.
#include "client.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>

extern char **environ;

namespace bench {

namespace {

// Exit status of one run, output to /dev/null, `file` (unless empty) as descriptor 3;
// -1 when it was killed, -2 when it could not be started.
int run_once(const std::vector<char *> &argv, const std::string &file) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    // Opened anew each time: who reads it to its end leaves nothing for the next.
    if (!file.empty()) posix_spawn_file_actions_addopen(&actions, 3, file.c_str(), O_RDONLY, 0);
    pid_t pid = 0;
    const int failure = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) return -2;
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

Result run_spawn(const Options &options) {
    Result result;
    std::vector<char *> argv;
    for (const auto &argument : options.argv) argv.push_back(const_cast<char *>(argument.c_str()));
    argv.push_back(nullptr);
    const std::string file = options.text("file", "");
    std::atomic<long> left{options.number("count", 100)};
    std::mutex mutex;
    auto worker = [&] {
        while (left.fetch_sub(1) > 0) {
            auto start = Clock::now();
            const int status = run_once(argv, file);
            const double latency = microseconds_since(start);
            std::lock_guard<std::mutex> hold(mutex);
            result.samples["latency"].push_back(latency);
            if (status != 0 && result.errors.empty()) {
                result.errors.push_back(
                    status == -2 ? "cannot start " + options.argv[0]
                                 : options.argv[0] + " ended with status " + std::to_string(status));
            }
        }
    };
    auto start = Clock::now();
    std::vector<std::thread> threads;
    for (long i = options.number("concurrency", 1); i > 0; i--) threads.emplace_back(worker);
    for (auto &thread : threads) thread.join();
    result.numbers["seconds"] = microseconds_since(start) / 1e6;
    return result;
}

}  // namespace bench
