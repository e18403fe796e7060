// Unary calls and jobs, many at once from one thread over one connection: the asynchronous API and one
// completion queue, each slot a small state machine.
#include "client.h"

namespace bench {

using domed::v1::DomedService;

namespace {

// A slot lives in its own memory for the whole run; the queue's tag is its address.
struct Slot {
    virtual ~Slot() = default;
    // Called when the operation under way has completed; false: this slot is done.
    virtual bool advance(bool ok) = 0;
};

void drain(grpc::CompletionQueue &queue, size_t running) {
    void *tag = nullptr;
    bool ok = false;
    while (running > 0 && queue.Next(&tag, &ok)) {
        if (!static_cast<Slot *>(tag)->advance(ok)) running--;
    }
}

struct UnarySlot final : Slot {
    DomedService::Stub &stub;
    grpc::CompletionQueue &queue;
    Result &result;
    Clock::time_point deadline;
    Clock::time_point started;
    std::vector<double> &latencies;
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::ClientAsyncResponseReader<domed::v1::HealthResponse>> reader;
    domed::v1::HealthResponse reply;
    grpc::Status status;

    UnarySlot(DomedService::Stub &stub, grpc::CompletionQueue &queue, Result &result, Clock::time_point deadline)
        : stub(stub), queue(queue), result(result), deadline(deadline), latencies(result.samples["latency"]) {
        begin();
    }

    void begin() {
        reader.reset();  // it lives in the call that the context owns
        context = std::make_unique<grpc::ClientContext>();
        started = Clock::now();
        reader = stub.AsyncHealth(context.get(), domed::v1::HealthRequest(), &queue);
        reader->Finish(&reply, &status, this);
    }

    bool advance(bool) override {
        if (!status.ok()) {
            if (result.errors.empty()) result.errors.push_back("Health: " + status.error_message());
            return false;
        }
        latencies.push_back(microseconds_since(started));
        if (Clock::now() >= deadline) return false;
        begin();
        return true;
    }
};

// One job after another: SkillExecute, then (unless it waits for the end itself) the events to the last one.
struct JobSlot final : Slot {
    enum class Step { submitting, opening, reading, finishing };

    DomedService::Stub &stub;
    grpc::CompletionQueue &queue;
    Result &result;
    const Options &options;
    long &left;
    bool waits;
    Step step = Step::submitting;
    Clock::time_point started;
    double last_event = 0;
    bool saw_event = false;
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::ClientAsyncResponseReader<domed::v1::SkillExecuteResponse>> reply_reader;
    std::unique_ptr<grpc::ClientAsyncReader<domed::v1::StreamJobEventsResponse>> event_reader;
    domed::v1::SkillExecuteResponse reply;
    domed::v1::StreamJobEventsResponse event;
    grpc::Status status;

    JobSlot(DomedService::Stub &stub, grpc::CompletionQueue &queue, Result &result, const Options &options, long &left)
        : stub(stub), queue(queue), result(result), options(options), left(left), waits(options.number("wait", 0)) {
        begin();
    }

    void begin() {
        left--;
        step = Step::submitting;
        saw_event = false;
        new_context();
        auto request = shell_run(options.argv, waits ? 60000 : 0);
        started = Clock::now();
        reply_reader = stub.AsyncSkillExecute(context.get(), request, &queue);
        reply_reader->Finish(&reply, &status, this);
    }

    // Readers live in the call that the context owns, so they go first.
    void new_context() {
        reply_reader.reset();
        event_reader.reset();
        context = std::make_unique<grpc::ClientContext>();
    }

    bool fail(const std::string &why) {
        result.errors.push_back(why);
        return false;
    }

    bool end(double latency) {
        result.samples["latency"].push_back(latency);
        if (left <= 0) return false;
        begin();
        return true;
    }

    bool advance(bool ok) override {
        switch (step) {
            case Step::submitting:
                return submitted();
            case Step::opening:
                step = Step::reading;
                event_reader->Read(&event, this);
                return true;
            case Step::reading:
                if (ok) {
                    // The terminal event is the last one, so its receipt is the last that counts.
                    last_event = microseconds_since(started);
                    saw_event = true;
                    event_reader->Read(&event, this);
                } else {
                    step = Step::finishing;
                    event_reader->Finish(&status, this);
                }
                return true;
            case Step::finishing:
                if (!status.ok()) return fail("StreamJobEvents: " + status.error_message());
                if (!saw_event) return fail("StreamJobEvents: no event");
                return end(last_event);
        }
        return false;
    }

    bool submitted() {
        if (!status.ok()) return fail("SkillExecute: " + status.error_message());
        if (!reply.status().ok()) return fail("SkillExecute: " + reply.status().message());
        if (waits) {
            if (reply.state() != domed::v1::JOB_STATE_SUCCEEDED) {
                return fail(reply.job_id() + " is " + domed::v1::JobState_Name(reply.state()) + ", not SUCCEEDED: " +
                            reply.reason() + " " + reply.status().message());
            }
            return end(microseconds_since(started));
        }
        domed::v1::StreamJobEventsRequest request;
        request.set_job_id(reply.job_id());
        request.set_follow(true);
        new_context();
        step = Step::opening;
        event_reader = stub.AsyncStreamJobEvents(context.get(), request, &queue, this);
        return true;
    }
};

}  // namespace

Result run_unary(const Options &options) {
    Result result;
    auto stub = DomedService::NewStub(connect(options.text("target", "")));
    grpc::CompletionQueue queue;
    auto start = Clock::now();
    auto deadline = start + std::chrono::seconds(options.number("seconds", 3));
    std::vector<std::unique_ptr<Slot>> slots;
    for (long i = options.number("in-flight", 32); i > 0; i--) {
        slots.push_back(std::make_unique<UnarySlot>(*stub, queue, result, deadline));
    }
    drain(queue, slots.size());
    result.numbers["seconds"] = microseconds_since(start) / 1e6;
    return result;
}

Result run_jobs(const Options &options) {
    Result result;
    auto stub = DomedService::NewStub(connect(options.text("target", "")));
    grpc::CompletionQueue queue;
    long left = options.number("count", 100);
    auto start = Clock::now();
    std::vector<std::unique_ptr<Slot>> slots;
    for (long i = options.number("concurrency", 1); i > 0 && left > 0; i--) {
        slots.push_back(std::make_unique<JobSlot>(*stub, queue, result, options, left));
    }
    drain(queue, slots.size());
    result.numbers["seconds"] = microseconds_since(start) / 1e6;
    return result;
}

}  // namespace bench
