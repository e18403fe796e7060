// The load client of `make bench`: a C++ gRPC client that is faster than what it measures, plus the same loop
// for plain processes (bwrap, task-spooler, dome), so that all rows of the table are timed by one program.
//
// Every mode prints one JSON object on stdout; latencies are single samples in microseconds, in order of
// completion, and bench/run.py does the arithmetic.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "domed/v1/domed.grpc.pb.h"

namespace bench {

using Clock = std::chrono::steady_clock;

inline double microseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// --name value pairs after the mode; everything after `--` is `argv`.
struct Options {
    std::map<std::string, std::string> values;
    std::vector<std::string> argv;

    std::string text(const std::string &name, const std::string &otherwise) const;
    long number(const std::string &name, long otherwise) const;
};

// What a mode found; printed as JSON.
struct Result {
    std::map<std::string, double> numbers;
    std::map<std::string, std::vector<double>> samples;
    std::vector<std::string> errors;

    void print() const;
};

// A channel with a connection of its own.
std::shared_ptr<grpc::Channel> connect(const std::string &target);

// A shell.run request for `argv` under a key that nobody used before.
domed::v1::SkillExecuteRequest shell_run(const std::vector<std::string> &argv, long wait_milliseconds);

// Submits a job with wait_ms 0 and returns its id; empty, with an error noted, if it was refused.
std::string submit(domed::v1::DomedService::Stub &stub, const std::vector<std::string> &argv, Result &result);

Result run_unary(const Options &options);    // Health calls, --in-flight N, --seconds S
Result run_jobs(const Options &options);     // submit → terminal event, --concurrency N, --count M, --wait 0|1
Result run_flood(const Options &options);    // events/s, --followers N, --replay 0|1
Result run_latency(const Options &options);  // write() in the child → receipt here
Result run_spawn(const Options &options);    // processes, --concurrency N, --count M -- ARGV…

}  // namespace bench
