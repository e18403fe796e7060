// Options, output, and the choice of the mode.
#include "client.h"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>

namespace bench {

std::string Options::text(const std::string &name, const std::string &otherwise) const {
    auto found = values.find(name);
    return found == values.end() ? otherwise : found->second;
}

long Options::number(const std::string &name, long otherwise) const {
    auto found = values.find(name);
    return found == values.end() ? otherwise : std::strtol(found->second.c_str(), nullptr, 10);
}

static std::string quoted(const std::string &text) {
    std::string out = "\"";
    char escape[8];
    for (unsigned char byte : text) {
        if (byte == '"' || byte == '\\' || byte < 0x20) {
            std::snprintf(escape, sizeof escape, "\\u%04x", byte);
            out += escape;
        } else {
            out += static_cast<char>(byte);
        }
    }
    return out + "\"";
}

void Result::print() const {
    std::string out = "{";
    for (const auto &[name, value] : numbers) out += quoted(name) + ": " + std::to_string(value) + ", ";
    for (const auto &[name, list] : samples) {
        out += quoted(name) + ": [";
        char number[32];
        for (size_t i = 0; i < list.size(); i++) {
            std::snprintf(number, sizeof number, "%s%.1f", i ? "," : "", list[i]);
            out += number;
        }
        out += "], ";
    }
    out += "\"errors\": [";
    for (size_t i = 0; i < errors.size(); i++) out += (i ? ", " : "") + quoted(errors[i]);
    std::printf("%s]}\n", out.c_str());
}

std::shared_ptr<grpc::Channel> connect(const std::string &target) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(-1);
    auto channel = grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
    channel->WaitForConnected(gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_seconds(10, GPR_TIMESPAN)));
    return channel;
}

domed::v1::SkillExecuteRequest shell_run(const std::vector<std::string> &argv, long wait_milliseconds) {
    static const std::string prefix = std::to_string(std::random_device{}()) + std::to_string(std::random_device{}());
    static long count = 0;
    domed::v1::SkillExecuteRequest request;
    request.set_skill_id("shell.run");
    request.set_profile("bench");
    request.set_idempotency_key("bench-" + prefix + "-" + std::to_string(count++));
    std::string task = "{\"argv\":[";
    for (size_t i = 0; i < argv.size(); i++) task += (i ? "," : "") + quoted(argv[i]);
    request.set_task_json(task + "]}");
    request.set_constraints_json("{\"wait_ms\":" + std::to_string(wait_milliseconds) + "}");
    return request;
}

std::string submit(domed::v1::DomedService::Stub &stub, const std::vector<std::string> &argv, Result &result) {
    grpc::ClientContext context;
    domed::v1::SkillExecuteResponse reply;
    grpc::Status status = stub.SkillExecute(&context, shell_run(argv, 0), &reply);
    if (!status.ok()) {
        result.errors.push_back("SkillExecute: " + status.error_message());
        return "";
    }
    if (!reply.status().ok()) {
        result.errors.push_back("SkillExecute: " + reply.status().message());
        return "";
    }
    return reply.job_id();
}

}  // namespace bench

int main(int argc, char **argv) {
    using bench::Options;
    const std::map<std::string, std::function<bench::Result(const Options &)>> modes = {
        {"unary", bench::run_unary},     {"jobs", bench::run_jobs},   {"flood", bench::run_flood},
        {"latency", bench::run_latency}, {"spawn", bench::run_spawn},
    };
    auto mode = modes.find(argc > 1 ? argv[1] : "");
    if (mode == modes.end()) {
        std::fprintf(stderr, "usage: client unary|jobs|flood|latency|spawn [--name value]… [-- argv…]\n");
        return 2;
    }
    Options options;
    int i = 2;
    for (; i + 1 < argc && std::string(argv[i]) != "--"; i += 2) options.values[argv[i] + 2] = argv[i + 1];
    for (i++; i < argc; i++) options.argv.push_back(argv[i]);
    bench::Result result = mode->second(options);
    result.print();
    return result.errors.empty() ? 0 : 1;
}
