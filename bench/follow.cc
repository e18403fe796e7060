// Following: how many events a second, and how old an event is when it arrives.
#include "client.h"

#include <cstdlib>
#include <ctime>
#include <thread>

namespace bench {

using domed::v1::DomedService;
using domed::v1::StreamJobEventsResponse;

namespace {

struct Followed {
    uint64_t events = 0;
    uint64_t guards = 0;
    double seconds = 0;  // from the first event to the last
    std::string error;
};

// Reads a job's events from the first to the last, and that none is missing.
Followed follow(DomedService::Stub &stub, const std::string &job, bool live) {
    Followed found;
    grpc::ClientContext context;
    domed::v1::StreamJobEventsRequest request;
    request.set_job_id(job);
    request.set_follow(live);
    auto reader = stub.StreamJobEvents(&context, request);
    StreamJobEventsResponse event;
    Clock::time_point first, last;
    while (reader->Read(&event)) {
        last = Clock::now();
        if (found.events == 0) first = last;
        if (event.seq() != ++found.events && found.error.empty()) {
            found.error = "event " + std::to_string(found.events) + " has seq " + std::to_string(event.seq());
        }
        if (event.event_type() == domed::v1::EVENT_TYPE_GUARD) found.guards++;
    }
    grpc::Status status = reader->Finish();
    if (!status.ok()) found.error = "StreamJobEvents: " + status.error_message();
    found.seconds = std::chrono::duration<double>(last - first).count();
    return found;
}

double realtime_microseconds() {
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

}  // namespace

Result run_flood(const Options &options) {
    Result result;
    const std::string target = options.text("target", "");
    const bool live = options.number("replay", 0) == 0;
    const size_t followers = static_cast<size_t>(options.number("followers", 1));
    auto stub = DomedService::NewStub(connect(target));
    std::vector<std::unique_ptr<DomedService::Stub>> stubs;
    for (size_t i = 0; i < followers; i++) stubs.push_back(DomedService::NewStub(connect(target)));

    auto start = Clock::now();
    const std::string job = submit(*stub, options.argv, result);
    if (job.empty()) return result;
    if (!live) {
        Followed whole = follow(*stub, job, true);
        if (!whole.error.empty()) result.errors.push_back(whole.error);
        start = Clock::now();
    }
    std::vector<Followed> found(followers);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < followers; i++) {
        threads.emplace_back([&, i] { found[i] = follow(*stubs[i], job, live); });
    }
    for (auto &thread : threads) thread.join();
    result.numbers["seconds"] = microseconds_since(start) / 1e6;
    for (const auto &one : found) {
        if (!one.error.empty()) result.errors.push_back(one.error);
        result.samples["events"].push_back(static_cast<double>(one.events));
        result.samples["guards"].push_back(static_cast<double>(one.guards));
        result.samples["rate"].push_back(one.seconds > 0 ? static_cast<double>(one.events) / one.seconds : 0);
    }
    return result;
}

Result run_latency(const Options &options) {
    Result result;
    auto stub = DomedService::NewStub(connect(options.text("target", "")));
    const std::string job = submit(*stub, options.argv, result);
    if (job.empty()) return result;
    grpc::ClientContext context;
    domed::v1::StreamJobEventsRequest request;
    request.set_job_id(job);
    request.set_follow(true);
    auto reader = stub->StreamJobEvents(&context, request);
    StreamJobEventsResponse event;
    while (reader->Read(&event)) {
        const double now = realtime_microseconds();
        if (event.event_type() != domed::v1::EVENT_TYPE_LOG) continue;
        // {"stream":"stdout","line":"1767225600.123456"}: seconds since the epoch are ten digits for a while yet.
        const std::string &payload = event.payload_json();
        const size_t digit = payload.find_first_of("0123456789");
        if (digit == std::string::npos) continue;
        const double seconds = std::strtod(payload.c_str() + digit, nullptr);
        result.samples["latency"].push_back(now - seconds * 1e6);
    }
    grpc::Status status = reader->Finish();
    if (!status.ok()) result.errors.push_back("StreamJobEvents: " + status.error_message());
    return result;
}

}  // namespace bench
